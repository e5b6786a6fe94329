# SPDX-License-Identifier: Apache-2.0
"""Who may call what: every operation of the portal's REST APIs with every role, with single scopes, with bad credentials, and on
things that belong to somebody else."""
import re
import uuid

import pytest
import requests

import flows
from client import ADMIN_SCOPES, PUBLISHER_SCOPES, STORE_SCOPES, Rest
from database import USERS
from operations import ADMIN, OPERATIONS, PUBLISHER, SIGNUP, STORE, routes_in_source
from support import wait_until

ALL_SCOPES = " ".join(sorted({*PUBLISHER_SCOPES.split(), *STORE_SCOPES.split(), *ADMIN_SCOPES.split()}))
ROLES = {"S": "subscriber", "C": "creator", "P": "onlypublisher", "A": "admin"}
ERROR = {"code", "message", "description", "moreInfo", "error"}


@pytest.fixture(scope="module")
def client(env):
    env.db.apimctl("user", "add", "onlypublisher", "--roles", "Internal/publisher", which="user_manager", stdin="publisher-pw-2\n")
    USERS["onlypublisher"] = ("publisher-pw-2", "Internal/publisher")
    # Only now the httpd: while SQLite, as root, makes the files beside a database, nobody else must open it.
    yield env.all_in_one()[1]
    del USERS["onlypublisher"]


@pytest.fixture(scope="module")
def backend(env):
    return env.backend("privileges")


def filled(path):
    """The path with an id for each of its places that names nothing."""
    return re.sub(r"\{\w+\}", lambda m: str(uuid.uuid4()), path)


def call(rest, base, method, path, **more):
    more.setdefault("json", {} if method in ("POST", "PUT", "PATCH") else None)
    return rest.request(method, f"{base}{filled(path)}", **more)


def in_error_format(r):
    return r.headers["Content-Type"].startswith("application/json") and set(r.json()) == ERROR


def test_every_route_is_in_the_table():
    assert {r[:3] for r in routes_in_source()} == {o[:3] for o in OPERATIONS}


@pytest.mark.parametrize("base", [PUBLISHER, STORE, ADMIN, SIGNUP])
def test_without_a_token(client, base):
    anyone = Rest(client.portal_url)
    for _, method, path, who in [o for o in OPERATIONS if o[0] == base]:
        r = call(anyone, base, method, path)
        if who == "*":
            assert r.status_code not in (401, 403) and r.status_code < 500, (method, path, r.text)
        else:
            assert r.status_code == 401 and in_error_format(r) and r.json()["code"] == 900401, (method, path, r.text)
            assert r.headers["WWW-Authenticate"].startswith("Bearer realm=") and "error=" not in r.headers["WWW-Authenticate"]


@pytest.mark.parametrize("base", [PUBLISHER, STORE, ADMIN])
@pytest.mark.parametrize("role", sorted(ROLES))
def test_with_all_scopes_of_a_role(client, role, base):
    rest = Rest(client.portal_url, client.token(ROLES[role], ALL_SCOPES))
    for _, method, path, who in [o for o in OPERATIONS if o[0] == base]:
        r = call(rest, base, method, path)
        if who in "*L" or role in who:
            assert r.status_code not in (401, 403) and r.status_code < 500, (role, method, path, r.status_code, r.text)
        else:
            assert r.status_code == 403 and in_error_format(r) and r.json()["code"] == 900910, (role, method, path, r.status_code, r.text)
            assert 'error="insufficient_scope"' in r.headers["WWW-Authenticate"]


@pytest.mark.databases("sqlite")
def test_each_scope_alone_and_all_but_those_needed(client):
    """Any one of an operation's scopes lets in, and all others together do not."""
    known = set(ALL_SCOPES.split())
    for needed in sorted({r[3] for r in routes_in_source() if r[3]}):
        operations = [r[:3] for r in routes_in_source() if r[3] == needed]
        others = Rest(client.portal_url, client.token("admin", " ".join(sorted(known - set(needed.split())))))
        for operation in operations:
            assert call(others, *operation).status_code == 403, (operation, "without " + needed)
        for scope in needed.split():
            alone = Rest(client.portal_url, client.token("admin", scope))
            for operation in operations:
                r = call(alone, *operation)
                assert r.status_code not in (401, 403) and r.status_code < 500, (operation, scope, r.text)


def test_a_token_of_an_application_is_no_login_to_its_owners_account(client):
    """client_credentials of a subscriber's keys: what anybody with a token may do, whatever scopes are asked for."""
    store = client.store("subscriber")
    keys = flows.keys(store, flows.application(store))
    for scopes, may in ((ALL_SCOPES, "L*"), (None, "L*")):
        rest = Rest(client.portal_url, flows.token(client, keys, **({"scope": scopes} if scopes else {})))
        for base, method, path, who in OPERATIONS:
            if base != SIGNUP:
                r = call(rest, base, method, path)
                assert (r.status_code in (401, 403)) == (not set(who) & set(may)), (scopes, method, path, r.status_code, r.text)


