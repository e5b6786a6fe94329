# SPDX-License-Identifier: Apache-2.0
"""Limits of calls: levels, codes, headers, what counts and what does not."""
import concurrent.futures
import re
import time

import pytest

from artifacts import operation
from calls import ANY, Api, facts, fault, policy
from support import wait_until


@pytest.fixture(scope="module")
def node(env):
    for level, name, count, more in [("subscription", "S5", 5, {}), ("subscription", "S100", 100, {}),
                                     ("subscription", "Lax", 2, {"stopOnQuotaReach": False}),
                                     ("subscription", "Burst", 1000, {"rateLimitCount": 3, "rateLimitTimeUnit": "min"}),
                                     ("subscription", "Second", 2, {"timeUnit": "sec"}),
                                     ("subscription", "Year", 4, {"timeUnit": "year"}), ("application", "A4", 4, {}),
                                     ("advanced", "R3", 3, {}), ("advanced", "P6", 6, {}), ("subscription", "Unauthenticated", 7, {})]:
        policy(env.db, level, name, count, **more)
    return env.node(["gateway", "keymgr"], "limits")


@pytest.fixture(scope="module")
def backend(env):
    return env.backend("limited")


@pytest.fixture
def make(env, node, backend):
    def api(subscription="Unlimited", application="Unlimited", **more):
        made = Api(env, node, node, backend, **more)
        made.set_tier(subscription, application)
        return made
    return api


def until_refused(api, token, most=50, **more):
    """Calls until a refusal; returns (calls that passed, the refusal)."""
    for passed in range(most):
        r = api.call(token, **more)
        if r.status_code != 200:
            return passed, r
    raise AssertionError(f"{most} calls passed")


def test_subscription_tier(make, backend):
    api = make("S5")
    token = api.token()
    for left in (4, 3, 2, 1, 0):
        r = api.call(token)
        assert r.status_code == 200
        assert (r.headers["X-RateLimit-Limit"], r.headers["X-RateLimit-Remaining"]) == ("5", str(left))
        assert r.headers["RateLimit-Policy"] == '"subscription";q=5;w=60'
        reset = int(re.fullmatch(rf'"subscription";r={left};t=(\d+)', r.headers["RateLimit"]).group(1))
        assert 50 < reset <= 60 and int(r.headers["X-RateLimit-Reset"]) == reset
    seen = backend.requests
    r = api.call(token)
    assert fault(r) == (429, "900804")
    body = r.json()
    assert body["message"] == "Message throttled out"
    assert re.fullmatch(r"You have exceeded your quota \.You can access API after \d{4}-[A-Z][a-z]{2}-\d\d \d\d:\d\d:\d\d\+0000 UTC",
                        body["description"])
    assert 45 < int(r.headers["Retry-After"]) <= 60
    assert (r.headers["X-RateLimit-Remaining"], r.headers["X-RateLimit-Limit"]) == ("0", "5")
    assert r.headers["RateLimit"].startswith('"subscription";r=0;t=')
    assert backend.requests == seen
    assert "<amt:code>900804</amt:code>" in api.call(token, headers={"Accept": "application/xml"}).text


def test_all_tokens_of_an_application_share_its_subscription(make):
    api = make("S5")
    tokens = [api.token(), api.user_token(), api.token(scope="other")]
    passed = sum(api.call(tokens[i % 3]).status_code == 200 for i in range(12))
    assert passed == 5


def test_application_tier_counts_each_user_over_all_apis(make):
    api = make(application="A4")
    app, user = api.token(), api.user_token()
    other = api.scene.km.ok_token(api.scene.client, "password", username="subscriber2", password="subscriber-pw-2")["access_token"]
    assert until_refused(api, user)[0] == 4
    passed, r = until_refused(api, other)
    assert passed == 4 and fault(r) == (429, "900803")
    assert app


def test_resource_and_api_policies(make):
    operations = [operation("/x", "GET", ANY, policy="R3"), operation("/x", "POST", ANY), operation("/y", "GET", ANY)]
    api = make(operations=operations)
    token = api.token()
    passed, r = until_refused(api, token)
    assert passed == 3 and fault(r) == (429, "900802")
    assert api.call(token, method="POST").status_code == 200
    assert api.call(token, path="/y").status_code == 200
    whole = make(operations=operations, apiThrottlingPolicy="P6")
    token = whole.token()
    assert [whole.call(token, path="/y").status_code for _ in range(2)] == [200, 200]
    passed, r = until_refused(whole, token)  # the policy of the API switches that of the resource off
    assert passed == 4 and fault(r) == (429, "900800")


