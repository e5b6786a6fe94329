# SPDX-License-Identifier: Apache-2.0
"""./quickstart, as a newcomer runs it: first and second start, stop, reset, what it says when something is wrong."""
import fcntl
import json
import os
import pathlib
import shutil
import signal
import socket
import stat
import subprocess
import time

import pytest
import requests

from database import scratch_dir
from support import BUILD, SANITIZE, SOURCE, first_user, free_port, is_root, listening, wait_until

pytestmark = [pytest.mark.slow, pytest.mark.skipif(SANITIZE, reason="the quickstart builds without sanitizers")]


class Quickstart:
    """A run directory and a port of its own."""

    def __init__(self, root, source=SOURCE, build=BUILD, user=None):
        self.root, self.source, self.build, self.user = root, source, build, user
        self.dir, self.port = root / "run", free_port()

    def __call__(self, *args, env=None, path=None):
        """Runs ./quickstart; returns (exit status, all it said)."""
        more = {} if self.user is None else {"user": self.user.pw_uid, "group": self.user.pw_gid, "extra_groups": []}
        words = {"PATH": f"{path}:" * bool(path) + "/usr/sbin:/usr/bin:/sbin:/bin", "HOME": str(self.root), "APIM_DIR": str(self.dir),
                 "APIM_PORT": str(self.port), "APIM_BUILD": str(self.build), **(env or {})}
        done = subprocess.run([str(self.source / "quickstart"), *args], env=words, stdin=subprocess.DEVNULL, cwd=self.root,
                              stdout=subprocess.PIPE, stderr=subprocess.STDOUT, text=True, timeout=600, **more)
        return done.returncode, done.stdout

    def ok(self, *args, **more):
        status, said = self(*args, **more)
        assert status == 0, said
        return said

    @property
    def demo(self):
        return json.loads((self.dir / "demo.json").read_text(encoding="utf-8"))

    def called(self, line=None):
        """What the printed line answers in a plain shell."""
        done = subprocess.run(["bash", "-c", line or self.demo["call"]], stdin=subprocess.DEVNULL, stdout=subprocess.PIPE,
                              text=True, timeout=60)
        return json.loads(done.stdout)


def open_scratch():
    root = scratch_dir("apim-quickstart-")
    root.chmod(0o755)
    return root


@pytest.fixture(scope="module")
def quick():
    q = Quickstart(open_scratch())
    began = time.monotonic()
    q.first = q.ok()
    q.seconds = time.monotonic() - began
    yield q
    q("reset")
    shutil.rmtree(q.root, ignore_errors=True)


@pytest.fixture
def fresh(tmp_path_factory):
    q = Quickstart(open_scratch())
    yield q
    q("reset")
    shutil.rmtree(q.root, ignore_errors=True)


def test_first_start_says_where_everything_is(quick):
    demo = quick.demo
    for text in (demo["portal_url"], demo["token_url"], demo["call"], demo["admin"]["password"], demo["subscriber"]["password"],
                 str(quick.dir / "demo.json")):
        assert text in quick.first
    assert "error" not in quick.first.lower()


def test_demo_json_is_for_scripts(quick):
    demo = quick.demo
    base = f"http://127.0.0.1:{quick.port}"
    assert demo["portal_url"] == base and demo["keymgr_url"] == base
    assert demo["token_url"] == base + "/oauth2/token" and demo["gateway_url"].startswith(base)
    assert demo["admin"]["username"] == "admin" and demo["subscriber"]["username"] == "subscriber"
    assert {"id", "name", "context", "version"} <= set(demo["api"]) and demo["consumer_key"] and demo["consumer_secret"]
    assert stat.S_IMODE((quick.dir / "demo.json").stat().st_mode) == 0o600
    assert stat.S_IMODE((quick.dir / "cluster.secret").stat().st_mode) == 0o600


def test_the_printed_line_calls_the_api(quick):
    answer = quick.called()
    assert answer["count"] == 10 and answer["list"][0]["id"] == "alder-bothy"
    line = next(line for line in quick.first.splitlines() if line.strip().startswith("curl "))
    assert quick.called(line) == answer


def test_index_page_answers_and_refusals_are_the_gateways(quick):
    demo = quick.demo
    assert "API Manager" in requests.get(demo["portal_url"] + "/", timeout=30).text
    refused = requests.get(f"{demo['gateway_url']}{demo['api']['context']}/{demo['api']['version']}/huts", timeout=30)
    assert refused.status_code == 401 and refused.headers["WWW-Authenticate"] and str(refused.json()["code"]) == "900902"


