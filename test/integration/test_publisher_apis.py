# SPDX-License-Identifier: Apache-2.0
"""Publisher v4: APIs are made, listed, changed, deleted."""
import concurrent.futures
import json
import time
import uuid

import pytest

from support import PATIENCE


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


# -- refusals ----------------------------------------------------------------------------------------------------------

def test_all_problems_are_told_at_once(env, publisher):
    r = publisher.post("/apis", json=body(name="a/b", context="/x y", version="1 0", visibility="RESTRICTED",
                                          transport=["ftp"], type="GRAPHQL"))
    said = problems(r)
    for pointer in ("/name", "/context", "/version", "/transport/0", "/type"):
        assert pointer + ":" in said
    assert len(r.json()["error"]) >= 5


@pytest.mark.parametrize("change, words", [
    ({"name": None}, "/name"), ({"context": None}, "/context"), ({"version": None}, "/version"),
    ({"policies": ["NoSuchPolicy"]}, "there is no subscription policy NoSuchPolicy"),
    ({"apiThrottlingPolicy": "NoSuchPolicy"}, "there is no advanced policy"),
    ({"visibility": "RESTRICTED", "visibleRoles": ["Internal/nobody"]}, "there is no role Internal/nobody"),
    ({"scopes": [{"scope": {"name": "s1", "bindings": ["nobody"]}, "shared": False}]}, "there is no role nobody"),
    ({"scopes": [{"scope": {"name": "never-shared"}, "shared": True}]}, "there is no shared scope never-shared"),
    ({"operations": [{"target": "/a", "verb": "GET"}, {"target": "/a", "verb": "GET"}]}, "twice"),
    ({"operations": [{"target": "/a{", "verb": "GET"}]}, "/target"),
])
def test_refusals_name_the_member(env, publisher, change, words):
    assert words in problems(publisher.post("/apis", json={**body(), **change}))


def test_malformed_bodies(env, publisher):
    def send(data, **more):
        return publisher.post("/apis", data=data, headers={"Content-Type": "application/json", **more})
    assert "line" in problems(send(b'{"name": "x",'))
    assert "not valid JSON" in problems(send(b'{"name": "\xff\xfe"}'))
    assert "not valid JSON" in problems(send(b'{"name": "a\\u0000b"}'))
    assert "nested" in problems(send(b'{"a":' * 1000 + b"1" + b"}" * 1000))
    assert "JSON object" in problems(send(b"[]"))
    assert "not valid JSON" in problems(send(b""))
    problems(send(b'{"name": 1, "name": 2}'))
    problems(send(b'{"description": "' + b"x" * 10_000_000 + b'"}'), 413)
    assert publisher.post("/apis", data=b"a=b", headers={"Content-Type": "application/x-www-form-urlencoded"}).status_code == 415


def test_broken_paths_and_queries(env, publisher):
    for path in ("/apis/%ff%fe", "/apis/%00", "/apis?query=%ff", "/apis?limit=x", "/apis?limit=0", "/apis?offset=-1",
                 "/apis?limit=100000", "/apis?sortBy=password", "/apis?sortOrder=up", "/apis?query=colour:red",
                 "/apis?query=name:%22open", "/subscriptions?apiId=%ff", "/throttling-policies/nothing"):
        r = publisher.get(path)
        assert r.status_code in (400, 404), (path, r.status_code, r.text)


HOSTILE = ["'; DROP TABLE am_api; --", "\" OR \"\"=\"", "%s %ld %n", "a\\'b\\", "${jndi:ldap://x}", "<script>alert(1)</script>",
           "\u202eabc", "\U0001f355 pizza", "é" * 100, "$1 :x ?", "| & ; `id`"]


@pytest.mark.parametrize("text", HOSTILE)
def test_hostile_texts_come_back_as_they_were(env, publisher, text):
    made = publisher.ok("POST", "/apis", status=201, json=body(
        description=text, businessInformation={"businessOwner": text},
        additionalProperties=[{"name": "note", "value": text}],
        scopes=[{"scope": {"name": unique("s"), "description": text, "displayName": text}, "shared": False}]))
    read = publisher.ok("GET", "/apis/" + made["id"])
    assert read["description"] == text and read["businessInformation"]["businessOwner"] == text
    assert read["additionalProperties"][0]["value"] == text
    assert read["scopes"][0]["scope"]["description"] == text
    found = publisher.ok("GET", "/apis", params={"query": "description:\"" + text.replace('"', "") + "\""})
    assert found["count"] >= (0 if '"' in text else 1)
    changed = publisher.ok("PUT", "/apis/" + made["id"], json={**read, "description": text + text})
    assert changed["description"] == text + text


