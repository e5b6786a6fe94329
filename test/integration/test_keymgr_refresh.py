# SPDX-License-Identifier: Apache-2.0
"""Refresh tokens: rotation, reuse, retries after a lost answer, races."""
import concurrent.futures

import pytest
import requests

from database import USERS
from keymgr import KeyManager, Scene, now_ms


@pytest.fixture(scope="module")
def km(env):
    return KeyManager(env, env.node(["keymgr"], "keymgr"))


@pytest.fixture(params=["JWT", "OAUTH"])
def scene(km, env, request):
    return Scene(km, env.db, token_type=request.param)


def login(scene, scope="apim:subscribe apim:app_manage", who="subscriber"):
    return scene.km.ok_token(scene.client, "password", username=who, password=USERS[who][0], scope=scope)


def refresh(scene, token, client=None, **form):
    return scene.km.token(client or scene.client, "refresh_token", refresh_token=token, **form)


def refused(r):
    assert r.status_code == 400 and r.json()["error"] == "invalid_grant", r.text


def live(scene):
    return int(scene.db.query("SELECT COUNT(*) FROM am_token WHERE consumer_key = ? AND status = 'ACTIVE'",
                              (scene.client[0],))[0][0])


def age(scene, seconds):
    """Makes all tokens of the client look that much older."""
    scene.db.query("UPDATE am_token SET issued_at = issued_at - ? WHERE consumer_key = ?", (seconds * 1000, scene.client[0]))


def test_rotation(km, scene):
    first = login(scene)
    assert scene.verify(first["access_token"])["authorized"]
    second = refresh(scene, first["refresh_token"]).json()
    assert second["refresh_token"] != first["refresh_token"] and second["scope"] == first["scope"]
    assert scene.verify(second["access_token"])["authorized"]
    assert scene.verify(first["access_token"])["code"] == 900901  # the old access token died with it
    out = scene.verify(second["access_token"])
    assert out["username"] == "subscriber" and out["userType"] == "APPLICATION_USER"
    assert live(scene) == 1


def test_reuse_revokes_the_family(km, env, scene):
    first = login(scene)
    second = refresh(scene, first["refresh_token"]).json()
    third = refresh(scene, second["refresh_token"]).json()
    refused(refresh(scene, first["refresh_token"]))
    refused(refresh(scene, third["refresh_token"]))
    assert not scene.verify(third["access_token"])["authorized"] and live(scene) == 0
    scene.km.node.logged("APIM-KM0020")


def test_late_reuse_revokes_the_family(scene):
    first = login(scene)
    second = refresh(scene, first["refresh_token"]).json()
    age(scene, 11)
    refused(refresh(scene, first["refresh_token"]))
    refused(refresh(scene, second["refresh_token"]))
    assert live(scene) == 0


def test_retry_after_a_lost_answer(scene):
    first = login(scene)
    lost = refresh(scene, first["refresh_token"]).json()
    again = refresh(scene, first["refresh_token"])
    assert again.status_code == 200 and live(scene) == 1
    assert scene.verify(again.json()["access_token"])["authorized"]
    assert not scene.verify(lost["access_token"])["authorized"]
    # who holds the answer that was thought lost gives itself away
    refused(refresh(scene, lost["refresh_token"]))
    refused(refresh(scene, again.json()["refresh_token"]))
    assert live(scene) == 0


def test_parallel_refreshes(scene):
    first = login(scene)

    def one(_):
        with requests.Session() as session:
            session.trust_env = False
            r = session.post(scene.km.url + "/oauth2/token", auth=scene.client, timeout=60,
                             data={"grant_type": "refresh_token", "refresh_token": first["refresh_token"]})
            return r.status_code, r.json()

    with concurrent.futures.ThreadPoolExecutor(20) as pool:
        answers = list(pool.map(one, range(20)))
    statuses = {status for status, _ in answers}
    assert 200 in statuses and statuses <= {200, 400, 503}, answers
    assert live(scene) == 1
    tokens = [body["access_token"] for status, body in answers if status == 200]
    assert sum(scene.verify(token)["authorized"] for token in tokens) == 1


