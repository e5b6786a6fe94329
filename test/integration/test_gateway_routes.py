# SPDX-License-Identifier: Apache-2.0
"""The gateway without credentials: deployment, routes, back ends, faults. Artefacts are written straight to the registry."""
import hashlib
import os
import time
import xml.etree.ElementTree as ET

import pytest
import requests

from artifacts import artefact, deploy, operation, undeploy
from support import wait_until

pytestmark = pytest.mark.usefixtures("gateway")


@pytest.fixture(scope="module")
def gateway(env):
    return env.node(["gateway"], "gw")


@pytest.fixture(scope="module")
def backend(env):
    return env.backend("routes")


def get(gateway, path, method="GET", **more):
    return requests.request(method, gateway.gateway_url + path, timeout=20, allow_redirects=False, **more)


def served(gateway, path, status=200):
    wait_until(lambda: get(gateway, path).status_code == status, 5, what=f"{path} answers {status}")


def test_published_after_start_is_served_within_a_second(env, gateway, backend):
    assert get(gateway, "/fresh/1.0.0/x").json()["code"] == "404"
    api = artefact("/fresh", backend.url + "/base")
    started = time.time()
    deploy(env.db, api)
    served(gateway, "/fresh/1.0.0/x")
    assert time.time() - started < 3  # the target is one second; the machine of a test may be busy
    answer = get(gateway, "/fresh/1.0.0/x/y?q=1&r=a%20b").json()
    assert answer["path"] == "/base/x/y?q=1&r=a%20b"


def test_change_and_removal(env, gateway, backend):
    api = artefact("/change", backend.url)
    deploy(env.db, api)
    served(gateway, "/change/1.0.0/a")
    api["operations"] = [operation("/b")]
    deploy(env.db, api)
    served(gateway, "/change/1.0.0/a", 404)
    assert get(gateway, "/change/1.0.0/a").json()["code"] == "900906"
    assert get(gateway, "/change/1.0.0/b").status_code == 200
    undeploy(env.db, api)
    served(gateway, "/change/1.0.0/b", 404)


def test_resources_and_verbs(env, gateway, backend):
    deploy(env.db, artefact("/shop", backend.url, operations=[
        operation("/items"), operation("/items", "POST"), operation("/items/{id}"), operation("/items/{id}", "DELETE"),
        operation("/items/special"), operation("/files/{name}.json"), operation("/static/*")]))
    served(gateway, "/shop/1.0.0/items")
    for path in ("/items/", "/items/7", "/items/special", "/files/a.json", "/static", "/static/a/b"):
        assert get(gateway, "/shop/1.0.0" + path).status_code == 200, path
    for path in ("", "/", "/other", "/items/7/x", "/files/a.xml", "/files/.json", "/Items"):
        answer = get(gateway, "/shop/1.0.0" + path)
        assert (answer.status_code, answer.json()["code"]) == (404, "900906"), path
    answer = get(gateway, "/shop/1.0.0/items/7", "PUT", data=b"x")
    assert answer.status_code == 405 and sorted(answer.headers["Allow"].split(", ")) == ["DELETE", "GET"]
    assert get(gateway, "/shop/1.0.0/items", "HEAD").status_code == 200


def test_longest_context_and_default_version(env, gateway, backend):
    short = artefact("/deep", backend.url + "/short", version="1.0.0", isDefaultVersion=True)
    long = artefact("/deep/er", backend.url + "/long", version="2.0.0")
    deploy(env.db, short)
    deploy(env.db, long)
    served(gateway, "/deep/1.0.0/x")
    wait_until(lambda: get(gateway, "/deep/er/2.0.0/x").json().get("path") == "/long/x", 5, what="the longer context is served")
    assert get(gateway, "/deep/er/x").json()["path"] == "/short/er/x"
    assert get(gateway, "/deep/1.0.0/x").json()["path"] == "/short/x"
    assert get(gateway, "/deeper").status_code == 404
    newer = artefact("/deep", backend.url + "/newer", version="3.0.0", isDefaultVersion=True)
    deploy(env.db, newer)
    wait_until(lambda: get(gateway, "/deep/x").json()["path"] == "/newer/x", 5, what="the default version moved")
    undeploy(env.db, newer)
    served(gateway, "/deep/3.0.0/x", 404)


