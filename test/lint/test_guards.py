# SPDX-License-Identifier: Apache-2.0
"""Guards of the house rules that a compiler does not see."""
import re
import sqlite3
import subprocess
import sys

import pytest

import sources
from sources import BUILD, SOURCE

sys.path.insert(0, str(SOURCE / "test" / "integration"))

import database  # noqa: E402 (needs the path above)

CODE = sources.c_files("modules/", "tools/")


def literals(name):
    """(line number, text) of the string literals of a C file."""
    code = sources.without_comments(sources.text(name))
    for match in re.finditer(r'"((?:\\.|[^"\\\n])*)"', code):
        yield code.count("\n", 0, match.start()) + 1, match[1]


# -- directives -------------------------------------------------------------------------------------------------------

def directives():
    return {m for f in CODE for m in re.findall(r'AP_INIT_\w+\(\s*"(Apim\w+)"', sources.text(f))}


def documents():
    return [f for f in sources.files() if re.fullmatch(r"docs/directives-[\w-]+\.md", f)]


def test_guard_every_directive_is_documented():
    described = {m for f in documents()
                 for m in re.findall(r"^(?:#+ +|\| *)[`*]*(Apim\w+)", sources.text(f), re.M)}
    missing = sorted(directives() - described)
    assert not missing, f"not in docs/directives-*.md (as a heading or in the first column of a table): {missing}"


def test_guard_no_document_names_a_directive_that_is_not_there():
    known = directives() | {m for f in CODE for _, text in literals(f) for m in re.findall(r"Apim[A-Z]\w+", text)}
    wrong = [f"{f}: {word}" for f in sources.files()
             if f.endswith((".md", ".conf", ".load", ".conf.in")) and not f.startswith("test/")
             for word in sorted(set(re.findall(r"\bApim[A-Z]\w+", sources.text(f)))) if word not in known]
    assert not wrong, wrong


# -- messages -----------------------------------------------------------------------------------------------------------

def test_guard_message_ids_are_unique():
    places = {}
    for name in CODE:
        for line, text in literals(name):
            for number in re.findall(r"^(APIM-[A-Z]{2}\d{4})(?::|$)", text):
                places.setdefault(number, []).append(f"{name}:{line}")
    doubles = {number: where for number, where in places.items() if len(where) > 1}
    assert not doubles, doubles


def test_guard_log_lines_carry_a_message_id():
    call = re.compile(r"\bap_log_(?:r|c|p)?error\(\s*APLOG_MARK\s*,\s*APLOG_(EMERG|ALERT|CRIT|ERR|WARNING|NOTICE|INFO)\b(.*?)\)\s*;",
                      re.S)
    bad = []
    for name in CODE:
        code = sources.without_comments(sources.text(name))
        for match in call.finditer(code):
            if not re.search(r'"APIM-|%s', match[2]) and "APLOG_STARTUP" not in match[2]:
                bad.append(f"{name}:{code.count(chr(10), 0, match.start()) + 1}")
    assert not bad, bad


# -- SQL ------------------------------------------------------------------------------------------------------------------

SQL = re.compile(r"\s*(SELECT\s.+\sFROM\b|INSERT\s+INTO\s|UPDATE\s+\w+\s+SET\b|DELETE\s+FROM\s|CREATE\s+(TABLE|INDEX)|PRAGMA\s)")


def test_guard_sql_stands_in_its_files_only():
    bad = [f"{name}:{line}: {text[:60]}" for name in CODE if not re.search(r"_sql\.[ch]$", name)
           for line, text in literals(name) if SQL.match(text)]
    assert not bad, bad


def statement_files():
    return [f for f in CODE if f.endswith("_sql.c")]


def statements(name):
    """{label: SQL} of a statement file, as the compiler sees them."""
    out = subprocess.run(["gcc", "-E", "-P", *sources.compile_flags().get(name, []), SOURCE / name], cwd=BUILD,
                         capture_output=True, text=True, check=True).stdout
    found = {}
    for match in re.finditer(r'const\s+apim_stmt_t\s+(\w+)\s*=\s*\{\s*"(\w+)"\s*,((?:\s*"(?:\\.|[^"\\])*")+)\s*\}', out):
        parts = re.findall(r'"((?:\\.|[^"\\])*)"', match[3])
        found[match[2]] = "".join(parts).replace('\\"', '"').replace("\\n", "\n").replace("\\\\", "\\")
    return found


@pytest.fixture(scope="module")
def postgresql():
    factory = database.PostgresqlFactory()
    yield factory.create()
    factory.close()


@pytest.fixture(scope="module")
def sqlite():
    factory = database.SqliteFactory(None)
    yield factory.create()
    factory.close()


def test_guard_labels_are_unique_and_lower_case():
    seen, bad = {}, []
    for name in statement_files():
        for label in statements(name):
            if label in seen or not re.fullmatch(r"[a-z][a-z0-9_]{2,62}", label):
                bad.append(f"{name}: {label} (also in {seen.get(label)})")
            seen[label] = name
    assert seen and not bad, bad