def test_the_sample_has_a_scope_and_an_open_resource(quick):
    demo = quick.demo
    base = f"{demo['gateway_url']}{demo['api']['context']}/{demo['api']['version']}"
    body = {"hutId": "larkfell", "from": "2027-07-01", "nights": 2, "beds": 2, "guest": "Ada Lovelace"}

    def book(**form):
        r = requests.post(demo["token_url"], auth=(demo["consumer_key"], demo["consumer_secret"]), timeout=30,
                          data={"grant_type": "client_credentials", **form})
        return requests.post(base + "/bookings", json=body, timeout=30,
                             headers={"Authorization": "Bearer " + r.json()["access_token"]})
    assert requests.get(base + "/health", timeout=30).json()["status"] == "up"
    refused = book()
    assert refused.status_code == 403 and str(refused.json()["code"]) == "900910"
    booked = book(scope="huts:book")
    assert booked.status_code == 201 and booked.json()["guest"] == "Ada Lovelace"


def test_only_one_at_a_time(quick):
    with open(quick.dir / ".lock", "a") as lock:
        fcntl.flock(lock, fcntl.LOCK_EX)
        refused(quick, "another ./quickstart is at work")


def test_second_start_changes_nothing(quick):
    before, began = (quick.dir / "demo.json").read_bytes(), time.monotonic()
    said = quick.ok()
    assert "up already" in said and quick.demo["call"] in said
    assert (quick.dir / "demo.json").read_bytes() == before
    assert time.monotonic() - began < 10


def test_status_and_stop_and_start_keep_everything(quick):
    assert quick("status")[0] == 0
    before = quick.demo
    assert "Stopped" in quick.ok("stop")
    status, said = quick("status")
    assert status == 3 and "down" in said
    assert not listening(quick.port)
    assert "not running" in quick.ok("stop")
    quick.ok()
    assert quick.demo == before
    assert quick.called()["count"] == 10


def test_the_directory_may_be_written_in_other_ways(quick):
    for name in (f"{quick.root}//run/", f"{quick.root}/x/../run", "run"):
        assert quick("status", env={"APIM_DIR": name})[0] == 0, name


def test_another_port(quick):
    before, quick.port = quick.demo, free_port()
    assert "up already" in quick.ok() and quick.demo == before
    quick.ok("stop")
    quick.ok()
    assert quick.demo["portal_url"] == f"http://127.0.0.1:{quick.port}"
    assert {k: quick.demo[k] for k in ("admin", "subscriber", "consumer_key", "api")} == \
        {k: before[k] for k in ("admin", "subscriber", "consumer_key", "api")}
    assert quick.called()["count"] == 10


def test_after_a_crash_it_starts_again(quick):
    for name in ("httpd", "backend"):
        os.kill(int((quick.dir / "run" / f"{name}.pid").read_text()), signal.SIGKILL)
    wait_until(lambda: quick("status")[0] == 3, what="status says down")
    quick.ok()
    assert quick.called()["count"] == 10


def test_scripts_can_use_the_log_ins(quick):
    demo = quick.demo
    for who in ("admin", "subscriber"):
        user = demo[who]
        body = {"clientName": f"test_{who}", "owner": user["username"], "callbackUrl": "http://127.0.0.1/", "grantType": "password",
                "saasApp": True}
        r = requests.post(demo["keymgr_url"] + "/client-registration/v0.17/register", json=body,
                          auth=(user["username"], user["password"]), timeout=30)
        assert r.status_code == 200, r.text


def test_error_log_is_clean(quick):
    for name in ("error.log", "backend.log"):
        bad = [line for line in (quick.dir / "logs" / name).read_text(encoding="utf-8").splitlines()
               if any(word in line for word in (":error]", ":crit]", ":alert]", ":emerg]", "exit signal"))]
        assert not bad, bad


def test_an_unfinished_set_up_is_done_anew(fresh):
    fresh.ok()
    fresh.ok("stop")
    before = fresh.demo
    (fresh.dir / "data" / "complete").unlink()
    fresh.ok()
    assert fresh.demo["consumer_key"] != before["consumer_key"]
    assert fresh.called()["count"] == 10
    assert "Deleted" in fresh.ok("reset")
    assert not fresh.dir.exists() and not listening(fresh.port)
    assert "nothing to reset" in fresh.ok("reset")


# -- what it says when something is wrong -------------------------------------------------------------------------------------

def refused(q, *words, args=(), **more):
    status, said = q(*args, **more)
    assert status == 1, said
    for word in words:
        assert word in said, said
    return said


def test_port_taken(fresh):
    with socket.create_server(("127.0.0.1", fresh.port)):
        refused(fresh, f"port {fresh.port} is taken", f"process {os.getpid()}", "APIM_PORT=")
    assert fresh("status")[0] == 3


