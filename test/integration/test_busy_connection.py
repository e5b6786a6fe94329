# SPDX-License-Identifier: Apache-2.0
"""ApimKeepAliveHold: connections that stay with their thread between requests behave as others do."""
import socket
import threading
import time

import pytest
import requests

from support import PATIENCE, wait_until

pytestmark = pytest.mark.databases("sqlite")
LINES = """
ApimKeepAliveHold {hold}
ApimFeed http://127.0.0.1:9
ApimKeyManager http://127.0.0.1:9
KeepAliveTimeout 1
MaxKeepAliveRequests 40
<Location /x>
    ProxyPass {backend}/x
</Location>
"""


@pytest.fixture
def site(env):
    """site(hold, threads) -> (node, backend): one child."""
    def make(hold="200ms", threads=8):
        backend = env.backend()
        node = env.node(["gateway"], "held", db=None, gateway_location=["<Location /none>", "Require all granted", "</Location>"],
                        extra=LINES.format(hold=hold, backend=backend.url),
                        mpm_lines=["StartServers 1", "ServerLimit 1", f"ThreadsPerChild {threads}", f"ThreadLimit {threads}",
                                   f"MaxRequestWorkers {threads}", "MinSpareThreads 1", f"MaxSpareThreads {threads}"])
        return node, backend
    return make


class Raw:
    """A connection that counts answers."""

    def __init__(self, node):
        self.socket = socket.create_connection(("127.0.0.1", node.port), 10)
        self.data = b""

    def send(self, times=1, path="/x"):
        self.socket.sendall(f"GET {path} HTTP/1.1\r\nHost: x\r\n\r\n".encode() * times)

    def answers(self, number):
        """Reads until so many answers began, or the connection ended; how many."""
        while self.data.count(b"HTTP/1.1 200") < number or not self.data.endswith((b"}", b"x")):
            part = self.socket.recv(65536)
            if not part:
                break
            self.data += part
        return self.data.count(b"HTTP/1.1 200")


def test_requests_one_after_the_other_and_all_at_once(site):
    node, backend = site()
    one = Raw(node)
    for n in range(1, 11):
        one.send()
        assert one.answers(n) == n
    one.send(20)
    assert one.answers(30) == 30 and backend.requests == 30
    one.send(20)
    assert one.answers(99) == 41  # MaxKeepAliveRequests: the first is not counted
    assert b"Connection: close" in one.data


def test_an_idle_connection_is_closed_when_its_time_is_over(site):
    node, _ = site()
    one = Raw(node)
    one.send()
    assert one.answers(1) == 1
    begun = time.monotonic()
    assert one.socket.recv(1) == b""
    assert 0.8 < time.monotonic() - begun < 4 * PATIENCE


def test_a_client_that_goes_away_frees_its_thread(site):
    node, _ = site("1s", threads=4)
    for _ in range(12):
        one = Raw(node)
        one.send()
        one.answers(1)
        one.socket.close()
    took = []
    for _ in range(4):
        begun = time.monotonic()
        assert requests.get(node.url + "/x", timeout=10).status_code == 200
        took.append(time.monotonic() - begun)
    assert min(took) < 0.9 * PATIENCE


def test_held_connections_leave_threads_for_others(site):
    """Many more connections than threads, all of them busy: each gets its share."""
    node, backend = site("1s", threads=4)
    done, ended = [0] * 12, threading.Event()

    def client(n):
        while not ended.is_set():
            one = Raw(node)
            try:
                for i in range(1, 31):
                    one.send()
                    if one.answers(i) != i or ended.is_set():
                        break
                    done[n] += 1
            finally:
                one.socket.close()
    threads = [threading.Thread(target=client, args=(n,), daemon=True) for n in range(12)]
    for thread in threads:
        thread.start()
    wait_until(lambda: min(done) >= 20, 20, what="every connection is served")
    ended.set()
    for thread in threads:
        thread.join(10)


def test_graceful_restart_takes_them_back(env, site):
    """A connection that is never idle ends with its process, after an answer that says so or between two."""
    node, _ = site()
    old = wait_until(node.children, 20, what="its child")[0]
    one, ended = Raw(node), time.monotonic() + 20 * PATIENCE
    one.send()
    one.answers(1)
    env.expect_log("AH03490")  # one slot for children only
    node.graceful(wait=False)
    one.socket.settimeout(5)
    n = 1
    while time.monotonic() < ended and old in node.children():
        try:
            one.send()
            n += 1
            if one.answers(n) != n:
                break
        except OSError:
            break
    wait_until(lambda: old not in node.children(), 20, what="the old child ends")
    assert requests.get(node.url + "/x", timeout=10).status_code == 200
