# SPDX-License-Identifier: Apache-2.0
"""The calls that WSO2's REST documentation shows, with bodies of that shape and all their members: register a client, create, revise, deploy and publish an API,
application, keys, subscription, comment, rating, policies, deny policies, workflows."""
import pytest
import requests

import flows
from support import wait_until

API = {
    "name": "PizzaShackAPI", "description": "This is a simple API for Pizza Shack online pizza delivery store.", "context": "pizza", "version": "1.0.0",
    "provider": "admin", "lifeCycleStatus": "CREATED", "wsdlInfo": None, "wsdlUrl": None, "responseCachingEnabled": True, "cacheTimeout": 300,
    "hasThumbnail": False, "isDefaultVersion": False, "isRevision": False, "revisionId": 1, "enableSchemaValidation": False, "type": "HTTP",
    "transport": ["http", "https"], "tags": ["pizza", "food"], "policies": ["Unlimited"], "apiThrottlingPolicy": "Unlimited",
    "authorizationHeader": "Authorization", "securityScheme": ["oauth2"], "maxTps": {"production": 1000, "sandbox": 1000}, "visibility": "PUBLIC",
    "visibleRoles": [], "visibleTenants": [], "mediationPolicies": [], "subscriptionAvailability": "CURRENT_TENANT", "subscriptionAvailableTenants": [],
    "additionalProperties": [], "accessControl": "NONE", "accessControlRoles": [],
    "businessInformation": {"businessOwner": "businessowner", "businessOwnerEmail": "businessowner@wso2.com", "technicalOwner": "technicalowner",
                            "technicalOwnerEmail": "technicalowner@wso2.com"},
    "corsConfiguration": {"corsConfigurationEnabled": False, "accessControlAllowOrigins": ["*"], "accessControlAllowCredentials": False,
                          "accessControlAllowHeaders": ["authorization"], "accessControlAllowMethods": ["GET", "POST"]},
    "endpointImplementationType": "ENDPOINT", "scopes": [], "categories": [], "keyManagers": ["all"],
    "operations": [{"target": "/order/{orderId}", "verb": "POST", "authType": "Application & Application User", "throttlingPolicy": "Unlimited",
                    "scopes": [], "usedProductIds": [], "operationPolicies": {"request": [], "response": [], "fault": []}},
                   {"target": "/menu", "verb": "GET", "authType": "Application & Application User", "throttlingPolicy": "Unlimited"}]}
LIMIT = {"type": "REQUESTCOUNTLIMIT", "requestCount": {"timeUnit": "min", "unitTime": 10, "requestCount": 30}}
SCOPES = ("apim:api_view apim:api_create apim:api_publish apim:api_delete apim:subscribe apim:app_manage apim:sub_manage apim:admin apim:tier_view apim:tier_manage "
          "apim:bl_view apim:bl_manage apim:api_workflow_view apim:api_workflow_approve apim:admin_tier_manage apim:admin_tier_view")


@pytest.fixture(scope="module")
def site(env):
    return env.all_in_one()


@pytest.fixture(scope="module")
def rest(site):
    """call(method, path, …) of WSO2's documentation, which begins with the registration of a client."""
    node, client = site
    registered = requests.post(f"{client.keymgr_url}/client-registration/v0.17/register", auth=("admin", "admin-pw-1"), timeout=60, json={
        "callbackUrl": "www.google.lk", "clientName": "rest_api_publisher", "owner": "admin", "grantType": "client_credentials password refresh_token",
        "saasApp": True})
    assert registered.status_code in (200, 201), registered.text
    pair = registered.json()["clientId"], registered.json()["clientSecret"]
    token = requests.post(f"{client.keymgr_url}/oauth2/token", auth=pair, timeout=60,
                          data={"grant_type": "password", "username": "admin", "password": "admin-pw-1", "scope": SCOPES}).json()["access_token"]
    session = requests.Session()
    session.headers["Authorization"] = f"Bearer {token}"

    def call(method, path, status=(200, 201), **more):
        r = session.request(method, f"{client.portal_url}/api/am{path}", timeout=60, **more)
        assert r.status_code in status, f"{method} {path}: {r.status_code} {r.text}"
        return r.json() if r.content and "json" in r.headers["Content-Type"] else r.text
    return call


@pytest.fixture(scope="module")
def api(env, rest):
    """Created, revised, deployed and published, as the guides do it."""
    backend = env.backend("documented")
    endpoint = {"endpoint_type": "http", "sandbox_endpoints": {"url": backend.url}, "production_endpoints": {"url": backend.url}}
    made = rest("POST", "/publisher/v4/apis", json={**API, "endpointConfig": endpoint})
    revision = rest("POST", f"/publisher/v4/apis/{made['id']}/revisions", json={"description": "string"})
    rest("POST", f"/publisher/v4/apis/{made['id']}/deploy-revision", params={"revisionId": revision["id"]},
         json=[{"revisionUuid": revision["id"], "name": "Default", "vhost": "localhost", "displayOnDevportal": True}])
    rest("POST", "/publisher/v4/apis/change-lifecycle", params={"action": "Publish", "apiId": made["id"]})
    wait_until(lambda: made["id"] in str(rest("GET", "/devportal/v3/apis", params={"query": "PizzaShackAPI"})), 10, what="it is in the Store")
    return made


