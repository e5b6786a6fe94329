# SPDX-License-Identifier: Apache-2.0
"""The pages of the Store in Debian's Chromium: from sign-up to a call in the console, and what axe-core says of each place."""
import gzip
import json
import os
import pathlib
import re
import subprocess

import pytest
import requests

from database import USERS
from support import BUILD, wait_until

BROWSER = pathlib.Path(__file__).resolve().parents[1] / "browser"
PAGES = pathlib.Path(BUILD) / "pages"
NAME = "PageBooks"
HOSTILE = ("# How to read\n\n<img src=x onerror=alert(1)><script>alert(1)</script> [no](javascript:alert(1)) [yes](https://example.org/)\n\n"
           + "`" * 3000 + "[" * 3000 + "# " + " " * 3000 + "x\n")

pytestmark = [pytest.mark.databases("sqlite"), pytest.mark.slow]


@pytest.fixture(scope="module")
def site(env):
    """One httpd with every role and the pages that were built, and a client for it."""
    assert (PAGES / "store.html").is_file(), f"{PAGES}: the pages were not built (configure --without-web?)"
    return env.all_in_one(extra=f"ApimPages {PAGES}", gateway_extra="ApimCorsOrigins *")  # the gateway has a port of its own


@pytest.fixture(scope="module")
def api(env, site):
    publisher = site[1].publisher("admin")
    site[1].admin("admin").ok("POST", "/api-categories", json={"name": "For readers", "description": "Books and more"})
    made = publisher.ok("POST", "/apis", json={
        "name": NAME, "context": "/pagebooks", "version": "1.0.0", "policies": ["Unlimited", "Gold"], "tags": ["reading", "shelf"], "categories": ["For readers"],
        "description": "A shelf of books, to borrow from.", "securityScheme": ["oauth2", "api_key", "oauth_basic_auth_api_key_mandatory"],
        "endpointConfig": {"endpoint_type": "http", "production_endpoints": {"url": env.backend("books").url}},
        "operations": [{"target": t, "verb": v} for v, t in (("GET", "/books"), ("GET", "/books/{bookId}"), ("POST", "/books"), ("DELETE", "/books/{bookId}"))]})
    documents = f"/apis/{made['id']}/documents"
    shelf = publisher.ok("POST", documents, json={"name": "Shelves", "type": "HOWTO", "summary": "For readers", "sourceType": "MARKDOWN", "visibility": "API_LEVEL"})
    publisher.ok("POST", f"{documents}/{shelf['documentId']}/content", files={"inlineContent": (None, HOSTILE)})
    publisher.ok("POST", documents, json={"name": "Forum", "type": "PUBLIC_FORUM", "sourceType": "URL", "sourceUrl": "https://forum.example.org/", "visibility": "API_LEVEL"})
    publisher.ok("POST", "/apis/change-lifecycle", params={"apiId": made["id"], "action": "Publish"})
    wait_until(lambda: requests.get(f"{site[0].url}/api/am/devportal/v3/apis/{made['id']}", timeout=60).status_code == 200, 10, what="the Store shows it")
    return made


def browse(env, site, script, **job):
    """Runs a script of test/browser; what it answers."""
    assert (BROWSER.parent / "npm" / "node_modules" / "playwright-core").is_dir(), "run npm ci in test/npm (./check does it)"
    job = {"url": site[0].url, "user": {"name": "subscriber", "password": USERS["subscriber"][0]}, "shots": str(env.root), **job}
    r = subprocess.run(["node", BROWSER / script, json.dumps(job)], capture_output=True, text=True, timeout=120, check=False,
                       env={**os.environ, "HOME": str(env.root)})
    assert r.returncode == 0, r.stderr
    return json.loads(r.stdout)


def test_from_sign_up_to_a_call(env, site, api):
    browse(env, site, "store.mjs", user={"name": "pagereader", "password": "correct horse 7"}, api={"id": api["id"], "name": NAME})


