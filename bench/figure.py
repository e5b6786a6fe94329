# SPDX-License-Identifier: Apache-2.0
"""What bench/churn and bench/scale share: a PostgreSQL that keeps its promises, a back end, a filled registry, paced calls. It builds
on the harness of the integration tests (test/README.md)."""
import json
import os
import pathlib
import socket
import sys
import time

sys.dont_write_bytecode = True
SOURCE = pathlib.Path(__file__).resolve().parents[1]
sys.path.insert(0, str(SOURCE / "test" / "integration"))

from artifacts import artefact, operation  # noqa: E402
from database import PostgresqlFactory  # noqa: E402
from env import Env  # noqa: E402
from support import wait_until  # noqa: E402

MPM = ["StartServers 1", "ServerLimit 2", "ThreadsPerChild 32", "ThreadLimit 32", "MinSpareThreads 1", "MaxSpareThreads 64",
       "MaxRequestWorkers 64"]


def postgresql():
    """A private cluster as it would be used in earnest: commits are on the disk."""
    factory = PostgresqlFactory()
    with open(factory.folder / "data" / "postgresql.conf", "a", encoding="utf-8") as conf:
        conf.write("fsync = on\nsynchronous_commit = on\nfull_page_writes = on\nshared_buffers = 256MB\nmax_wal_size = 4GB\n")
    factory.stop()
    factory.start()
    return factory


def static_backend(env):
    """A httpd that answers /x and /menu with 200 bytes of JSON."""
    node = env.node([], "backend", db=None, start=False)
    for name in ("x", "menu"):
        (node.root / "htdocs" / name).write_text(json.dumps({"text": "7" * 188}), encoding="utf-8")
    return node.start()


def fill_registry(db, number, url, resources=10):
    """So many APIs, deployed to all environments, with so many resources each: /filledN/1.0.0/r0 … Written by SQL."""
    template = artefact("/filled@N@", url, operations=[operation(f"/r{i}", auth="Application & Application User") for i in range(resources)])
    template["id"] = "@ID@"
    text = json.dumps(template).replace("'", "''")
    base = int(db.query("SELECT revision FROM reg_feed_head", name="registry")[0][0])
    db.query(f"""INSERT INTO reg_artifact (kind, key, environment, revision, deleted, payload, updated_at)
        SELECT 'api', id, '', {base} + n, 0, replace(replace('{text}', '@ID@', id), '@N@', n::text), 0
        FROM (SELECT n, gen_random_uuid()::text AS id FROM generate_series(1, {number}) n) x""", name="registry")
    db.query(f"UPDATE reg_feed_head SET revision = {base + number}", name="registry")
    return base + number


def percentile(values, share):
    ordered = sorted(values)
    return ordered[min(len(ordered) - 1, int(len(ordered) * share))] if ordered else float("nan")


def line(values, unit=1000.0):
    """p50, p90, p99 and the largest, in ms."""
    return "  ".join(f"{name} {percentile(values, share) * unit:7.1f}" for name, share in
                     (("p50", .5), ("p90", .9), ("p99", .99), ("max", 1.0)))


class Caller:
    """One kept-alive connection that costs little: status = caller.get(path, token)."""

    def __init__(self, port):
        self.port, self.socket = port, None

    def get(self, path, token=None):
        authorization = f"Authorization: Bearer {token}\r\n" if token else ""
        request = f"GET {path} HTTP/1.1\r\nHost: bench\r\n{authorization}\r\n".encode()
        for attempt in (1, 2):
            try:
                if self.socket is None:
                    self.socket = socket.create_connection(("127.0.0.1", self.port), 30)
                    self.socket.setsockopt(socket.IPPROTO_TCP, socket.TCP_NODELAY, 1)
                self.socket.sendall(request)
                return self._status()
            except OSError:
                self.close()
                if attempt == 2:
                    raise
        return 0

    def _status(self):
        data = b""
        while b"\r\n\r\n" not in data:
            part = self.socket.recv(65536)
            if not part:
                raise ConnectionResetError("closed without an answer")
            data += part
        head, _, body = data.partition(b"\r\n\r\n")
        lower = head.lower()
        where = lower.find(b"content-length:")
        length = int(lower[where + 15:].split(b"\r\n", 1)[0]) if where >= 0 else 0
        while len(body) < length:
            body += self.socket.recv(65536)
        if where < 0 or b"connection: close" in lower:
            self.close()
        return int(head[9:12])

    def close(self):
        if self.socket is not None:
            self.socket.close()
            self.socket = None


def paced(ports, path, token, rate, phase, results):
    """Runs until phase.value is 0: calls at this rate to the ports in turn, one after the other on a clock; a call that comes late
    counts from when it was due. Puts {phase: [seconds]} and the number of failures into the queue results."""
    callers, took, failed = [Caller(p) for p in ports], {}, 0
    due, n = time.monotonic(), 0
    while phase.value:
        now = time.monotonic()
        if now < due:
            time.sleep(due - now)
        which = phase.value
        try:
            status = callers[n % len(callers)].get(path, token)
        except OSError:
            status = 0
        failed += status != 200
        took.setdefault(which, []).append(time.monotonic() - max(due, 0))
        n += 1
        due += 1.0 / rate
        if time.monotonic() - due > 1:  # after a stall: not all at once
            due = time.monotonic()
    results.put((took, failed))


def on_processors(pids, processors, nice=0):
    """Keeps processes, with their threads and what they start, on these processors; with nice < 0, before other work of the machine."""
    for pid in pids:
        for task in os.listdir(f"/proc/{pid}/task"):
            try:
                os.sched_setaffinity(int(task), processors)
                os.setpriority(os.PRIO_PROCESS, int(task), nice)
            except OSError:
                pass


__all__ = ["Caller", "Env", "MPM", "SOURCE", "fill_registry", "line", "on_processors", "paced", "percentile", "postgresql",
           "static_backend", "wait_until"]
