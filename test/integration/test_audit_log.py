# SPDX-License-Identifier: Apache-2.0
"""The audit log: a line for each security event, whole JSON whatever the caller sends, and no secret in it."""
import json
import stat
import threading

import pytest
import requests

from browser import Browser, Client
from database import USERS
from flows import unique
from keymgr import KeyManager
from support import wait_until

pytestmark = pytest.mark.databases("sqlite")


class Site:
    def __init__(self, env):
        self.node = env.node(["keymgr", "portal"], "audited", extra="ApimAuditLog logs/audit.log")
        self.km, self.path = KeyManager(env, self.node), self.node.root / "logs" / "audit.log"

    def events(self, **wanted):
        lines = self.path.read_bytes().splitlines(keepends=True)
        assert all(line.endswith(b"\n") and len(line) <= 4096 and line.isascii() for line in lines)
        events = [json.loads(line) for line in lines]
        assert all({"time", "node", "event", "outcome", "address", "method", "path"} <= set(e) for e in events)
        return [e for e in events if all(e.get(k) == v for k, v in wanted.items())]

    def basic(self, name, password):
        return self.km.post("/oauth2/register", auth=(name, password), json={"client_name": "x", "redirect_uris": ["https://a.example/cb"]})


@pytest.fixture(scope="module")
def site(env):
    return Site(env)


def test_a_log_in_with_consent_and_token_is_told_step_by_step(site):
    app, browser = Client(site.km), Browser(site.km.url)
    issued = app.tokens(browser)
    assert app.redeem("km_no_such_code").status_code == 400
    site.km.post("/oauth2/revoke", data={"token": issued["access_token"]}, auth=(app.id, app.secret))
    page = browser.get("/oauth2/logout")
    browser.submit(page)
    mine = [(e["event"], e["outcome"], e.get("user")) for e in site.events(client=app.id)]
    assert mine == [("client-registration", "success", "subscriber"), ("consent", "success", "subscriber"),
                    ("authorization", "success", "subscriber"), ("token", "success", None), ("token", "refused", None),
                    ("token-revocation", "success", None)]
    assert [e["grant"] for e in site.events(client=app.id, event="token")] == ["authorization_code"] * 2
    assert site.events(event="login", outcome="success", user="subscriber", path="/oauth2/authorize", address="127.0.0.1")
    assert site.events(event="logout", outcome="success", user="subscriber")
    text = site.path.read_text(encoding="ascii")
    for secret in (issued["access_token"], issued["refresh_token"], app.secret, app.verifier, USERS["subscriber"][0]):
        assert secret not in text


def test_a_denied_consent_and_a_wrong_client_are_refusals(site):
    app, browser = Client(site.km), Browser(site.km.url)
    page = browser.log_in(app.authorize(browser))
    browser.submit(page, decision="deny")
    assert site.events(client=app.id, event="authorization", outcome="refused", reason="access_denied", user="subscriber")
    app.authorize(Browser(site.km.url), redirect_uri="https://evil.example/cb")
    assert site.events(event="authorization", outcome="refused", path="/oauth2/authorize", method="GET")
    site.km.post("/oauth2/token", data={"grant_type": "client_credentials"}, auth=(app.id, "wrong"))
    refused = site.events(event="token", outcome="refused", reason="invalid_client")
    assert refused and not [e for e in refused if e.get("client")], "an id without proof is not a name"


def test_a_device_is_told_but_not_its_waiting(site):
    grant = "urn:ietf:params:oauth:grant-type:device_code"
    app, browser = Client(site.km, grant_types=[grant]), Browser(site.km.url)
    secret = {"auth": (app.id, app.secret)}
    codes = site.km.post("/oauth2/device_authorization", data={"scope": "openid"}, **secret).json()
    ask = {"grant_type": grant, "device_code": codes["device_code"]}
    assert site.km.post("/oauth2/token", data=ask, **secret).json()["error"] == "authorization_pending"
    assert browser.submit(browser.get("/oauth2/device"), user_code="ZZZZ-ZZZZ").status_code == 404
    page = browser.log_in(browser.submit(browser.get("/oauth2/device"), user_code=codes["user_code"]))
    browser.allow(page)
    assert site.km.post("/oauth2/token", data=ask, **secret).status_code == 200
    mine = [(e["event"], e["outcome"], e.get("user")) for e in site.events(client=app.id)]
    assert mine == [("client-registration", "success", "subscriber"), ("device-authorization", "success", None),
                    ("authorization", "success", "subscriber"), ("token", "success", None)]
    assert site.events(event="authorization", outcome="refused", grant=grant, path="/oauth2/device")
    text = site.path.read_text(encoding="ascii")
    assert codes["device_code"] not in text and codes["user_code"] not in text


