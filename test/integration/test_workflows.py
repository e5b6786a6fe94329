# SPDX-License-Identifier: Apache-2.0
"""Approvals: what waits where they are switched on, decisions over REST, and the call to a workflow engine with its call-back."""
import base64
import contextlib
import json

import pytest
import requests

import flows
from support import wait_until

KEYS = "AM_APPLICATION_REGISTRATION_"


@pytest.fixture(scope="module")
def client(env):
    return env.all_in_one(extra="ApimImportAllow 127.0.0.0/8 ::1")[1]


@pytest.fixture(scope="module")
def backend(env):
    return env.backend("workflows")


@pytest.fixture(scope="module")
def admin(client):
    return client.admin("admin")


@pytest.fixture(scope="module")
def store(client):
    return client.store("subscriber")


@pytest.fixture(scope="module")
def api(client, backend, store):
    made = flows.publish(client, backend.url, policies=["Unlimited", "Gold"])
    wait_until(lambda: store.get(f"/apis/{made['id']}").status_code == 200, 10, what="it is in the Store")
    return made


@contextlib.contextmanager
def approval(admin, *types, **engine):
    for name in types:
        admin.ok("PUT", f"/workflow-types/{name}", json={"enabled": True, **engine})
    try:
        yield
    finally:
        for name in types:
            admin.ok("PUT", f"/workflow-types/{name}", json={"enabled": False})


def waiting(admin, kind, **wanted):
    """The workflows of a type that wait and have these properties."""
    listed = admin.ok("GET", "/workflows", params={"workflowType": kind, "limit": 1000})["list"]
    return [w for w in listed if all(w["properties"].get(k) == v for k, v in wanted.items())]


def decide(admin, kind, status, **wanted):
    found = waiting(admin, kind, **wanted)
    assert len(found) == 1, (kind, wanted, found)
    done = admin.ok("POST", "/workflows/update-workflow-status", params={"workflowReferenceId": found[0]["referenceId"]},
                    json={"status": status, "description": "seen", "attributes": {}})
    assert done["status"] == status
    return found[0]


def test_applications_wait(client, admin, store, api):
    with approval(admin, "AM_APPLICATION_CREATION"):
        yes, no = flows.application(store), flows.application(store)
    assert yes["status"] == no["status"] == "CREATED"
    refused = store.post("/subscriptions", json={"apiId": api["id"], "applicationId": yes["applicationId"], "throttlingPolicy": "Gold"})
    assert refused.status_code == 403 and refused.json()["code"] == 900504
    assert store.post(f"/applications/{yes['applicationId']}/generate-keys", json={"keyType": "SANDBOX"}).status_code == 403
    one = decide(admin, "AM_APPLICATION_CREATION", "APPROVED", applicationName=yes["name"])
    assert one["createdBy"] == "subscriber" and one["properties"]["applicationTier"] == "Unlimited"
    decide(admin, "AM_APPLICATION_CREATION", "REJECTED", applicationName=no["name"])
    assert store.ok("GET", f"/applications/{yes['applicationId']}")["status"] == "APPROVED"
    assert store.ok("GET", f"/applications/{no['applicationId']}")["status"] == "REJECTED"
    again = admin.post("/workflows/update-workflow-status", params={"workflowReferenceId": one["referenceId"]}, json={"status": "REJECTED"})
    assert again.status_code == 409
    seen = admin.ok("GET", f"/workflows/{one['referenceId']}")
    assert (seen["workflowStatus"], seen["decidedBy"], seen["comment"]) == ("APPROVED", "admin", "seen")
    assert one["referenceId"] in [w["referenceId"] for w in admin.ok("GET", "/workflows", params={"status": "APPROVED"})["list"]]
    # One that was never approved goes without being asked for.
    with approval(admin, "AM_APPLICATION_DELETION"):
        assert store.delete(f"/applications/{no['applicationId']}").status_code == 200