def test_another_environment_is_not_served(env, gateway, backend):
    deploy(env.db, artefact("/elsewhere", backend.url), environment="Sandbox")
    deploy(env.db, artefact("/here", backend.url), environment="Default")
    served(gateway, "/here/1.0.0/x")
    assert get(gateway, "/elsewhere/1.0.0/x").status_code == 404


def test_paths_reach_the_back_end_as_they_were_matched(env, gateway, backend):
    deploy(env.db, artefact("/paths", backend.url, operations=[operation("/open/*"), operation("/{id}", "POST")]))
    served(gateway, "/paths/1.0.0/open/x")
    for sent, seen in (("/open/a%20b", "/open/a%20b"), ("/open/%C3%A9", "/open/%C3%A9"), ("/open/a;b=1", "/open/a;b=1"),
                       ("/open/a%3Fb", "/open/a%3Fb"), ("/open/a%25b", "/open/a%25b"), ("/open/a+b", "/open/a+b")):
        raw = _raw(gateway, f"/paths/1.0.0{sent}")
        assert raw.json()["path"] == seen, sent
    for sent in ("/open/../secret", "/open/%2e%2e/secret", "/open/..%2fsecret", "/open/%2e./secret"):
        assert _raw(gateway, f"/paths/1.0.0{sent}").status_code in (400, 404, 405), sent


def _raw(gateway, path):
    request = requests.Request("GET", gateway.gateway_url).prepare()
    request.url = gateway.gateway_url + path
    return requests.Session().send(request, timeout=20)


@pytest.mark.parametrize("method", ["POST", "PUT"])
def test_large_bodies_stream_both_ways(env, gateway, backend, method):
    context = f"/large{method.lower()}"
    deploy(env.db, artefact(context, backend.url))
    served(gateway, f"{context}/1.0.0/x")
    body = os.urandom(1 << 20) * 20
    answer = get(gateway, f"{context}/1.0.0/x?size=20000000", method, data=body)
    assert len(answer.content) == 20000000
    assert backend.last.body_sha256 == hashlib.sha256(body).hexdigest()


def test_connections_are_pooled_for_an_api_published_after_start(env, gateway):
    backend = env.backend("pool")
    deploy(env.db, artefact("/pool", backend.url))
    served(gateway, "/pool/1.0.0/x")
    before = backend.connections
    session = requests.Session()
    for _ in range(30):
        assert session.get(gateway.gateway_url + "/pool/1.0.0/x", timeout=10).status_code == 200
    assert backend.connections - before <= 4


def test_headers_to_the_back_end(env, gateway, backend):
    deploy(env.db, artefact("/headers", backend.url))
    served(gateway, "/headers/1.0.0/x")
    answer = get(gateway, "/headers/1.0.0/x", headers={"X-Request-ID": "abc-1", "X-JWT-Assertion": "forged",
                                                       "X-Apim-Cluster-Secret": "guess"})
    seen = backend.last
    assert answer.headers["X-Request-ID"] == seen.header("x-request-id") == "abc-1"
    assert seen.header("x-jwt-assertion") is None and seen.header("x-apim-cluster-secret") is None
    assert seen.header("x-forwarded-for") == "127.0.0.1" and seen.header("x-forwarded-proto") == "http"
    answer = get(gateway, "/headers/1.0.0/x", headers={"X-Request-ID": "bad id\x01".replace("\x01", "!")})
    assert answer.headers["X-Request-ID"] != "bad id!"


def test_redirects_and_cookies_of_the_back_end(env, gateway, backend):
    deploy(env.db, artefact("/redirect", backend.url + "/base"))
    served(gateway, "/redirect/1.0.0/x")
    backend.headers = [("Location", backend.url + "/base/new?x=1"), ("Set-Cookie", "a=b; Path=/base/; HttpOnly")]
    try:
        answer = get(gateway, "/redirect/1.0.0/x?status=302")
    finally:
        backend.headers = []
    assert answer.headers["Location"] == gateway.gateway_url + "/redirect/1.0.0/new?x=1"
    assert answer.headers["Set-Cookie"] == "a=b; Path=/redirect/1.0.0/; HttpOnly"