@pytest.mark.parametrize("text", ["a\r\nSet-Cookie: x=1", "a\x00b", "a\x1bb", "a\x7f"])
@pytest.mark.parametrize("member", ["name", "context", "version", "authorizationHeader", "apiKeyHeader", "apiThrottlingPolicy"])
def test_control_characters_are_refused(env, publisher, member, text):
    r = publisher.post("/apis", json=body(**{member: text}))
    assert r.status_code == 400 and "Set-Cookie" not in r.headers


def test_names_and_contexts_are_unique(env, publisher, admin):
    first = body()
    publisher.ok("POST", "/apis", json=first, status=201)
    r = publisher.post("/apis", json={**first, "context": "/" + unique("c")})
    assert r.status_code == 409 and r.json()["code"] == 900250
    r = publisher.post("/apis", json={**first, "name": first["name"].upper(), "context": "/" + unique("c")})
    assert r.status_code == 409
    r = publisher.post("/apis", json={**first, "name": unique()})
    assert r.status_code == 409 and r.json()["code"] == 900251
    r = publisher.post("/apis", json={**first, "name": unique(), "version": "2.0.0"})  # the default version's path would clash
    assert r.status_code == 409 and r.json()["code"] == 900251
    r = publisher.post("/apis", json={**first, "name": unique(), "context": first["context"] + "/1.0.0", "version": "9"})
    assert r.status_code == 409 and r.json()["code"] == 900251
    r = admin.post("/apis", json=first)
    assert r.status_code == 409


def test_many_at_once_make_one_api(env, publisher):
    wanted = body()
    with concurrent.futures.ThreadPoolExecutor(6) as pool:
        statuses = sorted(pool.map(lambda _: publisher_copy(publisher).post("/apis", json=wanted).status_code, range(6)))
    assert statuses == [201] + [409] * 5


def publisher_copy(rest):
    """A session of its own for a thread."""
    from client import Rest
    return Rest(rest.base, rest.headers["Authorization"][7:])


def test_validate_tells_whether_a_name_or_context_is_taken(env, publisher):
    made = publisher.ok("POST", "/apis", json=body(), status=201)
    assert publisher.post("/apis/validate", params={"query": "name:" + made["name"]}).status_code == 200
    assert publisher.post("/apis/validate", params={"query": made["name"].lower()}).status_code == 200
    assert publisher.post("/apis/validate", params={"query": "context:" + made["context"]}).status_code == 200
    assert publisher.post("/apis/validate", params={"query": "name:" + unique()}).status_code == 404
    assert publisher.post("/apis/validate", params={"query": "context:/" + unique()}).status_code == 404
    assert publisher.post("/apis/validate").status_code == 400


# -- who may -----------------------------------------------------------------------------------------------------------

def test_scopes_decide(env, all_in_one):
    _, client = all_in_one
    anonymous = client.anonymous("/api/am/publisher/v4")
    r = anonymous.get("/apis")
    assert r.status_code == 401 and r.headers["WWW-Authenticate"].startswith("Bearer")
    anonymous.headers["Authorization"] = "Bearer nonsense"
    r = anonymous.get("/apis")
    assert r.status_code == 401 and "invalid_token" in r.headers["WWW-Authenticate"]
    anonymous.headers["Authorization"] = "Basic YTpi"
    assert anonymous.get("/apis").status_code == 401
    subscriber = client.publisher("subscriber")
    r = subscriber.get("/apis")
    assert r.status_code == 403 and r.json()["code"] == 900910 and "insufficient_scope" in r.headers["WWW-Authenticate"]
    creator = client.publisher("creator")
    made = creator.ok("POST", "/apis", json=body(), status=201)
    r = creator.post("/apis/change-lifecycle", params={"apiId": made["id"], "action": "Publish"})
    assert r.status_code == 403
    viewer = client.publisher("creator", "apim:api_view")
    assert viewer.get("/apis/" + made["id"]).status_code == 200
    for method, path in (("POST", "/apis"), ("PUT", "/apis/x"), ("DELETE", "/apis/x"), ("POST", "/apis/copy-api"),
                         ("POST", "/apis/import-openapi"), ("PUT", "/apis/x/swagger"), ("POST", "/apis/x/revisions"),
                         ("POST", "/apis/x/deploy-revision"), ("POST", "/scopes"), ("GET", "/subscriptions"),
                         ("POST", "/subscriptions/block-subscription")):
        assert viewer.request(method, path, json={}).status_code == 403, (method, path)


