# SPDX-License-Identifier: Apache-2.0
"""Resource indicators (RFC 8707): tokens for one API or gateway, and for nothing else."""
import pytest

from browser import Browser, Client, answer
from database import USERS
from keymgr import KeyManager, Scene, claims

ISSUER, GATEWAY = "http://keys.example.com", "https://api.example.com/base"
DEVICE = "urn:ietf:params:oauth:grant-type:device_code"


@pytest.fixture(scope="module")
def km(env):
    return KeyManager(env, env.node(["keymgr"], "keymgr", extra=f"ApimIssuer {ISSUER}\nApimTokenResource {GATEWAY} https://other.example.com/"))


@pytest.fixture(scope="module", params=["JWT", "OAUTH"])
def scene(km, env, request):
    scene = Scene(km, env.db, token_type=request.param)
    scene.url = GATEWAY + scene.context
    return scene


@pytest.fixture(scope="module")
def other(km, env):
    return Scene(km, env.db)


def audience(km, client, token):
    r = km.post("/oauth2/introspect", auth=client, data={"token": token})
    assert r.json()["active"], r.text
    return r.json()["aud"]


def invalid_target(r):
    assert r.status_code == 400 and r.json()["error"] == "invalid_target", f"{r.status_code} {r.text}"


def login(scene, **more):
    return scene.km.token(scene.client, "password", username="subscriber", password=USERS["subscriber"][0], **more)


def refresh(scene, token, **more):
    return scene.km.token(scene.client, "refresh_token", refresh_token=token, **more)


def test_a_token_for_one_api_opens_no_other(km, scene, other):
    scene.db.query("INSERT INTO am_subscription (id, application_id, api_id, tier, status, created_at, updated_at) VALUES "
                   "(?, ?, ?, 'Gold', 'UNBLOCKED', 1, 1)", ("sub-" + scene.application, scene.application, other.api))
    there = {"apiId": other.api, "context": other.context}
    usual = km.ok_token(scene.client)["access_token"]
    assert scene.verify(usual)["authorized"] and scene.verify(usual, **there)["authorized"]
    assert audience(km, scene.client, usual) == ISSUER
    token = km.ok_token(scene.client, resource=scene.url)["access_token"]
    assert audience(km, scene.client, token) == scene.url
    assert scene.verify(token)["authorized"]
    assert scene.verify(token, **there)["code"] == 900901
    both = km.ok_token(scene.client, resource=[scene.url, GATEWAY + other.context])["access_token"]
    assert audience(km, scene.client, both) == [scene.url, GATEWAY + other.context]
    assert scene.verify(both)["authorized"] and scene.verify(both, **there)["authorized"]
    for whole in (GATEWAY, GATEWAY + "/", "https://other.example.com", ISSUER):
        token = km.ok_token(scene.client, resource=whole)["access_token"]
        assert scene.verify(token, **there)["authorized"], whole
    deeper = km.ok_token(scene.client, resource=scene.url + "/menu/7")["access_token"]
    assert scene.verify(deeper)["authorized"] and not scene.verify(deeper, **there)["authorized"]


def test_what_is_no_target(km, scene):
    for resource in ("https://evil.example.com" + scene.context, GATEWAY + "/nothing/1.0", GATEWAY + scene.context + "x",
                     GATEWAY + "x", "/relative", "urn:thing", scene.url + "#f", scene.url + "?a=b", scene.url + " x",
                     "https://api.example.com" + scene.context, "https://u@api.example.com/base", "x" * 3000,
                     scene.client[0]):
        invalid_target(km.token(scene.client, resource=resource))
    invalid_target(km.token(scene.client, resource=[scene.url, "https://evil.example.com"]))
    invalid_target(km.token(scene.client, resource=[scene.url] * 17))
    assert km.token(scene.client, resource="").status_code == 200  # no value: absent
    # only targets may be repeated
    r = km.token(scene.client, scope=["a", "b"])
    assert r.status_code == 400 and r.json()["error"] == "invalid_request"


def test_refresh_keeps_and_narrows(km, scene, other):
    there = GATEWAY + other.context
    first = login(scene, resource=[scene.url, there]).json()
    assert audience(km, scene.client, first["access_token"]) == [scene.url, there]
    second = refresh(scene, first["refresh_token"], resource=there).json()
    assert audience(km, scene.client, second["access_token"]) == there
    third = refresh(scene, second["refresh_token"]).json()
    assert audience(km, scene.client, third["access_token"]) == [scene.url, there]
    invalid_target(refresh(scene, third["refresh_token"], resource=GATEWAY))
    invalid_target(refresh(scene, third["refresh_token"], resource=ISSUER))
    assert refresh(scene, third["refresh_token"], resource=scene.url + "/menu").status_code == 200
    # a grant without restriction: any target, and the next may be without again
    free = login(scene).json()
    narrow = refresh(scene, free["refresh_token"], resource=scene.url).json()
    assert audience(km, scene.client, narrow["access_token"]) == scene.url
    wide = refresh(scene, narrow["refresh_token"]).json()
    assert audience(km, scene.client, wide["access_token"]) == ISSUER
    # a gateway as a whole covers its APIs
    whole = login(scene, resource=GATEWAY).json()
    assert audience(km, scene.client, refresh(scene, whole["refresh_token"], resource=scene.url).json()["access_token"]) == scene.url


