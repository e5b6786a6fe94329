# SPDX-License-Identifier: Apache-2.0
"""Nodes of a cluster are killed, hang, restart and lose their databases under a constant load of calls through the external balancer.
Calls with credentials that a gateway has verified never fail; others get 503 with Retry-After in time, never 401. APIM_FAULT_SECONDS:
how long each fault lasts (./check faults: 30)."""
import contextlib
import itertools
import os
import signal
import time
from types import SimpleNamespace

import pytest
import requests

import flows
from cluster import Cluster
from httpd import pause
from load import Load
from support import PATIENCE, wait_until

pytestmark = [pytest.mark.databases("postgresql"), pytest.mark.slow]
SECONDS = float(os.environ.get("APIM_FAULT_SECONDS", "1.5"))
KEYMGR_TIMEOUT = 7  # ApimKeyManagerTimeout of the gateways
# What nodes say of others that are away.
AWAY = (r"APIM-(GW|KM|PO|DB|RE)\d+", r"proxy(_http|_balancer|_hcheck)?:error", r"\[dbd:(error|crit)\]", r"AH0005[12]", r"AH00286",
        r"exit signal Killed", r"AH0063\d")


@pytest.fixture(scope="module")
def figure(env):
    """The cluster with an API and two verified tokens: cluster, api, url (of a call), tokens, portal (url and headers of a call)."""
    durable(env, "SET synchronous_commit = on")
    cluster = Cluster(env, env.db)
    client = cluster.client
    api = flows.publish(client, env.backend().url)
    store = client.store()
    apps = []
    for kind in ("OAUTH", "JWT"):
        app = store.ok("POST", "/applications", status=201, json={"name": kind, "throttlingPolicy": "Unlimited", "tokenType": kind})
        flows.subscribe(store, api, app)
        apps.append(SimpleNamespace(keys=flows.keys(store, app)))
        apps[-1].token = flows.token(client, apps[-1].keys)
    assert [a.token.count(".") for a in apps] == [0, 2]
    made = SimpleNamespace(cluster=cluster, client=client, api=api, apps=apps, url=client.gateway_url + flows.url_of(api),
                           tokens=[a.token for a in apps], store=store.headers["Authorization"], unseen=[])
    verified(made)
    yield made
    env.expect_log(*AWAY)  # of those that go first
    durable(env, "RESET synchronous_commit")


def durable(env, setting):
    """The tests' PostgreSQL may lose the last commits when it is killed; one in earnest does not."""
    env.db.query(f"ALTER SYSTEM {setting}")
    env.db.query("SELECT pg_reload_conf()")


def verified(figure, *gateways):
    """These gateways (or all) know both tokens, and what they know is newer than every change."""
    for gateway in gateways or figure.cluster.gateways:
        for token in figure.tokens:
            flows.settle(figure.cluster.direct(gateway), token, figure.api)


def fresh_tokens(figure, number):
    """Tokens that no gateway has seen, opaque and JWT in turn."""
    return [flows.token(figure.client, app.keys) for app, _ in zip(itertools.cycle(figure.apps), range(number))]


class Traffic:
    """Calls with both tokens, and a portal's, while the block runs. portal=False: the portals are not asked, or may answer 503."""

    def __init__(self, figure, portal=True):
        self.loads = [Load(figure.url, {"Authorization": f"Bearer {token}"}, clients=2, pause=0.01) for token in figure.tokens]
        self.loads.append(Load(figure.url, {"Authorization": f"Bearer {figure.tokens[0]}"}, clients=1, keep_alive=False, pause=0.01))
        if portal:
            self.loads.append(Load(figure.client.portal_url + "/api/am/devportal/v3/apis?limit=1", {"Authorization": figure.store},
                                   clients=1, pause=0.02))

    def __enter__(self):
        self.stack = contextlib.ExitStack()
        for load in self.loads:
            self.stack.enter_context(load)
        self.flows(20)
        return self

    def __exit__(self, *args):
        self.stack.close()

    def flows(self, calls=30):
        """Waits for so many more calls of each load."""
        before = [load.done for load in self.loads]
        wait_until(lambda: all(now.done >= then + calls for now, then in zip(self.loads, before)) or any(x.lost for x in self.loads),
                   20, what="calls go through")

    def assert_nothing_lost(self, retried=0):
        print(f"\n{os.environ['PYTEST_CURRENT_TEST'].split('::')[-1]}: {sum(load.done for load in self.loads)} calls, "
              f"{sum(len(load.lost) for load in self.loads)} lost, {sum(load.retried for load in self.loads)} sent again by the client")
        lost = {load.path: load.lost[:5] for load in self.loads if load.lost}
        assert not lost, f"of {[load.done for load in self.loads]} calls: {lost}"
        assert sum(load.retried for load in self.loads) <= retried, "connections were closed without an answer"


