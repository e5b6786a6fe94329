# SPDX-License-Identifier: Apache-2.0
"""Guards of the web pages: every language says everything, and the Makefile knows every file."""
import pathlib
import re

import pytest

import sources

WEB = "modules/mod_apim_portal/web/"
MESSAGES = WEB + "src/messages/"


def texts(name):
    """Key to text of a file of words."""
    return dict(re.findall(r"^  '([\w. &-]+)': '((?:\\.|[^'\\])*)',$", sources.text(name), re.M))


def english():
    return [f for f in sources.files() if f.startswith(MESSAGES + "en/")]


@pytest.mark.parametrize("name", english(), ids=lambda f: pathlib.Path(f).stem)
def test_guard_every_language_has_the_same_keys(name):
    words = texts(name)
    assert len(words) == sum(line.startswith("  '") for line in sources.text(name).splitlines()), "a line that is no 'key': 'text',"
    languages = {f.removeprefix(MESSAGES).split("/")[0] for f in sources.files() if f.startswith(MESSAGES)}
    for language in languages - {"en"}:
        others = texts(name.replace("/en/", f"/{language}/"))
        assert sorted(others) == sorted(words), language
        for key, text in words.items():
            places = [sorted(re.findall(r"\{\d\}", t)) for t in (text, others[key])]
            assert places[0] == places[1] and others[key].strip(), (language, key)


def test_guard_the_makefile_knows_every_page():
    listed = set(re.findall(r"\$\(PAGES_DIR\)/([\w./-]+)", sources.text(WEB + "local.mk")))
    there = {f.removeprefix(WEB) for f in sources.files() if f.startswith(WEB)} - {"local.mk"}
    assert there - listed == set()
