# SPDX-License-Identifier: Apache-2.0
"""What Key Managers remember of clients and tokens: how soon a change ends it, at the node that made it and at others."""
import pytest

from keymgr import KeyManager, Scene, counted
from support import wait_until

pytestmark = [pytest.mark.databases("postgresql"), pytest.mark.sanitize_both]


@pytest.fixture(scope="module")
def pair(env):
    """Two Key Managers on one database."""
    return [KeyManager(env, env.node(["keymgr"], f"keymgr{i + 1}")) for i in range(2)]


def introspect(km, scene, token):
    r = km.post("/oauth2/introspect", auth=scene.client, data={"token": token})
    return r.status_code == 200 and r.json()["active"]


def warm(km, scene, token):
    """Asks until the answer comes from what is remembered."""
    before = counted(km, "Recalled")

    def asked():
        assert introspect(km, scene, token)
        return counted(km, "Recalled") > before + 4
    wait_until(asked, 20, what="answers are remembered")


@pytest.mark.parametrize("token_type", ["JWT", "OAUTH"])
def test_a_revoked_token_is_dead_at_once_here_and_soon_there(pair, env, token_type):
    scene = Scene(pair[0], env.db, token_type)
    token, other = (scene.km.ok_token(scene.client)["access_token"] for _ in range(2))
    for km in pair:
        warm(km, scene, token)
        warm(km, scene, other)
    assert pair[0].post("/oauth2/revoke", auth=scene.client, data={"token": token}).status_code == 200
    assert not introspect(pair[0], scene, token)
    wait_until(lambda: not introspect(pair[1], scene, token), 2, what="the other Key Manager knows")
    assert introspect(pair[0], scene, other) and introspect(pair[1], scene, other)


def test_a_new_secret(pair, env):
    scene = Scene(pair[0], env.db)
    old = scene.client
    for km in pair:
        warm(km, scene, km.ok_token(old)["access_token"])
    secret = pair[1].run("client-regenerate-secret", consumerKey=old[0])["consumerSecret"]
    assert pair[1].token(old).status_code == 401
    wait_until(lambda: pair[0].token(old).status_code == 401, 2, what="the other Key Manager refuses the old secret")
    assert all(km.token((old[0], secret)).status_code == 200 for km in pair)


def test_a_deleted_client(pair, env):
    scene = Scene(pair[0], env.db)
    for km in pair:
        warm(km, scene, km.ok_token(scene.client)["access_token"])
    pair[0].run("client-delete", consumerKey=scene.client[0])
    assert pair[0].token(scene.client).status_code == 401
    wait_until(lambda: pair[1].token(scene.client).status_code == 401, 2, what="the other Key Manager knows")


def test_changes_are_found_when_nobody_is_notified(pair, env):
    """The listeners' connections are cut, again and again: what they miss the next question finds."""
    scene = Scene(pair[0], env.db)
    token = scene.km.ok_token(scene.client)["access_token"]
    warm(pair[1], scene, token)
    pair[0].post("/oauth2/revoke", auth=scene.client, data={"token": token})

    def cut():
        env.db.query("SELECT pg_terminate_backend(pid) FROM pg_stat_activity WHERE application_name = 'apim keymgr recall'")
        return not introspect(pair[1], scene, token)
    wait_until(cut, 5, what="it is not active any more")
