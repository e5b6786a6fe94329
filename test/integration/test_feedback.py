# SPDX-License-Identifier: Apache-2.0
"""Ratings and comments: written in the Store and the Publisher, seen in both."""
import pytest

import flows
from database import USERS
from support import wait_until

PUBLISHER_COMMENTS = "apim:api_view apim:comment_view apim:comment_write"


@pytest.fixture(scope="module")
def client(all_in_one):
    return all_in_one[1]


@pytest.fixture(scope="module")
def store(client):
    return client.store("subscriber")


@pytest.fixture(scope="module")
def other(client):
    return client.store("subscriber2")


@pytest.fixture
def api(client):
    api = flows.publish(client, "http://127.0.0.1:9")
    wait_until(lambda: client.anonymous().get(f"/apis/{api['id']}").status_code == 200, 10, what="it is in the Store")
    return api


def say(rest, api, text, **params):
    return rest.ok("POST", f"/apis/{api['id']}/comments", status=201, json={"content": text}, params=params)


# -- ratings -------------------------------------------------------------------------------------------------------------

def test_ratings_and_their_average(client, store, other, api):
    own, anyone = f"/apis/{api['id']}/user-rating", client.anonymous()
    assert store.ok("GET", own)["rating"] == 0 and anyone.ok("GET", f"/apis/{api['id']}")["avgRating"] == "0.0"
    assert store.ok("PUT", own, json={"rating": 2})["rating"] == 2
    made = store.ok("PUT", own, json={"rating": 4})
    assert made == store.ok("GET", own) and made["ratedBy"] == "subscriber"
    other.ok("PUT", own, json={"rating": 5})
    client.store("admin").ok("PUT", own, json={"rating": 4})
    listed = store.ok("GET", f"/apis/{api['id']}/ratings", params={"limit": 2})
    assert (listed["avgRating"], listed["userRating"], listed["count"], listed["pagination"]["total"]) == ("4.3", 4, 2, 3)
    assert anyone.ok("GET", f"/apis/{api['id']}/ratings")["userRating"] == 0
    assert anyone.ok("GET", f"/apis/{api['id']}")["avgRating"] == "4.3"
    for params in ({}, {"sortBy": "createdTime"}, {"sortBy": "rating"}):
        assert anyone.ok("GET", "/apis", params={"query": f"name:{api['name']}", **params})["list"][0]["avgRating"] == "4.3"
    assert client.publisher("publisher").ok("GET", f"/apis/{api['id']}/ratings")["avgRating"] == "4.3"
    store.ok("DELETE", own, status=200)
    assert store.ok("GET", f"/apis/{api['id']}/ratings")["avgRating"] == "4.5"


def test_the_best_rated_first(client, store):
    prefix, stars = flows.unique("Rated"), {}
    for n in (3, 5, 0, 4):
        made = flows.publish(client, "http://127.0.0.1:9", name=f"{prefix}x{n}")
        wait_until(lambda m=made: store.get(f"/apis/{m['id']}").status_code == 200, 10, what="it is in the Store")
        if n:
            store.ok("PUT", f"/apis/{made['id']}/user-rating", json={"rating": n})
        stars[made["id"]] = n
    found = store.ok("GET", "/apis", params={"query": f"name:{prefix}x*", "sortBy": "rating"})["list"]
    assert [stars[a["id"]] for a in found] == [5, 4, 3, 0]


@pytest.mark.parametrize("rating", [0, 6, -1, 4.5, "4", None, True, 2 ** 63])
def test_bad_ratings(store, api, rating):
    r = store.put(f"/apis/{api['id']}/user-rating", json={"rating": rating})
    assert r.status_code == 400 and r.json()["code"], r.text


# -- comments ------------------------------------------------------------------------------------------------------------

def test_threads(client, store, other, api):
    path, publisher = f"/apis/{api['id']}/comments", client.publisher("creator", PUBLISHER_COMMENTS)
    first, second = say(store, api, "How do I\norder? Ünï"), say(other, api, "Nice")
    answers = [say(publisher, api, f"Like this {n}", replyTo=first["id"]) for n in range(4)]
    assert (first["entryPoint"], answers[0]["entryPoint"], first["category"]) == ("DEVPORTAL", "PUBLISHER", "general")
    assert answers[0]["parentCommentId"] == first["id"] and first["parentCommentId"] is None and first["createdBy"] == "subscriber"
    for rest in (client.anonymous(), publisher):
        listed = rest.ok("GET", path, params={"replyLimit": 2, "replyOffset": 1})
        assert [c["id"] for c in listed["list"]] == [second["id"], first["id"]] and listed["pagination"]["total"] == 2
        replies = listed["list"][1]["replies"]
        assert [c["content"] for c in replies["list"]] == ["Like this 1", "Like this 2"]
        assert (replies["count"], replies["pagination"]["total"]) == (2, 4) and listed["list"][0]["replies"]["list"] == []
        assert [c["id"] for c in rest.ok("GET", path, params={"limit": 1, "offset": 1})["list"]] == [first["id"]]
        one = rest.ok("GET", f"{path}/{first['id']}")
        assert one["content"] == "How do I\norder? Ünï" and one["replies"]["count"] == 4
        page = rest.ok("GET", f"{path}/{first['id']}/replies", params={"limit": 3, "offset": 1})
        assert page["count"] == 3 and page["pagination"]["total"] == 4
    assert store.post(path, json={"content": "x"}, params={"replyTo": answers[0]["id"]}).status_code == 400
    assert store.post(path, json={"content": "x"}, params={"replyTo": "nothing"}).status_code == 404


