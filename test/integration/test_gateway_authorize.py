# SPDX-License-Identifier: Apache-2.0
"""Who may call: credentials, verification through a Key Manager (in the same httpd, and two behind a balancer), decisions, the
shared cache and what makes it forget."""
import concurrent.futures
import os
import re
import signal
import time

import pytest
import requests

from artifacts import operation
from calls import ANY, Api, facts, fault, invalidate
from support import PATIENCE, wait_until

MPM = ["StartServers 3", "ServerLimit 3", "ThreadsPerChild 30", "ThreadLimit 30", "MinSpareThreads 1", "MaxSpareThreads 90",
       "MaxRequestWorkers 90"]


class Place:
    """A gateway, a Key Manager that answers REST, a back end."""

    def __init__(self, gateway, keymgrs, backend, env):
        self.gateway, self.keymgrs, self.backend, self.env = gateway, keymgrs, backend, env

    def api(self, **more):
        return Api(self.env, self.gateway, self.keymgrs[0], self.backend, **more)


def make_place(env, kind, extra="", **more):
    backend = env.backend(f"behind-{kind}")
    if kind == "in-process":
        node = env.node(["gateway", "keymgr"], f"one-{len(env.nodes)}", mpm_lines=MPM, extra=extra, **more)
        return Place(node, [node], backend, env)
    km = [env.node(["keymgr"], f"km-{len(env.nodes)}") for _ in range(2)]
    members = "\n".join(f"BalancerMember {n.url} retry=1 timeout=5 connectiontimeout=1" for n in km)
    gateway = env.node(["gateway"], f"gw-{len(env.nodes)}", keymgr="balancer://keymgr", mpm_lines=MPM,
                       extra=f"<Proxy balancer://keymgr>\n{members}\n</Proxy>\n{extra}", **more)
    return Place(gateway, km, backend, env)


def refused(call, deadline, every=0.02):
    """Calls until it is refused; returns that answer."""
    answers = []

    def done():
        answers.append(call())
        return answers[-1].status_code != 200

    wait_until(done, deadline, every=every, what="the call is refused")
    return answers[-1]


@pytest.fixture(scope="module", params=["in-process", "balancer"])
def place(env, request):
    return make_place(env, request.param)


@pytest.fixture(scope="module")
def shared_api(place):
    """Resources of every authentication type, and scopes."""
    return place.api(operations=[
        operation("/x", "GET", ANY), operation("/x", "POST", ANY), operation("/open", "GET", "None"),
        operation("/app", "GET", "Application"), operation("/user", "GET", "Application User"),
        operation("/scoped", "GET", ANY, scopes=["menu:read", "menu:write"])])


# -- decisions -----------------------------------------------------------------------------------------------------------

def test_a_good_token_passes_again_and_again(place, shared_api):
    token = shared_api.token()
    before = facts(place.gateway)
    for _ in range(10):
        assert shared_api.call(token).status_code == 200
    after = facts(place.gateway)
    assert after["KeyManagerCalls"] - before["KeyManagerCalls"] == 1
    assert after["CacheHits"] - before["CacheHits"] == 9


def test_no_credentials(shared_api):
    r = shared_api.call()
    assert fault(r) == (401, "900902")
    assert r.headers["WWW-Authenticate"].startswith("Bearer realm=") and "error" not in r.headers["WWW-Authenticate"]
    assert fault(shared_api.call(headers={"Authorization": "Basic YTpi"})) == (401, "900902")
    assert fault(shared_api.call(headers={"Authorization": "Bearerx y"})) == (401, "900902")


@pytest.mark.parametrize("value", ["Bearer", "Bearer ", "Bearer a b", "Bearer a, Bearer b", "Bearer \"a\"", "Bearer a\u00e9"])
def test_malformed_token(place, shared_api, value):
    before = facts(place.gateway)["KeyManagerCalls"]
    assert fault(shared_api.call(headers={"Authorization": value.encode("latin-1")})) == (401, "900901")
    assert facts(place.gateway)["KeyManagerCalls"] == before


