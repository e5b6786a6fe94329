# SPDX-License-Identifier: Apache-2.0
"""The three flows as a script drives them: publish, subscribe, invoke."""
import itertools
import json
import time

from support import PATIENCE, wait_until

_numbers = itertools.count(1)
OK_STATUS = {"200": {"description": "OK"}}
PATHS = {
    "/menu": {"get": {"responses": OK_STATUS}, "post": {"responses": OK_STATUS}},
    "/menu/{id}": {"get": {"responses": OK_STATUS, "parameters": [
        {"name": "id", "in": "path", "required": True, "schema": {"type": "string"}}]},
        "delete": {"responses": OK_STATUS, "parameters": [
            {"name": "id", "in": "path", "required": True, "schema": {"type": "string"}}]}},
}


def unique(prefix):
    return f"{prefix}{next(_numbers)}"


def definition(title="Pizza", paths=None, **more):
    return {"openapi": "3.0.3", "info": {"title": title, "version": "1.0.0"}, "paths": paths or PATHS, **more}


def endpoints(production, sandbox=None):
    config = {"endpoint_type": "http", "production_endpoints": {"url": production}}
    if sandbox:
        config["sandbox_endpoints"] = {"url": sandbox}
    return config


def import_api(publisher, url, name=None, doc=None, sandbox=None, **fields):
    """Imports an OpenAPI document as an API in state CREATED; returns the API as the Publisher shows it."""
    name = name or unique("Pizza")
    properties = {"name": name, "version": "1.0.0", "context": f"/{name.lower()}", "policies": ["Unlimited"],
                  "endpointConfig": endpoints(url, sandbox), **fields}
    return publisher.ok("POST", "/apis/import-openapi", status=201, data={"additionalProperties": json.dumps(properties)},
                        files={"file": ("openapi.json", json.dumps(doc or definition(name)), "application/json")})


def change(publisher, api, action):
    return publisher.ok("POST", "/apis/change-lifecycle", params={"apiId": api["id"], "action": action})


def publish(client, url, user="publisher", **fields):
    publisher = client.publisher(user)
    api = import_api(publisher, url, **fields)
    change(publisher, api, "Publish")
    return api


def application(store, name=None, policy="Unlimited"):
    return store.ok("POST", "/applications", status=201, json={"name": name or unique("app"), "throttlingPolicy": policy})


def subscribe(store, api, app, policy="Unlimited"):
    """Subscribes; the Store's catalogue may be a moment behind the Publisher."""
    wait_until(lambda: store.get(f"/apis/{api['id']}").status_code == 200, 10, what="the API is in the Store")
    return store.ok("POST", "/subscriptions", status=201, json={
        "apiId": api["id"], "applicationId": app["applicationId"], "throttlingPolicy": policy})


def keys(store, app, key_type="PRODUCTION", **fields):
    return store.ok("POST", f"/applications/{app['applicationId']}/generate-keys", json={
        "keyType": key_type, "grantTypesToBeSupported": ["client_credentials", "password", "refresh_token"],
        "callbackUrl": "https://example.org/cb", "validityTime": 3600, **fields})


def token_response(client, pair, **form):
    return client.keymgr.post("/oauth2/token", auth=(pair["consumerKey"], pair["consumerSecret"]),
                              data={"grant_type": "client_credentials", **form})


def token(client, pair, **form):
    r = token_response(client, pair, **form)
    assert r.status_code == 200, f"{r.status_code} {r.text}"
    return r.json()["access_token"]


class Subscribed:
    """An application with a subscription and keys: app, subscription, keys, token."""

    def __init__(self, client, api, user="subscriber", app_policy="Unlimited", policy="Unlimited", key_type="PRODUCTION"):
        self.client, self.store = client, client.store(user)
        self.app = application(self.store, policy=app_policy)
        self.subscription = subscribe(self.store, api, self.app, policy)
        self.keys = keys(self.store, self.app, key_type)
        self.token = token(client, self.keys)


def url_of(api, path="/menu"):
    """Path on the gateway: context, version, resource."""
    context = api["context"]
    if not context.endswith("/" + api["version"]):
        context += "/" + api["version"]
    return context + path


def deployed(client, api, path="/menu"):
    """Waits until the gateway knows the API (any answer but 404)."""
    url = url_of(api, path)
    wait_until(lambda: client.gateway().get(url).status_code != 404, 15, what=f"the gateway serves {url}")
    return url


def settle(client, token, api):
    """Calls until the verification of the token is newer than every change that made the API and its subscription: a gateway
    learns of a change within its sync interval and asks the Key Manager once more."""
    url = deployed(client, api)
    for _ in range(6):
        assert client.gateway(token).get(url).status_code == 200
        time.sleep(0.1 * PATIENCE)
    return url


def fault_code(response):
    """The code of a fault of the gateway as a number; 0 if the answer is none."""
    try:
        return int(response.json().get("code", 0))
    except (ValueError, AttributeError):
        return 0
