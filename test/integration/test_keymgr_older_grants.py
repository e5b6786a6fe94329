# SPDX-License-Identifier: Apache-2.0
"""What an administrator has to turn on: the password grant, tokens from the authorization endpoint (implicit, hybrid); and the
ways an answer travels (query, fragment, form)."""
import base64
import hashlib
import urllib.parse

import pytest

from browser import Browser, Client, Form, answer
from database import USERS
from keymgr import KeyManager, Scene, claims

ISSUER = "http://keys.example.com"
PASSWORD = USERS["subscriber"][0]

pytestmark = pytest.mark.databases("sqlite")


@pytest.fixture(scope="module")
def km(env):
    return KeyManager(env, env.node(["keymgr"], "on", extra=f"ApimIssuer {ISSUER}\nApimOlderGrants password implicit"))


@pytest.fixture(scope="module")
def off(env):
    return KeyManager(env, env.node(["keymgr"], "off", extra=f"ApimIssuer {ISSUER}\nApimOlderGrants None"))


@pytest.fixture(scope="module")
def app(km):
    return Client(km, grant_types=["authorization_code", "implicit", "refresh_token"])


def log_in(browser, page):
    if page.status_code == 200 and 'name="password"' in page.text:
        page = browser.log_in(page)
    if page.status_code == 200 and 'name="decision"' in page.text:
        page = browser.allow(page)
    return page


def ask(app, response_type, browser=None, **more):
    browser = browser or Browser(app.km.url)
    return log_in(browser, app.authorize(browser, response_type=response_type, **{"nonce": "n1", "scope": "openid profile", **more}))


def fragment(r):
    assert r.status_code == 303, f"{r.status_code} {r.text}"
    url = urllib.parse.urlsplit(r.headers["Location"])
    assert not url.query and r.headers["Cache-Control"] == "no-store", r.headers
    return dict(urllib.parse.parse_qsl(url.fragment, strict_parsing=True))


def half(text):
    return base64.urlsafe_b64encode(hashlib.sha256(text.encode()).digest()[:16]).rstrip(b"=").decode()


def metadata(km):
    return km.get("/.well-known/oauth-authorization-server").json()


# -- off, as long as nobody turns them on ---------------------------------------------------------------------------------------

def test_off(km, off, env):
    client = Scene(km, env.db).client  # registered for it where it is on
    r = off.token(client, "password", username="subscriber", password=PASSWORD)
    assert r.status_code == 400 and r.json()["error"] == "unsupported_grant_type" and "password" not in r.json()["error_description"]
    assert off.token(client).status_code == 200
    said = metadata(off)
    assert "password" not in said["grant_types_supported"] and "implicit" not in said["grant_types_supported"]
    assert said["response_types_supported"] == ["code"]
    for grant in ("password", "implicit"):
        r = off.post("/oauth2/register", auth=("subscriber", PASSWORD), json={"grant_types": [grant]})
        assert r.status_code == 400 and r.json()["error"] == "invalid_client_metadata" and "ApimOlderGrants" in r.text
    offered = off.run("grant-types")["grantTypes"]
    assert "password" not in offered and "authorization_code" in offered
    # scripts that register for it as always are not stopped there
    r = off.post("/client-registration/v0.17/register", auth=("admin", USERS["admin"][0]),
                 json={"clientName": "old", "grantType": "client_credentials password refresh_token", "callbackUrl": "", "owner": "admin"})
    assert r.status_code == 200 and off.token((r.json()["clientId"], r.json()["clientSecret"])).status_code == 200


@pytest.mark.parametrize("kind", ["token", "id_token", "id_token token", "code id_token", "code token"])
def test_off_at_the_authorization_endpoint(app, off, kind):
    got = answer(Browser(off.url).get("/oauth2/authorize", **app.request(response_type=kind, nonce="n", scope="openid")))
    assert got["error"] == "unsupported_response_type" and got["state"] == "st 1&2"


def test_on(km):
    said = metadata(km)
    assert {"password", "implicit"} <= set(said["grant_types_supported"])
    assert said["response_types_supported"] == ["code", "token", "id_token", "id_token token", "code id_token", "code token",
                                                "code id_token token"]
    assert said["response_modes_supported"] == ["query", "fragment", "form_post"]
    assert {"password", "implicit"} <= set(km.run("grant-types")["grantTypes"])


# -- tokens from the authorization endpoint -------------------------------------------------------------------------------------

@pytest.mark.parametrize("public", [False, True])
def test_implicit(km, public):
    app = Client(km, public, grant_types=["implicit"])
    assert app.body["response_types"] == ["token", "id_token", "id_token token"]
    got = fragment(ask(app, "token id_token"))
    assert set(got) == {"access_token", "token_type", "expires_in", "scope", "id_token", "state", "iss"}
    assert got["token_type"] == "Bearer" and int(got["expires_in"]) == 3600 and got["state"] == "st 1&2" and got["iss"] == ISSUER
    about = claims(got["id_token"])
    assert about["nonce"] == "n1" and about["aud"] == app.id and about["at_hash"] == half(got["access_token"])
    assert "c_hash" not in about and "given_name" not in about
    assert km.active(got["access_token"])
    assert km.get("/oauth2/userinfo", headers={"Authorization": "Bearer " + got["access_token"]}).json()["sub"] == "subscriber"
    r = app.redeem("x")
    assert r.json()["error"] == "unauthorized_client"


