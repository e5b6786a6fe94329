# SPDX-License-Identifier: Apache-2.0
"""What goes on when databases are away: what is cached and deployed is served, the rest is 503 with Retry-After, never 401."""
import concurrent.futures

import flows
import pytest

from support import wait_until

pytestmark = pytest.mark.databases("postgresql")
PATHS = {"/menu": {"get": {"responses": flows.OK_STATUS}},
         "/open": {"get": {"responses": flows.OK_STATUS, "x-auth-type": "None"}}}
AWAY = (r"APIM-(GW|KM|PO|DB|RE)\d+", r"AH00632", r"AH0063[0-9]", r"AH0062[0-9]", r"\[dbd:error\]", r"\[dbd:crit\]")


@pytest.mark.parametrize("shape", ["one", "split"])
def test_databases_away(fresh_env, shape):
    env = fresh_env
    if shape == "one":
        node, client = env.all_in_one()
        gateways = [node]
    else:
        nodes, client = env.split()
        gateways = nodes["gateway"]
    backend = env.backend()
    api = flows.publish(client, backend.url, doc=flows.definition(paths=PATHS))
    app = flows.Subscribed(client, api)
    unseen = flows.token(client, app.keys)
    url, gateway = flows.settle(client, app.token, api), client.gateway(app.token)
    store = client.store()
    assert gateway.get(url).status_code == 200
    env.expect_log(*AWAY)
    env.db.stop()
    try:
        assert gateway.get(url).status_code == 200, "a verified token goes on"
        assert client.gateway().get(flows.url_of(api, "/open")).status_code == 200
        for r in (store.get("/applications"), flows.token_response(client, app.keys)):
            assert r.status_code == 503 and int(r.headers["Retry-After"]) > 0, r.text
        r = client.gateway(unseen).get(url)
        assert r.status_code in (200, 503), r.text
        if r.status_code == 503:
            assert int(r.headers["Retry-After"]) > 0 and flows.fault_code(r) == 900900
        for node in gateways:
            node.restart()
        assert client.gateway().get(flows.url_of(api, "/open")).status_code == 200, "a cold start needs no database"
        assert client.gateway().get(url).status_code == 401
        assert client.gateway().get("/no/such/api").status_code == 404
    finally:
        env.db.start()
    wait_until(lambda: store.get("/applications").status_code == 200, 20, what="the portal is back")
    wait_until(lambda: client.gateway(unseen).get(url).status_code == 200, 20, what="the Key Manager is back")
    later = flows.publish(client, backend.url)
    wait_until(lambda: client.gateway().get(flows.url_of(later)).status_code == 401, 20, what="the feed is read again")


@pytest.mark.parametrize("how", ["fast", "immediate"])
def test_a_restart_of_postgresql_is_not_noticed_afterwards(fresh_env, how):
    """Each connection that was open is opened anew before it is used, and no statement fails."""
    env = fresh_env
    _, client = env.all_in_one()
    store = client.store()

    def statuses(number):
        with concurrent.futures.ThreadPoolExecutor(8) as pool:
            return {r.status_code for r in pool.map(lambda _: store.get("/applications"), range(number))}
    assert statuses(60) == {200}
    env.expect_log(*AWAY)
    for _ in range(2):
        env.db.cluster.restart(how)
        assert statuses(60) == {200}


def test_key_manager_away(fresh_env):
    env = fresh_env
    nodes, client = env.split(keymgrs=2)
    backend = env.backend()
    api = flows.publish(client, backend.url)
    app = flows.Subscribed(client, api)
    tokens = [flows.token(client, app.keys) for _ in range(2)]
    url, gateway = flows.settle(client, app.token, api), client.gateway(app.token)
    assert gateway.get(url).status_code == 200
    env.expect_log(*AWAY, r"AH0095[79]", r"AH01114", r"AH0110[0-9]", r"AH01177", r"AH01167", r"AH10[0-9]+")
    nodes["keymgr"][1].stop()
    assert client.gateway(tokens[0]).get(url).status_code == 200, "the other Key Manager answers"
    nodes["keymgr"][0].stop()
    assert gateway.get(url).status_code == 200, "a verified token goes on"
    r = client.gateway(tokens[1]).get(url)
    assert (r.status_code, flows.fault_code(r)) == (503, 900900) and int(r.headers["Retry-After"]) > 0, r.text
    nodes["keymgr"][0].start()
    wait_until(lambda: client.gateway(tokens[1]).get(url).status_code == 200, 20, what="the Key Manager is back")
