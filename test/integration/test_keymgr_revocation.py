# SPDX-License-Identifier: Apache-2.0
"""Revocation of every kind, and introspection: who may see what."""
import base64
import json
import time

import pytest

from database import USERS
from keymgr import KeyManager, Scene, claims


@pytest.fixture(scope="module")
def km(env):
    return KeyManager(env, env.node(["keymgr"], "keymgr"))


@pytest.fixture(params=["JWT", "OAUTH"])
def scene(km, env, request):
    return Scene(km, env.db, token_type=request.param)


def login(scene, who="subscriber"):
    return scene.km.ok_token(scene.client, "password", username=who, password=USERS[who][0], scope="apim:subscribe")


def revoke(scene, token, client=None, **form):
    return scene.km.post("/oauth2/revoke", auth=client or scene.client, data={"token": token, **form})


def introspect(scene, token, client=None):
    r = scene.km.post("/oauth2/introspect", auth=client or scene.client, data={"token": token})
    assert r.status_code == 200, r.text
    return r.json()


def marks(scene, kind, subject):
    return int(scene.db.query("SELECT COUNT(*) FROM am_invalidation WHERE kind = ? AND subject = ?", (kind, subject))[0][0])


def test_application_token(scene):
    token = scene.km.ok_token(scene.client)["access_token"]
    other = scene.km.ok_token(scene.client)["access_token"]
    known_by = scene.verify(token)["tokenId"]
    assert marks(scene, "token", known_by) == 0
    r = revoke(scene, token)
    assert r.status_code == 200 and r.content == b"" and r.headers["Cache-Control"] == "no-store"
    out = scene.verify(token)
    assert out["code"] == 900901 and not scene.km.active(token)
    assert marks(scene, "token", known_by) == 1
    assert scene.verify(other)["authorized"]
    assert revoke(scene, token).status_code == 200  # again


@pytest.mark.parametrize("which", ["access_token", "refresh_token"])
def test_user_token_dies_with_its_relatives(scene, which):
    first = login(scene)
    second = scene.km.ok_token(scene.client, "refresh_token", refresh_token=first["refresh_token"])
    known_by = scene.verify(second["access_token"])["tokenId"]
    assert revoke(scene, second[which], token_type_hint="access_token").status_code == 200
    assert scene.verify(second["access_token"])["code"] == 900901
    assert marks(scene, "token", known_by) == 1
    assert scene.km.token(scene.client, "refresh_token", refresh_token=second["refresh_token"]).status_code == 400


def test_another_client_cannot(km, env, scene):
    other = Scene(km, env.db)
    for tokens in (login(scene), scene.km.ok_token(scene.client)):
        assert revoke(scene, tokens["access_token"], client=other.client).status_code == 200
        assert scene.verify(tokens["access_token"])["authorized"]
    assert revoke(scene, login(scene)["refresh_token"], client=other.client).status_code == 200


def test_refusals(scene):
    km = scene.km
    assert km.post("/oauth2/revoke", auth=scene.client, data={"x": "y"}).json()["error"] == "invalid_request"
    assert km.post("/oauth2/revoke", data={"token": "x"}).json()["error"] == "invalid_client"
    assert km.post("/oauth2/introspect", data={"token": "x"}).status_code == 401
    assert km.post("/oauth2/introspect", auth=(scene.client[0], "x"), data={"token": "x"}).status_code == 401
    assert km.session.get(km.url + "/oauth2/revoke", auth=scene.client).status_code == 405
    assert km.post("/oauth2/revoke?token=x", auth=scene.client, data={"a": "b"}).status_code == 400
    for rubbish in ("x", "eyJ.eyJ.x", "apim_at_x", "apim_rt_x", "x" * 9000, "'; DROP TABLE am_token; --", "\U0001f600"):
        assert revoke(scene, rubbish).status_code == 200
        assert introspect(scene, rubbish) == {"active": False}


def test_token_revoke_operation(scene):
    token = login(scene)
    assert scene.km.run("token-revoke", token=token["access_token"]) == {}
    assert not scene.km.active(token["access_token"])
    assert scene.km.operation("token-revoke", {}).status_code == 400


