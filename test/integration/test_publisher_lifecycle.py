# SPDX-License-Identifier: Apache-2.0
"""Publisher v4: life cycle, revisions and deployments, subscriptions, shared scopes, policies, settings."""
import base64
import json
import uuid

import pytest

STATES = {
    "CREATED": {"Publish": "PUBLISHED", "Deploy as a Prototype": "PROTOTYPED"},
    "PROTOTYPED": {"Publish": "PUBLISHED", "Demote to Created": "CREATED"},
    "PUBLISHED": {"Block": "BLOCKED", "Deprecate": "DEPRECATED", "Demote to Created": "CREATED",
                  "Demote to Prototyped": "PROTOTYPED", "Publish": "PUBLISHED"},
    "BLOCKED": {"Re-Publish": "PUBLISHED", "Deprecate": "DEPRECATED"},
    "DEPRECATED": {"Retire": "RETIRED"},
    "RETIRED": {},
}
ACTIONS = ["Publish", "Deploy as a Prototype", "Demote to Created", "Demote to Prototyped", "Block", "Deprecate",
           "Re-Publish", "Retire"]
WAY = {"CREATED": [], "PROTOTYPED": ["Deploy as a Prototype"], "PUBLISHED": ["Publish"], "BLOCKED": ["Publish", "Block"],
       "DEPRECATED": ["Publish", "Deprecate"], "RETIRED": ["Publish", "Deprecate", "Retire"]}


def unique(prefix="Api"):
    return prefix + uuid.uuid4().hex[:10]


def body(name=None, **more):
    name = name or unique()
    return {"name": name, "context": "/" + name.lower(), "version": "1.0.0", "policies": ["Unlimited"],
            "endpointConfig": {"endpoint_type": "http", "production_endpoints": {"url": "http://127.0.0.1:9/base"}},
            "operations": [{"target": "/menu", "verb": "GET"}], **more}


@pytest.fixture(scope="module")
def publisher(all_in_one):
    return all_in_one[1].publisher("publisher")


def make(publisher, **more):
    return publisher.ok("POST", "/apis", json=body(**more), status=201)


def act(publisher, api, action, status=200, **more):
    return publisher.ok("POST", "/apis/change-lifecycle", params={"apiId": api["id"], "action": action, **more}, status=status)


def artifacts(env, api):
    """environment -> payload, None for a tombstone."""
    rows = env.db.query("SELECT environment, deleted, payload FROM reg_artifact WHERE key = ?", [api["id"]], name="registry")
    return {e: None if str(d) == "1" else json.loads(p) for e, d, p in rows}


def in_store(env, api):
    rows = env.db.query("SELECT status FROM reg_api WHERE id = ?", [api["id"]], name="registry")
    return rows[0][0] if rows else None


# -- life cycle --------------------------------------------------------------------------------------------------------

@pytest.mark.parametrize("state", STATES)
def test_every_action_in_every_state(env, publisher, state):
    for action in ACTIONS:
        api = make(publisher)
        for step in WAY[state]:
            act(publisher, api, step)
        shown = publisher.ok("GET", f"/apis/{api['id']}/lifecycle-state")
        assert shown["state"] == state
        assert {t["event"]: t["targetState"] for t in shown["availableTransitions"]} == STATES[state]
        assert bool(shown["checkItems"]) == (state in ("CREATED", "PROTOTYPED"))
        wanted = STATES[state].get(action)
        out = act(publisher, api, action, status=200 if wanted else 400)
        after = publisher.ok("GET", "/apis/" + api["id"])["lifeCycleStatus"]
        if wanted:
            assert out["lifecycleState"]["state"] == wanted == after
        else:
            assert out["code"] == 900381 and after == state
        deployed = after not in ("CREATED", "RETIRED")
        assert in_store(env, api) == (after if deployed else None)
        payloads = [p for p in artifacts(env, api).values() if p]
        assert [p["status"] for p in payloads] == ([after] if deployed else [])


def test_history(env, publisher):
    api = make(publisher)
    for action in ("Deploy as a Prototype", "Publish", "Block", "Re-Publish"):
        act(publisher, api, action)
    out = publisher.ok("GET", f"/apis/{api['id']}/lifecycle-history")
    assert out["count"] == 5
    assert [(e["previousState"], e["postState"], e["user"]) for e in out["list"]] == [
        (None, "CREATED", "publisher"), ("CREATED", "PROTOTYPED", "publisher"), ("PROTOTYPED", "PUBLISHED", "publisher"),
        ("PUBLISHED", "BLOCKED", "publisher"), ("BLOCKED", "PUBLISHED", "publisher")]
    assert publisher.get("/apis/none/lifecycle-history").status_code == 404
    assert publisher.get("/apis/none/lifecycle-state").status_code == 404


