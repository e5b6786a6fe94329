# SPDX-License-Identifier: Apache-2.0
"""How a role in another httpd reaches the Key Manager: what goes over the wire, connections, failures. The gateway's operation
verify is the caller; the peer is one that counts and misbehaves (test_gateway_authorize.py has the real ones)."""
import concurrent.futures
import json
import socket
import ssl
import subprocess
import threading
import time

import pytest
import requests

from artifacts import artefact, deploy, operation
from calls import ANY, facts, fault
from httpd import MODULES
from support import PATIENCE, free_port, wait_until

pytestmark = pytest.mark.databases("sqlite")


def gateway(env, url, extra="", **more):
    """A gateway with one API that asks the Key Manager at url."""
    node = env.node(["gateway"], keymgr=url, extra=f"ApimKeyManagerTimeout 1s\n{extra}", **more)
    deploy(env.db, artefact("/api", env.backend().url, operations=[operation("/*", v, ANY) for v in ("GET", "POST")]))
    wait_until(lambda: ask(node, None).status_code == 401, 10)
    return node


def ask(node, token, method="GET", session=None, **more):
    headers = dict(more.pop("headers", {}))
    if token:
        headers["Authorization"] = f"Bearer {token}"
    return (session or requests).request(method, node.gateway_url + "/api/1.0.0/x", headers=headers, timeout=60, **more)


class Peer:
    """A peer for faults. answer(n, request) gets the number of the request and its raw bytes; it returns the raw answer, None to close."""

    def __init__(self, answer, one_each=False, context=None):
        self.answer, self.one_each, self.context = answer, one_each, context
        self.requests, self.connections, self.now, self.most = [], 0, 0, 0
        self.lock = threading.Lock()
        self.socket = socket.create_server(("127.0.0.1", 0), backlog=64)
        self.url = f"http://127.0.0.1:{self.socket.getsockname()[1]}"
        threading.Thread(target=self._accept, daemon=True).start()

    def _accept(self):
        while True:
            try:
                connection, _ = self.socket.accept()
            except OSError:
                return
            self.connections += 1
            threading.Thread(target=self._guarded, args=(connection,), daemon=True).start()

    def _guarded(self, connection):
        try:
            if self.context:
                connection = self.context.wrap_socket(connection, server_side=True)
            self._serve(connection)
        except OSError:
            pass

    def _serve(self, connection):
        data = b""
        with connection:
            while True:
                while b"\r\n\r\n" not in data:
                    more = connection.recv(65536)
                    if not more:
                        return
                    data += more
                head, rest = data.split(b"\r\n\r\n", 1)
                length = next((int(line.split(b":")[1]) for line in head.split(b"\r\n")
                               if line.lower().startswith(b"content-length:")), 0)
                while len(rest) < length:
                    rest += connection.recv(65536)
                self.requests.append(head + b"\r\n\r\n" + rest[:length])
                data = rest[length:]
                with self.lock:
                    self.now += 1
                    self.most = max(self.most, self.now)
                out = self.answer(len(self.requests), self.requests[-1])
                with self.lock:
                    self.now -= 1
                if out is None:
                    return
                connection.sendall(out)
                if self.one_each:
                    return

    def close(self):
        self.socket.close()


def http(body, status=200, more=""):
    body = body if isinstance(body, bytes) else json.dumps(body).encode()
    return f"HTTP/1.1 {status} X\r\nContent-Type: application/json\r\nContent-Length: {len(body)}\r\n{more}\r\n".encode() + body


GRANT = {"authorized": True, "tokenId": "t", "consumerKey": "c", "keyType": "PRODUCTION", "userType": "APPLICATION", "username": "u",
         "applicationId": "a", "applicationName": "n", "applicationTier": "Unlimited", "applicationOwner": "o",
         "subscriptionId": "s", "subscriptionTier": "Unlimited", "scopes": []}


@pytest.fixture
def peer():
    made = []

    def make(answer, **more):
        made.append(Peer(answer, **more))
        return made[-1]

    yield make
    for one in made:
        one.close()


