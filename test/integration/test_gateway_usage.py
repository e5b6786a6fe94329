# SPDX-License-Identifier: Apache-2.0
"""Usage: every call is counted once, whatever happens to children, nodes and databases, and can be read by REST."""
import collections
import concurrent.futures
import os
import signal
import time

import pytest

import flows
from calls import facts
from client import Rest
from support import PATIENCE, wait_until

QUICK = "ApimUsageInterval 200ms"
FEED_AWAY = "APIM-GW0203"  # of the gateway outside, while its Key Manager is stopped


@pytest.fixture(scope="module")
def system(env):
    """An all-in-one, and a gateway without a database that a Key Manager writes usage for."""
    node, client = env.all_in_one(extra=QUICK)
    outside = env.node(["gateway"], "outside", db=None, keymgr=node.url, extra=f"ApimFeed {node.url}\nApimNodeName outside\n{QUICK}")
    return node, client, outside


class Scene:
    """An API that nobody else calls."""

    def __init__(self, env, system):
        self.node, self.client, self.outside = system
        self.db = env.db
        self.backend = env.backend(flows.unique("usage"))
        self.api = flows.publish(self.client, self.backend.url)
        self.subscribed = flows.Subscribed(self.client, self.api)
        self.url = flows.settle(self.client, self.subscribed.token, self.api)
        self.counted()
        self.forget()

    def forget(self):
        self.base = self.total()

    def rows(self, columns, period="day", more=""):
        return self.db.query(f"SELECT {columns} FROM am_usage WHERE api_id = ? AND period = ? {more}", [self.api["id"], period])

    def total(self, period="day"):
        return int(self.rows("COALESCE(SUM(calls), 0)", period)[0][0])

    def counted(self, *nodes):
        """Waits until nothing is on the way."""
        def done():
            return all(facts(n)["UsageWaiting"] == 0 and not spool(n) for n in nodes or (self.node,))
        wait_until(done, 20, what="usage is in the database")

    def call(self, n=1, path="/menu", node=None, **more):
        session = Rest((node or self.node).gateway_url, self.subscribed.token)
        return [session.get(flows.url_of(self.api, path), **more).status_code for _ in range(n)]

    def read(self, **query):
        return self.client.publisher().ok("GET", "/usage", params={"apiId": self.api["id"], **query})


def spool(node):
    folder = next(node.root.rglob("usage"), None)
    return [p for p in folder.iterdir() if p.suffix == ".json"] if folder else []


@pytest.fixture
def scene(env, system):
    return Scene(env, system)


KINDS = "verb, resource, application_id, key_type, CAST(code AS TEXT)"


def kinds(scene):
    """Calls, bytes and times by kind of call."""
    return {tuple(row[:5]): [int(x) for x in row[5:]] for row in scene.rows(
        f"{KINDS}, SUM(calls), SUM(bytes_in), SUM(bytes_out), SUM(total_us), SUM(backend_us)", more=f"GROUP BY {KINDS}")}


def test_what_is_counted(scene):
    before = kinds(scene)
    assert scene.call(3) == [200] * 3 and scene.call(2, "/menu/5") == [200] * 2
    session = Rest(scene.node.gateway_url, scene.subscribed.token)
    assert session.post(flows.url_of(scene.api), data=b"x" * 1000).status_code == 200
    assert Rest(scene.node.gateway_url).get(flows.url_of(scene.api)).status_code == 401
    assert session.get(flows.url_of(scene.api, "/nowhere")).status_code == 404
    scene.counted()
    app = scene.subscribed.app["applicationId"]
    new = {kind: [a - b for a, b in zip(sums, before.get(kind, [0] * 5))] for kind, sums in kinds(scene).items()}
    assert {kind: sums[0] for kind, sums in new.items() if sums[0]} == {
        ("GET", "/menu", app, "PRODUCTION", "0"): 3, ("GET", "/menu/{id}", app, "PRODUCTION", "0"): 2,
        ("POST", "/menu", app, "PRODUCTION", "0"): 1, ("GET", "/menu", "", "", "900902"): 1, ("GET", "", "", "", "900906"): 1}
    calls, bytes_in, bytes_out, total, backend = new["POST", "/menu", app, "PRODUCTION", "0"]
    assert bytes_in == 1000 and bytes_out > 0 and total >= backend > 0
    for period in ("minute", "hour", "day"):
        assert scene.total(period) == scene.base + 8
    node, name, version, tier, user = scene.rows("node, api_name, api_version, tier, username", more="AND code = 0")[0]
    assert (name, version, tier, user) == (scene.api["name"], "1.0.0", "Unlimited", "") and node


