# SPDX-License-Identifier: Apache-2.0
"""Publisher v4: APIs are made, listed, changed, deleted."""
import json
import uuid

import pytest


def unique(prefix="Api"):
    return prefix + uuid.uuid4().hex[:10]


def body(name=None, **more):
    name = name or unique()
    return {"name": name, "context": "/" + name.lower(), "version": "1.0.0", "policies": ["Unlimited"],
            "endpointConfig": {"endpoint_type": "http", "production_endpoints": {"url": "http://127.0.0.1:9/base"}},
            "operations": [{"target": "/menu/{id}", "verb": "GET", "authType": "Application & Application User",
                            "throttlingPolicy": "Unlimited", "scopes": []}], **more}


@pytest.fixture(scope="module")
def publisher(all_in_one):
    return all_in_one[1].publisher("publisher")


@pytest.fixture(scope="module")
def admin(all_in_one):
    return all_in_one[1].publisher("admin")


def problems(r, status=400):
    assert r.status_code == status, r.text
    out = r.json()
    assert set(out) == {"code", "message", "description", "moreInfo", "error"}
    return " ".join([out["description"]] + [e["message"] for e in out["error"]])


# -- create, read, list ------------------------------------------------------------------------------------------------

def test_an_api_is_made_and_read_back(env, publisher):
    wanted = body(description="Pizza «à la» carte\nfresh", tags=["food", "pizza", "food"],
                  businessInformation={"businessOwner": "Jane Roe", "businessOwnerEmail": "jane@example.org"},
                  additionalProperties=[{"name": "team", "value": "blue", "display": True}])
    r = publisher.post("/apis", json=wanted)
    assert r.status_code == 201, r.text
    made = r.json()
    assert r.headers["Location"].endswith("/apis/" + made["id"])
    assert r.headers["ETag"]
    assert made["name"] == wanted["name"] and made["context"] == wanted["context"] and made["provider"] == "publisher"
    assert made["lifeCycleStatus"] == "CREATED" and made["type"] == "HTTP"
    assert made["tags"] == ["food", "pizza"]
    assert made["description"] == wanted["description"]
    assert made["businessInformation"] == wanted["businessInformation"]
    assert made["additionalPropertiesMap"]["team"]["value"] == "blue"
    assert made["operations"][0]["target"] == "/menu/{id}"
    assert made["transport"] == ["http", "https"] and made["visibility"] == "PUBLIC"
    read = publisher.get("/apis/" + made["id"])
    assert read.json() == made and read.headers["ETag"] == r.headers["ETag"]
    assert publisher.get("/apis/" + made["id"], headers={"If-None-Match": read.headers["ETag"]}).status_code == 304
    swagger = publisher.ok("GET", f"/apis/{made['id']}/swagger")
    assert swagger["info"]["title"] == wanted["name"] and "/menu/{id}" in swagger["paths"]


def test_an_api_without_operations_gets_all_verbs(env, publisher):
    wanted = body()
    del wanted["operations"]
    made = publisher.ok("POST", "/apis", json=wanted, status=201)
    assert {o["verb"] for o in made["operations"]} >= {"GET", "POST", "PUT", "DELETE", "PATCH"}
    assert {o["target"] for o in made["operations"]} == {"/*"}


def test_the_flow_publish(env, publisher):
    made = publisher.ok("POST", "/apis", json=body(tags=["Food"]), status=201)
    out = publisher.ok("POST", "/apis/change-lifecycle", params={"apiId": made["id"], "action": "Publish"}, status=200)
    assert out["workflowStatus"] == "APPROVED" and out["lifecycleState"]["state"] == "PUBLISHED"
    row = env.db.query("SELECT status, context, tags, document FROM reg_api WHERE id = ?", [made["id"]], name="registry")[0]
    assert row[0] == "PUBLISHED" and row[1] == made["context"] + "/1.0.0" and row[2] == "|food|"
    assert json.loads(row[3])["operations"] == [{"id": "", "target": "/menu/{id}", "verb": "GET"}]
    artifact = env.db.query("SELECT environment, deleted, payload FROM reg_artifact WHERE key = ?", [made["id"]],
                            name="registry")
    assert len(artifact) == 1 and artifact[0][0] == "Default" and str(artifact[0][1]) == "0"
    payload = json.loads(artifact[0][2])
    assert payload["status"] == "PUBLISHED" and payload["context"] == made["context"] + "/1.0.0"
    assert payload["endpoints"] == {"production": {"url": "http://127.0.0.1:9/base"}}
    assert env.db.query("SELECT COUNT(*) FROM am_publication_outbox")[0][0] in (0, "0")