def unverified(figure, token):
    """(status, seconds) of a call with a token that the gateways do not know; checks what may be answered."""
    begun = time.monotonic()
    r = requests.get(figure.url, headers={"Authorization": f"Bearer {token}"}, timeout=60)
    took = time.monotonic() - begun
    assert r.status_code in (200, 503), f"{r.status_code} {r.text}"
    assert r.status_code == 200 or int(r.headers["Retry-After"]) > 0, f"{r.headers} {r.text}"
    assert took < KEYMGR_TIMEOUT + 1.5 * PATIENCE, f"{took:.1f} s"
    return r.status_code, took


def recovered(figure, node):
    wait_until(lambda: figure.cluster.healthy(node), 20, what=f"{node.name} is healthy")
    if node in figure.cluster.gateways:
        verified(figure, node)


def gets_calls(node, number):
    """Waits until the balancer sends it calls (other than those for its health)."""
    def calls():
        return len([line for line in node.access_log.read_text().splitlines() if "apim-health" not in line])
    before = calls()
    wait_until(lambda: calls() > before + number, 10, what=f"{node.name} gets calls again")


# -- nodes that die -------------------------------------------------------------------------------------------------------------------

def test_a_gateway_is_killed(env, figure):
    env.expect_log(*AWAY)
    for node in figure.cluster.gateways[::2]:
        with Traffic(figure) as traffic:
            node.kill()
            pause(SECONDS)
            node.start()
            recovered(figure, node)
            gets_calls(node, 20)
        traffic.assert_nothing_lost()


def test_children_of_a_gateway_are_killed(env, figure):
    env.expect_log(*AWAY)
    with Traffic(figure) as traffic:
        for node in figure.cluster.gateways:
            for pid in node.children():
                os.kill(pid, signal.SIGKILL)
                traffic.flows(20)
    traffic.assert_nothing_lost()


def test_a_key_manager_is_killed(env, figure):
    env.expect_log(*AWAY)
    tokens = fresh_tokens(figure, 24)
    node = figure.cluster.keymgrs[0]
    with Traffic(figure) as traffic:
        node.kill()
        answers = [unverified(figure, token) for token in tokens]
        pause(SECONDS)
        node.start()
        recovered(figure, node)
    traffic.assert_nothing_lost()
    assert {status for status, _ in answers} == {200}, answers  # the other one verifies


def test_a_portal_is_killed(env, figure):
    env.expect_log(*AWAY)
    for node in figure.cluster.portals:
        with Traffic(figure) as traffic:
            node.kill()
            pause(SECONDS)
            node.start()
            recovered(figure, node)
            gets_calls(node, 5)  # now the other one may go
        traffic.assert_nothing_lost()


# -- nodes that are restarted ---------------------------------------------------------------------------------------------------------

def test_graceful_on_each_node_in_turn(env, figure):
    env.expect_log(*AWAY)
    inner = [node for node in figure.cluster.nodes if node is not figure.cluster.external]
    with Traffic(figure) as traffic:
        for node in inner:
            node.graceful()
            traffic.flows()
    traffic.assert_nothing_lost()
    with Traffic(figure) as traffic:  # its own clients see that idle connections are closed
        figure.cluster.external.graceful()
        traffic.flows()
    traffic.assert_nothing_lost(retried=20)


# -- the databases --------------------------------------------------------------------------------------------------------------------

