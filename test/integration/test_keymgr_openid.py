# SPDX-License-Identifier: Apache-2.0
"""OpenID Connect: ID tokens, user information, discovery, logout, and what clients that others wrote make of them."""
import base64
import hashlib
import json
import pathlib
import subprocess
import urllib.parse

import pytest
from jwcrypto import jwk, jwt

from browser import Browser, Client, Form, answer
from database import USERS
from keymgr import KeyManager, Scene, claims, now_ms, part

NPM = pathlib.Path(__file__).resolve().parents[1] / "npm"
PASSWORD = USERS["subscriber"][0]


@pytest.fixture(scope="module")
def km(env):
    km = KeyManager(env, env.node(["keymgr"], "keymgr"))
    env.db.query("UPDATE um_user SET given_name = 'Susan', family_name = 'Scriber', email = 'susan@example.com' WHERE username = 'subscriber'")
    return km


@pytest.fixture(scope="module")
def app(km):
    return Client(km, post_logout_redirect_uris=["https://app.example.com/bye", "https://app.example.com/bye?a=b"])


def userinfo(km, token, method="GET"):
    return km.session.request(method, km.url + "/oauth2/userinfo", headers={"Authorization": "Bearer " + token} if token else {}, timeout=60)


def test_id_token(km, app):
    before = now_ms() // 1000
    tokens = app.tokens(scope="openid", nonce="n-0S6_WzA2Mj")
    assert tokens["scope"] == "openid"
    keys = jwk.JWKSet.from_json(km.get("/oauth2/jwks").text)
    checked = jwt.JWT(jwt=tokens["id_token"], key=keys, check_claims={"iss": km.url, "aud": app.id, "nonce": "n-0S6_WzA2Mj"})
    c = json.loads(checked.claims)
    assert part(tokens["id_token"], 0)["typ"] == "JWT" and c["sub"] == "subscriber" and c["azp"] == app.id
    assert before <= c["iat"] and before - 60 <= c["auth_time"] <= c["iat"] and c["exp"] - c["iat"] == tokens["expires_in"]
    half = hashlib.sha256(tokens["access_token"].encode()).digest()[:16]
    assert c["at_hash"] == base64.urlsafe_b64encode(half).rstrip(b"=").decode()
    assert set(c) == {"iss", "sub", "aud", "azp", "iat", "exp", "auth_time", "nonce", "at_hash"}


def test_no_id_token_without_openid_or_of_an_application(km, app):
    assert "id_token" not in app.tokens(scope="profile")
    client = Client(km, grant_types=["client_credentials"])
    assert km.ok_token((client.id, client.secret), scope="openid profile email")["scope"] == "default"


def test_an_id_token_is_no_access_token(km, env, app):
    token = app.tokens(scope="openid")["id_token"]
    assert not km.active(token) and userinfo(km, token).status_code == 401
    assert Scene(km, env.db).verify(token)["code"] == 900901
    assert km.post("/oauth2/introspect", auth=(app.id, app.secret), data={"token": token}).json() == {"active": False}


def test_userinfo(km, env, app):
    token = app.tokens(scope="openid profile email")["access_token"]
    for method in ("GET", "POST"):
        r = userinfo(km, token, method)
        body = r.json()
        assert r.status_code == 200 and r.headers["Cache-Control"] == "no-store" and body.pop("updated_at") > 0
        assert body == {"sub": "subscriber", "preferred_username": "subscriber", "name": "Susan Scriber", "given_name": "Susan",
                        "family_name": "Scriber", "email": "susan@example.com", "email_verified": False}
    assert userinfo(km, app.tokens(scope="openid")["access_token"]).json() == {"sub": "subscriber"}
    # the same token introspected
    assert km.run("introspect", token=token)["scope"] == "openid profile email"


def test_userinfo_refusals(km, env, app):
    r = userinfo(km, None)
    assert r.status_code == 401 and r.headers["WWW-Authenticate"] == 'Bearer realm="API Manager"'
    r = userinfo(km, "rubbish")
    assert r.status_code == 401 and 'error="invalid_token"' in r.headers["WWW-Authenticate"]
    r = userinfo(km, app.tokens(scope="profile")["access_token"])
    assert r.status_code == 403 and 'error="insufficient_scope"' in r.headers["WWW-Authenticate"]
    token = app.tokens(scope="openid")["access_token"]
    assert km.get("/oauth2/userinfo?access_token=" + token).status_code == 401  # never in a URL
    env.db.query("UPDATE um_user SET status = 'LOCKED' WHERE username = 'subscriber'")
    try:
        assert userinfo(km, token).status_code == 401
    finally:
        env.db.query("UPDATE um_user SET status = 'ACTIVE' WHERE username = 'subscriber'")
    assert userinfo(km, token).status_code == 200
    km.post("/oauth2/revoke", auth=(app.id, app.secret), data={"token": token})
    assert userinfo(km, token).status_code == 401


