# SPDX-License-Identifier: Apache-2.0
"""Publisher v4: definitions are imported, validated, read and replaced."""
import http.server
import json
import threading
import time
import uuid

import pytest

from client import Client
from support import PATIENCE

OK = {"responses": {"200": {"description": "OK"}}}
DOC3 = {"openapi": "3.0.3", "info": {"title": "Pet: Store!", "version": "1.2.3", "description": "Pets\nand more"},
        "servers": [{"url": "https://backend.example.org/v1"}], "x-team": {"kept": [1, 2, None]},
        "paths": {"/pets": {"get": {**OK, "operationId": "list"}, "post": {**OK, "x-throttling-tier": "Unlimited"}},
                  "/pets/{id}": {"delete": {**OK, "parameters": [
                      {"name": "id", "in": "path", "required": True, "schema": {"type": "string"}}]}}}}
YAML3 = """openapi: 3.0.0
info: {title: Yaml, version: "1"}
paths:
  /a:
    get:
      responses:
        200: {description: OK}
"""


@pytest.fixture(scope="module")
def publisher(all_in_one):
    return all_in_one[1].publisher("publisher")


def unique(prefix="Api"):
    return prefix + uuid.uuid4().hex[:10]


def properties(name=None, **more):
    name = name or unique()
    return {"name": name, "context": "/" + name.lower(), "version": "1.0.0", **more}


def send(publisher, path, data=None, file=None, method="POST", **form):
    """A multipart form: fields as text, file as a part with a file name."""
    parts = {k: (None, v if isinstance(v, (bytes, str)) else json.dumps(v)) for k, v in form.items()}
    if file is not None:
        parts["file"] = ("definition.json", file if isinstance(file, (bytes, str)) else json.dumps(file))
    return publisher.request(method, path, files=parts)


def imported(publisher, file=None, **form):
    form.setdefault("additionalProperties", properties())
    r = send(publisher, "/apis/import-openapi", file=file, **form)
    assert r.status_code == 201, r.text
    return r.json()


def said(r, status=400):
    assert r.status_code == status, r.text
    out = r.json()
    return " ".join([out["description"]] + [e["message"] for e in out["error"]])


# -- import ------------------------------------------------------------------------------------------------------------

def test_import_keeps_the_definition_whole(env, publisher):
    made = imported(publisher, DOC3)
    assert [(o["target"], o["verb"]) for o in made["operations"]] == [("/pets", "GET"), ("/pets", "POST"), ("/pets/{id}", "DELETE")]
    assert made["endpointConfig"]["production_endpoints"]["url"] == "https://backend.example.org/v1"
    assert made["description"] == "Pets\nand more"
    assert publisher.ok("GET", f"/apis/{made['id']}/swagger") == DOC3


def test_import_without_properties_takes_them_from_the_document(env, publisher):
    title = unique("Title")
    made = imported(publisher, {**DOC3, "info": {"title": title + ": Store!", "version": "v 1/2"}}, additionalProperties="")
    assert made["name"] == title + " Store" and made["version"] == "v12" and made["context"] == "/" + title.lower() + "store"


def test_import_yaml_and_inline(env, publisher):
    assert imported(publisher, YAML3)["operations"][0]["target"] == "/a"
    assert imported(publisher, inlineAPIDefinition=YAML3)["operations"][0]["verb"] == "GET"
    assert imported(publisher, inlineAPIDefinition=DOC3)["operations"][1]["verb"] == "POST"


def test_import_swagger_2_and_3_1(env, publisher):
    two = {"swagger": "2.0", "info": {"title": "t", "version": "1"}, "host": "old.example.org", "basePath": "/api",
           "schemes": ["https"], "paths": {"/a": {"get": OK}}}
    made = imported(publisher, two)
    assert made["endpointConfig"]["production_endpoints"]["url"] == "https://old.example.org/api"
    assert publisher.ok("GET", f"/apis/{made['id']}/swagger") == two
    three = {"openapi": "3.1.0", "info": {"title": "t", "version": "1"}, "paths": {"/a": {"get": {}}},
             "components": {"schemas": {"n": {"type": ["string", "null"]}}}}
    assert publisher.ok("GET", f"/apis/{imported(publisher, three)['id']}/swagger") == three


