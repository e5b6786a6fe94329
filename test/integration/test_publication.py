# SPDX-License-Identifier: Apache-2.0
"""Publication survives what may happen between the two databases: the portal dies, the registry is locked or away, an older
copy comes late."""
import json
import sqlite3
import subprocess
import threading
import time
import uuid

import pytest
import requests

from client import Client
from support import wait_until


def unique(prefix="Api"):
    return prefix + uuid.uuid4().hex[:10]


def body(**more):
    name = unique()
    return {"name": name, "context": "/" + name.lower(), "version": "1.0.0", "policies": ["Unlimited"],
            "endpointConfig": {"endpoint_type": "http", "production_endpoints": {"url": "http://127.0.0.1:9/base"}},
            "operations": [{"target": "/menu", "verb": "GET"}], **more}


class Lock:
    """Holds the registry's feed head, as another portal in the middle of a publication would."""

    def __init__(self, db):
        self.db = db

    def __enter__(self):
        if self.db.kind == "sqlite":
            self.connection = sqlite3.connect(self.db.params("registry"), timeout=20, isolation_level=None,
                                              check_same_thread=False)
            self.connection.execute("BEGIN IMMEDIATE")
        else:
            cluster = self.db.cluster
            self.process = subprocess.Popen([str(cluster._bin("psql")), "-X", "-q", "-d", self.db.params("registry")],
                                            stdin=subprocess.PIPE, stdout=subprocess.PIPE, text=True, cwd="/")
            self.process.stdin.write("BEGIN; SELECT * FROM reg_feed_head FOR UPDATE; \\echo locked\n")
            self.process.stdin.flush()
            while "locked" not in self.process.stdout.readline():
                assert self.process.poll() is None
        return self

    def __exit__(self, *args):
        if self.db.kind == "sqlite":
            self.connection.execute("ROLLBACK")
            self.connection.close()
        else:
            self.process.stdin.close()
            self.process.wait(10)


def outbox(db):
    return [r[0] for r in db.query("SELECT api_id FROM am_publication_outbox")]


def in_store(db, api):
    rows = db.query("SELECT status FROM reg_api WHERE id = ?", [api["id"]], name="registry")
    return rows[0][0] if rows else None


def publish(publisher, api, action="Publish", **more):
    return publisher.post("/apis/change-lifecycle", params={"apiId": api["id"], "action": action}, **more)


@pytest.fixture
def separate(fresh_env):
    """A portal on three separate databases."""
    db = fresh_env.database(separate=True)
    node = fresh_env.node(name="all", db=db)
    return fresh_env, db, node, Client(node.url, node.url).publisher("publisher")


def test_killed_between_the_two_databases(separate):
    env, db, node, publisher = separate
    env.expect_log(r"APIM-PO02", r"proxy", r"AH0")
    apis = [publisher.ok("POST", "/apis", json=body(), status=201) for _ in range(3)]
    publish(publisher, apis[2])

    def change(api, method="POST", path="/apis/change-lifecycle"):
        try:
            if method == "DELETE":
                publisher.delete("/apis/" + api["id"], timeout=5)
            else:
                publish(publisher, api, timeout=5)
        except requests.RequestException:
            pass
    with Lock(db):
        threads = [threading.Thread(target=change, args=(apis[0],)), threading.Thread(target=change, args=(apis[1],)),
                   threading.Thread(target=change, args=(apis[2], "DELETE"))]
        for thread in threads:
            thread.start()
        wait_until(lambda: sorted(outbox(db)) == sorted(a["id"] for a in apis), 10, what="three rows in the outbox")
        node.kill()
        for thread in threads:
            thread.join()
    assert in_store(db, apis[0]) is None and in_store(db, apis[2]) == "PUBLISHED"
    node.start()
    wait_until(lambda: outbox(db) == [], 20, what="the watchdog empties the outbox")
    assert [in_store(db, a) for a in apis] == ["PUBLISHED", "PUBLISHED", None]
    rows = db.query("SELECT deleted FROM reg_artifact WHERE key = ?", [apis[2]["id"]], name="registry")
    assert [str(r[0]) for r in rows] == ["1"]
    revisions = [int(r[0]) for r in db.query("SELECT revision FROM reg_artifact", name="registry")]
    head = int(db.query("SELECT revision FROM reg_feed_head", name="registry")[0][0])
    assert len(set(revisions)) == len(revisions) and max(revisions) <= head


def test_a_change_is_saved_while_the_registry_is_locked(separate):
    env, db, node, publisher = separate
    if db.kind != "sqlite":
        pytest.skip("PostgreSQL waits for the lock")
    api = publisher.ok("POST", "/apis", json=body(), status=201)
    with Lock(db):
        start = time.monotonic()
        r = publish(publisher, api)
        assert r.status_code == 200 and r.json()["lifecycleState"]["state"] == "PUBLISHED"
        assert time.monotonic() - start < 15
        assert outbox(db) == [api["id"]] and in_store(db, api) is None
    node.logged("APIM-PO0201")
    wait_until(lambda: in_store(db, api) == "PUBLISHED" and outbox(db) == [], 20, what="published in the end")


