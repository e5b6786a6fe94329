# SPDX-License-Identifier: Apache-2.0
"""The main job end to end: publish, subscribe, invoke, and what is refused; in one httpd, in a httpd for each role, with three databases
and three gateways, and with a gateway that has no database."""
import base64
import hashlib

import pytest

import flows
from client import Client
from support import SANITIZE, wait_until

pytestmark = pytest.mark.sanitize_both

PER_MINUTE = 10


class System:
    def __init__(self, env, shape):
        self.env, self.shape = env, shape
        if shape == "one":
            node, self.client = env.all_in_one()
            self.nodes = {"keymgr": [node], "portal": node, "gateway": [node]}
        elif shape == "separate":
            self.nodes, self.client = env.split(keymgrs=2, gateways=3, db=env.database(separate=True))
        elif shape == "dmz":
            self.nodes, self.client = env.split(keymgrs=2, gateways=3, dmz=True)
        else:
            self.nodes, self.client = env.split(keymgrs=2)
        self.backend, self.sandbox = env.backend("production"), env.backend("sandbox")


POSTGRESQL = pytest.mark.databases("postgresql")
SHAPES = ["one", "split"] if SANITIZE else ["one", "split", pytest.param("separate", marks=POSTGRESQL), pytest.param("dmz", marks=POSTGRESQL)]


@pytest.fixture(scope="module", params=SHAPES)
def system(env, request):
    made = System(env, request.param)
    yield made
    for node in reversed(env.nodes):
        node.stop()


@pytest.fixture(scope="module")
def api(system):
    return flows.publish(system.client, system.backend.url + "/base", sandbox=system.sandbox.url)


@pytest.fixture(scope="module")
def subscribed(system, api):
    return flows.Subscribed(system.client, api)


def call(system, token, api, path="/menu", method="GET", **more):
    url = flows.deployed(system.client, api, path)
    return system.client.gateway(token).request(method, url, **more)


def refused(response, status, code):
    assert (response.status_code, flows.fault_code(response)) == (status, code), response.text
    if status == 401:
        assert response.headers["WWW-Authenticate"].startswith("Bearer")
    return True


def test_publish_subscribe_invoke(system, api, subscribed):
    r = call(system, subscribed.token, api, "/menu/7?kind=l&x=%2F", headers={"X-Client": "1"})
    assert r.status_code == 200, r.text
    seen = system.backend.last
    assert seen.path == "/base/menu/7?kind=l&x=%2F"
    assert seen.header("X-Client") == "1" and seen.header("Authorization") is None
    assert seen.header("X-Forwarded-For") == "127.0.0.1"
    for gateway in system.nodes["gateway"]:
        client = Client(system.client.keymgr_url, system.client.portal_url, gateway.gateway_url)
        assert client.gateway(subscribed.token).get(flows.deployed(client, api)).status_code == 200, gateway.name


def test_body_streams_both_ways(system, api, subscribed):
    body = b"0123456789" * 800_000
    r = call(system, subscribed.token, api, "/menu", "POST", data=body)
    assert r.status_code == 200 and r.json()["sha256"] == hashlib.sha256(body).hexdigest()
    r = call(system, subscribed.token, api, "/menu?size=8000000")
    assert r.status_code == 200 and len(r.content) == 8_000_000


def test_keep_alive_to_the_back_end(system, api, subscribed):
    call(system, subscribed.token, api)
    before = system.backend.connections
    session = system.client.gateway(subscribed.token)
    for _ in range(20):
        assert session.get(flows.url_of(api)).status_code == 200
    assert system.backend.connections - before <= 4


def test_sandbox_key_reaches_the_sandbox(system, api, subscribed):
    pair = flows.keys(subscribed.store, subscribed.app, "SANDBOX")
    r = call(system, flows.token(system.client, pair), api)
    assert r.status_code == 200 and r.json()["backend"] == "sandbox"


def test_default_version_answers_without_version(system):
    api = flows.publish(system.client, system.backend.url, isDefaultVersion=True)
    app = flows.Subscribed(system.client, api)
    flows.deployed(system.client, api)
    assert system.client.gateway(app.token).get(api["context"].replace("/1.0.0", "") + "/menu").status_code == 200


def test_no_and_bad_credentials(system, api):
    refused(call(system, None, api), 401, 900902)
    refused(call(system, "x" * 36, api), 401, 900901)
    refused(call(system, None, api, headers={"Authorization": "Basic " + base64.b64encode(b"a:b").decode()}), 401, 900902)
    forged = "eyJhbGciOiJub25lIn0.eyJzdWIiOiJhZG1pbiJ9."
    refused(call(system, forged, api), 401, 900901)


