# SPDX-License-Identifier: Apache-2.0
"""What gateways and portals ask: verification, API keys, the operations on clients."""
import uuid

import pytest

from database import USERS
from keymgr import KeyManager, Scene, claims, now_ms, part


@pytest.fixture(scope="module")
def km(env):
    return KeyManager(env, env.node(["keymgr"], "keymgr"))


@pytest.fixture(params=["JWT", "OAUTH"])
def scene(km, env, request):
    return Scene(km, env.db, token_type=request.param)


def set_subscription(scene, status):
    scene.db.query("UPDATE am_subscription SET status = ? WHERE id = ?", (status, scene.subscription))


# -- subscription and application -------------------------------------------------------------------------------------------------

def test_subscription_states(scene):
    production, sandbox = (scene.km.ok_token(c)["access_token"] for c in (scene.client, scene.sandbox()))

    def codes():
        out = [scene.verify(t) for t in (production, sandbox)]
        assert all(o["applicationId"] == scene.application and o["tokenId"] for o in out)
        return [o.get("code") for o in out]

    assert codes() == [None, None]
    for status, expected in (("BLOCKED", [900907, 900907]), ("PROD_ONLY_BLOCKED", [900907, None]), ("ON_HOLD", [900909] * 2),
                             ("REJECTED", [900909] * 2), ("UNBLOCKED", [None, None])):
        set_subscription(scene, status)
        assert codes() == expected, status
    scene.db.query("DELETE FROM am_subscription WHERE id = ?", (scene.subscription,))
    assert codes() == [900908, 900908]
    assert scene.verify(production, subscriptionRequired=False)["authorized"]
    for status in ("CREATED", "ON_HOLD", "REJECTED"):
        scene.db.query("UPDATE am_application SET status = ? WHERE id = ?", (status, scene.application))
        assert scene.verify(production, subscriptionRequired=False)["code"] == 900909


def test_the_api_is_found_by_id_or_context(scene):
    token = scene.km.ok_token(scene.client)["access_token"]
    assert scene.km.run("verify", token=token, context=scene.context, version="1.0")["subscriptionTier"] == "Gold"
    assert scene.km.run("verify", token=token, apiId=scene.api)["subscriptionTier"] == "Gold"
    assert scene.km.run("verify", token=token, apiId=str(uuid.uuid4()))["code"] == 900908
    assert scene.km.run("verify", token=token, context="/none/1")["code"] == 900908
    assert scene.km.run("verify", token=token)["code"] == 900908


def test_a_client_without_application(km, env, scene):
    r = km.post("/client-registration/v0.17/register", auth=("subscriber", USERS["subscriber"][0]),
                json={"clientName": str(uuid.uuid4()), "grantType": "client_credentials"})
    token = km.ok_token((r.json()["clientId"], r.json()["clientSecret"]))["access_token"]
    assert scene.verify(token)["code"] == 900908
    out = scene.verify(token, subscriptionRequired=False)
    assert out["authorized"] and out["applicationId"] is None if "applicationId" in out else True
    assert km.run("introspect", token=token)["username"] == "subscriber"


def test_rubbish(km, scene):
    for token in ("", " ", "x", "apim_at_", "eyJ..", "Bearer x", "'; DELETE FROM am_token; --", "\U0001f600", "a" * 60000):
        if token:
            assert scene.verify(token)["code"] == 900901
    assert km.operation("verify", {}).status_code == 400
    assert km.operation("verify", {"token": "a", "apiKey": "b"}).status_code == 400
    assert km.operation("verify", {"token": 5}).status_code == 400
    assert km.operation("verify", []).status_code == 400
    assert km.operation("teleport", {}).status_code == 404


# -- who may ask --------------------------------------------------------------------------------------------------------------------

def test_internal_operations_need_the_cluster_secret(km, env):
    for secret in ("", "x", env.secret[:-1], env.secret + "0", env.secret.upper() + "x"):
        for name in ("verify", "client-create", "teleport"):
            r = km.operation(name, {"token": "x"}, secret=secret)
            assert r.status_code == 404 and "operation" not in r.text.lower()
    assert km.post("/internal/keymgr/v1/verify", json={"token": "x"}).status_code == 404
    assert km.session.get(km.url + "/internal/keymgr/v1/verify",
                          headers={"X-Apim-Cluster-Secret": env.secret}).status_code == 405
    assert km.post("/internal/keymgr/v1/verify", data="{", headers={"X-Apim-Cluster-Secret": env.secret}).status_code == 400
    big = {"token": "x" * 200000}
    assert km.operation("verify", big).status_code == 413


# -- API keys -----------------------------------------------------------------------------------------------------------------------

def api_key(scene, **more):
    return scene.km.run("api-key-generate", **{"applicationId": scene.application, "keyType": "PRODUCTION", "name": "k",
                                               "validityPeriod": -1, "username": "subscriber", **more})


def test_api_key(scene):
    made = api_key(scene)
    assert part(made["apikey"], 0)["typ"] == "apikey+jwt" and "exp" not in claims(made["apikey"])
    out = scene.verify(api_key=made["apikey"])
    assert out["authorized"] and out["keyType"] == "PRODUCTION" and out["userType"] == "APPLICATION"
    assert out["tokenId"] == made["id"] and out["applicationId"] == scene.application and "expiresAt" not in out
    assert scene.verify(made["apikey"])["code"] == 900901  # it is no access token
    assert scene.verify(api_key=scene.km.ok_token(scene.client)["access_token"])["code"] == 900901
    set_subscription(scene, "BLOCKED")
    assert scene.verify(api_key=made["apikey"])["code"] == 900907
    set_subscription(scene, "UNBLOCKED")
    assert int(scene.db.query("SELECT COUNT(*) FROM am_api_key WHERE id = ?", (made["id"],))[0][0]) == 1


