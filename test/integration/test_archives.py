# SPDX-License-Identifier: Apache-2.0
"""Export and import of APIs as archives in apictl's project format, and what must not be taken from one."""
import io
import json
import struct
import zipfile

import pytest
import yaml

import flows

PNG = bytes.fromhex("89504e470d0a1a0a0000000d4948445200000001000000010806000000 1f15c4890000000d49444154789c6360000002000001e221bc330000000049454e44ae426082"
                    .replace(" ", ""))


@pytest.fixture(scope="module")
def client(all_in_one):
    return all_in_one[1]


@pytest.fixture(scope="module")
def backend(env):
    return env.backend("archives")


@pytest.fixture(scope="module")
def devops(client):
    return client.publisher("admin")


def exported(devops, api, **params):
    r = devops.get("/apis/export", params={"apiId": api["id"], **params})
    assert r.status_code == 200 and r.headers["Content-Type"] == "application/zip", r.text
    assert r.headers["Content-Disposition"].endswith(f"{api['name']}-{api['version']}.zip")
    return zipfile.ZipFile(io.BytesIO(r.content))


def packed(files, root="p/"):
    out = io.BytesIO()
    with zipfile.ZipFile(out, "w", zipfile.ZIP_DEFLATED) as z:
        for name, content in files.items():
            z.writestr(root + name if isinstance(name, str) else name, content)
    return out.getvalue()


def imported(devops, archive, status=200, **params):
    return devops.ok("POST", "/apis/import", status=status, params=params, files={"file": ("a.zip", archive, "application/zip")})


def project(name, backend, **more):
    return {"type": "api", "version": "v4.3.0", "data": {
        "name": name, "version": "1.0.0", "context": f"/{name.lower()}", "policies": ["Unlimited"], "endpointConfig": flows.endpoints(backend.url),
        "operations": [{"target": "/menu", "verb": "GET"}], **more}}


@pytest.fixture(scope="module")
def api(client, devops, backend):
    """A published API with a picture, documents and a property or two."""
    made = flows.publish(client, backend.url, tags=["food"], description="Two\nlines: yes", additionalProperties=[{"name": "team", "value": "on"}])
    path = f"/apis/{made['id']}"
    devops.ok("PUT", path + "/thumbnail", files={"file": ("a.png", PNG, "image/png")})
    for name, kind in (("Read me", "MARKDOWN"), ("Größe/Länge", "INLINE"), ("Sheet", "FILE")):
        doc = devops.ok("POST", path + "/documents", json={"name": name, "type": "HOWTO", "summary": "s", "sourceType": kind, "visibility": "API_LEVEL"})
        content = {"files": {"file": ("sheet.bin", b"\x00\x01\xff")}} if kind == "FILE" else {"data": {"inlineContent": f"# {name}"},
                                                                                         "files": {"x": ("", b"")}}
        devops.ok("POST", f"{path}/documents/{doc['documentId']}/content", **content)
    return made


def test_an_export_is_a_project_of_apictl(devops, api):
    z = exported(devops, api)
    root = f"{api['name']}-1.0.0/"
    assert all(n.startswith(root) for n in z.namelist())
    whole = yaml.safe_load(z.read(root + "api.yaml"))
    assert (whole["type"], whole["data"]["name"], whole["data"]["lifeCycleStatus"]) == ("api", api["name"], "PUBLISHED")
    assert whole["data"]["description"] == "Two\nlines: yes" and whole["data"]["additionalProperties"][0]["value"] == "on"
    assert "/menu" in yaml.safe_load(z.read(root + "Definitions/swagger.yaml"))["paths"]
    assert yaml.safe_load(z.read(root + "deployment_environments.yaml"))["data"][0]["deploymentEnvironment"] == "Default"
    assert z.read(root + "Image/icon.png") == PNG
    docs = [yaml.safe_load(z.read(n))["data"] for n in z.namelist() if n.endswith("/document.yaml")]
    assert {d["name"] for d in docs} == {"Read me", "Größe/Länge", "Sheet"}
    as_json = exported(devops, api, format="JSON", preserveStatus="false", preserveDocs="false")
    assert json.loads(as_json.read(root + "api.json"))["data"]["lifeCycleStatus"] == "CREATED"
    assert not [n for n in as_json.namelist() if "/Docs/" in n]
    by_name = devops.get("/apis/export", params={"name": api["name"], "version": "1.0.0", "providerName": "publisher"})
    assert by_name.status_code == 200
    assert devops.get("/apis/export", params={"name": api["name"], "version": "9"}).status_code == 404
    assert devops.get("/apis/export").status_code == 400
    assert exported(devops, api, revisionNumber=1) and devops.get("/apis/export", params={"apiId": api["id"], "revisionNumber": 7}).status_code == 404


