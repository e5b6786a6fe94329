# SPDX-License-Identifier: Apache-2.0
"""./quickstart --cluster: the shipped configuration of every role and both balancers, on PostgreSQL."""
import collections
import contextlib
import json
import os
import shutil
import signal
import subprocess
import threading
import time

import pytest
import requests

from support import SANITIZE, wait_until
from test_quickstart import Quickstart, open_scratch

pytestmark = [pytest.mark.slow, pytest.mark.skipif(SANITIZE, reason="the quickstart builds without sanitizers")]
ROLES = {"keymgr1": "keymgr", "keymgr2": "keymgr", "portal1": "portal", "portal2": "portal", "gateway1": "gateway", "gateway2": "gateway",
         "gateway3": "gateway", "lb-internal": "lb-internal", "lb-external": "lb-external"}


class Cluster(Quickstart):
    def __call__(self, *args, **more):
        return super().__call__("--cluster", *args, **more)

    def node(self, name):
        return next(n for n in self.demo["nodes"] if n["name"] == name)

    def pid(self, name):
        with open(self.node(name)["pidfile"], encoding="ascii") as file:
            return int(file.read())

    def kill(self, name):
        """kill -9 of a node's parent and children."""
        pid = self.pid(name)
        pids = [pid, *children(pid)]
        for each in pids:
            with contextlib.suppress(ProcessLookupError):
                os.kill(each, signal.SIGKILL)
        wait_until(lambda: not any(alive(p) for p in pids), 10, what=f"{name} is dead")
        os.unlink(self.node(name)["pidfile"])  # httpd -k start takes a zombie for a running httpd

    def start_node(self, name):
        subprocess.run([self.demo["httpd"], "-d", self.dir, "-f", self.node(name)["conf"], "-k", "start"], check=True, timeout=30,
                       stdin=subprocess.DEVNULL, stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL)

    def token(self):
        demo = self.demo
        r = requests.post(demo["token_url"], auth=(demo["consumer_key"], demo["consumer_secret"]), timeout=30,
                          data={"grant_type": "client_credentials"})
        assert r.status_code == 200, r.text
        return r.json()["access_token"]

    @property
    def path(self):
        return f"{self.demo['api']['context']}/{self.demo['api']['version']}/huts"

    def sql(self, role, database, sql):
        """(exit status, output) of psql as one of the nodes' roles."""
        done = subprocess.run(["psql", "-X", "-A", "-t", "-h", "127.0.0.1", "-p", str(self.demo["postgresql"]["port"]), "-U", role, "-d",
                               database, "-c", sql], env={**os.environ, "PGPASSFILE": str(self.dir / "secrets" / f"{role}.pgpass")},
                              stdin=subprocess.DEVNULL, stdout=subprocess.PIPE, stderr=subprocess.STDOUT, text=True, timeout=30)
        return done.returncode, done.stdout


def alive(pid):
    """A process that has threads left may have its sockets open, even if its first thread is a zombie."""
    try:
        with open(f"/proc/{pid}/stat", encoding="ascii", errors="replace") as file:
            return file.read().rpartition(")")[2].split()[0] != "Z" or len(os.listdir(f"/proc/{pid}/task")) > 1
    except OSError:
        return False


def children(pid):
    out = subprocess.run(["pgrep", "-P", str(pid)], stdout=subprocess.PIPE, text=True, check=False).stdout
    return [int(word) for word in out.split()]


@contextlib.contextmanager
def load(url, token, threads=4):
    """Calls without a pause while the block runs; the counter of what came of them."""
    seen, stop = collections.Counter(), threading.Event()

    def run():
        with requests.Session() as session:
            session.headers["Authorization"] = f"Bearer {token}"
            while not stop.is_set():
                try:
                    seen[session.get(url, timeout=30).status_code] += 1
                except requests.RequestException as error:
                    seen[type(error).__name__] += 1
    workers = [threading.Thread(target=run) for _ in range(threads)]
    for worker in workers:
        worker.start()
    try:
        yield seen
    finally:
        stop.set()
        for worker in workers:
            worker.join()


