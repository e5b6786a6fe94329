# SPDX-License-Identifier: Apache-2.0
"""Whatever is sent to the portal's REST APIs, it answers with what was asked for or with an error that says what is wrong: never
5xx, never with its insides, and a text comes back as it was sent or is refused."""
import copy
import http.client
import json
import re
import uuid

import pytest
import requests

import flows
from client import ADMIN_SCOPES, PUBLISHER_SCOPES, STORE_SCOPES, Rest
from operations import ADMIN, OPERATIONS, PUBLISHER, SIGNUP, STORE
from support import wait_until

ALL_SCOPES = " ".join(sorted({*PUBLISHER_SCOPES.split(), *STORE_SCOPES.split(), *ADMIN_SCOPES.split()}))
ERROR = {"code", "message", "description", "moreInfo", "error"}
INSIDES = re.compile(r"sqlite|postgres|syntax error|SELECT |INSERT |UPDATE |constraint|am_application|reg_policy|um_user|/tmp/|\.c:\d|apr_|"
                     r"0x[0-9a-f]{8}", re.I)
TEXTS = ["x'; DROP TABLE am_application; --", '"; DELETE FROM um_user; --', "' OR '1'='1", "1) UNION SELECT password_hash FROM um_user--",
         "\\'; SELECT pg_sleep(9); --", "%s%n%ld%%", "{{7*7}}${7*7}#{7*7}", '"><script>alert(1)</script>', "$(id)`id`|id;id&&id",
         "../../../../etc/passwd", "a\\b\\\\c\\u0000", "Ünïcödé 漢字 \U0001f600 \u202e rtl", "null", "a%0d%0aSet-Cookie:%20x=1", "x" * 60 + "%",
         "*", "_", "|", "a|b", "a,b", "/", "?a=b&c=d", "#", "=cmd|'/C calc'!A0", "\ufeffbom", "e\u0301"]
CONTROLS = ["a\r\nSet-Cookie: hostile=1", "a\nb", "\u0000", "tab\tin", "\u007f", "esc\u001b[31m"]
VALUES = [None, True, 0, -1, 1.5, 2 ** 63 - 1, -2 ** 63, 1e308, "", " ", "x" * 40000, "a\r\nSet-Cookie: hostile=1", "\u0007", [], {}, [None], [[[]]],
          {"a": {"b": []}}, ["x"] * 300]


@pytest.fixture(scope="module")
def client(all_in_one):
    return all_in_one[1]


@pytest.fixture(scope="module")
def rest(client):
    """Everything the administrator may do; paths are whole."""
    everything = Rest(client.portal_url, client.token("admin", ALL_SCOPES))
    everything.tries_odd_bodies = True
    return everything


class Things:
    """One of each, all of the administrator's."""

    def __init__(self, env, client, rest):
        self.backend = env.backend("hostile")
        self.api = flows.publish(client, self.backend.url, user="admin")
        store = client.store("admin")
        self.app = flows.application(store)
        self.keys = flows.keys(store, self.app)
        self.subscription = flows.subscribe(store, self.api, self.app)
        self.revision = client.publisher("admin").ok("GET", f"/apis/{self.api['id']}/revisions")["list"][0]
        self.scope = rest.ok("POST", PUBLISHER + "/scopes", json={"name": flows.unique("hostile_scope"), "displayName": "s", "bindings": []})
        self.policies = {level: rest.ok("POST", f"{ADMIN}/throttling/policies/{level}", json=policy(flows.unique("hostile")))
                         for level in ("application", "subscription", "advanced")}
        self.denied = rest.ok("POST", ADMIN + "/throttling/deny-policies", json=deny_policy(flows.unique("hostile")))
        self.environment = rest.ok("POST", ADMIN + "/environments", json=environment(flows.unique("env")))
        self.document = rest.ok("POST", f"{PUBLISHER}/apis/{self.api['id']}/documents", json=document(flows.unique("hostile")))
        wait_until(lambda: rest.get(f"{STORE}/apis/{self.api['id']}").status_code == 200, 10, what="it is in the Store")
        self.comment = rest.ok("POST", f"{STORE}/apis/{self.api['id']}/comments", json=COMMENT)
        self.category = rest.ok("POST", ADMIN + "/api-categories", json={"name": flows.unique("hostile"), "description": "d"})
        self.user = flows.unique("hostileuser")
        rest.ok("POST", ADMIN + "/users", json={"username": self.user, "password": "long enough", "roles": ["Internal/subscriber"]})


