# SPDX-License-Identifier: Apache-2.0
"""What attackers try at the Key Manager, as far as no other file has it: replayed codes and refresh tokens, tricks with the header of a
JWT, pages in frames."""
import base64
import json

import pytest

from browser import Browser, Client
from keymgr import KeyManager, Scene, part


@pytest.fixture(scope="module")
def km(env):
    return KeyManager(env, env.node(["keymgr"], "keymgr"))


def encoded(data):
    return base64.urlsafe_b64encode(data if isinstance(data, bytes) else json.dumps(data).encode()).rstrip(b"=").decode()


def test_a_refresh_token_of_a_public_client_that_comes_again_ends_the_family(km):
    app = Client(km, public=True)
    first = app.tokens()

    def refresh(token):
        return km.post("/oauth2/token", data={"grant_type": "refresh_token", "refresh_token": token, "client_id": app.id})

    second = refresh(first["refresh_token"]).json()
    third = refresh(second["refresh_token"]).json()
    assert refresh(first["refresh_token"]).status_code == 400
    assert refresh(third["refresh_token"]).status_code == 400 and not km.active(third["access_token"])


def test_a_code_that_comes_again_ends_its_tokens(km):
    app = Client(km)
    code = app.code()["code"]
    issued = app.redeem(code).json()
    assert app.redeem(code).status_code == 400 and not km.active(issued["access_token"])


def test_no_page_stands_in_a_frame_or_tells_where_it_was(km):
    app = Client(km)
    for page in (app.authorize(Browser(km.url)), app.authorize(Browser(km.url), client_id="x"), km.get("/oauth2/logout")):
        headers = page.headers
        assert "frame-ancestors 'none'" in headers["Content-Security-Policy"] and headers["X-Frame-Options"] == "DENY"
        assert headers["Referrer-Policy"] == "no-referrer" and "no-store" in headers["Cache-Control"] and "<script" not in page.text


def test_another_algorithm_or_none_is_no_signature(env, km):
    scene = Scene(km, env.db)
    token = km.ok_token(scene.client)["access_token"]
    head, body, signature = token.split(".")
    kid = part(token, 0)["kid"]
    assert scene.verify(token)["authorized"]
    for algorithm in ("none", "None", "nOnE", "HS256", "RS256", "ES384"):
        for attempt in ("", signature):
            forged = f"{encoded({'alg': algorithm, 'kid': kid, 'typ': 'at+jwt'})}.{body}.{attempt}"
            assert scene.verify(forged)["code"] == 900901, forged
    assert scene.verify(f"{head}.{body}.{encoded(bytes(64))}")["code"] == 900901, "a signature of zeros"