def test_production_and_sandbox_keys_wait_apart(client, admin, store):
    app = flows.application(store)
    keys = f"/applications/{app['applicationId']}/oauth-keys"
    with approval(admin, KEYS + "PRODUCTION"):
        assert flows.keys(store, app, "SANDBOX")["consumerKey"]
        made = store.ok("POST", f"/applications/{app['applicationId']}/generate-keys",
                        json={"keyType": "PRODUCTION", "grantTypesToBeSupported": ["client_credentials"], "callbackUrl": "https://a.example/cb"})
        assert (made["keyState"], made["consumerKey"], made["consumerSecret"], made["token"]) == ("CREATED", "", "", None)
        twice = store.post(f"/applications/{app['applicationId']}/generate-keys", json={"keyType": "PRODUCTION"})
        assert twice.status_code == 409 and twice.json()["code"] == 900911
        listed = {k["keyType"]: k for k in store.ok("GET", keys)["list"]}
        assert (listed["SANDBOX"]["keyState"], listed["PRODUCTION"]["keyState"]) == ("APPROVED", "CREATED")
        # Withdrawn, asked for again, refused, forgotten, asked for again, approved.
        store.ok("DELETE", f"{keys}/{made['keyMappingId']}")
        assert not waiting(admin, KEYS + "PRODUCTION", applicationName=app["name"])
        for status in ("REJECTED", "APPROVED"):
            store.ok("POST", f"/applications/{app['applicationId']}/generate-keys",
                     json={"keyType": "PRODUCTION", "grantTypesToBeSupported": ["client_credentials"], "callbackUrl": "https://a.example/cb"})
            decide(admin, KEYS + "PRODUCTION", status, applicationName=app["name"])
            listed = {k["keyType"]: k for k in store.ok("GET", keys)["list"]}
            assert len(listed) == 2 and listed["PRODUCTION"]["keyState"] == status
    key = listed["PRODUCTION"]
    assert key["consumerKey"] and key["callbackUrl"] == "https://a.example/cb"
    secret = store.ok("POST", f"{keys}/{key['keyMappingId']}/regenerate-secret")["consumerSecret"]
    assert flows.token(client, {"consumerKey": key["consumerKey"], "consumerSecret": secret})


def test_subscriptions_wait_and_the_gateway_refuses_them(client, admin, store, api):
    app = flows.application(store)
    token = flows.token(client, flows.keys(store, app))
    with approval(admin, "AM_SUBSCRIPTION_CREATION"):
        sub = store.ok("POST", "/subscriptions", json={"apiId": api["id"], "applicationId": app["applicationId"], "throttlingPolicy": "Unlimited"})
    assert sub["status"] == "ON_HOLD"
    gateway = client.gateway(token)
    wait_until(lambda: flows.fault_code(gateway.get(flows.url_of(api))) == 900909, 10, what="on hold at the gateway")
    assert client.publisher("publisher").ok("GET", "/subscriptions", params={"apiId": api["id"]})["list"][-1]["subscriptionStatus"] == "ON_HOLD"
    decide(admin, "AM_SUBSCRIPTION_CREATION", "REJECTED", applicationName=app["name"], apiName=api["name"])
    assert store.ok("GET", f"/subscriptions/{sub['subscriptionId']}")["status"] == "REJECTED"
    assert flows.fault_code(gateway.get(flows.url_of(api))) == 900909
    store.ok("DELETE", f"/subscriptions/{sub['subscriptionId']}")
    with approval(admin, "AM_SUBSCRIPTION_CREATION"):
        sub = store.ok("POST", "/subscriptions", json={"apiId": api["id"], "applicationId": app["applicationId"], "throttlingPolicy": "Unlimited"})
    decide(admin, "AM_SUBSCRIPTION_CREATION", "APPROVED", applicationName=app["name"])
    assert store.ok("GET", f"/subscriptions/{sub['subscriptionId']}")["status"] == "UNBLOCKED"
    wait_until(lambda: gateway.get(flows.url_of(api)).status_code == 200, 10, what="approved at the gateway")


def test_another_tier_and_the_end_of_a_subscription_wait(client, admin, store, api):
    app = flows.application(store)
    sub = flows.subscribe(store, api, app)
    path = f"/subscriptions/{sub['subscriptionId']}"
    body = {"apiId": api["id"], "applicationId": app["applicationId"], "throttlingPolicy": "Unlimited", "requestedThrottlingPolicy": "Gold"}
    with approval(admin, "AM_SUBSCRIPTION_UPDATE", "AM_SUBSCRIPTION_DELETION"):
        for status, tier in (("REJECTED", "Unlimited"), ("APPROVED", "Gold")):
            asked = store.ok("PUT", path, json=body)
            assert (asked["status"], asked["throttlingPolicy"], asked["requestedThrottlingPolicy"]) == ("TIER_UPDATE_PENDING", "Unlimited", "Gold")
            assert store.put(path, json=body).status_code == 409
            decide(admin, "AM_SUBSCRIPTION_UPDATE", status, applicationName=app["name"], subscriptionTier="Gold")
            now = store.ok("GET", path)
            assert (now["status"], now["throttlingPolicy"], now["requestedThrottlingPolicy"]) == ("UNBLOCKED", tier, tier)
        for status in ("REJECTED", "APPROVED"):
            asked = store.ok("DELETE", path, status=202)
            assert asked["status"] == "DELETE_PENDING"
            assert store.delete(path).status_code == 409
            decide(admin, "AM_SUBSCRIPTION_DELETION", status, applicationName=app["name"])
            assert store.get(path).status_code == (404 if status == "APPROVED" else 200)