def policy(name):
    return {"policyName": name, "displayName": name, "description": "d",
            "defaultLimit": {"type": "REQUESTCOUNTLIMIT", "requestCount": {"timeUnit": "min", "unitTime": 1, "requestCount": 7}},
            "rateLimitCount": 5, "rateLimitTimeUnit": "sec", "stopOnQuotaReach": True, "billingPlan": "FREE", "customAttributes": [],
            "conditionalGroups": []}


def document(name):
    return {"name": name, "type": "OTHER", "otherTypeName": "o", "summary": "s", "sourceType": "URL", "sourceUrl": "https://a.example.org/doc",
            "visibility": "API_LEVEL"}


COMMENT = {"content": "c", "category": "general"}


def deny_policy(user):
    return {"conditionType": "USER", "conditionValue": user, "conditionStatus": True}


def environment(name):
    return {"name": name, "displayName": "E", "description": "d", "type": "hybrid", "gatewayUrl": "https://gw.example.org:8243",
            "vhosts": [{"host": "gw.example.org", "httpContext": "", "httpPort": 8280, "httpsPort": 8243}]}


def api_body(name, url):
    return {"name": name, "version": "1.0.0", "context": f"/{name.lower()}", "description": "d", "policies": ["Gold"], "tags": ["t"],
            "type": "HTTP", "isDefaultVersion": False, "visibility": "PUBLIC", "visibleRoles": [], "transport": ["http", "https"],
            "securityScheme": ["oauth2"], "authorizationHeader": "Authorization", "apiKeyHeader": "apikey", "apiThrottlingPolicy": None,
            "businessInformation": {"businessOwner": "b", "businessOwnerEmail": "b@example.org", "technicalOwner": "t",
                                    "technicalOwnerEmail": "t@example.org"},
            "additionalProperties": [{"name": "p", "value": "v", "display": False}], "endpointConfig": flows.endpoints(url, url),
            "corsConfiguration": {"corsConfigurationEnabled": False, "accessControlAllowOrigins": ["*"]}, "categories": [], "maxTps": None,
            "scopes": [{"scope": {"name": "own_" + name, "displayName": "s", "description": "", "bindings": ["admin"]}, "shared": False}],
            "operations": [{"target": "/a/{id}", "verb": "GET", "authType": "Application & Application User", "throttlingPolicy": "Unlimited",
                            "scopes": ["own_" + name]}]}


@pytest.fixture(scope="module")
def things(env, client, rest):
    return Things(env, client, rest)