def test_publishing_needs_an_endpoint_and_a_policy(env, publisher):
    bare = make(publisher, endpointConfig=None)
    assert "endpoint" in act(publisher, bare, "Publish", status=400)["description"]
    assert "endpoint" in act(publisher, bare, "Deploy as a Prototype", status=400)["description"]
    assert "policy" in act(publisher, make(publisher, policies=[]), "Publish", status=400)["description"]
    for params in ({"action": "Publish"}, {"apiId": bare["id"]}, {"apiId": bare["id"], "action": "publish"}):
        assert publisher.post("/apis/change-lifecycle", params=params).status_code == 400
    assert publisher.post("/apis/change-lifecycle", params={"apiId": "x", "action": "Publish"}).status_code == 404


def subscribe(env, api, status="UNBLOCKED"):
    app, sub = str(uuid.uuid4()), str(uuid.uuid4())
    env.db.query("INSERT INTO am_application (id, owner, name, description, created_at, updated_at) "
                 "VALUES (?, 'subscriber', ?, 'd', 1, 1)", [app, app])
    env.db.query("INSERT INTO am_subscription (id, application_id, api_id, tier, status, created_at, updated_at) "
                 "VALUES (?, ?, ?, 'Unlimited', ?, 1, 1)", [sub, app, api["id"], status])
    return app, sub


def subscriptions(env, api):
    return sorted(tuple(r) for r in env.db.query("SELECT application_id, status FROM am_subscription WHERE api_id = ?", [api["id"]]))


def new_version(publisher, api, version):
    return publisher.ok("POST", "/apis/copy-api", params={"apiId": api["id"], "newVersion": version}, status=201)


def test_subscriptions_are_carried_over_unless_renewal_is_asked_for(env, publisher):
    first = make(publisher)
    act(publisher, first, "Publish")
    app, _ = subscribe(env, first)
    blocked, _ = subscribe(env, first, "BLOCKED")
    subscribe(env, first, "REJECTED")
    second, third = new_version(publisher, first, "2.0.0"), new_version(publisher, first, "3.0.0")
    act(publisher, second, "Publish", lifecycleChecklist="Requires re-subscription when publishing the API:true")
    assert subscriptions(env, second) == []
    act(publisher, third, "Publish", lifecycleChecklist="Deprecate old versions after publishing the API:true,"
        "Requires re-subscription when publishing the API:false")
    assert subscriptions(env, third) == sorted([(app, "UNBLOCKED"), (blocked, "BLOCKED")])
    for old in (first, second):
        assert publisher.ok("GET", "/apis/" + old["id"])["lifeCycleStatus"] == "DEPRECATED"
        assert in_store(env, old) == "DEPRECATED" and artifacts(env, old)["Default"]["status"] == "DEPRECATED"
    assert ("application",) in env.db.query("SELECT kind FROM am_invalidation WHERE subject = ?", [app])
    act(publisher, third, "Publish")  # again: nothing doubles
    assert len(subscriptions(env, third)) == 2


# -- revisions and deployments -----------------------------------------------------------------------------------------

def test_publishing_deploys_a_revision(env, publisher):
    api = make(publisher)
    assert publisher.ok("GET", f"/apis/{api['id']}/revisions") == {"count": 0, "list": []}
    act(publisher, api, "Publish")
    revisions = publisher.ok("GET", f"/apis/{api['id']}/revisions")["list"]
    assert len(revisions) == 1 and revisions[0]["displayName"] == "Revision 1"
    assert [d["name"] for d in revisions[0]["deploymentInfo"]] == ["Default"]
    deployments = publisher.ok("GET", f"/apis/{api['id']}/deployments")
    assert deployments[0]["revisionUuid"] == revisions[0]["id"] and deployments[0]["status"] == "APPROVED"
    act(publisher, api, "Publish")
    assert publisher.ok("GET", f"/apis/{api['id']}/revisions")["count"] == 1


