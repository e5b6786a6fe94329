# SPDX-License-Identifier: Apache-2.0
"""The environment itself: nodes start with every set of roles, on every kind of database, and stop without a complaint."""
import pytest
import requests


def test_all_roles_in_one_httpd_start(env, all_in_one):
    node, _ = all_in_one
    assert requests.get(node.url + "/server-status?auto", timeout=10).status_code == 200
    assert len(node.children()) >= 1
    assert node.configtest()[0] == 0


@pytest.mark.parametrize("role", ["gateway", "keymgr", "portal"])
def test_a_role_alone_starts(env, role):
    more = {} if role == "keymgr" else {"keymgr": "http://127.0.0.1:1"}
    node = env.node([role], name=f"only-{role}", **more)
    assert requests.get(node.url + "/server-status?auto", timeout=10).status_code == 200
    node.stop()


def test_three_separate_databases(env):
    db = env.database(separate=True)
    node = env.node(name="separate", db=db)
    assert requests.get(node.url + "/server-status?auto", timeout=10).status_code == 200
    assert db.query("SELECT COUNT(*) FROM um_user", name="user_manager")[0][0] in (5, "5")
    node.stop()


def test_graceful_restart(env, all_in_one):
    node, _ = all_in_one
    node.graceful()
    assert requests.get(node.url + "/server-status?auto", timeout=10).status_code == 200


def test_back_end_counts(env):
    backend = env.backend()
    with requests.Session() as session:
        session.trust_env = False
        assert session.post(backend.url + "/x?y=1", data=b"abc", timeout=10).json()["length"] == 3
        assert session.get(backend.url + "/x?status=418", timeout=10).status_code == 418
    assert (backend.requests, backend.connections) == (2, 1)
    assert backend.seen[0].method == "POST"