def bodies(t):
    """(method, path, a good body) of every operation that takes JSON."""
    app, key = f"{STORE}/applications/{t.app['applicationId']}", t.keys["keyMappingId"]
    subscription = {"apiId": t.api["id"], "applicationId": t.app["applicationId"], "throttlingPolicy": "Unlimited"}
    key_body = {"supportedGrantTypes": ["client_credentials"], "callbackUrl": "https://a.example.org", "validityTime": 60,
                "additionalProperties": {"application_access_token_expiry_time": "60"}}
    token_body = {"consumerSecret": t.keys["consumerSecret"], "validityPeriod": 60, "scopes": ["a"], "revokeToken": "x"}
    application = {"name": t.app["name"], "throttlingPolicy": "Unlimited", "description": "d", "tokenType": "JWT", "attributes": {"a": "b"},
                   "groups": []}
    api, deployment = f"{PUBLISHER}/apis/{t.api['id']}", [{"name": "Default", "vhost": "localhost", "displayOnDevportal": True}]
    out = [
        ("POST", STORE + "/applications", application), ("PUT", app, application),
        ("POST", app + "/generate-keys", {"keyType": "PRODUCTION", "keyManager": "Resident Key Manager", "callbackUrl": "https://a.example.org",
                                          "grantTypesToBeSupported": ["client_credentials"], "scopes": ["a"], "validityTime": "60",
                                          "additionalProperties": {}}),
        ("PUT", f"{app}/oauth-keys/{key}", key_body), ("PUT", f"{app}/keys/PRODUCTION", key_body),
        ("POST", f"{app}/oauth-keys/{key}/generate-secret", {"additionalProperties": {"description": "d", "expiresIn": 60}}),
        ("POST", f"{app}/oauth-keys/{key}/revoke-secret", {"secretId": "0" * 32}),
        ("POST", f"{app}/oauth-keys/{key}/generate-token", token_body), ("POST", f"{app}/keys/PRODUCTION/generate-token", token_body),
        ("POST", f"{app}/api-keys/PRODUCTION/generate", {"validityPeriod": 60, "keyName": "k", "additionalProperties": {
            "permittedIP": "10.0.0.0/8", "permittedReferer": "https://a.example.org/*"}}),
        ("POST", f"{app}/api-keys/PRODUCTION/revoke", {"apikey": "a.b.c"}),
        ("POST", STORE + "/subscriptions", subscription), ("POST", STORE + "/subscriptions/multiple", [subscription]),
        ("PUT", f"{STORE}/subscriptions/{t.subscription['subscriptionId']}", subscription),
        ("POST", STORE + "/me/change-password", {"currentPassword": "not it", "newPassword": "short"}),
        ("POST", PUBLISHER + "/apis", api_body(t.api["name"], t.backend.url)), ("PUT", api, api_body(t.api["name"], t.backend.url)),
        ("POST", api + "/revisions", {"description": "d"}),
        ("POST", f"{api}/deploy-revision?revisionId={t.revision['id']}", deployment),
        ("POST", f"{api}/undeploy-revision?revisionId={t.revision['id']}", [{**deployment[0], "name": t.environment["name"]}]),
        ("POST", api + "/documents", document(t.document["name"])),
        ("PUT", f"{api}/documents/{t.document['documentId']}", document(t.document["name"])),
        ("POST", api + "/comments", COMMENT), ("PATCH", f"{api}/comments/{t.comment['id']}", COMMENT),
        ("POST", f"{STORE}/apis/{t.api['id']}/comments", COMMENT),
        ("PATCH", f"{STORE}/apis/{t.api['id']}/comments/{t.comment['id']}", COMMENT),
        ("PUT", f"{STORE}/apis/{t.api['id']}/user-rating", {"rating": 4}),
        ("POST", ADMIN + "/api-categories", {"name": t.category["name"], "description": "d"}),
        ("PUT", f"{ADMIN}/api-categories/{t.category['id']}", {"name": t.category["name"], "description": "d"}),
        ("POST", PUBLISHER + "/scopes", t.scope), ("PUT", f"{PUBLISHER}/scopes/{t.scope['id']}", t.scope),
        ("POST", ADMIN + "/environments", environment(t.environment["name"])),
        ("PUT", f"{ADMIN}/environments/{t.environment['name']}", environment(t.environment["name"])),
        ("POST", ADMIN + "/throttling/deny-policies", deny_policy(t.user)),
        ("PATCH", f"{ADMIN}/throttling/deny-policy/{t.denied['conditionId']}", {"conditionStatus": True}),
        ("POST", ADMIN + "/users", {"username": t.user, "password": "short", "roles": [], "status": "ACTIVE", "email": "a@example.org"}),
        ("PUT", f"{ADMIN}/users/{t.user}", {"roles": ["Internal/subscriber"], "status": "ACTIVE", "email": "a@example.org", "givenName": "G",
                                            "familyName": "F", "organization": "O"}),
        ("POST", ADMIN + "/roles", {"name": "admin", "description": "d"}),
        ("POST", ADMIN + "/workflows/update-workflow-status?workflowReferenceId=x", {"status": "APPROVED", "description": "d", "attributes": {"a": "b"}}),
        ("POST", ADMIN + "/workflow-callback?workflowReferenceId=x", {"token": "t", "status": "APPROVED", "description": "d", "attributes": {"a": "b"}}),
        ("PUT", ADMIN + "/workflow-types/AM_SUBSCRIPTION_DELETION", {"enabled": False, "url": "http://a.example.org/", "authType": "BASIC", "username": "u",
                                                                     "secret": "s", "callbackUrl": "http://b.example.org"}),
        ("POST", SIGNUP + "/me", {"user": {"username": t.user, "password": "short", "claims": [
            {"uri": "http://wso2.org/claims/emailaddress", "value": "a@example.org"}]}, "properties": []}),
    ]
    for level, made in t.policies.items():
        out += [("POST", f"{ADMIN}/throttling/policies/{level}", policy(made["policyName"])),
                ("PUT", f"{ADMIN}/throttling/policies/{level}/{made['policyId']}", policy(made["policyName"]))]
    return out


