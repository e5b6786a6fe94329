# SPDX-License-Identifier: Apache-2.0
"""apimctl: migrations and users."""
import concurrent.futures
import os
import pathlib
import re
import shutil

import pytest

from database import USERS
from support import BUILD, SOURCE, apimctl, run

pytestmark = pytest.mark.sanitize_both
DIALECT = {"sqlite": "sqlite", "postgresql": "postgresql"}


@pytest.fixture
def empty(env):
    db = env.factory.empty()
    yield db
    db.drop()


@pytest.fixture
def sql_copy(tmp_path):
    """A copy of sql/ that a test may add to."""
    shutil.copytree(SOURCE / "sql", tmp_path / "sql")
    return tmp_path / "sql"


def migrate(db, *args, sql=None, check=True):
    return db.apimctl("migrate", *args, *(["--sql-dir", str(sql)] if sql else []), check=check)


def versions(db):
    return [(r[0], int(r[1])) for r in db.query("SELECT database_name, MAX(version) FROM apim_schema GROUP BY database_name "
                                                "ORDER BY database_name")]


def test_migrating_twice_changes_nothing(env, empty):
    first = migrate(empty).stdout
    assert "user_manager: applied 0001_users.sql" in first and "registry: applied" in first
    before = empty.query("SELECT * FROM apim_schema ORDER BY database_name, version")
    second = migrate(empty).stdout
    assert "applied" not in second and "nothing to do" in second
    assert empty.query("SELECT * FROM apim_schema ORDER BY database_name, version") == before
    assert [name for name, _ in versions(empty)] == ["api_manager", "registry", "user_manager"]
    if env.kind == "sqlite":
        assert empty.query("PRAGMA journal_mode") == [("wal",)]


def test_four_at_once_apply_each_migration_once(empty):
    with concurrent.futures.ThreadPoolExecutor(4) as pool:
        outputs = [f.result().stdout for f in [pool.submit(migrate, empty) for _ in range(4)]]
    assert sum(len(re.findall(r": applied ", o)) for o in outputs) == len(empty.query("SELECT 1 FROM apim_schema"))


def test_first_migration_gives_each_feed_an_epoch_of_its_own(empty):
    migrate(empty)
    (am,), (reg,) = empty.query("SELECT epoch FROM am_feed_head")[0], empty.query("SELECT epoch FROM reg_feed_head")[0]
    assert re.fullmatch(r"[0-9a-f-]{36}", am) and re.fullmatch(r"[0-9a-f-]{36}", reg) and am != reg
    empty.apimctl("feed", "new-epoch")
    assert empty.query("SELECT epoch FROM am_feed_head")[0][0] not in (am, reg)
    assert empty.query("SELECT epoch FROM reg_feed_head")[0][0] not in (am, reg)


def test_a_newer_database_is_refused_unchanged(env, empty, sql_copy):
    folder = sql_copy / "registry" / DIALECT[env.kind]
    number = len(list(folder.glob("*.sql"))) + 1
    (folder / f"{number:04}_future.sql").write_text("CREATE TABLE reg_future (id TEXT);\n", encoding="utf-8")
    migrate(empty, sql=sql_copy)
    assert dict(versions(empty))["registry"] == number
    refused = migrate(empty, check=False)
    assert refused.returncode == 1 and "newer than the version" in refused.stdout


def test_a_changed_migration_is_noticed(env, empty, sql_copy):
    migrate(empty, sql=sql_copy)
    with open(sql_copy / "user_manager" / DIALECT[env.kind] / "0001_users.sql", "a", encoding="utf-8") as f:
        f.write("INSERT INTO um_role (name) VALUES ('extra');\n")
    refused = migrate(empty, sql=sql_copy, check=False)
    assert refused.returncode == 1 and "was changed after it had been applied" in refused.stdout
    assert empty.query("SELECT 1 FROM um_role WHERE name = 'extra'") == []


def test_a_failing_migration_leaves_nothing_behind(env, empty, sql_copy):
    migrate(empty)
    folder = sql_copy / "registry" / DIALECT[env.kind]
    number = len(list(folder.glob("*.sql"))) + 1
    (folder / f"{number:04}_broken.sql").write_text("CREATE TABLE reg_half (id TEXT);\nINSERT INTO nowhere VALUES (1);\n",
                                                    encoding="utf-8")
    failed = migrate(empty, sql=sql_copy, check=False)
    assert failed.returncode == 1 and f"{number:04}_broken.sql failed and was rolled back" in failed.stdout
    assert "nowhere" in failed.stdout
    (folder / f"{number:04}_broken.sql").write_text("CREATE TABLE reg_half (id TEXT);\n", encoding="utf-8")
    migrate(empty, sql=sql_copy)
    assert dict(versions(empty))["registry"] == number


def test_gaps_in_the_numbers_are_refused(env, empty, sql_copy):
    (sql_copy / "registry" / DIALECT[env.kind] / "0099_late.sql").write_text("SELECT 1;\n", encoding="utf-8")
    refused = migrate(empty, sql=sql_copy, check=False)
    assert refused.returncode == 1 and "0099_late.sql is out of order" in refused.stdout


def test_one_database_alone(empty):
    migrate(empty, "--database", "registry")
    assert [name for name, _ in versions(empty)] == ["registry"]
    assert empty.apimctl("user", "list", check=False).returncode == 1
    shown = empty.apimctl("schema-version").stdout
    assert re.match(r"registry +1 +0001_registry.sql +20\d\d-", shown), shown


