# SPDX-License-Identifier: Apache-2.0
"""Several secrets for one client: a new one beside the old one, for a while or until someone ends it."""
import json

import pytest
from jwcrypto import jwk, jwt

import flows
from browser import Client
from calls import invalidate
from keymgr import KeyManager, Scene, counted, now_ms
from support import wait_until


@pytest.fixture(scope="module")
def km(env):
    return KeyManager(env, env.node(["keymgr"], "keymgr"))


@pytest.fixture
def scene(km, env):
    return Scene(km, env.db)


def works(scene, secret):
    return scene.km.token((scene.client[0], secret)).status_code == 200


def later(scene, seconds):
    """Makes the ends of all secrets of the client that much nearer."""
    row = scene.db.query("SELECT metadata FROM am_oauth_client WHERE consumer_key = ?", (scene.client[0],))[0][0]
    about = json.loads(row)
    for one in [about.get("secret"), *about.get("secrets", [])]:
        if one and one.get("expiresAt"):
            one["expiresAt"] -= seconds * 1000
    scene.db.query("UPDATE am_oauth_client SET metadata = ? WHERE consumer_key = ?", (json.dumps(about), scene.client[0]))
    if scene.db.kind == "postgresql":  # there the Key Manager remembers clients until it is told
        before = counted(scene.km, "RecallMisses")
        invalidate(scene.db, "client", scene.client[0])

        def read_again():
            works(scene, "another")
            return counted(scene.km, "RecallMisses") > before
        wait_until(read_again, 10, what="the client is read again")


def test_regenerate_with_an_overlap(km, scene):
    old = scene.client[1]
    token = km.ok_token(scene.client)["access_token"]
    new = km.run("client-regenerate-secret", consumerKey=scene.client[0], overlap=60)["consumerSecret"]
    assert new != old and works(scene, new) and works(scene, old) and scene.verify(token)["authorized"]
    later(scene, 61)
    assert works(scene, new) and not works(scene, old) and scene.verify(token)["authorized"]
    newer = km.run("client-regenerate-secret", consumerKey=scene.client[0])["consumerSecret"]
    assert works(scene, newer) and not works(scene, new) and not scene.verify(token)["authorized"]
    for wrong in (-1, 10 ** 9, "x", 1.5):
        assert km.operation("client-regenerate-secret", {"consumerKey": scene.client[0], "overlap": wrong}).status_code == 400


def test_an_overlap_does_not_lengthen(km, scene):
    key, first = scene.client
    km.run("client-regenerate-secret", consumerKey=key, overlap=60)
    km.run("client-regenerate-secret", consumerKey=key, overlap=3600)
    assert works(scene, first)
    later(scene, 61)
    assert not works(scene, first)


def test_further_secrets(km, scene):
    key, first = scene.client
    made = [km.run("client-add-secret", consumerKey=key, description=f"n{i}") for i in range(4)]
    assert all(works(scene, s["secretValue"]) for s in made) and works(scene, first)
    assert km.operation("client-add-secret", {"consumerKey": key}).status_code == 409
    listed = km.run("client-list-secrets", consumerKey=key)["secrets"]
    assert [s["description"] for s in listed] == ["n3", "n2", "n1", "n0", ""]
    assert listed[0]["secretId"] == made[3]["secretId"] and all("secretValue" not in s for s in listed)
    km.run("client-revoke-secret", consumerKey=key, secretId=made[3]["secretId"])  # the present one
    assert not works(scene, made[3]["secretValue"]) and works(scene, made[0]["secretValue"]) and works(scene, first)
    km.run("client-revoke-secret", consumerKey=key, secretId=made[0]["secretId"])
    assert not works(scene, made[0]["secretValue"]) and works(scene, made[1]["secretValue"])
    assert km.operation("client-revoke-secret", {"consumerKey": key, "secretId": made[0]["secretId"]}).status_code == 404
    for one in km.run("client-list-secrets", consumerKey=key)["secrets"][1:]:
        km.run("client-revoke-secret", consumerKey=key, secretId=one["secretId"])
    last = km.run("client-list-secrets", consumerKey=key)["secrets"]
    assert len(last) == 1
    assert km.operation("client-revoke-secret", {"consumerKey": key, "secretId": last[0]["secretId"]}).status_code == 409
    assert km.operation("client-list-secrets", {"consumerKey": "ck_nobody"}).status_code == 404