def check(r, *where):
    """The answer is no failure of ours and gives nothing away."""
    where = (*where, r.status_code, r.text[:600])
    assert r.status_code < 500, where
    assert "hostile" not in r.headers.get("Set-Cookie", ""), where
    if r.status_code >= 400:
        assert r.headers["Content-Type"].startswith("application/json"), where
        body = r.json()
        assert set(body) == ERROR and body["message"] and body["description"], where
        assert not INSIDES.search(json.dumps({**body, "description": re.sub(r"'[^']*'|\"[^\"]*\"", "", body["description"])})), where
    return r


# -- bodies ------------------------------------------------------------------------------------------------------------------

RAW = {"empty": b"", "cut off": b'{"name": "x"', "no JSON": b"name=x", "two": b"{}{}", "scalar": b"7", "text": b'"x"', "null": b"null", "comment": b"{/**/}",
       "invalid UTF-8": b'{"name": "\xff\xfe"}', "overlong UTF-8": b'{"name": "\xc0\xaf"}', "lone surrogate": b'{"name": "\\ud800"}',
       "NUL escape": b'{"name": "a\\u0000b"}', "NUL byte": b'{"name": "a\x00b"}', "twice": b'{"name": "a", "name": "b"}', "NaN": b'{"name": NaN}',
       "deep array": b"[" * 200000, "deep object": b'{"a":' * 50000, "deep and closed": b"[" * 3000 + b"]" * 3000, "huge number": b'{"a": 1' + b"0" * 400 + b"}",
       "huge exponent": b'{"a": 1e99999}', "big integer": b'{"a": 99999999999999999999}', "UTF-16": '{"name": "x"}'.encode("utf-16"), "BOM": b"\xef\xbb\xbf{}"}


def test_every_operation_with_a_body_is_tried(things):
    tried = {(m, shape(p)) for m, p, _ in bodies(things)}
    no_body = ("change-lifecycle", "copy-api", "/validate", "import-openapi", "validate-openapi", "restore-revision", "regenerate-secret", "clean-up",
               "block-subscription", "swagger", "thumbnail", "/content", "/apis/import", "change-owner", "change-provider")
    for base, method, path, _ in OPERATIONS:
        if method in ("POST", "PUT", "PATCH") and not any(word in path for word in no_body):
            assert any(m == method and re.fullmatch(re.sub(r"\{\w+\}", "[^/]+", base + path), p) for m, p in tried), (method, base + path)


def shape(path):
    return path.split("?")[0]


@pytest.mark.parametrize("kind", sorted(RAW))
def test_malformed_json(rest, things, kind):
    for method, path, _ in bodies(things):
        r = check(rest.request(method, path, data=RAW[kind], headers={"Content-Type": "application/json"}), method, path)
        assert r.status_code == 400 or kind == "empty" and path.endswith("/revisions") and r.status_code == 201 or \
            r.status_code == 200 and kind in ("BOM",), (method, path, r.status_code, r.text)


def test_ten_megabytes(rest, things):
    """Refused at once, by its declared length and by counting."""
    body = b'{"name": "' + b"x" * 10_000_000 + b'"}'
    for method, path, _ in bodies(things):
        for data in (body, (body[i:i + 500_000] for i in range(0, len(body), 500_000))):
            try:
                r = rest.request(method, path, data=data, headers={"Content-Type": "application/json"})
            except requests.exceptions.ConnectionError:
                continue  # closed while we were still sending: that is a refusal too
            limit_is_higher = path.startswith(PUBLISHER) and "/apis" in path
            assert check(r, method, path).status_code == 413 or limit_is_higher and r.status_code == 400, (method, path, r.status_code)


@pytest.mark.parametrize("content_type", ["text/plain", "application/x-www-form-urlencoded", "application/xml", "multipart/form-data; boundary=x",
                                          "application/jsonx", ";", "a" * 3000])