def test_the_end_of_an_application_waits(client, admin, store, api):
    app = flows.application(store)
    flows.subscribe(store, api, app)
    pair = flows.keys(store, app)
    path = f"/applications/{app['applicationId']}"
    with approval(admin, "AM_APPLICATION_DELETION"):
        for status in ("REJECTED", "APPROVED"):
            assert store.ok("DELETE", path, status=202)["status"] == "DELETE_PENDING"
            assert flows.token_response(client, pair).status_code == 200
            decide(admin, "AM_APPLICATION_DELETION", status, applicationName=app["name"])
            assert store.get(path).status_code == (404 if status == "APPROVED" else 200)
    assert flows.token_response(client, pair).status_code == 401


def test_changes_of_state_wait(client, admin, backend):
    publisher = client.publisher("publisher")
    api = flows.import_api(client.publisher("creator"), backend.url)
    state = f"/apis/{api['id']}/lifecycle-state"
    with approval(admin, "AM_API_STATE"):
        for status, then in (("REJECTED", "CREATED"), ("APPROVED", "PUBLISHED")):
            asked = publisher.ok("POST", "/apis/change-lifecycle", params={"apiId": api["id"], "action": "Publish"})
            assert (asked["workflowStatus"], asked["lifecycleState"]["state"], asked["gateways"]) == ("CREATED", "CREATED", None)
            assert publisher.ok("GET", f"/apis/{api['id']}")["workflowStatus"] == "CREATED"
            assert publisher.post("/apis/change-lifecycle", params={"apiId": api["id"], "action": "Publish"}).status_code == 409
            decide(admin, "AM_API_STATE", status, apiName=api["name"], action="Publish")
            assert publisher.ok("GET", state)["state"] == then and publisher.ok("GET", f"/apis/{api['id']}")["workflowStatus"] is None
        publisher.ok("POST", "/apis/change-lifecycle", params={"apiId": api["id"], "action": "Block"})
        publisher.ok("DELETE", state + "/pending-tasks")
        assert not waiting(admin, "AM_API_STATE", apiName=api["name"])
    history = publisher.ok("GET", f"/apis/{api['id']}/lifecycle-history")["list"]
    assert [(h["postState"], h["user"]) for h in history][-1] == ("PUBLISHED", "publisher")
    wait_until(lambda: client.anonymous().get(f"/apis/{api['id']}").status_code == 200, 10, what="it is in the Store")


def sign_up(client, name):
    return client.keymgr.post(client.portal_url + "/api/identity/user/v1.0/me", json={"user": {"username": name, "password": "correct horse 1"}})


def test_new_users_wait(client, admin):
    with approval(admin, "AM_USER_SIGNUP"):
        made = [sign_up(client, f"waiting{i}") for i in range(2)]
        assert [m.json()["status"] for m in made] == ["PENDING", "PENDING"]
        assert sign_up(client, "waiting0").status_code == 409 and sign_up(client, "Waiting1").status_code == 409
    assert len(waiting(admin, "AM_USER_SIGNUP")) == 2
    dcr = client.dcr("admin", clientName="for_waiting", saasApp=True)

    def log_in(name):
        return client.keymgr.post("/oauth2/token", auth=dcr, data={"grant_type": "password", "username": name, "password": "correct horse 1",
                                                                  "scope": "apim:subscribe"}).status_code
    assert log_in("waiting0") == 400
    decide(admin, "AM_USER_SIGNUP", "APPROVED", userName="waiting0")
    decide(admin, "AM_USER_SIGNUP", "REJECTED", userName="waiting1")
    assert log_in("waiting0") == 200 and log_in("waiting1") == 400
    assert admin.get("/users/waiting1").status_code == 404
    assert sign_up(client, "waiting1").json()["status"] == "ACTIVE"


