# SPDX-License-Identifier: Apache-2.0
"""Documents that nobody here wrote: npm's @readme/oas-examples, 2.0, 3.0 and 3.1, JSON and YAML. Each one is imported or
refused for a reason that stands below; what is read is compared with what Python's own parsers find."""
import functools
import json
import pathlib
import re
import subprocess

import pytest
import yaml

from support import BUILD

EXAMPLES = pathlib.Path(__file__).resolve().parents[1] / "npm" / "node_modules" / "@readme" / "oas-examples"
TOOL = BUILD / "apim-openapi"
VERBS = {"get", "put", "post", "delete", "options", "head", "patch", "trace"}

# file (relative to the package): what the refusal must say. As of 8.2.2 all documents import.
REFUSED = {}


class CoreLoader(yaml.SafeLoader):
    """PyYAML with the scalars of YAML 1.2's core schema, and keys as text."""
    yaml_implicit_resolvers = {}

    def construct_mapping(self, node, deep=False):
        self.flatten_mapping(node)
        return {key.value: self.construct_object(value, deep=True) for key, value in node.value}


CoreLoader.add_constructor("tag:yaml.org,2002:map", lambda loader, node: loader.construct_mapping(node))
for tag, pattern, first in [
        ("bool", r"^(?:true|True|TRUE|false|False|FALSE)$", "tTfF"),
        ("null", r"^(?:~|null|Null|NULL|)$", ["~", "n", "N", ""]),
        ("int", r"^[-+]?[0-9]+$", "-+0123456789"),
        ("float", r"^[-+]?(?:\.[0-9]+|[0-9]+(?:\.[0-9]*)?)(?:[eE][-+]?[0-9]+)?$", "-+.0123456789"),
        ("merge", r"^<<$", "<")]:
    CoreLoader.add_implicit_resolver(f"tag:yaml.org,2002:{tag}", re.compile(pattern), list(first))
CoreLoader.add_constructor("tag:yaml.org,2002:int", lambda loader, node: int(node.value))
CoreLoader.add_constructor("tag:yaml.org,2002:float", lambda loader, node: float(node.value))


def documents():
    if not EXAMPLES.is_dir():
        return []
    found = [p for version in ("2.0", "3.0", "3.1") for p in (EXAMPLES / version).rglob("*")
             if p.suffix in (".json", ".yaml", ".yml") and p.is_file()]
    return sorted(str(p.relative_to(EXAMPLES)) for p in found)


@functools.lru_cache(None)
def loaded(path):
    text = path.read_text(encoding="utf-8")
    return json.loads(text) if path.suffix == ".json" else yaml.load(text, CoreLoader)


def operations(document):
    """(path, verb) of a document, path items that are references followed."""
    found = []
    for path, item in (document.get("paths") or {}).items():
        while "$ref" in item:
            target = document
            for step in item["$ref"].lstrip("#/").split("/"):
                target = target[step.replace("~1", "/").replace("~0", "~")]
            item = target
        if path.startswith("/"):
            found += [(path, verb) for verb in item if verb in VERBS]
    return found


def run(command, *paths):
    return subprocess.run([TOOL, command, "--round-trip", *paths], capture_output=True, text=True, timeout=120)


@pytest.fixture(scope="module")
def summaries():
    assert documents(), "run npm ci in test/npm (./check does it)"
    done = run("summary", *(EXAMPLES / d for d in documents()))
    assert not done.stderr, done.stderr
    lines = [json.loads(line) for line in done.stdout.splitlines()]
    assert len(lines) == len(documents())
    return dict(zip(documents(), lines))


def test_there_are_documents_of_every_kind():
    kinds = {(d.split("/")[0], d.rsplit(".", 1)[1]) for d in documents()}
    assert kinds >= {(v, k) for v in ("2.0", "3.0", "3.1") for k in ("json", "yaml")}
    assert len(documents()) >= 120


def test_every_document_imports_or_is_refused_for_a_known_reason(summaries):
    wrong = {}
    for name, summary in summaries.items():
        if name in REFUSED:
            said = json.dumps(summary)
            if summary["ok"] or REFUSED[name] not in said:
                wrong[name] = said
        elif not summary["ok"]:
            wrong[name] = summary["problems"] or summary["description"]
    assert not wrong, wrong


def test_counts_are_those_of_an_independent_reader(summaries):
    wrong = {}
    for name, summary in summaries.items():
        document = loaded(EXAMPLES / name)
        want = operations(document)
        paths = sum(p.startswith("/") for p in document.get("paths") or {})
        verbs = {v.upper(): sum(o[1] == v for o in want) for v in {o[1] for o in want}}
        got = (summary["paths"], summary["operations"], summary["verbs"], summary["title"], summary["apiVersion"])
        if got != (paths, len(want), verbs, document["info"]["title"], str(document["info"]["version"])):
            wrong[name] = got, (paths, len(want), verbs)
    assert not wrong, wrong


def test_trees_are_those_of_an_independent_reader():
    wrong = []
    for name in documents():
        done = run("json", EXAMPLES / name)
        if done.returncode or json.loads(done.stdout) != loaded(EXAMPLES / name):
            wrong.append((name, done.stderr))
    assert not wrong, wrong


def test_a_refusal_names_the_place(tmp_path):
    broken = tmp_path / "broken.yaml"
    broken.write_text("openapi: 3.0.0\ninfo: {title: t}\npaths:\n  /a/{x}: {get: {}}\n  /a/{y}: {get: {}}\n  /b: 5\n")
    done = run("validate", broken)
    assert done.returncode == 1
    for place in ("/info: \"version\" is required", "/paths/~1a~1{y}: matches the same calls as the path /a/{x}",
                  "/paths/~1b: a path must be an object"):
        assert place in done.stdout, done.stdout
    broken.write_text("openapi: 3.0.0\ninfo: {title: t\n")
    assert "line 3, column 1" in run("validate", broken).stdout
