"""A person in front of the sandbox's pages: logs in, reads the consent page, decides.

Drives the real pages over HTTP as a browser would, forms and cookies and all, so a test or a demo
gets through an authorization without one. Knows HTML forms, and nothing of the sandbox's inside.
"""

from __future__ import annotations

from dataclasses import dataclass, field
from html.parser import HTMLParser
from urllib.parse import urljoin, urlsplit

import requests

_TIMEOUT = 10.0
_LONGEST_WAY = 10


@dataclass
class Form:
    """One form of a page, with the values a browser would send."""

    action: str
    method: str
    fields: dict[str, str] = field(default_factory=dict)
    buttons: dict[str, list[str]] = field(default_factory=dict)
    choices: dict[str, list[str]] = field(default_factory=dict)


class _FormReader(HTMLParser):
    def __init__(self) -> None:
        super().__init__()
        self.forms: list[Form] = []
        self._select: str | None = None
        self._open: Form | None = None

    def handle_starttag(self, tag: str, attrs: list[tuple[str, str | None]]) -> None:
        given = {name: value or "" for name, value in attrs}
        if tag == "form":
            self._open = Form(given.get("action", ""), given.get("method", "get").lower())
            self.forms.append(self._open)
        elif self._open is not None:
            self._handle_control(tag, given, self._open)

    def _handle_control(self, tag: str, given: dict[str, str], form: Form) -> None:
        name = given.get("name", "")
        if tag == "input" and name:
            if given.get("type") != "checkbox" or "checked" in given:
                form.fields[name] = given.get("value", "on" if "checked" in given else "")
        elif tag == "button" and name:
            form.buttons.setdefault(name, []).append(given.get("value", ""))
        elif tag == "select":
            self._select = name
            form.choices[name] = []
        elif tag == "option" and self._select is not None:
            values = form.choices[self._select]
            values.append(given.get("value", ""))
            if len(values) == 1 or "selected" in given:
                form.fields[self._select] = values[-1]

    def handle_endtag(self, tag: str) -> None:
        if tag == "form":
            self._open = None
        elif tag == "select":
            self._select = None


def read_forms(html: str) -> list[Form]:
    """The forms of a page."""
    reader = _FormReader()
    reader.feed(html)
    reader.close()
    return reader.forms


class PersonError(Exception):
    """The pages did not lead where the person wanted to go."""


def approve(
    authorize_url: str,
    username: str,
    password: str,
    allow: bool = True,
    patient: str | None = None,
) -> str:
    """Log in at the authorize URL and allow or deny; return the URL the app is called back at.

    That URL, with its `code` and `state` or its `error`, is not fetched. `patient` is the id to
    choose where the page lets a provider choose one. Raises PersonError when the login fails or
    the pages lead nowhere.
    """
    home = urlsplit(authorize_url).netloc
    with requests.Session() as browser:
        browser.trust_env = False
        answer = browser.get(authorize_url, allow_redirects=False, timeout=_TIMEOUT)
        for _ in range(_LONGEST_WAY):
            if answer.is_redirect:
                target = urljoin(answer.url, answer.headers["Location"])
                if urlsplit(target).netloc != home:
                    return target
                answer = browser.get(target, allow_redirects=False, timeout=_TIMEOUT)
                continue
            answer = _submit(browser, answer, username, password, allow, patient)
    raise PersonError("The pages went on and on without an end.")


def _submit(
    browser: requests.Session,
    page: requests.Response,
    username: str,
    password: str,
    allow: bool,
    patient: str | None,
) -> requests.Response:
    """Fill in and send the form of the page: the login's, or the consent's."""
    if page.status_code != 200:
        raise PersonError(f"The page at {urlsplit(page.url).path} answered {page.status_code}.")
    for form in read_forms(page.text):
        if "password" in form.fields:
            form.fields.update(username=username, password=password)
        elif "decision" in form.buttons:
            form.fields["decision"] = "allow" if allow else "deny"
            if patient is not None and "patient" in form.choices:
                form.fields["patient"] = patient
        else:
            continue
        target = urljoin(page.url, form.action)
        return browser.post(target, data=form.fields, allow_redirects=False, timeout=_TIMEOUT)
    raise PersonError(f"The page at {urlsplit(page.url).path} has no form to go on with.")