def test_read_by_rest(scene):
    scene.call(5)
    Rest(scene.node.gateway_url).get(flows.url_of(scene.api))
    scene.counted()
    read = scene.read()
    total = read["total"]
    assert read["period"] == "hour" and total["calls"] == scene.base + 6 and total["refused"] >= 1 and total["failed"] == 0
    assert 0 < total["p50Ms"] <= total["p95Ms"] <= total["p99Ms"] <= total["maxMs"] and 0 < total["averageMs"] <= total["maxMs"]
    assert sum(item["calls"] for item in read["list"]) == total["calls"] and read["list"][0]["key"].endswith(":00:00.000Z")
    for by, key in (("api", scene.api["id"]), ("resource", "GET /menu"), ("application", scene.subscribed.app["applicationId"]),
                    ("tier", "Unlimited"), ("status", "2"), ("code", "0"), ("user", ""), ("time", None), ("node", None)):
        for period in ("minute", "hour", "day"):
            listed = scene.read(by=by, period=period)["list"]
            assert sum(item["calls"] for item in listed) == total["calls"], by
            assert key is None or key in [item["key"] for item in listed], by
    names = {item["key"]: item["name"] for item in scene.read(by="application")["list"]}
    assert names[scene.subscribed.app["applicationId"]] == scene.subscribed.app["name"]
    mine = scene.subscribed.store.ok("GET", f"/applications/{scene.subscribed.app['applicationId']}/usage", params={"by": "api"})
    assert mine["list"][0]["key"] == scene.api["id"] and mine["list"][0]["name"] == f"{scene.api['name']} 1.0.0"
    assert mine["total"]["calls"] == next(i["calls"] for i in scene.read(by="application")["list"] if i["name"] == scene.subscribed.app["name"])
    yesterday = scene.read(**{"from": "2026-01-01", "to": "2026-01-02T12:00:00Z"})
    assert yesterday["total"]["calls"] == 0 and yesterday["total"]["p99Ms"] == 0 and yesterday["list"] == []
    publisher = scene.client.publisher()
    for wrong in ({"by": "colour"}, {"period": "week"}, {"from": "yesterday"}, {"from": "2026-13-01"}, {"to": "2026-01-01T00:00:00+02:00"},
                  {"from": "2026-01-02", "to": "2026-01-01"}):
        assert publisher.get("/usage", params=wrong).status_code == 400, wrong


def test_a_gateway_without_a_database_has_its_calls_counted(scene):
    wait_until(lambda: scene.call(1, node=scene.outside) == [200], 10, what="the outside gateway serves it")
    scene.counted(scene.outside)
    before = scene.total()
    scene.call(20, node=scene.outside)
    scene.counted(scene.outside)
    assert scene.total() == before + 20
    assert "outside" in [row[0] for row in scene.rows("node")]


def test_concurrent_calls_add_up(scene):
    with concurrent.futures.ThreadPoolExecutor(16) as pool:
        codes = collections.Counter(c for codes in pool.map(lambda _: scene.call(50), range(16)) for c in codes)
    scene.counted()
    assert codes == {200: 800} and scene.total() == scene.base + 800
    assert facts(scene.node)["UsageLost"] == 0


def test_a_restart_and_a_stop_lose_none(env, scene):
    env.expect_log(FEED_AWAY)
    for how in ("graceful", "restart"):
        scene.forget()
        scene.call(30)
        if how == "graceful":
            scene.node.graceful()
        else:
            scene.node.restart()
        assert scene.call(5) == [200] * 5
        scene.counted()
        assert scene.total() == scene.base + 35, how


def test_killed_children_lose_none(env, scene):
    """Whichever child adds the records up: they stay in shared memory until their sums are on disk."""
    env.expect_log(FEED_AWAY, "AH00051", "AH00052")
    for _ in range(3):
        scene.call(20)
        for pid in scene.node.children():
            os.kill(pid, signal.SIGKILL)
        wait_until(lambda: scene.call(1) == [200], 10, what="new children serve")
    scene.counted()
    # A call that is repeated until it is answered may be counted or not: at least what was answered, and no more than was tried.
    assert scene.base + 63 <= scene.total() <= scene.base + 63 + 40