def test_what_goes_over_the_wire(fresh_env, peer):
    p = peer(lambda n, r: http(GRANT))
    node = gateway(fresh_env, p.url, extra="RequestHeader set X-Operator 1\n<Proxy *>\nRequire all denied\n</Proxy>\n"
                   "ProxyErrorOverride On\nProxyVia Full", mpm_lines=ONE_CHILD,
                   gateway_extra="<Proxy *>\nRequire all granted\n</Proxy>")
    for i in range(20):
        r = ask(node, f"token-{i}", headers={"Cookie": "secret=1", "X-Forwarded-For": "1.2.3.4", "X-Mine": "1",
                                             "If-None-Match": '"x"'})
        assert r.status_code == 200, r.text
    assert len(p.requests) == 20
    assert p.connections == 1, "the connection is kept open"
    head, body = p.requests[3].split(b"\r\n\r\n", 1)
    lines = head.decode().split("\r\n")
    assert lines[0] == "POST /internal/keymgr/v1/verify HTTP/1.1"
    headers = {line.split(":")[0].lower(): line.split(":", 1)[1].strip() for line in lines[1:]}
    assert headers["x-apim-cluster-secret"] == fresh_env.secret
    assert headers["content-type"] == "application/json"
    asked = json.loads(body)
    assert asked["token"] == "token-3" and asked["subscriptionRequired"] is True and asked["clientIp"] == "127.0.0.1"
    for gone in ("cookie", "x-mine", "if-none-match", "authorization", "x-operator", "max-forwards"):
        assert gone not in headers
    assert "1.2.3.4" not in head.decode()


ONE_CHILD = ["StartServers 1", "ServerLimit 1", "ThreadsPerChild 30", "ThreadLimit 30", "MinSpareThreads 1", "MaxSpareThreads 30",
             "MaxRequestWorkers 30"]


def test_body_of_the_client_stays_untouched(fresh_env, peer):
    p = peer(lambda n, r: http(GRANT))
    node = gateway(fresh_env, p.url)
    with requests.Session() as s:
        for i in range(5):  # on one connection: a body read twice or left would break the next request
            data = bytes([65 + i]) * 200000
            r = ask(node, f"t{i}", "POST", s, data=data)
            assert r.status_code == 200 and r.json()["length"] == len(data)
    assert all(b"AAAA" not in q for q in p.requests)


def test_no_path_for_clients(fresh_env, peer):
    p = peer(lambda n, r: http(GRANT))
    node = gateway(fresh_env, p.url)
    for base in (node.url, node.gateway_url):
        for path in ("/internal/keymgr/v1/verify", "/verify", "//internal/keymgr/v1/verify"):
            r = requests.post(base + path, json={"token": "x"}, headers={"X-Apim-Cluster-Secret": fresh_env.secret}, timeout=20)
            assert r.status_code in (401, 403, 404), (path, r.status_code)
    assert not p.requests


def test_a_kept_connection_that_was_closed(fresh_env, peer):
    """The peer closes without a word instead of the second answer on each connection: the race of kept-alive connections."""
    fresh_env.expect_log("AH01102", "AH00898")
    p = peer(lambda n, r: http(GRANT) if n % 2 else None)
    node = gateway(fresh_env, p.url, mpm_lines=ONE_CHILD)
    assert [ask(node, f"t{i}").status_code for i in range(6)] == [200] * 6


def test_idle_connections_closed_by_the_key_manager_are_noticed(fresh_env, peer):
    p = peer(lambda n, r: http(GRANT), one_each=True)
    node = gateway(fresh_env, p.url, mpm_lines=ONE_CHILD)
    for i in range(5):
        assert ask(node, f"t{i}").status_code == 200
        time.sleep(0.05)
    assert p.connections == 5


FAULTS = {
    "refuses": None,
    "resets": lambda n, r: None,
    "garbage": lambda n, r: b"\x00\x01\x02 hello\r\n\r\n",
    "no json": lambda n, r: http(b"<html>sorry</html>"),
    "half json": lambda n, r: http(b'{"authorized": tr'),
    "array": lambda n, r: http(b"[]"),
    "says nothing": lambda n, r: http({"x": 1}),
    "too large": lambda n, r: http(b'{"x": "' + b"y" * 400000 + b'"}'),
    "short": lambda n, r: b"HTTP/1.1 200 OK\r\nContent-Length: 500\r\n\r\n{",
    "401": lambda n, r: http({"code": 401, "message": "Unauthorized", "description": "no"}, 401),
    "400": lambda n, r: http({"code": 400, "message": "Bad Request", "description": "no"}, 400),
    "500": lambda n, r: http(b"oops", 500),
    "404": lambda n, r: http({"code": 404, "message": "Not Found", "description": "There is no resource at this path."}, 404),
    "302": lambda n, r: http(b"", 302, "Location: http://elsewhere/\r\n"),
    "503": lambda n, r: http({"code": 503, "message": "Service Unavailable", "description": "The database is away."}, 503),
}


