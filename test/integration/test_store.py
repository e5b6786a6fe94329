# SPDX-License-Identifier: Apache-2.0
"""The Store's REST API (DevPortal v3): catalogue, applications, keys, subscriptions."""
import threading

import pytest

import flows
from support import wait_until

HOSTILE = ["x'; DROP TABLE am_application; --", '"><script>alert(1)</script>', "%s%n%x", "{{7*7}}", "a\\b\\'c", "ünïcödé 漢字 😀",
           "$(id) `id`", "x OR 1=1", "a%00b"]


@pytest.fixture(scope="module")
def backend(env):
    return env.backend("store")


@pytest.fixture(scope="module")
def client(all_in_one):
    return all_in_one[1]


@pytest.fixture(scope="module")
def store(client):
    return client.store("subscriber")


@pytest.fixture(scope="module")
def api(client, backend):
    return published(client, backend, tags=["food", "italian"], description="Pizza by the slice")


def published(client, backend, **fields):
    api = flows.publish(client, backend.url, **fields)
    subscriber = client.store("subscriber")
    if fields.get("visibility") != "RESTRICTED":
        wait_until(lambda: subscriber.get(f"/apis/{api['id']}").status_code == 200, 10, what="it is in the Store")
    return api


# -- catalogue -----------------------------------------------------------------------------------------------------------

def test_catalogue_is_open_to_anybody(client, api):
    anyone = client.anonymous()
    listed = anyone.ok("GET", "/apis", params={"query": api["name"]})
    assert [a["id"] for a in listed["list"]] == [api["id"]] and listed["pagination"]["total"] == 1
    one = anyone.ok("GET", f"/apis/{api['id']}")
    assert one["name"] == api["name"] and one["lifeCycleStatus"] == "PUBLISHED" and one["isSubscriptionAvailable"]
    assert one["endpointURLs"][0]["URLs"]["http"].endswith(one["context"])
    definition = anyone.ok("GET", f"/apis/{api['id']}/swagger")
    assert "/menu" in definition["paths"] and definition["servers"]
    assert "endpoint" not in str(definition).lower() or "wso2-production" not in str(definition)
    assert anyone.get("/apis/00000000-0000-0000-0000-000000000000").status_code == 404
    assert anyone.get("/applications").status_code == 401


@pytest.mark.parametrize("query,found", [
    ("name:{name}", True), ("{name}", True), ("tag:food", True), ("tags:italian", True), ("tag:foo", False), ("context:{context}", True),
    ("provider:publisher", True), ("description:slice", True), ("version:1.0.0", True), ("version:2", False), ("name:nothing*", False),
    ("tag:food name:{name}", True), ("description:{name}!%", False)])
def test_search(client, api, query, found):
    text = query.format(name=api["name"], context=api["context"])
    ids = [a["id"] for a in client.anonymous().ok("GET", "/apis", params={"query": text, "limit": 100})["list"]]
    assert (api["id"] in ids) == found, text
    ids = [a["id"] for a in client.anonymous().ok("GET", "/search", params={"query": text, "limit": 100})["list"]]
    assert (api["id"] in ids) == found, text


def test_tags_and_paging(client, api):
    tags = {t["value"].lower(): t["count"] for t in client.anonymous().ok("GET", "/tags")["list"]}
    assert tags["food"] >= 1
    page = client.anonymous().ok("GET", "/apis", params={"limit": 1, "offset": 0})
    assert page["count"] == 1 and page["pagination"]["limit"] == 1
    for bad in ({"limit": "0"}, {"limit": "x"}, {"offset": "-1"}, {"limit": "100000"}):
        assert client.anonymous().get("/apis", params=bad).status_code == 400, bad


