# SPDX-License-Identifier: Apache-2.0
"""Databases for tests: SQLite files, and databases of a private PostgreSQL cluster. Both are copies of a template that was
migrated by apimctl and holds the users below, so that a fresh one costs little."""
import itertools
import os
import pathlib
import shutil
import sqlite3
import tempfile

from support import apimctl, first_user, free_port, give_to, run, wait_until

NAMES = ("user_manager", "api_manager", "registry")

# name -> (password, roles)
USERS = {
    "admin": ("admin-pw-1", "admin,Internal/creator,Internal/publisher,Internal/subscriber"),
    "creator": ("creator-pw-1", "Internal/creator"),
    "publisher": ("publisher-pw-1", "Internal/creator,Internal/publisher"),
    "subscriber": ("subscriber-pw-1", "Internal/subscriber"),
    "subscriber2": ("subscriber-pw-2", "Internal/subscriber"),
}


def scratch_dir(prefix):
    """A directory that unprivileged children of a root test run can reach."""
    path = pathlib.Path(tempfile.mkdtemp(prefix=prefix, dir=os.environ.get("APIM_TEST_TMP", "/tmp")))
    path.chmod(0o755)
    return path


class Database:
    """What a node is configured with. params(name) is the DBDParams of user_manager, api_manager or registry: one value
    for all three unless `separate`."""

    def __init__(self, driver, params, separate):
        self.driver = driver
        self._params = params
        self.separate = separate

    def params(self, name="api_manager"):
        return self._params[name]

    def apimctl(self, *args, which="api_manager", **more):
        return apimctl(*args, db=self, which=which, **more)

    def _prepare(self):
        """Migrates and adds the users: for templates."""
        for name in NAMES if self.separate else ["all"]:
            self.apimctl("migrate", "--database", name, which="api_manager" if name == "all" else name)
        for name, (password, roles) in USERS.items():
            self.apimctl("user", "add", name, "--roles", roles, which="user_manager", stdin=password + "\n")


class SqliteDatabase(Database):
    kind = "sqlite"

    def __init__(self, folder, separate):
        self.folder = folder
        super().__init__("sqlite3", {n: str(folder / f"{n if separate else 'apim'}.db") for n in NAMES}, separate)

    def query(self, sql, args=(), name="api_manager"):
        """Rows of a SELECT, or [] of a change that is committed. Parameters are written ?."""
        with sqlite3.connect(self.params(name), timeout=20) as connection:
            rows = connection.execute(sql, args).fetchall()
        connection.close()
        return rows

    def drop(self):
        shutil.rmtree(self.folder, ignore_errors=True)


class SqliteFactory:
    kind = "sqlite"

    def __init__(self, httpd_user):
        self.user = httpd_user
        self.folder = scratch_dir("apim-sqlite-")
        self.templates = {}
        self.numbers = itertools.count(1)

    def create(self, separate=False):
        if separate not in self.templates:
            folder = self.folder / f"template{int(separate)}"
            folder.mkdir()
            self.templates[separate] = SqliteDatabase(folder, separate)
            self.templates[separate]._prepare()
        folder = self.folder / f"db{next(self.numbers)}"
        shutil.copytree(self.templates[separate].folder, folder)
        give_to(folder, self.user)
        return SqliteDatabase(folder, separate)

    def empty(self):
        """A database that was never migrated."""
        folder = self.folder / f"db{next(self.numbers)}"
        folder.mkdir()
        return SqliteDatabase(folder, False)

    def close(self):
        shutil.rmtree(self.folder, ignore_errors=True)


class PostgresqlDatabase(Database):
    kind = "postgresql"

    def __init__(self, cluster, base, separate):
        self.cluster = cluster
        self.names = {n: f"{base}_{n}" if separate else base for n in NAMES}
        super().__init__("pgsql", {n: cluster.params(d) for n, d in self.names.items()}, separate)

    def query(self, sql, args=(), name="api_manager"):
        """Rows of a SELECT as tuples of text. Parameters are written ? as with SQLite."""
        return self.cluster.sql(sql, args, self.names[name])

    def stop(self):
        """Stops the whole cluster, as a crash or maintenance would."""
        self.cluster.stop()

    def start(self):
        self.cluster.start()

    def drop(self):
        if self.cluster.running:
            for name in set(self.names.values()):
                self.cluster.sql(f'DROP DATABASE IF EXISTS "{name}" WITH (FORCE)')