PARAMETER = re.compile(r"%(%|s|ld|.?)")


@pytest.mark.parametrize("name", statement_files())
def test_guard_statements_prepare_on_sqlite(sqlite, name):
    bad = []
    with sqlite3.connect(sqlite.params()) as db:
        for label, sql in statements(name).items():
            kinds = [k for k in PARAMETER.findall(sql) if k != "%"]
            if set(kinds) - {"s", "ld"}:
                bad.append(f"{label}: only %s and %ld are parameters")
            if label.endswith("_pgsql"):
                continue
            try:
                db.execute("EXPLAIN " + PARAMETER.sub(lambda m: "%" if m[1] == "%" else "?", sql), [None] * len(kinds))
            except sqlite3.Error as error:
                bad.append(f"{label}: {error}")
    assert not bad, "\n".join(bad)


@pytest.mark.parametrize("name", statement_files())
def test_guard_statements_prepare_on_postgresql(postgresql, name):
    bad = []
    for label, sql in statements(name).items():
        if label.endswith("_sqlite"):
            continue
        types = []

        def numbered(match):
            if match[1] == "%":
                return "%"
            types.append("varchar" if match[1] == "s" else "bigint")
            return f"${len(types)}"

        body = PARAMETER.sub(numbered, sql)
        head = f"PREPARE {label} ({', '.join(types)}) AS " if types else f"PREPARE {label} AS "
        try:
            postgresql.query(head + body)
        except AssertionError as error:
            bad.append(f"{label}: {str(error).splitlines()[-1:]} {str(error)[-300:]}")
    assert not bad, "\n".join(bad)


NOT_FOR_ALL = {"modules/common/apim_usage_sql.c": ["apim_gateway", "apim_keymgr"]}  # common, but not every role's


def role_of(name):
    if name in NOT_FOR_ALL:
        return NOT_FOR_ALL[name]
    module = re.search(r"mod_apim_(\w+)/", name)
    return [f"apim_{module[1]}"] if module else [] if name.startswith("tools/") else ["apim_gateway", "apim_keymgr", "apim_portal"]


@pytest.fixture(scope="module")
def granted(postgresql):
    """The database, with the roles of the nodes and what sql/*/grants.sql gives them."""
    for role in ("apim_gateway", "apim_keymgr", "apim_portal"):
        postgresql.query(f"DO $$ BEGIN IF NOT EXISTS (SELECT FROM pg_roles WHERE rolname = '{role}') THEN CREATE ROLE {role}; "
                         "END IF; END $$")
    postgresql.apimctl("migrate")
    return postgresql


@pytest.mark.parametrize("name", statement_files())
def test_guard_roles_may_run_their_statements(granted, name):
    """Least privilege, yet enough: each statement is planned (which checks the rights) by the role that runs it."""
    bad = []
    for role in role_of(name):
        for label, sql in statements(name).items():
            count = sum(k != "%" for k in PARAMETER.findall(sql))
            kinds = iter([k for k in PARAMETER.findall(sql) if k != "%"])
            body = PARAMETER.sub(lambda m: "%" if m[1] == "%" else  # noqa: B023
                                 f"CAST(NULL AS {'varchar' if next(kinds) == 's' else 'bigint'})", sql)  # noqa: B023
            assert count == len(re.findall(r"CAST\(NULL AS", body)) - len(re.findall(r"CAST\(NULL AS", sql))
            try:
                granted.query(f"SET ROLE {role}; EXPLAIN {body}")
            except AssertionError as error:
                if "permission denied" in str(error):
                    bad.append(f"{role}, {label}: {str(error)[-200:]}")
    assert not bad, "\n".join(bad)


def test_guard_migrations_come_in_pairs():
    found = {}
    for name in sources.files():
        match = re.fullmatch(r"sql/(\w+)/(postgresql|sqlite)/(\d{4}_\w+\.sql)", name)
        if match:
            found.setdefault((match[1], match[3]), set()).add(match[2])
    assert found
    alone = [key for key, dialects in found.items() if len(dialects) != 2]
    listed = sources.text("sql/local.mk")
    unlisted = [f for f in sources.files() if f.startswith("sql/") and f.endswith(".sql") and f not in listed]
    assert not alone and not unlisted, (alone, unlisted)


# -- files --------------------------------------------------------------------------------------------------------------

def test_guard_every_source_names_its_licence():
    bad = [f for f in sources.files() if f.endswith((".c", ".h", ".py")) and "SPDX-License-Identifier" not in sources.text(f)[:200]]
    assert not bad, bad


def test_guard_no_notes_to_ourselves():
    bad = [f"{f}: {m}" for f in CODE for m in re.findall(r"\b(?:TODO|FIXME|XXX)\b", sources.text(f))]
    assert not bad, bad