def test_visibility(client, backend):
    private = published(client, backend, visibility="PRIVATE")
    restricted = published(client, backend, visibility="RESTRICTED", visibleRoles=["Internal/creator"])
    anyone, subscriber, creator = client.anonymous(), client.store("subscriber"), client.store("creator", "apim:subscribe")
    wait_until(lambda: creator.get(f"/apis/{restricted['id']}").status_code == 200, 10, what="the role sees it")
    for api, who, status in ((private, anyone, 404), (private, subscriber, 200), (restricted, anyone, 404),
                             (restricted, subscriber, 404)):
        assert who.get(f"/apis/{api['id']}").status_code == status
        assert who.get(f"/apis/{api['id']}/swagger").status_code == status
        listed = [a["id"] for a in who.ok("GET", "/apis", params={"query": api["name"]})["list"]]
        assert (api["id"] in listed) == (status == 200)
    app = flows.application(subscriber)
    assert subscriber.post("/subscriptions", json={"apiId": restricted["id"], "applicationId": app["applicationId"],
                                                   "throttlingPolicy": "Unlimited"}).status_code == 404


def test_only_published_and_prototyped_are_listed(client, backend):
    api = published(client, backend)
    publisher = client.publisher("publisher")
    flows.change(publisher, api, "Block")
    wait_until(lambda: client.anonymous().get(f"/apis/{api['id']}").status_code == 404, 10, what="a blocked API is hidden")
    flows.change(publisher, api, "Re-Publish")
    wait_until(lambda: client.anonymous().get(f"/apis/{api['id']}").status_code == 200, 10, what="it is back")
    flows.change(publisher, api, "Deprecate")
    wait_until(lambda: not client.anonymous().ok("GET", "/apis", params={"query": api["name"]})["list"], 10, what="not listed")
    app = flows.application(client.store("subscriber"))
    r = client.store("subscriber").post("/subscriptions", json={
        "apiId": api["id"], "applicationId": app["applicationId"], "throttlingPolicy": "Unlimited"})
    assert r.status_code == 403 and r.json()["code"] == 900908


def test_policies(client):
    names = [p["name"] for p in client.anonymous().ok("GET", "/throttling-policies/application")["list"]]
    assert {"10PerMin", "20PerMin", "50PerMin", "Unlimited"} <= set(names)
    gold = client.anonymous().ok("GET", "/throttling-policies/subscription/Gold")
    assert (gold["requestCount"], gold["timeUnit"], gold["unitTime"]) == (5000, "min", 1)
    assert client.anonymous().get("/throttling-policies/nothing").status_code == 400
    assert client.anonymous().get("/throttling-policies/application/Nothing").status_code == 404
    assert client.anonymous().ok("GET", "/settings")["IsAnonymousModeEnabled"] is True


# -- applications --------------------------------------------------------------------------------------------------------

def test_application_life(store, client):
    name = flows.unique("life")
    app = store.ok("POST", "/applications", status=201, json={
        "name": name, "throttlingPolicy": "10PerMin", "description": "line\nbreak", "tokenType": "OAUTH", "attributes": {"a": "b"}})
    assert (app["owner"], app["status"], app["tokenType"], app["attributes"]) == ("subscriber", "APPROVED", "OAUTH", {"a": "b"})
    url = f"/applications/{app['applicationId']}"
    assert store.ok("GET", url)["description"] == "line\nbreak"
    assert store.post("/applications", json={"name": name, "throttlingPolicy": "Unlimited"}).status_code == 409
    changed = store.ok("PUT", url, json={"name": name + "2", "throttlingPolicy": "Unlimited"})
    assert (changed["name"], changed["throttlingPolicy"]) == (name + "2", "Unlimited")
    assert [a["name"] for a in store.ok("GET", "/applications", params={"query": name})["list"]] == [name + "2"]
    stranger = client.store("subscriber2")
    for method in ("GET", "PUT", "DELETE"):
        assert stranger.request(method, url, json={"name": "x", "throttlingPolicy": "Unlimited"}).status_code == 404
    assert store.delete(url).status_code == 200
    assert store.get(url).status_code == 404


