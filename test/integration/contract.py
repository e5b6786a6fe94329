# SPDX-License-Identifier: Apache-2.0
"""Holds what the portal's REST APIs answer against the OpenAPI documents that it serves: status, content type and body, and the
bodies of requests that succeeded. client.Rest asks check() about every response of every test."""
import functools
import json
import re
import urllib.parse

import jsonschema
import yaml

from support import SOURCE

FOLDER = SOURCE / "modules" / "mod_apim_portal" / "openapi"
PARTS = {"/api/am/publisher/v4": ("publisher", "catalogue", "common"), "/api/am/devportal/v3": ("store", "catalogue", "common"),
         "/api/am/admin/v4": ("admin", "common")}
MOST_ITEMS = 20  # of a long list: the rest looks alike


@functools.lru_cache(None)
def document(base):
    """The document of an API, as the build puts it together."""
    return yaml.safe_load("".join((FOLDER / f"{part}.yaml").read_text(encoding="utf-8") for part in PARTS[base]))


def routes(base):
    """{(method, path): operation}"""
    return {(method.upper(), path): operation for path, item in document(base)["paths"].items() if "servers" not in item
            for method, operation in item.items()}


@functools.lru_cache(None)
def _patterns(base):
    """(number of variables, regular expression, path), those without variables first."""
    paths = {path for _, path in routes(base)}
    return sorted(((p.count("{"), re.compile(re.sub(r"\{\w+\}", "[^/]+", p) + "/?"), p) for p in paths), key=lambda one: one[0])


def resolved(base, node):
    """The object that a local reference leads to, or the object itself."""
    while "$ref" in node:
        target = document(base)
        for step in node["$ref"].removeprefix("#/").split("/"):
            target = target[step]
        node = target
    return node


def _prepared(node, closed):
    """A copy of a schema for jsonschema; closed: objects with properties have no others, as an answer must not have more than is
    documented (of a request, what is not known is ignored)."""
    if isinstance(node, list):
        return [_prepared(item, closed) for item in node]
    if not isinstance(node, dict):
        return node
    if "$ref" in node:
        return {"$ref": node["$ref"].replace("#/components/schemas/", "#/$defs/")}
    out = {key: _prepared(value, closed) for key, value in node.items()}
    if closed and isinstance(node.get("properties"), dict) and node.get("type") == "object":
        out.setdefault("additionalProperties", False)
    return out


@functools.lru_cache(None)
def _definitions(base, closed):
    return {name: _prepared(schema, closed) for name, schema in document(base)["components"]["schemas"].items()}


@functools.lru_cache(None)
def _validator(base, text, closed):
    schema = {**_prepared(json.loads(text), closed), "$defs": _definitions(base, closed)}
    jsonschema.Draft202012Validator.check_schema(schema)
    return jsonschema.Draft202012Validator(schema)


def _shortened(value):
    if isinstance(value, dict) and isinstance(value.get("list"), list) and len(value["list"]) > MOST_ITEMS:
        return {**value, "list": value["list"][:MOST_ITEMS]}
    return value


def problems(base, schema, value, closed=True):
    """What of a JSON value does not fit a schema of a document: sentences."""
    validator = _validator(base, json.dumps(schema, sort_keys=True), closed)
    return [f"{error.json_path}: {error.message[:300]}" for error in validator.iter_errors(_shortened(value))]


def find(base, method, path):
    """(path of the document, operation); (None, None) if the document has no such operation."""
    for _, pattern, name in _patterns(base):
        if pattern.fullmatch(path):
            operation = routes(base).get(("GET" if method == "HEAD" else method, name))
            if operation:
                return name, operation
    return None, None


def _check_body(base, response, declared, where, schema):
    content = resolved(base, declared).get("content")
    kind = response.headers.get("Content-Type", "").split(";")[0]
    if not content:
        assert not response.content, f"{where}: a body that is not documented: {response.text[:200]}"
        return
    assert kind in content, f"{where}: {kind} is not documented, but {sorted(content)}"
    if schema and kind == "application/json" and response.request.method != "HEAD":
        wrong = problems(base, content[kind].get("schema", {}), response.json())
        assert not wrong, f"{where}: " + "; ".join(wrong[:5])


def _check_request(base, response, operation, where):
    declared = operation.get("requestBody", {}).get("content", {})
    sent = response.request.headers.get("Content-Type", "").split(";")[0]
    body = response.request.body
    if not body or sent != "application/json" or "application/json" not in declared:
        return
    wrong = problems(base, declared["application/json"]["schema"], json.loads(body), closed=False)
    assert not wrong, f"{where}: it took a body that is not documented: " + "; ".join(wrong[:5])


def _of_httpd(response):
    """httpd itself refuses some paths and requests, in HTML; so it does where a part of the portal is off."""
    return response.headers.get("Content-Type", "").startswith("text/html") and response.status_code >= 400


def check(response, bodies=True):
    """Fails if a response of one of the REST APIs is not what the document says; or took a body that it does not. Without bodies: only
    operation, status and content type, for tests that have kept what nobody means to keep."""
    url = urllib.parse.urlsplit(response.request.url)
    base = next((b for b in PARTS if url.path == b or url.path.startswith(b + "/")), None)
    if base is None or _of_httpd(response):
        return
    method, status = response.request.method, str(response.status_code)
    name, operation = find(base, method, url.path[len(base):])
    where = f"{method} {base}{name or url.path} {status}"
    if operation is None:
        assert status in ("400", "404", "405"), f"{where}: answered, but not in the OpenAPI document"
        return
    declared = operation["responses"].get(status) or status in ("405", "500", "502", "503", "504") and operation["responses"]["default"]
    assert declared, f"{where}: this status is not documented: {response.text[:300]}"
    _check_body(base, response, declared, where, bodies)
    if bodies and response.status_code < 300:
        _check_request(base, response, operation, where)