@pytest.mark.databases("sqlite")
def test_codes(km, scene, other):
    app, browser = Client(km), Browser(km.url)
    there = GATEWAY + other.context
    got = app.code(browser, resource=[scene.url, there])
    token = app.redeem(got["code"], resource=there).json()
    assert claims(token["access_token"])["aud"] == there
    token = km.token((app.id, app.secret), "refresh_token", refresh_token=token["refresh_token"]).json()
    assert claims(token["access_token"])["aud"] == [scene.url, there]
    code = app.code(browser, resource=scene.url)["code"]
    invalid_target(app.redeem(code, resource=there))
    assert claims(app.redeem(code).json()["access_token"])["aud"] == scene.url  # a mistake does not use the code up
    assert claims(app.redeem(app.code(browser)["code"], resource=there).json()["access_token"])["aud"] == there
    wrong = app.code(browser, resource="https://evil.example.com/")
    assert wrong["error"] == "invalid_target" and "code" not in wrong


@pytest.mark.databases("sqlite")
def test_pushed_requests(km, scene, other):
    app, browser = Client(km), Browser(km.url)
    both = [scene.url, GATEWAY + other.context]
    r = km.post("/oauth2/par", auth=(app.id, app.secret), data=app.request(resource=both))
    assert r.status_code == 201, r.text
    page = browser.get("/oauth2/authorize", client_id=app.id, request_uri=r.json()["request_uri"])
    code = answer(browser.allow(browser.log_in(page)))["code"]
    assert claims(app.redeem(code).json()["access_token"])["aud"] == both
    invalid_target(km.post("/oauth2/par", auth=(app.id, app.secret), data=app.request(resource="https://evil.example.com/")))


@pytest.mark.databases("sqlite")
def test_devices(km, scene):
    tv, browser = Client(km, public=True, grant_types=[DEVICE]), Browser(km.url)
    invalid_target(km.post("/oauth2/device_authorization", data={"client_id": tv.id, "resource": "https://evil.example.com/"}))
    r = km.post("/oauth2/device_authorization", data={"client_id": tv.id, "resource": scene.url}).json()
    page = browser.submit(browser.get("/oauth2/device"), user_code=r["user_code"])
    assert browser.allow(browser.log_in(page)).status_code == 200
    form = {"grant_type": DEVICE, "client_id": tv.id, "device_code": r["device_code"]}
    invalid_target(km.post("/oauth2/token", data={**form, "resource": GATEWAY}))
    assert claims(km.post("/oauth2/token", data=form).json()["access_token"])["aud"] == scene.url


@pytest.mark.databases("sqlite")
def test_a_token_for_an_api_is_no_log_in_here(km, scene):
    """Userinfo, registration and the portal's REST APIs are not what it is meant for."""
    app, browser = Client(km), Browser(km.url)
    usual = app.tokens(browser, scope="openid apim:subscribe")["access_token"]
    narrow = app.tokens(browser, scope="openid apim:subscribe", resource=scene.url)["access_token"]
    for token, good in ((usual, True), (narrow, False)):
        bearer = {"Authorization": "Bearer " + token}
        assert km.get("/oauth2/userinfo", headers=bearer).status_code == (200 if good else 401)
        r = km.post("/oauth2/register", headers=bearer, json={"grant_types": ["client_credentials"]})
        assert r.status_code == (201 if good else 401), r.text
        assert km.active(token) is good
    assert km.post("/oauth2/revoke", auth=(app.id, app.secret), data={"token": narrow}).status_code == 200
    assert scene.verify(narrow)["code"] == 900901


@pytest.mark.databases("sqlite")
def test_an_audience_of_ones_own(env):
    """ApimTokenAudience: what it names is the default, and a target like others."""
    km = KeyManager(env, env.node(["keymgr"], "named", extra=f"ApimIssuer {ISSUER}\nApimTokenAudience gateways"))
    scene = Scene(km, env.db)
    assert claims(km.ok_token(scene.client)["access_token"])["aud"] == "gateways"
    assert claims(km.ok_token(scene.client, resource=ISSUER)["access_token"])["aud"] == ISSUER
    token = km.ok_token(scene.client, resource=ISSUER + scene.context)["access_token"]
    assert scene.verify(token)["authorized"] and scene.verify(km.ok_token(scene.client)["access_token"])["authorized"]
    invalid_target(km.token(scene.client, resource=GATEWAY))
    invalid_target(km.token(scene.client, resource="gateways"))
