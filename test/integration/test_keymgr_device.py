# SPDX-License-Identifier: Apache-2.0
"""Device authorization (RFC 8628): codes, the page where a person decides, how often a device may ask, guesses."""
import concurrent.futures
import itertools
import json
import pathlib
import re
import subprocess

import pytest

from browser import Browser, Client, Form
from database import USERS
from keymgr import KeyManager, claims, now_ms
from support import wait_until

GRANT = "urn:ietf:params:oauth:grant-type:device_code"
ONE_DATABASE = pytest.mark.databases("sqlite")
NPM = pathlib.Path(__file__).resolve().parent.parent / "npm"


@pytest.fixture(scope="module")
def nodes(env):
    """Two Key Managers of one issuer, as behind a balancer."""
    return [KeyManager(env, env.node(["keymgr"], name, extra="ApimIssuer http://keys.example.com")) for name in ("km-a", "km-b")]


@pytest.fixture(scope="module")
def km(nodes):
    return nodes[0]


class Device(Client):
    def __init__(self, km, public=True, grants=(GRANT, "refresh_token"), **more):
        super().__init__(km, public, client_name="The <b>TV</b>", grant_types=list(grants), **more)

    def form(self, **more):
        return {"client_id": self.id, **more} if not self.secret else more

    def auth(self):
        return (self.id, self.secret) if self.secret else None

    def begin(self, scope="apim:subscribe openid", km=None):
        r = (km or self.km).post("/oauth2/device_authorization", data=self.form(scope=scope), auth=self.auth())
        assert r.status_code == 200, r.text
        return r.json()

    def ask(self, code, km=None):
        return (km or self.km).post("/oauth2/token", data=self.form(grant_type=GRANT, device_code=code), auth=self.auth())


@pytest.fixture(scope="module")
def device(km):
    return Device(km)


@pytest.fixture(scope="module")
def person(km):
    """Someone who has logged in."""
    browser = Browser(km.url)
    browser.log_in(enter(browser, Device(km).begin()["user_code"]))
    return browser


def enter(browser, code, **more):
    return browser.submit(browser.get("/oauth2/device"), user_code=code, **more)


def refused(r, error, status=400):
    assert r.status_code == status and r.json()["error"] == error, f"{r.status_code} {r.text}"


def rested(env):
    """As if every device had waited long enough."""
    env.db.query("UPDATE am_device_code SET polled_at = 0")


@pytest.mark.parametrize("public", [True, False])
def test_a_person_allows_a_device_on_any_node(nodes, public):
    """Each step at another Key Manager than the one before."""
    a, b = nodes
    device = Device(a, public)
    codes = device.begin(km=a)
    assert set(codes) == {"device_code", "user_code", "verification_uri", "verification_uri_complete", "expires_in", "interval"}
    assert re.fullmatch("[B-DF-HJ-NP-TV-XZ]{4}-[B-DF-HJ-NP-TV-XZ]{4}", codes["user_code"])
    assert codes["verification_uri"] == "http://keys.example.com/oauth2/device" and codes["interval"] == 5
    assert codes["verification_uri_complete"].endswith("?user_code=" + codes["user_code"])
    refused(device.ask(codes["device_code"], b), "authorization_pending")
    browser = Browser(a.url)
    first = browser.get("/oauth2/device", user_code=codes["user_code"])
    assert first.status_code == 200 and Form(first.text).fields["user_code"] == codes["user_code"]
    assert "script" not in Form(first.text).tags and first.headers["X-Frame-Options"] == "DENY"
    page = browser.submit(first, url=b.url, user_code=codes["user_code"].replace("-", " ").lower())
    assert 'name="password"' in page.text and "The &lt;b&gt;TV&lt;/b&gt;" in page.text and codes["user_code"] in page.text
    page = browser.submit(page, url=a.url, username="subscriber", password="wrong")
    assert page.status_code == 403 and 'name="password"' in page.text
    page = browser.submit(page, url=a.url, username="subscriber", password=USERS["subscriber"][0])
    assert page.status_code == 200 and codes["user_code"] in page.text and "Manage your subscriptions" in page.text
    assert "in front of you" in page.text
    done = browser.submit(page, url=b.url, decision="allow")
    assert done.status_code == 200 and "goes on by itself" in done.text and done.headers["Cache-Control"] == "no-store"
    r = device.ask(codes["device_code"], a)
    assert r.status_code == 200 and r.headers["Cache-Control"] == "no-store", r.text
    tokens = r.json()
    assert tokens["scope"] == "apim:subscribe openid" and claims(tokens["access_token"])["sub"] == "subscriber"
    assert claims(tokens["access_token"])["aut"] == "APPLICATION_USER" and b.active(tokens["access_token"])
    assert claims(tokens["id_token"])["aud"] == device.id and tokens["refresh_token"]
    refused(device.ask(codes["device_code"], b), "invalid_grant")  # once
    assert a.active(tokens["access_token"])
    form = device.form(grant_type="refresh_token", refresh_token=tokens["refresh_token"])
    assert b.post("/oauth2/token", data=form, auth=device.auth()).status_code == 200