def test_the_back_end_takes_the_next_free_port(fresh):
    with socket.create_server(("127.0.0.1", fresh.port + 1)):
        fresh.ok()
        assert fresh.demo["backend_url"] != f"http://127.0.0.1:{fresh.port + 1}"
        assert fresh.called()["count"] == 10


@pytest.mark.parametrize("port", ["http", "0", "65535", "123456", "-1"])
def test_bad_port(fresh, port):
    refused(fresh, "APIM_PORT=", "1 to 65534", env={"APIM_PORT": port})


def test_directory_that_cannot_be_written(fresh):
    refused(fresh, "cannot write to /proc", "APIM_DIR=", env={"APIM_DIR": "/proc/apim"})


def test_directory_of_someone_else(fresh):
    other = fresh.root / "other"
    other.mkdir()
    (other / "thesis.txt").write_text("mine")
    refused(fresh, "not ours", env={"APIM_DIR": str(other)})
    refused(fresh, "not made by", args=["reset"], env={"APIM_DIR": str(other)})
    assert (other / "thesis.txt").exists()


def fake(folder, **scripts):
    folder.mkdir(exist_ok=True)
    for name, text in scripts.items():
        path = folder / name.replace("_", "-")
        path.write_text("#!/bin/sh\n" + text + "\n")
        path.chmod(0o755)
    return folder


def test_package_that_cannot_be_installed(fresh):
    path = fake(fresh.root / "bin", dpkg_query="exit 1", apt_get="echo E: Unable to fetch some archives; exit 100",
                sudo="exit 1")
    if is_root():
        refused(fresh, "apt-get could not install", "Unable to fetch", path=path)
    else:
        refused(fresh, "only root can install", "sudo apt-get install", "libjansson-dev", path=path)


def test_build_that_fails(fresh):
    build = fresh.root / "build"
    build.mkdir()
    (build / "Makefile").write_text("all:\n\techo 'x.c:1:2: error: that is not C'; false\n")
    refused(fresh, "that is not C", "the build failed", "build.log", env={"APIM_BUILD": str(build)})


def test_httpd_that_does_not_start(fresh):
    fresh.ok()
    fresh.ok("stop")
    local = fresh.dir / "conf" / "local"
    local.mkdir()
    (local / "mine.conf").write_text("ApimSyncInterval soon\n")
    refused(fresh, "httpd did not start", "ApimSyncInterval", "error.log")
    assert fresh("status")[0] == 3
    (local / "mine.conf").unlink()
    fresh.ok()


def test_unknown_word_shows_the_usage(fresh):
    status, said = fresh("begin")
    assert status == 2 and "usage: ./quickstart" in said
    assert "APIM_PORT" in fresh.ok("help")


@pytest.mark.skipif(not is_root(), reason="only root can become an ordinary user; for that one all other tests hold")
def test_as_an_ordinary_user(quick):
    """A copy of the tree, built already, in the home of a user who may write nothing else."""
    user = first_user("nobody")
    root = open_scratch()
    source, build = root / "clone", root / "clone" / "build"
    for name in ("conf", "sample", "sql", "modules", "tools"):
        shutil.copytree(SOURCE / name, source / name)
    for name in ("quickstart", "configure.ac", "Makefile.am"):
        shutil.copy2(SOURCE / name, source / name)
    (build / ".libs").mkdir(parents=True)
    for name in ["Makefile", "apimctl", ".quickstart-built", *(f".libs/{p.name}" for p in (BUILD / ".libs").glob("*.so"))]:
        shutil.copy2(BUILD / name, build / name)
    shutil.copytree(BUILD / "pages", build / "pages")
    subprocess.run(["chown", "-R", f"{user.pw_uid}:{user.pw_gid}", str(root)], check=True)
    q = Quickstart(root, source, build, user)
    try:
        q.ok()
        assert q.called()["count"] == 10
        pid = int((q.dir / "run" / "httpd.pid").read_text())
        assert pathlib.Path(f"/proc/{pid}").stat().st_uid == user.pw_uid
        assert "up already" in q.ok()
        path = fake(root / "bin", dpkg_query="exit 1", sudo="exit 1")
        q.ok("stop")
        refused(q, "only root can install", "sudo apt-get install", "libjansson-dev", path=path)
        refused(q, "only root may listen", env={"APIM_PORT": "80"}) if not unprivileged_ports() else None
        refused(q, "cannot write to", "APIM_DIR=", env={"APIM_DIR": "/usr/apim"})
        q.ok("reset")
    finally:
        q("reset")
        shutil.rmtree(root, ignore_errors=True)


def unprivileged_ports():
    return int(pathlib.Path("/proc/sys/net/ipv4/ip_unprivileged_port_start").read_text()) <= 80
