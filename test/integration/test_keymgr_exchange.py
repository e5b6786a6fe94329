# SPDX-License-Identifier: Apache-2.0
"""Token exchange (RFC 8693): narrower tokens for the same user, who acts for whom, and that they die with what they came from."""
import pytest

from browser import Browser, Client
from database import USERS
from keymgr import KeyManager, Scene, claims

GRANT = "urn:ietf:params:oauth:grant-type:token-exchange"
TYPE = "urn:ietf:params:oauth:token-type:"
ISSUER, GATEWAY = "http://keys.example.com", "https://api.example.com"
SCOPES = "apim:subscribe apim:app_manage"


@pytest.fixture(scope="module")
def km(env):
    return KeyManager(env, env.node(["keymgr"], "keymgr", extra=f"ApimIssuer {ISSUER}\nApimTokenResource {GATEWAY}"))


@pytest.fixture(scope="module")
def api(km, env):
    return Scene(km, env.db)


def register(km, grants=(GRANT, "client_credentials"), token_type="JWT", **more):
    r = km.post("/oauth2/register", auth=("subscriber", USERS["subscriber"][0]),
                json={"grant_types": list(grants), "token_type_extension": token_type, **more})
    assert r.status_code == 201, r.text
    return (r.json()["client_id"], r.json()["client_secret"])


@pytest.fixture(scope="module", params=["JWT", "OAUTH"])
def front(km, request):
    """The client that people log in to; its access tokens are what others exchange."""
    return register(km, ("password", "refresh_token", GRANT, "client_credentials"), request.param)


@pytest.fixture(scope="module", params=["JWT", "OAUTH"])
def service(km, request):
    return register(km, token_type=request.param)


def login(km, client, scope=SCOPES, **more):
    return km.ok_token(client, "password", username="subscriber", password=USERS["subscriber"][0], scope=scope, **more)


def exchange(km, client, subject, kind="access_token", actor=None, actor_kind="access_token", **more):
    form = {"subject_token": subject, "subject_token_type": TYPE + kind, **more}
    if actor:
        form.update(actor_token=actor, actor_token_type=TYPE + actor_kind)
    return km.token(client, GRANT, **{k: v for k, v in form.items() if v is not None})


def got(r):
    assert r.status_code == 200 and r.headers["Cache-Control"] == "no-store", f"{r.status_code} {r.text}"
    return r.json()


def refused(r, error="invalid_request"):
    assert r.status_code == 400 and r.json()["error"] == error, f"{r.status_code} {r.text}"


def told(km, client, token):
    return km.post("/oauth2/introspect", auth=client, data={"token": token}).json()


def test_a_service_gets_a_token_for_the_user(km, front, service):
    subject = login(km, front)["access_token"]
    new = got(exchange(km, service, subject))
    assert new["issued_token_type"] == TYPE + "access_token" and new["token_type"] == "Bearer"
    assert new["scope"] == SCOPES and "refresh_token" not in new and "id_token" not in new
    assert new["expires_in"] <= 3600
    about = told(km, service, new["access_token"])
    assert about["sub"] == "subscriber" and about["client_id"] == service[0] and about["aut"] == "APPLICATION_USER"
    assert "act" not in about
    assert told(km, front, new["access_token"]) == {"active": False}  # it is the service's
    assert km.active(subject)  # what was shown goes on


def test_scopes_only_shrink(km, front, service):
    subject = login(km, front, "apim:subscribe")["access_token"]
    refused(exchange(km, service, subject, scope="apim:subscribe apim:app_manage"), "invalid_scope")
    refused(exchange(km, service, subject, scope='a"b'), "invalid_scope")
    both = login(km, front)["access_token"]
    one = got(exchange(km, service, both, scope="apim:app_manage"))
    assert one["scope"] == "apim:app_manage"
    refused(exchange(km, service, one["access_token"], scope="apim:subscribe"), "invalid_scope")
    limited = register(km, scope="apim:subscribe")
    assert got(exchange(km, limited, both))["scope"] == "apim:subscribe"


def test_it_does_not_live_longer(km, front, service):
    subject = login(km, front, validity_period=60)
    assert got(exchange(km, service, subject["access_token"]))["expires_in"] <= 60
    assert got(exchange(km, service, subject["access_token"], validity_period=5))["expires_in"] == 5


