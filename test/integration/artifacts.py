# SPDX-License-Identifier: Apache-2.0
"""Artefacts put into the registry straight, for tests of the gateway that need no portal (docs/architecture.md, "Publish")."""
import json
import time
import uuid


def artefact(context, url, version="1.0.0", operations=None, **more):
    """An `api` artefact whose resources need no credentials."""
    if operations is None:
        operations = [operation("/*", verb) for verb in ("GET", "POST", "PUT", "DELETE", "PATCH")]
    return {"id": str(uuid.uuid4()), "name": context.strip("/").replace("/", "-"), "provider": "admin", "type": "HTTP",
            "context": f"{context}/{version}", "contextTemplate": context, "version": version, "isDefaultVersion": False,
            "status": "PUBLISHED", "revision": 1, "transport": ["http", "https"], "securityScheme": ["oauth2", "api_key"],
            "endpoints": {"production": {"url": url}}, "operations": operations, **more}


def operation(target, verb="GET", auth="None", policy="Unlimited", scopes=()):
    return {"target": target, "verb": verb, "authType": auth, "throttlingPolicy": policy, "scopes": list(scopes)}


def deploy(db, payload, environment="", kind="api", key=None, deleted=False):
    """Writes an artefact with the next revision; returns the revision."""
    key = key or payload["id"]
    # The head goes last: these are single statements, and a gateway must not see a revision before its row.
    revision = int(db.query("SELECT revision FROM reg_feed_head", name="registry")[0][0]) + 1
    db.query("DELETE FROM reg_artifact WHERE kind = ? AND key = ? AND environment = ?", [kind, key, environment],
             name="registry")
    db.query("INSERT INTO reg_artifact (kind, key, environment, revision, deleted, payload, updated_at) "
             "VALUES (?, ?, ?, ?, ?, ?, ?)",
             [kind, key, environment, revision, 1 if deleted else 0, "" if deleted else json.dumps(payload),
              int(time.time() * 1000)], name="registry")
    db.query("UPDATE reg_feed_head SET revision = ? WHERE id = 1", [revision], name="registry")
    return revision


def undeploy(db, payload, environment=""):
    return deploy(db, payload, environment, deleted=True)
