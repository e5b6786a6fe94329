# SPDX-License-Identifier: Apache-2.0
"""Groups of endpoints: turns, fail-over, suspension and half-open tries, what is repeated and what is not."""
import collections
import socket
import threading

import pytest
import requests

import flows
from artifacts import artefact, deploy
from support import PATIENCE, wait_until

SUSPEND = {"firstMs": 400, "longestMs": 800, "factor": 200}


@pytest.fixture(scope="module")
def gateway(env):
    return env.node(["gateway"], "gw-endpoints")


@pytest.fixture(autouse=True)
def expected(env):
    """mod_proxy logs every connection that it does not get."""
    env.expect_log(r"AH00957", r"AH00959", r"AH01114", r"AH00940", r"AH01102", r"AH01110", r"AH00898", r"AH10212")


def free_port():
    with socket.socket() as s:
        s.bind(("127.0.0.1", 0))
        return s.getsockname()[1]


def served(env, gateway, name, urls, algorithm="roundRobin", suspend=None, **more):
    endpoint = {"url": urls[0], "urls": urls, "algorithm": algorithm, "suspend": suspend or SUSPEND, **more}
    if len(urls) == 1:
        del endpoint["urls"]
    api = artefact("/" + name, urls[0], endpoints={"production": endpoint})
    deploy(env.db, api)
    url = gateway.gateway_url + api["context"] + "/x"
    wait_until(lambda: requests.get(url, timeout=20).status_code != 404, 10, what=f"{url} is served")
    return url


def who(url, method="GET", **more):
    answer = requests.request(method, url, timeout=20, **more)
    return answer.json()["backend"] if answer.status_code == 200 else (answer.status_code, answer.json()["code"])


def test_members_take_turns(env, gateway):
    backends = [env.backend(f"turn{i}") for i in range(3)]
    url = served(env, gateway, "turns", [b.url + "/base" for b in backends])
    seen = collections.Counter(who(url) for _ in range(30))
    assert set(seen) == {"turn0", "turn1", "turn2"} and set(seen.values()) == {10}
    assert backends[1].last.path == "/base/x" and backends[1].last.header("host").endswith(str(backends[1].port))


def test_a_dead_member_is_not_seen(env, gateway):
    alive, port = env.backend("alive"), free_port()
    url = served(env, gateway, "dead", [f"http://127.0.0.1:{port}", alive.url])
    kept = requests.Session()
    for method in ("GET", "POST", "DELETE", "GET"):  # a connection that was not made carried nothing: POST as well
        assert {kept.request(method, url, timeout=20).status_code for _ in range(4)} == {200}, method
    back = env.backend("back", port)
    wait_until(lambda: who(url) == "back", 10, what="the member that came back has its turn")
    assert back.requests


def test_a_body_is_sent_once(env, gateway):
    alive = env.backend("alive")
    url = served(env, gateway, "body", [f"http://127.0.0.1:{free_port()}", alive.url],
                 suspend={"firstMs": 60000, "longestMs": 60000, "factor": 100})
    seen = collections.Counter(who(url, "POST", data=b"x" * 100) for _ in range(6))  # one may fail, then the member is suspended
    assert seen["alive"] >= 5 and sum(seen.values()) - seen["alive"] == seen[(503, "101503")]


def test_failover_prefers_the_first(env, gateway):
    port, second = free_port(), env.backend("second")
    url = served(env, gateway, "failover", [f"http://127.0.0.1:{port}", second.url], "failover")
    assert {who(url) for _ in range(6)} == {"second"}
    env.backend("first", port)
    wait_until(lambda: who(url) == "first", 10, what="the first member again")
    assert {who(url) for _ in range(6)} == {"first"}


