# SPDX-License-Identifier: Apache-2.0
"""The sample back end: what it answers, right and wrong."""
import json
import shutil
import subprocess

import pytest

from client import Rest
from database import scratch_dir
from env import HTTPD_USER
from httpd import HTTPD, load_lines, process_env
from support import BUILD, SOURCE, free_port, give_to, listening, wait_until


@pytest.fixture(scope="module")
def huts():
    root, port = scratch_dir("apim-sample-"), free_port()
    for name in ("logs", "run", "tmp"):
        (root / name).mkdir()
    give_to(root / "tmp", HTTPD_USER)
    conf = root / "httpd.conf"
    user = [f"User {HTTPD_USER.pw_name}"] if HTTPD_USER else []
    conf.write_text("\n".join([
        f"ServerRoot {root}", "ServerName localhost", f"Listen 127.0.0.1:{port}", f"DefaultRuntimeDir {root}/run",
        f"PidFile {root}/run/pid", f"ErrorLog {root}/logs/error_log", *load_lines([]), *user, "TypesConfig /dev/null",
        f"LoadModule apim_sample_module {BUILD}/.libs/mod_apim_sample.so", f"TrailHutsDefinition {SOURCE}/sample/openapi.json",
        "<Location />", "SetHandler trail-huts", "</Location>"]) + "\n")
    process = subprocess.Popen([HTTPD, "-d", root, "-f", conf, "-DFOREGROUND"], env=process_env(root), stdin=subprocess.DEVNULL)
    wait_until(lambda: listening(port), 30, what="the sample back end is up")
    yield Rest(f"http://127.0.0.1:{port}")
    process.terminate()
    process.wait(30)
    bad = [p.name for p in (root / "logs").iterdir() if p.name.startswith(("asan", "ubsan"))]
    log = (root / "logs" / "error_log").read_text()
    shutil.rmtree(root, ignore_errors=True)
    assert not bad and ":error]" not in log and "exit signal" not in log, log


def booking(**fields):
    return {"hutId": "larkfell", "from": "2027-07-01", "nights": 2, "beds": 2, "guest": "Ada Lovelace", **fields}


def test_huts_and_trails(huts):
    every = huts.ok("GET", "/huts")
    assert every["count"] == every["pagination"]["total"] == 10
    assert [h["name"] for h in every["list"]] == sorted(h["name"] for h in every["list"])
    page = huts.ok("GET", "/huts", params={"trail": "ridge-way", "limit": 2})
    assert page["count"] == 2 and page["pagination"]["total"] == 3 and "offset=2" in page["pagination"]["next"]
    assert all(h["beds"] >= 40 for h in huts.ok("GET", "/huts", params={"minBeds": 40})["list"])
    hut = huts.ok("GET", "/huts/larkfell")
    assert hut["pricePerNight"] == {"amount": "28.00", "currency": "EUR"} and hut["amenities"] == ["kitchen", "stove"]
    assert {h["trail"] for h in every["list"]} == {t["id"] for t in huts.ok("GET", "/trails")["list"]}


def test_booking_takes_beds_and_cancelling_gives_them_back(huts):
    def free(date="2027-07-02"):
        nights = huts.ok("GET", "/huts/larkfell/availability", params={"from": date, "nights": 1})["nights"]
        assert [n["date"] for n in nights] == [date]
        return nights[0]["freeBeds"]
    before = free()
    r = huts.post("/bookings", json=booking())
    assert r.status_code == 201 and r.json()["total"]["amount"] == "112.00" and r.json()["status"] == "confirmed"
    path = r.headers["Location"]
    assert huts.ok("GET", path) == r.json()
    assert free() == before - 2 and huts.ok("DELETE", path, status=204) is None
    assert free() == before and huts.ok("GET", path)["status"] == "cancelled"
    assert huts.delete(path).status_code == 404


def test_a_full_hut_refuses(huts):
    # 12 beds at most, 20 asked for.
    r = huts.post("/bookings", json=booking(hutId="alder-bothy", beds=20))
    assert r.status_code == 409 and "Alder Bothy" in r.json()["description"]


def test_bookings_are_bounded(huts):
    first = huts.ok("POST", "/bookings", json=booking(nights=1, beds=1, **{"from": "2030-01-01"}))
    for i in range(512):
        day = f"{2031 + i // 300}-{i // 25 % 12 + 1:02d}-{i % 25 + 1:02d}"
        huts.ok("POST", "/bookings", status=201, json=booking(nights=1, beds=1, **{"from": day}))
    assert huts.get(f"/bookings/{first['id']}").status_code == 404


@pytest.mark.parametrize("fields", [
    {"from": "tomorrow"}, {"from": "2027-02-30"}, {"from": "2027-7-1"}, {"from": 5}, {"nights": 0}, {"nights": 32},
    {"nights": "two"}, {"beds": 21}, {"beds": -1}, {"guest": ""}, {"guest": "x" * 81}, {"guest": "a\nb"}, {"guest": None}])
def test_wrong_bookings_are_refused(huts, fields):
    r = huts.post("/bookings", json=booking(**fields))
    assert r.status_code == 400 and r.json()["description"]


@pytest.mark.parametrize("body", ["", "{", "[]", "null", '{"guest": "\xff"}'.encode("latin-1"), "[" * 500, '{"a":1,"a":2}',
                                  "x" * 20000])
def test_malformed_bodies(huts, body):
    r = huts.post("/bookings", data=body, headers={"Content-Type": "application/json"})
    assert r.status_code in (400, 413) and r.json()["description"]


def test_wrong_calls(huts):
    for path, status in (("/huts/none", 404), ("/bookings/none", 404), ("/", 404), ("/huts/larkfell/availability", 400),
                         ("/huts?trail=none", 400), ("/huts?minBeds=many", 400), ("/huts?limit=0", 400),
                         ("/huts/larkfell/availability?from=2027-07-01&nights=99", 400)):
        r = huts.get(path)
        assert r.status_code == status and r.json()["code"], path
    r = huts.put("/huts")
    assert r.status_code == 405 and "GET" in r.headers["Allow"]


def test_its_definition_is_the_file(huts):
    assert huts.ok("GET", "/openapi.json") == json.loads((SOURCE / "sample" / "openapi.json").read_text())
    assert huts.ok("GET", "/health") == {"status": "up", "huts": 10}
