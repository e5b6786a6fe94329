# SPDX-License-Identifier: Apache-2.0
"""The authorization code grant: log-in and consent pages, PKCE, codes, and what an attacker tries with them."""
import concurrent.futures
import urllib.parse

import pytest
import requests

from browser import Browser, Client, Form, answer, challenge_of, pkce
from database import USERS
from keymgr import KeyManager, claims, now_ms

PASSWORD = USERS["subscriber"][0]


@pytest.fixture(scope="module")
def nodes(env):
    """Two Key Managers of one issuer, as behind a balancer."""
    first = env.node(["keymgr"], "km-a", extra="ApimIssuer http://keys.example.com")
    second = env.node(["keymgr"], "km-b", extra="ApimIssuer http://keys.example.com")
    return KeyManager(env, first), KeyManager(env, second)


@pytest.fixture(scope="module")
def km(nodes):
    return nodes[0]


@pytest.fixture(scope="module")
def app(km):
    return Client(km)


@pytest.fixture(scope="module")
def spa(km):
    return Client(km, public=True)


def is_page(r, status, text=""):
    assert r.status_code == status, f"{r.status_code} {r.text}"
    assert "Location" not in r.headers and r.headers["Content-Type"] == "text/html; charset=utf-8"
    assert text in r.text and "<script" not in r.text, r.text
    csp = r.headers["Content-Security-Policy"]
    assert "default-src 'none'" in csp and "frame-ancestors 'none'" in csp and "script-src" not in csp
    assert r.headers["X-Frame-Options"] == "DENY" and r.headers["Cache-Control"] == "no-store"
    assert r.headers["Referrer-Policy"] == "no-referrer" and r.headers["X-Content-Type-Options"] == "nosniff"


def refused(r, error="invalid_grant", status=400):
    assert r.status_code == status and r.json()["error"] == error, f"{r.status_code} {r.text}"


# -- the way through ----------------------------------------------------------------------------------------------------------

@pytest.mark.parametrize("public", [False, True])
def test_log_in_consent_code_token(km, public):
    client, browser = Client(km, public), Browser(km.url)
    page = client.authorize(browser, scope="apim:subscribe apim:admin nonsense")
    is_page(page, 200, "The app")
    page = browser.log_in(page)
    is_page(page, 200, "Manage your subscriptions in the Store")
    shown = page.text[page.text.index("<ul>"):page.text.index("</ul>")]
    assert shown.count("<li>") == 1 and "apim:subscribe" in shown and "app.example.com" in page.text
    got = answer(browser.allow(page))
    assert got["state"] == "st 1&2" and got["iss"] == "http://keys.example.com" and set(got) == {"code", "state", "iss"}
    r = client.redeem(got["code"])
    assert r.status_code == 200 and r.headers["Cache-Control"] == "no-store", r.text
    tokens = r.json()
    assert tokens["scope"] == "apim:subscribe" and tokens["token_type"] == "Bearer"
    assert claims(tokens["access_token"])["sub"] == "subscriber" and km.active(tokens["access_token"])
    auth = {"auth": (client.id, client.secret)} if client.secret else {}
    form = {} if client.secret else {"client_id": client.id}
    again = km.post("/oauth2/token", data={"grant_type": "refresh_token", "refresh_token": tokens["refresh_token"], **form}, **auth)
    assert again.status_code == 200 and again.json()["refresh_token"] != tokens["refresh_token"]
    # a second time: logged in, consented
    assert client.redeem(answer(client.authorize(browser, scope="apim:subscribe"))["code"]).status_code == 200
    assert answer(client.authorize(browser, scope="apim:subscribe", prompt="none"))["code"]
    # more than was consented to is asked again
    is_page(client.authorize(browser, scope="apim:subscribe apim:app_manage"), 200, "Allow access?")
    is_page(client.authorize(browser, scope="apim:subscribe", prompt="consent"), 200, "Allow access?")
    assert answer(client.authorize(browser, scope="apim:app_manage", prompt="none"))["error"] == "consent_required"