@pytest.fixture(scope="module")
def cluster():
    c = Cluster(open_scratch())
    c.first = c.ok()
    yield c
    c("reset")
    shutil.rmtree(c.root, ignore_errors=True)


def test_every_node_is_named_with_its_facts(cluster):
    demo = cluster.demo
    assert {n["name"]: n["roles"][0] for n in demo["nodes"]} == ROLES
    for node in demo["nodes"]:
        assert node["name"] in cluster.first and node["url"].startswith("http://127.0.0.1:")
        assert os.path.exists(node["conf"]) and os.path.exists(f"/proc/{cluster.pid(node['name'])}")
    assert len({n["url"] for n in demo["nodes"]}) == 9
    assert (cluster.dir / "pg" / "PG_VERSION").exists() and demo["postgresql"]["pgdata"] == str(cluster.dir / "pg")
    said = cluster.ok("status")
    for name in ("gateway1", "keymgr2", "lb-external", "postgresql"):
        assert [line for line in said.splitlines() if line.split()[:1] == [name] and " UP" in line], said


def test_the_printed_line_calls_the_api_and_every_gateway_serves_it(cluster):
    assert cluster.called()["count"] == 10
    token = cluster.token()
    for name in ("gateway1", "gateway2", "gateway3"):
        r = requests.get(f"{cluster.node(name)['url']}/gateway{cluster.path}", timeout=10, headers={"Authorization": f"Bearer {token}"})
        assert r.status_code == 200, f"{name}: {r.text}"


def test_what_is_for_nodes_is_for_nodes(cluster):
    demo = cluster.demo
    for url in (demo["portal_url"], cluster.node("lb-internal")["url"], cluster.node("keymgr1")["url"]):
        r = requests.post(f"{url}/internal/keymgr/v1/verify", json={}, timeout=10)
        assert r.status_code in (403, 404), f"{url}: {r.status_code} {r.text}"
        r = requests.post(f"{url}/internal/keymgr/v1/feed-heads", json={}, headers={"X-Apim-Cluster-Secret": "0" * 64}, timeout=10)
        assert r.status_code in (403, 404), f"{url}: {r.status_code} {r.text}"
    # Nor does the external balancer pass on a secret that a client brings.
    secret = (cluster.dir / "cluster.secret").read_text(encoding="ascii").strip()
    r = requests.post(f"{demo['portal_url']}/internal/keymgr/v1/feed-heads", json={}, headers={"X-Apim-Cluster-Secret": secret}, timeout=10)
    assert r.status_code == 403


def test_balancer_managers_show_the_health_of_the_members(cluster):
    for name, members in (("lb-external", 5), ("lb-internal", 2)):
        def healthy(name=name, members=members):
            page = requests.get(f"{cluster.node(name)['url']}/balancer-manager", timeout=10).text
            return page.count("/apim-health") >= members and "HcFl" not in page and "Err" not in page
        wait_until(healthy, 15, what=f"all members of {name} are healthy")
        conf = (cluster.source / "conf" / f"{name}.conf").read_text(encoding="utf-8")
        assert "SetHandler balancer-manager\n        Require local" in conf


def test_the_roles_of_the_databases_have_no_more_than_they_need(cluster):
    assert cluster.sql("apim_gateway", "apim_registry", "SELECT count(*) FROM reg_artifact")[0] == 0
    for role, database, sql in (("apim_gateway", "apim_user_manager", "SELECT 1"),
                                ("apim_gateway", "apim_api_manager", "SELECT count(*) FROM am_token"),
                                ("apim_gateway", "apim_registry", "DELETE FROM reg_artifact"),
                                ("apim_portal", "apim_api_manager", "SELECT count(*) FROM am_signing_key"),
                                ("apim_keymgr", "apim_api_manager", "DELETE FROM am_subscription"),
                                ("apim_keymgr", "apim_registry", "DELETE FROM reg_artifact"),
                                ("apim_portal", "apim_registry", "CREATE TABLE x (y int)")):
        status, said = cluster.sql(role, database, sql)
        assert status != 0 and "permission denied" in said, f"{role}: {sql}: {said}"


