# SPDX-License-Identifier: Apache-2.0
"""How gateways learn of changes: NOTIFY, the feed over HTTP, asking; and what they say of themselves in reg_node."""
import json
import os
import signal
import time

import pytest
import requests

from artifacts import artefact, deploy, operation, undeploy
from client import Client
from flows import Subscribed, deployed, publish
from support import PATIENCE, wait_until

SLOW = "ApimSyncInterval 60s"  # so that what comes quickly did not come by asking


def status(node, path):
    try:
        return requests.get(node.gateway_url + path, timeout=10).status_code
    except requests.ConnectionError:
        return 0


def becomes(node, path, expected, deadline=10):
    begun = time.monotonic()
    wait_until(lambda: status(node, path) == expected, deadline, what=f"{node.name} answers {expected} to {path}", every=0.01)
    return time.monotonic() - begun


def row(db, name, role="gateway"):
    found = db.query("SELECT environment, epoch, revision, seen_at, detail, version FROM reg_node WHERE name = ? AND role = ?",
                     [name, role], name="registry")
    return found[0] if found else None


def head(db):
    return int(db.query("SELECT revision FROM reg_feed_head", name="registry")[0][0])


def confirmed(db, name):
    return wait_until(lambda: row(db, name) and int(row(db, name)[2]) >= head(db), 10, what=f"{name} reports the head")


@pytest.fixture(scope="module")
def backend(env):
    return env.backend()


@pytest.fixture(scope="module")
def keymgrs(env):
    return [env.node(["keymgr"], f"feed-km{i}") for i in (1, 2)]


def dmz(env, keymgrs, name, *more, **kwargs):
    """A gateway that has no database."""
    return env.node(["gateway"], name, db=None, keymgr=keymgrs[0].url, extra="\n".join(
        [f"ApimFeed {' '.join(k.url for k in keymgrs)}", f"ApimNodeName {name}", *more]), **kwargs)


@pytest.fixture(scope="module")
def outside(env, keymgrs):
    return dmz(env, keymgrs, "dmz1")


@pytest.fixture(scope="module")
def portal(env, keymgrs, outside):
    return env.node(["portal"], "feed-portal", keymgr=keymgrs[0].url, public_gateway=outside.gateway_url,
                    public_keymgr=keymgrs[0].url)


# -- NOTIFY ---------------------------------------------------------------------------------------------------------------

@pytest.mark.databases("postgresql")
def test_a_change_is_notified(env, backend):
    node = env.node(["gateway"], "listening", extra=SLOW)
    node.logged("APIM-GW0205: changes come by NOTIFY")
    for _ in range(3):
        api = artefact("/notified", backend.url)
        deploy(env.db, api)
        becomes(node, "/notified/1.0.0/x", 200)
        undeploy(env.db, api)
        becomes(node, "/notified/1.0.0/x", 404)


@pytest.mark.databases("postgresql")
def test_a_lost_listener_comes_back_and_misses_nothing(env, backend):
    node = env.node(["gateway"], "relistening", extra=SLOW)
    node.logged("changes come by NOTIFY")
    env.db.query("SELECT pg_terminate_backend(pid) FROM pg_stat_activity WHERE application_name = 'apim gateway feed'")
    deploy(env.db, artefact("/while-deaf", backend.url))
    becomes(node, "/while-deaf/1.0.0/x", 200, 20)
    deploy(env.db, artefact("/hearing-again", backend.url))
    becomes(node, "/hearing-again/1.0.0/x", 200, 20)


@pytest.mark.databases("postgresql")
def test_without_notifications_asking_finds_the_change(fresh_env):
    db = fresh_env.db
    for table in ("reg_feed_notify ON reg_feed_head", "am_feed_notify ON am_feed_head"):
        db.query(f"DROP TRIGGER {table}")
    node = fresh_env.node(["gateway"], "asking")
    deploy(db, artefact("/asked", fresh_env.backend("b").url))
    becomes(node, "/asked/1.0.0/x", 200)


# -- the feed over HTTP ---------------------------------------------------------------------------------------------------

def test_a_gateway_without_a_database_serves(env, outside, backend):
    api = artefact("/outside", backend.url)
    deploy(env.db, api)
    becomes(outside, "/outside/1.0.0/x", 200)
    deploy(env.db, {**api, "status": "BLOCKED"})
    becomes(outside, "/outside/1.0.0/x", 503)
    undeploy(env.db, api)
    becomes(outside, "/outside/1.0.0/x", 404)
    api = artefact("/elsewhere", backend.url)
    deploy(env.db, api, environment="Other")
    confirmed(env.db, "dmz1")
    assert status(outside, "/elsewhere/1.0.0/x") == 404


