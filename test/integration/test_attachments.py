# SPDX-License-Identifier: Apache-2.0
"""Thumbnails and documents: the Publisher writes them, the Store shows them to whoever may see them."""
import base64

import pytest

import flows
from support import wait_until

PNG = base64.b64decode("iVBORw0KGgoAAAANSUhEUgAAAAEAAAABCAYAAAAfFcSJAAAADUlEQVR42mNk+M9QDwADhgGAWjR9awAAAABJRU5ErkJggg==")
GIF = base64.b64decode("R0lGODlhAQABAIAAAAAAAP///yH5BAEAAAAALAAAAAABAAEAAAIBRAA7")
WEBP = b"RIFF\x24\0\0\0WEBPVP8L" + bytes(24)
JPEG = b"\xff\xd8\xff\xe0\0\x10JFIF\0" + bytes(150)
SVG = b'<svg xmlns="http://www.w3.org/2000/svg"><script>alert(1)</script></svg>'


@pytest.fixture(scope="module")
def client(all_in_one):
    return all_in_one[1]


@pytest.fixture(scope="module")
def publisher(client):
    return client.publisher("publisher")


@pytest.fixture(scope="module")
def api(env, client):
    return shown(client, flows.publish(client, env.backend("attachments").url))


def shown(client, api):
    wait_until(lambda: client.anonymous().get(f"/apis/{api['id']}").status_code == 200, 10, what="it is in the Store")
    return api


def put_picture(publisher, api, data, name="a.png", mime="image/png"):
    return publisher.put(f"/apis/{api['id']}/thumbnail", files={"file": (name, data, mime)})


def document(**fields):
    return {"name": flows.unique("Doc"), "type": "HOWTO", "sourceType": "INLINE", "summary": "how", "visibility": "API_LEVEL", **fields}


def added(publisher, api, **fields):
    return publisher.ok("POST", f"/apis/{api['id']}/documents", status=201, json=document(**fields))


# -- thumbnails ----------------------------------------------------------------------------------------------------------

def test_thumbnail_in_publisher_and_store(client, publisher, api):
    path, store = f"/apis/{api['id']}/thumbnail", client.anonymous()
    assert store.get(path).status_code == publisher.get(path).status_code == 404
    for data, mime in ((PNG, "image/png"), (GIF, "image/gif"), (WEBP, "image/webp"), (JPEG, "image/jpeg")):
        r = put_picture(publisher, api, data, "x.bin", "application/octet-stream")
        assert r.status_code == 200 and r.json() == {"relativePath": path, "mediaType": mime}, r.text
        for rest in (publisher, store):
            got = rest.get(path)
            assert (got.content, got.headers["Content-Type"], got.headers["ETag"]) == (data, mime, r.headers["ETag"])
            assert got.headers["X-Content-Type-Options"] == "nosniff" and "sandbox" in got.headers["Content-Security-Policy"]
            again = rest.get(path, headers={"If-None-Match": got.headers["ETag"]})
            assert again.status_code == 304 and not again.content
    assert publisher.ok("GET", f"/apis/{api['id']}")["hasThumbnail"]
    assert publisher.ok("GET", "/apis", params={"query": f"name:{api['name']}"})["list"][0]["hasThumbnail"]
    wait_until(lambda: store.ok("GET", f"/apis/{api['id']}")["hasThumbnail"], 10, what="the Store knows of it")
    assert store.ok("GET", "/apis", params={"query": api["name"]})["list"][0]["thumbnailUri"] == path


@pytest.mark.parametrize("data, status", [
    (SVG, 415), (b"", 415), (b"<html>", 415), (b"\x89PNG\r\n\x1a\n", 415), (b"GIF89a", 415), (PNG + bytes(1024 * 1024), 413), (PNG + bytes(3_000_000), 413)])
def test_what_is_no_picture_is_refused(publisher, api, data, status):
    before = publisher.get(f"/apis/{api['id']}/thumbnail").content
    r = put_picture(publisher, api, data)
    assert r.status_code == status and r.json()["description"]
    assert publisher.get(f"/apis/{api['id']}/thumbnail").content == before


def test_thumbnail_needs_a_file_and_the_right_to_edit(client, publisher, api):
    path = f"/apis/{api['id']}/thumbnail"
    assert publisher.put(path, files={"other": ("a", PNG)}).status_code == 400
    assert publisher.put(path, data=PNG, headers={"Content-Type": "image/png"}).status_code == 415
    assert put_picture(publisher, {"id": "nothing"}, PNG).status_code == 404
    creator = client.publisher("creator", "apim:api_view apim:api_create")
    assert put_picture(creator, api, PNG).json()["code"] == 900380


