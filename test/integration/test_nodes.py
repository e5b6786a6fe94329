# SPDX-License-Identifier: Apache-2.0
"""Several gateways in two environments and two portals: who has confirmed what, and any portal serves anybody."""
import concurrent.futures
import json
import time
from types import SimpleNamespace

import pytest

from client import Client
from flows import change, endpoints, import_api
from support import wait_until


@pytest.fixture(scope="module")
def cluster(env):
    keymgr = env.node(["keymgr"], "nodes-km")
    gateways = {name: env.node(["gateway"], name, keymgr=keymgr.url, extra="\n".join(
        [f"ApimNodeName {name}", f"ApimEnvironment {environment}"]))
        for name, environment in (("gw1", "Default"), ("gw2", "Default"), ("inner", "Internal"))}
    portals = [env.node(["portal"], f"nodes-portal{i}", keymgr=keymgr.url, public_gateway=gateways["gw1"].gateway_url,
                        public_keymgr=keymgr.url, extra=f"ApimNodeName portal{i}") for i in (1, 2)]
    clients = [Client(keymgr.url, p.url, gateways["gw1"].gateway_url) for p in portals]
    clients[0].admin("admin").ok("POST", "/environments", status=201, json={
        "name": "Internal", "displayName": "Internal", "vhosts": [{"host": "127.0.0.1"}]})
    listed = clients[0].admin("admin")
    wait_until(lambda: {"gw1", "gw2", "inner"} <= {n["name"] for n in listed.ok("GET", "/nodes")["list"]}, 15,
               what="all gateways report themselves")
    return SimpleNamespace(gateways=gateways, portals=portals, clients=clients, backend=env.backend("nodes"))


def answered(node, api, path="/menu"):
    return node_status(node, f"{api['context']}/{api['version']}{path}")


def node_status(node, path):
    return Client(node.url, node.url, node.gateway_url).gateway().get(path).status_code


def environment(answer, name="Default"):
    return next(e for e in answer["gateways"]["environments"] if e["name"] == name)


def report(env, name, *, seen=None, revision=None, detail="{}", environment="Default"):
    """A node that exists in the database only."""
    epoch, head = env.db.query("SELECT epoch, revision FROM reg_feed_head", name="registry")[0]
    env.db.query("DELETE FROM reg_node WHERE name = ?", [name], name="registry")
    env.db.query("INSERT INTO reg_node (name, role, environment, version, epoch, revision, started_at, seen_at, detail) "
                 "VALUES (?, 'gateway', ?, '1', ?, ?, 0, ?, ?)",
                 [name, environment, epoch, int(head) if revision is None else revision,
                  int(time.time() * 1000) if seen is None else seen, detail], name="registry")


@pytest.fixture
def ghosts(env):
    yield
    env.db.query("DELETE FROM reg_node WHERE name LIKE 'ghost%'", name="registry")


# -- confirmations ----------------------------------------------------------------------------------------------------------

def test_a_publication_names_the_gateways_that_have_it(cluster):
    publisher = cluster.clients[0].publisher()
    api = import_api(publisher, cluster.backend.url)
    answer = change(publisher, api, "Publish")
    assert answer["gateways"]["published"] is True
    assert environment(answer)["confirmed"] == ["gw1", "gw2"] and environment(answer)["pending"] == []
    for name in ("gw1", "gw2"):  # what is confirmed is served at once
        assert answered(cluster.gateways[name], api) == 401
    assert answered(cluster.gateways["inner"], api) == 404
    answer = change(publisher, api, "Block")
    assert environment(answer)["confirmed"] == ["gw1", "gw2"]
    assert {answered(cluster.gateways[name], api) for name in ("gw1", "gw2")} == {503}


def test_an_environment_gets_what_is_deployed_to_it(cluster):
    publisher = cluster.clients[0].publisher()
    api = import_api(publisher, cluster.backend.url)
    change(publisher, api, "Publish")
    revision = publisher.ok("GET", f"/apis/{api['id']}/revisions")["list"][0]["id"]
    deployments = publisher.ok("POST", f"/apis/{api['id']}/deploy-revision", status=201, params={"revisionId": revision},
                               json=[{"name": "Internal", "vhost": "127.0.0.1", "displayOnDevportal": True}])
    inner = next(d for d in deployments if d["name"] == "Internal")
    assert inner["nodes"] == [{"name": "inner", "state": "CONFIRMED"}]
    assert (inner["liveGatewayCount"], inner["deployedGatewayCount"], inner["failedGatewayCount"]) == (1, 1, 0)
    assert answered(cluster.gateways["inner"], api) == 401
    publisher.ok("POST", f"/apis/{api['id']}/undeploy-revision", status=201, params={"revisionId": revision},
                 json=[{"name": "Internal", "vhost": "127.0.0.1"}])
    assert answered(cluster.gateways["inner"], api) == 404
    assert answered(cluster.gateways["gw1"], api) == 401
    listed = publisher.ok("GET", f"/apis/{api['id']}/deployments")
    assert [d["name"] for d in listed] == ["Default"]
    assert {n["state"] for n in listed[0]["nodes"]} == {"CONFIRMED"}


