# SPDX-License-Identifier: Apache-2.0
"""apachectl graceful under load loses no request."""
import concurrent.futures

import pytest
import requests

import flows
from load import Load
from support import wait_until


@pytest.fixture(scope="module")
def served(env, all_in_one):
    """(node, url of a call, headers, back end) of a published API."""
    node, client = all_in_one
    backend = env.backend()
    api = flows.publish(client, backend.url)
    app = flows.Subscribed(client, api)
    url = client.gateway_url + flows.deployed(client, api)
    assert client.gateway(app.token).get(url).status_code == 200
    return node, url, {"Authorization": f"Bearer {app.token}"}, backend


@pytest.mark.parametrize("keep_alive", [True, False], ids=["keep-alive", "fresh-connections"])
def test_graceful_under_load_loses_nothing(served, keep_alive):
    node, url, headers, _ = served
    with Load(url, headers, clients=6, keep_alive=keep_alive, pause=0.002) as load:
        for _ in range(3):
            before = load.done
            node.graceful()
            wait_until(lambda n=before: load.done > n + 100 or load.lost, 20, what="100 more calls")
    assert load.lost == [], f"{len(load.lost)} of {load.done} lost: {load.lost[:5]}"
    assert load.done > 300


def test_calls_in_flight_are_finished(served):
    node, url, headers, backend = served
    with concurrent.futures.ThreadPoolExecutor(8) as pool:
        before = backend.requests
        calls = [pool.submit(requests.get, url + "?delay=2", headers=headers, timeout=60) for _ in range(8)]
        wait_until(lambda: backend.requests >= before + 8, 10, what="all calls have reached the back end")
        node.graceful()
        assert [c.result().status_code for c in calls] == [200] * 8