# -- documents -----------------------------------------------------------------------------------------------------------

def test_a_documents_life(client, publisher, api):
    made = added(publisher, api, name="Guide to all", sourceType="MARKDOWN")
    url = f"/apis/{api['id']}/documents/{made['documentId']}"
    assert made["createdBy"] == "publisher" and made["sourceType"] == "MARKDOWN" and made["fileName"] is None
    assert publisher.get(url + "/content").text == ""
    publisher.ok("POST", url + "/content", status=201, files={"inlineContent": (None, "# Größe\n\ntext")})
    store = client.anonymous()
    for rest in (publisher, store):
        got = rest.get(url + "/content")
        assert got.content.decode() == "# Größe\n\ntext" and got.headers["Content-Type"].startswith("text/markdown")
        assert "sandbox" in got.headers["Content-Security-Policy"]
        assert rest.ok("GET", url)["name"] == "Guide to all"
        assert made["documentId"] in [d["documentId"] for d in rest.ok("GET", f"/apis/{api['id']}/documents", params={"limit": 1000})["list"]]
    changed = publisher.ok("PUT", url, json=document(name="Guide to all", sourceType="MARKDOWN", summary="other", type="OTHER", otherTypeName="Notes"))
    assert changed["summary"] == "other" and changed["otherTypeName"] == "Notes" and changed["createdTime"] == made["createdTime"]
    assert publisher.get(url + "/content").text.startswith("# Gr")
    publisher.ok("PUT", url, json=document(name="Guide to all", sourceType="INLINE"))
    assert publisher.get(url + "/content").text == "", "another source has no content yet"
    publisher.ok("DELETE", url, status=200)
    assert publisher.get(url).status_code == store.get(url).status_code == store.get(url + "/content").status_code == 404


def test_a_file_comes_back_as_it_was_sent_and_is_never_shown(client, publisher, api):
    made = added(publisher, api, sourceType="FILE", type="SAMPLES")
    url = f"/apis/{api['id']}/documents/{made['documentId']}/content"
    assert client.anonymous().get(url).status_code == 404
    data = b"<script>alert(1)</script>\0\xff" + bytes(range(256)) * 4000
    out = publisher.ok("POST", url, status=201, files={"file": ("Übung 1.html", data, "text/html")})
    assert out["fileName"] == "Übung 1.html"
    got = client.anonymous().get(url)
    assert got.content == data and got.headers["Content-Type"] == "application/octet-stream"
    assert got.headers["Content-Disposition"] == "attachment; filename*=UTF-8''%C3%9Cbung%201.html"


def test_a_link_leads_away(client, publisher, api):
    made = added(publisher, api, sourceType="URL", sourceUrl="https://forum.example.org/pizza", type="PUBLIC_FORUM")
    got = client.anonymous().request("GET", f"/apis/{api['id']}/documents/{made['documentId']}/content")
    assert got.status_code == 303 and got.headers["Location"] == "https://forum.example.org/pizza"


@pytest.mark.parametrize("change, pointer", [
    ({"name": ""}, "/name"), ({"name": "x" * 61}, "/name"), ({"type": "SWAGGER_DOC"}, "/type"), ({"sourceType": "X"}, "/sourceType"),
    ({"visibility": "ALL"}, "/visibility"), ({"type": "OTHER"}, "/otherTypeName"), ({"sourceType": "URL"}, "/sourceUrl"),
    ({"sourceType": "URL", "sourceUrl": "javascript:alert(1)"}, "/sourceUrl"), ({"sourceType": "URL", "sourceUrl": "http:///x"}, "/sourceUrl"),
    ({"sourceType": "URL", "sourceUrl": "https://a/\"><script>"}, "/sourceUrl")])
def test_bad_documents(publisher, api, change, pointer):
    r = publisher.post(f"/apis/{api['id']}/documents", json=document(**change))
    assert r.status_code == 400 and pointer + ":" in r.text, r.text


