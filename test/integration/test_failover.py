# SPDX-License-Identifier: Apache-2.0
"""PostgreSQL with a streaming replica: the primary is killed under load and the replica promoted. DBDParams name both hosts; no
httpd is restarted. Changes that had not reached the replica are lost with the primary, and no gateway goes on with them."""
import pytest

import flows
from database import PostgresqlDatabase, PostgresqlFactory
from load import Load
from support import free_port, give_to, wait_until

pytestmark = [pytest.mark.databases("postgresql"), pytest.mark.slow]
AWAY = (r"APIM-(GW|KM|PO|DB|RE)\d+", r"\[dbd:(error|crit)\]", r"AH0063\d")


class Pair(PostgresqlFactory):
    """A primary and its replica."""

    def __init__(self):
        super().__init__()
        self.replica, self.replica_port = self.folder / "replica", free_port()

    def follow(self):
        """Makes the replica, a copy of the primary that follows it."""
        self._tool("pg_basebackup", "-D", self.replica, "-R", "-X", "stream", "-c", "fast", "--no-sync", "-d", self.params("postgres"))
        with open(self.replica / "postgresql.conf", "a", encoding="utf-8") as conf:
            conf.write(f"port = {self.replica_port}\n")
        give_to(self.replica, self.user)
        self.start_replica()

    def start_replica(self):
        self._tool("pg_ctl", "-D", self.replica, "-l", self.folder / "log2", "-w", "start")

    def stop_replica(self):
        self._tool("pg_ctl", "-D", self.replica, "-w", "-m", "fast", "stop", check=False)

    def kill_primary(self):
        self._tool("pg_ctl", "-D", self.folder / "data", "-w", "-m", "immediate", "stop")
        self.running = False

    def promote(self):
        self._tool("pg_ctl", "-D", self.replica, "-w", "promote")
        self.port, self.running = self.replica_port, True  # psql asks this one now

    def close(self):
        self.stop_replica()
        if (self.folder / "data" / "postmaster.pid").exists():
            self._tool("pg_ctl", "-D", self.folder / "data", "-w", "-m", "immediate", "stop", check=False)
        self.running = False
        super().close()


class Followed(PostgresqlDatabase):
    """A database of the primary, as nodes are configured that know the replica too."""

    def __init__(self, pair, plain):
        super().__init__(pair, next(iter(plain.names.values())), False)
        self.both = {name: f"host={pair.folder},{pair.folder} port={pair.port},{pair.replica_port} user=apim dbname={database} "
                           "target_session_attrs=read-write connect_timeout=2" for name, database in self.names.items()}

    def params(self, name="api_manager"):
        return self.both[name]


@pytest.fixture
def pair():
    made = Pair()
    yield made
    made.close()


def test_a_replica_is_promoted_under_load(fresh_env, pair):
    env, plain = fresh_env, pair.create()
    db = Followed(pair, plain)
    pair.follow()
    nodes, client = env.split(db=db, gateways=2)
    backend = env.backend()
    api = flows.publish(client, backend.url)
    app = flows.Subscribed(client, api)
    unseen = flows.token(client, app.keys)
    for gateway in nodes["gateway"]:
        client.gateway_url = gateway.gateway_url
        flows.settle(client, app.token, api)
    wait_until(lambda: pair.sql("SELECT 1 FROM pg_stat_replication WHERE replay_lsn = pg_current_wal_lsn()"), 20, what="it follows")
    env.expect_log(*AWAY)
    pair.stop_replica()
    lost = flows.publish(client, backend.url)  # on the primary only
    for gateway in nodes["gateway"]:
        client.gateway_url = gateway.gateway_url
        flows.deployed(client, lost)
    url, headers = client.gateway_url + flows.url_of(api), {"Authorization": f"Bearer {app.token}"}
    with Load(url, headers, clients=2, pause=0.01) as load:
        pair.kill_primary()
        r = client.gateway(unseen).get(flows.url_of(api))
        assert r.status_code == 503 and int(r.headers["Retry-After"]) > 0
        pair.start_replica()
        assert client.gateway(unseen).get(flows.url_of(api)).status_code == 503  # it may only be read
        pair.promote()
        wait_until(lambda: client.gateway(unseen).get(flows.url_of(api)).status_code == 200, 20, what="a new token is verified")
        later = wait_until(lambda: published(client, backend), 20, what="something can be published")
        for gateway in nodes["gateway"]:
            client.gateway_url = gateway.gateway_url
            wait_until(lambda: client.gateway().get(flows.url_of(later)).status_code == 401, 20, what="it is served")
            wait_until(lambda: client.gateway().get(flows.url_of(lost)).status_code == 404, 20, what="what is lost is gone everywhere")
        before = load.done
        wait_until(lambda: load.done > before + 50 or load.lost, 20, what="calls go on")
    assert load.lost == [], f"{len(load.lost)} of {load.done}: {load.lost[:5]}"
    client.keymgr.post("/oauth2/revoke", auth=(app.keys["consumerKey"], app.keys["consumerSecret"]), data={"token": app.token})
    wait_until(lambda: client.gateway(app.token).get(flows.url_of(api)).status_code == 401, 10, what="a revoked token is refused")


def published(client, backend):
    """None while the portal still answers 503."""
    try:
        return flows.publish(client, backend.url)
    except AssertionError as refused:
        if ": 503 " not in str(refused):
            raise
        return None


@pytest.mark.parametrize("table, name", [("reg_feed_head", "registry"), ("am_feed_head", "api_manager")])
def test_a_copy_gets_a_new_epoch_with_its_first_change(fresh_env, table, name):
    """As after DROP DATABASE and a restore; SQLite needs apimctl feed new-epoch for that."""
    db = fresh_env.db

    def change(of):
        return of.query(f"UPDATE {table} SET revision = revision + 1 RETURNING epoch, revision", name=name)[0]
    epoch, revision = change(db)
    assert change(db) == (epoch, str(int(revision) + 1))
    copy = PostgresqlDatabase(db.cluster, "copy", False)
    db.cluster.sql(f'CREATE DATABASE copy TEMPLATE "{db.names[name]}"')
    try:
        new = change(copy)
        assert new[0] != epoch and new[1] == str(int(revision) + 2)
        assert change(copy)[0] == new[0]
    finally:
        copy.drop()
    db.apimctl("feed", "new-epoch")
    assert change(db)[0] not in (epoch, new[0])