def test_wrong_passwords_are_told_and_unknown_names_are_not_written(site):
    assert site.basic("publisher", "wrong-password-1").status_code == 401
    assert site.basic("my-secret-typed-as-name", "x").status_code == 401
    assert site.events(event="login", outcome="refused", reason="Wrong password", user="publisher")
    assert site.events(event="login", outcome="refused", reason="Unknown or locked user")
    text = site.path.read_text(encoding="ascii")
    assert "my-secret-typed-as-name" not in text and "wrong-password-1" not in text


def test_calls_of_the_rest_apis_are_told_with_who_and_what(site):
    import client as rest
    admin = rest.Client(site.node.url, site.node.url).admin()
    name = unique("audited")
    admin.ok("POST", "/users", status=201, json={"username": name, "password": "a-Secret-pass-1", "roles": ["Internal/subscriber"]})
    admin.ok("DELETE", f"/users/{name}")
    admin.ok("GET", "/users")
    assert [(e["operation"], e["outcome"]) for e in site.events(event="operation", user="admin")] == [
        ("POST /users", "success"), ("DELETE /users/{username}", "success")]
    assert site.events(path=f"/api/am/admin/v4/users/{name}", user="admin")
    bad = requests.get(f"{site.node.url}/api/am/admin/v4/users", headers={"Authorization": "Bearer stolen-token"}, timeout=10)
    assert bad.status_code == 401 and site.events(event="operation", outcome="refused", operation="GET /users")
    assert requests.get(f"{site.node.url}/api/am/admin/v4/users", timeout=10).status_code == 401
    assert len(site.events(operation="GET /users")) == 1, "who says nothing of himself is no event when reading"
    text = site.path.read_text(encoding="ascii")
    assert "a-Secret-pass-1" not in text and "stolen-token" not in text


def test_a_node_without_the_secret_of_the_cluster_is_told(site):
    assert site.km.operation("user-revoke", {"username": "x"}, secret="wrong").status_code == 404
    site.km.run("user-revoke", username="nobody-here")
    assert [(e["outcome"]) for e in site.events(event="node-operation", operation="user-revoke")] == ["refused", "success"]


@pytest.mark.parametrize("agent", [b'"}\\n{"event":"forged', b"\xff\xfe\xc3(", "\u202e\u2028ä".encode(), b"\x80" * 900, b"\\" * 4000,
                                   b'\xf0\x9f\x98\x80' * 900, b"a" * 254 + "ä".encode()])
def test_what_a_caller_sends_stays_inside_its_line(site, agent):
    before = len(site.events())
    site.km.post("/oauth2/token", data={"grant_type": "x"}, headers={"User-Agent": agent})
    after = site.events()
    assert len(after) == before + 1 and after[-1]["event"] == "token" and len(after[-1]["agent"].encode()) <= 255


def test_lines_of_many_at_once_do_not_mix(site):
    before = len(site.events())
    threads = [threading.Thread(target=lambda: [site.km.post("/oauth2/token", data={"grant_type": "x"}) for _ in range(10)]) for _ in range(8)]
    for t in threads:
        t.start()
    for t in threads:
        t.join()
    assert len(site.events()) == before + 80
    assert stat.S_IMODE(site.path.stat().st_mode) & 0o137 == 0


def test_a_program_takes_the_lines_also_after_a_graceful_restart(env):
    node = env.node(["keymgr", "portal"], "piped", start=False)
    path = node.root / "logs" / "piped.log"
    node.extra = f'ApimAuditLog "|/usr/bin/tee -a {path}"'
    node.write_conf()
    node.start()
    km = KeyManager(env, node)

    def told(n):
        return wait_until(lambda: path.exists() and len(path.read_bytes().splitlines()) == n, 10)

    km.post("/oauth2/token", data={"grant_type": "x"})
    told(1)
    old = set(node.children())
    node.graceful()
    wait_until(lambda: not old & set(node.children()), 20, what="the old children end; their program is gone")
    KeyManager(env, node).post("/oauth2/token", data={"grant_type": "x"})
    told(2)


def test_a_full_disk_holds_up_nobody_and_is_said_once(env):
    node = env.node(["keymgr"], "full", extra="ApimAuditLog /dev/full")
    env.expect_log(r"APIM-RE0010")
    km = KeyManager(env, node)
    for _ in range(5):
        assert km.post("/oauth2/token", data={"grant_type": "x"}).status_code == 401
    assert node.log().count("APIM-RE0010") <= 2
    node.logged(r"APIM-RE0010: an event could not be written to the audit log /dev/full")