def test_what_waits_for_approval(env, site, api):
    admin, store, mate = site[1].admin("admin"), site[1].store("subscriber"), site[1].store("subscriber2")
    admin.ok("POST", "/roles", json={"name": "page-team"})
    for user in ("subscriber", "subscriber2"):
        admin.ok("PUT", f"/users/{user}", json={"roles": ["Internal/subscriber", "page-team"]})
        site[1].forget(user)
    store, mate = site[1].store("subscriber"), site[1].store("subscriber2")
    app = store.ok("POST", "/applications", json={"name": "patient", "throttlingPolicy": "Unlimited"})
    mate.ok("POST", "/applications", json={"name": "of a mate", "throttlingPolicy": "Unlimited", "groups": ["page-team"]})
    other = site[1].publisher("admin").ok("POST", "/apis", json={
        "name": "PageOther", "context": "/pageother", "version": "1.0.0", "policies": ["Unlimited", "Gold"],
        "endpointConfig": {"endpoint_type": "http", "production_endpoints": {"url": env.backend("other").url}}})
    site[1].publisher("admin").ok("POST", "/apis/change-lifecycle", params={"apiId": other["id"], "action": "Publish"})
    wait_until(lambda: store.get(f"/apis/{other['id']}").status_code == 200, 10, what="the Store shows it")
    store.ok("POST", "/subscriptions", json={"apiId": other["id"], "applicationId": app["applicationId"], "throttlingPolicy": "Gold"})
    kinds = [t["workflowType"] for t in admin.ok("GET", "/workflow-types")["list"]]
    for kind in kinds:
        admin.ok("PUT", f"/workflow-types/{kind}", json={"enabled": True})
    try:
        browse(env, site, "waiting.mjs", api={"id": api["id"], "name": NAME}, role="page-team", shared="of a mate")
    finally:
        for kind in kinds:
            admin.ok("PUT", f"/workflow-types/{kind}", json={"enabled": False})


@pytest.mark.parametrize("window, every", [({}, 1), ({"viewport": {"width": 390, "height": 800}, "colorScheme": "dark", "locale": "de"}, 2)],
                         ids=["wide", "phone"])
def test_axe_finds_nothing(env, site, api, window, every):
    """On a phone, dark and in German, every second place."""
    store = site[1].store("subscriber")
    found = store.ok("GET", "/applications", params={"query": "looked"})["list"]
    app = found[0] if found else store.ok("POST", "/applications", json={"name": "looked at", "throttlingPolicy": "Unlimited"})
    if not found:
        store.ok("POST", "/subscriptions", json={"apiId": api["id"], "applicationId": app["applicationId"], "throttlingPolicy": "Gold"})
        store.ok("POST", f"/applications/{app['applicationId']}/generate-keys", json={"keyType": "PRODUCTION", "grantTypesToBeSupported": ["client_credentials"]})
    of_api, of_app = f"/store/apis/{api['id']}", f"/store/applications/{app['applicationId']}"
    places = ["/store/", "/store/?category=For+readers", "/store/?q=nothing-like-it", of_api, f"{of_api}/operations", f"{of_api}/subscribe", f"{of_api}/try", f"{of_api}/documents", f"{of_api}/comments", "/store/apis/none",
              "/store/applications", of_app, f"{of_app}/production", f"{of_app}/sandbox", f"{of_app}/api-keys", "/store/sign-up", "/store/password",
              "/store/nowhere"][::every]
    r = browse(env, site, "places.mjs", places=places, window=window)
    assert r["looked"] == len(places) and not r["found"], "\n".join(r["found"])


def test_the_first_load_is_small_and_from_here_alone():
    """What the Store loads before anybody clicks, compressed as it is sent."""
    page = (PAGES / "store.html").read_text()
    assert not re.search(r"(src|href)=\"(?!/pages/)", page) and "<style" not in page and not re.search(r"<script[^>]*>[^<]", page)
    names = re.findall(r"/pages/([\w.-]+)", page)
    assert any(n.endswith(".js") for n in names) and any(n.endswith(".css") for n in names)
    size = sum((PAGES / f"{n}.gz").stat().st_size for n in names)
    assert size < 60_000, f"{size} bytes"
    for name in names:
        assert gzip.decompress((PAGES / f"{name}.gz").read_bytes()) == (PAGES / name).read_bytes()
