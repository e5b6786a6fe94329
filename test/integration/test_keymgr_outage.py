# SPDX-License-Identifier: Apache-2.0
"""The database away and back; secrets nowhere to be found; expired rows removed; restarts."""
import concurrent.futures
import pathlib
import time

import pytest
import requests

from database import USERS
from keymgr import KeyManager, Scene, counted, now_ms
from support import wait_until


def test_database_down_and_back(fresh_env):
    if fresh_env.kind != "postgresql":
        pytest.skip("SQLite does not go away")
    km = KeyManager(fresh_env, fresh_env.node(["keymgr"], "outage"))
    scene = Scene(km, fresh_env.db)
    opaque = Scene(km, fresh_env.db, token_type="OAUTH")
    token = km.ok_token(scene.client)["access_token"]
    tokens = km.ok_token(opaque.client, "password", username="subscriber", password=USERS["subscriber"][0])
    cluster = fresh_env.db.cluster
    fresh_env.expect_log("APIM-KM", "APIM-RE", "AH00632", "AH00629", "dbd")
    cluster.stop()
    try:
        def unavailable(r):
            assert r.status_code == 503, r.text
            assert int(r.headers["Retry-After"]) >= 1
            return r.json()

        for _ in range(3):
            begin = time.monotonic()
            assert unavailable(km.token(scene.client))["error"] == "temporarily_unavailable"
            assert unavailable(km.token(("nobody", "x")))["error"] == "temporarily_unavailable"
            assert unavailable(km.token(opaque.client, "refresh_token", refresh_token=tokens["refresh_token"]))
            assert unavailable(km.post("/oauth2/revoke", auth=scene.client, data={"token": token}))
            assert unavailable(km.post("/oauth2/introspect", auth=scene.client, data={"token": token}))
            assert unavailable(km.post("/oauth2/device_authorization", auth=scene.client, data={"scope": "default"}))
            assert unavailable(km.post("/client-registration/v0.17/register", auth=("admin", USERS["admin"][0]),
                                       json={"clientName": "x"}))["code"] == 503
            assert unavailable(km.operation("verify", {"token": token}))["code"] == 503
            assert unavailable(km.operation("verify", {"token": tokens["access_token"]}))["code"] == 503
            assert time.monotonic() - begin < 60
        # keys are in memory, at least of the process that signed
        wait_until(lambda: requests.get(km.url + "/oauth2/jwks", timeout=60).status_code == 200, 20)
        assert km.operation("verify", {"token": "x"}).status_code == 200
    finally:
        cluster.start()
    wait_until(lambda: km.token(scene.client).status_code == 200, 30, every=0.3)
    wait_until(lambda: all(km.active(t) for t in (token, tokens["access_token"]) for _ in range(10)), 30, every=0.3)
    assert km.token(opaque.client, "refresh_token", refresh_token=tokens["refresh_token"]).status_code == 200


def test_started_before_the_database(fresh_env):
    if fresh_env.kind != "postgresql":
        pytest.skip("SQLite does not go away")
    db, cluster = fresh_env.db, fresh_env.db.cluster
    fresh_env.expect_log("APIM-KM", "AH00632", "AH00629", "AH00633", "dbd")
    cluster.stop()
    try:
        km = KeyManager(fresh_env, fresh_env.node(["keymgr"], "early"))
        r = km.get("/oauth2/jwks")
        assert r.status_code == 503 and r.json()["error"] == "temporarily_unavailable"
    finally:
        cluster.start()
    wait_until(lambda: km.get("/oauth2/jwks").status_code == 200, 30, every=0.3)
    assert Scene(km, db).keys["consumerKey"]


def test_more_callers_than_connections(fresh_env):
    km = KeyManager(fresh_env, fresh_env.node(["keymgr"], "crowd", extra="ApimDatabaseConnections 1\nApimDatabaseWait 5s"))
    scene = Scene(km, fresh_env.db, token_type="OAUTH")

    def one(_):
        with requests.Session() as session:
            session.trust_env = False
            return session.post(km.url + "/oauth2/token", auth=scene.client, timeout=60,
                                data={"grant_type": "client_credentials"}).status_code

    fresh_env.expect_log("APIM-KM0001")
    with concurrent.futures.ThreadPoolExecutor(16) as pool:
        assert set(pool.map(one, range(64))) <= {200, 503}
    assert km.token(scene.client).status_code == 200


def test_many_passwords_at_once(fresh_env):
    km = KeyManager(fresh_env, fresh_env.node(["keymgr"], "bcrypt"))
    scene = Scene(km, fresh_env.db)
    km.ok_token(scene.client)

    def one(_):
        with requests.Session() as session:
            session.trust_env = False
            r = session.post(km.url + "/oauth2/token", auth=scene.client, timeout=60, data={
                "grant_type": "password", "username": "subscriber", "password": USERS["subscriber"][0]})
            return r.status_code, r.json().get("error")

    fresh_env.expect_log("APIM-KM0001")
    with concurrent.futures.ThreadPoolExecutor(20) as pool:
        answers = list(pool.map(one, range(40)))
    assert set(answers) <= {(200, None), (503, "temporarily_unavailable")}
    assert answers.count((200, None)) >= 10