def test_a_person_denies(device, person):
    codes = device.begin()
    page = enter(person, codes["user_code"])
    assert 'name="decision"' in page.text
    done = person.submit(page, decision="deny")
    assert done.status_code == 200 and "Not allowed" in done.text
    refused(device.ask(codes["device_code"]), "access_denied")
    assert person.submit(page, decision="allow").status_code == 404  # decided is decided
    refused(device.ask(codes["device_code"]), "access_denied")
    assert enter(person, codes["user_code"]).status_code == 404


@ONE_DATABASE
def test_consent_is_asked_for_each_time(device, person):
    for _ in range(2):
        page = enter(person, device.begin()["user_code"])
        assert 'name="decision"' in page.text
        assert person.allow(page).status_code == 200


def test_slow_down(env, device):
    codes = device.begin()
    interval = lambda: int(env.db.query("SELECT poll_interval FROM am_device_code WHERE consumer_key = ? ORDER BY expires_at DESC",
                                        (device.id,))[0][0])
    env.db.query("DELETE FROM am_device_code WHERE consumer_key = ? AND status <> 'PENDING'", (device.id,))
    refused(device.ask(codes["device_code"]), "authorization_pending")
    refused(device.ask(codes["device_code"]), "slow_down")
    refused(device.ask(codes["device_code"]), "slow_down")
    assert interval() == 15000
    rested(env)
    refused(device.ask(codes["device_code"]), "authorization_pending")
    assert interval() == 15000


def test_expired(env, device, person):
    codes = device.begin()
    page = enter(person, codes["user_code"])
    env.db.query("UPDATE am_device_code SET expires_at = ? WHERE consumer_key = ?", (now_ms() - 1, device.id))
    refused(device.ask(codes["device_code"]), "expired_token")
    assert person.allow(page).status_code == 404
    assert enter(person, codes["user_code"]).status_code == 404


def test_only_the_client_that_asked(km, device, person):
    codes, other = device.begin(), Device(km)
    person.allow(enter(person, codes["user_code"]))
    refused(other.ask(codes["device_code"]), "invalid_grant")
    for code in ("apim_dc_" + "A" * 43, "x'; DROP TABLE am_device_code; --", "y" * 20000, codes["user_code"]):
        refused(device.ask(code), "invalid_grant")
    refused(km.post("/oauth2/token", data=device.form(grant_type=GRANT)), "invalid_request")
    assert device.ask(codes["device_code"]).status_code == 200


def test_a_code_is_redeemed_once_however_many_ask(device, person):
    codes = device.begin()
    person.allow(enter(person, codes["user_code"]))
    with concurrent.futures.ThreadPoolExecutor(8) as pool:
        answers = list(pool.map(lambda _: device.ask(codes["device_code"]).status_code, range(8)))
    assert sorted(answers) == [200] + [400] * 7


def test_the_user_is_looked_at_again(env, km, device):
    env.db.query("INSERT INTO um_user (id, username, password_hash, status, created_at, updated_at) SELECT 'parting', 'parting', "
                 "password_hash, 'ACTIVE', 1, 1 FROM um_user WHERE username = 'subscriber'")
    codes, browser = device.begin(), Browser(km.url)
    page = browser.log_in(enter(browser, codes["user_code"]), "parting", USERS["subscriber"][0])
    assert browser.allow(page).status_code == 200
    env.db.query("UPDATE um_user SET status = 'DISABLED' WHERE id = 'parting'")
    refused(device.ask(codes["device_code"]), "invalid_grant")


