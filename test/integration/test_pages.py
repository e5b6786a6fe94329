# SPDX-License-Identifier: Apache-2.0
"""The web pages' side of the portal: files, log-in through the Key Manager, sessions, and what an attacker tries with them."""
import gzip
import re
import urllib.parse

import pytest
import requests

from browser import Browser, Form
from client import Client
from support import wait_until

SESSION, LOGIN = "/api/am/portal/v1/session", "/api/am/portal/v1/login"
OURS = {"X-Apim-Session": "1"}
SHELL = "<!DOCTYPE html><title>{}</title>\n"


@pytest.fixture(scope="module")
def pages(env):
    """A directory such as `make` fills."""
    where = env.root / "pages"
    where.mkdir()
    for part in ("store", "publisher", "admin"):
        (where / f"{part}.html").write_text(SHELL.format(part))
    (where / "store-ABC123.js").write_text("export const a = 1\n" * 100)
    (where / "store-ABC123.js.gz").write_bytes(gzip.compress(b"export const a = 1\n" * 100))
    (where / "secret.key").write_text("not a page")
    return where


@pytest.fixture(scope="module")
def nodes(env, pages):
    """A Key Manager, and two portals of one database."""
    keymgr = env.node(["keymgr"], "km")
    portals = [env.node(["portal"], f"portal-{n}", keymgr=keymgr.url, extra=f"ApimPages {pages}\nApimKeyManagerUrl {keymgr.url}")
               for n in "ab"]
    return keymgr, *portals


@pytest.fixture(scope="module")
def client(nodes):
    return Client(nodes[0].url, nodes[1].url)


class Person(Browser):
    """Somebody at a browser that runs our pages."""

    def __init__(self, nodes, portal=1):
        super().__init__(nodes[portal].url)
        self.km = nodes[0].url

    def follow(self, r):
        assert r.status_code == 303, r.text
        return self.session.get(urllib.parse.urljoin(r.url, r.headers["Location"]), allow_redirects=False, timeout=60)

    def begin(self, place="/store/apis?q=x", **more):
        return self.get(LOGIN, **{"return": place}, **more)

    def enter(self, who="subscriber", place="/store/apis?q=x"):
        """Logs in from nothing; the answer that leads back to the page."""
        page = self.follow(self.begin(place))
        assert page.status_code == 200 and "API Manager" in page.text, page.text
        return self.follow(self.log_in(page, who, url=self.km))

    def ask(self, path=SESSION, method="GET", **more):
        return self.session.request(method, self.url + path, headers=OURS, timeout=60, **more)


@pytest.fixture
def person(nodes):
    return Person(nodes)


# -- files --------------------------------------------------------------------------------------------------------------------

def test_each_part_has_its_page_and_every_place_below_it(nodes):
    url = nodes[1].url
    for part in ("store", "publisher", "admin"):
        for place in ("", "/", "/apis/123/overview?x=1"):
            r = requests.get(f"{url}/{part}{place}", timeout=60)
            assert r.status_code == 200 and r.text == SHELL.format(part) and r.headers["Content-Type"] == "text/html; charset=utf-8"
            assert r.headers["Cache-Control"] == "no-cache" and r.headers["X-Frame-Options"] == "DENY"
            policy = r.headers["Content-Security-Policy"]
            assert "default-src 'none'" in policy and "unsafe" not in policy and "frame-ancestors 'none'" in policy
            again = requests.get(f"{url}/{part}{place}", headers={"If-None-Match": r.headers["ETag"]}, timeout=60)
            assert again.status_code == 304 and not again.content
    assert requests.get(f"{url}/storefront", timeout=60).status_code == 404
    assert requests.post(f"{url}/store/", timeout=60).status_code == 405


def test_what_pages_load_is_compressed_and_kept(nodes):
    url = nodes[1].url + "/pages/store-ABC123.js"
    for encoding, compressed in (("gzip, br", True), ("gzip;q=0.5", True), ("gzip;q=0", False), ("identity", False), ("", False)):
        r = requests.get(url, headers={"Accept-Encoding": encoding}, timeout=60)
        assert r.status_code == 200 and r.text == "export const a = 1\n" * 100 and r.headers["Content-Type"].startswith("text/javascript")
        assert (r.headers.get("Content-Encoding") == "gzip") == compressed and r.headers["Vary"] == "Accept-Encoding"
        assert r.headers["Cache-Control"] == "public, max-age=31536000, immutable" and r.headers["X-Content-Type-Options"] == "nosniff"