def test_each_step_at_another_key_manager(nodes):
    first, second = nodes
    client, browser = Client(first), Browser(first.url)
    page = client.authorize(browser)
    page = browser.submit(page, url=second.url, username="subscriber", password=PASSWORD)
    got = answer(browser.submit(page, url=first.url, decision="allow"))
    client.km = second
    assert client.redeem(got["code"]).status_code == 200
    browser.url = second.url
    assert answer(client.authorize(browser))["code"]


def test_post_is_a_request_too(km):
    app, browser = Client(km), Browser(km.url)
    page = browser.session.post(km.url + "/oauth2/authorize", data=app.request(), allow_redirects=False)
    assert answer(browser.allow(browser.log_in(page)))["code"]


def test_opaque_tokens(km):
    client = Client(km, token_type_extension="OAUTH")
    tokens = client.tokens()
    assert tokens["access_token"].startswith("apim_at_") and km.active(tokens["access_token"])


def test_the_user_says_no(km, app):
    browser = Browser(km.url)
    page = browser.log_in(app.authorize(browser, prompt="consent"))
    got = answer(browser.submit(page, decision="deny"))
    assert got["error"] == "access_denied" and got["state"] == "st 1&2" and got["iss"] == "http://keys.example.com"
    assert answer(browser.submit(page))["error"] == "access_denied"  # a form without a decision is none


def test_what_a_publisher_says_of_a_scope(km, env, app):
    env.db.query("INSERT INTO am_scope (name, display_name, description) VALUES ('menu:order', 'Order', 'Order a <pizza> in your name')")
    browser = Browser(km.url)
    page = browser.log_in(app.authorize(browser, scope="menu:order"))
    is_page(page, 200, "Order a &lt;pizza&gt; in your name")
    assert app.redeem(answer(browser.allow(page))["code"]).json()["scope"] == "menu:order"


# -- prompt, max_age, login_hint ------------------------------------------------------------------------------------------------

def test_prompt_and_max_age(km, env):
    app, browser = Client(km), Browser(km.url)
    assert answer(app.authorize(browser, prompt="none"))["error"] == "login_required"
    assert app.code(browser)["code"]
    assert answer(app.authorize(browser, prompt="none"))["code"]
    is_page(app.authorize(browser, prompt="login"), 200, "Password")
    is_page(app.authorize(browser, prompt="select_account"), 200, "Password")
    assert answer(browser.log_in(app.authorize(browser, prompt="login")))["code"]
    assert answer(app.authorize(browser, max_age="1000"))["code"]
    env.db.query("UPDATE am_login_session SET auth_time = auth_time - 2000000")
    is_page(app.authorize(browser, max_age="1000"), 200, "Password")
    assert answer(app.authorize(browser, max_age="1000", prompt="none"))["error"] == "login_required"
    assert answer(browser.log_in(app.authorize(browser, max_age="1000")))["code"]
    for wrong in ({"max_age": "-1"}, {"max_age": "x"}, {"prompt": "none login"}, {"prompt": "teleport"}):
        assert answer(app.authorize(browser, **wrong))["error"] == "invalid_request", wrong


def test_login_hint_and_markup(km, app):
    page = app.authorize(Browser(km.url), login_hint='"><script>alert(1)</script>', state='"><script>alert(2)</script>')
    is_page(page, 200, "&lt;script&gt;")
    assert Form(page.text).fields["username"] == '"><script>alert(1)</script>'
    hostile = Client(km, client_name="<img src=x onerror=alert(1)>")
    is_page(hostile.authorize(Browser(km.url)), 200, "&lt;img src=x")


# -- where answers go: statements 1, 2, 3 of RFC 9700's open redirector and redirect matching attacks -----------------------------

BAD_URIS = ["https://app.example.com/cb/", "https://app.example.com/cb?x=1", "https://app.example.com/cb#f", "https://app.example.com/CB",
            "https://app.example.com/cb/../cb", "https://app.example.com/cb/..;/x", "https://app.example.com/%63b",
            "https://app.example.com@evil.example/cb", "https://user:pw@app.example.com/cb", "https://app.example.com.evil.example/cb",
            "https://app.example.com:8443/cb", "http://app.example.com/cb", "https://app.example.com\\@evil.example/cb",
            "https://app.example.com/cb\n", "\thttps://app.example.com/cb", "HTTPS://app.example.com/cb", "https://\u0430pp.example.com/cb",
            "javascript:alert(1)", "JavaScript:alert(1)//https://app.example.com/cb", "data:text/html,x", "//app.example.com/cb", "/cb", "*",
            "http://127.0.0.1/cb", None]


