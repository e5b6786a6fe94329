# SPDX-License-Identifier: Apache-2.0
"""The token endpoint: grants, refusals, the shape of answers."""
import base64
import time
from urllib.parse import quote

import pytest

from database import USERS
from keymgr import KeyManager, Scene, claims, part
from support import wait_until


@pytest.fixture(scope="module")
def km(env):
    return KeyManager(env, env.node(["keymgr"], "keymgr"))


@pytest.fixture(scope="module", params=["JWT", "OAUTH"])
def scene(km, env, request):
    return Scene(km, env.db, token_type=request.param)


def test_client_credentials(km, scene):
    r = km.token(scene.client)
    assert r.status_code == 200, r.text
    assert r.headers["Cache-Control"] == "no-store" and r.headers["Pragma"] == "no-cache"
    body = r.json()
    assert body["token_type"] == "Bearer" and body["expires_in"] == 3600 and body["scope"] == "default"
    assert "refresh_token" not in body
    out = scene.verify(body["access_token"])
    assert out["authorized"] is True, out
    assert out["consumerKey"] == scene.client[0] and out["keyType"] == "PRODUCTION" and out["userType"] == "APPLICATION"
    assert out["applicationId"] == scene.application and out["applicationTier"] == "10PerMin"
    assert out["subscriptionId"] == scene.subscription and out["subscriptionTier"] == "Gold"
    assert out["username"] == "subscriber" and out["scopes"] == ["default"]


def test_keys_of_an_application_are_no_login_to_its_owners_account(km, scene):
    body = km.ok_token(scene.client, "client_credentials", scope="apim:subscribe apim:app_manage")
    assert body["scope"] == "default"


def test_password(km, scene):
    body = km.ok_token(scene.client, "password", username="subscriber", password=USERS["subscriber"][0],
                       scope="apim:subscribe apim:api_create unknown:thing")
    assert body["scope"] == "apim:subscribe"
    assert body["refresh_token"].startswith("apim_rt_")
    out = scene.verify(body["access_token"])
    assert out["userType"] == "APPLICATION_USER" and out["username"] == "subscriber"
    assert out["scopes"] == ["apim:subscribe"]
    seen = km.run("introspect", token=body["access_token"])
    assert seen["active"] and seen["username"] == "subscriber" and seen["scope"] == "apim:subscribe"
    assert seen["clientId"] == scene.client[0]


def test_jwt_claims(km, env):
    scene = Scene(km, env.db)
    token = km.ok_token(scene.client)["access_token"]
    header, body = part(token, 0), claims(token)
    assert header["typ"] == "at+jwt" and header["alg"] == "ES256" and len(header["kid"]) == 43
    assert body["iss"] == km.url and body["sub"] == body["client_id"] == scene.client[0]
    assert body["exp"] - body["iat"] == 3600 and body["nbf"] == body["iat"]
    assert body["keytype"] == "PRODUCTION" and body["aut"] == "APPLICATION" and body["jti"] and body["aud"]
    assert env.db.query("SELECT COUNT(*) FROM am_token WHERE consumer_key = ?", (scene.client[0],))[0][0] in (0, "0")


# -- scopes ------------------------------------------------------------------------------------------------------------------

def test_scopes_follow_roles(km, env):
    scene = Scene(km, env.db)

    def scopes(who, scope):
        return km.ok_token(scene.client, "password", username=who, password=USERS[who][0], scope=scope)["scope"]

    everything = "apim:api_view apim:api_create apim:api_publish apim:subscribe apim:admin"
    assert scopes("admin", everything) == everything
    assert scopes("creator", everything) == "apim:api_view apim:api_create"
    assert scopes("publisher", everything) == "apim:api_view apim:api_create apim:api_publish"
    assert scopes("subscriber", everything) == "apim:subscribe"
    assert scopes("subscriber", "apim:admin") == "default"
    assert scopes("subscriber", "apim:subscribe apim:subscribe  default") == "apim:subscribe"
    # an application's keys never act on the REST APIs for their owner
    assert km.ok_token(scene.client, scope=everything)["scope"] == "default"


