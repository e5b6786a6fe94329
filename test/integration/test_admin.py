# SPDX-License-Identifier: Apache-2.0
"""The administrator's REST API and self sign-up."""
import json
import threading

import pytest

import flows
from database import USERS
from support import wait_until

POLICY = {"policyName": "x", "displayName": "x", "description": "d", "defaultLimit": {
    "type": "REQUESTCOUNTLIMIT", "requestCount": {"timeUnit": "min", "unitTime": 1, "requestCount": 7}}}


@pytest.fixture(scope="module")
def client(all_in_one):
    return all_in_one[1]


@pytest.fixture(scope="module")
def admin(client):
    return client.admin()


def policy(name, **more):
    return {**POLICY, "policyName": name, **more}


@pytest.mark.parametrize("level", ["application", "subscription", "advanced"])
def test_policy_life(env, admin, level):
    name, base = flows.unique("pol"), f"/throttling/policies/{level}"
    before = int(env.db.query("SELECT revision FROM reg_feed_head", name="registry")[0][0])
    made = admin.ok("POST", base, status=201, json=policy(name, rateLimitCount=3, rateLimitTimeUnit="sec", stopOnQuotaReach=False))
    url = f"{base}/{made['policyId']}"
    assert admin.ok("GET", url)["defaultLimit"]["requestCount"]["requestCount"] == 7
    assert admin.post(base, json=policy(name)).status_code == 409
    assert name in [p["policyName"] for p in admin.ok("GET", base)["list"]]
    changed = policy(name)
    changed["defaultLimit"] = {"type": "REQUESTCOUNTLIMIT", "requestCount": {"timeUnit": "hour", "unitTime": 2, "requestCount": 9}}
    admin.ok("PUT", url, json=changed)
    assert admin.put(url, json=policy(name + "2")).status_code == 400
    rows = env.db.query("SELECT revision, deleted, payload FROM reg_artifact WHERE key = ?", [f"{level}/{name}"], name="registry")
    payload = json.loads(rows[0][2])
    assert int(rows[0][0]) > before and (payload["requestCount"], payload["timeUnit"], payload["unitTime"]) == (9, "hour", 2)
    assert admin.delete(url).status_code == 200 and admin.get(url).status_code == 404
    rows = env.db.query("SELECT deleted FROM reg_artifact WHERE key = ?", [f"{level}/{name}"], name="registry")
    assert int(rows[0][0]) == 1


@pytest.mark.parametrize("change,place", [
    ({"policyName": ""}, "/policyName"), ({"policyName": "a/b"}, "/policyName"), ({"policyName": "x" * 61}, "/policyName"),
    ({"defaultLimit": None}, "/defaultLimit"), ({"defaultLimit": {"type": "BANDWIDTHLIMIT"}}, "/defaultLimit/type"),
    ({"defaultLimit": {"type": "REQUESTCOUNTLIMIT", "requestCount": {"timeUnit": "moon", "unitTime": 1, "requestCount": 1}}}, "timeUnit"),
    ({"defaultLimit": {"type": "REQUESTCOUNTLIMIT", "requestCount": {"timeUnit": "min", "unitTime": 0, "requestCount": 1}}}, "unitTime"),
    ({"conditionalGroups": [{}]}, "/conditionalGroups"), ({"policyName": "a*b"}, "/policyName"),
    ({"defaultLimit": {"type": "REQUESTCOUNTLIMIT", "requestCount": {"timeUnit": "min", "unitTime": 1001, "requestCount": 1}}}, "unitTime"),
    ({"defaultLimit": {"type": "REQUESTCOUNTLIMIT", "requestCount": {"timeUnit": "min", "unitTime": 1, "requestCount": 10 ** 13}}}, "requestCount")])
def test_policy_refusals(admin, change, place):
    r = admin.post("/throttling/policies/advanced", json={**policy("bad"), **change})
    assert r.status_code == 400 and place in r.text