@pytest.mark.parametrize("uri", BAD_URIS)
def test_an_unregistered_redirect_uri_is_never_gone_to(km, app, uri):
    is_page(app.authorize(Browser(km.url), redirect_uri=uri), 400)
    is_page(app.authorize(Browser(km.url), redirect_uri=uri, prompt="none", response_type="x"), 400)


def test_an_unknown_client_is_never_answered(km, app):
    for client_id in (None, "", "ck_" + "A" * 27, "x' OR '1'='1", "<script>", "x" * 3000):
        is_page(app.authorize(Browser(km.url), client_id=client_id), 400)


def test_repeated_and_broken_parameters(km, app):
    query = urllib.parse.urlencode(app.request())
    for more in ("&redirect_uri=https%3A%2F%2Fevil.example", "&client_id=x", "&state=2", "&a=%zz", "&a=%00", "&a=%ff"):
        is_page(km.get("/oauth2/authorize?" + query + more, allow_redirects=False), 400)
    is_page(km.get("/oauth2/authorize", allow_redirects=False), 400)
    assert km.get("/oauth2/authorize?" + query + "&a=" + "x" * 9000, allow_redirects=False).status_code == 414
    is_page(km.post("/oauth2/authorize", data="{}", headers={"Content-Type": "application/json"}), 415)
    is_page(km.post("/oauth2/authorize", data={"a": "x" * 70000}), 413)
    r = km.session.put(km.url + "/oauth2/authorize")
    assert r.status_code == 405 and r.headers["Allow"] == "GET, POST"
    long_state = "s" * 1500
    assert app.code(state=long_state)["state"] == long_state
    assert app.code(unknown="is ignored")["code"]


def test_loopback_port_is_free_for_native_clients_only(km):
    native = Client(km, public=True, redirect_uri="http://127.0.0.1/cb")
    for uri in ("http://127.0.0.1:51004/cb", "http://127.0.0.1/cb"):
        is_page(native.authorize(Browser(km.url), redirect_uri=uri), 200)
    for uri in ("http://127.0.0.1:51004/other", "http://localhost:51004/cb", "http://127.0.0.1.evil.example/cb", "http://127.0.0.1:x/cb",
                "http://127.0.0.1:80@evil.example/cb", "http://127.0.0.1:123456/cb", "http://[::1]/cb"):
        is_page(native.authorize(Browser(km.url), redirect_uri=uri), 400)
    web = Client(km, redirect_uri="http://127.0.0.1/cb")
    is_page(web.authorize(Browser(km.url), redirect_uri="http://127.0.0.1:51004/cb"), 400)
    # who cannot prove who it is asks each time
    browser = Browser(km.url)
    code = native.code(browser, redirect_uri="http://127.0.0.1:51004/cb")["code"]
    is_page(native.authorize(browser, redirect_uri="http://127.0.0.1:51004/cb"), 200, "Allow access?")
    refused(native.redeem(code))  # for another port
    assert native.redeem(code, redirect_uri="http://127.0.0.1:51004/cb").status_code == 200
    scheme = Client(km, public=True, redirect_uri="com.example.app:/cb")
    page = scheme.authorize(Browser(km.url))
    assert "form-action 'self' com.example.app:" in page.headers["Content-Security-Policy"]
    assert scheme.code()["code"]


def test_csp_names_where_the_form_leads_to(km, app):
    page = app.authorize(Browser(km.url))
    assert page.headers["Content-Security-Policy"].endswith("form-action 'self' https://app.example.com")
    style = km.get(Form(page.text).links[0])
    assert style.status_code == 200 and style.headers["Content-Type"].startswith("text/css")


# -- errors that the client is told ---------------------------------------------------------------------------------------------