def test_secret_regenerated(scene):
    km, (key, secret) = scene.km, scene.client
    old = [km.ok_token(scene.client)["access_token"], login(scene)["access_token"]]
    body = km.run("client-regenerate-secret", consumerKey=key)
    assert body["consumerKey"] == key and body["consumerSecret"] != secret
    assert km.token((key, secret)).status_code == 401
    for token in old:
        assert scene.verify(token)["code"] == 900901
    fresh = km.ok_token((key, body["consumerSecret"]))["access_token"]  # in the same second
    assert scene.verify(fresh)["authorized"]
    assert marks(scene, "client", key) >= 1


def test_client_deleted(scene):
    km, (key, _) = scene.km, scene.client
    old = [km.ok_token(scene.client)["access_token"], login(scene)["access_token"]]
    assert km.run("client-delete", consumerKey=key) == {}
    for token in old:
        assert scene.verify(token)["code"] == 900901 and not km.active(token)
    assert km.token(scene.client).status_code == 401
    assert km.operation("client-get", {"consumerKey": key}).status_code == 404
    assert int(scene.db.query("SELECT COUNT(*) FROM am_token WHERE consumer_key = ?", (key,))[0][0]) == 0
    assert int(scene.db.query("SELECT COUNT(*) FROM am_application_key WHERE consumer_key = ?", (key,))[0][0]) == 0
    km.run("client-create", applicationId=scene.application, keyType="PRODUCTION", name="again", owner="subscriber")


def test_user_revoked(env, scene):
    mine, others, own = login(scene), login(scene, "creator"), scene.km.ok_token(scene.client)
    assert scene.km.run("user-revoke", username="subscriber") == {}
    assert scene.verify(mine["access_token"])["code"] == 900901
    assert scene.km.token(scene.client, "refresh_token", refresh_token=mine["refresh_token"]).status_code == 400
    assert scene.verify(others["access_token"])["authorized"] and scene.verify(own["access_token"])["authorized"]
    assert scene.verify(login(scene)["access_token"])["authorized"]
    assert marks(scene, "user", "subscriber") >= 1


def test_introspection_shows_a_client_its_own(km, env, scene):
    other = Scene(km, env.db)
    token = login(scene)
    seen = introspect(scene, token["access_token"])
    assert seen["active"] is True and seen["client_id"] == scene.client[0] and seen["username"] == "subscriber"
    assert seen["scope"] == "apim:subscribe" and seen["token_type"] == "Bearer" and seen["aut"] == "APPLICATION_USER"
    assert seen["exp"] > time.time() and seen["iat"] <= time.time() and seen["iss"] == km.url
    assert introspect(scene, token["access_token"], client=other.client) == {"active": False}
    assert introspect(scene, token["refresh_token"])["active"] is True
    assert introspect(scene, token["refresh_token"], client=other.client) == {"active": False}
    own = scene.km.ok_token(scene.client)["access_token"]
    seen = introspect(scene, own)
    assert "username" not in seen and seen["sub"] == scene.client[0] and seen["aut"] == "APPLICATION"
    revoke(scene, own)
    assert introspect(scene, own) == {"active": False}


def test_hostile_jwts(km, env):
    scene = Scene(km, env.db)
    token = km.ok_token(scene.client)["access_token"]
    head, body, sig = token.split(".")

    def b64(**header):
        return base64.urlsafe_b64encode(json.dumps(header).encode()).rstrip(b"=").decode()

    kid = km.get("/oauth2/jwks").json()["keys"][0]["kid"]
    headers = [b64(alg="none"), b64(alg="none", kid=kid, typ="at+jwt"), b64(alg="HS256", kid=kid, typ="at+jwt"),
               b64(alg="ES256", kid="../../etc/passwd", typ="at+jwt"), b64(alg="ES256", kid="A" * 43, typ="at+jwt"),
               b64(alg="ES256", kid=kid, typ="at+jwt", crit=["x"]), b64(alg="ES256", kid=kid, typ="JWT")]
    hostile = [f"{header}.{body}.{sig}" for header in headers]
    hostile += [f"{head}.{body}.", f"{head}.{b64(sub='admin')}.{sig}", f"{head}.{body}.{sig[:-2]}", f"{head}.{body}.{'A' * 86}",
                token + "=", token + ".x", token.upper(), f"{head}.{body}.{sig}{'A' * 9000}"]
    for bad in hostile:
        assert scene.verify(bad)["code"] == 900901, bad
        assert not km.active(bad)
    assert scene.verify(token)["authorized"]
    assert claims(token)["sub"] == scene.client[0]