def test_no_call_is_lost_with_a_node(cluster):
    url = f"{cluster.demo['gateway_url']}{cluster.path}"
    with load(url, cluster.token()) as seen:
        wait_until(lambda: seen[200] > 50, 20, what="calls pass")
        for name in ("gateway1", "keymgr1", "portal2"):
            cluster.kill(name)
            time.sleep(1.5)
            cluster.start_node(name)
            before = seen[200]
            wait_until(lambda: seen[200] > before + 50, 20, what="calls go on")  # noqa: B023
        victim = children(cluster.pid("gateway2"))[0]
        os.kill(victim, signal.SIGKILL)
        os.kill(cluster.pid("gateway3"), signal.SIGUSR1)
        before = seen[200]
        wait_until(lambda: seen[200] > before + 100, 20, what="calls go on")
    assert set(seen) == {200}, seen
    try:
        wait_until(lambda: cluster("status")[0] == 0, 15, what="everything is up again")
    except AssertionError as error:
        raise AssertionError(cluster("status")[1]) from error
    # A Key Manager is gone: new tokens and unknown credentials are the other's business.
    cluster.kill("keymgr2")
    try:
        token = cluster.token()
        assert requests.get(url, timeout=10, headers={"Authorization": f"Bearer {token}"}).status_code == 200
    finally:
        cluster.start_node("keymgr2")


def test_verified_calls_go_on_without_databases(cluster):
    url, pgdata = f"{cluster.demo['gateway_url']}{cluster.path}", cluster.demo["postgresql"]["pgdata"]
    token, unseen = cluster.token(), cluster.token()
    known = {"Authorization": f"Bearer {token}"}
    for name in ("gateway1", "gateway2", "gateway3"):  # each has verified it
        assert requests.get(f"{cluster.node(name)['url']}/gateway{cluster.path}", timeout=10, headers=known).status_code == 200
    with open(os.path.join(pgdata, "postmaster.pid"), encoding="ascii") as file:
        os.kill(int(file.readline()), signal.SIGINT)
    wait_until(lambda: not os.path.exists(os.path.join(pgdata, "postmaster.pid")), 20, what="PostgreSQL stops")
    with load(url, token) as seen:
        wait_until(lambda: seen[200] > 100, 20, what="calls go on")
        unknown = requests.get(url, timeout=30, headers={"Authorization": f"Bearer {unseen}"})
        assert unknown.status_code == 503 and unknown.headers["Retry-After"], unknown.text
    assert set(seen) == {200}, seen
    assert cluster("status")[0] == 3
    assert "up" in cluster.ok()  # it starts what is missing
    wait_until(lambda: requests.get(url, timeout=30, headers={"Authorization": f"Bearer {cluster.token()}"}).status_code == 200, 20,
               what="new tokens are verified again")


def test_stop_start_and_tls_between_the_nodes(cluster):
    before = json.loads((cluster.dir / "demo.json").read_text(encoding="utf-8"))
    assert "Stopped" in cluster.ok("stop") and cluster("status")[0] == 3
    cluster.ok(env={"APIM_CLUSTER_TLS": "1"})
    demo = cluster.demo
    assert (demo["consumer_key"], demo["api"]) == (before["consumer_key"], before["api"])
    assert cluster.called()["count"] == 10
    node = cluster.node("gateway1")["url"]
    assert node.startswith("https://")
    with pytest.raises(requests.RequestException):  # who has no certificate of the cluster does not get in
        requests.get(f"{node}/apim-health", timeout=10, verify=cluster.dir / "tls" / "ca.pem")
    certificate = str(cluster.dir / "tls" / "client.pem")
    r = requests.get(f"{node}/apim-health", timeout=10, verify=str(cluster.dir / "tls" / "ca.pem"), cert=certificate)
    assert r.status_code == 200 and r.json()["roles"]["gateway"]["status"] == "UP"
    with load(f"{demo['gateway_url']}{cluster.path}", cluster.token()) as seen:
        wait_until(lambda: seen[200] > 30, 20, what="calls pass")
        cluster.kill("gateway2")
        time.sleep(1)
    assert set(seen) == {200}, seen


def test_reset_leaves_nothing(cluster):
    assert "Deleted" in cluster.ok("reset") and not cluster.dir.exists()
    assert cluster("status")[0] == 3
