# SPDX-License-Identifier: Apache-2.0
"""REST as a client does it: registration, a token with scopes, Bearer calls."""
import requests

import contract
from database import USERS

PUBLISHER_SCOPES = ("apim:api_view apim:api_create apim:api_publish apim:api_delete apim:api_manage apim:api_import_export "
                    "apim:subscription_view apim:subscription_block apim:subscription_manage apim:shared_scope_manage "
                    "apim:api_generate_key apim:document_manage apim:comment_view apim:comment_write apim:comment_manage apim:tier_view")
STORE_SCOPES = "apim:subscribe apim:app_manage apim:sub_manage apim:api_key apim:app_import_export"
ADMIN_SCOPES = ("apim:admin apim:tier_view apim:tier_manage apim:admin_tier_view apim:admin_tier_manage "
                "apim:admin_application_view apim:app_owner_change apim:api_provider_change apim:bl_view apim:bl_manage apim:scope_manage "
                "apim:api_workflow_view apim:api_workflow_approve apim:environment_read apim:environment_manage apim:admin_settings apim:role_manage")
TIMEOUT = 60


class Rest(requests.Session):
    """A session with a base URL: rest.get('/apis', params=…). Answers are plain requests.Response."""
    tries_odd_bodies = False  # a test that does sets it: what is taken of them, and comes back, need not be in the OpenAPI documents

    def __init__(self, base, token=None, auth=None):
        super().__init__()
        self.base = base.rstrip("/")
        self.trust_env = False
        if token:
            self.headers["Authorization"] = f"Bearer {token}"
        if auth:
            self.auth = auth

    def request(self, method, url, **more):
        more.setdefault("timeout", TIMEOUT)
        more.setdefault("allow_redirects", False)
        response = super().request(method, url if url.startswith("http") else self.base + url, **more)
        if not more.get("stream"):
            contract.check(response, bodies=not self.tries_odd_bodies)
        return response

    def ok(self, method, url, status=(200, 201, 202, 204), **more):
        """Like request, but fails unless the answer has one of these statuses; returns its JSON (None if empty)."""
        r = self.request(method, url, **more)
        wanted = (status,) if isinstance(status, int) else status
        assert r.status_code in wanted, f"{method} {r.url}: {r.status_code} {r.text[:2000]}"
        return r.json() if r.content and "json" in r.headers.get("Content-Type", "") else (r.text or None)


class Client:
    """The three REST APIs and the OAuth endpoints. keymgr_url and portal_url may be different httpds."""

    def __init__(self, keymgr_url, portal_url, gateway_url=None):
        self.keymgr = Rest(keymgr_url)
        self.keymgr_url, self.portal_url, self.gateway_url = keymgr_url, portal_url, gateway_url
        self._apps = {}
        self._tokens = {}

    def dcr(self, user="admin", **fields):
        """Dynamic registration as scripts do it today; returns (client id, client secret)."""
        body = {"callbackUrl": "www.example.org", "clientName": f"rest_api_{user}", "owner": user,
                "grantType": "client_credentials password refresh_token", "saasApp": True, **fields}
        out = self.keymgr.ok("POST", "/client-registration/v0.17/register", json=body, auth=(user, USERS[user][0]))
        return out["clientId"], out["clientSecret"]

    def token_response(self, user, scopes, client=None):
        client = client or self._apps.setdefault(user, None) or self.dcr(user)
        self._apps[user] = client
        return self.keymgr.post("/oauth2/token", auth=client,
                                data={"grant_type": "password", "username": user, "password": USERS[user][0],
                                      "scope": scopes})

    def forget(self, user):
        """Forgets the client and the tokens of a user."""
        self._apps.pop(user, None)
        self._tokens = {key: token for key, token in self._tokens.items() if key[0] != user}

    def token(self, user, scopes):
        """An access token of the password grant, remembered for the user and these scopes."""
        key = (user, scopes)
        if key not in self._tokens:
            r = self.token_response(user, scopes)
            assert r.status_code == 200, f"no token for {user}: {r.status_code} {r.text}"
            self._tokens[key] = r.json()["access_token"]
        return self._tokens[key]

    def publisher(self, user="admin", scopes=PUBLISHER_SCOPES):
        return Rest(f"{self.portal_url}/api/am/publisher/v4", self.token(user, scopes))

    def store(self, user="subscriber", scopes=STORE_SCOPES):
        return Rest(f"{self.portal_url}/api/am/devportal/v3", self.token(user, scopes))

    def admin(self, user="admin", scopes=ADMIN_SCOPES):
        return Rest(f"{self.portal_url}/api/am/admin/v4", self.token(user, scopes))

    def anonymous(self, base="/api/am/devportal/v3"):
        return Rest(self.portal_url + base)

    def gateway(self, token=None):
        """A session on the gateway, with a Bearer token if one is given."""
        return Rest(self.gateway_url, token)
