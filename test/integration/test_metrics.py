# SPDX-License-Identifier: Apache-2.0
"""SetHandler apim-metrics: what Prometheus reads."""
import re

import pytest
import requests

import flows
from calls import facts
from client import Rest
from support import SOURCE, wait_until

LINES = "\n".join(["<Location /apim-metrics>", "SetHandler apim-metrics", "Require all granted", "</Location>", "ApimUsageInterval 200ms"])
SAMPLE = re.compile(r'([a-zA-Z_:][a-zA-Z0-9_:]*)(?:\{((?:[a-zA-Z_]\w*="(?:[^"\\\n]|\\["\\n])*",?)*)\})? (-?[0-9.]+)')


def scrape(node):
    """{(name, labels): value}, after checks of the format: each sample below the HELP and TYPE of its family, none twice."""
    r = requests.get(node.url + "/apim-metrics", timeout=10)
    assert r.status_code == 200 and r.headers["Content-Type"] == "text/plain; version=0.0.4; charset=utf-8"
    assert r.headers["Cache-Control"] == "no-store" and r.text.endswith("\n")
    found, families, family = {}, {}, None
    for line in r.text.splitlines():
        if line.startswith("# HELP "):
            family = line.split(" ")[2]
            assert family not in families and len(line.split(" ", 3)) == 4, line
        elif line.startswith("# TYPE "):
            assert line.split(" ")[2] == family and line.split(" ")[3] in ("counter", "gauge", "histogram", "untyped"), line
            families[family] = line.split(" ")[3]
        else:
            name, labels, value = SAMPLE.fullmatch(line).groups()
            suffixes = ("_bucket", "_sum", "_count") if families[family] == "histogram" else ("",)
            assert name in [family + s for s in suffixes] and (name, labels) not in found, line
            assert families[family] != "counter" or name.endswith("_total"), line
            found[name, labels] = float(value)
    return found


@pytest.fixture(scope="module")
def system(env):
    return env.all_in_one(extra=LINES)


def test_calls_of_an_api(env, system):
    node, client = system
    api = flows.publish(client, env.backend("metrics").url)
    subscribed = flows.Subscribed(client, api)
    url = flows.settle(client, subscribed.token, api)
    labels = f'api="{api["name"]}",version="1.0.0"'
    wait_until(lambda: facts(node)["UsageWaiting"] == 0, 10, what="calls are added up")
    before = scrape(node)
    session = Rest(node.gateway_url, subscribed.token)
    for _ in range(7):
        assert session.get(url).status_code == 200
    assert Rest(node.gateway_url).get(url).status_code == 401
    assert session.post(url, data=b"x" * 500).status_code == 200
    wait_until(lambda: facts(node)["UsageWaiting"] == 0, 10, what="calls are added up")
    after = scrape(node)

    def more(name, extra=""):
        return after.get((name, labels + extra), 0) - before.get((name, labels + extra), 0)

    assert more("apim_gateway_calls_total", ',status="2xx"') == 8 and more("apim_gateway_calls_total", ',status="4xx"') == 1
    assert more("apim_gateway_refused_total") == 1 and more("apim_gateway_throttled_total") == 0
    assert more("apim_gateway_request_bytes_total") == 500 and more("apim_gateway_response_bytes_total") > 0
    assert more("apim_gateway_call_seconds_count") == 9 == more("apim_gateway_call_seconds_bucket", ',le="+Inf"')
    assert more("apim_gateway_call_seconds_sum") > more("apim_gateway_backend_seconds_total") > 0
    bounds = [v for (n, k), v in after.items() if n == "apim_gateway_call_seconds_bucket" and k.startswith(labels)]
    assert len(bounds) == 12 and bounds == sorted(bounds)


def test_every_role_tells(system):
    node, client = system
    found = scrape(node)
    up = {re.search(r'role="(\w+)"', labels)[1]: value for (name, labels), value in found.items() if name == "apim_up"}
    assert up == {"gateway": 1, "keymgr": 1, "portal": 1}
    assert found["apim_gateway_registry_away", None] == 0 and found["apim_gateway_key_manager_breaker_open", None] == 0
    assert found["apim_gateway_apis", None] >= 1 and found["apim_gateway_usage_lost", None] == 0
    issued = found["apim_keymgr_tokens_issued", None]
    client.token("publisher", "apim:api_view")
    assert scrape(node)["apim_keymgr_tokens_issued", None] == issued + 1
    assert requests.head(node.url + "/apim-metrics", timeout=10).text == ""
    assert requests.post(node.url + "/apim-metrics", timeout=10).status_code == 405


def test_the_alert_rules_ask_for_metrics_that_are_there(system):
    names = {name for name, _ in scrape(system[0])}
    asked = set(re.findall(r"\bapim_\w+", " ".join(re.findall(r"expr: (.*)", (SOURCE / "conf/prometheus/apim-alerts.yml").read_text()))))
    assert asked and not asked - names, asked - names


def test_a_graceful_restart_goes_on_counting(env, system):
    node, client = system
    before = sum(v for (n, _), v in scrape(node).items() if n == "apim_gateway_calls_total")
    node.graceful()
    assert requests.get(node.gateway_url + "/nobody/1", timeout=10).status_code == 404
    wait_until(lambda: sum(v for (n, _), v in scrape(node).items() if n == "apim_gateway_calls_total") == before + 1, 10,
               what="the call is counted on top")


def test_one_role_alone(env):
    node = env.node(["keymgr"], "metrics-km", extra=LINES.rsplit("\n", 1)[0])
    found = scrape(node)
    assert [labels.split('"')[1] for (name, labels) in found if name == "apim_up"] == ["keymgr"]
    assert not [name for name, _ in found if name.startswith("apim_gateway")]
