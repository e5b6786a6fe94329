# SPDX-License-Identifier: Apache-2.0
"""Guards: the OpenAPI documents of the portal and docs/rest.md have every operation, with its scopes."""
import re
import sys

import pytest

import sources
from sources import SOURCE

sys.path.insert(0, str(SOURCE / "test" / "integration"))

import contract  # noqa: E402 (needs the path above)
from operations import ADMIN, PUBLISHER, SIGNUP, STORE, routes_in_source  # noqa: E402

BASES = (PUBLISHER, STORE, ADMIN)
ROUTES = routes_in_source()


def scopes_of(operation):
    return {scope for option in operation["security"] for scope in option.get("OAuth2", [])}


@pytest.mark.parametrize("base", BASES)
def test_guard_every_route_is_in_its_openapi_document(base):
    routes = {(method, path) for b, method, path, _ in ROUTES if b == base}
    assert routes == set(contract.routes(base))


@pytest.mark.parametrize("base", BASES)
def test_guard_openapi_documents_name_the_scopes_of_the_routes(base):
    declared = contract.document(base)["components"]["securitySchemes"]["OAuth2"]["flows"]["password"]["scopes"]
    for b, method, path, scopes in ROUTES:
        if b == base:
            said = scopes_of(contract.routes(base)[method, path])
            assert said == set((scopes or "").split()) and said <= set(declared), (method, path)


@pytest.mark.parametrize("base", BASES)
def test_guard_openapi_references_lead_somewhere(base):
    document, ids = contract.document(base), []

    def look(node):
        if isinstance(node, dict):
            if "$ref" in node:
                contract.resolved(base, node)
            if "operationId" in node:
                ids.append(node["operationId"])
            node = list(node.values())
        for item in node if isinstance(node, list) else []:
            look(item)

    look(document)
    assert len(ids) == len(set(ids)) > 10


def rows(base):
    """The operations' column of the tables in docs/rest.md that belong to an API."""
    inside = False
    for line in sources.text("docs/rest.md").splitlines():
        if line.startswith("## "):
            inside = f"`{base}`" in line
        elif inside and line.startswith("| `"):
            yield line.split(" | ")[0]


@pytest.mark.parametrize("base", BASES)
def test_guard_every_route_is_in_rest_md(base):
    """A row names several verbs and shortens paths: the verb (if it names any) and the last step of the path must be there."""
    missing = []
    for b, method, path, _ in ROUTES:
        last = path.rsplit("/", 1)[1]
        if b == base and not any(re.search(rf"[/{{ ]{re.escape(last)}(?![\w-])", row) and
                                 (method in row or not re.search(r"\b(GET|POST|PUT|PATCH|DELETE)\b", row)) for row in rows(base)):
            missing.append(f"{method} {path}")
    assert not missing, missing


def test_guard_sign_up_is_in_the_stores_document():
    item = contract.document(STORE)["paths"]["/me"]
    assert item["servers"] == [{"url": SIGNUP}] and [(m, p) for b, m, p, _ in ROUTES if b == SIGNUP] == [("POST", "/me")] and item["post"]