def test_gateways_serve_the_deployed_revision_not_the_working_copy(env, publisher):
    """The way WSO2's scripts go: revision, deployment, then Publish."""
    api = make(publisher)
    r = publisher.post(f"/apis/{api['id']}/revisions", json={"description": "first"})
    assert r.status_code == 201 and r.headers["Location"].endswith(r.json()["id"])
    first = r.json()
    assert first["apiInfo"]["id"] == api["id"] and first["deploymentInfo"] == [] and first["description"] == "first"
    out = publisher.ok("POST", f"/apis/{api['id']}/deploy-revision", params={"revisionId": first["id"]}, status=201,
                       json=[{"name": "Default", "vhost": "localhost", "displayOnDevportal": True}])
    assert out[0]["name"] == "Default" and out[0]["displayOnDevportal"] is True
    assert artifacts(env, api) == {}  # not published yet
    act(publisher, api, "Publish")
    assert publisher.ok("GET", f"/apis/{api['id']}/revisions")["count"] == 1
    assert artifacts(env, api)["Default"]["revisionId"] == first["id"]
    publisher.ok("PUT", "/apis/" + api["id"], json={
        "operations": [{"target": "/menu", "verb": "GET"}, {"target": "/orders", "verb": "POST"}],
        "endpointConfig": {"endpoint_type": "http", "production_endpoints": {"url": "http://127.0.0.1:9/new"}}})
    assert [o["target"] for o in artifacts(env, api)["Default"]["operations"]] == ["/menu"]
    second = publisher.ok("POST", f"/apis/{api['id']}/revisions", json={}, status=201)
    assert second["displayName"] == "Revision 2"
    before = artifacts(env, api)["Default"]
    publisher.ok("POST", f"/apis/{api['id']}/deploy-revision", params={"revisionId": second["id"]}, json=[{"name": "Default"}], status=201)
    after = artifacts(env, api)["Default"]
    assert len(after["operations"]) == 2 and after["endpoints"]["production"]["url"].endswith("/new")
    assert (before["revision"], after["revision"]) == (1, 2)
    deployed = publisher.ok("GET", f"/apis/{api['id']}/revisions", params={"query": "deployed:true"})
    assert [r["id"] for r in deployed["list"]] == [second["id"]]
    idle = publisher.ok("GET", f"/apis/{api['id']}/revisions", params={"query": "deployed:false"})
    assert [r["id"] for r in idle["list"]] == [first["id"]]
    shown = publisher.ok("GET", "/apis/" + first["id"])
    assert shown["isRevision"] is True and shown["revisionId"] == 1 and shown["revisionedApiId"] == api["id"]
    assert [o["target"] for o in shown["operations"]] == ["/menu"]
    restored = publisher.ok("POST", f"/apis/{api['id']}/restore-revision", params={"revisionId": first["id"]}, status=201)
    assert [o["target"] for o in restored["operations"]] == ["/menu"]
    assert list(publisher.ok("GET", f"/apis/{api['id']}/swagger")["paths"]) == ["/menu"]
    r = publisher.delete(f"/apis/{api['id']}/revisions/{second['id']}")
    assert r.status_code == 400 and r.json()["code"] == 900348
    out = publisher.ok("POST", f"/apis/{api['id']}/undeploy-revision", params={"revisionId": second["id"]},
                       json=[{"name": "Default"}], status=201)
    assert out == [] and artifacts(env, api) == {"Default": None}
    left = publisher.ok("DELETE", f"/apis/{api['id']}/revisions/{second['id']}")
    assert [r["id"] for r in left["list"]] == [first["id"]]
    assert publisher.get(f"/apis/{api['id']}/revisions/{second['id']}").status_code == 404
    assert publisher.ok("GET", f"/apis/{api['id']}/revisions/{first['id']}")["displayName"] == "Revision 1"
    assert publisher.ok("POST", f"/apis/{api['id']}/revisions", json={}, status=201)["displayName"] == "Revision 3"


def test_revision_refusals(env, publisher):
    api, other = make(publisher), make(publisher)
    ids = [publisher.ok("POST", f"/apis/{api['id']}/revisions", json={"description": str(n)}, status=201)["id"] for n in range(5)]
    r = publisher.post(f"/apis/{api['id']}/revisions", json={})
    assert r.status_code == 400 and r.json()["code"] == 900351
    act(publisher, api, "Publish")  # takes the newest of the five
    assert artifacts(env, api)["Default"]["revisionId"] == ids[-1]
    deploy = f"/apis/{api['id']}/deploy-revision"
    for params, sent, status in (({"revisionId": ids[0]}, [{"name": "Mars"}], 400), ({"revisionId": "none"}, [{"name": "Default"}], 404),
                                 ({}, [{"name": "Default"}], 400), ({"revisionId": ids[0]}, {"name": "Default"}, 400),
                                 ({"revisionId": ids[0]}, [], 400), ({"revisionId": ids[0]}, [{"name": 1}], 400),
                                 ({"revisionId": ids[0]}, ["Default"], 400)):
        assert publisher.post(deploy, params=params, json=sent).status_code == status, (params, sent)
    assert publisher.post(f"/apis/{other['id']}/deploy-revision", params={"revisionId": ids[0]}, json=[{"name": "Default"}]).status_code == 404
    assert publisher.post(f"/apis/{other['id']}/restore-revision", params={"revisionId": ids[0]}).status_code == 404
    assert publisher.delete(f"/apis/{other['id']}/revisions/{ids[0]}").status_code == 404
    assert publisher.post(f"/apis/{api['id']}/undeploy-revision", params={"revisionId": ids[0]}, json=[{"name": "Default"}]).status_code == 404
    assert publisher.post(f"/apis/{api['id']}/revisions", json={"description": "a\nb"}).status_code == 400
    assert publisher.get(f"/apis/{api['id']}/revisions", params={"query": "x"}).status_code == 400
    assert publisher.post("/apis/none/revisions", json={}).status_code == 404
    assert publisher.get("/apis/none/deployments").status_code == 404