def test_other_content_types(rest, things, content_type):
    for method, path, body in bodies(things):
        r = check(rest.request(method, path, data=json.dumps(body), headers={"Content-Type": content_type}), method, path)
        assert r.status_code == 415 or r.status_code == 400 and "revisions" in path, (method, path, r.status_code, r.text)


def places(value, path=()):
    """Every place in a body, the root as well."""
    yield path
    items = value.items() if isinstance(value, dict) else enumerate(value) if isinstance(value, list) else ()
    for key, item in items:
        yield from places(item, (*path, key))


def put(body, path, value):
    if not path:
        return value
    out = copy.deepcopy(body)
    at = out
    for key in path[:-1]:
        at = at[key]
    at[path[-1]] = value
    return out


@pytest.mark.slow
@pytest.mark.databases("postgresql")
def test_every_member_with_every_kind_of_value(rest, things):
    """Nothing that can stand in JSON breaks an operation, wherever it stands."""
    n = 0
    for method, path, body in bodies(things):
        for place in places(body):
            for value in VALUES:
                sent = put(body, place, value)
                check(rest.request(method, path, data=json.dumps(sent), headers={"Content-Type": "application/json"}), method, path, place, str(value)[:80])
                n += 1
    assert n > 3000


# -- texts -----------------------------------------------------------------------------------------------------------------------

def texts_of_application(rest, text):
    name = flows.unique("t") + text
    made = yield rest.post(STORE + "/applications", json={"name": name, "throttlingPolicy": "Unlimited", "description": text,
                                                          "attributes": {"key" + text: text}})
    url = f"{STORE}/applications/{made['applicationId']}"
    for read in (made, rest.ok("GET", url)):
        assert (read["name"], read["description"], read["attributes"]) == (name, text, {"key" + text: text})
    found = rest.ok("GET", STORE + "/applications", params={"query": name, "limit": 1000})["list"]
    assert made["applicationId"] in [a["applicationId"] for a in found]
    # Groups are roles: a text that is none of the caller's is refused, and changes nothing.
    r = rest.put(url, json={"name": name, "throttlingPolicy": "Unlimited", "groups": [text or "x"]})
    assert r.status_code == 400 and r.json()["code"] and rest.ok("GET", url)["groups"] == [], r.text
    rest.ok("DELETE", url)


def texts_of_api(rest, text):
    name = flows.unique("Texts")
    body = {**api_body(name, "http://127.0.0.1:9"), "description": text, "tags": ["sliced"], "additionalProperties": [],
            "businessInformation": {"businessOwner": text, "technicalOwner": text}}
    made = yield rest.post(PUBLISHER + "/apis", json=body)
    read = rest.ok("GET", f"{PUBLISHER}/apis/{made['id']}")
    assert read["description"] == text
    assert (read["businessInformation"]["businessOwner"], read["businessInformation"]["technicalOwner"]) == (text, text)
    rest.ok("POST", PUBLISHER + "/apis/change-lifecycle", params={"apiId": made["id"], "action": "Publish"})
    wait_until(lambda: rest.get(f"{STORE}/apis/{made['id']}").status_code == 200, 10, what="it is in the Store")
    shown = rest.ok("GET", f"{STORE}/apis/{made['id']}")
    assert (shown["description"], shown["businessInformation"]["businessOwner"]) == (text, text)
    for base in (PUBLISHER, STORE):
        swagger = rest.ok("GET", f"{base}/apis/{made['id']}/swagger")
        assert swagger["info"].get("description", text) == text
    rest.ok("DELETE", f"{PUBLISHER}/apis/{made['id']}")


def texts_of_tag(rest, text):
    made = yield rest.post(PUBLISHER + "/apis", json={**api_body(flows.unique("Tagged"), "http://127.0.0.1:9"), "tags": ["a" + text]})
    assert rest.ok("GET", f"{PUBLISHER}/apis/{made['id']}")["tags"] == ["a" + text]
    found = rest.ok("GET", PUBLISHER + "/apis", params={"query": f'tag:"a{text}"'})["list"]
    assert made["id"] in [a["id"] for a in found]
    rest.ok("DELETE", f"{PUBLISHER}/apis/{made['id']}")


def texts_of_revision(rest, text):
    made = rest.ok("POST", PUBLISHER + "/apis", json=api_body(flows.unique("Revised"), "http://127.0.0.1:9"))
    url = f"{PUBLISHER}/apis/{made['id']}"
    yield rest.post(url + "/revisions", json={"description": text})
    assert rest.ok("GET", url + "/revisions")["list"][0]["description"] == text
    rest.ok("DELETE", url)


