# SPDX-License-Identifier: Apache-2.0
"""The OpenAPI documents that the portal serves: what is served, and that they are good ones. That answers fit them is looked at in
every test (contract.py)."""
import json

import pytest
import yaml

import contract
from operations import ADMIN, PUBLISHER, STORE

pytestmark = pytest.mark.databases("sqlite")


@pytest.mark.parametrize("base", [PUBLISHER, STORE, ADMIN])
def test_the_portal_serves_its_documents(all_in_one, base):
    client = all_in_one[1]
    anyone = client.anonymous(base)
    text = anyone.get("/swagger.yaml")
    assert text.headers["Content-Type"] == "application/yaml" and yaml.safe_load(text.text) == contract.document(base)
    as_json = anyone.get("/openapi.json")
    assert as_json.headers["Content-Type"] == "application/json"
    assert as_json.json() == json.loads(json.dumps(contract.document(base)))
    for path, first in (("/swagger.yaml", text), ("/openapi.json", as_json)):
        again = anyone.get(path, headers={"If-None-Match": first.headers["ETag"]})
        assert again.status_code == 304 and not again.content


def test_the_publisher_takes_each_document_as_a_definition(all_in_one):
    """Our own reader of OpenAPI finds nothing wrong with them."""
    publisher = all_in_one[1].publisher("creator", "apim:api_create apim:api_view")
    for base in contract.PARTS:
        said = publisher.ok("POST", "/apis/validate-openapi", files={"file": ("a.json", json.dumps(contract.document(base)))})
        assert said["isValid"] and not said["errors"] and not said["info"]["warnings"], (base, said)


def test_answers_that_do_not_fit_are_found():
    page = {"count": 1, "list": [{"value": "pizza", "count": 1}], "pagination": {"offset": 0, "limit": 25, "total": 1, "next": "",
                                                                                  "previous": ""}}
    schema = {"$ref": "#/components/schemas/TagList"}
    assert not contract.problems(STORE, schema, page)
    assert contract.problems(STORE, schema, {**page, "more": 1})
    assert contract.problems(STORE, schema, {**page, "list": [{"value": "pizza"}]})
    assert contract.problems(STORE, schema, {**page, "list": [{"value": 5, "count": 1}]})
    assert contract.find(STORE, "GET", "/apis/x/swagger")[0] == "/apis/{apiId}/swagger"
    assert contract.find(STORE, "PUT", "/apis") == (None, None)
