# SPDX-License-Identifier: Apache-2.0
"""Signing keys: an independent verifier, rotation with overlap, several Key Managers on one database."""
import concurrent.futures
import json
import time

import pytest

from database import USERS
from keymgr import KeyManager, Scene, part
from support import free_port, wait_until

jwk = pytest.importorskip("jwcrypto.jwk")
jwt = pytest.importorskip("jwcrypto.jwt")


def key_manager(env, name, extra="", **more):
    return KeyManager(env, env.node(["keymgr"], name, extra=extra, **more))


def check(km, token, alg):
    keys = jwk.JWKSet.from_json(km.get("/oauth2/jwks").text)
    kid = part(token, 0)["kid"]
    key = keys.get_key(kid)
    assert key is not None and key.thumbprint() == kid and not key.has_private
    verified = jwt.JWT(jwt=token, key=key, algs=[alg], check_claims={"iss": km.url, "exp": None, "jti": None})
    return json.loads(verified.claims)


@pytest.mark.parametrize("alg", ["ES256", "RS256", "PS256", "EdDSA"])
def test_an_independent_verifier_accepts_our_tokens(fresh_env, alg):
    km = key_manager(fresh_env, "keymgr", f"ApimSigningAlgorithm {alg}")
    scene = Scene(km, fresh_env.db)
    token = km.ok_token(scene.client)["access_token"]
    assert check(km, token, alg)["client_id"] == scene.client[0]
    assert scene.verify(token)["authorized"]
    with pytest.raises(Exception):
        check(km, token[:-4] + ("AAAA" if token[-4:] != "AAAA" else "BBBB"), alg)


def test_two_key_managers_are_one(fresh_env):
    issuer = "ApimIssuer https://keys.example.com"
    a, b = key_manager(fresh_env, "a", issuer), key_manager(fresh_env, "b", issuer)
    with concurrent.futures.ThreadPoolExecutor(8) as pool:  # the first keys are made by whoever comes first
        sets = list(pool.map(lambda i: (a, b)[i % 2].get("/oauth2/jwks").text, range(8)))
    assert len({frozenset(k["kid"] for k in json.loads(s)["keys"]) for s in sets}) == 1
    rows = fresh_env.db.query("SELECT state FROM am_signing_key ORDER BY state")
    assert [r[0] for r in rows] == ["ACTIVE", "NEXT"]
    scene, opaque = Scene(a, fresh_env.db), Scene(a, fresh_env.db, token_type="OAUTH")
    for one in (scene, opaque):
        tokens = a.ok_token(one.client, "password", username="subscriber", password=USERS["subscriber"][0])
        for _ in range(3):
            for first, second in ((a, b), (b, a)):
                assert second.active(tokens["access_token"])
                again = second.ok_token(one.client, "refresh_token", refresh_token=tokens["refresh_token"])
                assert first.active(again["access_token"]) and not first.active(tokens["access_token"])
                tokens = again
        b.post("/oauth2/revoke", auth=one.client, data={"token": tokens["access_token"]})
        assert not a.active(tokens["access_token"])
    body = a.get("/.well-known/oauth-authorization-server").json()
    assert body["issuer"] == "https://keys.example.com" and body["jwks_uri"] == "https://keys.example.com/oauth2/jwks"


def test_rotation_with_overlap(fresh_env):
    extra = "ApimKeyRotation 8s\nApimAccessTokenLifetime 8s"
    a, b = key_manager(fresh_env, "a", extra), key_manager(fresh_env, "b", extra)
    scene = Scene(a, fresh_env.db)
    seen, checked = {}, 0
    published = {k["kid"] for k in a.get("/oauth2/jwks").json()["keys"]}
    end = time.time() + 40
    last = None
    while time.time() < end and len(seen) < 4:
        for km, other in ((a, b), (b, a)):
            token = km.ok_token(scene.client)["access_token"]
            kid = part(token, 0)["kid"]
            if kid not in seen:
                assert kid in published  # it was in the JWKS before it was used
                seen[kid] = 1
                if last:
                    assert other.active(last) or part(last, 0)["kid"] == kid
            last = token
            assert other.active(token)
            checked += 1
        published |= {k["kid"] for k in a.get("/oauth2/jwks").json()["keys"]}
        time.sleep(0.3)
    assert len(seen) == 4 and checked > 20
    rows = fresh_env.db.query("SELECT state, private_jwk FROM am_signing_key")
    assert [r[0] for r in rows].count("ACTIVE") == 1 and [r[0] for r in rows].count("NEXT") == 1
    assert all((r[0] == "RETIRED") == (r[1] in ("", None)) for r in rows)
    assert len(a.get("/oauth2/jwks").json()["keys"]) <= 5


def test_a_token_lives_through_a_rotation(fresh_env):
    km = key_manager(fresh_env, "a", "ApimKeyRotation 6s\nApimAccessTokenLifetime 6s")
    scene = Scene(km, fresh_env.db)
    km.ok_token(scene.client)
    first = part(km.ok_token(scene.client)["access_token"], 0)["kid"]
    key = km.run("api-key-generate", applicationId=scene.application, keyType="PRODUCTION", validityPeriod=-1,
                 username="subscriber")["apikey"]
    before = {}

    def rotated():
        token = km.ok_token(scene.client)["access_token"]
        kid = part(token, 0)["kid"]
        if kid == first:
            before["token"] = token
        return kid != first

    wait_until(rotated, 20, every=0.2)
    assert scene.verify(before["token"])["authorized"]
    assert part(before["token"], 0)["kid"] in {k["kid"] for k in km.get("/oauth2/jwks").json()["keys"]}
    time.sleep(13)
    assert first not in {k["kid"] for k in km.get("/oauth2/jwks").json()["keys"]}
    assert scene.verify(api_key=key)["authorized"]  # API keys outlive the published keys


