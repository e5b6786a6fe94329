# SPDX-License-Identifier: Apache-2.0
"""ApimRetryIdempotent: a member of a balancer that goes away with a call in its hands is not seen by the caller."""
import socket
import time

import pytest
import requests

from support import PATIENCE

LINES = """
<Proxy "balancer://members" lbmethod=byrequests>
    BalancerMember {first.url} retry=0
    BalancerMember {second.url} retry=0
</Proxy>
<Proxy "balancer://slow" lbmethod=byrequests>
    BalancerMember {first.url} retry=60 timeout=1
    BalancerMember {second.url} retry=0 timeout=1
    ProxySet failontimeout=On
</Proxy>
<Proxy "balancer://one" lbmethod=byrequests>
    BalancerMember {first.url} retry=0 timeout=10
</Proxy>
ProxyTimeout 1
<Location /single>
    ProxyPass balancer://one
    ApimRetryIdempotent On
</Location>
<Location /hanging>
    ProxyPass balancer://slow
    ApimRetryIdempotent On
</Location>
<Location /plain>
    ProxyPass balancer://members
</Location>
<Location /again>
    ProxyPass balancer://members
    ApimRetryIdempotent On
</Location>
<Location /limited>
    ProxyPass balancer://members
    ApimRetryIdempotent On
</Location>
"""


@pytest.fixture
def balancer(env):
    first, second = env.backend("first"), env.backend("second")
    node = env.node(["gateway"], "balancer", db=None, gateway_location=["<Location />", "Require all granted", "</Location>"],
                    extra=LINES.format(first=first, second=second) + "ApimFeed http://127.0.0.1:9\nApimKeyManager http://127.0.0.1:9")
    env.expect_log(r"proxy_http:error.*(AH01102|AH01110)", r"proxy:error.*AH00898", "AH02460")
    yield node, first, second
    node.stop()


def ask(session, method, url, **more):
    try:
        return session.request(method, url, timeout=10, **more).status_code
    except requests.ConnectionError:
        return 0


@pytest.mark.databases("sqlite")
def test_idempotent_calls_go_to_another_member(balancer):
    node, first, second = balancer
    first.drop = True  # reads the call, closes the connection
    kept = requests.Session()
    for method in ("GET", "HEAD", "OPTIONS", "DELETE"):
        assert {ask(kept, method, node.url + "/again/x") for _ in range(6)} == {200}, method
        assert {ask(requests.Session(), method, node.url + "/again/x") for _ in range(6)} == {200}, method
    assert first.requests > 0 and "APIM-GW0301" in node.log()
    # What httpd does by itself: 502, or the connection is closed without an answer.
    assert {ask(kept, "GET", node.url + "/plain/x") for _ in range(8)} - {200}


@pytest.mark.databases("sqlite")
def test_a_short_answer_that_breaks_off_is_asked_for_again(balancer):
    node, first, second = balancer
    first.half, first.headers = True, [("Set-Cookie", "from=first"), ("X-From", "first")]
    second.headers = [("X-From", "second")]
    kept = requests.Session()
    for session in (kept, kept, requests.Session(), kept, kept, requests.Session()):
        r = session.get(node.url + "/again/x", timeout=10)
        assert r.status_code == 200 and r.json()["backend"] == "second"
        assert r.headers["X-From"] == "second" and "Set-Cookie" not in r.headers
    assert first.requests > 0
    second.half = True
    assert ask(requests.Session(), "GET", node.url + "/again/x") == 502  # whole, and kept-alive connections go on
    assert ask(kept, "GET", node.url + "/again/x") == 502
    assert is_half(node.url + "/plain/x")  # what httpd does by itself


@pytest.mark.databases("sqlite")
def test_a_member_that_is_silent_is_asked_once(balancer):
    node, first, second = balancer
    first.delay = second.delay = 5
    begun = time.monotonic()
    assert ask(requests.Session(), "GET", node.url + "/hanging/x") in (502, 504)
    assert time.monotonic() - begun < 4
    second.delay = 0
    assert {ask(requests.Session(), "GET", node.url + "/hanging/x") for _ in range(3)} == {200}
    assert (first.requests, second.requests) == (1, 4)