def texts_of_document(rest, text):
    made = rest.ok("POST", PUBLISHER + "/apis", json=api_body(flows.unique("Documented"), "http://127.0.0.1:9"))
    url = f"{PUBLISHER}/apis/{made['id']}"
    body = {**document(flows.unique("d")), "summary": text, "sourceType": "INLINE"}
    one = yield rest.post(url + "/documents", json=body)
    assert rest.ok("GET", f"{url}/documents/{one['documentId']}")["summary"] == text
    content = f"{url}/documents/{one['documentId']}/content"
    rest.ok("POST", content, files={"inlineContent": (None, text.encode("utf-8"))})
    assert rest.get(content).content.decode("utf-8") == text
    rest.ok("DELETE", url)


def texts_of_comment(rest, text):
    made = rest.ok("POST", PUBLISHER + "/apis", json=api_body(flows.unique("Commented"), "http://127.0.0.1:9"))
    url = f"{PUBLISHER}/apis/{made['id']}"
    yield rest.post(url + "/comments", json={"content": text})
    assert rest.ok("GET", url + "/comments")["list"][0]["content"] == text
    rest.ok("DELETE", url)


def texts_of_category(rest, text):
    name = flows.unique("c")
    made = yield rest.post(ADMIN + "/api-categories", json={"name": name, "description": text})
    assert {"id": made["id"], "name": name, "description": text} in rest.ok("GET", STORE + "/api-categories")["list"]


def texts_of_category_name(rest, text):
    made = yield rest.post(ADMIN + "/api-categories", json={"name": flows.unique("c") + text})
    api = rest.ok("POST", PUBLISHER + "/apis", json={**api_body(flows.unique("Sorted"), "http://127.0.0.1:9"), "categories": [made["name"]]})
    found = rest.ok("GET", PUBLISHER + "/apis", params={"query": f'api-category:"{made["name"]}"'})["list"]
    assert [a["id"] for a in found] == [api["id"]]
    assert rest.delete(f"{ADMIN}/api-categories/{made['id']}").status_code == 409
    rest.ok("DELETE", f"{PUBLISHER}/apis/{api['id']}")
    rest.ok("DELETE", f"{ADMIN}/api-categories/{made['id']}")


def texts_of_scope(rest, text):
    made = yield rest.post(PUBLISHER + "/scopes", json={"name": flows.unique("s"), "displayName": "d" + text, "description": text, "bindings": []})
    read = rest.ok("GET", f"{PUBLISHER}/scopes/{made['id']}")
    assert (read["displayName"], read["description"]) == ("d" + text, text)


def texts_of_scope_name(rest, text):
    made = yield rest.post(PUBLISHER + "/scopes", json={"name": flows.unique("s") + text, "displayName": "d", "bindings": []})
    assert text in made["name"]
    assert rest.ok("GET", f"{PUBLISHER}/scopes/{made['id']}")["name"] == made["name"]


def texts_of_policy(rest, text):
    made = yield rest.post(ADMIN + "/throttling/policies/application", json={**policy(flows.unique("p")), "displayName": text, "description": text})
    read = rest.ok("GET", f"{ADMIN}/throttling/policies/application/{made['policyId']}")
    assert (read["displayName"], read["description"]) == (text, text)
    shown = rest.ok("GET", f"{STORE}/throttling-policies/application/{made['policyName']}")
    assert (shown["displayName"], shown["description"]) == (text, text)


def texts_of_policy_name(rest, text):
    """A policy of that name works like any other: it can be used, and cannot be deleted then."""
    name = flows.unique("p") + text
    made = yield rest.post(ADMIN + "/throttling/policies/subscription", json=policy(name))
    url = f"{ADMIN}/throttling/policies/subscription/{made['policyId']}"
    assert rest.ok("GET", url)["policyName"] == name
    api = rest.ok("POST", PUBLISHER + "/apis", json={**api_body(flows.unique("Policed"), "http://127.0.0.1:9"), "policies": [name]})
    assert rest.ok("GET", f"{PUBLISHER}/apis/{api['id']}")["policies"] == [name]
    assert rest.delete(url).status_code == 409
    rest.ok("DELETE", f"{PUBLISHER}/apis/{api['id']}")
    assert rest.delete(url).status_code == 200