def test_the_whole_flow_without_a_database_at_the_gateway(outside, keymgrs, portal, backend):
    client = Client(keymgrs[0].url, portal.url, outside.gateway_url)
    api = publish(client, backend.url)
    who = Subscribed(client, api)
    path = deployed(client, api)
    wait_until(lambda: client.gateway(who.token).get(path).status_code == 200, 10, what="the call passes")
    client.keymgr.post("/oauth2/revoke", auth=(who.keys["consumerKey"], who.keys["consumerSecret"]), data={"token": who.token})
    wait_until(lambda: client.gateway(who.token).get(path).status_code == 401, 5, what="the revoked token is refused")


def test_many_changes_arrive_in_pages(env, outside, backend):
    db, base = env.db, head(env.db)
    many = [artefact(f"/many{i}", backend.url, operations=[operation("/*")]) for i in range(230)]
    for start in range(0, len(many), 50):
        values = ", ".join(f"('api', '{a['id']}', '', {base + 1 + start + i}, 0, '{json.dumps(a)}', 0)"
                           for i, a in enumerate(many[start:start + 50]))
        db.query("INSERT INTO reg_artifact (kind, key, environment, revision, deleted, payload, updated_at) VALUES " + values,
                 name="registry")
    db.query("UPDATE reg_feed_head SET revision = ?", [base + len(many)], name="registry")
    becomes(outside, "/many229/1.0.0/x", 200, 20)
    assert status(outside, "/many0/1.0.0/x") == 200


def test_another_key_manager_takes_over_the_feed(fresh_env):
    fresh_env.expect_log("APIM-GW0203", "AH00957", "AH01114", "AH00898")
    kms = [fresh_env.node(["keymgr"], f"km{i}") for i in (1, 2)]
    node, backend = dmz(fresh_env, kms, "dmz2"), fresh_env.backend("b")
    deploy(fresh_env.db, artefact("/first", backend.url))
    becomes(node, "/first/1.0.0/x", 200)
    kms[0].kill()
    deploy(fresh_env.db, artefact("/second", backend.url))
    becomes(node, "/second/1.0.0/x", 200, 20)
    kms[1].kill()
    node.logged("APIM-GW0203")
    assert status(node, "/first/1.0.0/x") == 200
    deploy(fresh_env.db, artefact("/third", backend.url))
    kms[0].start()
    becomes(node, "/third/1.0.0/x", 200, 30)
    node.logged("APIM-GW0204")


def test_a_restored_database_is_loaded_anew(env, outside, backend):
    kept, lost = artefact("/kept-by-backup", backend.url), artefact("/lost-by-backup", backend.url)
    deploy(env.db, kept)
    deploy(env.db, lost)
    becomes(outside, "/lost-by-backup/1.0.0/x", 200)
    becomes(outside, "/kept-by-backup/1.0.0/x", 200)
    env.db.query("DELETE FROM reg_artifact WHERE key = ?", [lost["id"]], name="registry")
    env.db.apimctl("feed", "new-epoch")
    becomes(outside, "/lost-by-backup/1.0.0/x", 404)
    assert status(outside, "/kept-by-backup/1.0.0/x") == 200
    confirmed(env.db, "dmz1")
    before = outside.log().count("APIM-GW0202")
    deploy(env.db, artefact("/since-the-backup", backend.url))
    becomes(outside, "/since-the-backup/1.0.0/x", 200)
    assert outside.log().count("APIM-GW0202") == before, "loaded everything anew without a reason"


def test_the_feed_is_for_the_cluster_only(env, keymgrs, outside):
    for operation in ("feed-heads", "feed-artifacts", "feed-invalidations"):
        r = requests.post(f"{keymgrs[0].url}/internal/keymgr/v1/{operation}", json={"environment": "Default"}, timeout=10)
        assert r.status_code == 404
        r = requests.post(f"{keymgrs[0].url}/internal/keymgr/v1/{operation}", json={"environment": "Default"}, timeout=10,
                          headers={"X-Apim-Cluster-Secret": "0" * 64})
        assert r.status_code == 404


@pytest.mark.parametrize("operation, wrong", [
    ("feed-artifacts", {}), ("feed-artifacts", {"environment": 5}), ("feed-artifacts", {"environment": "Default", "after": "x"}),
    ("feed-invalidations", {"after": []}), ("feed-heads", {"waitMs": "soon"}), ("feed-heads", {"node": {"name": "a b"}}),
    ("feed-heads", {"node": {"name": "a/b", "environment": "x", "version": "1", "detail": "{}"}})])
def test_wrong_input_of_the_feed_is_refused(env, keymgrs, operation, wrong):
    r = requests.post(f"{keymgrs[0].url}/internal/keymgr/v1/{operation}", json=wrong, timeout=10,
                      headers={"X-Apim-Cluster-Secret": env.secret})
    assert r.status_code == 400 and r.json()["description"], r.text


