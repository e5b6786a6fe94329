# SPDX-License-Identifier: Apache-2.0
"""Small things every part of the test environment uses."""
import fcntl
import os
import pathlib
import pwd
import random
import socket
import subprocess
import time

SOURCE = pathlib.Path(__file__).resolve().parents[2]
SANITIZE = os.environ.get("APIM_SANITIZE") == "1"
BUILD = pathlib.Path(os.environ.get("APIM_BUILD") or SOURCE / ("build-asan" if SANITIZE else "build")).resolve()

# Everything is slower under sanitizers; deadlines, not sleeps, absorb that.
PATIENCE = 3.0 if SANITIZE else 1.0


def wait_until(condition, deadline=15.0, every=0.05, what=None):
    """Calls condition() until it is true and returns its value. Fails after `deadline` seconds (times PATIENCE)."""
    end = time.monotonic() + deadline * PATIENCE
    while True:
        value = condition()
        if value:
            return value
        if time.monotonic() > end:
            raise AssertionError(f"not within {deadline * PATIENCE:.0f} s: {what or condition}")
        time.sleep(every)


RESERVED = []  # open files whose locks keep ports for this process


def free_port():
    """A port nobody listens on, above 20000 and below the range the kernel takes client ports from. It is this process's until its
    end, also while nobody listens on it: other test processes on the machine get others."""
    folder = pathlib.Path("/tmp/apim-test-ports")
    folder.mkdir(exist_ok=True)
    if folder.stat().st_uid == os.geteuid():
        folder.chmod(0o1777)
    for _ in range(500):
        port = random.randint(20000, 32000)
        try:
            file = open(folder / str(port), "a", encoding="utf-8")
        except PermissionError:
            continue
        try:
            fcntl.flock(file, fcntl.LOCK_EX | fcntl.LOCK_NB)
            with socket.socket() as s:
                s.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
                s.bind(("127.0.0.1", port))
        except OSError:
            file.close()
            continue
        RESERVED.append(file)
        return port
    raise RuntimeError("no free port found")


def listening(port):
    with socket.socket() as s:
        s.settimeout(1)
        return s.connect_ex(("127.0.0.1", port)) == 0


def is_root():
    return os.geteuid() == 0


def first_user(*names):
    """The first of these users that exists, when we are root and may become someone else; otherwise None."""
    if is_root():
        for name in names:
            try:
                return pwd.getpwnam(name)
            except KeyError:
                continue
    return None


def give_to(path, user):
    """Hands a directory tree over to a user (a pwd entry); nothing happens for None."""
    if user is None:
        return
    for root, dirs, files in os.walk(path):
        os.chown(root, user.pw_uid, user.pw_gid)
        for name in files:
            os.chown(os.path.join(root, name), user.pw_uid, user.pw_gid)


def run(argv, user=None, check=True, stdin="", **more):
    """subprocess.run with text, captured output and no terminal; user is a pwd entry or None."""
    if user is not None:
        more.update(user=user.pw_uid, group=user.pw_gid, extra_groups=[])
    done = subprocess.run([str(a) for a in argv], input=stdin, text=True, stdout=subprocess.PIPE,
                          stderr=subprocess.STDOUT, timeout=120 * PATIENCE, **more)
    if check and done.returncode != 0:
        raise AssertionError(f"{' '.join(map(str, argv))} ended with {done.returncode}:\n{done.stdout}")
    return done


def apimctl(*args, db=None, which="api_manager", check=True, stdin=""):
    """Runs the built apimctl against database `which` of `db`, if one is given."""
    env = dict(os.environ, APIM_SQL_DIR=str(SOURCE / "sql"))
    for name in ("APIM_DB_DRIVER", "APIM_DB_PARAMS"):
        env.pop(name, None)
    if db is not None:
        env.update(APIM_DB_DRIVER=db.driver, APIM_DB_PARAMS=db.params(which))
    if SANITIZE:
        env.update(ASAN_OPTIONS="detect_leaks=0", UBSAN_OPTIONS="print_stacktrace=1")
    return run([BUILD / "apimctl", *args], env=env, check=check, stdin=stdin)
