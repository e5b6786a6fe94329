# SPDX-License-Identifier: Apache-2.0
"""PostgreSQL with a streaming replica: the primary is killed under load and the replica promoted. DBDParams name both hosts; no
httpd is restarted. With a synchronous replica nothing that was confirmed is lost; without, changes that had not reached it are, and no
gateway goes on with them."""
import os
import signal
import subprocess
import threading
import time

import pytest

import flows
from calls import facts
from database import PostgresqlDatabase, PostgresqlFactory
from load import Load
from support import free_port, give_to, wait_until

pytestmark = [pytest.mark.databases("postgresql"), pytest.mark.slow]
AWAY = (r"APIM-(GW|KM|PO|DB|RE)\d+", r"\[dbd:(error|crit)\]", r"AH0063\d")
SOON = 10  # seconds after the promotion; 1 to 2 as a rule


class Pair(PostgresqlFactory):
    """A primary and its replica, which follows until the end unless it is cut off."""

    def __init__(self):
        super().__init__()
        self.replica, self.replica_port = self.folder / "replica", free_port()

    def follow(self, synchronous):
        """Makes the replica, a copy of the primary that follows it. synchronous: what it does not have is not confirmed."""
        self._tool("pg_basebackup", "-D", self.replica, "-R", "-X", "stream", "-c", "fast", "--no-sync", "-d", self.params("postgres"))
        with open(self.replica / "postgresql.conf", "a", encoding="utf-8") as conf:
            conf.write(f"port = {self.replica_port}\n")
        give_to(self.replica, self.user)
        self._tool("pg_ctl", "-D", self.replica, "-l", self.folder / "log2", "-w", "start")
        if synchronous:
            self.sql("ALTER SYSTEM SET synchronous_standby_names = '*'")
            self.sql("ALTER SYSTEM SET synchronous_commit = on")
            self.sql("SELECT pg_reload_conf()")
        state = "sync" if synchronous else "async"
        wait_until(lambda: self.sql(f"SELECT 1 FROM pg_stat_replication WHERE sync_state = '{state}' "
                                    "AND replay_lsn = pg_current_wal_lsn()"), 20, what="it follows")

    def cut_off(self):
        """The network between the two breaks."""
        with open(self.replica / "postgresql.auto.conf", "a", encoding="utf-8") as conf:
            conf.write("primary_conninfo = 'host=/nowhere'\n")
        self._tool("pg_ctl", "-D", self.replica, "reload")
        wait_until(lambda: not self.sql("SELECT 1 FROM pg_stat_replication"), 20, what="it is cut off")

    def kill_primary(self):
        """kill -9: the postmaster and every process of it."""
        master = int((self.folder / "data" / "postmaster.pid").read_text().split()[0])
        children = subprocess.run(["pgrep", "-P", str(master)], capture_output=True, text=True, check=False).stdout.split()
        for pid in [master, *map(int, children)]:
            os.kill(pid, signal.SIGKILL)
        self.running = False

    def promote(self):
        self._tool("pg_ctl", "-D", self.replica, "-w", "promote")
        self.port, self.running = self.replica_port, True  # psql asks this one now

    def close(self):
        for folder in (self.replica, self.folder / "data"):
            if (folder / "postmaster.pid").exists():
                self._tool("pg_ctl", "-D", folder, "-w", "-m", "immediate", "stop", check=False)
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