@pytest.mark.parametrize("header", [
    "Bearer", "Bearer ", "Bearer nonsense", "Bearer a.b.c", "Bearer " + "x" * 7000, "Bearer eyJhbGciOiJub25lIn0.eyJzdWIiOiJhZG1pbiJ9.",
    "Basic YWRtaW46YWRtaW4tcHctMQ==", "bearer", "Digest x", "Bearer x' OR '1'='1", "Bearer \u00fc", "Bearer a\tb", "\u00ff", "Bearer Bearer x"])
def test_bad_credentials(client, header):
    """Refused everywhere, also where nobody needs a token."""
    for path in (STORE + "/apis", STORE + "/applications", PUBLISHER + "/apis", ADMIN + "/users"):
        r = requests.get(client.portal_url + path, headers={"Authorization": header.encode("latin-1")}, timeout=30)
        assert r.status_code == 401 and in_error_format(r), (path, r.status_code, r.text)
        assert 'error="invalid_token"' in r.headers["WWW-Authenticate"]


def test_a_token_does_not_count_in_the_query_or_a_cookie(client):
    token = client.token("admin", ALL_SCOPES)
    for more in ({"params": {"access_token": token}}, {"cookies": {"access_token": token, "Authorization": token}},
                 {"headers": {"X-Authorization": f"Bearer {token}", "Internal-Key": token}}):
        assert requests.get(client.portal_url + ADMIN + "/users", timeout=30, **more).status_code == 401


def test_revoked_token_and_locked_user(env, client):
    for name, end in (("revoked", "revoke"), ("locked", "lock")):
        USERS[name] = ("correct horse", "Internal/subscriber")
        env.db.apimctl("user", "add", name, "--roles", "Internal/subscriber", which="user_manager", stdin="correct horse\n")
        store = client.store(name)
        store.ok("GET", "/applications")
        if end == "revoke":
            pair = client.dcr(name)
            token = client.keymgr.post("/oauth2/token", auth=pair, data={
                "grant_type": "password", "username": name, "password": "correct horse", "scope": STORE_SCOPES}).json()["access_token"]
            store = Rest(client.portal_url + STORE, token)
            store.ok("GET", "/applications")
            assert client.keymgr.post("/oauth2/revoke", auth=pair, data={"token": token}).status_code == 200
        else:
            client.admin().ok("PUT", f"/users/{name}", json={"status": "LOCKED"})
        wait_until(lambda s=store: s.get("/applications").status_code == 401, 10, what=f"{name}: the token is refused")
        del USERS[name]


# -- what belongs to somebody else --------------------------------------------------------------------------------------

def test_things_of_others_do_not_exist(client, backend):
    """No operation of the Store reads, changes or uses another's application, keys or subscription: 404, and nothing happens."""
    api = flows.publish(client, backend.url)
    mine = flows.Subscribed(client, api)
    store, application = mine.store, mine.app["applicationId"]
    ids = {"applicationId": application, "keyMappingId": mine.keys["keyMappingId"], "keyType": "PRODUCTION",
           "subscriptionId": mine.subscription["subscriptionId"]}
    bodies = {"generate-keys": {"keyType": "SANDBOX"}, "generate-token": {"consumerSecret": mine.keys["consumerSecret"]},
              "applications": {"name": "taken over", "throttlingPolicy": "Unlimited"}, "revoke": {"apikey": "x"},
              "subscriptions": {"apiId": api["id"], "applicationId": application, "throttlingPolicy": "Unlimited"},
              "oauth-keys": {"supportedGrantTypes": []}, "keys": {"supportedGrantTypes": []}}
    before = state(store, ids)
    for user in ("subscriber2", "admin"):
        other = client.store(user)
        for base, method, path, _ in OPERATIONS:
            if base != STORE or "{applicationId}" not in path and "{subscriptionId}" not in path:
                continue
            words = [w for w in path.split("/") if w and not w.startswith("{")]
            url = re.sub(r"\{(\w+)\}", lambda m: ids[m.group(1)], path)
            r = other.request(method, url, json=bodies.get(words[-1], {}) if method in ("POST", "PUT", "PATCH") else None)
            assert r.status_code == 404 and in_error_format(r), (user, method, path, r.status_code, r.text)
        assert other.post("/subscriptions", json=bodies["subscriptions"]).status_code == 404
        many = other.ok("POST", "/subscriptions/multiple", json=[bodies["subscriptions"]])
        assert many[0]["status"] == "REJECTED" and "subscriptionId" not in many[0]
        for params in ({"applicationId": application}, {"apiId": api["id"]}):
            assert other.ok("GET", "/subscriptions", params=params)["list"] == []
        assert application not in [a["applicationId"] for a in other.ok("GET", "/applications", params={"limit": 1000})["list"]]
    assert state(store, ids) == before
    assert flows.token_response(client, mine.keys).status_code == 200


def state(store, ids):
    application = f"/applications/{ids['applicationId']}"
    return [store.ok("GET", path) for path in (application, f"{application}/oauth-keys", f"/subscriptions/{ids['subscriptionId']}")]