def test_secrets_are_nowhere(fresh_env):
    db = fresh_env.db
    km = KeyManager(fresh_env, fresh_env.node(["keymgr"], "secrets", extra="LogLevel debug apim_keymgr:trace8"))
    secrets = [fresh_env.secret, USERS["subscriber"][0]]
    for token_type in ("JWT", "OAUTH"):
        scene = Scene(km, db, token_type=token_type)
        tokens = km.ok_token(scene.client, "password", username="subscriber", password=USERS["subscriber"][0])
        again = km.ok_token(scene.client, "refresh_token", refresh_token=tokens["refresh_token"])
        own = km.ok_token(scene.client)
        for t in (tokens, again, own):
            secrets += [t["access_token"], t.get("refresh_token", own["access_token"])]
        secrets.append(scene.client[1])
        secrets.append(km.run("client-regenerate-secret", consumerKey=scene.client[0])["consumerSecret"])
        secrets.append(km.run("api-key-generate", applicationId=scene.application, keyType="PRODUCTION", validityPeriod=-1,
                              username="subscriber")["apikey"])
        scene.verify(again["access_token"])
        km.token((scene.client[0], "wrong-secret-1"))
        km.token(scene.client, "password", username="subscriber", password="wrong-password-1")
        km.post("/oauth2/introspect", auth=scene.client, data={"token": own["access_token"] + "x"})
    r = km.post("/oauth2/register", auth=("subscriber", USERS["subscriber"][0]), json={})
    secrets += [r.json()["client_secret"], r.json()["registration_access_token"], "wrong-secret-1", "wrong-password-1"]
    tables = ("am_token", "am_oauth_client", "am_application_key", "am_revocation", "am_signing_key", "am_api_key",
              "am_invalidation", "um_user")
    dump = "\n".join(str(row) for table in tables for row in db.query(f"SELECT * FROM {table}"))
    assert "'d'" not in dump and '"d":' not in dump.split("am_signing_key")[0]
    km.node.stop()
    log = "".join(p.read_text(errors="replace") for p in pathlib.Path(km.node.root / "logs").iterdir() if p.is_file())
    # what a token is signed over may be guessed; what makes it a credential may not be found
    for secret in secrets:
        for place, text in (("database", dump), ("logs", log)):
            assert secret not in text, f"{secret} in the {place}"
            if secret.count(".") == 2:
                assert secret.split(".")[2] not in text


def test_expired_rows_are_removed(fresh_env):
    db = fresh_env.db
    km = KeyManager(fresh_env, fresh_env.node(["keymgr"], "clean", extra="ApimCleanInterval 1s"))
    scene = Scene(km, db, token_type="OAUTH")
    living = km.ok_token(scene.client, "password", username="subscriber", password=USERS["subscriber"][0])
    old, day = now_ms() - 3600000, 86400000
    values = ", ".join(f"('old{i}', 'h{i}', 'old{i}', 'ck', 'client_credentials', {old}, {old})" for i in range(1200))
    db.query("INSERT INTO am_token (id, token_hash, family, consumer_key, grant_type, issued_at, expires_at) VALUES " + values)
    db.query("INSERT INTO am_token (id, token_hash, refresh_hash, family, consumer_key, grant_type, issued_at, expires_at, "
             f"refresh_expires_at) VALUES ('kept', 'hk', 'rk', 'kept', 'ck', 'password', {old}, {old}, {now_ms() + day})")
    db.query(f"INSERT INTO am_revocation (kind, subject, revoked_at, expires_at) VALUES ('jti', 'gone', 1, {old}), "
             f"('jti', 'stays', 1, {now_ms() + day})")
    first = int(db.query("SELECT revision FROM am_feed_head")[0][0])
    db.query("UPDATE am_feed_head SET revision = revision + 10")
    db.query(f"INSERT INTO am_invalidation (revision, kind, subject, created_at) VALUES ({first + 1}, 'token', 'x', "
             f"{now_ms() - 2 * day}), ({first + 2}, 'token', 'y', {now_ms()})")

    def count(where):
        return int(db.query(f"SELECT COUNT(*) FROM {where}")[0][0])

    wait_until(lambda: count("am_token WHERE id LIKE 'old%'") == 0, 30)
    wait_until(lambda: count("am_invalidation WHERE subject = 'x'") == 0, 30)
    assert count("am_token WHERE id = 'kept'") == 1 and count("am_invalidation WHERE subject = 'y'") == 1
    assert [r[0] for r in db.query("SELECT subject FROM am_revocation WHERE kind = 'jti'")] == ["stays"]
    assert km.active(living["access_token"])
    cleaned = km.get("/server-status?auto").text.split("ApimKeymgrRowsCleaned: ")[1].split("\n")[0]
    assert int(cleaned) >= 1202