def test_oversized_token(place, shared_api):
    before = facts(place.gateway)["KeyManagerCalls"]
    r = shared_api.call("a" * 8100)
    assert r.status_code == 401
    assert shared_api.call("a" * 9000).status_code in (400, 401)
    assert facts(place.gateway)["KeyManagerCalls"] - before <= 1


def test_unknown_token(place, shared_api):
    before = facts(place.gateway)["KeyManagerCalls"]
    for _ in range(5):
        r = shared_api.call("no-such-token")
        assert fault(r) == (401, "900901")
        assert 'error="invalid_token"' in r.headers["WWW-Authenticate"]
    assert facts(place.gateway)["KeyManagerCalls"] - before == 1, "a refusal is remembered"


def test_scheme_in_any_case(shared_api):
    token = shared_api.token()
    assert shared_api.call(headers={"Authorization": f"bEARER   {token}"}).status_code == 200


def test_token_types(shared_api):
    app, user = shared_api.token(), shared_api.user_token()
    assert shared_api.call(app, "/app").status_code == 200
    assert fault(shared_api.call(app, "/user")) == (401, "900905")
    assert shared_api.call(user, "/user").status_code == 200
    assert fault(shared_api.call(user, "/app")) == (401, "900905")
    assert shared_api.call(user, "/x").status_code == 200
    assert shared_api.call(path="/open").status_code == 200
    assert shared_api.call("nonsense", "/open").status_code == 200


def test_scope(place, shared_api):
    r = shared_api.call(shared_api.token(), "/scoped")
    assert fault(r) == (403, "900910")
    assert 'error="insufficient_scope"' in r.headers["WWW-Authenticate"] and "menu:read menu:write" in r.headers["WWW-Authenticate"]


@pytest.mark.parametrize("status,expected", [(None, (403, "900908")), ("BLOCKED", (401, "900907")), ("ON_HOLD", (401, "900909")),
                                             ("REJECTED", (401, "900909")), ("PROD_ONLY_BLOCKED", (401, "900907"))])
def test_subscription_states(place, status, expected):
    api = place.api(subscribed=status)
    assert fault(api.call(api.token())) == expected


def test_prototype_needs_no_subscription(place):
    api = place.api(subscribed=None, status="PROTOTYPED")
    assert api.call(api.token()).status_code == 200
    assert fault(api.call()) == (401, "900902")


def test_expired_token(place):
    api = place.api()
    r = api.scene.km.run("token-generate", consumerKey=api.scene.client[0], consumerSecret=api.scene.client[1], validityPeriod=2,
                         scopes=[])
    token = r.get("accessToken") or r["access_token"]
    assert api.call(token).status_code == 200
    r = refused(lambda: api.call(token), 8, every=0.2)
    assert fault(r) == (401, "900903")
    assert "expired" in r.headers["WWW-Authenticate"]


def test_sandbox_key_goes_to_the_sandbox(place):
    sandbox = place.env.backend("sandbox")
    api = place.api()
    client = api.scene.sandbox()
    token = api.scene.km.ok_token(client)["access_token"]
    assert fault(api.call(token)) == (401, "900901"), "no sandbox endpoint yet"
    api.deploy(endpoints={"production": {"url": place.backend.url}, "sandbox": {"url": sandbox.url}})
    assert api.call(token, "/from-sandbox").status_code == 200
    assert sandbox.requests == 1 and api.call(api.token()).status_code == 200 and sandbox.requests == 1


# -- what goes to the back end ----------------------------------------------------------------------------------------------

def api_key(api, **more):
    return api.scene.km.run("api-key-generate", applicationId=api.scene.application, keyType="PRODUCTION", name="k",
                            validityPeriod=-1, username="subscriber", **more)["apikey"]


def test_credentials_stay_here(place):
    api = place.api()
    key = api_key(api)
    assert api.call(api.token(), headers={"X-Mine": "1"}).status_code == 200
    assert place.backend.last.header("Authorization") is None and place.backend.last.header("X-Mine") == "1"
    assert api.call(headers={"apikey": key}).status_code == 200
    assert place.backend.last.header("apikey") is None
    assert api.call(path=f"/x?a=1&apikey={key}&b=%20&apikeys=2").status_code == 200
    assert place.backend.last.path == "/x?a=1&b=%20&apikeys=2"
    assert api.call(path=f"/x?apikey={key}").status_code == 200
    assert place.backend.last.path == "/x"