def test_import_takes_scopes_and_extensions(env, publisher):
    read, write = unique("read:"), unique("write:")
    doc = {**DOC3, "components": {"securitySchemes": {"default": {"type": "oauth2", "flows": {"implicit": {
        "authorizationUrl": "https://x.example.org", "scopes": {read: "may read", write: "may write"},
        "x-scopes-bindings": {write: "admin,Internal/creator"}}}}}},
        "paths": {"/a": {"get": {**OK, "security": [{"default": [read]}], "x-auth-type": "Application User"},
                         "put": {**OK, "security": [{"default": [write]}]}, "post": {**OK, "x-auth-type": "None"}}}}
    made = imported(publisher, doc)
    scopes = {s["scope"]["name"]: s["scope"]["bindings"] for s in made["scopes"]}
    assert scopes == {read: [], write: ["admin", "Internal/creator"]}
    operations = {o["verb"]: o for o in made["operations"]}
    assert operations["GET"]["scopes"] == [read] and operations["GET"]["authType"] == "Application User"
    assert operations["POST"]["authType"] == "None"
    other = send(publisher, "/apis/import-openapi", file=doc, additionalProperties=properties())
    assert "belongs to the API" in said(other)


@pytest.mark.parametrize("form, words", [
    ({}, "send one of file, url and inlineAPIDefinition"),
    ({"file": "{", "additionalProperties": "{}"}, "line"),
    ({"file": "just text"}, ""),
    ({"file": b"\xff\xfe\x00"}, ""),
    ({"file": {"openapi": "4.0.0", "info": {"title": "t", "version": "1"}, "paths": {}}}, "version"),
    ({"file": {"openapi": "3.0.0", "info": {"title": "t", "version": "1"}, "paths": {"a": {"get": {}}}}}, "/paths/a"),
    ({"file": DOC3, "url": "https://example.org/a.json"}, "not several"),
    ({"file": DOC3, "additionalProperties": "[1]"}, "additionalProperties"),
    ({"file": DOC3, "additionalProperties": "{"}, "additionalProperties"),
    ({"file": DOC3, "additionalProperties": {"name": "a/b"}}, "/name"),
    ({"file": "a: &a [*a]"}, ""),
    ({"file": "openapi: 3.0.0\nopenapi: 3.0.1\n"}, "openapi"),
])
def test_import_refuses_with_the_place(env, publisher, form, words):
    assert words in said(send(publisher, "/apis/import-openapi", **form) if form else
                         publisher.post("/apis/import-openapi", files={"x": (None, "y")}))


def test_import_bounds(env, publisher):
    assert "nested" in said(send(publisher, "/apis/import-openapi", file="[" * 100000))
    bomb = "a0: &a0 [1,2,3,4,5,6,7,8,9]\n" + "".join(f"a{i}: &a{i} [{','.join(['*a%d' % (i - 1)] * 9)}]\n" for i in range(1, 9))
    said(send(publisher, "/apis/import-openapi", file=bomb))
    r = send(publisher, "/apis/import-openapi", file=b" " * (21 * 1024 * 1024))
    assert r.status_code == 413
    assert publisher.post("/apis/import-openapi", json={}).status_code == 415
    assert publisher.post("/apis/import-openapi", data=b"x", headers={"Content-Type": "multipart/form-data"}).status_code == 400


def test_a_large_definition(env, publisher):
    big = {**DOC3, "paths": {f"/r{i}/{{id}}": {"get": {**OK, "description": "x" * 2000, "parameters": [
        {"name": "id", "in": "path", "required": True, "schema": {"type": "string"}}]}} for i in range(4000)}}
    start = time.monotonic()
    made = imported(publisher, big)
    took = time.monotonic() - start
    print(f"import of {len(json.dumps(big)) / 1e6:.1f} MB, 4,000 operations: {took:.2f} s")
    assert len(made["operations"]) == 4000
    assert took < 10 * PATIENCE
    start = time.monotonic()
    publisher.ok("POST", "/apis/change-lifecycle", params={"apiId": made["id"], "action": "Publish"})
    print(f"publication of it: {time.monotonic() - start:.2f} s")
    assert env.db.query("SELECT status FROM reg_api WHERE id = ?", [made["id"]], name="registry") == [("PUBLISHED",)]