@pytest.mark.databases("sqlite")
def test_a_workflow_engine_is_told_and_calls_back(env, client, admin, store):
    engine = env.backend("engine")
    engine.status = 503
    env.expect_log(r"APIM-PO0401")
    app = flows.application(store)
    with approval(admin, KEYS + "SANDBOX", url=engine.url + "/start", authType="BASIC", username="apim", secret="s3cret"):
        listed = {t["workflowType"]: t for t in admin.ok("GET", "/workflow-types")["list"]}
        assert listed[KEYS + "SANDBOX"]["hasSecret"] and "s3cret" not in str(listed)
        assert "s3cret" not in str(env.db.query("SELECT * FROM am_workflow_type"))
        store.ok("POST", f"/applications/{app['applicationId']}/generate-keys", json={"keyType": "SANDBOX"})
        wait_until(lambda: waiting(admin, KEYS + "SANDBOX")[0]["engineError"], 15, what="the failure is noted")
        engine.status = 200
        wait_until(lambda: waiting(admin, KEYS + "SANDBOX")[0]["engine"] == "DELIVERED", 30, what="it is told again")
        told = json.loads(engine.last.body)
        assert engine.seen[-1].header("authorization") == "Basic " + base64.b64encode(b"apim:s3cret").decode()
        assert told["workflowType"] == KEYS + "SANDBOX" and told["properties"]["applicationName"] == app["name"]
        answer = {"status": "APPROVED", "description": "by the engine"}
        for token in ("", "x" * 43, None):
            assert requests.post(told["callbackUrl"], json={**answer, "token": token}, timeout=30).status_code == 401
        done = requests.post(told["callbackUrl"], json={**answer, "token": told["callbackToken"]}, timeout=30)
        assert done.status_code == 200, done.text
        assert requests.post(told["callbackUrl"], json={**answer, "token": told["callbackToken"]}, timeout=30).status_code == 409
    seen = admin.ok("GET", f"/workflows/{told['workflowReferenceId']}")
    assert (seen["workflowStatus"], seen["decidedBy"]) == ("APPROVED", "workflow engine")
    assert store.ok("GET", f"/applications/{app['applicationId']}/oauth-keys")["list"][0]["consumerKey"]


@pytest.mark.databases("sqlite")
@pytest.mark.parametrize("body,where", [
    ({}, "/enabled"), ({"enabled": 1}, "/enabled"), ({"enabled": True, "url": "ftp://x"}, "/url"),
    ({"enabled": True, "url": "http://u:p@x/"}, "/url"), ({"enabled": True, "authType": "DIGEST"}, "/authType"),
    ({"enabled": True, "url": "http://x/", "authType": "BEARER"}, "secret"), ({"enabled": True, "callbackUrl": "x"}, "/callbackUrl")])
def test_what_cannot_be_switched_on(admin, body, where):
    refused = admin.put("/workflow-types/AM_APPLICATION_CREATION", json=body)
    assert refused.status_code == 400 and where in refused.text


@pytest.mark.databases("sqlite")
def test_a_secret_is_asked_for_again_with_another_engine(admin):
    path = "/workflow-types/AM_API_STATE"
    admin.ok("PUT", path, json={"enabled": False, "url": "http://a.example/", "authType": "BEARER", "secret": "x"})
    assert admin.ok("PUT", path, json={"enabled": False, "url": "http://a.example/", "authType": "BEARER"})["hasSecret"]
    assert admin.put(path, json={"enabled": False, "url": "http://b.example/", "authType": "BEARER"}).status_code == 400
    assert not admin.ok("PUT", path, json={"enabled": False})["hasSecret"]
    assert admin.put("/workflow-types/AM_NOTHING", json={"enabled": True}).status_code == 404


@pytest.mark.databases("sqlite")
def test_decisions_that_are_wrong(admin, client):
    assert admin.get("/workflows", params={"workflowType": "x"}).status_code == 400
    assert admin.get("/workflows", params={"status": "x"}).status_code == 400
    assert admin.get("/workflows/none").status_code == 404
    assert admin.post("/workflows/update-workflow-status", json={"status": "APPROVED"}).status_code == 400
    assert admin.post("/workflows/update-workflow-status", params={"workflowReferenceId": "x"}, json={"status": "APPROVED"}).status_code == 404
    assert admin.post("/workflows/update-workflow-status", params={"workflowReferenceId": "x"}, json={"status": "MAYBE"}).status_code == 400