@pytest.mark.parametrize("change, error", [({"response_type": None}, "invalid_request"), ({"response_type": "token"}, "unsupported_response_type"),
                                           ({"response_type": "code id_token"}, "unsupported_response_type"),
                                           ({"response_mode": "web_message"}, "invalid_request"), ({"request": "e30."}, "request_not_supported"),
                                           ({"request_uri": "https://a.example/"}, "request_uri_not_supported"),
                                           ({"scope": 'a"b'}, "invalid_scope"), ({"scope": "\u00e4"}, "invalid_scope"),
                                           ({"code_challenge": None, "code_challenge_method": None}, "invalid_request"),
                                           ({"code_challenge_method": "plain"}, "invalid_request"), ({"code_challenge_method": None}, "invalid_request"),
                                           ({"code_challenge": "short"}, "invalid_request"), ({"code_challenge": "!" * 43}, "invalid_request"),
                                           ({"nonce": "n" * 2000}, "invalid_request")])
def test_errors_go_back_with_state_and_iss(km, spa, change, error):
    got = answer(spa.authorize(Browser(km.url), **change))
    assert got["error"] == error and got["state"] == "st 1&2" and got["iss"] == "http://keys.example.com" and "code" not in got


def test_a_client_without_the_grant(km):
    client = Client(km, grant_types=["client_credentials"])
    assert answer(client.authorize(Browser(km.url)))["error"] == "unauthorized_client"


def test_header_injection_by_state(km, spa):
    r = spa.authorize(Browser(km.url), response_type="x", state="a\r\nSet-Cookie: hostile=1")
    assert answer(r)["state"] == "a\r\nSet-Cookie: hostile=1" and "hostile" not in r.headers.get("Set-Cookie", "")


# -- log-in ---------------------------------------------------------------------------------------------------------------------

def test_wrong_passwords_and_users_look_alike(km, env, app):
    env.db.query("INSERT INTO um_user (id, username, password_hash, status, created_at, updated_at) SELECT 'locked1', 'locked1', "
                 "password_hash, 'LOCKED', 1, 1 FROM um_user WHERE username = 'subscriber'")
    pages = set()
    for who, password in (("subscriber", "wrong"), ("nobody", "wrong"), ("locked1", PASSWORD), ("x' OR '1'='1", "x"), ("subscriber", "")):
        browser = Browser(km.url)
        r = browser.submit(app.authorize(browser), username=who, password=password)
        is_page(r, 403, "The user name or the password is wrong.")
        assert "apim_login" not in browser.session.cookies
        form = Form(r.text)
        pages.add(r.text.replace(form.fields["seal"], "").replace(form.fields["expires"], "").replace(
            f'value="{requests.utils.unquote(who)}"', "").replace('value="x&#39; OR &#39;1&#39;=&#39;1"', "").replace(f'value="{who}"', ""))
    assert len(pages) == 1, pages


def test_guessing_is_slowed_down(km, app):
    browser = Browser(km.url)
    page = app.authorize(browser)
    for _ in range(8):
        r = browser.submit(page, username="victim", password="guess")
        if r.status_code == 429:
            break
    is_page(r, 429, "Too many failed log-ins")
    assert 1 <= int(r.headers["Retry-After"]) <= 300


def test_session_cookie(km, env, app):
    browser = Browser(km.url)
    page = app.authorize(browser)
    assert "apim_login" not in browser.session.cookies
    r = browser.log_in(page)
    cookies = [c for c in r.raw.headers.getlist("Set-Cookie") if c.startswith("apim_login=")]
    assert len(cookies) == 1 and "; HttpOnly; SameSite=Lax" in cookies[0] and "; Path=/;" in cookies[0]
    first = browser.session.cookies["apim_login"]
    assert len(first) == 43 and first not in str(env.db.query("SELECT * FROM am_login_session"))
    # another log-in has another id, and the first is dead (fixation)
    browser.log_in(app.authorize(browser, prompt="login"))
    second = browser.session.cookies["apim_login"]
    assert second != first
    stale = Browser(km.url)
    stale.session.cookies.set("apim_login", first)
    assert answer(app.authorize(stale, prompt="none"))["error"] == "login_required"