def test_another_clients_token(km, env, scene):
    other = Scene(km, env.db)
    first = login(scene)
    refused(refresh(scene, first["refresh_token"], client=other.client))
    assert refresh(scene, first["refresh_token"]).status_code == 200  # and nothing happened to it
    refused(refresh(scene, "apim_rt_" + "A" * 43))
    refused(refresh(scene, first["access_token"]))
    refused(refresh(scene, "x'; DROP TABLE am_token; --"))
    refused(refresh(scene, "y" * 20000))


def test_expired(scene):
    first = login(scene)
    scene.db.query("UPDATE am_token SET refresh_expires_at = issued_at WHERE consumer_key = ?", (scene.client[0],))
    refused(refresh(scene, first["refresh_token"]))


def test_the_first_token_is_known_as_long_as_its_family(scene):
    """Its row stays as long as any other of the family does, and says so: the clean-up passes it by, and a copy of it is
    told as one even after its own time."""
    first = login(scene)
    soon = now_ms() + 60000
    scene.db.query("UPDATE am_token SET refresh_expires_at = ? WHERE consumer_key = ?", (soon, scene.client[0]))
    second = refresh(scene, first["refresh_token"]).json()
    ends = [int(r[0]) for r in scene.db.query("SELECT refresh_expires_at FROM am_token WHERE consumer_key = ?", (scene.client[0],))]
    assert len(ends) == 2 and ends[0] == ends[1] > soon
    third = refresh(scene, second["refresh_token"]).json()
    refused(refresh(scene, first["refresh_token"]))
    refused(refresh(scene, third["refresh_token"]))
    assert live(scene) == 0


def test_scope_shrinks_for_the_access_token_only(scene):
    first = login(scene)
    narrow = refresh(scene, first["refresh_token"], scope="apim:subscribe").json()
    assert narrow["scope"] == "apim:subscribe"
    assert scene.verify(narrow["access_token"])["scopes"] == ["apim:subscribe"]
    wide = refresh(scene, narrow["refresh_token"]).json()
    assert wide["scope"] == "apim:subscribe apim:app_manage"
    r = refresh(scene, wide["refresh_token"], scope="apim:subscribe apim:api_key")
    assert r.status_code == 400 and r.json()["error"] == "invalid_scope"
    assert refresh(scene, wide["refresh_token"]).status_code == 200  # the refusal used nothing up


def test_the_user_is_looked_at_again(env, scene):
    users = env.db
    users.query("INSERT INTO um_user (id, username, password_hash, status, created_at, updated_at) SELECT 'leaver', 'leaver', "
                "password_hash, 'ACTIVE', 1, 1 FROM um_user WHERE username = 'subscriber' ON CONFLICT DO NOTHING")
    users.query("UPDATE um_user SET status = 'ACTIVE' WHERE id = 'leaver'")
    users.query("INSERT INTO um_user_role (user_id, role) VALUES ('leaver', 'Internal/subscriber') ON CONFLICT DO NOTHING")
    first = scene.km.ok_token(scene.client, "password", username="leaver", password=USERS["subscriber"][0],
                              scope="apim:subscribe")
    assert first["scope"] == "apim:subscribe"
    users.query("DELETE FROM um_user_role WHERE user_id = 'leaver'")
    second = refresh(scene, first["refresh_token"]).json()
    assert second["scope"] == "default"
    users.query("UPDATE um_user SET status = 'DISABLED' WHERE id = 'leaver'")
    assert scene.verify(second["access_token"])["code"] == 900901
    assert not scene.km.active(second["access_token"])
    refused(refresh(scene, second["refresh_token"]))


def test_no_refresh_token_without_the_grant(km, env):
    scene = Scene(km, env.db)
    km.run("client-update", consumerKey=scene.client[0], grantTypes=["password"])
    assert "refresh_token" not in login(scene)
