# SPDX-License-Identifier: Apache-2.0
"""Clients that sign instead of showing a secret (RFC 7523), and authorization requests that they push (RFC 9126)."""
import concurrent.futures
import json
import time
import urllib.parse
import uuid

import pytest
import requests
from jwcrypto import jwk, jwt

from browser import Browser, Client, answer
from database import USERS
from keymgr import KeyManager, now_ms, part

TYPE = "urn:ietf:params:oauth:client-assertion-type:jwt-bearer"
PASSWORD = USERS["subscriber"][0]
EC, RSA, OKP = ({"kty": "EC", "crv": "P-256", "alg": "ES256"}, {"kty": "RSA", "size": 2048, "alg": "RS256"},
                {"kty": "OKP", "crv": "Ed25519", "alg": "EdDSA"})


@pytest.fixture(scope="module")
def nodes(env):
    return [KeyManager(env, env.node(["keymgr"], name, extra="ApimIssuer http://keys.example.com")) for name in ("km-a", "km-b")]


@pytest.fixture(scope="module")
def km(nodes):
    return nodes[0]


def public(key):
    return json.loads(key.export_public())


class Signer(Client):
    """A client whose only credential is a key."""

    def __init__(self, km, kind=EC, **more):
        self.key = jwk.JWK.generate(**kind, kid="key-1")
        super().__init__(km, token_endpoint_auth_method="private_key_jwt", jwks={"keys": [public(self.key)]},
                         grant_types=["authorization_code", "refresh_token", "client_credentials"], **more)

    def assertion(self, key=None, header=None, **change):
        t = int(time.time())
        claims = {"iss": self.id, "sub": self.id, "aud": "http://keys.example.com", "iat": t, "exp": t + 60, "jti": str(uuid.uuid4()), **change}
        token = jwt.JWT(header={"alg": self.key["alg"], "kid": "key-1", **(header or {})}, claims={k: v for k, v in claims.items() if v is not None})
        token.make_signed_token(key or self.key)
        return token.serialize()

    def auth(self, assertion=None):
        return {"client_assertion_type": TYPE, "client_assertion": assertion or self.assertion()}

    def call(self, assertion=None, km=None, **form):
        return (km or self.km).post("/oauth2/token", data={"grant_type": "client_credentials", **self.auth(assertion), **form})


@pytest.fixture(scope="module")
def signer(km):
    return Signer(km)


def refused(r, error="invalid_client", status=401):
    assert r.status_code == status and r.json()["error"] == error, f"{r.status_code} {r.text}"


@pytest.mark.parametrize("kind", [EC, RSA, {**RSA, "alg": "PS256"}, OKP], ids=lambda k: k["alg"])
def test_private_key_jwt(km, kind):
    client = Signer(km, kind)
    assert "client_secret" not in client.body and client.body["jwks"]["keys"][0]["kid"] == "key-1"
    r = client.call()
    assert r.status_code == 200 and part(r.json()["access_token"], 1)["client_id"] == client.id, r.text
    assert client.call(client_id=client.id).status_code == 200
    token = r.json()["access_token"]
    assert km.post("/oauth2/introspect", data={**client.auth(), "token": token}).json()["active"] is True
    assert km.post("/oauth2/revoke", data={**client.auth(), "token": token}).status_code == 200
    assert not km.active(token)


def test_audience(km, signer):
    for aud in ("http://keys.example.com", "http://keys.example.com/oauth2/token", ["http://keys.example.com"]):
        assert signer.call(signer.assertion(aud=aud)).status_code == 200
    for aud in (None, "http://keys.example.com/", "http://other.example.com", ["http://keys.example.com", "http://other.example.com"], [], 7,
                "http://keys.example.com/oauth2/revoke", "HTTP://keys.example.com"):
        refused(signer.call(signer.assertion(aud=aud)))


def test_times(signer):
    t = int(time.time())
    for good in ({"iat": t + 8, "nbf": t + 8}, {"exp": t + 300}, {"iat": None}):
        assert signer.call(signer.assertion(**good)).status_code == 200
    for wrong in ({"exp": None}, {"exp": t - 300}, {"exp": t + 3600}, {"nbf": t + 300}, {"iat": t + 300}, {"exp": "soon"}):
        refused(signer.call(signer.assertion(**wrong)))


def test_names(km, signer):
    other = Signer(km)
    for wrong in ({"sub": other.id}, {"iss": other.id}, {"sub": None}, {"iss": None}, {"iss": other.id, "sub": other.id}, {"iss": ""},
                  {"jti": None}, {"jti": ""}, {"jti": "x" * 300}, {"iss": "x' OR '1'='1"}):
        refused(signer.call(signer.assertion(**wrong)))
    refused(signer.call(client_id=other.id))


def test_replay(nodes, signer):
    assertion = signer.assertion()
    assert signer.call(assertion).status_code == 200
    refused(signer.call(assertion))
    refused(signer.call(assertion, km=nodes[1]))
    shared = signer.assertion(jti="the same")
    assert signer.call(shared).status_code == 200
    refused(signer.call(signer.assertion(jti="the same")))
    assert Signer(signer.km).call().status_code == 200