def test_any_creator_edits_but_only_publishers_change_what_is_published(env, all_in_one):
    _, client = all_in_one
    publisher, creator = client.publisher("publisher"), client.publisher("creator")
    made = publisher.ok("POST", "/apis", json=body(), status=201)
    assert creator.ok("PUT", "/apis/" + made["id"], json={"description": "by creator"})["provider"] == "publisher"
    publisher.ok("POST", "/apis/change-lifecycle", params={"apiId": made["id"], "action": "Publish"})
    r = creator.put("/apis/" + made["id"], json={"description": "again"})
    assert r.status_code == 403 and r.json()["code"] == 900380
    assert creator.delete("/apis/" + made["id"]).status_code == 403
    assert publisher.ok("PUT", "/apis/" + made["id"], json={"description": "again"})["description"] == "again"


# -- changing ----------------------------------------------------------------------------------------------------------

def test_put_keeps_identity_and_what_is_not_sent(env, publisher):
    made = publisher.ok("POST", "/apis", json=body(tags=["a"], monetization={"enabled": False}), status=201)
    out = publisher.ok("PUT", "/apis/" + made["id"], json={
        "name": "Other", "context": "/other", "version": "9", "provider": "someone", "lifeCycleStatus": "PUBLISHED",
        "id": "x", "description": "new", "nonsense": 1})
    for member in ("id", "name", "context", "version", "provider", "lifeCycleStatus", "tags", "monetization", "operations"):
        assert out[member] == made[member], member
    assert out["description"] == "new" and "nonsense" not in out
    assert publisher.ok("PUT", "/apis/" + made["id"], json={**out, "tags": None})["tags"] == []
    assert publisher.put("/apis/" + made["id"], json={"operations": []}).status_code == 400
    assert publisher.put("/apis/nothing", json={}).status_code == 404


def test_changed_operations_rewrite_the_definition(env, publisher):
    made = publisher.ok("POST", "/apis", json=body(), status=201)
    publisher.ok("PUT", "/apis/" + made["id"], json={
        "operations": [{"target": "/menu/{id}", "verb": "GET", "authType": "None"},
                       {"target": "/orders", "verb": "POST", "scopes": [made["id"]]}],
        "scopes": [{"scope": {"name": made["id"], "bindings": ["Internal/subscriber"]}, "shared": False}]})
    definition = publisher.ok("GET", f"/apis/{made['id']}/swagger")
    assert definition["paths"]["/menu/{id}"]["get"]["x-auth-type"] == "None"
    assert "post" in definition["paths"]["/orders"]
    assert made["id"] in json.dumps(definition["paths"]["/orders"]["post"]["security"])
    rows = env.db.query("SELECT roles FROM am_scope WHERE name = ?", [made["id"]])
    assert [r[0] for r in rows] == ["Internal/subscriber"]


def test_stale_etags_are_refused(env, publisher):
    made = publisher.post("/apis", json=body())
    path, tag = "/apis/" + made.json()["id"], made.headers["ETag"]
    second = publisher.put(path, json={"description": "2"}, headers={"If-Match": tag})
    assert second.status_code == 200 and second.headers["ETag"] != tag
    assert problems(publisher.put(path, json={"description": "3"}, headers={"If-Match": tag}), 412)
    assert publisher.delete(path, headers={"If-Match": tag}).status_code == 412
    assert publisher.put(path, json={"description": "3"}, headers={"If-Match": f'"x", {second.headers["ETag"]}'}).status_code == 200
    assert publisher.put(path, json={"description": "4"}, headers={"If-Match": "*"}).status_code == 200
    assert publisher.get(path).json()["description"] == "4"


def test_of_two_concurrent_changes_one_wins(env, publisher):
    made = publisher.post("/apis", json=body())
    path, tag = "/apis/" + made.json()["id"], made.headers["ETag"]

    def put(n):
        return publisher_copy(publisher).put(path, json={"description": str(n)}, headers={"If-Match": tag}).status_code
    with concurrent.futures.ThreadPoolExecutor(4) as pool:
        assert sorted(pool.map(put, range(4))) == [200, 412, 412, 412]