def test_discovery(km):
    m = km.get("/.well-known/openid-configuration").json()
    assert m == km.get("/.well-known/oauth-authorization-server").json() and m["issuer"] == km.url
    for name in ("authorization", "token", "userinfo", "end_session", "registration", "revocation", "introspection"):
        assert m[name + "_endpoint"].startswith(km.url + "/oauth2/")
    assert m["subject_types_supported"] == ["public"] and m["id_token_signing_alg_values_supported"] == ["ES256"]
    assert m["request_uri_parameter_supported"] is False and "openid" in m["scopes_supported"]


def test_registration(km, app):
    assert app.body["post_logout_redirect_uris"][0] == "https://app.example.com/bye" and app.body["id_token_signed_response_alg"] == "ES256"

    def register(**body):
        return km.post("/oauth2/register", auth=("subscriber", PASSWORD), json=body)

    for wrong in ({"id_token_signed_response_alg": "none"}, {"id_token_signed_response_alg": "HS256"}, {"post_logout_redirect_uris": ["javascript:1"]},
                  {"post_logout_redirect_uris": ["https://a.example/#x"]}):
        r = register(**wrong)
        assert r.status_code == 400 and r.json()["error"] == "invalid_client_metadata", r.text


def test_id_token_hint(km, app):
    browser = Browser(km.url)
    hint = app.tokens(browser, scope="openid")["id_token"]
    assert answer(app.authorize(browser, scope="openid", prompt="none", id_token_hint=hint))["code"]
    other = Browser(km.url)
    app.code(other, "publisher", scope="openid")
    assert answer(app.authorize(other, scope="openid", prompt="none", id_token_hint=hint))["error"] == "login_required"
    page = app.authorize(other, scope="openid", id_token_hint=hint)
    assert Form(page.text).fields["username"] == "subscriber"
    assert answer(other.log_in(page, "publisher"))["error"] == "login_required"
    assert answer(other.log_in(page, "subscriber"))["code"]
    for wrong in ("rubbish", hint[:-4] + "AAAA", app.tokens(scope="openid")["access_token"], Client(km).tokens(scope="openid")["id_token"]):
        assert answer(app.authorize(browser, id_token_hint=wrong))["error"] == "invalid_request"


# -- logout -----------------------------------------------------------------------------------------------------------------------

def logged_in(app, browser):
    return "code" in answer(app.authorize(browser, scope="openid", prompt="none"))


def test_logout_with_a_hint(km, env, app):
    browser = Browser(km.url)
    hint = app.tokens(browser, scope="openid")["id_token"]
    cookie = browser.session.cookies["apim_login"]
    r = browser.get("/oauth2/logout", id_token_hint=hint, post_logout_redirect_uri="https://app.example.com/bye", state="a&b")
    assert r.status_code == 303 and r.headers["Location"] == "https://app.example.com/bye?state=a%26b"
    assert "apim_login" not in browser.session.cookies and not logged_in(app, browser)
    browser.session.cookies.set("apim_login", cookie)
    assert not logged_in(app, browser)  # dead at the server, not only forgotten by the browser
    # nobody is logged in: the same answer
    r = browser.get("/oauth2/logout", client_id=app.id, post_logout_redirect_uri="https://app.example.com/bye?a=b", state="s")
    assert r.status_code == 303 and r.headers["Location"] == "https://app.example.com/bye?a=b&state=s"
    r = browser.get("/oauth2/logout")
    assert r.status_code == 200 and "You are logged out" in r.text


def test_logout_without_a_hint_asks(km, app):
    browser = Browser(km.url)
    app.code(browser, scope="openid")
    page = browser.get("/oauth2/logout", client_id=app.id, post_logout_redirect_uri="https://app.example.com/bye")
    assert page.status_code == 200 and "Log out?" in page.text and "form-action 'self' https://app.example.com" in page.headers["Content-Security-Policy"]
    assert logged_in(app, browser)
    assert Browser(km.url).submit(page).headers.get("Location") is None  # of another browser
    for change in ({"seal": "A" * 43}, {"request": ""}, {"expires": "1"}):
        assert browser.submit(page, **change).status_code == 403
    assert browser.submit(page, headers={"Sec-Fetch-Site": "cross-site"}).status_code == 403
    assert logged_in(app, browser)
    r = browser.submit(page)
    assert r.status_code == 303 and r.headers["Location"] == "https://app.example.com/bye" and not logged_in(app, browser)


@pytest.mark.parametrize("change", [{"post_logout_redirect_uri": "https://evil.example/"}, {"post_logout_redirect_uri": "https://app.example.com/bye/"},
                                    {"post_logout_redirect_uri": "https://app.example.com/cb"}, {"client_id": "ck_other"}, {"client_id": None},
                                    {"id_token_hint": "rubbish"}])