@pytest.mark.databases("sqlite")
def test_members_that_die_one_after_the_other(balancer):
    """Three in a row, as when nodes are killed just as the call gets to them: the fourth try comes a moment later."""
    node, first, _ = balancer
    first.drop = 3
    assert ask(requests.Session(), "GET", node.url + "/single/x") == 200
    assert first.drop == 0 and first.requests == 4
    first.drop = 4
    assert ask(requests.Session(), "GET", node.url + "/single/x") == 502


@pytest.mark.databases("sqlite")
def test_no_other_try_is_begun_when_the_caller_has_waited_for_long(balancer):
    node, first, _ = balancer
    first.drop, first.delay = True, 1.2  # ProxyTimeout is 1 s; the member has ten
    begun = time.monotonic()
    assert ask(requests.Session(), "GET", node.url + "/single/x") == 502
    assert first.requests == 1 and time.monotonic() - begun < 2.4 * PATIENCE


@pytest.mark.databases("sqlite")
def test_long_answers_and_streams_are_not_held(balancer):
    node, first, second = balancer
    for size in (1, 65535, 65536, 65537, 3000000):
        for method in ("GET", "HEAD"):
            r = requests.request(method, f"{node.url}/again/x?size={size}", timeout=10)
            assert r.status_code == 200 and r.headers["Content-Length"] == str(size)
            assert len(r.content) == (size if method == "GET" else 0)
    first.half = second.half = True
    assert is_half(node.url + "/again/x?size=70000")


def is_half(url):
    r = requests.get(url, timeout=10)
    return r.status_code == 200 and len(r.content) < int(r.headers["Content-Length"])


@pytest.mark.databases("sqlite")
def test_other_calls_are_not_repeated(balancer):
    node, first, second = balancer
    first.drop = second.drop = True
    for method, body in (("POST", None), ("POST", b"x"), ("PUT", b"x"), ("PATCH", b"x")):
        before = first.requests + second.requests
        assert ask(requests.Session(), method, node.url + "/again/x", data=body) in (0, 502), method
        assert first.requests + second.requests == before + 1, method
    before = first.requests + second.requests
    assert ask(requests.Session(), "GET", node.url + "/again/x") == 502  # nobody is left to ask
    assert first.requests + second.requests == before + 4


@pytest.mark.databases("sqlite")
def test_an_answer_of_a_member_is_passed_on_as_it_is(balancer):
    node, first, second = balancer
    for status in (404, 500, 502, 503):
        before = first.requests + second.requests
        assert ask(requests.Session(), "GET", f"{node.url}/again/x?status={status}") == status
        assert first.requests + second.requests == before + 1
    with requests.Session() as kept:
        assert {kept.get(node.url + "/again/x", timeout=10).status_code for _ in range(10)} == {200}


@pytest.mark.databases("sqlite")
def test_connections_end_when_httpd_wants_them_to(env):
    backend = env.backend("only")
    node = env.node(["gateway"], "limited", db=None, gateway_location=["<Location />", "Require all granted", "</Location>"],
                    extra=LINES.format(first=backend, second=backend).replace(f"BalancerMember {backend.url} retry=0\n</Proxy>", "</Proxy>")
                    + "ApimFeed http://127.0.0.1:9\nApimKeyManager http://127.0.0.1:9\nMaxKeepAliveRequests 3")
    answers = b""
    with socket.create_connection(("127.0.0.1", node.port), 10) as s:
        for _ in range(10):
            try:
                s.sendall(b"GET /limited/x HTTP/1.1\r\nHost: x\r\n\r\n")
                part = s.recv(65536)
            except OSError:
                break
            if not part:
                break
            answers += part
    assert 3 <= answers.count(b"HTTP/1.1 200") <= 4 and b"Connection: close" in answers