@pytest.mark.parametrize("level", ["subscription", "application", "advanced"])
def test_unlimited_stays_unlimited(admin, level):
    path = f"/throttling/policies/{level}"
    made = next(p for p in admin.ok("GET", path)["list"] if p["policyName"] == "Unlimited")
    assert admin.put(f"{path}/{made['policyId']}", json=policy("Unlimited")).status_code == 403
    assert admin.delete(f"{path}/{made['policyId']}").status_code == 403


def test_policy_in_use_stays(client, admin):
    made = admin.ok("POST", "/throttling/policies/application", status=201, json=policy(flows.unique("used")))
    flows.application(client.store("subscriber"), policy=made["policyName"])
    r = admin.delete(f"/throttling/policies/application/{made['policyId']}")
    assert r.status_code == 409 and "in use" in r.json()["description"]


def test_environments(admin):
    made = admin.ok("POST", "/environments", status=201, json={
        "name": "Europe", "displayName": "Europe", "type": "production",
        "vhosts": [{"host": "eu.example.org", "httpsPort": 8243, "httpPort": -1, "httpContext": ""}]})
    assert made["gatewayUrl"] == "https://eu.example.org:8243" and made["vhosts"][0]["httpsPort"] == 8243
    assert {e["name"] for e in admin.ok("GET", "/environments")["list"]} >= {"Default", "Europe"}
    assert admin.ok("PUT", "/environments/Europe", json={"displayName": "EU"})["displayName"] == "EU"
    assert admin.post("/environments", json={"name": "Europe", "displayName": "x"}).status_code == 409
    assert admin.post("/environments", json={"name": "a b", "displayName": "x"}).status_code == 400
    assert admin.post("/environments", json={"name": "c", "displayName": "x", "gatewayUrl": "ftp://x"}).status_code == 400
    assert admin.delete("/environments/Europe").status_code == 200
    assert admin.delete("/environments/Default").status_code == 400
    assert admin.get("/environments/Europe").status_code == 404


def test_users_and_roles(client, admin):
    name = flows.unique("user")
    made = admin.ok("POST", "/users", status=201, json={"username": name, "password": "long enough", "roles": ["Internal/creator"],
                                                        "email": "a@example.org"})
    assert "password" not in made and made["status"] == "ACTIVE"
    assert admin.post("/users", json={"username": name.upper(), "password": "long enough"}).status_code == 409
    assert admin.ok("GET", f"/users/{name}")["roles"] == ["Internal/creator", "Internal/everyone"]
    assert name in [u["username"] for u in admin.ok("GET", "/users", params={"query": name})["list"]]
    changed = admin.ok("PUT", f"/users/{name}", json={"roles": ["Internal/publisher"], "status": "LOCKED"})
    assert (changed["roles"], changed["status"]) == (["Internal/publisher"], "LOCKED")
    assert admin.put(f"/users/{name}", json={"roles": ["none such"]}).status_code == 400
    assert admin.put("/users/admin", json={"roles": []}).status_code == 403
    assert admin.delete("/users/admin").status_code == 403
    assert admin.delete(f"/users/{name}").status_code == 200 and admin.get(f"/users/{name}").status_code == 404
    role = flows.unique("team/r")
    admin.ok("POST", "/roles", status=201, json={"name": role})
    assert admin.post("/roles", json={"name": role}).status_code == 409
    assert role in [r["name"] for r in admin.ok("GET", "/roles")["list"]]
    assert admin.delete("/roles", params={"name": role}).status_code == 200
    assert admin.delete("/roles", params={"name": "admin"}).status_code == 403


def test_nobody_else_administers(client):
    for user in ("creator", "publisher", "subscriber"):
        weak = client.admin(user)
        for method, path in (("GET", "/users"), ("POST", "/throttling/policies/application"), ("DELETE", "/environments/Default"),
                             ("GET", "/settings"), ("POST", "/roles")):
            assert weak.request(method, path, json={}).status_code == 403, (user, method, path)
    assert client.anonymous("/api/am/admin/v4").get("/users").status_code == 401