def test_a_key_belongs_to_its_application(client):
    """The keys of one's other application do not answer below this one."""
    store = client.store("subscriber")
    one, two = flows.application(store), flows.application(store)
    keys = flows.keys(store, one)
    url = f"/applications/{two['applicationId']}/oauth-keys/{keys['keyMappingId']}"
    for method, more in (("GET", ""), ("PUT", ""), ("DELETE", ""), ("POST", "/regenerate-secret"), ("POST", "/generate-token")):
        assert store.request(method, url + more, json={}).status_code == 404, (method, more)
    assert flows.token_response(client, keys).status_code == 200


def test_an_api_key_is_revoked_by_its_application_only(env, client):
    """Another's attempt changes nothing, and does not tell whether the key exists."""
    store, other = client.store("subscriber"), client.store("subscriber2")
    one, two = flows.application(store), flows.application(other)
    path = "/applications/{}/api-keys/PRODUCTION/{}"
    key = store.ok("POST", path.format(one["applicationId"], "generate"), json={"validityPeriod": 3600})["apikey"]

    def kept():
        return env.db.query("SELECT id FROM am_api_key WHERE application_id = ?", [one["applicationId"]])

    assert other.post(path.format(one["applicationId"], "revoke"), json={"apikey": key}).status_code == 404
    other.post(path.format(two["applicationId"], "revoke"), json={"apikey": key})
    assert kept()
    store.ok("POST", path.format(one["applicationId"], "revoke"), json={"apikey": key})
    assert not kept()


def test_nothing_of_a_hidden_api_shows(client, backend):
    """An API for one role leaves no trace for others: not in lists, counts, search, tags, tiers, definition or subscriptions."""
    tag, name = flows.unique("secrettag"), flows.unique("Hidden")
    api = flows.publish(client, backend.url, name=name, visibility="RESTRICTED", visibleRoles=["Internal/creator"], tags=[tag],
                        description="hush " + tag)
    creator = client.store("creator", "apim:subscribe")
    wait_until(lambda: creator.get(f"/apis/{api['id']}").status_code == 200, 10, what="its role sees it")
    assert tag in [t["value"] for t in creator.ok("GET", "/tags", params={"limit": 1000})["list"]]
    subscriber = client.store("subscriber")
    app = flows.application(subscriber)
    for rest in (client.anonymous(), subscriber):
        for path in ("", "/swagger", "/subscription-policies"):
            assert rest.get(f"/apis/{api['id']}{path}").status_code == 404
        for query in (name, tag, f"tag:{tag}", f"name:{name}", f"context:{api['context']}", "hush", f"description:{tag}"):
            for path in ("/apis", "/search"):
                found = rest.ok("GET", path, params={"query": query})
                assert found["list"] == [] and found["pagination"]["total"] == 0, query
        assert tag not in rest.get("/tags", params={"limit": 1000}).text
        assert api["id"] not in rest.get("/apis", params={"limit": 1000}).text
    wanted = {"apiId": api["id"], "applicationId": app["applicationId"], "throttlingPolicy": "Unlimited"}
    assert subscriber.post("/subscriptions", json=wanted).status_code == 404
    assert subscriber.ok("POST", "/subscriptions/multiple", json=[wanted])[0]["status"] == "REJECTED"
    assert subscriber.ok("GET", "/subscriptions", params={"applicationId": app["applicationId"]})["list"] == []


# -- verbs -------------------------------------------------------------------------------------------------------------------

def test_wrong_verbs_and_unknown_paths(client):
    rest = Rest(client.portal_url, client.token("admin", ALL_SCOPES))
    allowed = {}
    for base, method, path, _ in OPERATIONS:
        allowed.setdefault((base, re.sub(r"\{\w+\}", "{}", path)), set()).add(method)
    for (base, path), methods in allowed.items():
        for method in ("PATCH", "OPTIONS", "PROPFIND", "DELETE", "PUT"):
            others = set().union(*[m for (b, p), m in allowed.items() if b == base and covers(p, path)])
            if method not in others:
                r = rest.request(method, base + path.replace("{}", "x"))
                assert r.status_code == 405 and in_error_format(r), (method, base, path, r.status_code, r.text)
                assert methods <= set(r.headers["Allow"].split(", "))
    for base in (PUBLISHER, STORE, ADMIN):
        for path in ("", "/", "/nothing", "/apis/a/b/c/d", "//apis/", "/applications/x/y"):
            r = requests.get(client.portal_url + base + path, timeout=30)
            assert r.status_code in (401, 404) or path == "//apis/" and r.status_code == 200, (base, path, r.status_code)


def covers(pattern, path):
    return re.fullmatch(pattern.replace("{}", "[^/]+"), path.replace("{}", "x")) is not None


@pytest.mark.parametrize("base", [PUBLISHER, STORE, ADMIN])
def test_head_answers_like_get(client, base):
    rest = Rest(client.portal_url, client.token("admin", ALL_SCOPES))
    for _, method, path, _who in [o for o in OPERATIONS if o[0] == base and o[1] == "GET" and "{" not in o[2]]:
        head, get = rest.head(base + path), rest.get(base + path)
        assert head.status_code == get.status_code and not head.content, path
        assert head.headers["Content-Type"] == get.headers["Content-Type"] and head.headers["Content-Length"] == str(len(get.content)), path
