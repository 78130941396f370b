"""A person at a real browser: signs in, consents, looks at the authorized apps, revokes one."""

from __future__ import annotations

from collections.abc import Iterator
from concurrent.futures import ThreadPoolExecutor
from contextlib import closing

import pytest
from selenium.webdriver import Chrome
from selenium.webdriver.common.by import By
from selenium.webdriver.common.keys import Keys
from selenium.webdriver.support.expected_conditions import title_contains, url_contains
from selenium.webdriver.support.wait import WebDriverWait

from practicefusion_connector import Connection, PracticeFusion
from practicefusion_connector.cli.authorization import Grant, authorize
from practicefusion_connector.cli.loopback import Receiver
from practicefusion_connector.errors import Forbidden, ReauthRequired
from practicefusion_connector.registry import shipped
from practicefusion_connector.sandbox import Sandbox
from practicefusion_connector.smart.consent import categories
from practicefusion_connector.stores import ConnectionRecord, MemoryStore

PATIENCE = 20


@pytest.fixture(scope="module")
def practice() -> Iterator[Sandbox]:
    with Sandbox(patients=2) as sandbox:
        yield sandbox


def sign_in(browser: Chrome, username: str) -> None:
    """Sign in with the keyboard alone; the first field has the focus."""
    keyboard = browser.switch_to.active_element
    assert keyboard.get_attribute("name") == "username"
    keyboard.send_keys(username, Keys.TAB, f"{username}-password", Keys.ENTER)


def connect(
    browser: Chrome, practice: Sandbox, decision: str = "allow"
) -> tuple[Connection, Grant]:
    """Authorize through the browser, with the callback received on loopback as the CLI does."""
    with Receiver("http://127.0.0.1:0/callback") as receiver:
        connection = Connection.of(
            id="browser",
            fhir_base_url=practice.fhir_base_url,
            client_id=practice.client_id,
            client_secret=practice.client_secret,
            redirect_uri=receiver.redirect_uri,
        )

        def ask(url: str) -> str:
            browser.get(url)
            if "Sign in" in browser.title:
                sign_in(browser, "provider")
            wait = WebDriverWait(browser, PATIENCE)
            wait.until(title_contains("Allow"))
            shown = {
                chip.text.lower() for chip in browser.find_elements(By.CSS_SELECTOR, ".chips li")
            }
            asked = categories(connection.scopes or _every_scope(), shipped())
            assert shown == set(asked)
            # The browser's page ends at the callback, so somebody must listen while it loads.
            with ThreadPoolExecutor(1) as listening:
                heard = listening.submit(receiver.wait, PATIENCE)
                button = browser.find_element(By.CSS_SELECTOR, f"button[value={decision}]")
                button.send_keys(Keys.ENTER)
                wait.until(url_contains("/callback"))
                return heard.result()

        return connection, authorize(connection, shipped().core(), ask)


def _every_scope() -> list[str]:
    return [f"user/{action.scopes.v1}" for action in shipped().core()]


def test_a_person_allows_and_later_revokes_and_the_connector_notices(
    browser: Chrome, practice: Sandbox
) -> None:
    connection, grant = connect(browser, practice)
    assert grant.dropped == ()
    store = MemoryStore()
    store.save(ConnectionRecord(connection=connection, tokens=grant.tokens), expected=None)
    with closing(PracticeFusion.from_store(store, "browser")) as pf:
        assert pf.run("search_patients").total == 2

        browser.get(f"{practice.origin}/account")
        assert "Authorized apps" in browser.page_source
        browser.find_element(By.CSS_SELECTOR, "button.danger").send_keys(Keys.ENTER)
        WebDriverWait(browser, PATIENCE).until(
            lambda page: page.find_elements(By.CSS_SELECTOR, "[role=status]")
        )
        assert "No app has access" in browser.page_source

        with pytest.raises(ReauthRequired, match="connect again"):
            pf.run("search_patients")
    stored = store.load("browser")
    assert stored is not None
    assert stored.record.status == "reauth_required"


def test_a_person_denies(browser: Chrome, practice: Sandbox) -> None:
    with pytest.raises(Forbidden, match="did not allow"):
        connect(browser, practice, decision="deny")


def test_a_wrong_password_is_said_on_the_page(browser: Chrome, practice: Sandbox) -> None:
    browser.get(f"{practice.origin}/account")
    browser.switch_to.active_element.send_keys("provider", Keys.TAB, "wrong", Keys.ENTER)
    alert = WebDriverWait(browser, PATIENCE).until(
        lambda page: page.find_element(By.CSS_SELECTOR, "[role=alert]")
    )
    assert "do not match" in alert.text
    assert "wrong" not in browser.page_source
