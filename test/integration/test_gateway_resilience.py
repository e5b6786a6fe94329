# SPDX-License-Identifier: Apache-2.0
"""The gateway while things around it stop: databases away, children killed, restarts under load."""
import os
import signal

import pytest
import requests

from artifacts import artefact, deploy
from support import wait_until


def up(node, path):
    try:
        return requests.get(node.gateway_url + path, timeout=10).status_code
    except requests.ConnectionError:
        return 0


def served(node, path):
    wait_until(lambda: up(node, path) == 200, 10, what=f"{path} is served")


@pytest.mark.databases("postgresql")
def test_serves_from_its_disk_with_every_database_down(fresh_env):
    env = fresh_env
    env.expect_log(r"APIM-GW020", r"AH0063", r"AH00632", r"\[dbd:", r"APIM-")
    backend = env.backend("b")
    gateway = env.node(["gateway"], "gw")
    deploy(env.db, artefact("/kept", backend.url))
    served(gateway, "/kept/1.0.0/x")
    gateway.stop()
    env.db.stop()
    try:
        gateway.start()
        served(gateway, "/kept/1.0.0/x")
        assert gateway.logged(r"APIM-GW0203")
    finally:
        env.db.start()
    deploy(env.db, artefact("/later", backend.url))
    served(gateway, "/later/1.0.0/x")
    assert len([line for line in gateway.log().splitlines() if "APIM-GW0203" in line]) <= 4


def test_killed_children_are_replaced_and_serve(fresh_env):
    env = fresh_env
    env.expect_log(r"AH00051", r"AH00052", r"exit signal Killed", r"AH00286")
    backend = env.backend("b")
    gateway = env.node(["gateway"], "gw")
    deploy(env.db, artefact("/kill", backend.url))
    served(gateway, "/kill/1.0.0/x")
    for _ in range(3):
        for pid in gateway.children():
            os.kill(pid, signal.SIGKILL)
        served(gateway, "/kill/1.0.0/x")
    deploy(env.db, artefact("/afterkill", backend.url))
    served(gateway, "/afterkill/1.0.0/x")


def test_epoch_change_loads_everything_anew(fresh_env):
    env = fresh_env
    backend = env.backend("b")
    gateway = env.node(["gateway"], "gw")
    stale = artefact("/stale", backend.url)
    deploy(env.db, stale)
    served(gateway, "/stale/1.0.0/x")
    env.db.query("DELETE FROM reg_artifact WHERE key = ?", [stale["id"]], name="registry")
    deploy(env.db, artefact("/restored", backend.url))
    env.db.query("UPDATE reg_feed_head SET epoch = 'restored'", name="registry")
    wait_until(lambda: up(gateway, "/stale/1.0.0/x") == 404, 10, what="what is not in the restored database is gone")
    served(gateway, "/restored/1.0.0/x")