def test_unknown_resource_and_verb(system, api, subscribed):
    flows.deployed(system.client, api)
    gateway = system.client.gateway(subscribed.token)
    assert gateway.get(flows.url_of(api, "/nowhere")).status_code == 404
    assert gateway.get("/no/such/api").status_code == 404
    r = gateway.delete(flows.url_of(api, "/menu"))
    assert r.status_code == 405 and {m.strip() for m in r.headers["Allow"].split(",")} >= {"GET", "POST"}


def test_not_subscribed(system, subscribed):
    other = flows.publish(system.client, system.backend.url)
    refused(call(system, subscribed.token, other), 403, 900908)
    flows.subscribe(subscribed.store, other, subscribed.app)
    wait_until(lambda: call(system, subscribed.token, other).status_code == 200, 5, what="a new subscription counts")


def test_expired_token(system, api):
    app = flows.Subscribed(system.client, api)
    short = system.client.keymgr.post("/oauth2/token", auth=(app.keys["consumerKey"], app.keys["consumerSecret"]),
                                      data={"grant_type": "client_credentials", "validity_period": "2"})
    token = short.json()["access_token"]
    if short.json()["expires_in"] > 5:
        pair = flows.keys(app.store, flows_app := flows.application(app.store), validityTime=2)
        flows.subscribe(app.store, api, flows_app)
        token = flows.token(system.client, pair)
    assert call(system, token, api).status_code == 200
    wait_until(lambda: call(system, token, api).status_code == 401, 10, what="the token expires")
    assert flows.fault_code(call(system, token, api)) in (900901, 900903)


def test_revoked_token_stops_working(system, api):
    app = flows.Subscribed(system.client, api)
    assert call(system, app.token, api).status_code == 200
    r = system.client.keymgr.post("/oauth2/revoke", auth=(app.keys["consumerKey"], app.keys["consumerSecret"]),
                                  data={"token": app.token})
    assert r.status_code == 200
    wait_until(lambda: call(system, app.token, api).status_code == 401, 5, what="the revocation reaches the gateway")


def test_regenerated_secret(system, api):
    app = flows.Subscribed(system.client, api)
    new = app.store.ok("POST", f"/applications/{app.app['applicationId']}/keys/PRODUCTION/regenerate-secret")
    assert new["consumerSecret"] != app.keys["consumerSecret"]
    assert flows.token_response(system.client, app.keys).status_code == 401
    assert flows.token_response(system.client, {**app.keys, **new}).status_code == 200


def test_scopes_bind_a_resource(system):
    scope = flows.unique("menu:write")
    paths = {"/menu": {"get": {"responses": flows.OK_STATUS},
                       "post": {"responses": flows.OK_STATUS, "security": [{"default": [scope]}]}},
             "/open": {"get": {"responses": flows.OK_STATUS, "x-auth-type": "None"}}}
    doc = flows.definition(paths=paths, components={"securitySchemes": {"default": {
        "type": "oauth2", "flows": {"implicit": {"authorizationUrl": "https://example.org", "scopes": {
            scope: "writes"}, "x-scopes-bindings": {scope: "Internal/publisher"}}}}}})
    api = flows.publish(system.client, system.backend.url, doc=doc)
    app = flows.Subscribed(system.client, api)
    assert call(system, app.token, api).status_code == 200
    refused(call(system, app.token, api, method="POST"), 403, 900910)
    password = {"grant_type": "password", "username": "publisher", "password": "publisher-pw-1", "scope": scope}
    allowed = flows.token(system.client, app.keys, **password)
    assert call(system, allowed, api, method="POST").status_code == 200
    assert system.client.gateway().get(flows.deployed(system.client, api, "/open")).status_code == 200


def test_over_limit(system, api):
    app = flows.Subscribed(system.client, api, app_policy="10PerMin")
    flows.deployed(system.client, api)
    # Two minutes may be touched, so twice the limit and one more are over it for certain.
    answers = [call(system, app.token, api) for _ in range(2 * PER_MINUTE + 1)]
    over = [r for r in answers if r.status_code == 429]
    assert over, "the limit was never reached"
    assert flows.fault_code(over[0]) == 900803 and 0 < int(over[0].headers["Retry-After"]) <= 60
    assert answers[0].status_code == 200 and answers[0].headers["X-RateLimit-Limit"] == str(PER_MINUTE)
    assert sum(r.status_code == 200 for r in answers) in range(PER_MINUTE, 2 * PER_MINUTE + 1)


def test_blocked_and_retired(system):
    api = flows.publish(system.client, system.backend.url)
    app = flows.Subscribed(system.client, api)
    assert call(system, app.token, api).status_code == 200
    publisher = system.client.publisher("publisher")
    flows.change(publisher, api, "Block")
    wait_until(lambda: call(system, app.token, api).status_code == 503, 5, what="the gateway blocks it")
    assert flows.fault_code(call(system, app.token, api)) == 700700
    flows.change(publisher, api, "Re-Publish")
    wait_until(lambda: call(system, app.token, api).status_code == 200, 5, what="it is back")
    flows.change(publisher, api, "Deprecate")
    flows.change(publisher, api, "Retire")
    gateway = system.client.gateway(app.token)
    wait_until(lambda: gateway.get(flows.url_of(api)).status_code == 404, 5, what="the gateway drops it")