@pytest.mark.parametrize("path", ["/pages/", "/pages/secret.key", "/pages/none.js", "/pages/..%2fsecret.key", "/pages/%2e%2e/secret.key",
                                  "/pages/../../conf/httpd.conf", "/pages/store.html%00.js", "/pages/store-ABC123.js.gz"])
def test_nothing_else_is_given_away(env, nodes, path):
    env.expect_log(r"AH10244: invalid URI path")
    s = requests.Session()
    prepared = requests.Request("GET", nodes[1].url).prepare()
    prepared.url = nodes[1].url + path
    assert s.send(prepared, timeout=60).status_code in (400, 404)


# -- logging in and out -------------------------------------------------------------------------------------------------------

def test_log_in_use_and_log_out(nodes, person):
    assert person.ask().json()["username"] is None
    back = person.enter()
    assert back.status_code == 303 and back.headers["Location"] == "/store/apis?q=x", back.text
    assert "access_token" not in back.text and back.headers["Referrer-Policy"] == "no-referrer"
    me = person.ask().json()
    assert me["username"] == "subscriber" and "apim:subscribe" in me["scopes"] and "apim:admin" not in me["scopes"]
    assert me["parts"] == ["store", "publisher", "admin"] and me["tokenUrl"] == nodes[0].url + "/oauth2/token" and me["expiresAt"]
    assert person.ask("/api/am/devportal/v3/applications").status_code == 200
    assert person.ask("/api/am/admin/v4/users").status_code == 403
    out = person.ask(method="DELETE")
    assert out.status_code == 200 and out.json()["logoutUrl"].startswith(nodes[0].url + "/oauth2/logout?")
    assert person.ask().json()["username"] is None
    home = person.session.get(out.json()["logoutUrl"], allow_redirects=False, timeout=60)
    assert home.status_code == 303 and home.headers["Location"] == person.url + "/store/"
    assert "name=\"password\"" in person.follow(person.begin()).text, "the log-in at the Key Manager is over too"


def test_any_portal_serves_the_session_and_finishes_the_log_in(nodes, person):
    """The cookies are of one host, as behind a balancer: here both portals are 127.0.0.1."""
    other = nodes[2].url
    page = person.follow(person.begin())
    back = person.log_in(page, url=person.km)
    moved = back.headers["Location"].replace(person.url, other)
    # The code is bound to the address that it was asked for; behind a balancer that is the same for all portals.
    r = person.session.get(moved, headers={"Host": person.url.removeprefix("http://")}, allow_redirects=False, timeout=60)
    assert r.status_code == 303 and r.headers["Location"] == "/store/apis?q=x", r.text
    for url in (person.url, other):
        assert person.session.get(url + SESSION, headers=OURS, timeout=60).json()["username"] == "subscriber"


def test_single_sign_on_asks_once(nodes, person):
    person.enter()
    for cookie in [c for c in person.session.cookies if c.name == "apim_portal_session"]:
        person.session.cookies.clear(cookie.domain, cookie.path, cookie.name)
    assert person.ask().json()["username"] is None
    assert person.follow(person.follow(person.begin("/publisher/"))).headers["Location"] == "/publisher/"
    assert person.ask().json()["username"] == "subscriber"


def test_asking_without_a_page(nodes, person):
    quiet = person.follow(person.follow(person.begin("/store/", prompt="none")))
    assert quiet.headers["Location"] == "/store/?login=failed" and person.ask().json()["username"] is None
    person.enter()
    assert person.follow(person.follow(person.begin("/store/#x", prompt="none"))).headers["Location"] == "/store/#x"


def test_secrets_stay_out_of_the_database_and_the_log(env, nodes, person):
    person.enter()
    cookie = next(c for c in person.session.cookies if c.name == "apim_portal_session")
    assert cookie.has_nonstandard_attr("HttpOnly") and cookie.get_nonstandard_attr("SameSite") == "Strict" and cookie.path == "/api/am"
    rows = str(env.db.query("SELECT * FROM am_portal_session"))
    assert cookie.value not in rows and "apim_at_" not in rows
    for node in nodes:
        assert cookie.value not in node.log() and "apim_at_" not in node.log()