def test_cookies_of_an_https_issuer(env):
    node = env.node(["keymgr"], "km-tls", extra="ApimIssuer https://keys.example.com")
    km = KeyManager(env, node)
    client, browser = Client(km), Browser(km.url)
    page = client.authorize(browser)
    name, value = page.headers["Set-Cookie"].split(";")[0].split("=", 1)
    assert name == "__Host-apim_browser" and page.headers["Set-Cookie"].endswith("; Secure")
    r = browser.log_in(page, headers={"Cookie": f"{name}={value}"})
    cookie = r.headers["Set-Cookie"]
    assert cookie.startswith("__Host-apim_login=") and cookie.endswith("; Path=/; HttpOnly; SameSite=Lax; Secure"), cookie


def test_session_ends(km, env, app):
    def session():
        browser = Browser(km.url)
        assert app.code(browser)["code"]
        return browser

    browser = session()
    km.run("user-revoke", username="subscriber")  # a changed password
    assert answer(app.authorize(browser, prompt="none"))["error"] == "login_required"
    env.db.query("DELETE FROM am_revocation")
    browser = session()
    env.db.query("UPDATE am_login_session SET expires_at = ?", (now_ms(),))
    assert answer(app.authorize(browser, prompt="none"))["error"] == "login_required"
    browser = session()
    env.db.query("UPDATE um_user SET status = 'LOCKED' WHERE username = 'subscriber'")
    try:
        assert answer(app.authorize(browser, prompt="none"))["error"] == "login_required"
        is_page(app.authorize(browser), 200, "Password")
    finally:
        env.db.query("UPDATE um_user SET status = 'ACTIVE' WHERE username = 'subscriber'")


# -- forged forms: statements 12 and 13 ------------------------------------------------------------------------------------------

def test_forms_of_others_do_nothing(km):
    app = Client(km)
    victim, attacker = Browser(km.url), Browser(km.url)
    page = app.authorize(attacker)
    app.authorize(victim)
    # the attacker's form, sent by the victim's browser; and one that no browser was given
    is_page(victim.log_in(page), 403)
    is_page(Browser(km.url).log_in(page), 403)
    assert "apim_login" not in victim.session.cookies
    for change in ({"seal": ""}, {"seal": "A" * 43}, {"expires": str(now_ms() + 10**9)}, {"expires": "x"}, {"step": "consent"}, {"step": "x"},
                   {"request": ""}):
        is_page(attacker.log_in(page, **change), 403)
    for headers in ({"Sec-Fetch-Site": "cross-site"}, {"Sec-Fetch-Site": "same-site"}, {"Origin": "https://evil.example"}):
        is_page(attacker.log_in(page, headers=headers), 403)
    for headers in ({"Sec-Fetch-Site": "same-origin"}, {"Origin": km.url}, {"Origin": "null"}):
        is_page(attacker.log_in(page, headers=headers), 200)


def test_consent_is_bound_to_what_was_shown(km, app):
    other = Client(km, client_name="Other")
    browser = Browser(km.url)
    page = browser.log_in(app.authorize(browser, prompt="consent", scope="apim:subscribe"))
    is_page(page, 200, "Allow access?")
    shown = dict(urllib.parse.parse_qsl(Form(page.text).fields["request"]))
    for change in ({"client_id": other.id}, {"scope": "apim:subscribe apim:app_manage"}, {"code_challenge": challenge_of("x")},
                   {"redirect_uri": "https://evil.example/"}, {"state": "mine"}):
        is_page(browser.submit(page, decision="allow", request=urllib.parse.urlencode({**shown, **change})), 403)
    # another person's session in the same browser does not consent for the first
    browser.log_in(app.authorize(browser, prompt="login"), "publisher")
    is_page(browser.allow(page), 403)
    # a form sealed for log-in does not consent
    login = app.authorize(browser, prompt="login")
    is_page(browser.submit(login, step="consent", decision="allow"), 403)


# -- codes ------------------------------------------------------------------------------------------------------------------------

def test_a_code_is_redeemed_once(km, app):
    code = app.code()["code"]
    tokens = app.redeem(code).json()
    assert km.active(tokens["access_token"])
    refused(app.redeem(code))
    assert not km.active(tokens["access_token"])
    r = km.token((app.id, app.secret), "refresh_token", refresh_token=tokens["refresh_token"])
    refused(r)
    km.node.logged("APIM-KM0021")


