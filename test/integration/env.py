# SPDX-License-Identifier: Apache-2.0
"""The environment of a test: databases, httpd nodes, back ends, REST clients. See test/README.md."""
import os
import re
import secrets
import shutil

from backend import Backend
from client import Client
from database import scratch_dir
from httpd import ROLES, Node
from support import apimctl, first_user, free_port, wait_until  # noqa: F401 (for tests)

HTTPD_USER = first_user("www-data", "nobody")


class Env:
    """Made by the fixture `env` for each test module and database. Everything it starts it also stops."""

    def __init__(self, factory):
        self.factory = factory
        self.kind = factory.kind if factory else None
        self.root = scratch_dir("apim-test-")
        self.secret = secrets.token_hex(32)
        self.nodes, self.backends, self.databases = [], [], []
        self._db = None
        self._expected = []

    # -- databases ---------------------------------------------------------------------------------------------------
    @property
    def db(self):
        """The module's database: all three schemas in one, migrated, with the users of database.USERS."""
        if self._db is None:
            self._db = self.database()
        return self._db

    def database(self, separate=False):
        """A further fresh database; separate: three of them, one for each schema."""
        db = self.factory.create(separate)
        self.databases.append(db)
        return db

    # -- httpd -------------------------------------------------------------------------------------------------------
    def node(self, roles=ROLES, name=None, start=True, db="default", **more):
        """A httpd with these roles. more: extra (directives for the main server), gateway_extra (for the gateway's
        virtual host), gateway_location (lines in place of <Location /> ApimGateway On), keymgr (value of ApimKeyManager),
        modules, mpm_lines. db=None: without database."""
        name = name or f"node{len(self.nodes) + 1}"
        if name in [n.name for n in self.nodes]:
            name = f"{name}-{len(self.nodes) + 1}"
        db = self.db if db == "default" else db
        node = Node(name, self.root / name, roles, db, self.secret, HTTPD_USER, **more)
        self.nodes.append(node)
        return node.start() if start else node

    def all_in_one(self, **more):
        """One httpd with every role. Returns (node, client)."""
        node = self.node(ROLES, name=more.pop("name", "all"), **more)
        return node, Client(node.url, node.url, node.gateway_url)

    def split(self, keymgrs=1, gateways=1, db="default", dmz=False, **more):
        """A httpd for each role, Key Managers behind a balancer. Returns (dict of nodes by role, client); the dict's
        values are lists for keymgr and gateway. dmz: the gateways have no database, and follow the Key Managers' feed."""
        km = [self.node(["keymgr"], f"keymgr{i + 1}", db=db) for i in range(keymgrs)]
        members = [f"BalancerMember {n.url} retry=1 connectiontimeout=2 timeout=10" for n in km]
        balancer = "\n".join(["<Proxy balancer://keymgr>", *members, "</Proxy>", ""])
        feed = f"ApimFeed {' '.join(n.url for n in km)}\n" if dmz else ""
        gw = [self.node(["gateway"], f"gateway{i + 1}", db=None if dmz else db, keymgr="balancer://keymgr", **{
            **more, "extra": balancer + feed + more.get("extra", "")}) for i in range(gateways)]
        portal = self.node(["portal"], "portal", db=db, keymgr="balancer://keymgr", extra=balancer,
                           public_gateway=gw[0].gateway_url, public_keymgr=km[0].url)
        return {"keymgr": km, "portal": portal, "gateway": gw}, Client(km[0].url, portal.url, gw[0].gateway_url)

    def backend(self, name="backend", port=0):
        backend = Backend(name, port)
        self.backends.append(backend)
        return backend

    # -- logs --------------------------------------------------------------------------------------------------------
    def expect_log(self, *patterns):
        """Error-log lines matching one of these (regular expressions) are no failure of this test."""
        self._expected += [re.compile(p) for p in patterns]

    def check_logs(self):
        """Unexpected lines of all nodes since the last call; forgets what was expected."""
        bad = [line for node in self.nodes for line in node.bad_lines(self._expected)]
        self._expected = []
        return bad

    def tails(self):
        return "\n".join(f"===== {n.name}\n{n.tail(25)}" for n in self.nodes)

    def close(self):
        problems = []
        for node in reversed(self.nodes):  # those that ask before those who are asked
            try:
                node.stop()
            except AssertionError as problem:
                problems.append(str(problem))
        problems += self.check_logs()
        for backend in self.backends:
            backend.close()
        for db in self.databases:
            db.drop()
        if not os.environ.get("APIM_TEST_KEEP"):
            shutil.rmtree(self.root, ignore_errors=True)
        return problems