def test_states_and_transports(env, gateway, backend):
    deploy(env.db, artefact("/blocked", backend.url, status="BLOCKED"))
    served(gateway, "/blocked/1.0.0/x", 503)
    assert get(gateway, "/blocked/1.0.0/x").json()["code"] == "700700"
    deploy(env.db, artefact("/tlsonly", backend.url, transport=["https"]))
    served(gateway, "/tlsonly/1.0.0/x", 403)


def test_back_end_failures_are_faults(env, gateway, backend):
    env.expect_log(r"AH00957", r"AH01114", r"AH01102", r"AH10100", r"APIM-GW0100", r"AH00898", r"proxy:error", r"AH01110")
    deploy(env.db, artefact("/down", "http://127.0.0.1:9"))
    deploy(env.db, artefact("/slow", backend.url, endpoints={"production": {"url": backend.url, "timeoutMs": 300}}))
    served(gateway, "/down/1.0.0/x", 503)
    answer = get(gateway, "/down/1.0.0/x")
    assert answer.json()["code"] == "101503" and "Retry-After" in answer.headers
    served(gateway, "/slow/1.0.0/x")
    answer = get(gateway, "/slow/1.0.0/x?delay=2")
    assert (answer.status_code, answer.json()["code"]) == (504, "101504")
    # what the back end itself says comes through untouched
    answer = get(gateway, "/slow/1.0.0/x?status=503")
    assert answer.status_code == 503 and "code" not in answer.json()


def test_no_endpoint_for_a_production_key(env, gateway):
    deploy(env.db, artefact("/nowhere", "", endpoints={}))
    served(gateway, "/nowhere/1.0.0/x", 401)
    assert get(gateway, "/nowhere/1.0.0/x").json()["code"] == "900901"


def test_fault_formats(env, gateway):
    answer = get(gateway, "/none/1.0.0/x", headers={"Accept": "application/xml"})
    assert answer.headers["Content-Type"].startswith("application/xml")
    assert ET.fromstring(answer.text).find("{http://wso2.org/apimanager}code").text == "404"
    answer = get(gateway, "/none/1.0.0/x", headers={"Accept": "text/html,application/json;q=0.9,application/xml;q=0.5"})
    assert answer.json()["type"] == "Status report"
    answer = get(gateway, "/none/1.0.0/x", "POST", data="<x/>", headers={"SOAPAction": "urn:x", "Content-Type": "text/xml"})
    assert answer.headers["Content-Type"].startswith("text/xml")
    assert ET.fromstring(answer.text).find(".//{http://schemas.xmlsoap.org/soap/envelope/}Fault") is not None
    answer = get(gateway, "/none/1.0.0/x", "POST", data="<x/>", headers={"Content-Type": "application/soap+xml"})
    assert answer.headers["Content-Type"].startswith("application/soap+xml")
    assert get(gateway, "/none/1.0.0/x", "HEAD").content == b""


def test_a_broken_artefact_is_reported_and_harms_nobody(env, gateway, backend):
    env.expect_log(r"APIM-GW0201")
    deploy(env.db, artefact("/broken", backend.url, operations=[operation("no-slash")]))
    deploy(env.db, artefact("/after", backend.url))
    served(gateway, "/after/1.0.0/x")
    assert gateway.logged(r"APIM-GW0201: the api .* cannot be deployed")
    assert get(gateway, "/broken/1.0.0/x").status_code == 404


def test_status_page_and_dump(env, gateway, backend):
    deploy(env.db, artefact("/dumped", backend.url, operations=[operation("/things/{id}")]))
    served(gateway, "/dumped/1.0.0/things/1")
    dump = gateway.dump("DUMP_APIM_ROUTES")
    assert "/dumped/1.0.0" in dump and "/things/{id}" in dump