def test_scopes_of_apis(km, env):
    scene = Scene(km, env.db)
    for name, roles in (("menu:read", ""), ("menu:write", "Internal/creator chef"), ("menu:all", "Internal/everyone")):
        env.db.query("INSERT INTO am_scope (name, api_id, roles) VALUES (?, ?, ?)", (name, scene.api, roles))
    asked = "menu:write menu:read menu:all menu:none"
    assert km.ok_token(scene.client, scope=asked)["scope"] == "menu:read menu:all"

    def scopes(who):
        return km.ok_token(scene.client, "password", username=who, password=USERS[who][0], scope=asked)["scope"]

    assert scopes("creator") == "menu:write menu:read menu:all"
    assert scopes("subscriber") == "menu:read menu:all"


def test_a_client_limited_to_scopes(km, env):
    scene = Scene(km, env.db)
    env.db.query("UPDATE am_oauth_client SET scopes = 'apim:api_view' WHERE consumer_key = ?", (scene.client[0],))
    body = km.ok_token(scene.client, "password", username="admin", password=USERS["admin"][0], scope="apim:admin apim:api_view")
    assert body["scope"] == "apim:api_view"


@pytest.mark.parametrize("scope", ['a"b', "a\\b", "a\tb", "päprika", " ".join(f"s{i}" for i in range(300)), "x" * 5000])
def test_malformed_scopes(km, scene, scope):
    r = km.token(scene.client, scope=scope)
    assert r.status_code == 400 and r.json()["error"] == "invalid_scope"


# -- lifetimes ---------------------------------------------------------------------------------------------------------------

def test_lifetimes(km, env):
    scene = Scene(km, env.db)
    assert km.ok_token(scene.client, validity_period="60")["expires_in"] == 60
    assert km.ok_token(scene.client, validity_period="99999")["expires_in"] == 3600
    for wrong in ("0", "-1", "soon", "1.5", "9" * 30):
        assert km.token(scene.client, validity_period=wrong).json()["error"] == "invalid_request"
    km.run("client-update", consumerKey=scene.client[0], validityTime=120)
    assert km.ok_token(scene.client)["expires_in"] == 120
    km.run("client-update", consumerKey=scene.client[0], validityTime=-1)
    assert km.ok_token(scene.client)["expires_in"] == 90 * 86400
    assert km.run("token-generate", consumerKey=scene.client[0], consumerSecret=scene.client[1], validityPeriod=7,
                  scopes=[])["expires_in"] == 7


def test_an_expired_token(km, scene):
    token = km.ok_token(scene.client, validity_period="1")["access_token"]
    deadline = time.time() + 10
    while scene.verify(token)["authorized"] and time.time() < deadline:
        time.sleep(0.1)
    out = scene.verify(token)
    assert out["authorized"] is False and out["code"] == 900903 and not km.active(token)


# -- refusals of the token endpoint ---------------------------------------------------------------------------------------------

def refused(r, status, error):
    assert (r.status_code, r.json().get("error")) == (status, error), r.text
    assert set(r.json()) == {"error", "error_description"}
    assert r.headers["Content-Type"] == "application/json"
    assert r.headers["Cache-Control"] == "no-store" and r.headers["Pragma"] == "no-cache"
    assert ("WWW-Authenticate" in r.headers) == (status == 401)
    assert all(0x20 <= ord(c) <= 0x7e and c not in '"\\' for c in r.json()["error_description"])


