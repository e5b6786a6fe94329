# SPDX-License-Identifier: Apache-2.0
"""Advanced policies with conditional groups: a call that meets all conditions of a group has the group's limit."""
import pytest

import flows
from client import Rest
from support import wait_until

POLICIES = "/throttling/policies/advanced"


def limit(count):
    return {"type": "REQUESTCOUNTLIMIT", "requestCount": {"timeUnit": "hour", "unitTime": 1, "requestCount": count}}


def group(count, *conditions):
    return {"description": "a group", "conditions": list(conditions), "limit": limit(count)}


def header(name, value, invert=False):
    return {"type": "HEADERCONDITION", "invertCondition": invert, "headerCondition": {"headerName": name, "headerValue": value}}


def query(name, value, invert=False):
    return {"type": "QUERYPARAMETERCONDITION", "invertCondition": invert,
            "queryParameterCondition": {"parameterName": name, "parameterValue": value}}


def claim(url, value, invert=False):
    return {"type": "JWTCLAIMSCONDITION", "invertCondition": invert, "jwtClaimsCondition": {"claimUrl": url, "attribute": value}}


def address(one, invert=False):
    return {"type": "IPCONDITION", "invertCondition": invert, "ipCondition": {"ipConditionType": "IPSPECIFIC", "specificIP": one}}


def addresses(first, last, invert=False):
    return {"type": "IPCONDITION", "invertCondition": invert,
            "ipCondition": {"ipConditionType": "IPRANGE", "startingIP": first, "endingIP": last}}


@pytest.fixture(scope="module")
def system(env):
    return env.all_in_one()


class Scene:
    """An API whose advanced policy has these groups, and 1000 calls an hour otherwise."""

    def __init__(self, env, system, *groups):
        self.client = system[1]
        self.admin = self.client.admin()
        self.policy = self.admin.ok("POST", POLICIES, status=201, json={
            "policyName": flows.unique("Groups"), "defaultLimit": limit(1000), "conditionalGroups": list(groups)})
        self.api = flows.publish(self.client, env.backend(flows.unique("groups")).url, apiThrottlingPolicy=self.policy["policyName"])
        self.subscribed = flows.Subscribed(self.client, self.api)
        self.url = flows.url_of(self.api)
        wait_until(lambda: self.call()[0] == 200, 15, what="the API answers")

    def call(self, **more):
        r = Rest(self.client.gateway_url, self.subscribed.token).get(self.url, **more)
        return r.status_code, int(r.headers.get("X-RateLimit-Limit", 0) or r.headers.get("RateLimit-Limit", 0))

    def allowed(self, most=6, **more):
        """How many calls of a kind are answered before one is refused."""
        for n in range(most):
            if self.call(**more)[0] == 429:
                return n
        return most


def test_each_kind_of_condition(env, system):
    scene = Scene(env, system, group(1, header("X-Plan", "^trial$")), group(2, query("mode", "bulk|batch")),
                  group(3, claim("http://wso2.org/claims/keytype", "PRODUCTION"), header("X-Claim", "yes")),
                  group(4, address("127.0.0.1"), header("X-Address", "yes")),
                  group(5, addresses("127.0.0.0", "127.255.255.255"), header("X-Range", "yes")))
    assert scene.allowed(headers={"X-Plan": "trial"}) == 1
    assert scene.allowed(headers={"X-Plan": "trial2"}) == 6, "the pattern says where it begins and ends"
    assert scene.allowed(params={"mode": "batch"}) == 2
    assert scene.allowed(headers={"X-Claim": "yes"}) == 3
    assert scene.allowed(headers={"X-Address": "yes"}) == 4
    assert scene.allowed(headers={"X-Range": "yes"}) == 5
    assert scene.allowed() == 6, "other calls have the policy's own limit, and a counter of their own"
    assert scene.call(params={"mode": "batch"})[0] == 429, "each group counts for itself"


def test_all_conditions_and_the_first_group(env, system):
    scene = Scene(env, system, group(1, header("X-A", "1"), header("X-B", "1")), group(3, header("X-A", "1")))
    assert scene.allowed(headers={"X-A": "1"}) == 3
    assert scene.allowed(headers={"X-A": "1", "X-B": "1"}) == 1, "the first group that fits"
    assert scene.allowed(headers={"X-B": "1"}) == 6


def test_inverted(env, system):
    scene = Scene(env, system, group(2, address("10.0.0.1", invert=True), header("X-In", "yes")),
                  group(3, header("X-Partner", ".", invert=True), query("q", "x")))
    assert scene.allowed(headers={"X-In": "yes"}) == 2
    assert scene.allowed(params={"q": "x"}) == 3, "a header that is absent meets no condition, so its inverse is met"
    assert scene.allowed(params={"q": "x"}, headers={"X-Partner": "p"}) == 6


def test_a_change_takes_effect(env, system):
    scene = Scene(env, system, group(1, header("X-Plan", "trial")))
    assert scene.allowed(headers={"X-Plan": "trial"}) == 1
    url = f"{POLICIES}/{scene.policy['policyId']}"
    stored = scene.admin.ok("GET", url)
    assert stored["conditionalGroups"] == [group(1, header("X-Plan", "trial"))]
    scene.admin.ok("PUT", url, json={**stored, "conditionalGroups": []})
    wait_until(lambda: scene.call(headers={"X-Plan": "trial"})[0] == 200, 10, what="the group is gone")
    assert scene.admin.ok("GET", url)["conditionalGroups"] == []


@pytest.mark.databases("sqlite")
@pytest.mark.parametrize("groups, where", [
    ("x", "/conditionalGroups"), ([group(1)], "/conditionalGroups/0/conditions"), ([{**group(1, header("X", "y")), "limit": {}}], "/limit/type"),
    ([group(1, {"type": "MOON"})], "/conditions/0/type"), ([group(1, header("", "x"))], "headerName"), ([group(1, header("X", "("))], "headerValue"),
    ([group(1, claim("email", "x"))], "claimUrl"), ([group(1, address("300.1.1.1"))], "specificIP"), ([group(1, addresses("::1", "x"))], "endingIP"),
    ([group(1, header("X", "y"))] * 21, "/conditionalGroups"), ([group(1, *[header("X", "y")] * 21)], "/conditions"),
    ([group(1, addresses("10.0.0.9", "10.0.0.1"))], "endingIP")])
def test_what_is_not_usable_is_refused(system, groups, where):
    r = system[1].admin().post(POLICIES, json={"policyName": flows.unique("Wrong"), "defaultLimit": limit(1), "conditionalGroups": groups})
    assert r.status_code == 400 and where in r.text, r.text