def test_parallel_replay(km, signer):
    data = {"grant_type": "client_credentials", **signer.auth()}
    with concurrent.futures.ThreadPoolExecutor(10) as pool:
        got = list(pool.map(lambda _: requests.post(km.url + "/oauth2/token", data=data, timeout=60).status_code, range(10)))
    assert got.count(200) == 1 and set(got) <= {200, 401, 503}, got


def test_keys_of_others_and_tricks(km, signer):
    stranger = jwk.JWK.generate(kty="EC", crv="P-256", alg="ES256", kid="key-1")
    refused(signer.call(signer.assertion(key=stranger)))
    refused(signer.call(signer.assertion(key=stranger, header={"jwk": public(stranger)})))
    refused(signer.call(signer.assertion(key=stranger, header={"jku": "http://evil.example/jwks"})))
    refused(signer.call(signer.assertion(header={"kid": "../../etc/passwd"})))
    good = signer.assertion()
    head, body, signature = good.split(".")
    for wrong in (f"{head}.{body}.", f"{head}.{body}", f"eyJhbGciOiJub25lIn0.{body}.", f"eyJhbGciOiJub25lIn0.{body}.{signature}", "x", "a.b.c",
                  good + "A", "." * 20, "A" * 20000):
        refused(signer.call(wrong))
    # the public key as a secret (algorithm confusion)
    rsa = Signer(km, RSA)
    pem = jwk.JWK(kty="oct", k=jwk.base64url_encode(rsa.key.export_to_pem()))
    refused(rsa.call(rsa.assertion(key=pem, header={"alg": "HS256"})))


def test_the_method_is_what_was_registered(km, signer):
    basic = Client(km, grant_types=["client_credentials"])
    t = int(time.time())

    def by_secret(client, **header):
        token = jwt.JWT(header={"alg": "HS256", **header}, claims={"iss": client.id, "sub": client.id, "aud": "http://keys.example.com",
                                                                    "exp": t + 60, "jti": str(uuid.uuid4())})
        token.make_signed_token(jwk.JWK(kty="oct", k=jwk.base64url_encode(client.secret)))
        return {"client_assertion_type": TYPE, "client_assertion": token.serialize()}

    grant = {"grant_type": "client_credentials"}
    refused(km.post("/oauth2/token", data={**grant, **by_secret(basic)}))
    secret = Client(km, token_endpoint_auth_method="client_secret_jwt", grant_types=["client_credentials"])
    assert km.post("/oauth2/token", data={**grant, **by_secret(secret)}).status_code == 200
    refused(km.token((secret.id, secret.secret)))
    refused(km.post("/oauth2/token", data={**grant, "client_id": secret.id, "client_secret": secret.secret}))
    refused(km.token((signer.id, "")))
    refused(km.post("/oauth2/token", data={**grant, "client_id": signer.id}))
    for more in ({"client_secret": "x"}, {"client_assertion_type": "other"}, {"client_assertion_type": None}, {"client_assertion": None}):
        form = {k: v for k, v in {**grant, **signer.auth(), **more}.items() if v}
        refused(km.post("/oauth2/token", data=form), "invalid_request", 400)
    refused(km.post("/oauth2/token", data={**grant, **signer.auth()}, auth=("a", "b")), "invalid_request", 400)


def test_registration(km, signer):
    def register(**body):
        return km.post("/oauth2/register", auth=("subscriber", PASSWORD), json={"token_endpoint_auth_method": "private_key_jwt", **body})

    key = public(signer.key)
    for wrong in ({}, {"jwks": None}, {"jwks": {}}, {"jwks": {"keys": []}}, {"jwks": {"keys": [key] * 9}}, {"jwks": {"keys": ["x"]}},
                  {"jwks": {"keys": [{**key, "x": "AAAA"}]}}, {"jwks": {"keys": [{"kty": "oct", "k": "AAAA"}]}}, {"jwks": "https://a.example"},
                  {"jwks": {"keys": [json.loads(signer.key.export())]}}, {"jwks_uri": "http://127.0.0.1/", "jwks": {"keys": [key]}}):
        refused(register(**wrong), "invalid_client_metadata", 400)


def test_rotation_of_the_clients_key(km):
    client = Signer(km)
    fresh = jwk.JWK.generate(kty="EC", crv="P-256", alg="ES256", kid="key-2")
    r = km.session.put(km.url + "/oauth2/register/" + client.id, headers={"Authorization": "Bearer " + client.body["registration_access_token"]},
                       json={"client_id": client.id, "token_endpoint_auth_method": "private_key_jwt", "grant_types": ["client_credentials"],
                             "jwks": {"keys": [public(fresh)]}})
    assert r.status_code == 200 and r.json()["jwks"]["keys"][0]["kid"] == "key-2", r.text
    refused(client.call())
    assert client.call(client.assertion(key=fresh, header={"kid": "key-2"})).status_code == 200


# -- pushed authorization requests ---------------------------------------------------------------------------------------------------