def test_client_authentication(km, scene):
    key, secret = scene.client
    form = {"grant_type": "client_credentials"}
    assert km.post("/oauth2/token", data={**form, "client_id": key, "client_secret": secret}).status_code == 200
    assert km.post("/oauth2/token", data={**form, "client_id": key}, auth=scene.client).status_code == 200
    for auth in ((key, "wrong"), (key, ""), ("", ""), ("nobody", secret), ("x" * 5000, "y"), (key + "'--", secret),
                 (key, secret + " "), (key.lower(), secret)):
        refused(km.post("/oauth2/token", data=form, auth=auth), 401, "invalid_client")
    refused(km.post("/oauth2/token", data=form), 401, "invalid_client")
    refused(km.post("/oauth2/token", data={**form, "client_id": key}), 401, "invalid_client")
    refused(km.post("/oauth2/token", data={**form, "client_id": key, "client_secret": secret[:-1]}), 401, "invalid_client")
    refused(km.post("/oauth2/token", data={**form, "client_id": key, "client_secret": secret}, auth=scene.client), 400,
            "invalid_request")
    refused(km.post("/oauth2/token", data={**form, "client_id": "other"}, auth=scene.client), 400, "invalid_request")
    for header in ("Basic", "Basic ", "Basic !!!", "Basic QQ==", "Bearer abc", "Basic " + "A" * 7000,
                   "Basic " + base64.b64encode(b"\xff\xfe:x").decode(), "Basic " + base64.b64encode(b"a\0b:x").decode(),
                   "Basic " + base64.b64encode(b"%zz:x").decode()):
        refused(km.post("/oauth2/token", data=form, headers={"Authorization": header}), 401, "invalid_client")


def test_basic_credentials_are_form_encoded(km, scene):
    key, secret = (quote(part, safe="").replace("_", "%5F") for part in scene.client)
    assert km.token((key, secret)).status_code == 200


def test_requests_that_are_malformed(km, scene):
    auth = scene.client
    refused(km.post("/oauth2/token", data={}, auth=auth), 415, "invalid_request")
    refused(km.post("/oauth2/token", data={"scope": "a"}, auth=auth), 400, "invalid_request")
    refused(km.post("/oauth2/token", data={"grant_type": ""}, auth=auth), 400, "invalid_request")
    refused(km.token(auth, "authorization_code"), 400, "unauthorized_client")
    refused(km.token(auth, "urn:x'; DROP TABLE am_token; --"), 400, "unsupported_grant_type")
    refused(km.post("/oauth2/token", json={"grant_type": "client_credentials"}, auth=auth), 415, "invalid_request")
    refused(km.session.get(km.url + "/oauth2/token", auth=auth), 405, "invalid_request")
    assert km.session.put(km.url + "/oauth2/token", auth=auth).headers["Allow"] == "POST"
    form = {"Content-Type": "application/x-www-form-urlencoded"}
    for body in ("grant_type=client_credentials&grant_type=password", "grant_type=client_credentials&scope=a&scope=b",
                 "grant_type=%zz", "grant_type=client_credentials%00", b"grant_type=client_credentials&x=\xff",
                 "grant_type=client_credentials&x=%ff", b"grant_type=client_credentials\0"):
        refused(km.post("/oauth2/token", data=body, headers=form, auth=auth), 400, "invalid_request")
    r = km.post("/oauth2/token", data="grant_type=client_credentials&x=" + "y" * 100000, headers=form, auth=auth)
    refused(r, 413, "invalid_request")
    for query in ("client_secret=x", "password=x", "grant_type=client_credentials", "refresh_token=x"):
        refused(km.post("/oauth2/token?" + query, data={"grant_type": "client_credentials"}, auth=auth), 400, "invalid_request")
    assert km.post("/oauth2/token?cache=1", data={"grant_type": "client_credentials"}, auth=auth).status_code == 200


def test_grants_a_client_has_not(km, env):
    scene = Scene(km, env.db)
    sandbox = scene.sandbox()
    refused(km.token(sandbox, "password", username="admin", password=USERS["admin"][0]), 400, "unauthorized_client")
    refused(km.token(sandbox, "refresh_token", refresh_token="x"), 400, "unauthorized_client")
    body = km.ok_token(sandbox)
    out = scene.verify(body["access_token"])
    assert out["keyType"] == "SANDBOX"


