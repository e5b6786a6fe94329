# SPDX-License-Identifier: Apache-2.0
"""ApimBackendAssertion: what the back end is told of the caller, signed and verifiable."""
import json
import time

import pytest
from jwcrypto import jwk, jws

import flows
from database import USERS
from httpd import MPM
from support import wait_until

DIALECT = "http://wso2.org/claims/"


@pytest.fixture(scope="module")
def system(env):
    # One child: each keeps its own.
    one = ["StartServers 1", "ServerLimit 1", "ThreadsPerChild 25", "MaxRequestWorkers 25", "MinSpareThreads 1", "MaxSpareThreads 25"]
    return env.split(mpm_lines=one, extra="ApimBackendAssertion On\nApimBackendAssertionHeader X-Caller\n")


class Scene:
    def __init__(self, env, system):
        self.nodes, self.client = system
        self.backend = env.backend("asserted")
        self.api = flows.publish(self.client, self.backend.url)
        self.subscribed = flows.Subscribed(self.client, self.api, policy="Unlimited")
        self.url = flows.settle(self.client, self.subscribed.token, self.api)

    def call(self, token=None, **more):
        return self.client.gateway(token or self.subscribed.token).get(self.url, **more)

    def claims(self):
        """The claims of the last assertion that the back end saw, verified with the published keys."""
        keys = jwk.JWKSet.from_json(self.client.keymgr.get("/oauth2/jwks").text)
        token = jws.JWS()
        token.deserialize(self.backend.last.header("x-caller"))
        token.verify(keys.get_key(token.jose_header["kid"]))
        assert token.jose_header["typ"] == "JWT"
        return json.loads(token.payload)


@pytest.fixture(scope="module")
def scene(env, system):
    return Scene(env, system)


def test_claims(scene):
    assert scene.call(headers={"X-Caller": "forged", "X-JWT-Assertion": "forged"}).status_code == 200
    claims = scene.claims()
    said = {k[len(DIALECT):]: v for k, v in claims.items() if k.startswith(DIALECT)}
    app = scene.subscribed.app
    assert said == {
        "subscriber": "subscriber", "applicationid": app["applicationId"], "applicationUUId": app["applicationId"],
        "applicationname": app["name"], "applicationtier": "Unlimited", "apiname": scene.api["name"],
        "apicontext": flows.url_of(scene.api, ""), "version": "1.0.0", "tier": "Unlimited", "keytype": "PRODUCTION",
        "usertype": "APPLICATION", "enduser": "subscriber"}
    assert claims["exp"] - claims["iat"] == 900 and abs(claims["iat"] - time.time()) < 120
    assert claims["iss"] == json.loads(jws_payload(scene.subscribed.token))["iss"]
    assert scene.backend.last.header("x-jwt-assertion") is None


def jws_payload(token):
    part = token.split(".")[1]
    return jws.base64url_decode(part).decode()


def test_user_token_and_change_of_tier(scene):
    password = USERS["subscriber2"][0]
    user = flows.token(scene.client, scene.subscribed.keys, grant_type="password", username="subscriber2", password=password)
    assert scene.call(user).status_code == 200
    claims = scene.claims()
    assert (claims[DIALECT + "enduser"], claims[DIALECT + "usertype"]) == ("subscriber2", "APPLICATION_USER")
    scene.subscribed.store.ok("PUT", "/applications/" + scene.subscribed.app["applicationId"], json={
        "name": scene.subscribed.app["name"], "throttlingPolicy": "50PerMin"})
    wait_until(lambda: scene.call().status_code == 200 and scene.claims()[DIALECT + "applicationtier"] == "50PerMin", 10,
               what="the assertion says the new tier")


@pytest.mark.skipif(MPM == "prefork", reason="each process keeps its own")
def test_one_is_kept_and_outlives_the_key_manager(env, scene):
    env.expect_log(r"APIM-GW0100", r"proxy", r"AH0\d+")
    assert len({(scene.call().status_code, scene.backend.last.header("x-caller")) for _ in range(12)}) == 1
    for keymgr in scene.nodes["keymgr"]:
        keymgr.stop()
    assert {scene.call().status_code for _ in range(4)} == {200}
    for keymgr in scene.nodes["keymgr"]:
        keymgr.start()


def test_is_no_token(scene):
    wait_until(lambda: scene.call().status_code == 200, 10, what="the Key Manager is back")
    answer = scene.call(scene.backend.last.header("x-caller"))
    assert (answer.status_code, answer.json()["code"]) == (401, "900901")
