# SPDX-License-Identifier: Apache-2.0
"""Calls to APIs on a gateway, with applications made by keymgr.Scene and artefacts written to the registry."""
import time

import requests

from artifacts import artefact, deploy, operation
from keymgr import KeyManager, Scene
from support import wait_until

ANY = "Application & Application User"
OPERATIONS = [operation("/*", verb, ANY) for verb in ("GET", "POST")]


class Api:
    """A scene (application, API, subscription) whose API is deployed on the gateway."""

    def __init__(self, env, gateway, keymgr, backend, operations=None, token_type="JWT", subscribed="UNBLOCKED", **more):
        self.env, self.gateway = env, gateway
        self.scene = Scene(KeyManager(env, keymgr), env.db, token_type=token_type, subscribed=subscribed)
        self.db, self.km, self.id = env.db, self.scene.km, self.scene.api
        self.db.query("UPDATE am_application SET tier = 'Unlimited' WHERE id = ?", [self.scene.application])
        template, version = self.scene.context.rsplit("/", 1)
        self.artefact = artefact(template, backend.url, version, operations=operations or OPERATIONS, id=self.id, **more)
        self.deploy()

    def deploy(self, **changes):
        self.artefact.update(changes)
        deploy(self.db, self.artefact)
        wait_until(lambda: self.deployed(), 10, what="the API is deployed")

    def deployed(self):
        r = requests.get(self.gateway.url + "/server-status?auto", timeout=10)
        revision = int(self.db.query("SELECT revision FROM reg_feed_head", name="registry")[0][0])
        return f"ApimGatewayRegistryRevision: {revision}\n" in r.text

    def url(self, path="/x"):
        return self.gateway.gateway_url + self.scene.context + path

    def call(self, token=None, path="/x", method="GET", headers=None, session=None, **more):
        headers = dict(headers or {})
        if token:
            headers["Authorization"] = f"Bearer {token}"
        more.setdefault("timeout", 60)
        return (session or requests).request(method, self.url(path), headers=headers, **more)

    def token(self, **form):
        return self.scene.km.ok_token(self.scene.client, **form)["access_token"]

    def user_token(self, **form):
        return self.token(grant_type="password", username="subscriber", password="subscriber-pw-1", **form)

    def set_tier(self, subscription=None, application=None):
        if subscription:
            self.db.query("UPDATE am_subscription SET tier = ? WHERE id = ?", [subscription, self.scene.subscription])
        if application:
            self.db.query("UPDATE am_application SET tier = ? WHERE id = ?", [application, self.scene.application])
        invalidate(self.db, "application", self.scene.application)


def invalidate(db, kind, subject):
    """What a role writes in the transaction that changes the subject."""
    revision = int(db.query("SELECT revision FROM am_feed_head")[0][0]) + 1
    db.query("INSERT INTO am_invalidation (revision, kind, subject, created_at) VALUES (?, ?, ?, ?)",
             [revision, kind, subject, int(time.time() * 1000)])
    db.query("UPDATE am_feed_head SET revision = ? WHERE id = 1", [revision])
    return revision


def policy(db, level, name, count, unit="min", **more):
    deploy(db, {"level": level, "name": name, "type": "REQUESTCOUNT", "requestCount": count, "unitTime": 1, "timeUnit": unit,
                "stopOnQuotaReach": True, **more}, kind="policy", key=f"{level}/{name}")


def facts(gateway):
    """The gateway's numbers of mod_status."""
    text = requests.get(gateway.url + "/server-status?auto", timeout=10).text
    lines = [line.split(": ", 1) for line in text.splitlines() if line.startswith("ApimGateway")]
    return {key[len("ApimGateway"):]: int(value) if value.isdigit() else value for key, value in lines}


def fault(r):
    return r.status_code, r.json()["code"]