def test_several_environments(env, publisher):
    env.db.query("INSERT INTO am_environment (name, display_name, gateway_url) VALUES ('Inside', 'Inside', 'https://in.example.org') "
                 "ON CONFLICT DO NOTHING")
    api = make(publisher)
    revision = publisher.ok("POST", f"/apis/{api['id']}/revisions", json={}, status=201)["id"]
    publisher.ok("POST", f"/apis/{api['id']}/deploy-revision", params={"revisionId": revision}, status=201,
                 json=[{"name": "Default", "displayOnDevportal": False}, {"name": "Inside"}])
    act(publisher, api, "Publish")
    assert set(artifacts(env, api)) == {"Default", "Inside"}
    document, definition = env.db.query("SELECT document, definition FROM reg_api WHERE id = ?", [api["id"]], name="registry")[0]
    assert [e["name"] for e in json.loads(document)["environments"]] == ["Inside"]
    assert json.loads(definition)["servers"] == [{"url": f"https://in.example.org{api['context']}/1.0.0"}]
    out = publisher.ok("POST", f"/apis/{api['id']}/undeploy-revision", status=201,
                       params={"revisionId": revision, "allEnvironments": "true"})
    assert out == [] and artifacts(env, api) == {"Default": None, "Inside": None}
    env.db.query("DELETE FROM am_environment WHERE name = 'Inside'")


# -- subscriptions -----------------------------------------------------------------------------------------------------

def test_subscriptions_are_listed_and_blocked(env, publisher):
    api = make(publisher)
    act(publisher, api, "Publish")
    app, sub = subscribe(env, api)
    for _ in range(3):
        subscribe(env, api)
    page = publisher.ok("GET", "/subscriptions", params={"apiId": api["id"], "limit": 3})
    assert page["pagination"]["total"] == 4 and page["count"] == 3
    everything = publisher.ok("GET", "/subscriptions", params={"limit": 100})
    assert everything["pagination"]["total"] >= 4
    found = [s for s in publisher.ok("GET", "/subscriptions", params={"apiId": api["id"], "limit": 100})["list"]
             if s["subscriptionId"] == sub][0]
    assert found["applicationInfo"] == {"applicationId": app, "name": app, "subscriber": "subscriber", "description": "d",
                                        "subscriptionCount": 1}
    assert found["throttlingPolicy"] == "Unlimited" and found["subscriptionStatus"] == "UNBLOCKED"
    block, unblock = "/subscriptions/block-subscription", "/subscriptions/unblock-subscription"
    for state in ("PROD_ONLY_BLOCKED", "BLOCKED"):
        before = len(env.db.query("SELECT 1 FROM am_invalidation WHERE kind = 'application' AND subject = ?", [app]))
        out = publisher.ok("POST", block, params={"subscriptionId": sub, "blockState": state})
        assert out["subscriptionStatus"] == state
        assert env.db.query("SELECT status FROM am_subscription WHERE id = ?", [sub]) == [(state,)]
        assert len(env.db.query("SELECT 1 FROM am_invalidation WHERE kind = 'application' AND subject = ?", [app])) == before + 1
    assert publisher.ok("POST", unblock, params={"subscriptionId": sub})["subscriptionStatus"] == "UNBLOCKED"
    assert publisher.post(block, params={"subscriptionId": sub, "blockState": "FOR_EVER"}).status_code == 400
    assert publisher.post(block, params={"subscriptionId": sub}).status_code == 400
    assert publisher.post(block, params={"subscriptionId": "none", "blockState": "BLOCKED"}).status_code == 404
    assert publisher.post(unblock, params={"subscriptionId": "none"}).status_code == 404
    assert publisher.get("/subscriptions", params={"apiId": "none"}).status_code == 404
    _, held = subscribe(env, api, "ON_HOLD")
    r = publisher.post(unblock, params={"subscriptionId": held})
    assert r.status_code == 400 and r.json()["code"] == 900320