@pytest.mark.databases("sqlite")
def test_over_tls_cookies_belong_to_the_host(env, nodes, pages):
    """A portal that browsers reach by https (ServerName says so: a balancer before it ends TLS)."""
    portal = env.node(["portal"], "portal-tls", keymgr=nodes[0].url,
                      extra=f"ApimPages {pages}\nApimKeyManagerUrl {nodes[0].url}\nServerName https://portal.example.org")
    r = requests.get(portal.url + LOGIN, headers={"Host": "portal.example.org"}, allow_redirects=False, timeout=60)
    assert re.fullmatch(r"__Host-apim_portal_login=\S{43}; Path=/; Max-Age=1800; HttpOnly; SameSite=Lax; Secure", r.headers["Set-Cookie"])


# -- attacks ------------------------------------------------------------------------------------------------------------------

def test_a_cookie_alone_is_nothing(nodes, person):
    """What another site can make a browser send: the cookie, without our header, or with the truth about itself."""
    person.enter()
    for headers in ({}, {**OURS, "Sec-Fetch-Site": "cross-site"}, {**OURS, "Sec-Fetch-Site": "same-site"}, {**OURS, "Sec-Fetch-Site": "none"}):
        get = person.session.get(person.url + "/api/am/devportal/v3/applications", headers=headers, timeout=60)
        assert get.status_code == 401, headers
        assert person.session.post(person.url + "/api/am/devportal/v3/applications", headers=headers, json={"name": "x"},
                                   timeout=60).status_code == 401
        assert person.session.delete(person.url + SESSION, headers=headers, timeout=60).status_code == 403
    assert person.ask().json()["username"] == "subscriber"
    preflight = person.session.options(person.url + SESSION, timeout=60, headers={
        "Origin": "https://evil.example", "Access-Control-Request-Method": "DELETE", "Access-Control-Request-Headers": "x-apim-session"})
    assert "Access-Control-Allow-Origin" not in preflight.headers


def test_no_session_can_be_planted(nodes, person):
    """Fixation: a cookie that the server did not give is not taken up; a second one of the name makes both count for nothing."""
    planted = "A" * 43
    r = requests.get(person.url + SESSION, headers={**OURS, "Cookie": f"apim_portal_session={planted}"}, timeout=60)
    assert r.status_code == 200 and r.json()["username"] is None
    person.session.cookies.set("apim_portal_session", planted, domain="127.0.0.1", path="/api/am")
    person.enter()
    mine = next(c for c in person.session.cookies if c.name == "apim_portal_session" and c.value != planted)
    both = requests.get(person.url + SESSION, timeout=60, headers={**OURS, "Cookie": f"apim_portal_session={planted}; apim_portal_session={mine.value}"})
    assert both.json()["username"] is None


@pytest.mark.parametrize("place", ["//evil.example/", "https://evil.example/", "/\\evil.example", "javascript:alert(1)", "/storefront", "/store\r\nX: y",
                                   "/store\\..", "", "/" + "store/" * 400])
def test_no_open_redirect(nodes, person, place):
    back = person.enter(place=place)
    assert back.headers["Location"] == "/store/" and "X" not in back.headers


def test_another_browsers_answer_is_refused(nodes, person):
    """Log-in CSRF: the attacker's code and state in the victim's browser log nobody in; and each code serves once."""
    page = person.follow(person.begin())
    attackers = person.log_in(page, url=person.km).headers["Location"]
    victim = Person(nodes)
    for query in (None, "state"):
        victim.begin()
        url = attackers if query is None else attackers.replace("state=", "state=x")
        r = victim.session.get(url, allow_redirects=False, timeout=60)
        assert r.status_code == 303 and r.headers["Location"] == "/store/?login=failed"
        assert victim.ask().json()["username"] is None
    assert person.session.get(attackers, allow_redirects=False, timeout=60).headers["Location"] == "/store/apis?q=x"
    assert person.session.get(attackers, allow_redirects=False, timeout=60).headers["Location"] == "/store/apis?q=x&login=failed"