def test_users_that_are_refused_look_alike(km, env, scene):
    for name, status in (("pending", "PENDING"), ("locked", "LOCKED"), ("disabled", "DISABLED")):
        env.db.query("INSERT INTO um_user (id, username, password_hash, status, created_at, updated_at) "
                     "SELECT ?, ?, password_hash, ?, 1, 1 FROM um_user WHERE username = 'creator' ON CONFLICT DO NOTHING",
                     (name, name, status))
    bodies = set()
    for name, password in (("creator", "wrong"), ("nobody", "wrong"), ("pending", USERS["creator"][0]),
                           ("locked", USERS["creator"][0]), ("disabled", USERS["creator"][0]), ("creator'--", "x"),
                           (scene.client[0], "x"), ("x" * 400, "x"), ("creator", "y" * 3000), ("päul\U0001f600", "x")):
        r = km.token(scene.client, "password", username=name, password=password)
        refused(r, 400, "invalid_grant")
        bodies.add(r.text)
    assert len(bodies) == 1
    refused(km.token(scene.client, "password", username="creator"), 400, "invalid_request")
    refused(km.token(scene.client, "password", password="x"), 400, "invalid_request")
    assert km.token(scene.client, "password", username="creator", password=USERS["creator"][0]).status_code == 200


def test_guessing_is_slowed_down(fresh_env):
    km = KeyManager(fresh_env, fresh_env.node(["keymgr"], "guess"))
    scene = Scene(km, fresh_env.db)
    answers = []
    while len(answers) < 8 or (answers[-1].status_code == 400 and len(answers) < 14):  # a slow machine waits between them by itself
        answers.append(km.token(scene.client, "password", username="creator", password=f"guess{len(answers)}"))
    assert [r.status_code for r in answers[:5]] == [400] * 5
    last = answers[-1]
    assert last.status_code == 429 and int(last.headers["Retry-After"]) >= 1
    assert last.json()["error"] == "temporarily_unavailable"
    # the right password has to wait too, another account does not, and waiting helps
    assert km.token(scene.client, "password", username="creator", password=USERS["creator"][0]).status_code == 429
    assert km.token(scene.client, "password", username="admin", password=USERS["admin"][0]).status_code == 200
    wait_until(lambda: km.token(scene.client, "password", username="creator",
                                password=USERS["creator"][0]).status_code == 200, 20, every=0.5)


# -- what anyone may read -------------------------------------------------------------------------------------------------------

def test_metadata(km):
    r = km.get("/.well-known/oauth-authorization-server")
    body = r.json()
    assert r.status_code == 200 and body["issuer"] == km.url and body["token_endpoint"] == km.url + "/oauth2/token"
    assert body["grant_types_supported"] == ["authorization_code", "client_credentials", "password", "refresh_token",
                                             "urn:ietf:params:oauth:grant-type:device_code",
                                             "urn:ietf:params:oauth:grant-type:token-exchange"]
    for name in ("jwks_uri", "revocation_endpoint", "introspection_endpoint", "registration_endpoint"):
        assert body[name].startswith(km.url + "/oauth2/")
    assert km.session.get(body["jwks_uri"], timeout=10).json()["keys"]
    assert km.get("/oauth2/nothing").status_code == 404
    assert km.post("/oauth2/jwks").status_code == 405
    assert km.session.head(km.url + "/oauth2/jwks", timeout=10).status_code == 200


def test_jwks_has_no_private_key(km, scene):
    km.ok_token(scene.client)
    keys = km.get("/oauth2/jwks").json()["keys"]
    assert len(keys) == 2
    for key in keys:
        assert set(key) == {"kty", "crv", "x", "y", "alg", "use", "kid"}


def test_header_injection(km, scene):
    for host in ("evil.example\r\nX-Evil: 1", "a b", 'x"y'):
        try:
            r = km.get("/.well-known/oauth-authorization-server", headers={"Host": host})
        except Exception:  # the client library refuses to send it
            continue
        assert "X-Evil" not in r.headers


def test_status_page(km, scene):
    km.ok_token(scene.client)
    text = km.get("/server-status?auto").text
    assert int(text.split("ApimKeymgrTokensIssued: ")[1].split("\n")[0]) > 0
    assert "Key Manager" in km.get("/server-status").text
