# SPDX-License-Identifier: Apache-2.0
"""Fixtures of the integration tests. test/README.md says how to use them."""
import os
import sys

import pytest

from database import PostgresqlFactory, SqliteFactory
from env import HTTPD_USER, Env
from support import BUILD, SANITIZE

KINDS = ("sqlite", "postgresql")
# The sanitizer run of a whole ./check takes SQLite, what is for PostgreSQL alone, and what is marked sanitize_both.
ALL_KINDS = os.environ.get("APIM_SANITIZE_ALL") == "1"
# ... and so its run without sanitizers leaves SQLite to the sanitizer run, but for tests that are not run there.
PLAIN_POSTGRESQL = os.environ.get("APIM_PLAIN_POSTGRESQL") == "1"


def pytest_addoption(parser):
    parser.addoption("--db", action="append", choices=KINDS, help="run on this database only (may be repeated)")


def pytest_configure(config):
    if not (BUILD / "apimctl").exists():
        raise pytest.UsageError(f"nothing is built in {BUILD}; run make, or name the build directory: APIM_BUILD=…")
    sys.stdout.write(f"build {BUILD}{' with sanitizers' if SANITIZE else ''}\n")


def pytest_generate_tests(metafunc):
    if "db_kind" in metafunc.fixturenames:
        marker = metafunc.definition.get_closest_marker("databases")
        kinds = marker.args if marker else KINDS
        if SANITIZE and not ALL_KINDS and not metafunc.definition.get_closest_marker("sanitize_both"):
            kinds = kinds[:1]
        if PLAIN_POSTGRESQL and not metafunc.definition.get_closest_marker("slow"):
            kinds = [k for k in kinds if k == "postgresql"] or kinds
        chosen = metafunc.config.getoption("--db") or KINDS
        metafunc.parametrize("db_kind", [k for k in kinds if k in chosen], scope="module", indirect=True)


def pytest_collection_modifyitems(config, items):
    """The mark databases may also stand at a parameter of a fixture."""
    def wanted(item):
        kind = item.callspec.params.get("db_kind") if hasattr(item, "callspec") else None
        return kind is None or all(kind in marker.args for marker in item.iter_markers("databases"))
    dropped = [item for item in items if not wanted(item)]
    if dropped:
        config.hook.pytest_deselected(items=dropped)
        items[:] = [item for item in items if wanted(item)]


@pytest.hookimpl(hookwrapper=True, tryfirst=True)
def pytest_runtest_makereport(item, call):
    report = (yield).get_result()
    env = item.funcargs.get("env") if hasattr(item, "funcargs") else None
    if report.failed and env is not None:
        report.sections.append(("logs of the nodes", env.tails()))


@pytest.fixture(scope="session")
def factories():
    made = {}

    def get(kind):
        if kind not in made:
            made[kind] = SqliteFactory(HTTPD_USER) if kind == "sqlite" else PostgresqlFactory()
        return made[kind]

    yield get
    for factory in made.values():
        factory.close()


@pytest.fixture(scope="module")
def db_kind(request):
    """The database of this run of the module: sqlite or postgresql."""
    return request.param


@pytest.fixture(scope="module")
def env(db_kind, factories):
    """The environment that the tests of a module share, once for each database."""
    environment = Env(factories(db_kind))
    yield environment
    problems = environment.close()
    assert not problems, "after the last test:\n" + "\n".join(problems)


@pytest.fixture
def fresh_env(db_kind, factories):
    """An environment for one test alone: for tests that stop, kill or reconfigure things."""
    environment = Env(factories(db_kind))
    yield environment
    problems = environment.close()
    assert not problems, "error logs:\n" + "\n".join(problems)


@pytest.fixture(scope="module")
def all_in_one(env):
    """One httpd with every role, and a client for it: node, client = all_in_one."""
    return env.all_in_one()


@pytest.fixture(autouse=True)
def clean_logs(request):
    """Fails a test that left unexpected lines in an error log."""
    environment = request.getfixturevalue("env") if "env" in request.fixturenames else None
    yield
    if environment is not None:
        bad = environment.check_logs()
        assert not bad, "unexpected in the error log (env.expect_log declares what a test provokes):\n" + "\n".join(bad)