def test_a_waiting_request_ends_with_the_change_and_keeps_no_connection(env, keymgrs, backend):
    url, secret = f"{keymgrs[0].url}/internal/keymgr/v1/feed-heads", {"X-Apim-Cluster-Secret": env.secret}
    heads = requests.post(url, json={}, headers=secret, timeout=10).json()
    begun = time.monotonic()
    again = requests.post(url, json={**heads, "waitMs": 700}, headers=secret, timeout=10)
    assert again.status_code == 200 and time.monotonic() - begun >= 0.6
    assert again.json()["registry"] == heads["registry"] or head(env.db) != heads["registry"]["revision"]


# -- what nodes say of themselves ------------------------------------------------------------------------------------------

def test_every_role_reports_itself(env, outside, keymgrs, portal):
    for role in ("gateway", "keymgr", "portal"):
        wait_until(lambda: env.db.query("SELECT name FROM reg_node WHERE role = ?", [role], name="registry"), 10,  # noqa: B023
                   what=f"a {role} is in reg_node")


def test_a_gateway_confirms_what_it_serves(env, outside, backend):
    deploy(env.db, artefact("/confirmed", backend.url))
    confirmed(env.db, "dmz1")
    assert status(outside, "/confirmed/1.0.0/x") == 200
    environment, epoch, _, seen, detail, version = row(env.db, "dmz1")
    assert environment == "Default" and version and json.loads(detail)["feed"] == "http"
    assert epoch == env.db.query("SELECT epoch FROM reg_feed_head", name="registry")[0][0]
    wait_until(lambda: int(row(env.db, "dmz1")[3]) > int(seen), 10, what="it reports again")


def test_a_gateway_names_what_it_could_not_deploy(env, outside, backend):
    env.expect_log("APIM-GW0201")
    api = artefact("/broken", backend.url, operations=[{"target": 5}])
    deploy(env.db, api)
    detail = wait_until(lambda: [f for f in json.loads(row(env.db, "dmz1")[4]).get("failures", []) if f["key"] == api["id"]], 10,
                        what="the failure is reported")
    assert detail[0]["kind"] == "api" and detail[0]["reason"]
    deploy(env.db, {**artefact("/broken", backend.url), "id": api["id"]})
    becomes(outside, "/broken/1.0.0/x", 200)
    wait_until(lambda: not json.loads(row(env.db, "dmz1")[4])["failures"], 10, what="the failure is taken back")


def test_a_gateway_with_a_database_reports_itself(env, backend):
    node = env.node(["gateway"], "inside", extra="ApimNodeName inside")
    deploy(env.db, artefact("/inside", backend.url))
    becomes(node, "/inside/1.0.0/x", 200)
    confirmed(env.db, "inside")
    for pid in node.children():  # another child takes over the sync
        os.kill(pid, signal.SIGKILL)
    env.expect_log("AH00051", "AH00052", "exit signal Killed")
    deploy(env.db, artefact("/inside2", backend.url))
    becomes(node, "/inside2/1.0.0/x", 200, 20)
    confirmed(env.db, "inside")


def test_a_graceful_restart_goes_on_with_the_feed(env, outside, backend):
    outside.graceful()
    deploy(env.db, artefact("/after-graceful", backend.url))
    becomes(outside, "/after-graceful/1.0.0/x", 200, 15 * PATIENCE)


def test_a_gateway_that_is_cut_off_forgets_after_the_cache_ttl(fresh_env):
    """The token is revoked while no change reaches the gateway; the Key Manager can be asked."""
    fresh_env.expect_log("APIM-GW0203", "AH00957", "AH01114")
    keys, feed = (fresh_env.node(["keymgr"], name) for name in ("keys", "feed"))
    gateway = dmz(fresh_env, [keys], "cut-off", "ApimCacheTTL 3s")
    gateway.extra = gateway.extra.replace(f"ApimFeed {keys.url}", f"ApimFeed {feed.url}")
    gateway.write_conf()
    gateway.restart()
    portal = fresh_env.node(["portal"], "portal", keymgr=keys.url, public_gateway=gateway.gateway_url, public_keymgr=keys.url)
    client = Client(keys.url, portal.url, gateway.gateway_url)
    api = publish(client, fresh_env.backend("b").url)
    who = Subscribed(client, api)
    path = deployed(client, api)
    wait_until(lambda: client.gateway(who.token).get(path).status_code == 200, 10, what="the call passes")
    feed.kill()
    gateway.logged("APIM-GW0203")
    assert client.gateway(who.token).get(path).status_code == 200
    client.keymgr.post("/oauth2/revoke", auth=(who.keys["consumerKey"], who.keys["consumerSecret"]), data={"token": who.token})
    revoked = time.monotonic()
    wait_until(lambda: client.gateway(who.token).get(path).status_code == 401, 10, what="the revoked token is refused")
    assert time.monotonic() - revoked < 3 + 2 * PATIENCE