def texts_of_environment(rest, text):
    name = flows.unique("e")
    yield rest.post(ADMIN + "/environments", json={**environment(name), "displayName": text, "description": text})
    read = rest.ok("GET", f"{ADMIN}/environments/{name}")
    assert (read["displayName"], read["description"]) == (text, text)


def texts_of_environment_name(rest, text):
    name = flows.unique("e") + text
    yield rest.post(ADMIN + "/environments", json=environment(name))
    assert rest.ok("GET", f"{ADMIN}/environments/{requests.utils.quote(name, safe='')}")["name"] == name


def texts_of_user(rest, text):
    name = flows.unique("u")
    rest.ok("POST", ADMIN + "/users", json={"username": name, "password": "long enough"})
    yield rest.put(f"{ADMIN}/users/{name}", json={"givenName": text, "familyName": text, "organization": text})
    read = rest.ok("GET", f"{ADMIN}/users/{name}")
    assert (read["givenName"], read["familyName"], read["organization"]) == (text,) * 3


def texts_of_user_name(rest, text):
    name = flows.unique("u") + text
    yield rest.post(ADMIN + "/users", json={"username": name, "password": "long enough"})
    assert rest.ok("GET", f"{ADMIN}/users/{requests.utils.quote(name, safe='')}")["username"] == name


def texts_of_role(rest, text):
    name = flows.unique("r") + text
    yield rest.post(ADMIN + "/roles", json={"name": name, "description": text})
    assert {"name": name, "description": text, "userCount": 0} in rest.ok("GET", ADMIN + "/roles")["list"]
    rest.ok("DELETE", ADMIN + "/roles", params={"name": name})


KINDS = {f.__name__[9:]: f for f in (texts_of_application, texts_of_api, texts_of_tag, texts_of_revision, texts_of_document, texts_of_comment, texts_of_category, texts_of_category_name, texts_of_scope, texts_of_scope_name, texts_of_policy,
                                     texts_of_policy_name, texts_of_environment, texts_of_environment_name, texts_of_user, texts_of_user_name,
                                     texts_of_role)}
NEVER_REFUSED = ("application", "api", "revision", "document", "comment", "category", "scope", "policy", "environment", "user")


@pytest.mark.parametrize("kind", sorted(KINDS))
def test_texts_come_back_or_are_refused(rest, kind):
    for text in TEXTS + CONTROLS:
        steps = KINDS[kind](rest, text)
        r = check(next(steps), kind, text)
        if r.status_code == 400:
            assert kind not in NEVER_REFUSED or text in CONTROLS, (kind, text, r.text)
            assert r.json()["error"] or text == "\u0000" and "line 1, column" in r.json()["description"], (kind, text, r.text)
            continue
        assert r.status_code in (200, 201), (kind, text, r.status_code, r.text)
        assert text not in CONTROLS or text in ("a\nb", "tab\tin"), (kind, text)
        with pytest.raises(StopIteration):
            steps.send(r.json())


# -- paths and queries --------------------------------------------------------------------------------------------------------------

SEGMENTS = ["'", "%27%20OR%20%271%27=%271", "%22", "%00", "%0d%0aSet-Cookie:%20hostile=1", "%ff", "%c0%af", "..", "%2e%2e", "..%2f..%2fetc%2fpasswd", "%25s%25n",
            "x" * 6000, "%F0%9F%98%80", "%ed%a0%80", "*", "-1", "0", "null", "undefined", "{apiId}", "%7BapiId%7D", ";x=y", "a;b", "a%20b", "+", "~", "%E2%80%AE",
            str(uuid.UUID(int=0)), "a|b", "%5c..%5c", "%u0041", "%zz", "%"]


