# SPDX-License-Identifier: Apache-2.0
"""clang-format and clang-tidy over every C file. A file that was clean is looked at again only when it, a header, or the
list of checks has changed."""
import concurrent.futures
import hashlib
import os
import re
import subprocess

import sources
from sources import BUILD, SOURCE


def test_clang_format():
    names = sources.c_files()
    done = subprocess.run(["clang-format", "--dry-run", "-Werror", "--ferror-limit=3", *names], cwd=SOURCE, text=True,
                          capture_output=True)
    assert done.returncode == 0, "run clang-format -i on:\n" + done.stderr[:6000]


def _key(name, flags):
    """Changes when the file, as the compiler sees it with all its headers, or the list of checks changes."""
    seen = subprocess.run(["gcc", "-E", "-C", *flags, str(SOURCE / name)], cwd=BUILD, capture_output=True, check=False)
    return hashlib.sha256(seen.stdout + (SOURCE / ".clang-tidy").read_bytes() + repr(flags).encode()).hexdigest()


def _tidy(name):
    flags = sources.compile_flags().get(name)
    if flags is None:
        return f"{name}: the Makefile does not compile it"
    stamp = BUILD / "tidy-cache" / _key(name, flags)
    if stamp.exists():
        return None
    # The analyzer does not know that a failed assertion of cmocka leaves the function.
    fewer = ["--checks=-clang-analyzer-core.*"] if name.startswith("test/") else []
    done = subprocess.run(["clang-tidy", "--quiet", *fewer, str(SOURCE / name), "--", *flags], cwd=BUILD, text=True,
                          capture_output=True)
    if done.returncode == 0:
        stamp.parent.mkdir(exist_ok=True)
        stamp.touch()
        return None
    errors = [line for line in done.stdout.splitlines() if re.search(r"(error|warning): ", line)]
    return "\n".join(errors) or done.stderr


def test_clang_tidy():
    names = [f for f in sources.c_files() if f.endswith(".c")]
    with concurrent.futures.ThreadPoolExecutor(os.cpu_count() or 2) as pool:
        found = [problem for problem in pool.map(_tidy, names) if problem]
    assert not found, "\n".join(found)