def test_targets(km, api, front, service):
    url = GATEWAY + api.context
    subject = login(km, front)["access_token"]
    narrow = got(exchange(km, service, subject, resource=url))["access_token"]
    assert told(km, service, narrow)["aud"] == url and not km.active(narrow)
    again = got(exchange(km, service, narrow))["access_token"]
    assert told(km, service, again)["aud"] == url
    refused(exchange(km, service, narrow, resource=GATEWAY), "invalid_target")
    refused(exchange(km, service, narrow, audience=front[0]), "invalid_target")
    refused(exchange(km, service, subject, resource="https://evil.example.com/"), "invalid_target")
    refused(exchange(km, service, subject, audience="somebody"), "invalid_target")
    # for another client: it may see it, and pass it on to where it is needed
    other = register(km)
    for_other = got(exchange(km, service, subject, audience=other[0]))["access_token"]
    assert told(km, other, for_other)["active"] and told(km, other, for_other)["aud"] == other[0]
    assert not km.active(for_other) and not api.verify(for_other)["authorized"]
    passed_on = got(exchange(km, other, for_other, resource=url))["access_token"]
    assert told(km, other, passed_on)["aud"] == url
    third = register(km)
    refused(exchange(km, third, for_other, resource=url), "invalid_target")
    both = got(exchange(km, service, subject, audience=[other[0], ISSUER], resource=url))["access_token"]
    assert told(km, service, both)["aud"] in ([other[0], ISSUER, url], [url, other[0], ISSUER])


def test_delegation(km, front, service):
    subject = login(km, front)["access_token"]
    me = km.ok_token(service)["access_token"]
    new = got(exchange(km, service, subject, actor=me))
    assert told(km, service, new["access_token"])["act"] == {"sub": service[0]}
    second = register(km)
    refused(exchange(km, service, subject, actor=km.ok_token(second)["access_token"]))  # another's token
    refused(exchange(km, service, subject, actor=subject))
    chain = got(exchange(km, second, new["access_token"], actor=km.ok_token(second)["access_token"]))["access_token"]
    assert claims(chain)["act"] == {"sub": second[0], "act": {"sub": service[0]}}
    kept = got(exchange(km, second, chain))["access_token"]  # who acted before is not forgotten
    assert claims(kept)["act"] == claims(chain)["act"]
    token = chain
    for _ in range(2):
        token = got(exchange(km, second, token, actor=km.ok_token(second)["access_token"]))["access_token"]
    refused(exchange(km, second, token, actor=km.ok_token(second)["access_token"]))


def test_may_act(km, service):
    """The client that people log in to says who may act for them."""
    owner = register(km, ("password", GRANT, "client_credentials"), may_act={"sub": service[0]})
    subject = login(km, owner)["access_token"]
    assert claims(subject)["may_act"] == {"sub": service[0]}
    stranger = register(km)
    refused(exchange(km, stranger, subject))
    refused(exchange(km, stranger, subject, actor=km.ok_token(stranger)["access_token"]))
    assert got(exchange(km, service, subject, actor=km.ok_token(service)["access_token"]))
    assert got(exchange(km, service, subject)) and got(exchange(km, owner, subject))
    refused(exchange(km, owner, subject, actor=km.ok_token(owner)["access_token"]))
    # a user
    by_admin = register(km, ("password", GRANT), may_act={"sub": "admin"})
    subject = login(km, by_admin)["access_token"]
    admin = km.ok_token(by_admin, "password", username="admin", password=USERS["admin"][0])["access_token"]
    assert claims(got(exchange(km, by_admin, subject, actor=admin))["access_token"])["act"] == {
        "sub": "admin", "client_id": by_admin[0]}
    for wrong in ("ck", {"sub": ""}, {"sub": 7}, {"sub": "a", "iss": "b"}, []):
        r = km.post("/oauth2/register", auth=("subscriber", USERS["subscriber"][0]), json={"may_act": wrong})
        refused(r, "invalid_client_metadata")


@pytest.mark.parametrize("how", ["revoke", "refresh-family", "own"])
def test_it_dies_with_its_subject(km, front, service, how):
    subject = login(km, front)
    new = got(exchange(km, service, subject["access_token"]))["access_token"]
    further = got(exchange(km, service, new))["access_token"]
    assert km.active(new) and km.active(further)
    if how == "own":  # its own end is not that of the log-in
        km.post("/oauth2/revoke", auth=service, data={"token": new})
        assert km.active(subject["access_token"])
    else:
        name = "access_token" if how == "revoke" else "refresh_token"
        km.post("/oauth2/revoke", auth=front, data={"token": subject[name]})
        refused(exchange(km, service, subject["access_token"]))
    assert not km.active(new) and not km.active(further)


