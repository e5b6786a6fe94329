# SPDX-License-Identifier: Apache-2.0
"""Clients that register themselves: RFC 7591 and 7592, and the way scripts for WSO2 do it."""
import pytest

from database import USERS
from keymgr import KeyManager

WSO2 = "/client-registration/v0.17/register"


def user(name):
    return name, USERS[name][0]


@pytest.fixture(scope="module")
def km(env):
    return KeyManager(env, env.node(["keymgr"], "keymgr"))


def wso2(km, who="admin", **body):
    return km.post(WSO2, auth=user(who), json={"callbackUrl": "www.example.org", "clientName": "rest_api", "owner": who,
                                               "grantType": "client_credentials password refresh_token", "saasApp": True,
                                               **body})


def test_wso2_registration_and_a_token_with_it(km):
    r = wso2(km)
    assert r.status_code == 200, r.text
    body = r.json()
    assert body["clientName"] == "rest_api" and body["appOwner"] == "admin" and body["isSaasApplication"] is True
    assert body["callBackURL"] == "www.example.org" and body["jsonString"] and body["tokenType"] == "JWT"
    token = km.ok_token((body["clientId"], body["clientSecret"]), "password", username="admin", password=USERS["admin"][0],
                        scope="apim:api_view apim:api_create apim:admin")
    assert token["scope"] == "apim:api_view apim:api_create apim:admin"


def test_wso2_registration_again_gives_the_same_client_and_secret(km):
    first, second = wso2(km, clientName="twice").json(), wso2(km, clientName="twice", grantType="password").json()
    assert (first["clientId"], first["clientSecret"]) == (second["clientId"], second["clientSecret"])
    assert km.token((first["clientId"], first["clientSecret"])).json()["error"] == "unauthorized_client"
    assert wso2(km, "publisher", clientName="twice").json()["clientId"] != first["clientId"]


def test_wso2_registration_refusals(km):
    assert wso2(km, owner="subscriber").status_code == 200  # an administrator may
    r = wso2(km, "subscriber", owner="admin")
    assert r.status_code == 403 and r.json()["code"] == 403
    assert wso2(km, owner="nobody-such").status_code == 400
    assert wso2(km, clientName="").status_code == 400
    assert wso2(km, clientName="a\nb").status_code == 400
    assert wso2(km, clientName="x" * 300).status_code == 400
    assert wso2(km, clientName=7).status_code == 400
    assert km.post(WSO2, json={}).status_code == 401
    r = km.post(WSO2, json={}, auth=("admin", "wrong"))
    assert r.status_code == 401 and r.headers["WWW-Authenticate"].startswith("Basic ")
    assert km.post(WSO2, auth=user("admin"), data="{", headers={"Content-Type": "application/json"}).status_code == 400
    assert km.post(WSO2, auth=user("admin"), data=b"\xff", headers={"Content-Type": "application/json"}).status_code == 400
    assert km.post(WSO2, auth=user("admin"), data="[" * 100).status_code == 400
    assert km.post(WSO2, auth=user("admin"), data="{}" * 200000).status_code == 413
    assert km.post(WSO2, auth=user("admin"), data="a=b",
                   headers={"Content-Type": "application/x-www-form-urlencoded"}).status_code == 415
    assert km.get(WSO2).status_code == 405


@pytest.mark.parametrize("text", ["x'; DROP TABLE am_oauth_client; --", 'a"b\\c', "<script>alert(1)</script>", "%s %ld %n",
                                  "päpärs \U0001f600", "a\r\nSet-Cookie: x=1"])
def test_hostile_names(km, env, text):
    r = wso2(km, clientName=text)
    if "\n" in text:
        assert r.status_code == 400 and "Set-Cookie" not in r.headers
    else:
        assert r.status_code == 200 and r.json()["clientName"] == text
    assert int(env.db.query("SELECT COUNT(*) FROM am_oauth_client")[0][0]) > 0


def register(km, auth=None, **body):
    return km.post("/oauth2/register", auth=auth or user("subscriber"), json=body)


