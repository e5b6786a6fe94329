# SPDX-License-Identifier: Apache-2.0
"""accessControl RESTRICTED: an API is there for creators and publishers with one of its roles, its provider and administrators alone."""
import re
import uuid

import pytest

import flows
from client import PUBLISHER_SCOPES
from operations import OPERATIONS, PUBLISHER
from support import wait_until

ROLE = "kitchen"


@pytest.fixture(scope="module")
def client(env):
    db = env.db
    node, client = env.all_in_one()
    client.admin("admin").ok("POST", "/roles", json={"name": ROLE})
    db.query("INSERT INTO um_user_role (user_id, role) SELECT id, ? FROM um_user WHERE username = 'publisher'", [ROLE], name="user_manager")
    return client


@pytest.fixture(scope="module")
def backend(env):
    return env.backend("access")


@pytest.fixture(scope="module")
def admin(client):
    return client.publisher("admin", PUBLISHER_SCOPES + " apim:admin")


@pytest.fixture(scope="module")
def mate(client):
    """Has the role."""
    return client.publisher("publisher")


@pytest.fixture(scope="module")
def stranger(client):
    """May publish, but has not the role."""
    return client.publisher("creator")


@pytest.fixture(scope="module")
def api(client, admin, backend):
    return flows.publish(client, backend.url, user="admin", accessControl="RESTRICTED", accessControlRoles=[ROLE])


def names(rest, path="/apis", **params):
    return [a.get("name") for a in rest.ok("GET", path, params={"limit": 1000, **params})["list"]]


def test_it_is_in_the_lists_of_those_alone(admin, mate, stranger, api):
    for path in ("/apis", "/search"):
        assert api["name"] in names(admin, path) and api["name"] in names(mate, path) and api["name"] not in names(stranger, path)
    before = stranger.ok("GET", "/apis", params={"query": api["name"]})
    assert before["count"] == before["pagination"]["total"] == 0


def test_no_operation_lets_a_stranger_in(mate, stranger, api):
    """Every operation on an API answers as if it were not there, also for a revision of it."""
    revision = mate.ok("GET", f"/apis/{api['id']}/revisions")["list"][0]["id"]
    tried = 0
    for base, method, path, _ in OPERATIONS:
        if base != PUBLISHER or not path.startswith("/apis/{apiId}"):
            continue
        filled = re.sub(r"\{\w+\}", lambda m: str(uuid.uuid4()), path.replace("{apiId}", api["id"]))
        r = stranger.request(method, filled, json={} if method in ("POST", "PUT", "PATCH") else None)
        assert r.status_code in (403, 404) and (r.status_code == 403) == (r.json()["code"] == 900910), (method, path, r.status_code, r.text)
        tried += r.status_code == 404
    assert tried > 20
    assert stranger.get(f"/apis/{revision}").status_code == 404 and mate.get(f"/apis/{revision}").status_code == 200
    for path, params in (("/apis/copy-api", {"apiId": api["id"], "newVersion": "2"}),):
        assert stranger.post(path, params=params).status_code == 404
    assert stranger.get("/subscriptions", params={"apiId": api["id"]}).status_code == 404
    assert stranger.get("/usage", params={"apiId": api["id"]}).status_code == 404
    assert mate.get(f"/apis/{api['id']}").status_code == 200 and mate.get("/usage", params={"apiId": api["id"]}).status_code == 200


def test_its_subscriptions_and_its_usage(client, env, mate, stranger, admin, api):
    store = client.store("subscriber")
    sub = flows.subscribe(store, api, flows.application(store))["subscriptionId"]
    ids = {who: [s["subscriptionId"] for s in rest.ok("GET", "/subscriptions", params={"limit": 1000})["list"]]
           for who, rest in (("mate", mate), ("stranger", stranger), ("admin", admin))}
    assert sub in ids["mate"] and sub in ids["admin"] and sub not in ids["stranger"]
    publisher = client.publisher("publisher")
    publisher.ok("POST", "/subscriptions/block-subscription", params={"subscriptionId": sub, "blockState": "BLOCKED"})
    env.db.query("INSERT INTO um_user_role (user_id, role) SELECT id, 'Internal/publisher' FROM um_user WHERE username = 'subscriber2'", name="user_manager")
    other = client.publisher("subscriber2")
    for operation in ("block", "unblock"):
        r = other.post(f"/subscriptions/{operation}-subscription", params={"subscriptionId": sub, "blockState": "BLOCKED"})
        assert r.status_code == 404, r.text
    assert api["name"] not in str(other.ok("GET", "/usage", params={"by": "api"}))
    assert other.post("/apis/change-lifecycle", params={"apiId": api["id"], "action": "Block"}).status_code == 404


def test_the_store_and_gateways_do_not_care(client, api):
    wait_until(lambda: client.anonymous().get(f"/apis/{api['id']}").status_code == 200, 10, what="it is in the Store")
    flows.deployed(client, api)


def test_it_is_switched_on_and_off(client, admin, mate, stranger, backend):
    made = flows.import_api(stranger, backend.url)  # a creator's own
    path = f"/apis/{made['id']}"
    refused = stranger.put(path, json={"accessControl": "RESTRICTED"})
    assert refused.status_code == 400 and "/accessControlRoles" in refused.text
    assert stranger.put(path, json={"accessControl": "RESTRICTED", "accessControlRoles": ["nobody-has-it"]}).status_code == 400
    now = stranger.ok("PUT", path, json={"accessControl": "RESTRICTED", "accessControlRoles": ["admin"]})
    assert (now["accessControl"], now["accessControlRoles"]) == ("RESTRICTED", ["admin"])
    assert mate.get(path).status_code == 404 and stranger.get(path).status_code == 200, "the provider keeps it"
    version = stranger.ok("POST", "/apis/copy-api", params={"apiId": made["id"], "newVersion": "2.0.0"})
    assert mate.get(f"/apis/{version['id']}").status_code == 404, "a copy is as restricted"
    stranger.ok("PUT", path, json={"accessControl": "NONE"})
    assert mate.get(path).status_code == 200
    stranger.ok("DELETE", path)