class PostgresqlFactory:
    """A private cluster on a Unix socket, run by an unprivileged user, made for speed instead of safety."""

    kind = "postgresql"

    def __init__(self):
        self.user = first_user("postgres", "nobody")
        self.folder = scratch_dir("apim-pg-")
        give_to(self.folder, self.user)
        self.port = free_port()
        self.running = False
        self.templates = {}
        self.numbers = itertools.count(1)
        self._tool("initdb", "-D", self.folder / "data", "-U", "apim", "-A", "trust", "-E", "UTF8", "--locale=C.UTF-8",
                   "--no-sync")
        with open(self.folder / "data" / "postgresql.conf", "a", encoding="utf-8") as conf:
            conf.write(f"port = {self.port}\nunix_socket_directories = '{self.folder}'\nlisten_addresses = ''\n"
                       "fsync = off\nsynchronous_commit = off\nfull_page_writes = off\nmax_connections = 300\n"
                       "shared_buffers = 32MB\nlog_statement = 'none'\n")
        self.start()

    @staticmethod
    def _bin(name):
        for folder in sorted(pathlib.Path("/usr/lib/postgresql").glob("*/bin"), reverse=True):
            if (folder / name).exists():
                return folder / name
        return name

    def _tool(self, name, *args, check=True):
        return run([self._bin(name), *args], user=self.user, cwd="/", check=check)

    def start(self):
        self._tool("pg_ctl", "-D", self.folder / "data", "-l", self.folder / "log", "-w", "-t", "60", "start")
        self.running = True

    def stop(self):
        self._tool("pg_ctl", "-D", self.folder / "data", "-w", "-t", "60", "-m", "fast", "stop", check=self.running)
        self.running = False

    def restart(self, how="fast"):
        """how: fast, or immediate (as if it had crashed)."""
        self._tool("pg_ctl", "-D", self.folder / "data", "-l", self.folder / "log", "-w", "-m", how, "restart")

    def params(self, name):
        return f"host={self.folder} port={self.port} user=apim dbname={name} connect_timeout=3"

    def sql(self, sql, args=(), name="postgres"):
        for arg in args:
            literal = "NULL" if arg is None else "'" + str(arg).replace("'", "''") + "'"
            sql = sql.replace("?", literal, 1)
        out = run([self._bin("psql"), "-X", "-q", "-A", "-t", "-F", "\x1f", "-R", "\x1e", "-v", "ON_ERROR_STOP=1", "-d",
                   self.params(name), "-c", sql], user=self.user, cwd="/").stdout
        return [tuple(row.split("\x1f")) for row in out.rstrip("\n").split("\x1e") if row]

    def create(self, separate=False):
        if not self.running:  # a test stopped it and failed before it started it again
            self.start()
        if separate not in self.templates:
            template = PostgresqlDatabase(self, f"template_{int(separate)}", separate)
            for name in sorted(set(template.names.values())):
                self.sql(f'CREATE DATABASE "{name}"')
            template._prepare()
            self.templates[separate] = template
        fresh = PostgresqlDatabase(self, f"db{next(self.numbers)}", separate)
        for name in NAMES if separate else NAMES[:1]:
            source, target = self.templates[separate].names[name], fresh.names[name]

            def copied():
                done = run([self._bin("createdb"), "-h", self.folder, "-p", self.port, "-U", "apim", "-T", source, target],
                           user=self.user, cwd="/", check=False)
                return done.returncode == 0

            # A connection to the template that is just closing forbids the copy for a moment.
            wait_until(copied, 10, what=f"createdb -T {source}")
        for name, table in (("registry", "reg_feed_head"), ("api_manager", "am_feed_head")):
            fresh.query(f"UPDATE {table} SET revision = revision", name=name)  # the new epoch of a copy, before nodes start
        return fresh

    def empty(self):
        fresh = PostgresqlDatabase(self, f"db{next(self.numbers)}", False)
        self.sql(f'CREATE DATABASE "{fresh.names["api_manager"]}"')
        return fresh

    def close(self):
        if self.running:
            self.stop()
        shutil.rmtree(self.folder, ignore_errors=True)