# -- by URL ------------------------------------------------------------------------------------------------------------

class Documents(http.server.BaseHTTPRequestHandler):
    hits = []

    def do_GET(self):
        Documents.hits.append(self.path)
        if self.path == "/redirect":
            self.send_response(302)
            self.send_header("Location", "/doc.json")
            self.end_headers()
            return
        text = json.dumps(DOC3).encode()
        self.send_response(200 if self.path == "/doc.json" else 404)
        self.send_header("Content-Length", str(len(text)))
        self.end_headers()
        self.wfile.write(text)

    def log_message(self, *args):
        pass

    do_HEAD = do_GET


@pytest.fixture(scope="module")
def documents():
    server = http.server.ThreadingHTTPServer(("127.0.0.1", 0), Documents)
    threading.Thread(target=server.serve_forever, daemon=True).start()
    yield f"http://127.0.0.1:{server.server_address[1]}"
    server.shutdown()
    server.server_close()


def test_import_by_url_cannot_reach_inside(env, publisher, documents):
    port = documents.rsplit(":", 1)[1]
    for url in (documents + "/doc.json", f"http://localhost:{port}/doc.json", f"http://[::ffff:127.0.0.1]:{port}/doc.json",
                f"http://2130706433:{port}/doc.json", "http://169.254.169.254/latest/meta-data/", "file:///etc/passwd",
                "gopher://127.0.0.1/", "http://", "nonsense", "http://10.0.0.1/x"):
        for path in ("/apis/import-openapi", "/apis/validate-openapi"):
            before = len(Documents.hits)
            r = send(publisher, path, url=url, additionalProperties=properties())
            assert len(Documents.hits) == before, url
            if path.endswith("import-openapi"):
                said(r)
            else:
                assert r.status_code == 400 or r.json()["isValid"] is False, (url, r.text)


def test_endpoints_that_are_not_asked(publisher, documents):
    """The test of an endpoint does not reach what only this machine can reach."""
    before = len(Documents.hits)
    for url in (documents + "/doc.json", "http://localhost:1/", "file:///etc/passwd", "http://[::1]/", "http://u:p@example.org/", "nonsense"):
        answer = publisher.ok("POST", "/apis/validate-endpoint", params={"endpointUrl": url})
        assert answer["statusCode"] is None and answer["error"], url
    assert len(Documents.hits) == before
    assert publisher.post("/apis/validate-endpoint").status_code == 400


def test_import_by_url_where_it_is_allowed(env, all_in_one, documents):
    node = env.node(name="open", extra="ApimImportAllow 127.0.0.0/8 ::1")
    publisher = Client(node.url, node.url).publisher("publisher")
    made = imported(publisher, url=documents + "/doc.json")
    assert publisher.ok("GET", f"/apis/{made['id']}/swagger") == DOC3
    imported(publisher, url=documents + "/redirect")
    assert "404" in said(send(publisher, "/apis/import-openapi", url=documents + "/none", additionalProperties=properties()))
    out = send(publisher, "/apis/validate-openapi", url=documents + "/doc.json").json()
    assert out["isValid"] is True
    changed = send(publisher, f"/apis/{made['id']}/swagger", method="PUT", url=documents + "/doc.json")
    assert changed.status_code == 200
    for url, status in ((documents + "/doc.json", 200), (documents + "/none", 404)):
        said_of = publisher.ok("POST", "/apis/validate-endpoint", params={"endpointUrl": url})
        assert (said_of["statusCode"], said_of["error"]) == (status, "") and said_of["statusMessage"], said_of
    gone = publisher.ok("POST", "/apis/validate-endpoint", params={"endpointUrl": "http://127.0.0.1:9/"})
    assert gone["statusCode"] is None and gone["error"]
    node.stop()


# -- validate ----------------------------------------------------------------------------------------------------------

