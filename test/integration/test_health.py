# SPDX-License-Identifier: Apache-2.0
"""SetHandler apim-health: what load balancers ask."""
import pytest
import requests

from artifacts import artefact, deploy
from support import wait_until

LINES = '\n'.join(["<Location /apim-health>", "SetHandler apim-health", "Require all granted", "</Location>"])


def health(node):
    r = requests.get(node.url + "/apim-health", timeout=10)
    return r.status_code, r.json()


def test_every_role_of_the_httpd_is_told(env):
    node, _ = env.all_in_one(extra=LINES)
    status, said = wait_until(lambda: health(node)[0] == 200 and health(node), 10, what="all roles can serve")
    assert status == 200 and said["status"] == "UP" and said["version"]
    assert set(said["roles"]) == {"gateway", "keymgr", "portal"}
    assert {r["status"] for r in said["roles"].values()} == {"UP"}
    wait_until(lambda: health(node)[1]["roles"]["keymgr"]["databases"], 10, what="the databases were looked at")
    assert health(node)[1]["roles"]["portal"]["databases"] == {"user_manager": "UP", "api_manager": "UP", "registry": "UP"}
    assert health(node)[1]["roles"]["gateway"]["environment"] == "Default"
    assert requests.head(node.url + "/apim-health", timeout=10).status_code == 200
    assert requests.post(node.url + "/apim-health", timeout=10).status_code == 405
    node.graceful()
    wait_until(lambda: health(node)[0] == 200, 10, what="after a graceful restart")


def test_a_gateway_that_never_was_filled_is_not_ready(fresh_env):
    fresh_env.expect_log("APIM-GW0203")
    node = fresh_env.node(["gateway"], db=None, extra=f"{LINES}\nApimFeed http://127.0.0.1:9\nApimNodeName empty",
                          keymgr="http://127.0.0.1:9")
    status, said = health(node)
    assert status == 503 and said["roles"]["gateway"]["status"] == "DOWN"


@pytest.mark.databases("postgresql")
def test_a_node_without_its_database_is_told_after_a_while(fresh_env):
    """A gateway goes on: what it serves is its own. A Key Manager that is cut off should not be asked."""
    fresh_env.expect_log("APIM-DB", "APIM-GW", "APIM-KM", "dbd:error", "AH0063")
    db = fresh_env.database()
    keymgr = fresh_env.node(["keymgr"], "km", db=db, extra=LINES)
    gateway = fresh_env.node(["gateway"], "gw", db=db, extra=LINES, keymgr=keymgr.url)
    deploy(db, artefact("/health", fresh_env.backend("b").url))
    for node in (keymgr, gateway):
        wait_until(lambda: health(node)[0] == 200, 10, what=f"{node.name} is up")  # noqa: B023
    name = db.query("SELECT current_database()")[0][0]
    db.cluster.sql(f'ALTER DATABASE "{name}" ALLOW_CONNECTIONS false')
    db.cluster.sql(f"SELECT pg_terminate_backend(pid) FROM pg_stat_activity WHERE datname = '{name}'")
    wait_until(lambda: health(keymgr)[0] == 503, 25, what="the Key Manager says that it cannot serve")
    assert health(keymgr)[1]["roles"]["keymgr"]["databases"]["api_manager"] == "DOWN"
    status, said = health(gateway)
    assert status == 200 and said["roles"]["gateway"]["registry"] == "DOWN"
    db.cluster.sql(f'ALTER DATABASE "{name}" ALLOW_CONNECTIONS true')
    wait_until(lambda: health(keymgr)[0] == 200, 25, what="the Key Manager is back")
