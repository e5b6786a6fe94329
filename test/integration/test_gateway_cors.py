# SPDX-License-Identifier: Apache-2.0
"""CORS: what the Publisher takes, and what a browser gets to see."""
import pytest
import requests

import flows
from artifacts import artefact, deploy, operation
from support import wait_until

APP = "https://app.example.org"
RULES = {"corsConfigurationEnabled": True, "accessControlAllowOrigins": [APP, "https://*.shop.example.org"],
         "accessControlAllowHeaders": ["Content-Type", "X-Trace"], "accessControlAllowMethods": ["GET", "POST", "PUT"],
         "accessControlAllowCredentials": True}


@pytest.fixture(scope="module")
def backend(env):
    backend = env.backend("cors")
    # A back end with ideas of its own: two such headers would make every browser refuse.
    backend.headers = [("Access-Control-Allow-Origin", "*"), ("Access-Control-Allow-Credentials", "true"),
                       ("Access-Control-Expose-Headers", "X-Own"), ("Vary", "Accept")]
    return backend


@pytest.fixture(scope="module")
def gateway(env):
    return env.node(["gateway"], "gw-cors", extra="ApimCorsOrigins https://global.example.org\nApimCorsMaxAge 60s\n")


def served(gateway, api):
    url = gateway.gateway_url + api["context"]
    wait_until(lambda: requests.get(url + "/x", timeout=10).status_code != 404, 10, what=f"{url} is served")
    return url


def preflight(url, origin, method="GET", headers=None):
    more = {"Access-Control-Request-Headers": headers} if headers else {}
    return requests.options(url, timeout=10, headers={"Origin": origin, "Access-Control-Request-Method": method, **more})


def cors(answer):
    return {k.lower()[len("access-control-"):]: v for k, v in answer.headers.items() if k.lower().startswith("access-control-")}


def test_preflight_and_call_of_a_published_api(env, all_in_one, backend):
    client = all_in_one[1]
    api = flows.publish(client, backend.url, corsConfiguration=RULES)
    path = flows.deployed(client, api)
    url = all_in_one[0].gateway_url + path
    before = backend.requests
    answer = preflight(url, APP, "POST", "x-trace, authorization")
    assert (answer.status_code, answer.content) == (204, b"")
    told = cors(answer)
    assert told["allow-origin"] == APP and told["allow-credentials"] == "true" and told["max-age"] == "600"
    assert sorted(told["allow-methods"].split(", ")) == ["GET", "POST"]  # PUT is allowed, but /menu has none
    assert {h.lower() for h in told["allow-headers"].split(", ")} == {"content-type", "x-trace", "authorization"}
    assert "Origin" in answer.headers["Vary"]
    assert backend.requests == before
    # The page reads refusals as well, and the answer of the back end once it is let through.
    refusal = requests.get(url, headers={"Origin": APP}, timeout=10)
    assert refusal.status_code == 401 and cors(refusal)["allow-origin"] == APP
    subscribed = flows.Subscribed(client, api)
    flows.settle(client, subscribed.token, api)
    answer = requests.get(url, headers={"Origin": APP, "Authorization": "Bearer " + subscribed.token}, timeout=10)
    told = cors(answer)
    assert answer.status_code == 200 and told["allow-origin"] == APP and told["allow-credentials"] == "true"
    assert "X-Own" in told["expose-headers"] and "X-Request-ID" in told["expose-headers"]
    assert "Accept" in answer.headers["Vary"] and "Origin" in answer.headers["Vary"]


def test_who_may_not_is_told_nothing(env, gateway, backend):
    api = artefact("/corsno", backend.url, corsConfiguration=RULES)
    deploy(env.db, api)
    url = served(gateway, api) + "/x"
    for origin in ("https://evil.example.org", "https://app.example.org.evil.net", "http://app.example.org", "null",
                   "https://shop.example.org", "https://a/b.shop.example.org"):
        assert preflight(url, origin).status_code == 204 and not cors(preflight(url, origin)), origin
        told = cors(requests.get(url, headers={"Origin": origin}, timeout=10))
        assert "allow-origin" not in told and "allow-credentials" not in told, origin
    assert cors(preflight(url, "https://a.shop.example.org"))["allow-origin"] == "https://a.shop.example.org"
    # A cache must not give the answer for one origin to another.
    assert "Origin" in requests.get(url, timeout=10).headers["Vary"]


def test_any_origin_never_with_credentials(env, gateway, backend):
    rules = {**RULES, "accessControlAllowOrigins": ["*"], "accessControlAllowHeaders": ["*"]}
    api = artefact("/corsany", backend.url, corsConfiguration=rules)
    deploy(env.db, api)
    url = served(gateway, api) + "/x"
    told = cors(preflight(url, "https://anyone.example", headers="Authorization, x-a"))
    assert told["allow-origin"] == "*" and "allow-credentials" not in told and told["allow-headers"] == "Authorization, x-a"
    assert "allow-headers" not in cors(preflight(url, "https://anyone.example", headers="x-a:1"))
    answer = requests.get(url, headers={"Origin": "https://anyone.example"}, timeout=10)
    assert cors(answer)["allow-origin"] == "*" and "allow-credentials" not in cors(answer)


def test_resource_that_has_options_and_paths_that_are_not_there(env, gateway, backend):
    api = artefact("/corsopt", backend.url, corsConfiguration=RULES,
                   operations=[operation("/own", "OPTIONS"), operation("/own"), operation("/x")])
    deploy(env.db, api)
    url = served(gateway, api)
    before = backend.requests
    answer = preflight(url + "/own", APP)
    assert answer.status_code == 200 and backend.requests == before + 1
    assert cors(answer)["allow-origin"] == "*"  # the back end's own word
    assert preflight(url + "/nothing", APP).status_code == 404
    assert requests.options(url + "/x", timeout=10).status_code == 405  # not a preflight


def test_rules_of_the_server(env, gateway, backend):
    api = artefact("/corsglobal", backend.url)
    deploy(env.db, api)
    url = served(gateway, api) + "/x"
    told = cors(preflight(url, "https://global.example.org", "PATCH", "apikey"))
    assert told["allow-origin"] == "https://global.example.org" and told["max-age"] == "60"
    assert "PATCH" in told["allow-methods"] and "apikey" in told["allow-headers"]
    assert "allow-origin" not in cors(preflight(url, APP))


def test_what_the_publisher_refuses(all_in_one):
    publisher = all_in_one[1].publisher("publisher")
    for change, words in (({"accessControlAllowOrigins": ["*"]}, "log-ins"),
                          ({"accessControlAllowOrigins": [APP + "/path"]}, "accessControlAllowOrigins/0"),
                          ({"accessControlAllowOrigins": ["app.example.org"]}, "without a path"),
                          ({"accessControlAllowHeaders": ["a b"]}, "name of a HTTP header"),
                          ({"accessControlAllowMethods": ["FETCH"]}, "accessControlAllowMethods/0")):
        name = flows.unique("CorsBad")
        answer = publisher.post("/apis", json={
            "name": name, "context": "/" + name.lower(), "version": "1", "corsConfiguration": {**RULES, **change},
            "endpointConfig": flows.endpoints("http://127.0.0.1:9")})
        assert answer.status_code == 400 and words in answer.text, answer.text
