# SPDX-License-Identifier: Apache-2.0
"""Credentials for back ends: Basic and OAuth 2.0 client credentials, sealed at rest, never shown."""
import base64
import concurrent.futures
import json
import threading
import time
import urllib.parse
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer

import pytest

import flows
from httpd import MPM
from support import wait_until

SECRET = "pass: wörd-7f3a"


class TokenServer:
    """A token endpoint; numbers its tokens, remembers the forms, answers 500 while broken."""

    def __init__(self):
        self.count, self.forms, self.broken, self.lifetime, self.delay = 0, [], False, 3600, 0.0
        outer = self

        class Handler(BaseHTTPRequestHandler):
            def do_POST(self):
                body = self.rfile.read(int(self.headers["Content-Length"])).decode()
                time.sleep(outer.delay)
                credentials = base64.b64decode(self.headers["Authorization"].split()[1]).decode()
                outer.forms.append((credentials, dict(urllib.parse.parse_qsl(body))))
                outer.count += not outer.broken
                answer = json.dumps({"access_token": f"token-{outer.count}", "token_type": "Bearer",
                                     "expires_in": outer.lifetime}).encode()
                self.send_response(500 if outer.broken else 200)
                self.send_header("Content-Length", str(len(answer)))
                self.end_headers()
                self.wfile.write(answer)

            def log_message(self, *args):
                pass

        self.server = ThreadingHTTPServer(("127.0.0.1", 0), Handler)
        self.url = f"http://127.0.0.1:{self.server.server_address[1]}/token"
        threading.Thread(target=self.server.serve_forever, kwargs={"poll_interval": 0.05}, daemon=True).start()

    def close(self):
        self.server.shutdown()
        self.server.server_close()


@pytest.fixture(scope="module")
def tokens():
    server = TokenServer()
    yield server
    server.close()


@pytest.fixture(scope="module")
def client(all_in_one):
    return all_in_one[1]


def config(backend, **security):
    return {**flows.endpoints(backend.url), "endpoint_security": {"production": {"enabled": True, **security}}}


def oauth(backend, tokens, secret="s3cret%", **more):
    return config(backend, type="OAUTH", grantType="CLIENT_CREDENTIALS", tokenUrl=tokens.url, clientId="gate way",
                  clientSecret=secret, **more)


class Called:
    def __init__(self, client, backend, endpoint_config):
        self.client, self.backend = client, backend
        self.api = flows.publish(client, backend.url, endpointConfig=endpoint_config)
        self.token = flows.Subscribed(client, self.api).token
        self.url = flows.deployed(client, self.api)
        wait_until(lambda: self().status_code != 403, 10, what="the subscription is known")

    def __call__(self):
        return self.client.gateway(self.token).get(self.url)

    def shown(self):
        assert self().status_code == 200
        return self.backend.last.header("authorization")


def everywhere(env):
    """All that the databases hold, as one text."""
    text = []
    for name, query in (("api_manager", "SELECT document FROM am_api"), ("api_manager", "SELECT document FROM am_api_revision"),
                        ("registry", "SELECT payload FROM reg_artifact"), ("registry", "SELECT document FROM reg_api")):
        text += [row[0] for row in env.db.query(query, name=name)]
    return "\n".join(text)


def test_basic(env, client):
    backend = env.backend("basic")
    call = Called(client, backend, config(backend, type="BASIC", username="gateway", password=SECRET))
    wanted = "Basic " + base64.b64encode(f"gateway:{SECRET}".encode()).decode()
    assert call.shown() == wanted
    publisher = client.publisher("publisher")
    shown = publisher.ok("GET", "/apis/" + call.api["id"])
    assert shown["endpointConfig"]["endpoint_security"]["production"]["password"] == "" and SECRET not in json.dumps(shown)
    stored = everywhere(env)
    assert call.api["id"] in stored and "7f3a" not in stored and SECRET not in stored
    # What a client reads it may write back: the password stays. A new version has it, too.
    publisher.ok("PUT", "/apis/" + call.api["id"], json={**shown, "description": "again"})
    revision = publisher.ok("POST", f"/apis/{call.api['id']}/revisions", json={"description": "2"}, status=201)
    publisher.ok("POST", f"/apis/{call.api['id']}/deploy-revision", params={"revisionId": revision["id"]}, status=201,
                 json=[{"name": "Default", "vhost": "localhost", "displayOnDevportal": True}])
    wait_until(lambda: call.shown() == wanted, 10, what="the next revision shows the same password")
    changed = {**shown["endpointConfig"], "endpoint_security": {"production": {
        "enabled": True, "type": "BASIC", "username": "gateway", "password": "other"}}}
    publisher.ok("PUT", "/apis/" + call.api["id"], json={**shown, "endpointConfig": changed})
    revision = publisher.ok("POST", f"/apis/{call.api['id']}/revisions", json={"description": "3"}, status=201)
    publisher.ok("POST", f"/apis/{call.api['id']}/deploy-revision", params={"revisionId": revision["id"]}, status=201,
                 json=[{"name": "Default", "vhost": "localhost", "displayOnDevportal": True}])
    wait_until(lambda: call.shown() == "Basic " + base64.b64encode(b"gateway:other").decode(), 10, what="the new password")


def test_oauth_token_is_got_once_and_kept(env, client, tokens):
    backend = env.backend("oauth")
    tokens.delay, before = 0.3, tokens.count
    call = Called(client, backend, oauth(backend, tokens, customParameters={"scope": "read write"}))
    with concurrent.futures.ThreadPoolExecutor(12) as pool:
        assert {r.status_code for r in pool.map(lambda _: call(), range(36))} == {200}
    tokens.delay = 0
    assert call.shown().startswith("Bearer token-")
    assert 1 <= tokens.count - before <= (60 if MPM == "prefork" else 4)  # once for each child of the gateway
    assert tokens.forms[-1] == ("gate%20way:s3cret%25", {"grant_type": "client_credentials", "scope": "read write"})


def test_oauth_token_is_renewed(env, client, tokens):
    backend = env.backend("renewed")
    tokens.lifetime = 1
    call = Called(client, backend, oauth(backend, tokens, secret="renewed"))
    first = call.shown()
    wait_until(lambda: call.shown() != first, 10, what="the next token")
    tokens.lifetime = 3600


def test_no_token_to_be_had(env, client, tokens):
    env.expect_log(r"APIM-GW0320: no credentials for the back end: .*/token answered 500")
    backend = env.backend("tokenless")
    tokens.broken = True
    call = Called(client, backend, oauth(backend, tokens, secret="tokenless-secret"))
    answer = call()
    assert (answer.status_code, answer.json()["code"]) == (503, "101503") and answer.headers["Retry-After"] == "5"
    assert backend.requests == 0 and "tokenless-secret" not in answer.text
    tokens.broken = False
    wait_until(lambda: call().status_code == 200, 10, what="the token is there")
    assert "tokenless-secret" not in env.nodes[0].log()


def test_what_the_publisher_refuses(env, client):
    publisher = client.publisher("publisher")
    backend = env.backend("refused")
    for security, words in (({"type": "DIGEST", "username": "u"}, "must be BASIC or OAUTH"),
                            ({"type": "BASIC", "username": "u", "password": ""}, "password is missing"),
                            ({"type": "OAUTH", "clientId": "a", "tokenUrl": "http://x/t"}, "clientSecret is missing")):
        name = flows.unique("Sealed")
        answer = publisher.post("/apis", json={"name": name, "context": "/" + name.lower(), "version": "1",
                                               "endpointConfig": config(backend, **security)})
        assert answer.status_code == 400 and words in answer.text, answer.text