def test_a_call_that_one_tier_refuses_costs_the_others_nothing(make):
    api = make("S5", operations=[operation("/x", "GET", ANY, policy="R3"), operation("/y", "GET", ANY)])
    token = api.token()
    assert [api.call(token).status_code for _ in range(10)] == [200] * 3 + [429] * 7
    assert [api.call(token, path="/y").status_code for _ in range(3)] == [200] * 2 + [429]


def test_burst(make):
    api = make("Burst")
    passed, r = until_refused(api, api.token())
    assert passed == 3 and fault(r) == (429, "900807")


def test_a_tier_that_does_not_stop(make):
    api = make("Lax")
    token = api.token()
    r = [api.call(token) for _ in range(5)][-1]
    assert r.status_code == 200 and r.headers["X-RateLimit-Remaining"] == "0"


def test_windows(make):
    api = make("Second")
    token = api.token()
    api.call(token)  # verified
    time.sleep(1.1)
    passed, r = until_refused(api, token)
    assert passed >= 2 and r.headers["Retry-After"] == "1"
    wait_until(lambda: api.call(token).status_code == 200, 3, every=0.2)
    api = make("Year")
    passed, r = until_refused(api, api.token())
    assert passed == 4 and 31535000 < int(r.headers["Retry-After"]) <= 31536000


def test_changed_tier_works_at_once(make):
    api = make("S5")
    token = api.token()
    assert until_refused(api, token)[0] == 5
    api.set_tier(subscription="S100")
    wait_until(lambda: api.call(token).status_code == 200, 3)


def test_what_the_back_end_is_spared(make, backend):
    """All callers together, each kind of endpoint by itself; 503, as WSO2 has it."""
    sandbox = backend.url + "/sand"
    api = make(endpoints={"production": {"url": backend.url, "maxCalls": {"count": 3, "seconds": 3600}}, "sandbox": {"url": sandbox}})
    first, second = api.token(), api.user_token()
    assert [api.call(t).status_code for t in (first, second, first)] == [200] * 3
    r = api.call(second)
    assert fault(r) == (503, "900801") and int(r.headers["Retry-After"]) > 3000 and '"backend";r=0' in r.headers["RateLimit"]


def test_address_without_credentials(make):
    api = make(operations=[operation("/open", "GET", "None")])
    passed, r = until_refused(api, None, path="/open")
    assert passed == 7 and fault(r) == (429, "900804")
    for spoofed in ({"X-Forwarded-For": "9.9.9.9"}, {"X-Forwarded-For": "1.1.1.1:99, 2.2.2.2"}, {"Forwarded": "for=3.3.3.3"},
                    {"X-Real-IP": "4.4.4.4"}, {"Client-IP": "5.5.5.5"}):
        assert api.call(path="/open", headers=spoofed).status_code == 429


def test_refused_calls_count_for_nothing(make):
    api = make("S5", operations=[operation("/x", "GET", ANY), operation("/scoped", "GET", ANY, scopes=["none"])])
    token = api.token()
    assert {api.call(token, path="/scoped").status_code for _ in range(8)} == {403}
    assert until_refused(api, token)[0] == 5


def test_exact_under_concurrency_over_all_children(make, node):
    api = make("S100")
    token = api.token()
    with concurrent.futures.ThreadPoolExecutor(16) as pool:
        answers = [f.result() for f in [pool.submit(api.call, token) for _ in range(140)]]
    passed = [r for r in answers if r.status_code == 200]
    assert len(passed) == 100
    assert sorted(int(r.headers["X-RateLimit-Remaining"]) for r in passed) == list(range(100))
    assert len(node.children()) >= 2
    assert facts(node)["LimitRefused"] >= 40


def test_graceful_restart_does_not_give_the_quota_back(fresh_env):
    policy(fresh_env.db, "subscription", "S5", 5)
    node = fresh_env.node(["gateway", "keymgr"])
    api = Api(fresh_env, node, node, fresh_env.backend())
    api.set_tier("S5")
    token = api.token()
    assert until_refused(api, token)[0] == 5
    node.graceful()
    assert api.call(token).status_code == 429


def test_policy_that_is_not_there(make, node):
    api = make("NoSuchTier")
    r = api.call(api.token())
    assert r.headers["X-RateLimit-Limit"] == "60"
    assert node.logged("APIM-GW0120: the subscription policy NoSuchTier")


def test_headers_off_and_back_end_headers(fresh_env):
    policy(fresh_env.db, "subscription", "S5", 5)
    node = fresh_env.node(["gateway", "keymgr"], extra="ApimRateLimitHeaders Off")
    api = Api(fresh_env, node, node, fresh_env.backend())
    api.set_tier("S5")
    token = api.token()
    r = api.call(token)
    assert r.status_code == 200 and not [h for h in r.headers if "ratelimit" in h.lower()]
    passed, r = until_refused(api, token)
    assert passed == 4 and int(r.headers["Retry-After"]) > 0 and "RateLimit" not in r.headers