# -- shared scopes -----------------------------------------------------------------------------------------------------

def test_shared_scopes(env, all_in_one):
    admin = all_in_one[1].publisher("admin")
    name = unique("menu:")
    r = admin.post("/scopes", json={"name": name, "displayName": "Menu", "description": "the menu", "bindings": ["Internal/subscriber"]})
    assert r.status_code == 201, r.text
    scope = r.json()
    assert r.headers["Location"].endswith(scope["id"]) and scope["usageCount"] == 0
    assert scope["bindings"] == ["Internal/subscriber"]
    assert admin.post("/scopes", json={"name": name}).status_code == 409
    assert admin.ok("GET", "/scopes/" + scope["id"]) == scope
    encoded = base64.urlsafe_b64encode(name.encode()).decode()
    assert admin.head("/scopes/" + encoded).status_code == 200
    assert admin.head("/scopes/" + base64.urlsafe_b64encode(b"nothing").decode()).status_code == 404
    assert name in [s["name"] for s in admin.ok("GET", "/scopes", params={"limit": 1000})["list"]]
    changed = admin.ok("PUT", "/scopes/" + scope["id"], json={"name": "ignored", "displayName": "M", "description": "", "bindings": []})
    assert changed["name"] == name and changed["bindings"] == []
    assert env.db.query("SELECT 'roles:' || roles FROM am_scope WHERE name = ?", [name]) == [("roles:",)]
    api = make(admin, operations=[{"target": "/a", "verb": "GET", "scopes": [name]}],
               scopes=[{"scope": {"name": name}, "shared": True}])
    assert api["scopes"][0]["shared"] is True and api["scopes"][0]["scope"]["displayName"] == "M"
    assert admin.ok("GET", "/scopes/" + scope["id"])["usageCount"] == 1
    assert admin.delete("/scopes/" + scope["id"]).status_code == 409
    admin.ok("PUT", "/apis/" + api["id"], json={"scopes": [], "operations": [{"target": "/a", "verb": "GET"}]})
    assert admin.delete("/scopes/" + scope["id"]).status_code == 200
    assert admin.get("/scopes/" + scope["id"]).status_code == 404
    local = unique("local:")
    make(admin, scopes=[{"scope": {"name": local}, "shared": False}])
    assert admin.post("/scopes", json={"name": local}).status_code == 409
    for bad in ({"name": "a b"}, {"name": ""}, {}, {"name": "apim:admin"}, {"name": unique("s"), "bindings": ["nobody"]}, [],
                {"name": unique("s"), "description": "a\x00b"}):
        assert admin.post("/scopes", json=bad).status_code == 400, bad
    for path in ("/scopes/%20", "/scopes/!!", "/scopes/" + encoded):
        assert admin.put(path, json={"name": "x"}).status_code == 404


# -- policies, settings ------------------------------------------------------------------------------------------------

def test_policies(env, publisher):
    document = {"policyName": "TestGold", "displayName": "Gold", "description": "5 a minute", "stopOnQuotaReach": True,
                "billingPlan": "FREE", "defaultLimit": {"type": "REQUESTCOUNTLIMIT", "requestCount": {
                    "timeUnit": "min", "unitTime": 1, "requestCount": 5}}}
    env.db.query("INSERT INTO reg_policy (id, level, name, display_name, document, created_at, updated_at) "
                 "VALUES ('tg', 'subscription', 'TestGold', 'Gold', ?, 1, 1)", [json.dumps(document)], name="registry")
    listed = publisher.ok("GET", "/throttling-policies/subscription", params={"limit": 1000})["list"]
    gold = [p for p in listed if p["name"] == "TestGold"][0]
    assert gold["requestCount"] == 5 and gold["timeUnit"] == "min" and gold["stopOnQuotaReach"] is True
    assert publisher.ok("GET", "/throttling-policies/subscription/TestGold") == gold
    assert publisher.get("/throttling-policies/subscription/None").status_code == 404
    assert publisher.get("/throttling-policies/api").status_code == 200
    assert publisher.get("/throttling-policies/wrong").status_code == 400
    assert make(publisher, policies=["TestGold", "Unlimited"])["policies"] == ["TestGold", "Unlimited"]


def test_settings(env, publisher):
    out = publisher.ok("GET", "/settings")
    assert out["environment"][0]["name"] == "Default" and "apim:api_create" in out["scopes"]
    assert publisher.ok("GET", "/environments")["list"][0]["vhosts"][0]["host"]