def test_a_used_code_of_another_client_does_nothing(km, app):
    code = app.code()["code"]
    tokens = app.redeem(code).json()
    other = Client(km)
    refused(other.redeem(code, code_verifier=app.verifier))
    assert km.active(tokens["access_token"])


def test_parallel_redemptions(km, app):
    code = app.code()["code"]

    def one(_):
        with requests.Session() as session:
            session.trust_env = False
            r = session.post(km.url + "/oauth2/token", auth=(app.id, app.secret), timeout=60,
                             data={"grant_type": "authorization_code", "code": code, "redirect_uri": app.redirect_uri,
                                   "code_verifier": app.verifier})
            return r.status_code, r.json()

    with concurrent.futures.ThreadPoolExecutor(20) as pool:
        answers = list(pool.map(one, range(20)))
    assert [status for status, _ in answers].count(200) == 1, answers
    assert {status for status, _ in answers} <= {200, 400, 503}, answers
    if [status for status, _ in answers].count(400):
        token = next(body["access_token"] for status, body in answers if status == 200)
        assert not km.active(token)


def test_codes_are_bound(km, env, app):
    other = Client(km)
    code = app.code()["code"]
    refused(other.redeem(code, code_verifier=app.verifier))
    refused(app.redeem(code, redirect_uri="https://app.example.com/other"))
    for wrong in (None, "", "short", "x" * 43, "x" * 129, app.verifier + "x", app.challenge):
        refused(app.redeem(code, code_verifier=wrong))
    for wrong in ("", None):
        refused(app.redeem(code, redirect_uri=wrong), "invalid_request")
    refused(app.redeem("apim_ac_" + "A" * 43))
    refused(app.redeem("x'; DROP TABLE am_auth_code; --"))
    refused(app.redeem(None), "invalid_request")
    refused(km.post("/oauth2/token?code=" + code, auth=(app.id, app.secret), data={"grant_type": "authorization_code"}), "invalid_request")
    assert code not in str(env.db.query("SELECT * FROM am_auth_code"))
    assert app.redeem(code).status_code == 200  # none of these used it up


def test_codes_are_short_lived(km, env, app):
    code = app.code()["code"]
    assert 0 < int(env.db.query("SELECT MAX(expires_at) FROM am_auth_code")[0][0]) - now_ms() <= 60000
    env.db.query("UPDATE am_auth_code SET expires_at = ?", (now_ms(),))
    refused(app.redeem(code))


def test_pkce_downgrade(km, app):
    plain = {"code_challenge": None, "code_challenge_method": None}
    code = app.code(**plain)["code"]  # a client with a secret may do without
    refused(app.redeem(code))
    assert app.redeem(code, code_verifier=None).status_code == 200
    spa = Client(km, public=True)
    assert answer(spa.authorize(Browser(km.url), **plain))["error"] == "invalid_request"


def test_rfc7636_appendix_b(km, app):
    code = app.code(code_challenge="E9Melhoa2OwvFrEMTJguCHaoeK1t8URWbuGJSstw-cM")["code"]
    refused(app.redeem(code, code_verifier=pkce()[0]))
    assert app.redeem(code, code_verifier="dBjftJeZ4CVP-mB92K27uhbUJU1p1r_wW1gFWFOEjXk").status_code == 200


def test_the_user_is_looked_at_when_the_code_is_redeemed(km, env, app):
    code = app.code()["code"]
    env.db.query("UPDATE um_user SET status = 'LOCKED' WHERE username = 'subscriber'")
    try:
        refused(app.redeem(code))
    finally:
        env.db.query("UPDATE um_user SET status = 'ACTIVE' WHERE username = 'subscriber'")


# -- public clients ------------------------------------------------------------------------------------------------------------------