@pytest.mark.parametrize("name", sorted(FAULTS))
def test_fault_is_503_never_401_and_never_remembered(fresh_env, peer, name):
    fresh_env.expect_log(r"\[proxy", "APIM-GW0100")
    mood = {"answer": FAULTS[name]}
    p = peer(lambda n, r: mood["answer"](n, r)) if FAULTS[name] else None
    node = gateway(fresh_env, p.url if p else f"http://127.0.0.1:{free_port()}")
    for i in range(2):
        r = ask(node, f"t{i}")
        assert fault(r) == (503, "900900"), r.text
        assert int(r.headers["Retry-After"]) > 0
        assert "127.0.0.1" not in r.text
    if p:
        mood["answer"] = lambda n, r: http(GRANT)
        assert ask(node, "t0").status_code == 200


@pytest.mark.parametrize("how", ["silent", "drips"])
def test_slow_peer_is_bounded(fresh_env, peer, how):
    fresh_env.expect_log(r"\[proxy", "APIM-GW0100")

    def drip(connection):
        connection.recv(65536)
        try:
            if how == "drips":
                connection.sendall(b"HTTP/1.1 200 OK\r\nContent-Length: 100000\r\n\r\n")
            for _ in range(60):
                if how == "drips":
                    connection.sendall(b" ")
                time.sleep(0.1)
        except OSError:
            pass

    p = peer(None)
    p._serve = drip
    node = gateway(fresh_env, p.url)
    start = time.monotonic()
    assert fault(ask(node, "t")) == (503, "900900")
    assert 0.7 < time.monotonic() - start < 2.5 * PATIENCE


@pytest.mark.parametrize("death", ["closed", "502"])
def test_two_that_die_with_the_question_in_their_hands(fresh_env, peer, death):
    """As when Key Managers are killed one after the other, seen directly (closed) and through a balancer (502): a third is asked."""
    fresh_env.expect_log(r"\[proxy")
    deaths = {"left": 0}

    def answer(n, r):
        if not deaths["left"]:
            return http(GRANT)
        deaths["left"] -= 1
        return http(b"<html>", 502) if death == "502" else None

    p = peer(answer)
    node = gateway(fresh_env, p.url)
    assert ask(node, "known").status_code == 200
    for left in (1, 2):
        deaths["left"], before = left, len(p.requests)
        assert ask(node, f"t{left}").status_code == 200
        assert len(p.requests) == before + left + 1


def test_other_tries_do_not_make_callers_wait_longer(fresh_env, peer):
    """The first one dies late, the second is silent: it gets what is left of the time."""
    fresh_env.expect_log(r"\[proxy", "APIM-GW0100")

    def answer(n, r):
        time.sleep(0.9 if n == 1 else 10)

    p = peer(answer)
    node = gateway(fresh_env, p.url, extra="ApimKeyManagerTimeout 2s")
    start = time.monotonic()
    assert fault(ask(node, "t")) == (503, "900900")
    took = time.monotonic() - start
    assert len(p.requests) == 2 and 1.8 < took < 2.6 * PATIENCE  # 2.9 if each had its own two seconds


def test_slow_key_manager_does_not_take_all_threads(fresh_env, peer):
    """A second to answer, 20 different tokens at once, 4 connections: calls with a known token go on at full speed."""
    fresh_env.expect_log(r"\[proxy", "APIM-GW0100")

    def slow(n, r):
        if b"known" not in r:
            time.sleep(0.6)
        return http(GRANT)

    p = peer(slow)
    node = gateway(fresh_env, p.url, extra="ApimKeyManagerConnections 4", mpm_lines=ONE_CHILD)
    assert ask(node, "known").status_code == 200
    with concurrent.futures.ThreadPoolExecutor(20) as pool:
        cold = [pool.submit(ask, node, f"t{i}") for i in range(20)]
        time.sleep(0.2)
        start = time.monotonic()
        assert ask(node, "known").status_code == 200
        assert time.monotonic() - start < 0.4 * PATIENCE
        answers = [c.result() for c in cold]
    assert {a.status_code for a in answers} == {200, 503}
    assert p.most <= 4
    assert sum(a.status_code == 200 for a in answers) >= 4
    assert all("Retry-After" in a.headers for a in answers if a.status_code == 503)