def test_a_token_alone(app):
    got = fragment(ask(app, "token", scope="apim:subscribe", nonce=None, code_challenge=None, code_challenge_method=None))
    assert set(got) == {"access_token", "token_type", "expires_in", "scope", "state", "iss"} and got["scope"] == "apim:subscribe"


def test_an_id_token_alone_tells_of_the_user(app, env):
    got = fragment(ask(app, "id_token", scope="openid profile email"))
    assert set(got) == {"id_token", "state", "iss"}
    about = claims(got["id_token"])
    assert about["sub"] == "subscriber" and about["preferred_username"] == "subscriber" and "at_hash" not in about


def test_hybrid(app):
    got = fragment(ask(app, "code id_token token"))
    about = claims(got["id_token"])
    assert about["c_hash"] == half(got["code"]) and about["at_hash"] == half(got["access_token"])
    tokens = app.redeem(got["code"]).json()
    assert claims(tokens["id_token"])["nonce"] == "n1" and tokens["refresh_token"]
    got = fragment(ask(app, "code id_token"))
    assert "access_token" not in got and claims(got["id_token"])["c_hash"] == half(got["code"])
    got = fragment(ask(app, "code token"))
    assert "id_token" not in got and app.redeem(got["code"]).status_code == 200


@pytest.mark.parametrize("wrong, error", [
    ({"nonce": None}, "invalid_request"), ({"scope": "profile"}, "invalid_scope"), ({"response_mode": "query"}, "invalid_request"),
    ({"response_type": "code id_token", "code_challenge_method": "plain"}, "invalid_request"),
    ({"response_type": "id_token id_token"}, "unsupported_response_type"), ({"response_type": "none"}, "unsupported_response_type"),
])
def test_refusals(app, wrong, error):
    r = app.authorize(Browser(app.km.url), **{"response_type": "id_token", "nonce": "n", "scope": "openid", **wrong})
    assert r.status_code == 303
    url = urllib.parse.urlsplit(r.headers["Location"])
    got = dict(urllib.parse.parse_qsl(url.fragment or url.query))
    assert got["error"] == error and not {"code", "access_token", "id_token"} & set(got)
    assert bool(url.fragment) == (error != "unsupported_response_type")


def test_a_client_needs_the_grants(km):
    only_code, only_implicit = Client(km), Client(km, grant_types=["implicit"])
    for app, kind in ((only_code, "token"), (only_code, "code id_token"), (only_implicit, "code"), (only_implicit, "code token")):
        r = app.authorize(Browser(km.url), response_type=kind, nonce="n", scope="openid")
        assert "error=unauthorized_client" in r.headers["Location"]


def test_silent_renewal(app):
    browser = Browser(app.km.url)
    assert fragment(ask(app, "id_token", browser))["id_token"]
    assert fragment(app.authorize(browser, response_type="id_token", nonce="n2", scope="openid", prompt="none"))["id_token"]
    got = fragment(app.authorize(Browser(app.km.url), response_type="id_token", nonce="n", scope="openid", prompt="none"))
    assert got["error"] == "login_required"


# -- how an answer travels ----------------------------------------------------------------------------------------------------------

@pytest.mark.parametrize("kind", ["code", "id_token"])
def test_form_post(app, kind):
    page = ask(app, kind, response_mode="form_post", state='"><script>alert(1)</script>')
    assert page.status_code == 200 and page.headers["Cache-Control"] == "no-store"
    form = Form(page.text)
    assert form.action == app.redirect_uri and form.fields["state"] == '"><script>alert(1)</script>' and form.fields["iss"] == ISSUER
    script = page.text.split("<script>")[1].split("</script>")[0]
    assert page.text.count("<script") == 1
    digest = base64.b64encode(hashlib.sha256(script.encode()).digest()).decode()
    csp = page.headers["Content-Security-Policy"]
    assert f"script-src 'sha256-{digest}'" in csp and "form-action 'self' https://app.example.com" in csp and "default-src 'none'" in csp
    if kind == "code":
        assert app.redeem(form.fields["code"]).status_code == 200
    # so do errors
    page = app.authorize(Browser(app.km.url), response_type=kind, nonce="n", scope="openid", response_mode="form_post", prompt="none")
    assert Form(page.text).fields["error"] == "login_required"


def test_a_code_in_the_fragment(app):
    assert app.redeem(fragment(ask(app, "code", response_mode="fragment"))["code"]).status_code == 200
    got = answer(app.authorize(Browser(app.km.url), response_mode="web_message"))
    assert got["error"] == "invalid_request"