def test_public_clients_have_no_secret(km, spa):
    assert "client_secret" not in spa.body and spa.body["token_endpoint_auth_method"] == "none"
    assert spa.body["response_types"] == ["code"]
    for grant in ("client_credentials", "password"):
        r = km.post("/oauth2/token", data={"grant_type": grant, "client_id": spa.id, "username": "subscriber", "password": PASSWORD})
        refused(r, "unauthorized_client")
    for secret in ("", "x"):
        refused(km.post("/oauth2/token", data={"grant_type": "client_credentials", "client_id": spa.id, "client_secret": secret}),
                "invalid_client", 401)
        refused(km.token((spa.id, secret)), "invalid_client", 401)
    tokens = spa.tokens()
    refused(km.post("/oauth2/introspect", data={"client_id": spa.id, "token": tokens["access_token"]}), "invalid_client", 401)
    assert km.post("/oauth2/revoke", data={"client_id": spa.id, "token": tokens["access_token"]}).status_code == 200
    assert not km.active(tokens["access_token"])


def test_a_client_with_a_secret_has_to_show_it(km, app):
    code = app.code()["code"]
    form = {"grant_type": "authorization_code", "code": code, "redirect_uri": app.redirect_uri, "code_verifier": app.verifier}
    refused(km.post("/oauth2/token", data={**form, "client_id": app.id}), "invalid_client", 401)
    refused(km.post("/oauth2/token", data={**form, "client_id": app.id, "client_secret": ""}), "invalid_client", 401)
    assert km.post("/oauth2/token", data={**form, "client_id": app.id, "client_secret": app.secret}).status_code == 200


def test_registration_keeps_them_apart(km, spa, app):
    def register(**body):
        return km.post("/oauth2/register", auth=("subscriber", PASSWORD), json=body)

    for grant in ("client_credentials", "password"):
        refused(register(token_endpoint_auth_method="none", grant_types=[grant]), "invalid_client_metadata")
    assert register(token_endpoint_auth_method="none").json()["grant_types"] == ["authorization_code"]
    for client, method in ((spa, "client_secret_basic"), (app, "none")):
        r = km.session.put(client.body["registration_client_uri"].replace("http://keys.example.com", km.url),
                           headers={"Authorization": "Bearer " + client.body["registration_access_token"]},
                           json={"client_id": client.id, "grant_types": ["authorization_code"], "token_endpoint_auth_method": method})
        refused(r, "invalid_client_metadata")


# -- metadata and other people's clients -----------------------------------------------------------------------------------------------

def test_metadata(km):
    m = km.get("/.well-known/oauth-authorization-server").json()
    assert m["authorization_endpoint"] == "http://keys.example.com/oauth2/authorize"
    assert m["response_types_supported"] == ["code"] and m["code_challenge_methods_supported"] == ["S256"]
    assert m["authorization_response_iss_parameter_supported"] is True and "authorization_code" in m["grant_types_supported"]
    assert "none" in m["token_endpoint_auth_methods_supported"]
    assert "none" not in m["introspection_endpoint_auth_methods_supported"]


@pytest.mark.parametrize("method", ["client_secret_basic", "client_secret_post", "none"])
def test_authlib(km, monkeypatch, method):
    """An independent client: Authlib (Debian's python3-authlib)."""
    client_module = pytest.importorskip("authlib.integrations.requests_client")
    monkeypatch.setenv("AUTHLIB_INSECURE_TRANSPORT", "1")
    client = Client(km, public=method == "none")
    session = client_module.OAuth2Session(client.id, client.secret, scope="apim:subscribe", redirect_uri=client.redirect_uri,
                                          code_challenge_method="S256", token_endpoint_auth_method=method)
    session.trust_env = False
    verifier = pkce()[0]
    url, state = session.create_authorization_url(km.url + "/oauth2/authorize", code_verifier=verifier)
    browser = Browser(km.url)
    page = browser.session.get(url, allow_redirects=False)
    back = browser.allow(browser.log_in(page)).headers["Location"]
    token = session.fetch_token(km.url + "/oauth2/token", authorization_response=back, state=state, code_verifier=verifier)
    assert token["scope"] == "apim:subscribe" and km.active(token["access_token"])
    fresh = session.refresh_token(km.url + "/oauth2/token", token["refresh_token"])
    assert km.active(fresh["access_token"]) and not km.active(token["access_token"])
    assert session.revoke_token(km.url + "/oauth2/revoke", fresh["access_token"]).status_code == 200
    assert not km.active(fresh["access_token"])
