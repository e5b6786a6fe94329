# SPDX-License-Identifier: Apache-2.0
"""The token endpoint: grants, refusals, the shape of answers."""
import pytest

from database import USERS
from keymgr import KeyManager, Scene, claims, part


@pytest.fixture(scope="module")
def km(env):
    return KeyManager(env, env.node(["keymgr"], "keymgr"))


@pytest.fixture(scope="module", params=["JWT", "OAUTH"])
def scene(km, env, request):
    return Scene(km, env.db, token_type=request.param)


def test_client_credentials(km, scene):
    r = km.token(scene.client)
    assert r.status_code == 200, r.text
    assert r.headers["Cache-Control"] == "no-store" and r.headers["Pragma"] == "no-cache"
    body = r.json()
    assert body["token_type"] == "Bearer" and body["expires_in"] == 3600 and body["scope"] == "default"
    assert "refresh_token" not in body
    out = scene.verify(body["access_token"])
    assert out["authorized"] is True, out
    assert out["consumerKey"] == scene.client[0] and out["keyType"] == "PRODUCTION" and out["userType"] == "APPLICATION"
    assert out["applicationId"] == scene.application and out["applicationTier"] == "10PerMin"
    assert out["subscriptionId"] == scene.subscription and out["subscriptionTier"] == "Gold"
    assert out["username"] == "subscriber" and out["scopes"] == ["default"]


def test_password(km, scene):
    body = km.ok_token(scene.client, "password", username="subscriber", password=USERS["subscriber"][0],
                       scope="apim:subscribe apim:api_create unknown:thing")
    assert body["scope"] == "apim:subscribe"
    assert body["refresh_token"].startswith("apim_rt_")
    out = scene.verify(body["access_token"])
    assert out["userType"] == "APPLICATION_USER" and out["username"] == "subscriber"
    assert out["scopes"] == ["apim:subscribe"]
    seen = km.run("introspect", token=body["access_token"])
    assert seen["active"] and seen["username"] == "subscriber" and seen["scope"] == "apim:subscribe"
    assert seen["clientId"] == scene.client[0]


def test_jwt_claims(km, env):
    scene = Scene(km, env.db)
    token = km.ok_token(scene.client)["access_token"]
    header, body = part(token, 0), claims(token)
    assert header["typ"] == "at+jwt" and header["alg"] == "ES256" and len(header["kid"]) == 43
    assert body["iss"] == km.url and body["sub"] == body["client_id"] == scene.client[0]
    assert body["exp"] - body["iat"] == 3600 and body["nbf"] == body["iat"]
    assert body["keytype"] == "PRODUCTION" and body["aut"] == "APPLICATION" and body["jti"] and body["aud"]
    assert env.db.query("SELECT COUNT(*) FROM am_token WHERE consumer_key = ?", (scene.client[0],))[0][0] in (0, "0")
