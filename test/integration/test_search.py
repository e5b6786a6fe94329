# SPDX-License-Identifier: Apache-2.0
"""API categories, and searching by them, by documents and by the other modifiers, in Publisher and Store."""
import pytest

import flows
from support import wait_until


@pytest.fixture(scope="module")
def client(all_in_one):
    return all_in_one[1]


@pytest.fixture(scope="module")
def admin(client):
    return client.admin()


@pytest.fixture(scope="module")
def publisher(client):
    return client.publisher("publisher")


@pytest.fixture(scope="module")
def anyone(client):
    return client.anonymous()


def category(admin, **fields):
    return admin.ok("POST", "/api-categories", status=201, json={"name": flows.unique("Cat"), **fields})


def published(client, **fields):
    api = flows.publish(client, "http://127.0.0.1:9", **fields)
    wait_until(lambda: client.anonymous().get(f"/apis/{api['id']}").status_code == 200, 10, what="it is in the Store")
    return api


def found(rest, query):
    """Ids that both the list and the search find."""
    ids = [{a["id"] for a in rest.ok("GET", path, params={"query": query, "limit": 1000})["list"]} for path in ("/apis", "/search")]
    assert ids[0] == ids[1]
    return ids[0]


# -- categories ----------------------------------------------------------------------------------------------------------

def test_categories_live(client, admin, publisher, anyone):
    made = category(admin, description="Houses\nand more")
    shown = {k: made[k] for k in ("id", "name", "description")}
    assert made["numberOfAPIs"] == 0 and shown in publisher.ok("GET", "/api-categories")["list"] and shown in anyone.ok("GET", "/api-categories")["list"]
    api = published(client, categories=[made["name"]])
    counted = next(c for c in admin.ok("GET", "/api-categories")["list"] if c["id"] == made["id"])
    assert counted["numberOfAPIs"] == 1 and counted["description"] == "Houses\nand more"
    assert publisher.ok("GET", f"/apis/{api['id']}")["categories"] == anyone.ok("GET", f"/apis/{api['id']}")["categories"] == [made["name"]]
    path = f"/api-categories/{made['id']}"
    assert admin.put(path, json={"name": made["name"] + "x"}).status_code == admin.delete(path).status_code == 409
    assert admin.ok("PUT", path, json={"name": made["name"], "description": "new"})["description"] == "new"
    publisher.ok("PUT", f"/apis/{api['id']}", json={"categories": []})
    renamed = admin.ok("PUT", path, json={"name": made["name"] + "x"})
    assert (renamed["name"], renamed["description"]) == (made["name"] + "x", "")
    admin.ok("DELETE", path, status=200)
    assert admin.put(path, json={"name": "x"}).status_code == admin.delete(path).status_code == 404


def test_categories_are_refused(admin, publisher):
    made, other = category(admin), category(admin)
    assert admin.post("/api-categories", json={"name": made["name"].upper()}).status_code == 409
    assert admin.put(f"/api-categories/{other['id']}", json={"name": made["name"].lower()}).status_code == 409
    for body in ({}, {"name": ""}, {"name": "a|b"}, {"name": " a"}, {"name": "x" * 256}, {"name": "ok", "description": "x" * 1025}):
        assert admin.post("/api-categories", json=body).status_code == 400
    api = flows.import_api(publisher, "http://127.0.0.1:9")
    r = publisher.put(f"/apis/{api['id']}", json={"categories": ["No such"]})
    assert r.status_code == 400 and "/categories/0: there is no category No such" in r.text


# -- search --------------------------------------------------------------------------------------------------------------

def test_by_category(client, admin, publisher, anyone):
    one, two = category(admin, name=flows.unique("Real Estate ")), category(admin)
    first, second = published(client, categories=[one["name"], two["name"]]), published(client, categories=[two["name"]])
    for rest in (publisher, anyone):
        assert found(rest, f'api-category:"{one["name"].upper()}"') == {first["id"]}
        assert found(rest, f"api-category:{two['name']}") == {first["id"], second["id"]}
        assert found(rest, f"api-category:{two['name']} name:{second['name']}") == {second["id"]}
        assert found(rest, f"api-category:{two['name'][:-1]}") == set() and found(rest, f"api-category:{two['name'][:-1]}*") >= {first["id"], second["id"]}


def test_by_document(client, publisher, anyone):
    api, word = published(client), flows.unique("Zebra")
    path = f"/apis/{api['id']}/documents"
    texts = {"inline": {"sourceType": "MARKDOWN"}, "private": {"sourceType": "INLINE", "visibility": "PRIVATE"},
             "owner": {"sourceType": "INLINE", "visibility": "OWNER_ONLY"}}
    for kind, fields in texts.items():
        made = publisher.ok("POST", path, json={"name": kind + word, "type": "HOWTO", "summary": "sum" + kind + word, "visibility": "API_LEVEL", **fields})
        publisher.ok("POST", f"{path}/{made['documentId']}/content", files={"inlineContent": (None, f"text{kind}{word} and more")})
    wait_until(lambda: found(anyone, f"doc:textinline{word}"), 10, what="the Store searches documents")
    for part in ("", "sum", "text"):
        assert found(anyone, f"doc:{part}inline{word}".upper().replace("DOC:", "doc:")) == {api["id"]}
        assert found(anyone, f"doc:{part}private{word}") == found(anyone, f"doc:{part}owner{word}") == set(), "not all readers see it"
        assert found(publisher, f"doc:{part}inline{word}") == found(publisher, f"doc:{part}private{word}") == {api["id"]}
        assert found(publisher, f"doc:{part}owner{word}") == set()
    assert found(anyone, f"inline{word}") == set(), "plain words are not looked for in documents"
    for one in publisher.ok("GET", path)["list"]:
        publisher.ok("DELETE", f"{path}/{one['documentId']}")
    wait_until(lambda: not found(anyone, f"doc:inline{word}"), 10, what="nothing is left to find")


@pytest.mark.parametrize("query", ["doc:", "doc:a doc:b", "api-category:", "api-category:a api-category:b", "category:a"])
def test_bad_queries(publisher, anyone, query):
    for rest in (publisher, anyone):
        assert rest.get("/apis", params={"query": query}).status_code == 400