def test_a_secret_with_an_end(km, scene):
    key, first = scene.client
    made = km.run("client-add-secret", consumerKey=key, expiresIn=60)
    assert 0 < made["expiresAt"] - now_ms() <= 60000 and works(scene, made["secretValue"])
    later(scene, 61)
    assert not works(scene, made["secretValue"]) and works(scene, first)
    assert len(km.run("client-list-secrets", consumerKey=key)["secrets"]) == 1
    for wrong in (-1, "x", 10 ** 12):
        assert km.operation("client-add-secret", {"consumerKey": key, "expiresIn": wrong}).status_code == 400


def test_no_secret_is_stored(km, scene):
    made = km.run("client-add-secret", consumerKey=scene.client[0])["secretValue"]
    row = str(scene.db.query("SELECT secret_hash, metadata FROM am_oauth_client WHERE consumer_key = ?", (scene.client[0],)))
    assert made not in row and scene.client[1] not in row


@pytest.mark.databases("sqlite")
def test_clients_that_sign_with_their_secret(km):
    app = Client(km, token_endpoint_auth_method="client_secret_jwt", grant_types=["client_credentials"])
    new = km.run("client-regenerate-secret", consumerKey=app.id, overlap=60)["consumerSecret"]
    for secret, good in ((app.secret, True), (new, True), ("other", False)):
        token = jwt.JWT(header={"alg": "HS256"}, claims={"iss": app.id, "sub": app.id, "aud": km.url, "exp": now_ms() // 1000 + 60,
                                                        "jti": secret[:9]})
        token.make_signed_token(jwk.JWK(kty="oct", k=jwk.base64url_encode(secret)))
        r = km.post("/oauth2/token", data={"grant_type": "client_credentials", "client_assertion": token.serialize(), "client_assertion_type":
                                           "urn:ietf:params:oauth:client-assertion-type:jwt-bearer"})
        assert (r.status_code == 200) is good, r.text


@pytest.mark.databases("sqlite")
def test_the_default_overlap(env):
    km = KeyManager(env, env.node(["keymgr"], "overlap", extra="ApimSecretOverlap 1h"))
    scene = Scene(km, env.db)
    km.run("client-regenerate-secret", consumerKey=scene.client[0])
    assert works(scene, scene.client[1])
    km.run("client-regenerate-secret", consumerKey=scene.client[0], overlap=0)
    assert not works(scene, scene.client[1])


@pytest.mark.databases("sqlite")
def test_in_the_store(env):
    _, client = env.all_in_one()
    store = client.store("subscriber")
    app = flows.application(store, "several secrets")
    made = flows.keys(store, app)
    one = f"/applications/{app['applicationId']}/oauth-keys/{made['keyMappingId']}"
    r = store.post(one + "/generate-secret", json={"additionalProperties": {"description": "second", "expiresIn": 3600}})
    assert r.status_code == 201 and r.headers["Location"].endswith(one + "/secrets")
    second = r.json()
    assert second["additionalProperties"]["description"] == "second" and second["additionalProperties"]["expiresAt"]
    pair = {"consumerKey": made["consumerKey"], "consumerSecret": second["secretValue"]}
    assert flows.token_response(client, pair).status_code == 200 and flows.token_response(client, made).status_code == 200
    listed = store.ok("GET", one + "/secrets")
    assert listed["count"] == 2 and [s["secretValue"] for s in listed["list"]] == ["", ""] and listed["list"][0]["secretId"] == second["secretId"]
    assert store.post(one + "/revoke-secret", json={"secretId": second["secretId"]}).status_code == 204
    assert flows.token_response(client, pair).status_code == 401
    assert store.post(one + "/revoke-secret", json={"secretId": listed["list"][1]["secretId"]}).status_code == 409
    assert store.post(one + "/revoke-secret", json={"secretId": "0" * 32}).status_code == 404
    assert store.post(one + "/generate-secret", json=[]).status_code == 400
    new = store.ok("POST", one + "/regenerate-secret?overlap=60")
    assert flows.token_response(client, made).status_code == 200 and flows.token_response(client, new).status_code == 200
    assert store.post(one + "/regenerate-secret?overlap=x").status_code == 400
    stranger = client.store("subscriber2")
    assert stranger.get(one + "/secrets").status_code == 404
    assert stranger.post(one + "/generate-secret", json={}).status_code == 404