def test_credentials_passed_on_if_the_api_says_so(place):
    api = place.api(passCredentials=True)
    key, token = api_key(api), api.token()
    assert api.call(token).status_code == 200
    assert place.backend.last.header("Authorization") == f"Bearer {token}"
    assert api.call(path=f"/x?a=1&apikey={key}").status_code == 200
    assert place.backend.last.path == f"/x?a=1&apikey={key}"


def test_several_credentials(place):
    api = place.api()
    key, token = api_key(api), api.token()
    assert fault(api.call(token, headers={"apikey": key})) == (401, "900901")
    assert fault(api.call(path=f"/x?apikey={key}&apikey={key}")) == (401, "900901")
    assert fault(api.call(path=f"/x?apikey={key}", headers={"apikey": key})) == (401, "900901")
    assert fault(api.call(path="/x?apikey=%zz")) == (401, "900901")


def test_only_the_schemes_of_the_api(place):
    api = place.api(securityScheme=["oauth2"])
    key, token = api_key(api), api.token()
    assert fault(api.call(headers={"apikey": key})) == (401, "900902")
    assert api.call(token, headers={"apikey": "for the back end"}).status_code == 200
    assert place.backend.last.header("apikey") == "for the back end"
    api.deploy(securityScheme=["api_key"])
    assert fault(api.call(token)) == (401, "900902")
    assert api.call(token, headers={"apikey": key}).status_code == 200
    assert place.backend.last.header("Authorization") == f"Bearer {token}"


def test_own_header_names(place):
    api = place.api(authorizationHeader="X-Token", apiKeyHeader="X-Key")
    key, token = api_key(api), api.token()
    assert api.call(headers={"X-Token": f"Bearer {token}", "Authorization": "Basic YTpi"}).status_code == 200
    assert place.backend.last.header("X-Token") is None and place.backend.last.header("Authorization") == "Basic YTpi"
    assert api.call(headers={"X-Key": key}).status_code == 200
    assert fault(api.call(token)) == (401, "900902")


def test_api_key_bound_to_an_address_is_not_answered_from_another_ones_cache(place):
    api = place.api()
    here, elsewhere = api_key(api, permittedIp="127.0.0.1"), api_key(api, permittedIp="10.9.8.7")
    page = api_key(api, permittedReferer="https://good.example/*")
    for _ in range(2):
        assert api.call(headers={"apikey": here}).status_code == 200
        assert api.call(headers={"apikey": elsewhere}).status_code == 403
        assert api.call(headers={"apikey": page, "Referer": "https://good.example/a"}).status_code == 200
        assert api.call(headers={"apikey": page, "Referer": "https://bad.example/a"}).status_code == 403
        assert api.call(headers={"apikey": page}).status_code == 403


# -- the cache ----------------------------------------------------------------------------------------------------------------

def test_one_question_for_many_waiting_calls(place):
    api = place.api()
    token = api.token()
    before = facts(place.gateway)
    with concurrent.futures.ThreadPoolExecutor(64) as pool:
        answers = [f.result() for f in [pool.submit(api.call, token) for _ in range(64)]]
    assert [a.status_code for a in answers] == [200] * 64
    assert facts(place.gateway)["KeyManagerCalls"] - before["KeyManagerCalls"] == 1


@pytest.mark.parametrize("token_type", ["JWT", "OAUTH"])
def test_revoked_token_is_refused_within_a_second(place, token_type):
    api = place.api(token_type=token_type)
    token = api.token()
    with requests.Session() as s:
        assert api.call(token, session=s).status_code == 200
        api.scene.km.run("token-revoke", token=token)
        start = time.monotonic()
        r = refused(lambda: api.call(token, session=s), 5)
        assert fault(r) == (401, "900901")
        assert time.monotonic() - start < 1.0 * PATIENCE
    with concurrent.futures.ThreadPoolExecutor(16) as pool:  # in every child
        assert {f.result().status_code for f in [pool.submit(api.call, token) for _ in range(32)]} == {401}