def test_everybody_changes_his_own(client, store, other, api):
    made = say(store, api, "Good")
    path = f"/apis/{api['id']}/comments/{made['id']}"
    changed = store.ok("PATCH", path, json={"content": "Better", "category": "praise"})
    assert (changed["content"], changed["category"], changed["createdTime"]) == ("Better", "praise", made["createdTime"]) and changed["updatedTime"]
    assert store.ok("PATCH", path, json={"category": "other"})["content"] == "Better"
    writer = client.publisher("creator", PUBLISHER_COMMENTS)
    for rest in (other, writer, client.publisher("admin", "apim:admin")):
        assert rest.request("PATCH", path, json={"content": "Worse"}).status_code == 403
    assert other.delete(path).status_code == writer.delete(path).status_code == 403
    assert store.ok("GET", path)["content"] == "Better"
    say(other, api, "So it is", replyTo=made["id"])
    store.ok("DELETE", path, status=200)
    assert store.get(path).status_code == 404 and store.ok("GET", f"/apis/{api['id']}/comments")["list"] == []


def test_moderation(env, client, store, api):
    for moderator in (client.publisher("creator", "apim:comment_manage"), client.publisher("admin", "apim:admin"),
                      client.store("admin", "apim:admin")):
        made = say(store, api, "Buy my watches")
        moderator.ok("DELETE", f"/apis/{api['id']}/comments/{made['id']}", status=200)
    assert store.ok("GET", f"/apis/{api['id']}/comments")["list"] == []


@pytest.mark.parametrize("body", [{}, {"content": ""}, {"content": "x" * 513}, {"content": "a\u0007"}, {"content": 1}, {"content": "x", "category": ""}])
def test_bad_comments(store, api, body):
    assert store.post(f"/apis/{api['id']}/comments", json=body).status_code == 400


@pytest.mark.parametrize("params", [{"replyLimit": "0"}, {"replyLimit": "x"}, {"replyOffset": "-1"}, {"replyLimit": "1001"}])
def test_bad_pages_of_answers(store, api, params):
    assert store.get(f"/apis/{api['id']}/comments", params=params).status_code == 400


def test_a_comment_belongs_to_its_api(client, store, api):
    made = say(store, api, "Here")
    elsewhere = flows.publish(client, "http://127.0.0.1:9")
    wait_until(lambda: store.get(f"/apis/{elsewhere['id']}").status_code == 200, 10, what="it is in the Store")
    path = f"/apis/{elsewhere['id']}/comments/{made['id']}"
    assert store.get(path).status_code == store.get(path + "/replies").status_code == 404
    assert store.request("PATCH", path, json={"content": "x"}).status_code == store.delete(path).status_code == 404
    assert client.publisher("admin", "apim:admin").delete(path).status_code == 404


def test_on_hidden_apis_nobody_else_has_a_say(client, store):
    hidden = flows.publish(client, "http://127.0.0.1:9", visibility="RESTRICTED", visibleRoles=["Internal/creator"])
    made = say(client.publisher("creator", PUBLISHER_COMMENTS), hidden, "Secret")
    base = f"/apis/{hidden['id']}"
    for rest in (store, client.anonymous()):
        for more in ("/comments", f"/comments/{made['id']}", f"/comments/{made['id']}/replies", "/ratings"):
            assert rest.get(base + more).status_code == 404
    assert store.post(base + "/comments", json={"content": "x"}).status_code == 404
    assert store.put(base + "/user-rating", json={"rating": 1}).status_code == store.get(base + "/user-rating").status_code == 404
    assert store.delete(base + "/user-rating").status_code == store.delete(f"{base}/comments/{made['id']}").status_code == 404


def test_what_was_said_goes_with_the_api_and_stays_with_its_author(env, client):
    api = flows.publish(client, "http://127.0.0.1:9")
    name = flows.unique("talker")
    USERS[name] = ("correct horse", "Internal/subscriber")
    admin = client.admin()
    admin.ok("POST", "/users", json={"username": name, "password": "correct horse", "roles": ["Internal/subscriber"]})
    talker = client.store(name)
    wait_until(lambda: talker.get(f"/apis/{api['id']}").status_code == 200, 10, what="it is in the Store")
    say(talker, api, "Hello")
    talker.ok("PUT", f"/apis/{api['id']}/user-rating", json={"rating": 3})
    flows.change(client.publisher(), api, "Demote to Created")
    flows.change(client.publisher(), api, "Publish")
    wait_until(lambda: talker.get(f"/apis/{api['id']}").status_code == 200, 10, what="it is in the Store again")
    assert talker.ok("GET", f"/apis/{api['id']}/comments")["count"] == talker.ok("GET", f"/apis/{api['id']}/ratings")["count"] == 1
    admin.ok("DELETE", f"/users/{name}")
    taken = {"user": {"username": name, "password": "correct horse", "claims": []}}
    assert client.anonymous("/api/identity/user/v1.0").post("/me", json=taken).status_code == 409, "nobody else gets to be its author"
    client.publisher().ok("DELETE", f"/apis/{api['id']}")
    for table in ("reg_comment", "reg_rating"):
        wait_until(lambda t=table: not env.db.query(f"SELECT id FROM {t} WHERE api_id = ?", [api["id"]], name="registry"), 10, what=f"{table} is empty")
    client.forget(name)
    del USERS[name]