def test_database_away_is_503_and_recovers(fresh_env):
    """PostgreSQL as a whole goes and comes back."""
    env = fresh_env
    if env.kind != "postgresql":
        pytest.skip("SQLite has no server")
    env.expect_log(r"APIM-", r"AH006", r"dbd")
    node, client = env.all_in_one()
    publisher = client.publisher("publisher")
    api = publisher.ok("POST", "/apis", json=body(), status=201)
    env.db.stop()
    try:
        for _ in range(3):
            r = publisher.get("/apis/" + api["id"])
            assert r.status_code == 503 and int(r.headers["Retry-After"]) > 0, r.text
    finally:
        env.db.start()
    assert wait_until(lambda: publisher.get("/apis/" + api["id"]).status_code == 200, 15, what="it answers again")
    assert publish(publisher, api).status_code == 200
    assert in_store(env.db, api) == "PUBLISHED"


def test_a_late_copy_does_not_overwrite_a_newer_one(separate):
    env, db, node, publisher = separate
    api = publisher.ok("POST", "/apis", json=body(), status=201)
    publish(publisher, api)
    # The registry has a newer state than the API Manager database: as after a copy that overtook this one.
    db.query("UPDATE reg_api SET source_etag = 1000, description = 'newer' WHERE id = ?", [api["id"]], name="registry")
    publisher.ok("PUT", "/apis/" + api["id"], json={"description": "older"})
    rows = db.query("SELECT description FROM reg_api WHERE id = ?", [api["id"]], name="registry")
    assert rows == [("newer",)] and outbox(db) == []


def test_unchanged_artifacts_keep_their_revision(separate):
    env, db, node, publisher = separate
    api = publisher.ok("POST", "/apis", json=body(), status=201)
    publish(publisher, api)
    before = db.query("SELECT revision, source_etag FROM reg_artifact WHERE kind = 'api'", name="registry")[0]
    publisher.ok("PUT", "/apis/" + api["id"], json={"description": "only for the Store"})
    after = db.query("SELECT revision, source_etag FROM reg_artifact WHERE kind = 'api'", name="registry")[0]
    assert before[0] == after[0] and int(after[1]) > int(before[1])
    assert db.query("SELECT description FROM reg_api", name="registry") == [("only for the Store",)]


def test_a_poisoned_row_does_not_stop_the_others(separate):
    env, db, node, publisher = separate
    bad = publisher.ok("POST", "/apis", json=body(), status=201)
    good = publisher.ok("POST", "/apis", json=body(), status=201)
    db.query("UPDATE am_api SET status = 'PUBLISHED', definition = '{broken' WHERE id IN (?, ?)", [bad["id"], bad["id"]])
    db.query("UPDATE am_api SET status = 'PUBLISHED' WHERE id = ?", [good["id"]])
    for n, api in enumerate((bad, good)):
        db.query("INSERT INTO am_publication_outbox (api_id, etag, queued_at) VALUES (?, 1, ?)", [api["id"], n])
    wait_until(lambda: in_store(db, good) == "PUBLISHED", 20, what="the good one is published")
    assert in_store(db, bad) is None and outbox(db) == [bad["id"]]
    node.logged("APIM-PO0201")


def test_many_changes_at_once_end_in_the_last_state(separate):
    env, db, node, publisher = separate
    api = publisher.ok("POST", "/apis", json=body(), status=201)
    publish(publisher, api)

    def change(n):
        from client import Rest
        rest = Rest(publisher.base, publisher.headers["Authorization"][7:])
        for i in range(5):
            assert rest.put("/apis/" + api["id"], json={"description": f"{n}.{i}"}).status_code == 200
    threads = [threading.Thread(target=change, args=(n,)) for n in range(4)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    wait_until(lambda: outbox(db) == [], 20, what="an empty outbox")
    last = publisher.ok("GET", "/apis/" + api["id"])
    row = db.query("SELECT description, source_etag FROM reg_api WHERE id = ?", [api["id"]], name="registry")[0]
    assert row[0] == last["description"]
    assert int(row[1]) == int(db.query("SELECT etag FROM am_api WHERE id = ?", [api["id"]])[0][0])


def test_graceful_restart_and_stop_while_the_watchdog_works(separate):
    env, db, node, publisher = separate
    api = publisher.ok("POST", "/apis", json=body(), status=201)
    db.query("UPDATE am_api SET status = 'PUBLISHED', definition = '{broken' WHERE id = ?", [api["id"]])
    db.query("INSERT INTO am_publication_outbox (api_id, etag, queued_at) VALUES (?, 1, 0)", [api["id"]])
    node.logged("APIM-PO0201")
    for _ in range(3):
        node.graceful()
    node.stop()
    assert json.loads(json.dumps(outbox(db))) == [api["id"]]