@pytest.mark.parametrize("by", ["apikey", "id"])
def test_api_key_revoked(scene, by):
    made, kept = api_key(scene), api_key(scene)
    other = str(uuid.uuid4())
    scene.km.run("api-key-revoke", applicationId=other, **{by: made[by]})
    assert scene.verify(api_key=made["apikey"])["authorized"]
    scene.km.run("api-key-revoke", applicationId=scene.application, **{by: made[by]})
    assert scene.verify(api_key=made["apikey"])["code"] == 900901
    assert scene.verify(api_key=kept["apikey"])["authorized"]
    assert int(scene.db.query("SELECT COUNT(*) FROM am_invalidation WHERE kind = 'token' AND subject = ?",
                              (made["id"],))[0][0]) == 1


def test_api_key_expires(scene):
    made = api_key(scene, validityPeriod=3600)
    out = scene.verify(api_key=made["apikey"])
    assert abs(out["expiresAt"] - now_ms() - 3600000) < 60000
    assert claims(made["apikey"])["exp"] * 1000 == out["expiresAt"]


def test_api_key_restrictions(scene):
    by_ip = api_key(scene, permittedIp="10.0.0.0/8, 192.168.1.7")["apikey"]
    out = scene.verify(api_key=by_ip, clientIp="10.9.8.7")
    assert out["authorized"] and out["cacheable"] is False
    assert scene.verify(api_key=by_ip, clientIp="192.168.1.7")["authorized"]
    assert scene.verify(api_key=by_ip, clientIp="192.168.1.8")["code"] == 900908
    assert scene.verify(api_key=by_ip)["code"] == 900908
    by_page = api_key(scene, permittedReferer="https://a.example/*")["apikey"]
    assert scene.verify(api_key=by_page, referer="https://a.example/x")["authorized"]
    assert scene.verify(api_key=by_page, referer="https://b.example/x")["code"] == 900908


def test_api_key_input(scene):
    base = {"applicationId": scene.application, "keyType": "PRODUCTION", "name": "k", "username": "subscriber"}
    for wrong in ({"keyType": "GOLD"}, {"applicationId": None}, {"permittedIp": "10.0.0.0/99"}, {"permittedIp": "here"},
                  {"validityPeriod": 0}, {"validityPeriod": -5}, {"validityPeriod": "soon"}, {"name": "a\nb"}, {"username": ""}):
        assert scene.km.operation("api-key-generate", {**base, **wrong}).status_code == 400, wrong
    assert scene.km.operation("api-key-generate", {**base, "applicationId": str(uuid.uuid4())}).status_code == 404


# -- clients ------------------------------------------------------------------------------------------------------------------------

def test_client_life(km, env):
    scene = Scene(km, env.db)
    key, secret = scene.client
    got = km.run("client-get", consumerKey=key)
    assert got["keyMappingId"] == scene.keys["keyMappingId"] and got["applicationId"] == scene.application
    assert got["grantTypes"] == ["client_credentials", "password", "refresh_token"] and got["tokenType"] == "JWT"
    assert "consumerSecret" not in got and got["keyManager"] == "Resident Key Manager" and got["validityTime"] == 3600
    changed = km.run("client-update", consumerKey=key, grantTypes=["client_credentials"], validityTime=600,
                     callbackUrls=["https://app.example/cb"])
    assert changed["grantTypes"] == ["client_credentials"] and changed["callbackUrls"] == ["https://app.example/cb"]
    assert km.run("client-get", consumerKey=key)["validityTime"] == 600
    token = km.run("token-generate", consumerKey=key, consumerSecret=secret, validityPeriod=50, scopes=["apim:subscribe"])
    # The keys of an application are no log-in to its owner's account: no scope of the REST APIs.
    assert token["expires_in"] == 50 and token["scope"] == "default" and scene.verify(token["access_token"])["authorized"]
    assert km.run("token-generate", consumerKey=key)["access_token"]
    assert km.operation("token-generate", {"consumerKey": key, "consumerSecret": "wrong"}).status_code == 400


def test_client_create_refusals(km, env):
    scene = Scene(km, env.db)
    base = {"applicationId": scene.application, "keyType": "PRODUCTION", "name": "n", "owner": "subscriber"}
    r = km.operation("client-create", base)
    assert r.status_code == 409 and r.json()["code"] == 409
    assert km.operation("client-create", {**base, "applicationId": str(uuid.uuid4())}).status_code == 404
    for wrong in ({"keyType": "X"}, {"keyType": None}, {"name": ""}, {"name": "x" * 300}, {"name": "a\x07b"}, {"owner": None},
                  {"grantTypes": ["teleport"]}, {"grantTypes": 7}, {"callbackUrls": ["javascript:x"]}, {"tokenType": "SAML"},
                  {"validityTime": -2}, {"validityTime": 1.5}, {"applicationId": 5}):
        r = km.operation("client-create", {**base, "keyType": "SANDBOX", **wrong})
        assert r.status_code == 400, (wrong, r.text)
        assert set(r.json()) == {"code", "message", "description", "moreInfo", "error"}
    for name in ("client-get", "client-update", "client-regenerate-secret", "client-delete", "token-generate"):
        assert km.operation(name, {"consumerKey": "ck_nobody"}).status_code == 404
        assert km.operation(name, {}).status_code == 400
    assert km.run("client-create", **{**base, "keyType": "SANDBOX"})["keyType"] == "SANDBOX"