def test_new_subscription_after_a_refusal_works_at_once(place):
    api = place.api(subscribed=None)
    token = api.token()
    assert fault(api.call(token)) == (403, "900908")
    now = int(time.time() * 1000)
    api.db.query("INSERT INTO am_subscription (id, application_id, api_id, tier, status, created_at, updated_at) "
                 "VALUES (?, ?, ?, 'Gold', 'UNBLOCKED', ?, ?)", (f"s-{api.id[:30]}", api.scene.application, api.id, now, now))
    invalidate(api.db, "application", api.scene.application)
    wait_until(lambda: api.call(token).status_code == 200, 1.5, every=0.02, what="the subscription works (refusals live 10 s)")


@pytest.mark.parametrize("kind", ["client", "application", "api", "user"])
def test_changes_make_the_gateway_ask_again(place, kind):
    api = place.api()
    token = api.user_token()
    assert api.call(token).status_code == 200
    calls = facts(place.gateway)["KeyManagerCalls"]
    assert api.call(token).status_code == 200 and facts(place.gateway)["KeyManagerCalls"] == calls
    invalidate(api.db, kind, {"client": api.scene.client[0], "application": api.scene.application, "api": api.id,
                              "user": "subscriber"}[kind])
    wait_until(lambda: api.call(token).status_code == 200 and facts(place.gateway)["KeyManagerCalls"] > calls, 3, every=0.05)


def test_cache_and_counters_outlive_a_graceful_restart(fresh_env):
    place = make_place(fresh_env, "in-process")
    api = place.api()
    token = api.token()
    assert api.call(token).status_code == 200
    calls = facts(place.gateway)["KeyManagerCalls"]
    place.gateway.graceful()
    assert api.call(token).status_code == 200
    assert facts(place.gateway)["KeyManagerCalls"] == calls
    api.scene.km.run("token-revoke", token=token)
    wait_until(lambda: api.call(token).status_code == 401, 5)
    os.kill(place.gateway.children()[0], signal.SIGKILL)
    fresh_env.expect_log("exit signal Killed")
    assert fault(api.call(token)) == (401, "900901")


# -- a Key Manager that is away ---------------------------------------------------------------------------------------------

def test_key_managers_die_one_by_one(fresh_env):
    fresh_env.expect_log(r"\[proxy", "APIM-GW0100")
    place = make_place(fresh_env, "balancer", extra="ApimKeyManagerTimeout 2s")
    api = place.api()
    tokens = [api.token() for _ in range(12)]
    assert api.call(tokens[0]).status_code == 200
    place.keymgrs[1].kill()
    assert [api.call(t).status_code for t in tokens[1:6]] == [200] * 5
    place.keymgrs[0].kill()
    assert [api.call(t).status_code for t in tokens[:6]] == [200] * 6, "known credentials go on"
    for token in tokens[6:]:
        r = api.call(token)
        assert fault(r) == (503, "900900") and int(r.headers["Retry-After"]) > 0
    assert facts(place.gateway)["KeyManagerBreaker"] in ("open", "half-open")
    start = time.monotonic()
    assert api.call("unknown").status_code == 503
    assert time.monotonic() - start < 0.5 * PATIENCE
    place.keymgrs[0].start()
    wait_until(lambda: api.call(tokens[7]).status_code == 200, 10, what="the Key Manager is asked again")
    assert facts(place.gateway)["KeyManagerBreaker"] == "closed"


def test_log_variables(fresh_env):
    place = make_place(fresh_env, "in-process",
                       extra='LogFormat "%{apim_application}e|%{apim_user}e|%{apim_tier}e|%{apim_key_type}e|%u" calls\n',
                       gateway_extra="CustomLog logs/calls calls")
    api = place.api()
    assert api.call(api.user_token()).status_code == 200
    log = place.gateway.root / "logs" / "calls"
    line = wait_until(lambda: log.exists() and log.read_text().strip(), 5)
    assert re.fullmatch(r"app\d+\|subscriber\|Gold\|PRODUCTION\|subscriber", line), line