def test_delete(env, publisher):
    made = publisher.ok("POST", "/apis", json=body(), status=201)
    publisher.ok("POST", "/apis/change-lifecycle", params={"apiId": made["id"], "action": "Publish"})
    app, sub = str(uuid.uuid4()), str(uuid.uuid4())
    env.db.query("INSERT INTO am_application (id, owner, name, created_at, updated_at) VALUES (?, 'subscriber', ?, 1, 1)",
                 [app, app])
    env.db.query("INSERT INTO am_subscription (id, application_id, api_id, tier, created_at, updated_at) "
                 "VALUES (?, ?, ?, 'Unlimited', 1, 1)", [sub, app, made["id"]])
    r = publisher.delete("/apis/" + made["id"])
    assert r.status_code == 409 and r.json()["code"] == 900366
    env.db.query("DELETE FROM am_subscription WHERE id = ?", [sub])
    assert publisher.delete("/apis/" + made["id"]).status_code == 200
    assert publisher.get("/apis/" + made["id"]).status_code == 404
    assert publisher.delete("/apis/" + made["id"]).status_code == 404
    assert env.db.query("SELECT id FROM reg_api WHERE id = ?", [made["id"]], name="registry") == []
    row = env.db.query("SELECT deleted, payload FROM reg_artifact WHERE key = ?", [made["id"]], name="registry")[0]
    assert str(row[0]) == "1" and row[1] == ""
    assert env.db.query("SELECT kind FROM am_invalidation WHERE subject = ?", [made["id"]]) == [("api",)]
    publisher.ok("POST", "/apis", json=body(made["name"]), status=201)  # the name is free again


# -- lists -------------------------------------------------------------------------------------------------------------

def names(publisher, query, path="/apis", **more):
    return [i["name"] for i in publisher.ok("GET", path, params={"query": query, "limit": 100, **more})["list"]]


def test_search(env, publisher):
    key = unique("q")
    made = {}
    for n, tags in (("One", ["red"]), ("Two", ["red", "Blue"]), ("Three", [])):
        made[n] = publisher.ok("POST", "/apis", status=201, json=body(
            key + n, tags=tags, description=f"the {n} of 100%_x", version="1.0" if n != "Two" else "2.0"))
    publisher.ok("POST", "/apis/change-lifecycle", params={"apiId": made["One"]["id"], "action": "Publish"})
    assert sorted(names(publisher, key)) == [key + "One", key + "Three", key + "Two"]
    assert names(publisher, f"name:{key}O*") == [key + "One"]
    assert names(publisher, f'name:"{key}One"') == [key + "One"]
    assert names(publisher, f'name:"{key}"') == []
    assert sorted(names(publisher, f"name:{key} tag:red")) == [key + "One", key + "Two"]
    assert names(publisher, f"name:{key} tag:blue tag:red") == [key + "Two"]
    assert names(publisher, f"name:{key} version:2.*") == [key + "Two"]
    assert names(publisher, f"name:{key} version:2") == []
    assert names(publisher, f"context:/{key}tw".lower()) == [key + "Two"]
    assert names(publisher, f"name:{key} status:published") == [key + "One"]
    assert len(names(publisher, f"name:{key} provider:publisher")) == 3
    assert names(publisher, f"name:{key} provider:nobody") == []
    assert names(publisher, f'{key} "Three of 100%_x"') == [key + "Three"]
    assert names(publisher, f"{key} 100!") == []
    assert names(publisher, f"{key.upper()}three") == [key + "Three"]
    assert names(publisher, f"{key}", sortBy="name") == [key + "One", key + "Three", key + "Two"]
    assert names(publisher, f"{key}", sortBy="name", sortOrder="desc") == [key + "Two", key + "Three", key + "One"]
    assert names(publisher, f"{key}", sortBy="createdTime", sortOrder="asc") == [key + "One", key + "Two", key + "Three"]
    assert sorted(names(publisher, key, "/search")) == sorted(names(publisher, key))
    first = publisher.ok("GET", "/search", params={"query": f"type:API {key}One"})["list"][0]
    assert first["type"] == "API" and first["lifeCycleStatus"] == "PUBLISHED"


def test_paging(env, publisher):
    key = unique("p")
    for n in range(5):
        publisher.ok("POST", "/apis", json=body(f"{key}{n}"), status=201)
    seen, path, params = [], "/apis", {"query": key, "limit": 2, "sortBy": "name"}
    while path:
        page = publisher.ok("GET", path, params=params)
        assert page["pagination"]["total"] == 5 and page["count"] == len(page["list"])
        seen += [i["name"] for i in page["list"]]
        path, params = page["pagination"]["next"].replace("/api/am/publisher/v4", ""), None
    assert seen == [f"{key}{n}" for n in range(5)]


