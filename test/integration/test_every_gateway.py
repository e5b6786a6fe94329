# SPDX-License-Identifier: Apache-2.0
"""What must not go on working stops on every gateway, all of whom have it in their caches; two Key Managers behind a balancer."""
import time
from types import SimpleNamespace

import pytest

import flows
from client import Client
from support import PATIENCE, wait_until


@pytest.fixture(scope="module")
def cluster(env):
    nodes, client = env.split(keymgrs=2, gateways=3)
    backend = env.backend("every")
    api = flows.publish(client, backend.url, securityScheme=["oauth2", "api_key"], policies=["Unlimited", "Bronze"])
    gateways = [Client(client.keymgr_url, client.portal_url, g.gateway_url) for g in nodes["gateway"]]
    for gateway in gateways:
        flows.deployed(gateway, api)
    return SimpleNamespace(client=client, gateways=gateways, api=api, url=flows.url_of(api), backend=backend)


def answers(cluster, token, headers=None):
    return {g.gateway(token).get(cluster.url, headers=headers or {}).status_code for g in cluster.gateways}


def warm(cluster, token):
    """All gateways know the token, and have since all changes that made it (flows.settle, for several)."""
    for _ in range(4):
        assert answers(cluster, token) == {200}
        time.sleep(0.1 * PATIENCE)


def becomes(cluster, token, expected, what):
    begun = time.monotonic()
    wait_until(lambda: answers(cluster, token) == {expected}, 5, every=0.02, what=f"{what} on every gateway")
    print(f"{what}: {1000 * (time.monotonic() - begun):.0f} ms")


def test_a_revoked_token(cluster):
    who = flows.Subscribed(cluster.client, cluster.api)
    other = flows.token(cluster.client, who.keys)
    warm(cluster, who.token)
    cluster.client.keymgr.post("/oauth2/revoke", auth=(who.keys["consumerKey"], who.keys["consumerSecret"]), data={"token": who.token})
    becomes(cluster, who.token, 401, "a revoked token is refused")
    assert answers(cluster, other) == {200}


def test_a_blocked_subscription(cluster):
    who = flows.Subscribed(cluster.client, cluster.api)
    warm(cluster, who.token)
    publisher = cluster.client.publisher()
    where = {"subscriptionId": who.subscription["subscriptionId"]}
    publisher.ok("POST", "/subscriptions/block-subscription", params={**where, "blockState": "BLOCKED"})
    becomes(cluster, who.token, 401, "a blocked subscription is refused")
    publisher.ok("POST", "/subscriptions/unblock-subscription", params=where)
    becomes(cluster, who.token, 200, "an unblocked subscription passes")


def test_a_changed_tier(cluster):
    who = flows.Subscribed(cluster.client, cluster.api)
    warm(cluster, who.token)
    who.store.ok("PUT", f"/subscriptions/{who.subscription['subscriptionId']}", json={
        **who.subscription, "requestedThrottlingPolicy": "Bronze", "throttlingPolicy": "Bronze"})

    def limited():
        return all(g.gateway(who.token).get(cluster.url).headers.get("X-RateLimit-Limit") == "1000" for g in cluster.gateways)
    wait_until(limited, 5, every=0.02, what="every gateway has the tier")


def test_a_deleted_application(cluster):
    who = flows.Subscribed(cluster.client, cluster.api)
    warm(cluster, who.token)
    who.store.ok("DELETE", f"/applications/{who.app['applicationId']}")
    becomes(cluster, who.token, 401, "the token of a deleted application is refused")


def test_a_deleted_subscription(cluster):
    who = flows.Subscribed(cluster.client, cluster.api)
    warm(cluster, who.token)
    who.store.ok("DELETE", f"/subscriptions/{who.subscription['subscriptionId']}")
    becomes(cluster, who.token, 403, "a deleted subscription is refused")


def test_a_revoked_api_key(cluster):
    who = flows.Subscribed(cluster.client, cluster.api)
    at = f"/applications/{who.app['applicationId']}/api-keys/PRODUCTION"
    key = who.store.ok("POST", f"{at}/generate", json={"validityPeriod": 3600})["apikey"]
    wait_until(lambda: answers(cluster, None, {"apikey": key}) == {200}, 5, what="the key works on every gateway")
    who.store.ok("POST", f"{at}/revoke", json={"apikey": key})
    wait_until(lambda: answers(cluster, None, {"apikey": key}) == {401}, 5, every=0.02, what="the key is refused on every gateway")


def test_a_rotated_secret(cluster):
    """Old tokens are the old secret's: who has lost that has lost them."""
    who = flows.Subscribed(cluster.client, cluster.api)
    warm(cluster, who.token)
    new = who.store.ok("POST", f"/applications/{who.app['applicationId']}/keys/PRODUCTION/regenerate-secret")
    assert flows.token_response(cluster.client, who.keys).status_code == 401
    assert answers(cluster, flows.token(cluster.client, {**who.keys, **new})) == {200}


def test_a_blocked_api(cluster):
    api = flows.publish(cluster.client, cluster.backend.url)
    who = flows.Subscribed(cluster.client, api)
    url = flows.url_of(api)
    for gateway in cluster.gateways:
        wait_until(lambda: gateway.gateway(who.token).get(url).status_code == 200, 5, what="it passes")  # noqa: B023
    flows.change(cluster.client.publisher(), api, "Block")
    wait_until(lambda: {g.gateway(who.token).get(url).status_code for g in cluster.gateways} == {503}, 5, every=0.02,
               what="every gateway blocks it")
