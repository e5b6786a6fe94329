# SPDX-License-Identifier: Apache-2.0
"""A person at a web browser: keeps cookies, follows forms, and stops where it would be sent back to a client."""
import base64
import hashlib
import html.parser
import secrets
import urllib.parse

import requests

from database import USERS

TIMEOUT = 60


class Form(html.parser.HTMLParser):
    """The one form of a page, with what its fields hold."""

    def __init__(self, page):
        super().__init__()
        self.fields, self.action, self.tags, self.links = {}, None, set(), []
        self.feed(page)

    def handle_starttag(self, tag, attrs):
        attrs = dict(attrs)
        self.tags.add(tag)
        if tag == "form":
            self.action = attrs["action"]
        if tag == "input":
            self.fields[attrs["name"]] = attrs.get("value") or ""
        if tag in ("link", "a"):
            self.links.append(attrs["href"])


class Browser:
    def __init__(self, url):
        self.url = url
        self.session = requests.Session()
        self.session.trust_env = False

    def get(self, path, **params):
        return self.session.get(self.url + path, params=params, allow_redirects=False, timeout=TIMEOUT)

    def submit(self, page, headers=None, url=None, **values):
        form = Form(page.text)
        return self.session.post((url or self.url) + form.action, data={**form.fields, **values}, allow_redirects=False,
                                 headers=headers, timeout=TIMEOUT)

    def log_in(self, page, who="subscriber", password=None, **more):
        return self.submit(page, username=who, password=password or USERS[who][0], **more)

    def allow(self, page):
        return self.submit(page, decision="allow")


def pkce():
    """A verifier and its S256 challenge."""
    verifier = secrets.token_urlsafe(48)
    return verifier, challenge_of(verifier)


def challenge_of(verifier):
    return base64.urlsafe_b64encode(hashlib.sha256(verifier.encode()).digest()).rstrip(b"=").decode()


def answer(response):
    """The parameters that a response sends the browser back to the client with."""
    assert response.status_code == 303, f"{response.status_code} {response.text}"
    query = urllib.parse.urlsplit(response.headers["Location"]).query
    pairs = urllib.parse.parse_qsl(query, keep_blank_values=True)
    assert len(pairs) == len(dict(pairs)), query
    return dict(pairs)


class Client:
    """A client registered at a Key Manager, and one person's way through its log-in."""

    def __init__(self, km, public=False, redirect_uri="https://app.example.com/cb", **metadata):
        body = {"client_name": "The app", "redirect_uris": [redirect_uri], "grant_types": ["authorization_code", "refresh_token"],
                **metadata}
        if public:
            body["token_endpoint_auth_method"] = "none"
        r = km.post("/oauth2/register", auth=("subscriber", USERS["subscriber"][0]), json=body)
        assert r.status_code == 201, r.text
        self.km, self.redirect_uri, self.body = km, redirect_uri, r.json()
        self.id, self.secret = self.body["client_id"], self.body.get("client_secret")
        self.verifier, self.challenge = pkce()

    def request(self, **more):
        """The parameters of an authorization request; None leaves one out."""
        params = {"response_type": "code", "client_id": self.id, "redirect_uri": self.redirect_uri, "state": "st 1&2",
                  "code_challenge": self.challenge, "code_challenge_method": "S256", **more}
        return {k: v for k, v in params.items() if v is not None}

    def authorize(self, browser, **more):
        return browser.get("/oauth2/authorize", **self.request(**more))

    def code(self, browser=None, who="subscriber", **more):
        """Logs in and consents where that is asked for; the answer's parameters."""
        browser = browser or Browser(self.km.url)
        page = self.authorize(browser, **more)
        if page.status_code == 200 and 'name="password"' in page.text:
            page = browser.log_in(page, who)
        if page.status_code == 200 and 'name="decision"' in page.text:
            page = browser.allow(page)
        return answer(page)

    def redeem(self, code, **more):
        form = {"grant_type": "authorization_code", "code": code, "redirect_uri": self.redirect_uri, "code_verifier": self.verifier,
                **more}
        if not self.secret:
            form.setdefault("client_id", self.id)
        form = {k: v for k, v in form.items() if v is not None}
        return self.km.post("/oauth2/token", data=form, auth=(self.id, self.secret) if self.secret else None)

    def tokens(self, browser=None, who="subscriber", **more):
        r = self.redeem(self.code(browser, who, **more)["code"])
        assert r.status_code == 200, r.text
        return r.json()