# -- sign-up ---------------------------------------------------------------------------------------------------------------

def sign_up(client, name, password="correct horse", **claims):
    return client.anonymous("/api/identity/user/v1.0").post("/me", json={"user": {"username": name, "password": password, "claims": [
        {"uri": f"http://wso2.org/claims/{key}", "value": value} for key, value in claims.items()]}})


def test_sign_up_to_subscription(client, env, monkeypatch):
    name = flows.unique("newcomer")
    r = sign_up(client, name, emailaddress="n@example.org", givenname="Née", lastname="漢")
    assert r.status_code == 201, r.text
    row = env.db.query("SELECT password_hash, given_name FROM um_user WHERE username = ?", [name], name="user_manager")[0]
    assert row[0].startswith("$2") and row[1] == "Née"
    monkeypatch.setitem(USERS, name, ("correct horse", []))
    store = client.store(name)
    app = flows.application(store)
    assert flows.keys(store, app)["token"]["accessToken"]
    assert client.token_response(name, "apim:admin apim:api_create").json().get("scope", "").find("apim:a") == -1
    assert sign_up(client, name).status_code == 409
    assert sign_up(client, name.upper()).status_code == 409


def test_nobody_inherits_from_a_removed_user(client, admin, monkeypatch):
    """What a removed user left behind is not for the next stranger who takes the name; an administrator may give it back."""
    name = flows.unique("heir")
    assert sign_up(client, name).status_code == 201
    monkeypatch.setitem(USERS, name, ("correct horse", []))
    app = flows.application(client.store(name))
    assert admin.delete(f"/users/{name}").status_code == 200
    r = sign_up(client, name)
    assert r.status_code == 409 and "taken" in r.json()["description"]
    admin.ok("POST", "/users", status=201, json={"username": name, "password": "battery staple", "roles": ["Internal/subscriber"]})
    monkeypatch.setitem(USERS, name, ("battery staple", []))
    client.forget(name)
    assert client.store(name).ok("GET", f"/applications/{app['applicationId']}")["owner"] == name


def test_one_of_many_who_sign_up_with_one_name_wins(client, env):
    name, answers = flows.unique("twin"), []
    names = [name, name.upper(), name.capitalize(), name] * 2
    threads = [threading.Thread(target=lambda n=n: answers.append(sign_up(client, n).status_code)) for n in names]
    for t in threads:
        t.start()
    for t in threads:
        t.join()
    assert sorted(answers) == [201] + [409] * 7
    rows = env.db.query("SELECT username FROM um_user WHERE LOWER(username) = ?", [name.lower()], name="user_manager")
    assert len(rows) == 1


@pytest.mark.parametrize("name,password,place", [
    ("ab", "correct horse", "/user/username"), ("a" * 61, "correct horse", "/user/username"), ("x' OR '1'='1", "correct horse", "/user/username"),
    ("-dash", "correct horse", "/user/username"), ("anonymous", "correct horse", "/user/username"), ("fine1", "short", "/user/password"),
    ("fine1", "x" * 73, "/user/password"), ("finefine", "finefine", "/user/password"), ("fine1", "with\ncontrol", "/user/password")])
def test_sign_up_refusals(client, name, password, place):
    r = sign_up(client, name, password)
    assert r.status_code == 400 and place in r.text


def test_change_of_password(client, monkeypatch):
    name = flows.unique("changer")
    assert sign_up(client, name).status_code == 201
    monkeypatch.setitem(USERS, name, ("correct horse", []))
    store = client.store(name)
    assert store.post("/me/change-password", json={"currentPassword": "wrong", "newPassword": "battery staple"}).status_code == 400
    assert store.post("/me/change-password", json={"currentPassword": "correct horse", "newPassword": "short"}).status_code == 400
    assert store.post("/me/change-password", json={"currentPassword": "correct horse", "newPassword": "battery staple"}).status_code == 200
    wait_until(lambda: store.get("/applications").status_code == 401, 10, what="tokens of the old password are dead")
    assert client.token_response(name, "apim:subscribe").status_code in (400, 401)
    monkeypatch.setitem(USERS, name, ("battery staple", []))
    assert client.token_response(name, "apim:subscribe").status_code == 200