@ONE_DATABASE
def test_what_a_client_may_not(km, device):
    def begin(data, **more):
        return km.post("/oauth2/device_authorization", data=data, **more)

    app = Client(km, public=True)
    refused(begin({"client_id": app.id}), "unauthorized_client")
    refused(km.post("/oauth2/token", data={"client_id": app.id, "grant_type": GRANT, "device_code": "x"}), "unauthorized_client")
    secret = Device(km, public=False)
    refused(begin({"client_id": secret.id}), "invalid_client", 401)
    refused(begin({"client_id": "nobody"}), "invalid_client", 401)
    refused(begin({"scope": "openid"}), "invalid_client", 401)
    refused(begin(device.form(scope='a"b')), "invalid_scope")
    refused(begin([("client_id", device.id), ("scope", "a"), ("scope", "b")]), "invalid_request")
    refused(km.get("/oauth2/device_authorization"), "invalid_request", 405)
    refused(km.post("/oauth2/device_authorization", json={"client_id": device.id}), "invalid_request", 415)
    refused(km.post("/oauth2/device_authorization?client_id=" + device.id, data={"scope": "a"}), "invalid_request")
    assert "device_authorization_endpoint" in km.get("/.well-known/oauth-authorization-server").json()
    assert GRANT in km.get("/.well-known/oauth-authorization-server").json()["grant_types_supported"]


@ONE_DATABASE
def test_forms_are_this_browsers_and_this_pages(km, device, person):
    codes = device.begin()
    page = enter(person, codes["user_code"])
    fields = Form(page.text).fields
    stranger = Browser(km.url)
    assert stranger.submit(page, decision="allow").status_code == 403  # another browser, nobody logged in
    for change in ({"seal": "x"}, {"request": device.begin()["user_code"]}, {"step": "login"}, {"step": "code"}, {"step": ""},
                   {"expires": "9999999999999"}):
        assert person.submit(page, decision="allow", **change).status_code == 403, change
    assert person.submit(page, decision="allow", headers={"Sec-Fetch-Site": "cross-site"}).status_code == 403
    # forms of one page are worth nothing at the other
    r = person.session.post(km.url + "/oauth2/authorize", data={**fields, "decision": "allow"}, allow_redirects=False, timeout=60)
    assert r.status_code == 403
    app = Client(km)
    consent = app.authorize(person, scope="openid", prompt="consent")
    assert 'name="decision"' in consent.text
    r = person.session.post(km.url + "/oauth2/device", data={**Form(consent.text).fields, "decision": "allow"}, timeout=60)
    assert r.status_code == 403
    assert person.session.post(km.url + "/oauth2/device", data={"decision": "allow"}, timeout=60).status_code == 403
    assert person.session.put(km.url + "/oauth2/device", data={}, timeout=60).status_code == 405
    refused(device.ask(codes["device_code"]), "authorization_pending")
    html = person.get("/oauth2/device", user_code='"><script>alert(1)</script>').text
    assert "<script" not in html and "&lt;script" in html


def test_what_the_database_holds(env, device):
    codes = device.begin()
    rows = json.dumps([list(map(str, row)) for row in env.db.query("SELECT * FROM am_device_code")])
    assert codes["device_code"] not in rows and codes["user_code"] not in rows and codes["user_code"].replace("-", "") not in rows


@ONE_DATABASE
def test_oauth4webapi_as_device(env):
    """A certified client library that throws wherever an answer is not what RFC 8628 says."""
    km = KeyManager(env, env.node(["keymgr"], "km-c"))
    client, browser = Device(km, public=False), Browser(km.url)
    job = {"issuer": km.url, "client_id": client.id, "client_secret": client.secret, "scope": "openid"}
    with subprocess.Popen(["node", NPM / "device.mjs", json.dumps(job)], stdin=subprocess.PIPE, stdout=subprocess.PIPE,
                          stderr=subprocess.PIPE, text=True) as node:
        line = node.stdout.readline()
        if not line:
            pytest.fail(node.communicate(timeout=60)[1])
        shown = json.loads(line)
        assert shown["early"] == ["authorization_pending", "slow_down"]
        page = browser.session.get(shown["verification_uri_complete"], timeout=60)
        page = browser.log_in(browser.submit(page))
        assert browser.allow(page).status_code == 200
        out, said = node.communicate("\n", timeout=60)
    assert node.returncode == 0, said
    got = json.loads(out)
    assert got["claims"]["sub"] == "subscriber" and got["scope"] == "openid" and got["again"] == "invalid_grant" and got["refreshed"]


@ONE_DATABASE
def test_guesses_are_slowed_down(km, device):
    """Last: this address has to wait after it."""
    browser, codes = Browser(km.url), device.begin()
    guesses = itertools.cycle(["AAAA-AAAA", "", "bcdf", "BCDF-GHJK-L", "ZZZZ-ZZZZ"])

    def held_up():
        r = enter(browser, next(guesses))
        assert r.status_code in (404, 429), r.text
        return r.status_code == 429 and int(r.headers["Retry-After"]) >= 2

    assert wait_until(held_up)
    assert enter(browser, codes["user_code"]).status_code == 429  # a right one tells nothing either