@pytest.mark.databases("postgresql")
def test_while_the_database_is_away_usage_waits_on_disk(env, scene):
    env.expect_log("APIM-GW0203", "APIM-GW0401", "APIM-GW0206", "APIM-DB", "APIM-RE0001", "AH0", "APIM-PO0", "APIM-KM0")
    scene.call(1)
    env.db.stop()
    try:
        assert scene.call(10) == [200] * 10
        wait_until(lambda: spool(scene.node), 10, what="usage is on disk")
        wait_until(lambda: facts(scene.node)["UsageBehind"] >= 1, 10 * PATIENCE, what="mod_status says so")
    finally:
        env.db.start()
    scene.counted()
    assert scene.total() == scene.base + 11
    assert facts(scene.node)["UsageBehind"] == 0


@pytest.mark.databases("sqlite")
def test_a_batch_that_comes_twice_counts_once(env, system):
    node = system[0]
    row = {"minute": 1790000040000, "apiId": "twice", "apiName": "n", "apiVersion": "1", "resource": "/", "verb": "GET", "applicationId": "",
           "username": "", "tier": "", "keyType": "", "statusClass": 2, "code": 0, "sums": [5, 10, 5, 4, 0, 7],
           "times": [5] + [0] * 11}
    ask = Rest(node.url + "/internal/keymgr/v1")
    ask.headers["X-Apim-Cluster-Secret"] = env.secret
    for _ in range(2):
        assert ask.post("/usage-add", json={"id": "n/1/0", "node": "n", "rows": [row]}).status_code == 200
    assert ask.post("/usage-add", json={"id": "n/2/0", "node": "n", "rows": [row, row]}).status_code == 200
    got = env.db.query("SELECT calls, max_us, bytes_out, b0 FROM am_usage WHERE api_id = 'twice' AND period = 'hour'")
    assert [tuple(int(x) for x in r) for r in got] == [(15, 4, 21, 15)]
    for wrong in ({}, {"id": "x", "node": "n", "rows": []}, {"id": "x", "node": "n", "rows": [row] * 51}, {"id": "x", "node": "n", "rows": [{}]},
                  {"id": "x", "node": "n", "rows": [row, {**row, "minute": 5}]}, {"id": "x", "node": "n", "rows": [{**row, "sums": [1]}]},
                  {"id": "x", "node": "n", "rows": [{**row, "times": [-1] * 12}]}, {"id": "", "node": "n", "rows": [row]}):
        assert ask.post("/usage-add", json=wrong).status_code == 400, wrong
    assert env.db.query("SELECT COUNT(*) FROM am_usage_batch WHERE id = 'x'")[0][0] in (0, "0"), "all or nothing"


@pytest.mark.databases("sqlite")
def test_a_small_buffer_loses_nothing_under_load(env):
    """The smallest ring: it is emptied before it is full."""
    node, client = env.all_in_one(name="small", extra=f"{QUICK}\nApimUsageBuffer 1M")
    scene = Scene(env, (node, client, None))
    with concurrent.futures.ThreadPoolExecutor(8) as pool:
        list(pool.map(lambda _: scene.call(150), range(8)))
    scene.counted()
    assert scene.total() == scene.base + 1200 and facts(node)["UsageLost"] == 0


@pytest.mark.databases("sqlite")
def test_switched_off(env, system):
    node, client = env.all_in_one(name="uncounted", extra="ApimUsage Off")
    api = flows.publish(client, env.backend("uncounted").url)
    flows.settle(client, flows.Subscribed(client, api).token, api)
    time.sleep(0.5)
    assert not spool(node) and facts(node)["UsageRoom"] == 0
    assert env.db.query("SELECT COUNT(*) FROM am_usage WHERE node = 'uncounted'")[0][0] in (0, "0")


@pytest.mark.databases("sqlite")
def test_old_rows_are_removed(env):
    """Minutes go first, days last."""
    node, _ = env.all_in_one(name="cleaning", extra="ApimCleanInterval 1s\nApimUsageRetention 1h 2h 3h")
    now = int(time.time() * 1000)
    for period, age in (("minute", 1.5), ("minute", 0.5), ("hour", 2.5), ("hour", 1.5), ("day", 3.5), ("day", 2.5)):
        env.db.query("INSERT INTO am_usage SELECT ?, ?, 'old', 'n', 'old', '', '', '', '', '', '', '', '', 2, 0" + ", 1" * 18,
                     [period, now - int(age * 3600000)])
    wait_until(lambda: int(env.db.query("SELECT COUNT(*) FROM am_usage WHERE series = 'old'")[0][0]) == 3, 15, what="old rows are removed")
    left = sorted(r[0] for r in env.db.query("SELECT period FROM am_usage WHERE series = 'old'"))
    assert left == ["day", "hour", "minute"] and node.running