def test_rfc7591_and_7592_round_trip(km):
    r = register(km, client_name="mine", grant_types=["client_credentials", "authorization_code"],
                 redirect_uris=["https://app.example.com/cb"], scope="read write", software_id="s-1")
    assert r.status_code == 201 and r.headers["Cache-Control"] == "no-store", r.text
    c = r.json()
    assert c["client_secret_expires_at"] == 0 and c["client_id_issued_at"] > 0 and c["software_id"] == "s-1"
    assert c["grant_types"] == ["client_credentials", "authorization_code"] and c["scope"] == "read write"
    assert c["registration_client_uri"] == km.url + "/oauth2/register/" + c["client_id"]
    assert km.token((c["client_id"], c["client_secret"])).status_code == 200

    path, bearer = "/oauth2/register/" + c["client_id"], {"Authorization": "Bearer " + c["registration_access_token"]}
    got = km.get(path, headers=bearer)
    assert got.status_code == 200 and got.json()["client_secret"] == c["client_secret"]
    assert got.json()["redirect_uris"] == ["https://app.example.com/cb"]
    changed = km.session.put(km.url + path, headers=bearer, json={"client_id": c["client_id"], "client_name": "other",
                                                                  "grant_types": ["password"]})
    assert changed.status_code == 200 and changed.json()["grant_types"] == ["password"], changed.text
    assert "scope" not in changed.json() and changed.json()["redirect_uris"] == []
    assert km.token((c["client_id"], c["client_secret"])).json()["error"] == "unauthorized_client"
    assert km.session.put(km.url + path, headers=bearer, json={"client_id": "ck_other"}).status_code == 400

    for wrong in ({}, {"Authorization": "Bearer x"}, {"Authorization": "Bearer " + c["client_secret"]}):
        r = km.get(path, headers=wrong)
        assert r.status_code == 401 and r.headers["WWW-Authenticate"].startswith("Bearer ")
    assert km.get("/oauth2/register/ck_" + "A" * 27, headers=bearer).status_code == 401
    assert km.session.delete(km.url + path, headers=bearer).status_code == 204
    assert km.get(path, headers=bearer).status_code == 401
    assert km.token((c["client_id"], c["client_secret"])).status_code == 401


@pytest.mark.parametrize("uri", ["https://app.example.com/cb#frag", "https://app.example.com/*", "javascript:alert(1)",
                                 "JavaScript:alert(1)", "data:text/html,x", "https://user:pw@app.example.com/", "/relative",
                                 "http://", "https://a b/", "https://app\\@evil/", 7, "https://" + "a" * 3000])
def test_redirect_uris_that_are_refused(km, uri):
    r = register(km, redirect_uris=[uri])
    assert r.status_code == 400 and r.json()["error"] == "invalid_redirect_uri", r.text


def test_rfc7591_refusals(km):
    assert register(km, grant_types=["teleport"]).json()["error"] == "invalid_client_metadata"
    assert register(km, token_endpoint_auth_method="magic").json()["error"] == "invalid_client_metadata"
    assert register(km, client_name=["x"]).json()["error"] == "invalid_client_metadata"
    assert register(km, auth=("subscriber", "wrong")).status_code == 401
    assert register(km, redirect_uris=["https://a.example/"] * 40).json()["error"] == "invalid_redirect_uri"


def test_registration_with_a_bearer_token(km):
    client = wso2(km, "subscriber", clientName="bearer").json()
    auth = (client["clientId"], client["clientSecret"])
    good = km.ok_token(auth, "password", username="subscriber", password=USERS["subscriber"][0], scope="apim:subscribe")
    poor = km.ok_token(auth, "password", username="subscriber", password=USERS["subscriber"][0])
    own = km.ok_token(auth)
    bearer = {"Authorization": "Bearer " + good["access_token"]}
    assert km.post("/oauth2/register", headers=bearer, json={}).status_code == 201
    for token in (poor["access_token"], own["access_token"], "rubbish", good["refresh_token"]):
        assert km.post("/oauth2/register", headers={"Authorization": "Bearer " + token}, json={}).status_code == 401
