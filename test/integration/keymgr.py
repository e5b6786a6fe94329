# SPDX-License-Identifier: Apache-2.0
"""What the tests of the Key Manager share: internal operations, applications made in the database, tokens."""
import base64
import itertools
import json
import re
import time
import uuid

import requests

TIMEOUT = 60
counter = itertools.count(1)


def now_ms():
    return int(time.time() * 1000)


def counted(km, name):
    """A counter of mod_status: ApimKeymgr<name>."""
    text = requests.get(km.url + "/server-status?auto", timeout=TIMEOUT).text
    return int(re.search(rf"^ApimKeymgr{name}: (\d+)", text, re.MULTILINE).group(1))


class KeyManager:
    """One Key Manager node, called as gateways, portals and clients call it."""

    def __init__(self, env, node):
        self.env, self.node, self.url = env, node, node.url
        self.session = requests.Session()
        self.session.trust_env = False

    def post(self, path, **more):
        more.setdefault("timeout", TIMEOUT)
        return self.session.post(self.url + path, **more)

    def get(self, path, **more):
        more.setdefault("timeout", TIMEOUT)
        return self.session.get(self.url + path, **more)

    # -- internal operations -------------------------------------------------------------------------------------------
    def operation(self, name, body, secret=None):
        return self.post(f"/internal/keymgr/v1/{name}", json=body,
                         headers={"X-Apim-Cluster-Secret": self.env.secret if secret is None else secret})

    def run(self, name, /, **body):
        r = self.operation(name, body)
        assert r.status_code == 200, f"{name}: {r.status_code} {r.text}"
        return r.json()

    # -- tokens ----------------------------------------------------------------------------------------------------------
    def token(self, client, grant_type="client_credentials", **form):
        return self.post("/oauth2/token", auth=client, data={"grant_type": grant_type, **form})

    def ok_token(self, client, grant_type="client_credentials", **form):
        r = self.token(client, grant_type, **form)
        assert r.status_code == 200, f"{r.status_code} {r.text}"
        return r.json()

    def active(self, token):
        return self.run("introspect", token=token)["active"]


class Scene:
    """An application with production and sandbox keys, and an API it is subscribed to, made straight in the database."""

    def __init__(self, km, db, token_type="JWT", owner="subscriber", subscribed="UNBLOCKED"):
        n = next(counter)
        self.km, self.db = km, db
        self.application, self.api = str(uuid.uuid4()), str(uuid.uuid4())
        self.context = f"/scene{n}/1.0"
        t = now_ms()
        db.query("INSERT INTO am_application (id, owner, name, tier, created_at, updated_at) VALUES (?, ?, ?, ?, ?, ?)",
                 (self.application, owner, f"app{n}", "10PerMin", t, t))
        db.query("INSERT INTO am_api (id, provider, name, context, context_template, version, status, document, definition, "
                 "created_at, updated_at, updated_by) VALUES (?, 'publisher', ?, ?, ?, '1.0', 'PUBLISHED', '{}', '{}', ?, ?, 'x')",
                 (self.api, f"Scene{n}", self.context, f"/scene{n}", t, t))
        self.subscription = None
        if subscribed:
            self.subscription = str(uuid.uuid4())
            db.query("INSERT INTO am_subscription (id, application_id, api_id, tier, status, created_at, updated_at) "
                     "VALUES (?, ?, ?, 'Gold', ?, ?, ?)", (self.subscription, self.application, self.api, subscribed, t, t))
        self.keys = km.run("client-create", applicationId=self.application, keyType="PRODUCTION", name=f"app{n}_PRODUCTION",
                           owner=owner, grantTypes=["client_credentials", "password", "refresh_token"], callbackUrls=[],
                           tokenType=token_type)
        self.client = (self.keys["consumerKey"], self.keys["consumerSecret"])

    def sandbox(self):
        keys = self.km.run("client-create", applicationId=self.application, keyType="SANDBOX", name="sandbox",
                           owner="subscriber", grantTypes=["client_credentials"])
        return keys["consumerKey"], keys["consumerSecret"]

    def verify(self, token=None, api_key=None, **more):
        body = {"apiId": self.api, "context": self.context, "version": "1.0", "subscriptionRequired": True, **more}
        if token:
            body["token"] = token
        if api_key:
            body["apiKey"] = api_key
        return self.km.run("verify", **body)


def claims(token):
    return part(token, 1)


def part(token, i):
    text = token.split(".")[i]
    return json.loads(base64.urlsafe_b64decode(text + "=" * (-len(text) % 4)))