def test_an_application_narrows_its_own_token(km, api, front, service):
    mine = km.ok_token(service)["access_token"]
    new = got(exchange(km, service, mine, resource=GATEWAY + api.context))["access_token"]
    about = told(km, service, new)
    assert about["aut"] == "APPLICATION" and about["sub"] == service[0] and about["aud"] == GATEWAY + api.context
    refused(exchange(km, front, mine))  # another application's own token stands for no user
    km.post("/oauth2/revoke", auth=service, data={"token": mine})
    assert told(km, service, new) == {"active": False}


def test_a_refresh_leaves_them(km, front, service):
    """The retry of a refresh is not confused by tokens that were exchanged meanwhile."""
    first = login(km, front)
    new = got(exchange(km, service, first["access_token"]))["access_token"]
    km.ok_token(front, "refresh_token", refresh_token=first["refresh_token"])
    again = km.ok_token(front, "refresh_token", refresh_token=first["refresh_token"])
    assert km.active(again["access_token"]) and km.active(new)
    refused(exchange(km, service, first["access_token"]))


@pytest.mark.databases("sqlite")
def test_id_tokens(km, env):
    app = Client(km, grant_types=["authorization_code", GRANT])
    pair, browser = (app.id, app.secret), Browser(km.url)
    tokens = app.tokens(browser, scope="openid apim:subscribe")
    new = got(exchange(km, pair, tokens["id_token"], "id_token"))
    assert new["scope"] == "openid apim:subscribe" and claims(new["access_token"])["sub"] == "subscriber"
    assert got(exchange(km, pair, tokens["id_token"], "jwt", scope="apim:subscribe"))["scope"] == "apim:subscribe"
    refused(exchange(km, pair, tokens["id_token"], "id_token", scope="apim:app_manage"), "invalid_scope")
    refused(exchange(km, pair, tokens["id_token"]))  # it is no access token
    refused(exchange(km, pair, tokens["access_token"], "id_token"))
    refused(exchange(km, register(km), tokens["id_token"], "id_token"))  # it was given to another
    broken = tokens["id_token"][:-6] + "AAAAAA"
    refused(exchange(km, pair, broken, "id_token"))


def test_jwt_types(km, front, service):
    subject = login(km, front)["access_token"]
    is_jwt = "." in subject
    r = exchange(km, service, subject, "jwt")
    assert got(r) if is_jwt else refused(r) is None
    r = exchange(km, service, subject, requested_token_type=TYPE + "jwt")
    if told(km, service, got(exchange(km, service, subject))["access_token"]).get("jti"):
        assert got(r)["issued_token_type"] == TYPE + "jwt"
    else:
        refused(r)


@pytest.mark.databases("sqlite")
def test_refusals(km, front, service):
    subject = login(km, front)["access_token"]
    refused(exchange(km, service, None))
    refused(exchange(km, service, subject, subject_token_type=None))
    refused(exchange(km, service, subject, subject_token_type="urn:x"))
    refused(exchange(km, service, subject, subject_token_type=TYPE + "refresh_token"))
    refused(exchange(km, service, subject, subject_token_type=TYPE + "saml2"))
    refused(exchange(km, service, subject, requested_token_type=TYPE + "refresh_token"))
    refused(exchange(km, service, subject, actor_token="x"))
    refused(exchange(km, service, subject, actor_token_type=TYPE + "access_token"))
    refused(exchange(km, service, "nonsense"))
    refused(exchange(km, service, "a.b.c"))
    refused(exchange(km, service, "a.b.c", "jwt"))
    refused(exchange(km, service, subject, actor="nonsense"))
    refused(exchange(km, service, "apim_rt_x"))
    refused(km.post(f"/oauth2/token?subject_token={subject}", auth=service, data={"grant_type": GRANT}))
    plain = register(km, ("client_credentials",))
    refused(exchange(km, plain, subject), "unauthorized_client")
    r = km.post("/oauth2/register", auth=("subscriber", USERS["subscriber"][0]),
                json={"grant_types": [GRANT], "token_endpoint_auth_method": "none"})
    refused(r, "invalid_client_metadata")
    assert exchange(km, ("ck_nobody", "x"), subject).status_code == 401
    assert GRANT in km.get("/.well-known/oauth-authorization-server").json()["grant_types_supported"]


@pytest.mark.databases("sqlite")
def test_a_locked_user(env, km, service, front):
    subject = km.ok_token(front, "password", username="subscriber2", password=USERS["subscriber2"][0])["access_token"]
    new = got(exchange(km, service, subject))["access_token"]
    env.db.apimctl("user", "lock", "subscriber2", which="user_manager")
    try:
        refused(exchange(km, service, subject))
        assert not km.active(new)
    finally:
        env.db.apimctl("user", "unlock", "subscriber2", which="user_manager")