def test_application_keys_subscription_and_a_call(site, rest, api):
    app = rest("POST", "/devportal/v3/applications", json={
        "name": "CalculatorApp", "throttlingPolicy": "Unlimited", "description": "Sample calculator application", "tokenType": "JWT", "groups": [""],
        "attributes": {"External Reference ID": "2379934", "Billing Tier": "Standard"}})
    keys = rest("POST", f"/devportal/v3/applications/{app['applicationId']}/generate-keys", json={
        "keyType": "PRODUCTION", "keyManager": "Resident Key Manager", "grantTypesToBeSupported": ["password", "client_credentials"],
        "callbackUrl": "http://sample.com/callback/url", "scopes": ["am_application_scope", "default"], "validityTime": "3600",
        "additionalProperties": {}})
    rest("POST", "/devportal/v3/subscriptions", json={"applicationId": app["applicationId"], "apiId": api["id"], "throttlingPolicy": "Unlimited",
                                                      "requestedThrottlingPolicy": "Unlimited"})
    assert rest("GET", f"/devportal/v3/applications/{app['applicationId']}/oauth-keys")["count"] == 1
    node, client = site
    wait_until(lambda: client.gateway(keys["token"]["accessToken"]).get("/pizza/1.0.0/menu").status_code == 200, 15, what="the gateway lets it pass")
    more = rest("POST", f"/devportal/v3/applications/{app['applicationId']}/oauth-keys/{keys['keyMappingId']}/generate-token", json={
        "consumerSecret": keys["consumerSecret"], "validityPeriod": 3600, "scopes": ["apim:subscribe"], "revokeToken": "", "additionalProperties": {}})
    assert more["accessToken"]


def test_comments_and_ratings(rest, api):
    made = rest("POST", f"/devportal/v3/apis/{api['id']}/comments", json={"content": "This is a comment", "category": "general"})
    rest("POST", f"/devportal/v3/apis/{api['id']}/comments", params={"replyTo": made["id"]}, json={"content": "This is a comment", "category": "general"})
    assert rest("GET", f"/devportal/v3/apis/{api['id']}/comments")["list"][0]["replies"]["count"] == 1
    rest("PUT", f"/devportal/v3/apis/{api['id']}/user-rating", json={"ratingId": "32acfa7a-77f8-4fe0-bb7f-a902f36546d0", "apiId": api["id"],
                                                                   "ratedBy": "admin", "rating": 4})
    assert rest("GET", f"/devportal/v3/apis/{api['id']}/ratings")["avgRating"] == "4.0"


@pytest.mark.parametrize("level,more", [
    ("application", {"type": "ApplicationThrottlePolicy"}), ("advanced", {"type": "AdvancedThrottlePolicy", "conditionalGroups": []}),
    ("subscription", {"type": "SubscriptionThrottlePolicy", "rateLimitCount": 10, "rateLimitTimeUnit": "sec", "subscriberCount": 10, "customAttributes": [],
                      "stopOnQuotaReach": False, "billingPlan": "FREE", "graphQLMaxComplexity": 400, "graphQLMaxDepth": 10})])
def test_policies(rest, level, more):
    body = {"policyId": "0c6439fd-9b16-3c2e-be6e-1086e0b9aa93", "policyName": "30PerMin", "displayName": "30PerMin",
            "description": "Allows 30 request per minute", "isDeployed": False, "defaultLimit": LIMIT, **more}
    made = rest("POST", f"/admin/v4/throttling/policies/{level}", json=body)
    assert made["defaultLimit"] == LIMIT
    rest("PUT", f"/admin/v4/throttling/policies/{level}/{made['policyId']}", json=body)
    rest("DELETE", f"/admin/v4/throttling/policies/{level}/{made['policyId']}")


def test_deny_policies(rest):
    for kind, value in (("API", "/pizza/1.0.0"), ("APPLICATION", "admin:CalculatorApp"), ("IP", {"fixedIp": "192.168.1.1", "invert": False}), ("USER", "bob")):
        made = rest("POST", "/admin/v4/throttling/deny-policies", json={"conditionType": kind, "conditionValue": value, "conditionStatus": True})
        rest("PATCH", f"/admin/v4/throttling/deny-policy/{made['conditionId']}", json={"conditionStatus": False})
        rest("DELETE", f"/admin/v4/throttling/deny-policy/{made['conditionId']}")


def test_workflows(site, rest):
    admin = site[1].admin("admin")
    admin.ok("PUT", "/workflow-types/AM_APPLICATION_CREATION", json={"enabled": True})
    try:
        app = rest("POST", "/devportal/v3/applications", json={"name": flows.unique("Waiting"), "throttlingPolicy": "Unlimited"})
        listed = rest("GET", "/admin/v4/workflows", params={"workflowType": "AM_APPLICATION_CREATION", "limit": 25, "offset": 0})
        one = next(w for w in listed["list"] if w["properties"]["applicationName"] == app["name"])
        assert rest("GET", f"/admin/v4/workflows/{one['referenceId']}")["workflowStatus"] == "CREATED"
        rest("POST", "/admin/v4/workflows/update-workflow-status", params={"workflowReferenceId": one["referenceId"]},
             json={"status": "APPROVED", "attributes": {}, "description": "Approve workflow request."})
        assert rest("GET", f"/devportal/v3/applications/{app['applicationId']}")["status"] == "APPROVED"
    finally:
        admin.ok("PUT", "/workflow-types/AM_APPLICATION_CREATION", json={"enabled": False})