def test_hostile_ids(env, rest, things):
    env.expect_log("AH10244: invalid URI path", "AH00026: found %2f")
    known = {"applicationId": things.app["applicationId"], "apiId": things.api["id"]}
    for base, method, path, _ in OPERATIONS:
        params = re.findall(r"\{(\w+)\}", path)
        for param in params:
            for segment in SEGMENTS:
                url = re.sub(r"\{(\w+)\}", lambda m, p=param, s=segment: s if m.group(1) == p else known.get(m.group(1), "x"), base + path)
                r = Answer(rest, method, url, b"{}" if method in ("POST", "PUT") else None)
                where = (method, url[:200], r.status_code, r.text[:300])
                assert 400 <= r.status_code < 500 or segment in ("..", "%2e%2e", ".."), where
                assert "hostile" not in r.headers.get("Set-Cookie", "") and not INSIDES.search(r.text), where
                if r.headers.get("Content-Type", "").startswith("application/json") and r.status_code >= 400:
                    assert set(r.json()) == ERROR, where


class Answer:
    """An answer to a request that was sent byte for byte: requests would mend its path and query."""

    def __init__(self, rest, method, url, body=None):
        connection = http.client.HTTPConnection(rest.base.split("//")[1], timeout=60)
        connection.putrequest(method, url, skip_accept_encoding=True)
        connection.putheader("Authorization", rest.headers["Authorization"])
        if body is not None:
            connection.putheader("Content-Type", "application/json")
            connection.putheader("Content-Length", str(len(body)))
        connection.endheaders(body)
        answer = connection.getresponse()
        self.status_code, self.headers = answer.status, answer.headers
        self.text = answer.read().decode("utf-8")
        connection.close()

    def json(self):
        return json.loads(self.text)


QUERIES = ["limit", "offset", "query", "sortBy", "sortOrder", "apiId", "applicationId", "name", "revisionId", "action", "newVersion", "blockState", "subscriptionId",
           "environmentName", "replyTo", "replyLimit", "replyOffset", "lifecycleChecklist", "returnContent", "defaultVersion", "allEnvironments"]
QUERY_VALUES = ["", "-1", "0", "99999999999999999999", "1e9", "1;DROP TABLE am_api", "' OR 1=1--", "%", "!%_", "*" * 500, "name:", ":x", "name:\"", "\"", "nosuch:x",
                "a" * 5000, "x\r\nSet-Cookie: hostile=1", "\U0001f600", "name:* name:* name:*", "tag:a tag:b tag:c tag:d", "a b c d e f", "[", "\\", "\x01", "true", "[]"]


def test_hostile_queries(rest):
    """What every list takes with every value; of the others, that most operations do not know, a sixth for each operation."""
    turn = 0
    for base, method, path, _ in OPERATIONS:
        if "{" in path or base == SIGNUP or method == "DELETE" or path in ("/swagger.yaml", "/openapi.json"):
            continue
        for name in QUERIES if method == "GET" else QUERIES[5:]:
            turn += 1
            for value in QUERY_VALUES if name in QUERIES[:5] else QUERY_VALUES[turn % 6::6]:
                r = rest.request(method, base + path, params={name: value}, data=b"" if method == "POST" else None,
                                 headers={"Content-Type": "application/json"} if method == "POST" else {})
                check(r, method, path, name, value)
                if name in ("limit", "offset") and method == "GET" and "pagination" in r.text and r.status_code == 200:
                    assert value in ("", "0") and (value, name) != ("0", "limit"), (path, name, value)


@pytest.mark.parametrize("query", ["%ff", "query=%ff", "query=%", "query=%zz", "limit=%31%30%00", "=&=&&", "a" * 7000, "query=%ed%a0%80", "&" * 1000])
def test_broken_queries(rest, query):
    for path in (STORE + "/apis", PUBLISHER + "/apis", ADMIN + "/users", STORE + "/applications"):
        r = Answer(rest, "GET", f"{path}?{query}")
        check(r, path, query)
        assert r.status_code == (200 if set(query) <= set("=&a") else 400), (path, query, r.text)


def test_a_wildcard_matches_only_as_one(rest):
    """% and _ of SQL are plain characters in a query; * is the wildcard."""
    store = STORE + "/applications"
    marks = {}
    for sign in ("%", "_", "!", "\\", "'"):
        marks[sign] = rest.ok("POST", store, json={"name": flows.unique("wild") + sign + "card", "throttlingPolicy": "Unlimited"})["name"]
    for sign, name in marks.items():
        assert [a["name"] for a in rest.ok("GET", store, params={"query": sign + "card"})["list"]] == [name], sign
    assert len(rest.ok("GET", store, params={"query": "*card"})["list"]) == len(marks)