@pytest.mark.parametrize("body,member", [
    ({"throttlingPolicy": "Unlimited"}, "/name"), ({"name": "x"}, "/throttlingPolicy"), ({"name": "", "throttlingPolicy": "Unlimited"}, "/name"),
    ({"name": "x" * 101, "throttlingPolicy": "Unlimited"}, "/name"), ({"name": "a\x07b", "throttlingPolicy": "Unlimited"}, "/name"),
    ({"name": 7, "throttlingPolicy": "Unlimited"}, "/name"), ({"name": "x", "throttlingPolicy": "None such"}, "throttlingPolicy"),
    ({"name": "x", "throttlingPolicy": "Unlimited", "tokenType": "SAML"}, "/tokenType"),
    ({"name": "x", "throttlingPolicy": "Unlimited", "attributes": []}, "/attributes")])
def test_application_refusals(store, body, member):
    r = store.post("/applications", json=body)
    assert r.status_code == 400 and member in r.text
    assert {"code", "message", "description", "moreInfo", "error"} <= set(r.json())


@pytest.mark.parametrize("text", HOSTILE)
def test_hostile_texts_come_back_as_they_were(store, text):
    app = store.ok("POST", "/applications", status=201, json={
        "name": flows.unique("h") + text, "throttlingPolicy": "Unlimited", "description": text})
    read = store.ok("GET", f"/applications/{app['applicationId']}")
    assert read["name"] == app["name"] and read["description"] == text
    assert any(a["applicationId"] == app["applicationId"]
               for a in store.ok("GET", "/applications", params={"query": app["name"], "limit": 1000})["list"])
    assert store.get(f"/applications/{text}").status_code in (400, 404)


@pytest.mark.parametrize("body,status", [
    (b"{", 400), (b"\xff\xfe", 400), (b'{"name": "\xff"}', 400), (b"[" * 100000, 400), (b'{"a":1,"a":2}', 400), (b'"text"', 400),
    (b'{"name": "' + b"x" * 10_000_000 + b'"}', 413)])
def test_malformed_bodies(store, body, status):
    r = store.post("/applications", data=body, headers={"Content-Type": "application/json"})
    assert r.status_code == status and r.json()["code"] == status


def test_wrong_type_and_scope(client, store):
    assert store.post("/applications", data={"a": "b"}).status_code == 415
    weak = client.store("subscriber", "apim:sub_manage")
    r = weak.post("/applications", json={"name": "x", "throttlingPolicy": "Unlimited"})
    assert r.status_code == 403 and "insufficient_scope" in r.headers["WWW-Authenticate"]
    assert weak.patch("/applications").status_code == 405


def test_one_of_many_creators_wins(store):
    name, answers = flows.unique("race"), []
    threads = [threading.Thread(target=lambda: answers.append(
        store.post("/applications", json={"name": name, "throttlingPolicy": "Unlimited"}).status_code)) for _ in range(8)]
    for t in threads:
        t.start()
    for t in threads:
        t.join()
    assert sorted(answers) == [201] + [409] * 7


# -- keys ------------------------------------------------------------------------------------------------------------------

def test_keys(client, store):
    app = flows.application(store)
    url = f"/applications/{app['applicationId']}"
    made = flows.keys(store, app)
    assert made["keyType"] == "PRODUCTION" and made["consumerSecret"] and made["token"]["accessToken"]
    assert store.post(url + "/generate-keys", json={"keyType": "PRODUCTION"}).status_code == 409
    assert store.post(url + "/generate-keys", json={"keyType": "OTHER"}).status_code == 400
    sandbox = flows.keys(store, app, "SANDBOX")
    listed = store.ok("GET", url + "/oauth-keys")
    assert {k["keyType"] for k in listed["list"]} == {"PRODUCTION", "SANDBOX"}
    assert all(k["consumerSecret"] == "" for k in listed["list"]), "a secret is shown once"
    one = f"{url}/oauth-keys/{made['keyMappingId']}"
    changed = store.ok("PUT", one, json={"supportedGrantTypes": ["client_credentials"], "callbackUrl": "https://example.org/a",
                                         "additionalProperties": {"application_access_token_expiry_time": "60"}})
    assert changed["supportedGrantTypes"] == ["client_credentials"] and changed["callbackUrl"] == "https://example.org/a"
    assert flows.token_response(client, made).json()["expires_in"] == 60
    new = store.ok("POST", one + "/regenerate-secret")
    assert flows.token_response(client, made).status_code == 401
    assert flows.token_response(client, new).status_code == 200
    token = store.ok("POST", one + "/generate-token", json={"consumerSecret": new["consumerSecret"], "validityPeriod": 100})
    assert token["accessToken"] and token["validityTime"] == 100
    assert store.ok("GET", url + "/keys/SANDBOX")["consumerKey"] == sandbox["consumerKey"]
    assert store.delete(one).status_code == 200
    assert flows.token_response(client, new).status_code == 401
    stranger = client.store("subscriber2")
    assert stranger.get(url + "/oauth-keys").status_code == 404
    assert store.delete(url).status_code == 200
    assert flows.token_response(client, sandbox).status_code == 401


