# SPDX-License-Identifier: Apache-2.0
"""The pages of the Publisher and the administration in Debian's Chromium: what people do with them, and what axe-core says of each."""
import json
import os
import pathlib
import subprocess

import pytest
import requests

from database import USERS
from support import BUILD, wait_until

BROWSER = pathlib.Path(__file__).resolve().parents[1] / "browser"
API = "/publisher/apis/{id}"
TABS = ("", "/basics", "/resources", "/endpoints", "/runtime", "/scopes", "/definition", "/documents", "/lifecycle", "/revisions",
        "/subscriptions", "/statistics", "/version")
PUBLISHER = ["/publisher/", "/publisher/?q=nothing-like-it", "/publisher/create", "/publisher/create/design", "/publisher/create/openapi?from=paste", "/publisher/create/archive",
             *(API + tab for tab in TABS), "/publisher/scopes", "/publisher/apis/none"]
ADMIN = ["/admin/approvals", "/admin/nodes", "/admin/approvals/types", "/admin/applications", "/admin/users", "/admin/users/subscriber", "/admin/roles", "/admin/policies", "/admin/policies/application",
         "/admin/policies/advanced", "/admin/deny", "/admin/categories", "/admin/environments", "/admin/settings"]

pytestmark = [pytest.mark.databases("sqlite"), pytest.mark.slow]


@pytest.fixture(scope="module")
def site(env):
    """One httpd with every role and the pages that were built, and a client for it."""
    pages = pathlib.Path(BUILD) / "pages"
    assert (pages / "publisher.html").is_file(), f"{pages}: the pages were not built (configure --without-web?)"
    return env.all_in_one(extra=f"ApimPages {pages}\nApimUsageInterval 200ms")


def browse(env, site, script, who, **job):
    """Runs a script of test/browser; what it answers."""
    assert (BROWSER.parent / "npm" / "node_modules" / "playwright-core").is_dir(), "run npm ci in test/npm (./check does it)"
    job = {"url": site[0].url, "user": {"name": who, "password": USERS[who][0]}, "shots": str(env.root), **job}
    r = subprocess.run(["node", BROWSER / script, json.dumps(job)], capture_output=True, text=True, timeout=120, check=False,
                       env={**os.environ, "HOME": str(env.root)})
    assert r.returncode == 0, r.stderr
    return json.loads(r.stdout)


def test_an_api_from_nothing_to_a_call(env, site):
    node, backend = site[0], env.backend()
    made = browse(env, site, "publisher.mjs", "admin", backend=backend.url, name="PageOrders")
    r = requests.get(f"{node.gateway_url}/pageorders/1.0.0/open/7", timeout=60)
    assert r.status_code == 200 and backend.seen[-1].path == "/open/7", r.text
    assert site[1].publisher("publisher").ok("GET", f"/apis/{made['id']}")["description"] == "by somebody else"
    assert made["archive"] == "PageOrders-1.0.0.zip"


def test_what_administrators_do(env, site):
    admin, store = site[1].admin("admin"), site[1].store("subscriber")
    admin.ok("PUT", "/workflow-types/AM_APPLICATION_CREATION", json={"enabled": True})
    apps = [store.ok("POST", "/applications", json={"name": f"quinn-{n}", "throttlingPolicy": "Unlimited"}) for n in ("good", "bad")]
    assert {a["status"] for a in apps} == {"CREATED"}
    browse(env, site, "admin.mjs", "admin", name="quinn")
    assert [store.get(f"/applications/{a['applicationId']}").status_code for a in apps] == [404, 200]  # the first is the admin's now
    assert store.ok("GET", f"/applications/{apps[1]['applicationId']}")["status"] == "REJECTED"
    assert not any(t["enabled"] for t in admin.ok("GET", "/workflow-types")["list"])
    user = site[1].admin("admin").ok("GET", "/users/quinn")
    assert user["status"] == "LOCKED" and "quinn-role" in user["roles"]


@pytest.mark.parametrize("window, every", [({}, 1), ({"viewport": {"width": 360, "height": 740}, "colorScheme": "dark", "locale": "de"}, 3)],
                         ids=["wide", "phone"])
def test_axe_finds_nothing(env, site, window, every):
    """On a phone, dark and in German, every third place."""
    publisher = site[1].publisher("publisher")
    found = publisher.get("/apis", params={"query": "name:Looked"}).json()["list"]
    api = found[0] if found else publisher_api(env, site)
    places = [p.format(id=api["id"]) for p in [*PUBLISHER, *ADMIN][::every]]
    r = browse(env, site, "places.mjs", "admin", places=places, window=window)
    assert r["looked"] == len(places) and not r["found"], "\n".join(r["found"])


def publisher_api(env, site):
    """A published API with a scope, a subscriber and much to show."""
    publisher, store = site[1].publisher("publisher"), site[1].store("subscriber")
    creator = site[1].publisher("creator")
    backend = env.backend("looked")
    api = creator.ok("POST", "/apis", json={
        "name": "Looked", "context": "/looked", "version": "1.0.0", "policies": ["Unlimited"], "tags": ["a", "b"], "description": "Long.\n" * 4,
        "endpointConfig": {"endpoint_type": "failover", "production_endpoints": {"url": backend.url}, "production_failovers": [{"url": backend.url}]},
        "scopes": [{"scope": {"name": "looked:read", "bindings": ["admin"]}, "shared": False}],
        "operations": [{"target": f"/a/{n}", "verb": "GET", "authType": "None" if n % 2 else "Application"} for n in range(12)]})
    publisher.ok("POST", "/apis/change-lifecycle", params={"apiId": api["id"], "action": "Publish"})
    app = store.ok("POST", "/applications", json={"name": "looker", "throttlingPolicy": "Unlimited"})
    store.ok("POST", "/subscriptions", json={"apiId": api["id"], "applicationId": app["applicationId"], "throttlingPolicy": "Unlimited"})
    url = f"{site[0].gateway_url}/looked/1.0.0/a/"
    wait_until(lambda: requests.get(url + "1", timeout=60).status_code == 200, 10, what="the gateway serves it")
    assert requests.get(url + "2", timeout=60).status_code == 401
    wait_until(lambda: publisher.ok("GET", "/usage", params={"apiId": api["id"]})["total"]["refused"], 10, what="calls are counted")
    return api