def test_users(env, empty, tmp_path):
    migrate(empty)
    (tmp_path / "pw").write_text("a good pass word\n", encoding="utf-8")
    empty.apimctl("user", "add", "Zoë", "--roles", "admin,Internal/creator", "--password-file", tmp_path / "pw")
    stored = empty.query("SELECT password_hash, status FROM um_user WHERE username = 'Zoë'")[0]
    assert re.fullmatch(r"\$2y\$1\d\$.{53}", stored[0]) and stored[1] == "ACTIVE"
    assert re.search(r"^Zoë +ACTIVE +Internal/creator,Internal/everyone,admin$", empty.apimctl("user", "list").stdout, re.M)
    again = empty.apimctl("user", "add", "Zoë", check=False, stdin="whatever\n")
    assert again.returncode == 1 and "already" in again.stdout
    empty.apimctl("user", "set-password", "Zoë", stdin="another\n")
    assert empty.query("SELECT password_hash FROM um_user WHERE username = 'Zoë'")[0] != stored[0]


def test_locking_a_user_tells_the_gateways(empty):
    migrate(empty)
    empty.apimctl("user", "add", "bob", stdin="bobs password\n")
    empty.apimctl("user", "lock", "bob")
    assert empty.query("SELECT status FROM um_user WHERE username = 'bob'")[0][0] == "LOCKED"
    assert empty.query("SELECT kind, subject FROM am_invalidation ORDER BY revision") == [("user", "bob")]
    empty.apimctl("user", "unlock", "bob")
    assert empty.query("SELECT status FROM um_user WHERE username = 'bob'")[0][0] == "ACTIVE"
    assert int(empty.query("SELECT revision FROM am_feed_head")[0][0]) == 2


def test_locking_with_three_databases(env):
    db = env.database(separate=True)
    alone = db.apimctl("user", "lock", "creator", which="user_manager").stdout
    assert "--api-manager-params" in alone
    db.apimctl("user", "lock", "creator", "--api-manager-params", db.params("api_manager"), which="user_manager")
    assert db.query("SELECT subject FROM am_invalidation", name="api_manager") == [("creator",)]


@pytest.mark.parametrize("password, problem", [("abc", "5 to 72 bytes"), ("x" * 73, "5 to 72 bytes"), ("", "password"),
                                               ("with\ttab", "control characters")])
def test_unusable_passwords(env, password, problem):
    done = env.db.apimctl("user", "add", "eve", check=False, stdin=password + "\n")
    assert done.returncode == 1 and problem in done.stdout
    assert env.db.query("SELECT 1 FROM um_user WHERE username = 'eve'") == []


@pytest.mark.parametrize("name", ["", "a b", "a:b", "x" * 101, "bell\a"])
def test_unusable_user_names(env, name):
    assert env.db.apimctl("user", "add", name, check=False, stdin="a password\n").returncode == 1


def test_injection_is_only_a_strange_name(env):
    name = "x');DELETE/**/FROM/**/um_user;--"
    env.db.apimctl("user", "add", name, stdin="a password\n")
    assert env.db.query("SELECT COUNT(*) FROM um_user")[0][0] in (len(USERS) + 1, str(len(USERS) + 1))


def test_unknown_role_and_user(env):
    done = env.db.apimctl("user", "add", "carol", "--roles", "king", check=False, stdin="a password\n")
    assert done.returncode == 1 and "there is no role 'king'" in done.stdout and "Internal/creator" in done.stdout
    assert env.db.query("SELECT 1 FROM um_user WHERE username = 'carol'") == []
    for command in ("lock", "unlock", "set-password"):
        done = env.db.apimctl("user", command, "nobody", check=False, stdin="a password\n")
        assert done.returncode == 1 and "there is no user 'nobody'" in done.stdout


@pytest.mark.databases("sqlite")
@pytest.mark.parametrize("args, problem", [
    ([], "usage: apimctl"), (["frobnicate"], "no command"), (["user", "add"], "name one user"),
    (["migrate"], "--driver"), (["migrate", "--driver", "oracle", "--params", "x"], "oracle"),
    (["migrate", "--driver", "sqlite3", "--params", "x", "--database", "foo"], "foo"), (["migrate", "--frob"], "frob"),
])
def test_wrong_usage_ends_with_2(env, args, problem):
    done = apimctl(*args, check=False)
    assert done.returncode == 2 and problem in done.stdout, done.stdout


@pytest.mark.databases("sqlite")
def test_help_and_missing_database(env, tmp_path):
    assert apimctl("--help").returncode == 0
    done = apimctl("user", "list", "--driver", "sqlite3", "--params", str(tmp_path / "none.db"), check=False)
    assert done.returncode == 1 and "run apimctl migrate first" in done.stdout
    assert not (tmp_path / "none.db").exists()


def test_unreachable_database(env, tmp_path):
    params = {"sqlite": f"{tmp_path}/no/such/dir/x.db", "postgresql": "host=127.0.0.1 port=1 dbname=x connect_timeout=2"}
    done = apimctl("migrate", "--driver", {"sqlite": "sqlite3", "postgresql": "pgsql"}[env.kind], "--params",
                   params[env.kind], check=False)
    assert done.returncode == 1 and done.stdout.startswith("apimctl: "), done.stdout


@pytest.mark.databases("sqlite")
def test_example_of_the_manual_needs_no_secret_on_a_command_line():
    text = pathlib.Path(SOURCE / "docs" / "apimctl.md").read_text(encoding="utf-8")
    usage = run([BUILD / "apimctl", "--help"], env=dict(os.environ, ASAN_OPTIONS="detect_leaks=0")).stdout
    for option in re.findall(r"--[a-z-]+", usage):
        assert option in text or option == "--help", f"docs/apimctl.md does not mention {option}"
    assert "--password " not in text + usage
