# SPDX-License-Identifier: Apache-2.0
"""What README.md says to type works as it stands there."""
import re
import shutil
import subprocess

import pytest

from support import SANITIZE, SOURCE
from test_quickstart import Quickstart, open_scratch

pytestmark = [pytest.mark.slow, pytest.mark.skipif(SANITIZE, reason="the quickstart builds without sanitizers")]
README = (SOURCE / "README.md").read_text(encoding="utf-8")


def blocks(title):
    """The ```sh blocks below a heading, as one script."""
    section = README.split(f"\n## {title}\n", 1)[1].split("\n## ", 1)[0]
    return "\n".join(re.findall(r"^```sh\n(.*?)^```$", section, re.M | re.S))


def test_the_steps_by_curl():
    q = Quickstart(open_scratch())
    try:
        q.ok()
        done = subprocess.run(["bash", "-euo", "pipefail", "-c", blocks("By curl, step by step")], cwd=SOURCE, text=True, timeout=120,
                              stdin=subprocess.DEVNULL, stdout=subprocess.PIPE, stderr=subprocess.STDOUT,
                              env={"PATH": "/usr/bin:/bin", "HOME": str(q.root), "APIM_DIR": str(q.dir)})
        said = done.stdout
        assert done.returncode == 0, said
        for text in ('"APPROVED"', "MyHuts", "2.0", '"UNBLOCKED"', "Greywether\nJuniper Step\nLarkfell Hut", '"status": "confirmed"',
                     "900902", "900901"):
            assert text in said, f"no {text} in:\n{said}"
    finally:
        q("reset")
        shutil.rmtree(q.root, ignore_errors=True)