def test_a_gateway_that_is_behind_is_named_and_not_waited_for_longer_than_configured(env, cluster, ghosts):
    publisher = cluster.clients[0].publisher()
    api = import_api(publisher, cluster.backend.url)
    report(env, "ghost-behind", revision=0)
    report(env, "ghost-away", seen=int(time.time() * 1000) - 60000)
    report(env, "ghost-failed", revision=1 << 40, detail=json.dumps(
        {"failures": [{"kind": "api", "key": api["id"], "reason": "no such CA"}]}))
    begun = time.monotonic()
    answer = environment(change(publisher, api, "Publish"))
    assert time.monotonic() - begun < 8
    assert answer["confirmed"] == ["gw1", "gw2"] and answer["pending"] == ["ghost-behind"]
    assert answer["away"] == ["ghost-away"] and answer["failed"] == [{"name": "ghost-failed", "reason": "no such CA"}]
    deployment = publisher.ok("GET", f"/apis/{api['id']}/deployments")[0]
    assert {(n["name"], n["state"]) for n in deployment["nodes"]} == {
        ("gw1", "CONFIRMED"), ("gw2", "CONFIRMED"), ("ghost-behind", "PENDING"), ("ghost-away", "AWAY"), ("ghost-failed", "FAILED")}
    assert deployment["liveGatewayCount"] == 4 and deployment["failedGatewayCount"] == 1


def test_retired_means_gone_from_every_gateway(cluster):
    publisher = cluster.clients[1].publisher()
    api = import_api(publisher, cluster.backend.url)
    for action in ("Publish", "Deprecate"):
        change(publisher, api, action)
    answer = environment(change(publisher, api, "Retire"))
    assert answer["deployed"] is False and answer["confirmed"] == ["gw1", "gw2"]
    assert {answered(cluster.gateways[name], api) for name in ("gw1", "gw2")} == {404}


def test_a_changed_url_of_an_environment_reaches_the_store(cluster):
    publisher, store, admin = cluster.clients[0].publisher(), cluster.clients[1].store(), cluster.clients[0].admin("admin")
    api = import_api(publisher, cluster.backend.url)
    change(publisher, api, "Publish")
    environment_before = next(e for e in admin.ok("GET", "/environments")["list"] if e["name"] == "Default")

    def shown():
        return json.dumps(store.ok("GET", f"/apis/{api['id']}")["endpointURLs"])
    wait_until(lambda: store.get(f"/apis/{api['id']}").status_code == 200, 10, what="the API is in the Store")
    admin.ok("PUT", "/environments/Default", json={"displayName": "Default", "gatewayUrl": "https://moved.example.org"})
    wait_until(lambda: "https://moved.example.org" in shown(), 15, what="the Store shows the new URL")
    admin.ok("PUT", "/environments/Default", json=environment_before)
    wait_until(lambda: "moved.example.org" not in shown(), 15, what="the Store shows the former URL")


# -- two portals ------------------------------------------------------------------------------------------------------------

def test_of_two_portals_publishing_at_once_one_wins(cluster):
    publishers = [c.publisher() for c in cluster.clients]
    for _ in range(5):
        api = import_api(publishers[0], cluster.backend.url)
        etag = publishers[0].get(f"/apis/{api['id']}").headers["ETag"]

        def publish(publisher):
            return publisher.post("/apis/change-lifecycle", params={"apiId": api["id"], "action": "Publish"},  # noqa: B023
                                  headers={"If-Match": etag})  # noqa: B023
        with concurrent.futures.ThreadPoolExecutor(2) as pool:
            statuses = sorted(r.status_code for r in pool.map(publish, publishers))
        assert statuses in ([200, 409], [200, 412]), statuses
        for name in ("gw1", "gw2"):
            wait_until(lambda: answered(cluster.gateways[name], api) == 401, 10, what=f"{name} serves it")  # noqa: B023
        assert len(publishers[1].ok("GET", f"/apis/{api['id']}/revisions")["list"]) == 1