def test_postgresql_is_stopped_and_started(env, figure):
    env.expect_log(*AWAY)
    tokens = fresh_tokens(figure, 6)
    with Traffic(figure, portal=False) as traffic:
        env.db.stop()
        try:
            answers = [unverified(figure, token) for token in tokens]
            r = requests.get(figure.client.portal_url + "/api/am/devportal/v3/apis", headers={"Authorization": figure.store}, timeout=30)
            assert r.status_code == 503 and int(r.headers["Retry-After"]) > 0, f"{r.status_code} {r.headers}"
            pause(SECONDS)
        finally:
            env.db.start()
        for token in tokens:
            wait_until(lambda: unverified(figure, token)[0] == 200, 20, what="a new token is verified")  # noqa: B023
        wait_until(lambda: figure.client.store().get("/apis").status_code == 200, 20, what="the portals are back")
        traffic.flows()
    traffic.assert_nothing_lost()
    assert {status for status, _ in answers} == {503}, answers
    published(figure, env)


def test_postgresql_is_restarted(env, figure):
    env.expect_log(*AWAY)
    with Traffic(figure, portal=False) as traffic:
        env.db.cluster.restart("immediate")
        traffic.flows()
    traffic.assert_nothing_lost()
    published(figure, env)


def published(figure, env):
    """What is published now is soon served by every gateway."""
    api = wait_until(lambda: publish(figure, env), 20, what="something can be published")
    for gateway in figure.cluster.gateways:
        wait_until(lambda: figure.cluster.direct(gateway).gateway().get(flows.url_of(api)).status_code == 401, 20,  # noqa: B023
                   what=f"{gateway.name} serves it")


def publish(figure, env):
    """None while the portals are not back yet."""
    try:
        return flows.publish(figure.client, env.backends[0].url)
    except AssertionError as refused:
        if ": 503 " not in str(refused):
            raise
        return None


# -- nodes that are cut off or hang ---------------------------------------------------------------------------------------------------

def test_a_gateway_is_cut_from_the_feed(env, figure):
    env.expect_log(*AWAY)
    gateway = figure.cluster.gateways[2]
    with Traffic(figure) as traffic:
        figure.cluster.wire.cut()
        api = flows.publish(figure.client, env.backends[0].url)
        pause(SECONDS)
        assert figure.cluster.direct(gateway).gateway().get(flows.url_of(api)).status_code == 404
        assert figure.cluster.healthy(gateway)
        figure.cluster.wire.mend()
        wait_until(lambda: figure.cluster.direct(gateway).gateway().get(flows.url_of(api)).status_code == 401, 20,
                   what="it has caught up")
        traffic.flows()
    traffic.assert_nothing_lost()


def test_a_key_manager_hangs(env, figure):
    env.expect_log(*AWAY)
    tokens = fresh_tokens(figure, 24)
    node = figure.cluster.keymgrs[1]
    with Traffic(figure) as traffic:
        os.killpg(node.pid, signal.SIGSTOP)
        try:
            answers = [unverified(figure, token) for token in tokens]
            api = flows.publish(figure.client, env.backends[0].url)
            for gateway in figure.cluster.gateways:
                wait_until(lambda: figure.cluster.direct(gateway).gateway().get(flows.url_of(api)).status_code == 401, 20,  # noqa: B023
                           what=f"{gateway.name} learns of changes")
            pause(SECONDS)
        finally:
            os.killpg(node.pid, signal.SIGCONT)
        recovered(figure, node)
        traffic.flows()
    traffic.assert_nothing_lost()
    assert {status for status, _ in answers} == {200}, answers


def test_no_key_manager_is_there(env, figure):
    env.expect_log(*AWAY)
    tokens = fresh_tokens(figure, 6)
    with Traffic(figure, portal=False) as traffic:
        for node in figure.cluster.keymgrs:
            node.kill()
        answers = [unverified(figure, token) for token in tokens]
        for node in figure.cluster.keymgrs:
            node.start()
        for token in tokens:
            wait_until(lambda: unverified(figure, token)[0] == 200, 20, what="a new token is verified")  # noqa: B023
    traffic.assert_nothing_lost()
    assert {status for status, _ in answers} == {503}, answers