# -- applications and Key Managers -----------------------------------------------------------------------------------------

def test_everybodys_applications(all_in_one):
    client = all_in_one[1]
    admin, prefix = client.admin(), flows.unique("Mine100%_")
    made = {user: flows.application(client.store(user), name=prefix + user) for user in ("subscriber", "subscriber2")}
    listed = admin.ok("GET", "/applications", params={"name": prefix.upper()})
    assert [(a["applicationId"], a["name"], a["owner"], a["status"]) for a in listed["list"]] == [
        (made[u]["applicationId"], prefix + u, u, "APPROVED") for u in ("subscriber", "subscriber2")]
    assert listed["pagination"]["total"] == 2
    assert [a["owner"] for a in admin.ok("GET", "/applications", params={"name": prefix, "user": "subscriber2"})["list"]] == ["subscriber2"]
    assert admin.ok("GET", "/applications", params={"name": prefix, "limit": 1, "offset": 1})["list"][0]["owner"] == "subscriber2"
    assert admin.ok("GET", "/applications", params={"user": "nobody"})["list"] == []
    assert admin.get("/applications", params={"user": "a\nb"}).status_code == admin.get("/applications", params={"name": "x" * 256}).status_code == 400


def test_key_managers(all_in_one):
    client = all_in_one[1]
    found = [rest.ok("GET", "/key-managers") for rest in (client.admin(), client.publisher(), client.anonymous())]
    assert found[0] == found[1] == found[2] and found[0]["count"] == 1
    one = found[0]["list"][0]
    assert one["name"] == "Resident Key Manager" and one["tokenEndpoint"].endswith("/oauth2/token") and one["enabled"]


# -- other owners ----------------------------------------------------------------------------------------------------------

def test_an_application_gets_another_owner(client, admin, env):
    one, two = client.store("subscriber"), client.store("subscriber2")
    app = flows.application(one)
    pair = flows.keys(one, app)
    path = f"/applications/{app['applicationId']}/change-owner"
    for owner in ("", "nobody-here", "x" * 300):
        assert admin.post(path, params={"owner": owner}).status_code == 400
    admin.ok("POST", path, params={"owner": "subscriber2"})
    assert one.get(f"/applications/{app['applicationId']}").status_code == 404
    assert two.ok("GET", f"/applications/{app['applicationId']}")["owner"] == "subscriber2"
    assert two.ok("GET", f"/applications/{app['applicationId']}/oauth-keys")["list"][0]["consumerKey"] == pair["consumerKey"]
    assert flows.token(client, pair)
    assert env.db.query("SELECT owner FROM am_oauth_client WHERE consumer_key = ?", [pair["consumerKey"]])[0][0] == "subscriber2"
    same = flows.application(one, app["name"])
    assert admin.post(f"/applications/{same['applicationId']}/change-owner", params={"owner": "subscriber2"}).status_code == 409
    assert admin.post("/applications/none/change-owner", params={"owner": "subscriber2"}).status_code == 404


def test_an_api_gets_another_provider(client, admin, env):
    api = flows.publish(client, env.backend().url)
    path = f"/apis/{api['id']}/change-provider"
    assert admin.post(path, params={"provider": "nobody-here"}).status_code == 400
    assert admin.post("/apis/none/change-provider", params={"provider": "creator"}).status_code == 404
    admin.ok("POST", path, params={"provider": "creator"})
    assert client.publisher("publisher").ok("GET", f"/apis/{api['id']}")["provider"] == "creator"
    wait_until(lambda: client.anonymous().ok("GET", f"/apis/{api['id']}")["provider"] == "creator", 10, what="the Store knows")