def test_api_keys(store):
    app = flows.application(store)
    url = f"/applications/{app['applicationId']}/api-keys/PRODUCTION"
    key = store.ok("POST", url + "/generate", json={"validityPeriod": -1, "additionalProperties": {
        "permittedIP": "10.0.0.0/8", "permittedReferer": ""}})["apikey"]
    assert key.count(".") == 2
    assert store.post(url + "/revoke", json={"apikey": key}).status_code == 200
    assert store.post(url + "/revoke", json={"apikey": "nonsense"}).status_code in (400, 404)
    assert store.post(url.replace("PRODUCTION", "X") + "/generate", json={}).status_code == 400
    assert store.post(url + "/generate", json={"validityPeriod": "soon"}).status_code == 400


# -- subscriptions ------------------------------------------------------------------------------------------------------

def test_subscription_life(client, store, backend):
    api = published(client, backend, policies=["Gold", "Bronze"])
    app = flows.application(store)
    made = flows.subscribe(store, api, app, "Gold")
    assert (made["status"], made["throttlingPolicy"], made["apiInfo"]["name"]) == ("UNBLOCKED", "Gold", api["name"])
    again = {"apiId": api["id"], "applicationId": app["applicationId"], "throttlingPolicy": "Gold"}
    assert store.post("/subscriptions", json=again).status_code == 409
    assert store.post("/subscriptions", json={**again, "throttlingPolicy": "Unlimited"}).status_code == 400
    url = f"/subscriptions/{made['subscriptionId']}"
    changed = store.ok("PUT", url, json={**again, "throttlingPolicy": "Bronze"})
    assert changed["throttlingPolicy"] == "Bronze"
    assert store.put(url, json={**again, "throttlingPolicy": "Silver"}).status_code == 400
    for params in ({"apiId": api["id"]}, {"applicationId": app["applicationId"]}):
        assert [s["subscriptionId"] for s in store.ok("GET", "/subscriptions", params=params)["list"]] == [made["subscriptionId"]]
    stranger = client.store("subscriber2")
    assert stranger.get(url).status_code == 404 and stranger.delete(url).status_code == 404
    assert stranger.post("/subscriptions", json=again).status_code == 404
    assert store.ok("GET", f"/applications/{app['applicationId']}")["subscriptionCount"] == 1
    assert store.delete(url).status_code == 200 and store.get(url).status_code == 404


def test_blocked_subscription_cannot_be_made_anew(client, store, backend):
    api = published(client, backend)
    app = flows.application(store)
    made = flows.subscribe(store, api, app)
    publisher = client.publisher("publisher")
    publisher.ok("POST", "/subscriptions/block-subscription", params={"subscriptionId": made["subscriptionId"],
                                                                      "blockState": "BLOCKED"})
    r = store.delete(f"/subscriptions/{made['subscriptionId']}")
    assert r.status_code == 403 and r.json()["code"] == 900907


def test_many_subscriptions_at_once(client, store, backend, api):
    other, app = published(client, backend), flows.application(store)
    made = store.ok("POST", "/subscriptions/multiple", json=[
        {"apiId": a, "applicationId": app["applicationId"], "throttlingPolicy": "Unlimited"}
        for a in (api["id"], other["id"], "no-such-api")])
    assert [m["status"] for m in made] == ["UNBLOCKED", "UNBLOCKED", "REJECTED"]