def test_validate(env, publisher):
    out = send(publisher, "/apis/validate-openapi", file=DOC3).json()
    assert out["isValid"] is True and out["errors"] == [] and out["content"] is None
    assert out["info"]["name"] == "Pet: Store!" and out["info"]["openAPIVersion"] == "3.0.3"
    assert out["info"]["endpoints"] == ["https://backend.example.org/v1"]
    out = send(publisher, "/apis/validate-openapi?returnContent=true", inlineAPIDefinition=YAML3).json()
    assert json.loads(out["content"])["paths"]["/a"]["get"]["responses"]["200"]["description"] == "OK"
    out = send(publisher, "/apis/validate-openapi", file='{"openapi": "3.0.0", "paths": {"x": 1}}').json()
    assert out["isValid"] is False and len(out["errors"]) >= 2
    assert any("info" in e["message"] for e in out["errors"]), out
    assert send(publisher, "/apis/validate-openapi", file="{").json()["isValid"] is False
    assert publisher.post("/apis/validate-openapi", json={}).status_code == 415


# -- GET, PUT /apis/{id}/swagger ---------------------------------------------------------------------------------------

def test_put_swagger_replaces_operations(env, publisher):
    made = imported(publisher, DOC3)
    before = publisher.get("/apis/" + made["id"]).headers["ETag"]
    scope = unique("s")
    new = {"openapi": "3.0.0", "info": {"title": "n", "version": "9"}, "paths": {"/new": {"patch": {
        **OK, "security": [{"default": [scope]}]}}}, "components": {"securitySchemes": {"default": {
            "type": "oauth2", "flows": {"clientCredentials": {"tokenUrl": "https://x.example.org", "scopes": {scope: "d"}}}}}}}
    r = send(publisher, f"/apis/{made['id']}/swagger", method="PUT", apiDefinition=new)
    assert r.status_code == 200 and r.json() == new and r.headers["ETag"] != before
    after = publisher.ok("GET", "/apis/" + made["id"])
    assert [(o["target"], o["verb"], o["scopes"]) for o in after["operations"]] == [("/new", "PATCH", [scope])]
    assert after["name"] == made["name"] and after["version"] == made["version"]
    publisher.ok("PUT", "/apis/" + made["id"], json={
        "scopes": [{"scope": {"name": scope, "bindings": ["admin"]}, "shared": False}]})
    r = send(publisher, f"/apis/{made['id']}/swagger", method="PUT", apiDefinition=new)  # roles that were given stay
    assert publisher.ok("GET", "/apis/" + made["id"])["scopes"][0]["scope"]["bindings"] == ["admin"]
    stale = publisher.put(f"/apis/{made['id']}/swagger", files={"apiDefinition": (None, json.dumps(new))},
                          headers={"If-Match": before})
    assert stale.status_code == 412
    assert send(publisher, f"/apis/{made['id']}/swagger", method="PUT", apiDefinition="{").status_code == 400
    assert send(publisher, "/apis/none/swagger", method="PUT", apiDefinition=new).status_code == 404
    assert publisher.get("/apis/none/swagger").status_code == 404


def test_put_of_unchanged_operations_leaves_the_definition_alone(env, publisher):
    made = imported(publisher, DOC3)
    publisher.ok("PUT", "/apis/" + made["id"], json={**made, "description": "other"})
    assert publisher.ok("GET", f"/apis/{made['id']}/swagger") == DOC3
    operations = made["operations"]
    operations[0]["authType"] = "None"
    publisher.ok("PUT", "/apis/" + made["id"], json={"operations": operations})
    changed = publisher.ok("GET", f"/apis/{made['id']}/swagger")
    assert changed["paths"]["/pets"]["get"]["x-auth-type"] == "None"
    assert changed["x-team"] == DOC3["x-team"] and changed["paths"]["/pets"]["get"]["operationId"] == "list"


def test_subscribers_do_not_see_the_back_end(env, publisher):
    made = imported(publisher, {**DOC3, "x-wso2-production-endpoints": {"urls": ["https://secret.example.org"], "type": "http"}})
    publisher.ok("POST", "/apis/change-lifecycle", params={"apiId": made["id"], "action": "Publish"})
    document, definition = env.db.query("SELECT document, definition FROM reg_api WHERE id = ?", [made["id"]], name="registry")[0]
    for text in (document, definition):
        assert "secret.example.org" not in text and "backend.example.org" not in text
