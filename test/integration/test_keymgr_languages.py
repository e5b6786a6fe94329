# SPDX-License-Identifier: Apache-2.0
"""Log-in, consent and log-out in the language of the person."""
import json
import os
import pathlib
import subprocess
import urllib.parse

import pytest

from browser import Browser, Client
from database import USERS
from keymgr import KeyManager

SCRIPT = pathlib.Path(__file__).resolve().parents[1] / "browser" / "login.mjs"

pytestmark = pytest.mark.databases("sqlite")


@pytest.fixture(scope="module")
def km(env):
    return KeyManager(env, env.node(["keymgr"], "keymgr"))


def person(km, languages):
    browser = Browser(km.url)
    browser.session.headers["Accept-Language"] = languages
    return browser


def is_german(page):
    said = 'lang="de"' in page.text.splitlines()[1]
    assert page.headers["Content-Language"] == ("de" if said else "en")
    return said


def test_a_german_goes_all_the_way_in_german(km):
    app, browser = Client(km), person(km, "de-AT,de;q=0.9,en;q=0.5")
    page = app.authorize(browser)
    assert is_german(page) and "<title>Anmelden</title>" in page.text and ">Benutzername<" in page.text and "Log in" not in page.text
    page = browser.log_in(page, password="wrong")
    assert page.status_code == 403 and is_german(page) and "Der Benutzername oder das Passwort ist falsch." in page.text
    page = browser.log_in(page)
    assert is_german(page) and "Zugriff erlauben?" in page.text and "in Ihrem Namen APIs aufrufen" in page.text and "Allow" not in page.text
    assert "code=" in browser.allow(page).headers["Location"]
    page = browser.get("/oauth2/logout")
    assert is_german(page) and "Abmelden?" in page.text
    page = browser.submit(page)
    assert is_german(page) and "Sie sind abgemeldet." in page.text


def test_the_application_may_say_the_language_and_it_stays_over_the_form(km):
    app, browser = Client(km), person(km, "en")
    page = app.authorize(browser, ui_locales="fr de")
    assert is_german(page)
    assert is_german(browser.log_in(page, password="wrong"))
    assert is_german(browser.log_in(page)), "the page of consent"
    assert not is_german(app.authorize(person(km, "de"), ui_locales="en-GB"))
    assert not is_german(app.authorize(person(km, "fr")))
    assert is_german(browser.get("/oauth2/logout", ui_locales="de"))


def test_the_pages_for_devices_are_german_too(km):
    device = Client(km, public=True, grant_types=["urn:ietf:params:oauth:grant-type:device_code"])
    browser = person(km, "de")
    page = browser.submit(browser.get("/oauth2/device"), user_code="BBBB-BBBB")
    assert page.status_code == 404 and is_german(page) and "Auf diesen Code wartet kein Gerät" in page.text
    for decision, said in (("deny", "Das Gerät hat nichts bekommen."), ("allow", "Gerät verbunden")):
        code = km.post("/oauth2/device_authorization", data={"client_id": device.id}).json()["user_code"]
        page = browser.submit(page, user_code=code)
        if 'name="password"' in page.text:
            assert is_german(page) and f"auf dem Gerät mit der Anzeige {code}" in page.text
            page = browser.log_in(page)
        assert is_german(page) and "Erlauben Sie es nur" in page.text
        page = browser.submit(page, decision=decision)
        assert is_german(page) and said in page.text
        page = browser.get("/oauth2/device")


def test_an_error_is_marked_as_english_on_a_german_page(km):
    page = person(km, "de").get("/oauth2/authorize", client_id="x")
    assert page.status_code == 400 and is_german(page) and 'role="alert" lang="en"' in page.text and "beginnen Sie dort von vorn" in page.text


@pytest.mark.parametrize("hostile", ["de\u2028", "<script>", "x" * 4000, "de;q=9999999999999999", ";;;,,,q=", "%s%n"])
def test_hostile_languages_get_a_page_and_are_not_shown(km, hostile):
    page = person(km, hostile.encode()).get("/oauth2/logout", ui_locales=hostile)
    assert page.status_code == 200 and (len(hostile) < 3 or hostile not in page.text)


def test_the_languages_stand_in_the_metadata(km):
    assert km.get("/.well-known/openid-configuration").json()["ui_locales_supported"] == ["en", "de"]


@pytest.mark.slow
def test_axe_finds_nothing_on_a_wide_window_and_a_phone(env, km):
    assert (SCRIPT.parents[1] / "npm" / "node_modules" / "playwright-core").is_dir(), "run npm ci in test/npm (./check does it)"
    app = Client(km, redirect_uri="https://a-rather-long-name-of-a-host.applications.example.com/cb")
    job = {"url": km.url, "user": {"name": "subscriber", "password": USERS["subscriber"][0]}, "shots": str(env.root),
           "authorize": "/oauth2/authorize?" + urllib.parse.urlencode(app.request(scope="openid profile email apim:subscribe", prompt="login consent")),
           "windows": [{"locale": "en"}, {"locale": "de", "viewport": {"width": 320, "height": 640}, "colorScheme": "dark"}]}
    r = subprocess.run(["node", SCRIPT, json.dumps(job)], capture_output=True, text=True, timeout=120, check=False,
                       env={**os.environ, "HOME": str(env.root)})
    assert r.returncode == 0, r.stderr
    answer = json.loads(r.stdout)
    assert answer["looked"] == 9 and not answer["found"], "\n".join(answer["found"])