def test_changes_reach_the_invalidations(env, store, api):
    app = flows.application(store)
    before = int(env.db.query("SELECT revision FROM am_feed_head")[0][0])
    made = flows.subscribe(store, api, app)
    store.delete(f"/subscriptions/{made['subscriptionId']}")
    rows = env.db.query("SELECT kind, subject FROM am_invalidation WHERE revision > ? ORDER BY revision", [before])
    assert [tuple(r) for r in rows if r[1] == app["applicationId"]] == [("application", app["applicationId"])] * 2


# -- shared applications -----------------------------------------------------------------------------------------------

@pytest.fixture
def team(client, env):
    """A role that subscriber and subscriber2 have."""
    admin = client.admin("admin")
    admin.post("/roles", json={"name": "team-a"})
    for user in ("subscriber", "subscriber2"):
        env.db.query("INSERT INTO um_user_role (user_id, role) SELECT id, 'team-a' FROM um_user WHERE username = ?", [user], name="user_manager")
    yield "team-a"
    env.db.query("DELETE FROM um_user_role WHERE role = 'team-a'", name="user_manager")


def test_an_application_is_shared_with_a_role(client, store, api, team):
    mate = client.store("subscriber2")
    assert store.ok("GET", "/me/groups")["list"] == [team]
    app = store.ok("POST", "/applications", json={"name": flows.unique("shared"), "throttlingPolicy": "Unlimited", "groups": [team]})
    path = f"/applications/{app['applicationId']}"
    assert mate.ok("GET", path)["owner"] == "subscriber"
    assert app["applicationId"] in [a["applicationId"] for a in mate.ok("GET", "/applications", params={"limit": 1000})["list"]]
    sub = flows.subscribe(mate, api, app)
    pair = flows.keys(mate, app)
    flows.settle(client, flows.token(client, pair), api)
    assert store.ok("GET", f"/subscriptions/{sub['subscriptionId']}")["applicationId"] == app["applicationId"]
    assert [s["subscriptionId"] for s in mate.ok("GET", "/subscriptions", params={"applicationId": app["applicationId"]})["list"]] == [sub["subscriptionId"]]
    mate.ok("PUT", path, json={"name": app["name"], "throttlingPolicy": "Unlimited", "description": "by a mate", "groups": [team]})
    # What is the owner's alone.
    assert mate.delete(path).status_code == 403
    assert "owner" in mate.put(path, json={"name": app["name"], "throttlingPolicy": "Unlimited", "groups": []}).text
    mate.ok("DELETE", f"/subscriptions/{sub['subscriptionId']}")
    store.ok("PUT", path, json={"name": app["name"], "throttlingPolicy": "Unlimited", "groups": []})
    assert mate.get(path).status_code == 404 and store.ok("GET", path)["description"] == "by a mate"
    assert mate.get(f"{path}/oauth-keys").status_code == 404


def test_whom_an_application_cannot_be_shared_with(client, store, team):
    for groups in (["Internal/everyone"], ["Internal/subscriber"], ["admin"], ["nobody-has-it"], [team, "x|y"], "team-a", [1]):
        refused = store.post("/applications", json={"name": flows.unique("shared"), "throttlingPolicy": "Unlimited", "groups": groups})
        assert refused.status_code == 400 and "/groups" in refused.text, groups


def test_who_left_the_team_is_out(client, store, env, team):
    mate = client.store("subscriber2")
    app = store.ok("POST", "/applications", json={"name": flows.unique("shared"), "throttlingPolicy": "Unlimited", "groups": [team]})
    assert mate.get(f"/applications/{app['applicationId']}").status_code == 200
    env.db.query("DELETE FROM um_user_role WHERE role = 'team-a' AND user_id IN (SELECT id FROM um_user WHERE username = 'subscriber2')", name="user_manager")
    assert mate.get(f"/applications/{app['applicationId']}").status_code == 404
    assert store.get(f"/applications/{app['applicationId']}").status_code == 200
