# SPDX-License-Identifier: Apache-2.0
"""What a person reads and runs first: README.md, the pages of docs/ and the scripts."""
import re
import shutil
import subprocess

import pytest

import sources
from sources import SOURCE

README = (SOURCE / "README.md").read_text(encoding="utf-8")
SCRIPTS = [f for f in sources.files() if f.endswith(".sh") or "." not in f.rsplit("/", 1)[-1] and
           re.match(r"#!.*\b(ba)?sh\b", (SOURCE / f).read_bytes()[:80].decode("utf-8", "replace"))]


def test_every_link_leads_somewhere():
    for page in [SOURCE / "README.md", *(SOURCE / "docs").glob("*.md"), SOURCE / "test" / "README.md"]:
        for link in re.findall(r"\]\(([^)#:]+)(?:#[^)]*)?\)", page.read_text(encoding="utf-8")):
            assert (page.parent / link).exists(), f"{page.name}: {link}"


def test_every_directive_stands_in_the_readme():
    documented = {d for page in (SOURCE / "docs").glob("directives-*.md")
                  for d in re.findall(r"^\| *`(Apim\w+)`", page.read_text(encoding="utf-8"), re.M)}
    assert documented and not sorted(d for d in documented if d not in README)


@pytest.mark.skipif(not shutil.which("shellcheck"), reason="shellcheck is not installed")
@pytest.mark.parametrize("script", SCRIPTS)
def test_shellcheck_has_nothing_to_say(script):
    done = subprocess.run(["shellcheck", "-x", "-P", str(SOURCE), script], cwd=SOURCE, capture_output=True, text=True)
    assert done.returncode == 0, done.stdout