def test_api_key(system):
    api = flows.publish(system.client, system.backend.url, securityScheme=["oauth2", "api_key"])
    app = flows.Subscribed(system.client, api)
    key = app.store.ok("POST", f"/applications/{app.app['applicationId']}/api-keys/PRODUCTION/generate",
                       json={"validityPeriod": 3600, "additionalProperties": {}})["apikey"]
    gateway, url = system.client.gateway(), flows.deployed(system.client, api)
    assert gateway.get(url, headers={"apikey": key}).status_code == 200
    assert gateway.get(url, params={"apikey": key}).status_code == 200
    assert "apikey" not in system.backend.last.path, "a credential must not reach the back end"
    app.store.ok("POST", f"/applications/{app.app['applicationId']}/api-keys/PRODUCTION/revoke", json={"apikey": key})
    wait_until(lambda: gateway.get(url, headers={"apikey": key}).status_code == 401, 5, what="the key is revoked")


def test_back_end_down(system):
    env = system.env
    api = flows.publish(system.client, "http://127.0.0.1:1")
    app = flows.Subscribed(system.client, api)
    env.expect_log(r"AH0095[79]", r"AH01114", r"AH01113", r"APIM-GW")
    assert call(system, app.token, api).status_code in (502, 503)


def test_what_is_served_survives_a_restart(system, api, subscribed):
    assert call(system, subscribed.token, api).status_code == 200
    for node in system.nodes["gateway"]:
        node.restart()
    assert call(system, subscribed.token, api).status_code == 200


@pytest.mark.parametrize("body, status", [(b'{"name": "x"', (400,)), (b"\xff\xfe{}", (400,)), (b"[" * 100_000, (400, 413)),
                                          (b'{"name": "' + b"a" * 10_000_000 + b'"}', (400, 413)),
                                          (b'{"name": "\xc3\x28"}', (400,)), (b'{"a":1,"a":2}', (400,)), (b"", (400,))],
                         ids=["cut", "not-utf8", "deep", "10MB", "bad-utf8", "twice", "empty"])
@pytest.mark.parametrize("where", ["publisher", "store", "registration"])
def test_broken_json_is_refused(system, where, body, status):
    headers = {"Content-Type": "application/json"}
    if where == "registration":
        r = system.client.keymgr.post("/client-registration/v0.17/register", data=body, headers=headers,
                                      auth=("admin", "admin-pw-1"))
    else:
        rest = system.client.publisher() if where == "publisher" else system.client.store()
        r = rest.post("/apis" if where == "publisher" else "/applications", data=body, headers=headers)
    assert r.status_code in status, r.text[:500]
    if r.headers.get("Content-Type", "").startswith("application/json"):
        assert r.json()


NASTY = ["'; DROP TABLE am_application; --", "\" OR 1=1 --", "<script>alert(1)</script>", "%s%n%ld", "a\\'b", "${jndi:x}", "名前 é 😀",
         "a%0d%0aSet-Cookie: x=1"]


@pytest.mark.parametrize("text", NASTY)
def test_injection_strings_are_text(system, text):
    store = system.client.store()
    r = store.post("/applications", json={"name": flows.unique("n") + text, "throttlingPolicy": "Unlimited",
                                          "description": text})
    assert r.status_code in (201, 400), r.text
    if r.status_code == 201:
        got = store.ok("GET", "/applications/" + r.json()["applicationId"])
        assert got["description"] == text
        assert "Set-Cookie" not in r.headers
    assert store.get("/applications", params={"query": text}).status_code in (200, 400)
    assert store.get("/apis", params={"query": text}).status_code in (200, 400)


@pytest.mark.parametrize("text", ["a\r\nSet-Cookie: x=1", "a\x00b", "a\x1bb"])
def test_control_characters_are_refused(system, text):
    store = system.client.store()
    r = store.post("/applications", json={"name": flows.unique("n") + text, "throttlingPolicy": "Unlimited"})
    assert r.status_code == 400, r.text
    assert "Set-Cookie" not in r.headers


def test_back_end_gets_credentials_only_when_the_api_asks(env, all_in_one):
    """The property passCredentials, from the Publisher to the back end."""
    client, backend = all_in_one[1], env.backend("credentials")
    plain = flows.publish(client, backend.url)
    asking = flows.publish(client, backend.url, additionalProperties=[{"name": "passCredentials", "value": "true"}])
    for api, passed in ((plain, False), (asking, True)):
        caller = flows.Subscribed(client, api)
        url = flows.deployed(client, api)
        assert client.gateway(caller.token).get(url).status_code == 200
        assert (backend.last.header("authorization") == f"Bearer {caller.token}") == passed
        assert passed or backend.last.header("authorization") is None