def push(client, km=None, **change):
    if isinstance(client, Signer):
        data, auth = {**client.request(**change), **client.auth()}, None
    else:
        data, auth = client.request(**change), (client.id, client.secret) if client.secret else None
    return (km or client.km).post("/oauth2/par", data=data, auth=auth)


def pushed(client, **change):
    r = push(client, **change)
    assert r.status_code == 201 and r.headers["Cache-Control"] == "no-store" and r.json()["expires_in"] == 90, r.text
    return {"client_id": client.id, "request_uri": r.json()["request_uri"]}


@pytest.mark.parametrize("kind", ["secret", "public", "key"])
def test_a_pushed_request(nodes, kind):
    km = nodes[0]
    client = Signer(km) if kind == "key" else Client(km, public=kind == "public")
    params, browser = pushed(client, scope="apim:subscribe"), Browser(nodes[1].url)
    assert params["request_uri"].startswith("urn:ietf:params:oauth:request_uri:")
    page = browser.get("/oauth2/authorize", **params)
    assert page.status_code == 200 and client.verifier not in page.text
    # what stands beside it in the URL does not count
    page = browser.get("/oauth2/authorize", **params, scope="apim:admin", redirect_uri="https://evil.example/", state="x")
    got = answer(browser.allow(browser.log_in(page)))
    assert got["state"] == "st 1&2" and got["iss"] == "http://keys.example.com"
    r = client.redeem(got["code"], **(client.auth() if kind == "key" else {}))
    assert r.status_code == 200 and r.json()["scope"] == "apim:subscribe", r.text


def test_a_pushed_request_ends_in_one_code(km):
    client = Client(km)
    params, browser = pushed(client), Browser(km.url)
    first, second = browser.get("/oauth2/authorize", **params), browser.get("/oauth2/authorize", **params)  # a reload
    page = browser.log_in(first)
    assert answer(browser.allow(page))["code"]
    for r in (browser.allow(page), browser.log_in(second), browser.get("/oauth2/authorize", **params)):
        assert r.status_code == 400 and "used already" in r.text and "Location" not in r.headers


def test_request_uris_that_are_refused(km, env):
    client, other = Client(km), Client(km)
    params = pushed(client)
    uri = params["request_uri"]
    for wrong in ({**params, "client_id": other.id}, {"request_uri": uri}, {**params, "request_uri": uri[:-2] + "AA"},
                  {**params, "request_uri": uri[:40]}, {**params, "request_uri": "urn:ietf:params:oauth:request_uri:"}):
        r = Browser(km.url).get("/oauth2/authorize", **wrong)
        assert r.status_code == 400 and "Location" not in r.headers, wrong
    r = Browser(km.url).get("/oauth2/authorize", **{**params, "request_uri": "https://evil.example/r"})
    assert r.status_code == 400 and "Location" not in r.headers


def test_pushes_that_are_refused(km):
    client = Client(km)
    for change, error in (({"redirect_uri": "https://evil.example/"}, "invalid_request"), ({"response_type": "token"}, "unsupported_response_type"),
                          ({"code_challenge_method": "plain"}, "invalid_request"), ({"scope": 'a"'}, "invalid_scope"),
                          ({"request_uri": "urn:ietf:params:oauth:request_uri:x"}, "request_uri_not_supported"), ({"state": "s" * 6000}, "invalid_request"),
                          ({"client_id": Client(km).id}, "invalid_request")):
        r = push(client, **change)
        assert r.status_code == 400 and r.json()["error"] == error, (change, r.text)
    refused(km.post("/oauth2/par", data=client.request()))
    refused(km.post("/oauth2/par", data=client.request(), auth=(client.id, "wrong")))
    r = km.get("/oauth2/par")
    assert r.status_code == 405 and r.headers["Allow"] == "POST"


def test_a_client_that_has_to_push(km):
    client = Client(km, require_pushed_authorization_requests=True)
    assert client.body["require_pushed_authorization_requests"] is True
    assert answer(client.authorize(Browser(km.url)))["error"] == "invalid_request"
    assert answer(client.authorize(Browser(km.url), apim_pushed="x"))["error"] == "invalid_request"
    params, browser = pushed(client), Browser(km.url)
    assert answer(browser.allow(browser.log_in(browser.get("/oauth2/authorize", **params))))["code"]


def test_a_pushed_request_is_sealed_and_not_stored(km, env):
    client = Client(km)
    before = env.db.query("SELECT COUNT(*) FROM am_used_once")
    params = pushed(client)
    assert env.db.query("SELECT COUNT(*) FROM am_used_once") == before
    for known in (client.redirect_uri, urllib.parse.quote(client.redirect_uri, safe=""), client.challenge, client.id):
        assert known not in params["request_uri"]
    browser = Browser(km.url)
    assert answer(browser.allow(browser.log_in(browser.get("/oauth2/authorize", **params))))["code"]
    assert all(int(row[0]) <= now_ms() + 3_700_000 for row in env.db.query("SELECT expires_at FROM am_used_once"))