class Site:
    """A Key Manager, a portal and two gateways on the pair, with an API and a token that both gateways have verified."""

    def __init__(self, env, pair, synchronous):
        self.pair = pair
        db = Followed(pair, pair.create())
        pair.follow(synchronous)
        # Asking by the clock would take a minute: what comes sooner came by NOTIFY.
        nodes, self.client = env.split(db=db, gateways=2, extra="ApimSyncInterval 60s\n")
        self.gateways, self.backend = nodes["gateway"], env.backend()
        self.api = flows.publish(self.client, self.backend.url)
        app = flows.Subscribed(self.client, self.api)
        self.keys, self.token, self.unseen = app.keys, app.token, flows.token(self.client, app.keys)
        for client in self.each_gateway():
            flows.settle(client, app.token, self.api)
        env.expect_log(*AWAY)

    def each_gateway(self):
        for gateway in self.gateways:
            self.client.gateway_url = gateway.gateway_url
            yield self.client

    def load(self):
        return Load(self.client.gateway_url + flows.url_of(self.api), {"Authorization": f"Bearer {self.token}"}, clients=2, pause=0.01)

    def call(self, token):
        return self.client.gateway(token).get(flows.url_of(self.api))

    def fail_over(self, meanwhile=None):
        """Kills the primary and promotes the replica, and looks at what callers see meanwhile. Ends when a new token is verified.
        meanwhile: what has to come true while there is no primary."""
        self.pair.kill_primary()
        r = self.call(self.unseen)
        assert r.status_code == 503 and int(r.headers["Retry-After"]) > 0
        if meanwhile:
            wait_until(meanwhile, 30, what="what happens without a primary")
        self.pair.promote()
        begun = time.monotonic()
        wait_until(lambda: self.call(self.unseen).status_code == 200, SOON, what="a new token is verified")
        print(f"\nverified again {time.monotonic() - begun:.1f} s after the promotion")

    def serves(self, api):
        for client in self.each_gateway():
            wait_until(lambda: client.gateway().get(flows.url_of(api)).status_code == 401, SOON, what="it is served")

    def listens_again(self):
        for gateway in self.gateways:
            wait_until(lambda: facts(gateway)["Feed"] == "notify", SOON, what="the gateway listens again")
        self.serves(flows.publish(self.client, self.backend.url))
        self.client.keymgr.post("/oauth2/revoke", auth=(self.keys["consumerKey"], self.keys["consumerSecret"]), data={"token": self.token})
        for _ in self.each_gateway():
            wait_until(lambda: self.call(self.token).status_code == 401, SOON, what="a revoked token is refused")


class Publications:
    """Publishes one API after the other while the block runs: confirmed, and refused (answers that were not 503 are in wrong)."""

    def __init__(self, site):
        self.site, self.confirmed, self.refused, self.wrong = site, [], 0, []
        self.ended = threading.Event()
        self.thread = threading.Thread(target=self._run, daemon=True)

    def _run(self):
        while not self.ended.is_set():
            try:
                self.confirmed.append(flows.publish(self.site.client, self.site.backend.url))
            except AssertionError as refused:
                if ": 503 " in str(refused):
                    self.refused += 1
                else:
                    self.wrong.append(str(refused))
            time.sleep(0.05)

    def __enter__(self):
        self.thread.start()
        return self

    def more(self, number):
        goal = len(self.confirmed) + number
        wait_until(lambda: len(self.confirmed) >= goal or self.wrong, SOON, what="APIs can be published")

    def __exit__(self, *args):
        self.ended.set()
        self.thread.join(60)


def test_nothing_that_was_confirmed_is_lost_with_a_synchronous_replica(fresh_env, pair):
    site = Site(fresh_env, pair, synchronous=True)
    with Publications(site) as publications:
        publications.more(3)
        with site.load() as load:
            site.fail_over(meanwhile=lambda: publications.refused > 0)
            publications.more(3)
    assert publications.refused > 0 and publications.wrong == []
    assert load.lost == [], f"{len(load.lost)} of {load.done}: {load.lost[:5]}"
    for api in publications.confirmed:
        site.serves(api)
    site.listens_again()


def test_what_the_replica_never_had_is_gone_everywhere(fresh_env, pair):
    site = Site(fresh_env, pair, synchronous=False)
    pair.cut_off()
    lost = flows.publish(site.client, site.backend.url)  # on the primary only
    site.serves(lost)
    with site.load() as load:
        site.fail_over()
        for client in site.each_gateway():
            wait_until(lambda: client.gateway().get(flows.url_of(lost)).status_code == 404, SOON, what="what is lost is gone everywhere")
        load_goes_on(load)
    assert load.lost == [], f"{len(load.lost)} of {load.done}: {load.lost[:5]}"
    site.listens_again()


def load_goes_on(load):
    before = load.done
    wait_until(lambda: load.done > before + 50 or load.lost, 20, what="calls go on")


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