def test_an_archive_makes_the_same_api_again(client, devops, api, backend):
    z = exported(devops, api)
    again = {n: z.read(n) for n in z.namelist()}
    root = f"{api['name']}-1.0.0/"
    text = again[root + "api.yaml"].decode().replace(api["name"], api["name"] + "Copy").replace(api["context"], api["context"] + "copy")
    again[root + "api.yaml"] = text.encode()
    archive = packed(again, "")
    done = imported(devops, archive)
    assert done["lifeCycleStatus"] == "PUBLISHED" and done["revision"] and done["skippedEnvironments"] == []
    copy = devops.ok("GET", f"/apis/{done['id']}")
    before = devops.ok("GET", f"/apis/{api['id']}")
    for member in set(before) - {"id", "name", "context", "createdTime", "lastUpdatedTime", "lastUpdatedTimestamp", "updatedBy"}:
        assert copy[member] == before[member], member
    assert copy["provider"] == "publisher" and copy["hasThumbnail"]
    assert devops.get(f"/apis/{done['id']}/thumbnail").content == PNG
    docs = {d["name"]: d for d in devops.ok("GET", f"/apis/{done['id']}/documents")["list"]}
    contents = {n: devops.get(f"/apis/{done['id']}/documents/{d['documentId']}/content").content for n, d in docs.items()}
    assert contents == {"Read me": b"# Read me", "Größe/Länge": "# Größe/Länge".encode(), "Sheet": b"\x00\x01\xff"}
    assert devops.ok("GET", f"/apis/{done['id']}/deployments")[0]["name"] == "Default"
    flows.deployed(client, copy)
    # The same again: refused, then a change.
    assert devops.post("/apis/import", files={"file": ("a.zip", archive)}).json()["code"] == 900250
    again[root + "api.yaml"] = text.replace("Two\\nlines: yes", "changed").encode()
    changed = imported(devops, packed(again, ""), overwrite="true", preserveProvider="false")
    assert changed["id"] == done["id"] and changed["revision"] != done["revision"]
    assert devops.ok("GET", f"/apis/{done['id']}")["description"] == "changed"
    assert len(devops.ok("GET", f"/apis/{done['id']}/documents")["list"]) == 3
    for _ in range(3):
        imported(devops, packed(again, ""), overwrite="true")
    assert devops.post("/apis/import", params={"overwrite": "true"}, files={"file": ("a.zip", packed(again, ""))}).json()["code"] == 900351
    assert imported(devops, packed(again, ""), overwrite="true", rotateRevision="true")["revision"]


def test_a_project_written_by_hand(client, devops, backend):
    """api.yaml alone; a definition alone says the operations; environments that are not here; steps of the life cycle."""
    name = flows.unique("ByHand")
    done = imported(devops, packed({"api.yaml": yaml.safe_dump(project(name, backend, apiKeyHeader="", lifeCycleStatus="DEPRECATED"))}, ""))
    assert done["lifeCycleStatus"] == "DEPRECATED"
    assert devops.ok("GET", f"/apis/{done['id']}")["provider"] == "admin"
    name = flows.unique("ByHand")
    doc = flows.definition(name, paths={"/a": {"get": {"responses": {"200": {"description": "x"}}}}, "/b": {"get": {"responses": {}}}})
    body = project(name, backend, operations=[{"target": "/a", "verb": "GET", "authType": "None"}, {"target": "/gone", "verb": "GET"}], provider="nobody")
    files = {"api.json": json.dumps(body), "Definitions/swagger.json": json.dumps(doc), "deployment_environments.yaml": yaml.safe_dump(
        {"type": "deployment_environments", "data": [{"deploymentEnvironment": "Mars"}]})}
    assert "nobody" in imported(devops, packed(files), status=400)["description"]
    done = imported(devops, packed(files), preserveProvider="false")
    assert done["skippedEnvironments"] == ["Mars"] and done["revision"] is None and done["lifeCycleStatus"] == "CREATED"
    operations = {o["target"]: o["authType"] for o in devops.ok("GET", f"/apis/{done['id']}")["operations"]}
    assert operations == {"/a": "None", "/b": "Application & Application User"}