def test_bad_contents(publisher, api):
    inline, file = added(publisher, api), added(publisher, api, sourceType="FILE")
    link = added(publisher, api, sourceType="URL", sourceUrl="http://a.example.org")

    def send(one, **parts):
        return publisher.post(f"/apis/{api['id']}/documents/{one['documentId']}/content", files=parts).status_code

    text, upload = (None, "x"), ("a.txt", b"x")
    assert send(inline, file=upload) == send(file, inlineContent=text) == send(link, inlineContent=text) == send(link, file=upload) == 400
    assert send(file, file=upload, inlineContent=text) == send(file, other=text) == 400
    assert send(file, file=("a/b", b"x")) == send(inline, inlineContent=(None, b"\xff")) == send(inline, inlineContent=(None, b"a\0b")) == 400
    assert send(inline, inlineContent=(None, "x" * (1024 * 1024 + 1))) == 413
    assert send(file, file=("a", bytes(11_000_000))) == 413
    assert send({"documentId": "nothing"}, file=upload) == 404


def test_names_are_taken_once(publisher, api):
    made, other = added(publisher, api), added(publisher, api)
    assert publisher.post(f"/apis/{api['id']}/documents", json=document(name=made["name"])).status_code == 409
    assert publisher.put(f"/apis/{api['id']}/documents/{other['documentId']}", json=document(name=made["name"])).status_code == 409
    validate = f"/apis/{api['id']}/documents/validate"
    assert publisher.post(validate, params={"name": made["name"]}).status_code == 200
    assert publisher.post(validate, params={"name": "free"}).status_code == 404
    assert publisher.post("/apis/nothing/documents", json=document()).status_code == 404
    assert publisher.get("/apis/nothing/documents").status_code == 404


def test_who_may_read_a_document(env, client, publisher, api):
    ids = {v: added(publisher, api, visibility=v)["documentId"] for v in ("API_LEVEL", "PRIVATE", "OWNER_ONLY")}
    anyone, someone, owner = client.anonymous(), client.store("subscriber"), client.store("publisher", "apim:subscribe")
    for rest, seen in ((anyone, {"API_LEVEL"}), (someone, {"API_LEVEL", "PRIVATE"}), (owner, set(ids)), (publisher, set(ids)),
                       (client.publisher("creator", "apim:api_view"), {"API_LEVEL", "PRIVATE"})):
        listed = [d["documentId"] for d in rest.ok("GET", f"/apis/{api['id']}/documents", params={"limit": 1000})["list"]]
        for visibility, one in ids.items():
            for more in ("", "/content"):
                assert (rest.get(f"/apis/{api['id']}/documents/{one}{more}").status_code == 200) == (visibility in seen), (visibility, more)
            assert (one in listed) == (visibility in seen)
    creator = client.publisher("creator", "apim:document_manage")
    assert creator.delete(f"/apis/{api['id']}/documents/{ids['OWNER_ONLY']}").status_code == 404
    hidden = flows.publish(client, "http://127.0.0.1:9", visibility="RESTRICTED", visibleRoles=["Internal/creator"])
    one = added(publisher, hidden)["documentId"]
    put_picture(publisher, hidden, PNG)
    for more in ("/thumbnail", "/documents", f"/documents/{one}", f"/documents/{one}/content"):
        assert anyone.get(f"/apis/{hidden['id']}{more}").status_code == someone.get(f"/apis/{hidden['id']}{more}").status_code == 404


def test_a_new_version_gets_copies_and_nothing_is_left_of_a_deleted_one(env, client, publisher):
    api = flows.import_api(publisher, "http://127.0.0.1:9")
    put_picture(publisher, api, PNG)
    made = added(publisher, api, sourceType="FILE")
    publisher.ok("POST", f"/apis/{api['id']}/documents/{made['documentId']}/content", files={"file": ("a.bin", b"\0\1")})
    copy = publisher.ok("POST", "/apis/copy-api", params={"apiId": api["id"], "newVersion": "2.0.0"})
    assert copy["hasThumbnail"] and publisher.get(f"/apis/{copy['id']}/thumbnail").content == PNG
    one = publisher.ok("GET", f"/apis/{copy['id']}/documents")["list"][0]
    assert one["name"] == made["name"] and one["documentId"] != made["documentId"]
    assert publisher.get(f"/apis/{copy['id']}/documents/{one['documentId']}/content").content == b"\0\1"
    for gone in (api, copy):
        publisher.ok("DELETE", f"/apis/{gone['id']}")
        for table in ("am_api_document", "am_api_thumbnail"):
            assert not env.db.query(f"SELECT api_id FROM {table} WHERE api_id = ?", [gone["id"]])