def test_logout_goes_nowhere_unknown(km, app, change):
    browser = Browser(km.url)
    app.code(browser, scope="openid")
    params = {"client_id": app.id, "post_logout_redirect_uri": "https://app.example.com/bye", **change}
    r = browser.get("/oauth2/logout", **{k: v for k, v in params.items() if v})
    assert r.status_code == 400 and "Location" not in r.headers and logged_in(app, browser)


def test_logout_with_anothers_hint_asks(km, app):
    hint = app.tokens(who="publisher", scope="openid")["id_token"]
    browser = Browser(km.url)
    app.code(browser, scope="openid")
    assert "Log out?" in browser.get("/oauth2/logout", id_token_hint=hint).text and logged_in(app, browser)


# -- programs in browsers ------------------------------------------------------------------------------------------------------------

def test_cors(km):
    origin = {"Origin": "https://spa.example.com"}
    for path in ("/oauth2/token", "/oauth2/revoke", "/oauth2/userinfo", "/oauth2/jwks", "/.well-known/openid-configuration"):
        r = km.session.options(km.url + path, headers={**origin, "Access-Control-Request-Method": "POST",
                                                       "Access-Control-Request-Headers": "authorization"}, timeout=60)
        assert r.status_code == 204 and r.headers["Access-Control-Allow-Origin"] == "*", path
        assert "Authorization" in r.headers["Access-Control-Allow-Headers"] and "Access-Control-Allow-Credentials" not in r.headers
    assert km.post("/oauth2/token", headers=origin).headers["Access-Control-Allow-Origin"] == "*"
    for path in ("/oauth2/authorize", "/oauth2/logout", "/oauth2/introspect", "/oauth2/register"):
        assert "Access-Control-Allow-Origin" not in km.get(path, headers=origin).headers


# -- clients that others wrote --------------------------------------------------------------------------------------------------------

@pytest.mark.parametrize("method, par", [("client_secret_basic", False), ("client_secret_post", True), ("none", False), ("none", True),
                                         ("client_secret_jwt", False), ("private_key_jwt", True)])
def test_oauth4webapi(km, method, par):
    """Throws where an answer deviates from the specifications: discovery, pushed requests, iss, ID token with nonce, at_hash and
    auth_time, its signature, userinfo, refresh, introspection, revocation."""
    assert (NPM / "node_modules" / "oauth4webapi").is_dir(), "run npm ci in test/npm (./check does it)"
    job = {"redirect_uri": "https://app.example.com/cb", "issuer": km.url, "method": method, "par": par, "scope": "openid profile email"}
    more = {"token_endpoint_auth_method": method, "require_pushed_authorization_requests": par}
    if method == "private_key_jwt":
        key = jwk.JWK.generate(kty="EC", crv="P-256", alg="ES256", kid="k1", use="sig")
        job["jwk"] = json.loads(key.export())
        more["jwks"] = {"keys": [json.loads(key.export_public())]}
    client, browser = Client(km, **more), Browser(km.url)
    job.update(client_id=client.id, client_secret=client.secret)
    with subprocess.Popen(["node", NPM / "relying_party.mjs", json.dumps(job)], stdin=subprocess.PIPE, stdout=subprocess.PIPE,
                          stderr=subprocess.PIPE, text=True) as node:
        url = node.stdout.readline().strip()
        if not url:
            pytest.fail(node.communicate(timeout=60)[1])
        page = browser.session.get(url, allow_redirects=False, timeout=60)
        back = browser.allow(browser.log_in(page)).headers["Location"]
        out, said = node.communicate(back + "\n", timeout=60)
    assert node.returncode == 0, said
    got = json.loads(out)
    assert got["claims"]["sub"] == got["userinfo"]["sub"] == "subscriber" and got["userinfo"]["email"] == "susan@example.com"
    assert got["scope"] == "openid profile email" and got["refreshed"]
    if method != "none":
        assert got["introspected"] is True and got["after_revocation"] is False


def test_authlib_checks_the_id_token(km, app):
    jose = pytest.importorskip("authlib.jose")
    core = pytest.importorskip("authlib.oidc.core")
    tokens = app.tokens(scope="openid", nonce="abc")
    keys = jose.JsonWebKey.import_key_set(km.get("/oauth2/jwks").json())
    token = jose.JsonWebToken(["ES256"]).decode(tokens["id_token"], keys, claims_cls=core.CodeIDToken,
                                                claims_options={"iss": {"value": km.url}, "aud": {"value": app.id}},
                                                claims_params={"nonce": "abc", "client_id": app.id, "access_token": tokens["access_token"]})
    token.validate()
    assert token["sub"] == claims(tokens["access_token"])["sub"]
    assert urllib.parse.urlsplit(token["iss"]).scheme == "http"