def test_breaker(fresh_env, peer):
    """After failures in a row nobody waits for the Key Manager; one try a second brings it back."""
    fresh_env.expect_log(r"\[proxy", "APIM-GW0100")
    mood = {"down": True}

    def answer(n, r):
        return http(b"oops", 500) if mood["down"] else http(GRANT)

    p = peer(answer)
    node = gateway(fresh_env, p.url)
    for i in range(30):
        assert ask(node, f"t{i}").status_code == 503
    assert len(p.requests) <= 10
    assert facts(node)["KeyManagerBreaker"] in ("open", "half-open")
    mood["down"] = False
    wait_until(lambda: ask(node, "back").status_code == 200, 5)
    assert facts(node)["KeyManagerBreaker"] == "closed"


def test_waiting_calls_fail_together(fresh_env, peer):
    """One asks and fails; those who waited for it do not queue up to fail one after the other."""
    fresh_env.expect_log(r"\[proxy", "APIM-GW0100")

    def slow(n, r):
        time.sleep(0.5)
        return http(b"oops", 500)

    p = peer(slow)
    node = gateway(fresh_env, p.url, mpm_lines=ONE_CHILD)
    start = time.monotonic()
    with concurrent.futures.ThreadPoolExecutor(12) as pool:
        answers = [f.result() for f in [pool.submit(ask, node, "same") for _ in range(12)]]
    assert {a.status_code for a in answers} == {503}
    assert time.monotonic() - start < 1.6 * PATIENCE and len(p.requests) <= 2


def test_answers_too_large_for_a_slot_still_count_once(fresh_env, peer):
    p = peer(lambda n, r: http({**GRANT, "scopes": [f"scope-number-{i}" for i in range(300)]}))
    node = gateway(fresh_env, p.url)
    for _ in range(5):
        assert ask(node, "large").status_code == 200
    assert len(p.requests) == 1, "5 KB of scopes fit the large slots"
    p.answer = lambda n, r: http({**GRANT, "scopes": [f"scope-number-{i}" for i in range(900)]})
    for _ in range(5):
        assert ask(node, "huge").status_code == 200
    assert len(p.requests) == 6 and facts(node)["CacheTooLarge"] >= 5


@pytest.fixture(scope="session")
def certificate(tmp_path_factory):
    folder = tmp_path_factory.mktemp("tls")
    subprocess.run(["openssl", "req", "-x509", "-newkey", "rsa:2048", "-nodes", "-keyout", folder / "key.pem", "-out", folder / "cert.pem",
                    "-days", "2", "-subj", "/CN=localhost", "-addext", "subjectAltName=DNS:localhost"], check=True, capture_output=True)
    return folder


@pytest.mark.parametrize("kind", ["single", "balancer"])
def test_over_tls(fresh_env, peer, certificate, kind):
    context = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
    context.load_cert_chain(certificate / "cert.pem", certificate / "key.pem")
    p = peer(lambda n, r: http(GRANT), context=context)
    url = p.url.replace("http://127.0.0.1", "https://localhost")
    ca = fresh_env.root / "ca.pem"
    ca.write_bytes((certificate / "cert.pem").read_bytes())
    verify = f"SSLProxyEngine On\nSSLProxyCACertificateFile {ca}\nSSLProxyVerify require\n"
    extra = f"SSLProxyEngine On\n{verify}"
    if kind == "balancer":
        extra = f"<Proxy balancer://keymgr>\nBalancerMember {url}\n{verify}</Proxy>"
        url = "balancer://keymgr"
    node = gateway(fresh_env, url, extra=extra, mpm_lines=ONE_CHILD, modules=MODULES + ("ssl",))
    for i in range(5):
        assert ask(node, f"t{i}").status_code == 200, node.tail()
    assert p.connections == 1 and len(p.requests) == 5
