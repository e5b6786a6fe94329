# SPDX-License-Identifier: Apache-2.0
"""What the linters look at: the files under version control, or all of them in an unpacked tarball."""
import functools
import os
import pathlib
import re
import shlex
import subprocess

SOURCE = pathlib.Path(__file__).resolve().parents[2]
BUILD = pathlib.Path(os.environ.get("APIM_BUILD") or SOURCE / "build").resolve()
SKIPPED = {"build-aux", "node_modules", "autom4te.cache", "m4", ".git"}


@functools.lru_cache(None)
def files():
    """Paths relative to the top, as text."""
    listed = subprocess.run(["git", "ls-files", "-co", "--exclude-standard"], cwd=SOURCE, capture_output=True, text=True)
    if listed.returncode == 0:
        names = listed.stdout.split("\n")
    else:
        names = [str(p.relative_to(SOURCE)) for p in SOURCE.rglob("*")
                 if not SKIPPED & set(p.relative_to(SOURCE).parts) and not p.relative_to(SOURCE).parts[0].startswith("build")]
    return sorted(n for n in names if n and (SOURCE / n).is_file())


def c_files(*folders):
    return [f for f in files() if f.endswith((".c", ".h")) and f.startswith(folders or ("modules/", "tools/", "test/", "bench/"))]


def text(name):
    return (SOURCE / name).read_text(encoding="utf-8")


def without_comments(code):
    """C with its comments blanked, line numbers kept; string literals stay."""
    def blank(match):
        return match[0] if match[0][0] in "\"'" else re.sub(r"[^\n]", " ", match[0])
    return re.sub(r'"(?:\\.|[^"\\\n])*"|\'(?:\\.|[^\'\\\n])*\'|/\*.*?\*/|//[^\n]*', blank, code, flags=re.S)


@functools.lru_cache(None)
def compile_flags():
    """{source file: [-D, -I, -isystem, -std flags]} as the Makefile would compile them; nothing is built."""
    changed = []
    for name in c_files():
        if name.endswith(".c"):
            changed += ["-W", name, "-W", os.path.relpath(SOURCE / name, BUILD)]
    plan = subprocess.run(["make", "-n", "V=1", *changed, "all-am", "check-programs"], cwd=BUILD, capture_output=True,
                          text=True, stdin=subprocess.DEVNULL).stdout
    flags = {}
    for line in plan.replace("\\\n", " ").split("\n"):
        match = re.search(r" -c -o \S+ (?:`test -f '[^']+' \|\| echo '[^']+'`)?(\S+\.c)\b", line)
        if match:
            path = next(p for p in ((BUILD / match[1]).resolve(), SOURCE / match[1]) if p.exists())
            words = shlex.split(line[:match.start()].split(";")[-1])
            keep, take = [], False
            for word in words:
                if take or word.startswith(("-D", "-I", "-std", "-isystem", "-pthread")):
                    keep.append(word)
                    take = word in ("-D", "-I", "-isystem")
            flags[str(path.relative_to(SOURCE))] = keep
    return flags


if __name__ == "__main__":
    for source, words in compile_flags().items():
        print(source, *words)