def test_the_pages_client_cannot_be_used_by_others(nodes, client):
    """Nobody but a portal begins a log-in of this client, or redeems its codes."""
    km = nodes[0].url
    evil = {"client_id": "apim_portal", "response_type": "code", "redirect_uri": "https://evil.example/", "code_challenge": "A" * 43,
            "code_challenge_method": "S256"}
    for more in ({}, {"apim_pushed": "x"}):
        r = requests.get(km + "/oauth2/authorize", params={**evil, **more}, allow_redirects=False, timeout=60)
        assert r.status_code == 400 and "Location" not in r.headers
        out = requests.get(km + "/oauth2/logout", params={"client_id": "apim_portal", "post_logout_redirect_uri": "https://evil.example/", **more},
                           allow_redirects=False, timeout=60)
        assert out.status_code == 400
    for secret in ("none", "", "apim_portal"):
        for path, form in (("/oauth2/par", {**evil, "client_secret": secret}),
                           ("/oauth2/token", {"grant_type": "authorization_code", "code": "x", "redirect_uri": "x", "client_id": "apim_portal",
                                              "client_secret": secret})):
            r = requests.post(km + path, data=form, timeout=60)
            assert r.status_code == 401 and r.json()["error"] == "invalid_client", (path, r.text)
    for operation in ("portal-login-begin", "portal-login-end", "portal-logout"):
        assert requests.post(f"{km}/internal/keymgr/v1/{operation}", json={}, timeout=60).status_code == 404


def test_a_wrong_password_and_a_locked_user(nodes, client):
    person = Person(nodes)
    page = person.follow(person.begin())
    again = person.log_in(page, "subscriber", "wrong", url=person.km)
    assert again.status_code == 403 and "wrong" in again.text
    done = person.follow(person.log_in(again, "subscriber", url=person.km))
    assert done.headers["Location"] == "/store/apis?q=x"
    client.admin().ok("POST", "/users", json={"username": "lockedout", "password": "correct horse", "roles": ["Internal/subscriber"]})
    other = Person(nodes)
    page = other.follow(other.begin())
    other.follow(other.log_in(page, "lockedout", "correct horse", url=other.km))
    assert other.ask().json()["username"] == "lockedout"
    client.admin().ok("PUT", "/users/lockedout", json={"status": "LOCKED"})
    wait_until(lambda: other.ask().json()["username"] is None, 10, what="the session of a locked user ends")
    assert "apim_portal_session" not in [c.name for c in other.session.cookies] or other.ask("/api/am/devportal/v3/applications").status_code == 401


def test_hostile_requests_of_the_way_in(nodes, person):
    for path in (LOGIN, "/api/am/portal/v1/callback"):
        for query in ("", "?state=x&code=y", "?state=%00&code=%ff", "?code=" + "x" * 5000, "?error=access_denied", "?return=%2f%2fevil", "?prompt=login",
                      "?state=" + "v1.AAAA.BBBB", "?code=a&code=b&state=a&state=b"):
            r = person.session.get(person.url + path + query, allow_redirects=False, timeout=60)
            assert r.status_code in (303, 400), (path, query, r.status_code, r.text)
            assert "evil" not in r.headers.get("Location", ""), (path, query)
    assert person.ask().json()["username"] is None


@pytest.mark.databases("sqlite")
def test_without_key_manager_503_and_the_session_survives(env, pages):
    keymgr = env.node(["keymgr"], "km-down")
    portal = env.node(["portal"], "portal-down", keymgr=keymgr.url, extra=f"ApimPages {pages}\nApimKeyManagerUrl {keymgr.url}")
    person = Person((keymgr, portal))
    person.enter()
    env.expect_log(r"AH00957|AH01114|APIM-RE0001: \S+ /api/am/portal/v1/\w+ answered 503|AH00959|AH01102")
    keymgr.stop()
    assert person.begin().status_code == 503
    assert person.ask(method="DELETE").status_code == 503
    keymgr.start()
    wait_until(lambda: person.ask().status_code == 200 and person.ask().json()["username"] == "subscriber", 20, what="the session is there again")


@pytest.mark.databases("sqlite")
def test_without_pages_there_is_no_session_either(env):
    node, _ = env.all_in_one(name="bare", extra="ApimPages Off")
    for path in ("/store/", "/pages/x.js", SESSION, LOGIN):
        assert requests.get(node.url + path, timeout=60).status_code == 404
    assert Form(requests.get(node.url + "/", timeout=60).text).links
