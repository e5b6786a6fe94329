# SPDX-License-Identifier: Apache-2.0
"""A gateway whose disk is full serves what it has, says so, and catches up when there is room."""
import json
import os
import subprocess

import pytest
import requests

from artifacts import artefact, deploy, operation
from support import wait_until

LINES = "<Location /apim-health>\nSetHandler apim-health\n</Location>"


@pytest.fixture
def small_disk(fresh_env):
    """A gateway, not started, whose replica has a disk of its own with 16 MiB."""
    node = fresh_env.node(["gateway"], "full", start=False, extra=LINES)
    mounted = subprocess.run(["mount", "-t", "tmpfs", "-o", f"size=16m,mode=755,uid={node.user.pw_uid if node.user else os.getuid()}",
                              "tmpfs", node.replica], capture_output=True, text=True, timeout=10)
    if mounted.returncode != 0:
        pytest.skip(f"no right to mount a small disk: {mounted.stderr.strip()}")
    yield node
    node.stop()
    subprocess.run(["umount", "-l", node.replica], check=True, timeout=10)


def fill(node, left):
    """Fills the disk but for that many bytes."""
    disk = os.statvfs(node.replica)
    with open(node.replica / "filler", "wb") as file:
        file.write(bytes(disk.f_bavail * disk.f_bsize - left))


def status(node, path):
    return requests.get(node.gateway_url + path, timeout=10).status_code


def many(db, url, n):
    """n large artefacts at once."""
    base = int(db.query("SELECT revision FROM reg_feed_head", name="registry")[0][0])
    apis = [artefact(f"/full{i}", url, operations=[operation(f"/resource{k}/{{id}}") for k in range(40)] + [operation("/*")])
            for i in range(n)]
    for i, api in enumerate(apis):
        db.query("INSERT INTO reg_artifact (kind, key, environment, revision, deleted, payload, updated_at) VALUES ('api', ?, '', ?, 0, ?, 0)",
                 [api["id"], base + 1 + i, json.dumps(api)], name="registry")
    db.query("UPDATE reg_feed_head SET revision = ?", [base + n], name="registry")


@pytest.mark.databases("sqlite")
def test_a_full_disk(fresh_env, small_disk):
    backend, db, node = fresh_env.backend("b"), fresh_env.db, small_disk.start()
    deploy(db, artefact("/before", backend.url))
    wait_until(lambda: status(node, "/before/1.0.0/x") == 200, 10, what="the API is served")
    fill(node, 65536)
    fresh_env.expect_log("APIM-GW0203")
    many(db, backend.url, 120)
    said = node.logged(r"APIM-GW0203: .*", 20).group()
    assert f"the disk of the replica, {node.replica}" in said and "is full" in said, said
    assert status(node, "/before/1.0.0/x") == 200 and status(node, "/full0/1.0.0/x") == 404  # all of it or nothing
    health = requests.get(node.url + "/apim-health", timeout=10)
    assert health.status_code == 200 and health.json()["roles"]["gateway"]["registry"] == "DOWN"
    assert "ApimGatewayRegistryAway: 1" in requests.get(node.url + "/server-status?auto", timeout=10).text
    (node.replica / "filler").unlink()
    wait_until(lambda: status(node, "/full119/1.0.0/x") == 200, 20, what="it catches up")
    node.logged("APIM-GW0204")
