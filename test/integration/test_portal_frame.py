# SPDX-License-Identifier: Apache-2.0
"""The portal's frame: which parts answer where, the index page, refusals without a token."""
import pytest
import requests

BASES = {"ApimPublisher": "/api/am/publisher/v4", "ApimStore": "/api/am/devportal/v3", "ApimAdmin": "/api/am/admin/v4"}


def get(node, path, **more):
    return requests.get(node.url + path, timeout=20, **more)


def test_index_page(env, all_in_one):
    node, _ = all_in_one
    r = get(node, "/")
    assert r.status_code == 200 and r.headers["Content-Type"] == "text/html; charset=utf-8"
    policy = r.headers["Content-Security-Policy"]
    assert "default-src 'none'" in policy and "frame-ancestors 'none'" in policy and "unsafe" not in policy
    for base in BASES.values():
        assert base in r.text
    assert "/oauth2/token" in r.text
    assert requests.head(node.url + "/", timeout=20).status_code == 200


def test_unknown_path_is_an_error_in_the_documented_format(env, all_in_one):
    node, _ = all_in_one
    for base in BASES.values():
        r = get(node, base + "/nothing/here")
        assert r.status_code == 404
        assert set(r.json()) == {"code", "message", "description", "moreInfo", "error"}
    assert get(node, "/api/am/publisher/v4x/apis").status_code == 404


@pytest.mark.parametrize("directive", sorted(BASES))
def test_each_part_can_be_on_alone_and_in_a_location(fresh_env, directive):
    off = "\n".join(f"{d} Off" for d in BASES)
    node = fresh_env.node(["portal"], keymgr="http://127.0.0.1:1", extra=f"{off}\n<Location {BASES[directive]}>\n{directive} On\n</Location>")
    for name, base in BASES.items():
        r = get(node, base + "/nothing")
        assert r.status_code == 404
        assert r.headers["Content-Type"].startswith("application/json" if name == directive else "text/html")


def test_configtest_refuses_wrong_directives(fresh_env):
    for line, words in [("ApimMaxDefinitionSize lots", "1 to 200"), ("ApimImportAllow 10.0.0.0/99", "10.1.0.0/16"),
                        ("ApimGatewayUrl gateway:8243", "base URL"), ("ApimKeyManagerUrl ftp://x", "base URL"),
                        ("ApimPublisher Maybe", "On or Off"), ("ApimDatabase registry nowhere", "nowhere")]:
        node = fresh_env.node(["portal"], keymgr="http://127.0.0.1:1", extra=line, start=False)
        status, said = node.configtest()
        assert status != 0 and words in said, (line, said)