def test_two_portals_changing_one_api_end_with_one_truth(cluster):
    """The endpoint that won is the one that every gateway calls."""
    publishers = [c.publisher() for c in cluster.clients]
    api = import_api(publishers[0], cluster.backend.url, doc={
        "openapi": "3.0.3", "info": {"title": "race", "version": "1.0.0"},
        "paths": {"/open": {"get": {"x-auth-type": "None", "responses": {"200": {"description": "OK"}}}}}})
    change(publishers[0], api, "Publish")
    for turn in range(4):
        shown = publishers[0].get(f"/apis/{api['id']}")

        def put(number):
            body = {**shown.json(), "endpointConfig": endpoints(f"{cluster.backend.url}/from{number}")}  # noqa: B023
            r = publishers[number].put(f"/apis/{api['id']}", json=body, headers={"If-Match": shown.headers["ETag"]})  # noqa: B023
            return r.status_code
        with concurrent.futures.ThreadPoolExecutor(2) as pool:
            statuses = list(pool.map(put, (0, 1)))
        assert sorted(statuses) in ([200, 409], [200, 412]), statuses
        winner = statuses.index(200)
        publisher = publishers[turn % 2]
        revision = publisher.ok("POST", f"/apis/{api['id']}/revisions", status=201, json={"description": "race"})["id"]
        deployed = publisher.ok("POST", f"/apis/{api['id']}/deploy-revision", status=201, params={"revisionId": revision},
                                json=[{"name": "Default", "vhost": "localhost", "displayOnDevportal": True}])
        assert {n["state"] for n in deployed[0]["nodes"]} == {"CONFIRMED"}, deployed
        for name in ("gw1", "gw2"):
            assert answered(cluster.gateways[name], api, "/open") == 200
            assert cluster.backend.last.path.startswith(f"/from{winner}/"), cluster.backend.last.path
        for old in publisher.ok("GET", f"/apis/{api['id']}/revisions")["list"]:
            if not old["deploymentInfo"]:
                publisher.delete(f"/apis/{api['id']}/revisions/{old['id']}")


def test_any_portal_serves_any_user(cluster):
    first, second = cluster.clients
    api = import_api(first.publisher(), cluster.backend.url)
    change(second.publisher(), api, "Publish")
    store = first.store()
    # The token that one portal's client got works at the other portal, which sees the same things.
    other = second.store()
    other.headers["Authorization"] = store.headers["Authorization"]
    app = store.ok("POST", "/applications", status=201, json={"name": "moving", "throttlingPolicy": "Unlimited"})
    assert other.ok("GET", f"/applications/{app['applicationId']}")["name"] == "moving"
    cluster.portals[0].stop()
    try:
        assert other.ok("GET", f"/apis/{api['id']}")["name"] == api["name"]
        other.ok("POST", "/subscriptions", status=201, json={
            "apiId": api["id"], "applicationId": app["applicationId"], "throttlingPolicy": "Unlimited"})
    finally:
        cluster.portals[0].start()


# -- who is there -----------------------------------------------------------------------------------------------------------

def test_administrators_see_the_nodes(env, cluster, ghosts):
    report(env, "ghost-away", seen=int(time.time() * 1000) - 60000)
    answer = cluster.clients[1].admin("admin").ok("GET", "/nodes")
    nodes = {(n["name"], n["role"]): n for n in answer["list"]}
    assert answer["count"] == len(nodes) and answer["epoch"] and answer["revision"] > 0
    assert nodes["gw1", "gateway"]["environment"] == "Default" and nodes["inner", "gateway"]["environment"] == "Internal"
    assert nodes["gw1", "gateway"]["state"] == "UP" and nodes["ghost-away", "gateway"]["state"] == "AWAY"
    assert nodes["portal1", "portal"]["version"] and ("portal2", "portal") in nodes
    assert cluster.clients[1].admin("admin").request("GET", "/nodes", headers={"Authorization": ""}).status_code == 401


def test_apimctl_lists_the_nodes(env, cluster, ghosts):
    report(env, "ghost-away", seen=int(time.time() * 1000) - 60000)
    report(env, "ghost-behind", revision=0)
    table = env.db.apimctl("nodes").stdout
    assert "ghost-away" in table and "revision of the registry" in table
    states = {n["name"]: n["state"] for n in json.loads(env.db.apimctl("nodes", "--json").stdout)["list"]}
    assert states["ghost-away"] == "AWAY" and states["ghost-behind"] == "BEHIND"
    assert states["portal1"] == "UP" and states["gw1"] in ("UP", "BEHIND")