def test_a_thousand_apis_are_listed_quickly(env, publisher):
    key = unique("bulk")
    publisher.ok("POST", "/apis", json=body(), status=201)
    env.db.query("INSERT INTO am_api (id, provider, name, context, context_template, version, document, definition, "
                 "created_at, updated_at, updated_by) WITH RECURSIVE n(i) AS (SELECT 1 UNION ALL SELECT i + 1 FROM n WHERE i < 1000) "
                 f"SELECT '{key}-' || i, 'bulk', '{key}' || i, '/{key}' || i || '/1', '/{key}' || i, '1', t.document, "
                 f"t.definition, {int(time.time() * 1000)}, 1, 'bulk' FROM n, (SELECT document, definition FROM am_api LIMIT 1) t")
    start = time.monotonic()
    page = publisher.ok("GET", "/apis", params={"query": key, "limit": 25})
    took = time.monotonic() - start
    assert page["pagination"]["total"] == 1000 and page["count"] == 25
    start = time.monotonic()
    assert publisher.ok("GET", "/apis", params={"limit": 1000})["count"] == 1000
    all_took = time.monotonic() - start
    print(f"1,000 APIs: a page of 25 by query in {took * 1000:.0f} ms, 1,000 in {all_took * 1000:.0f} ms")
    assert took < 1 * PATIENCE and all_took < 2 * PATIENCE
    env.db.query("DELETE FROM am_api WHERE provider = 'bulk'")


# -- versions ----------------------------------------------------------------------------------------------------------

def test_a_new_version_is_a_copy(env, publisher):
    made = publisher.ok("POST", "/apis", json=body(tags=["x"]), status=201)
    publisher.ok("POST", "/apis/change-lifecycle", params={"apiId": made["id"], "action": "Publish"})
    r = publisher.post("/apis/copy-api", params={"apiId": made["id"], "newVersion": "2.0.0"})
    assert r.status_code == 201 and r.headers["Location"].endswith(r.json()["id"])
    copy = r.json()
    assert copy["id"] != made["id"] and copy["version"] == "2.0.0" and copy["lifeCycleStatus"] == "CREATED"
    for member in ("name", "context", "tags", "operations", "provider", "endpointConfig"):
        assert copy[member] == made[member]
    assert publisher.ok("GET", f"/apis/{copy['id']}/swagger")["info"]["version"] == "2.0.0"
    again = publisher.post("/apis/copy-api", params={"apiId": made["id"], "newVersion": "2.0.0"})
    assert again.status_code == 409
    assert publisher.post("/apis/copy-api", params={"apiId": made["id"], "newVersion": "2 0"}).status_code == 400
    assert publisher.post("/apis/copy-api", params={"apiId": made["id"]}).status_code == 400
    assert publisher.post("/apis/copy-api", params={"apiId": "none", "newVersion": "3"}).status_code == 404


def test_one_default_version_for_each_name(env, publisher):
    first = publisher.ok("POST", "/apis", json=body(isDefaultVersion=True), status=201)
    publisher.ok("POST", "/apis/change-lifecycle", params={"apiId": first["id"], "action": "Publish"})
    second = publisher.ok("POST", "/apis/copy-api", status=201, params={"apiId": first["id"], "newVersion": "2.0.0"})
    assert second["isDefaultVersion"] is False
    publisher.ok("POST", "/apis/change-lifecycle", params={"apiId": second["id"], "action": "Publish"})

    def defaults():
        rows = env.db.query("SELECT key, payload FROM reg_artifact WHERE key IN (?, ?)", [first["id"], second["id"]],
                            name="registry")
        return {key: json.loads(payload)["isDefaultVersion"] for key, payload in rows}
    assert defaults() == {first["id"]: True, second["id"]: False}
    assert publisher.ok("PUT", "/apis/" + second["id"], json={"isDefaultVersion": True})["isDefaultVersion"] is True
    assert defaults() == {first["id"]: False, second["id"]: True}
    assert publisher.ok("GET", "/apis/" + first["id"])["isDefaultVersion"] is False
    third = publisher.ok("POST", "/apis/copy-api", status=201,
                         params={"apiId": first["id"], "newVersion": "3.0.0", "defaultVersion": "true"})
    assert third["isDefaultVersion"] is True
    assert defaults() == {first["id"]: False, second["id"]: False}