def test_what_is_repeated(env, gateway):
    """A member that takes the call and goes away: GET is asked again elsewhere, POST is not."""
    broken, fine = env.backend("broken"), env.backend("fine")
    url = served(env, gateway, "repeat", [broken.url, fine.url], "failover", {"firstMs": 1, "longestMs": 1, "factor": 100})
    broken.drop = True
    assert {who(url) for _ in range(4)} == {"fine"}
    assert who(url, "PUT") == "fine"
    before = fine.requests
    wait_until(lambda: who(url, "POST") == (502, "101500"), 5, what="POST is not sent twice")
    broken.drop = False
    wait_until(lambda: who(url) == "broken", 5, what="the first member is well")
    assert who(url, "POST") == "broken" and fine.requests >= before
    # An answer of the back end is an answer, whatever it says.
    assert requests.get(url + "?status=503", timeout=20).json()["backend"] == "broken"


def test_a_hanging_member(env, gateway):
    slow, fine = env.backend("slow"), env.backend("quick")
    url = served(env, gateway, "hang", [slow.url, fine.url], "failover", {"firstMs": 60000, "longestMs": 60000, "factor": 100},
                 timeoutMs=int(800 * PATIENCE))
    slow.delay = 10
    assert [who(url) for _ in range(4)] == ["quick"] * 4  # each of the first three waited for the time-out
    before = slow.requests
    assert [who(url) for _ in range(4)] == ["quick"] * 4 and slow.requests == before


def test_circuit_breaker_of_a_single_endpoint(env, gateway):
    port = free_port()
    url = served(env, gateway, "breaker", [f"http://127.0.0.1:{port}"], suspend={"firstMs": 600, "longestMs": 600, "factor": 100})
    wait_until(lambda: who(url) == (503, "303001"), 5, what="the circuit opens")
    answer = requests.get(url, timeout=20)
    assert answer.json()["code"] in ("303001", "101503") and int(answer.headers["Retry-After"]) >= 1
    backend = env.backend("woken", port)
    backend.delay = 0.1
    answers = []
    threads = [threading.Thread(target=lambda: answers.append(who(url))) for _ in range(6)]
    wait_until(lambda: who(url) == "woken", 10, what="the circuit closes")
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    assert set(answers) == {"woken"}


def test_through_the_publisher(env, all_in_one):
    client = all_in_one[1]
    one, two, sand = env.backend("one"), env.backend("two"), env.backend("sand")
    config = {"endpoint_type": "load_balance", "algoCombo": "org.apache.synapse.endpoints.algorithms.RoundRobin",
              "sessionManagement": "", "production_endpoints": [{"url": one.url, "config": {"suspendDuration": "400"}}, {"url": two.url}],
              "sandbox_endpoints": [{"url": sand.url}], "failOver": "True"}
    api = flows.publish(client, one.url, endpointConfig=config)
    subscribed = flows.Subscribed(client, api)
    url = flows.settle(client, subscribed.token, api)
    seen = {client.gateway(subscribed.token).get(url).json()["backend"] for _ in range(6)}
    assert seen == {"one", "two"}
    config = {"endpoint_type": "failover", "production_endpoints": {"url": f"http://127.0.0.1:{free_port()}"},
              "production_failovers": [{"url": two.url}]}
    api = flows.publish(client, one.url, endpointConfig=config)
    subscribed = flows.Subscribed(client, api)
    url = flows.settle(client, subscribed.token, api)
    assert client.gateway(subscribed.token).get(url).json()["backend"] == "two"


def test_maximum_of_the_back_end_through_the_publisher(env, all_in_one):
    client = all_in_one[1]
    api = flows.publish(client, env.backend("spared").url, maxTps={"production": 5, "productionTimeUnit": "HOUR"})
    subscribed = flows.Subscribed(client, api)
    url = flows.deployed(client, api)
    session = client.gateway(subscribed.token)
    wait_until(lambda: session.get(url).status_code == 503, 10, what="five calls an hour are over")
    answer = session.get(url)
    assert answer.json()["code"] == "900801" and '"backend";q=5;w=3600' in answer.headers["RateLimit-Policy"]