def test_secrets_do_not_leave(client, devops, backend):
    security = {"production": {"enabled": True, "type": "BASIC", "username": "u", "password": "pass-word-1"}}
    made = flows.import_api(devops, backend.url, endpointConfig={**flows.endpoints(backend.url), "endpoint_security": security})
    z = exported(devops, made)
    assert not any(b"pass-word-1" in z.read(n) for n in z.namelist())
    files = {n: z.read(n) for n in z.namelist()}
    assert imported(devops, packed(files, ""), overwrite="true")["id"] == made["id"]


GOOD = {"type": "api", "data": {}}


def zip_with_link():
    out = io.BytesIO()
    with zipfile.ZipFile(out, "w") as z:
        info = zipfile.ZipInfo("p/api.yaml")
        info.create_system, info.external_attr = 3, 0o120777 << 16
        z.writestr(info, "/etc/passwd")
    return out.getvalue()


def zip_that_lies():
    """The header says 5 bytes; there are 100 MB."""
    data = bytearray(packed({"api.yaml": b"x" * 100_000_000}))
    at = data.rfind(b"PK\x01\x02")
    data[at + 24:at + 28] = struct.pack("<I", 5)
    return bytes(data)


def twice():
    out = io.BytesIO()
    with pytest.warns(UserWarning), zipfile.ZipFile(out, "w") as z:
        z.writestr("p/api.yaml", "a: 1")
        z.writestr("p/api.yaml", "a: 2")
    return out.getvalue()


@pytest.mark.databases("sqlite")
@pytest.mark.parametrize("archive,status", [
    (lambda: b"PK\x03\x04 nonsense", 400), (lambda: b"\x00" * 100, 400), (lambda: packed({}), 400), (lambda: packed({"x.yaml": "a"}), 400),
    (lambda: packed({"../api.yaml": "a"}), 400), (lambda: packed({"/api.yaml": "a"}, ""), 400), (lambda: packed({"a\\..\\api.yaml": "a"}), 400),
    (lambda: packed({"api.yaml": "a", "Docs/../../x": "a"}), 400), (zip_with_link, 400), (twice, 400),
    (lambda: packed({"api.yaml": b"\x00" * 70_000_000}), 413), (zip_that_lies, 400), (lambda: packed({f"f{i}": "" for i in range(2001)}), 413),
    (lambda: packed({"api.yaml": "type: [x"}), 400), (lambda: packed({"api.yaml": "type: document\ndata: {}"}), 400),
    (lambda: packed({"api.yaml": "type: api"}), 400), (lambda: packed({"api.yaml": "type: api\ndata: [1]"}), 400),
    (lambda: packed({"api.yaml": "type: api\ndata: {name: x}"}), 400), (lambda: packed({"api.yaml": "a: &a [1]\nb: *b"}), 400)])
def test_archives_that_are_refused(devops, archive, status):
    r = devops.post("/apis/import", files={"file": ("a.zip", archive(), "application/zip")})
    assert r.status_code == status, r.text


@pytest.mark.databases("sqlite")
def test_parts_of_an_archive_that_are_refused(devops, backend):
    def refused(**files):
        files = {"api.yaml": yaml.safe_dump(project(flows.unique("Bad"), backend)), **files}
        return imported(devops, packed(files), status=400)["description"]
    assert "PNG" in refused(**{"Image/icon.svg": "<svg/>"})
    assert "UTF-8" in refused(**{"Docs/a/document.yaml": yaml.safe_dump({"type": "document", "data": {
        "name": "a", "type": "HOWTO", "sourceType": "INLINE"}}), "Docs/a/text": b"\xff"})
    assert refused(**{"Docs/a/document.yaml": "type: document\ndata: {name: a}"})
    assert refused(**{"Definitions/swagger.yaml": "openapi: 9"})
    assert devops.post("/apis/import", files={"other": ("a", b"x")}).status_code == 400
    assert devops.post("/apis/import", data=b"x").status_code == 415