def test_another_cluster_secret_is_told(fresh_env):
    a = key_manager(fresh_env, "a")
    scene = Scene(a, fresh_env.db)
    token = a.ok_token(scene.client)["access_token"]
    fresh_env.secret = "f" * 64
    b = key_manager(fresh_env, "b")
    fresh_env.expect_log("APIM-KM0010", "APIM-KM0001")
    r = b.token(scene.client)
    assert r.status_code == 503 and r.json()["error"] == "temporarily_unavailable" and r.headers["Retry-After"]
    b.node.logged("APIM-KM0010: signing key .* another ApimClusterSecret")
    assert b.active(token)  # verifying needs no secret


@pytest.mark.databases("sqlite")
def test_configuration_is_checked(fresh_env):
    def says(extra, *patterns, secret=True):
        node = fresh_env.node(["keymgr"], start=False, extra=extra)
        if not secret:
            text = node.conf.read_text()
            node.conf.write_text("\n".join(line for line in text.splitlines() if "ApimClusterSecret" not in line) + "\n")
        status, out = node.configtest()
        assert (status == 0) == (not patterns), out
        for pattern in patterns:
            assert pattern in out, out

    says("")
    says("ApimKeyRotation 30d\nApimAccessTokenLifetime 2h\nApimRefreshTokenLifetime 90d\nApimIssuer https://a.example/x\n"
         "ApimTokenAudience gateways\nApimCleanInterval 5min")
    says("", "ApimKeymgr On needs ApimClusterSecret", secret=False)
    says("ApimKeyRotation soon", "ApimKeyRotation: 'soon' is not usable", "90d")
    says("ApimAccessTokenLifetime 0", "ApimAccessTokenLifetime")
    says("ApimAccessTokenLifetime 4000d", "ApimAccessTokenLifetime")
    says("ApimKeyRotation 1h\nApimAccessTokenLifetime 2h", "longer than ApimKeyRotation")
    says("ApimSigningAlgorithm none", "'none' is not an algorithm")
    says("ApimSigningAlgorithm HS256", "'HS256' is not an algorithm")
    says("ApimIssuer keys.example.com", "ApimIssuer: 'keys.example.com' is not usable")
    says("ApimIssuer https://keys.example.com/", "without query, fragment or closing slash")
    says("ApimTokenAudience ''", "ApimTokenAudience")
    says("ApimDatabase api_manager nowhere.example", "there is no <VirtualHost> with ServerName nowhere.example")
    says("ApimKeymgr Maybe", "ApimKeymgr must be On or Off")


@pytest.mark.databases("sqlite")
def test_endpoints_answer_where_they_are_switched_on(fresh_env):
    node = fresh_env.node(["keymgr"], start=False)
    text = node.conf.read_text().replace("ApimKeymgr On", "<Location /oauth2>\nApimKeymgr On\n</Location>\n"
                                         "<Location /oauth2/revoke>\nRequire all denied\n</Location>\n"
                                         "<Directory />\nRequire all denied\n</Directory>")
    node.conf.write_text(text)
    km = KeyManager(fresh_env, node.start())
    assert km.get("/oauth2/jwks").status_code == 200
    assert km.get("/.well-known/oauth-authorization-server").status_code in (403, 404)
    fresh_env.expect_log("AH01630")
    assert km.post("/oauth2/revoke", data={"token": "x"}).status_code == 403


def test_three_separate_databases(fresh_env):
    db = fresh_env.database(separate=True)
    km = key_manager(fresh_env, "separate", db=db)
    scene = Scene(km, db)
    tokens = km.ok_token(scene.client, "password", username="subscriber", password=USERS["subscriber"][0],
                         scope="apim:subscribe")
    assert tokens["scope"] == "apim:subscribe" and scene.verify(tokens["access_token"])["authorized"]
    assert km.ok_token(scene.client, "refresh_token", refresh_token=tokens["refresh_token"])["scope"] == "apim:subscribe"


def test_a_portal_in_the_same_process_asks_directly(fresh_env):
    """The Key Manager's directives stand in a virtual host of their own; the portal finds it all the same."""
    node = fresh_env.node(["keymgr", "portal"], start=False)
    port = free_port()
    node.conf.write_text(node.conf.read_text().replace(
        "ApimKeymgr On", f"Listen 127.0.0.1:{port}\n<VirtualHost 127.0.0.1:{port}>\nServerName keys.test\nApimKeymgr On\n"
                         "</VirtualHost>"))
    km = KeyManager(fresh_env, node.start())
    assert km.get("/oauth2/jwks").status_code == 404
    km.url = f"http://127.0.0.1:{port}"
    client = km.post("/client-registration/v0.17/register", auth=("admin", USERS["admin"][0]),
                     json={"clientName": "portal", "grantType": "password"}).json()
    token = km.ok_token((client["clientId"], client["clientSecret"]), "password", username="admin",
                        password=USERS["admin"][0], scope="apim:api_view")["access_token"]
    apis = node.url + "/api/am/publisher/v4/apis"
    assert km.session.get(apis, headers={"Authorization": "Bearer " + token}, timeout=30).status_code == 200
    assert km.session.get(apis, headers={"Authorization": "Bearer x" + token}, timeout=30).status_code == 401