def test_graceful_restart_while_tokens_are_issued(fresh_env):
    km = KeyManager(fresh_env, fresh_env.node(["keymgr"], "graceful", extra="ApimCleanInterval 1s"))
    scene = Scene(km, fresh_env.db)
    token = km.ok_token(scene.client)["access_token"]
    stop = time.monotonic() + 6

    def caller(_):
        statuses = []
        while time.monotonic() < stop:
            with requests.Session() as session:
                session.trust_env = False
                statuses.append(session.post(km.url + "/oauth2/token", auth=scene.client, timeout=60,
                                             data={"grant_type": "client_credentials"}).status_code)
        return statuses

    with concurrent.futures.ThreadPoolExecutor(4) as pool:
        running = [pool.submit(caller, i) for i in range(4)]
        for _ in range(2):
            time.sleep(1.5)
            km.node.graceful()
        statuses = [s for f in running for s in f.result()]
    assert set(statuses) == {200} and len(statuses) > 50
    assert km.active(token)


def test_a_database_that_does_not_answer_in_time(fresh_env):
    if fresh_env.kind != "postgresql":
        pytest.skip("SQLite has no statement timeout")
    db = fresh_env.db
    name = db.names["api_manager"]
    db.cluster.sql(f'ALTER DATABASE "{name}" SET statement_timeout = \'700ms\'')
    km = KeyManager(fresh_env, fresh_env.node(["keymgr"], "slow"))
    scene = Scene(km, db)
    token = km.ok_token(scene.client)["access_token"]
    fresh_env.expect_log("APIM-KM")
    with concurrent.futures.ThreadPoolExecutor(1) as pool:
        lock = pool.submit(db.query, "SET statement_timeout = 0; BEGIN; LOCK TABLE am_oauth_client; SELECT pg_sleep(4); COMMIT")
        wait_until(lambda: km.token(scene.client).status_code == 503, 20)
        for r in (km.token(scene.client), km.operation("verify", {"token": token})):
            assert r.status_code == 503 and int(r.headers["Retry-After"]) >= 1, r.text
        lock.result()
    wait_until(lambda: km.token(scene.client).status_code == 200, 20)


def test_refreshes_while_the_client_is_changed(fresh_env):
    """Nothing deadlocks, or whoever loses is told to come again."""
    km = KeyManager(fresh_env, fresh_env.node(["keymgr"], "mixed", extra="ApimCleanInterval 1s"))
    scene = Scene(km, fresh_env.db)
    key, state = scene.client[0], {"secret": scene.client[1]}
    stop = time.monotonic() + 6
    fresh_env.expect_log("APIM-KM")
    seen = set()

    def refresher(_):
        with requests.Session() as session:
            session.trust_env = False

            def token(**form):
                r = session.post(km.url + "/oauth2/token", auth=(key, state["secret"]), data=form, timeout=60)
                seen.add(r.status_code)
                return r.json().get("refresh_token")

            current = None
            while time.monotonic() < stop:
                current = token(grant_type="refresh_token", refresh_token=current) if current else token(
                    grant_type="password", username="subscriber", password=USERS["subscriber"][0])

    def changer():
        while time.monotonic() < stop:
            r = km.operation("client-regenerate-secret", {"consumerKey": key})
            seen.add(r.status_code)
            if r.status_code == 200:
                state["secret"] = r.json()["consumerSecret"]
            r = km.operation("user-revoke", {"username": "subscriber"})
            seen.add(r.status_code)
            time.sleep(0.05)

    with concurrent.futures.ThreadPoolExecutor(7) as pool:
        running = [pool.submit(refresher, i) for i in range(6)] + [pool.submit(changer)]
        for f in running:
            f.result()
    assert seen <= {200, 400, 401, 503} and 200 in seen, seen


def test_what_is_remembered_ends_with_the_database(fresh_env):
    if fresh_env.kind != "postgresql":
        pytest.skip("SQLite does not go away")
    km = KeyManager(fresh_env, fresh_env.node(["keymgr"], "keymgr"))
    scene = Scene(km, fresh_env.db)
    token = km.ok_token(scene.client)["access_token"]

    def introspection():
        return km.post("/oauth2/introspect", auth=scene.client, data={"token": token})

    def recalls():
        """Answers come from what is remembered: two of them cost no statement that is counted as a miss."""
        before = counted(km, "Recalled")
        assert introspection().json()["active"]
        return counted(km, "Recalled") == before + 2
    wait_until(recalls, 20, what="answers are remembered")
    fresh_env.expect_log(r"APIM-KM\d+", r"AH0063\d", r"AH0062\d", r"dbd:(error|crit)")
    fresh_env.db.stop()
    try:
        wait_until(lambda: km.token(scene.client).status_code == 503, 5, what="nothing is remembered any more")
        r = introspection()
        assert r.status_code == 503 and int(r.headers["Retry-After"]) > 0
    finally:
        fresh_env.db.start()
    wait_until(lambda: km.token(scene.client).status_code == 200, 20, what="the Key Manager is back")
    wait_until(recalls, 40, what="answers are remembered again")
