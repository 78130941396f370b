"""The browser session: who is logged in, and the token that proves a form is ours."""

from __future__ import annotations

import secrets
from urllib.parse import urlsplit

from flask import abort, g, request, session

from practicefusion_connector.sandbox.oauth.models import User
from practicefusion_connector.sandbox.practice import Practice


def current_user(practice: Practice) -> User | None:
    """The person logged in, if any."""
    return practice.users.get(session.get("username", ""))


def log_in(practice: Practice, username: str, password: str) -> User | None:
    """The person, when the password fits. A login starts a new session."""
    user = practice.users.get(username)
    if user is None or not secrets.compare_digest(user.password.encode(), password.encode()):
        return None
    session.clear()
    session["username"] = user.username
    return user


def form_token() -> str:
    """The token every form carries."""
    if "form_token" not in session:
        session["form_token"] = secrets.token_urlsafe(24)
    return str(session["form_token"])


def check_form_token() -> None:
    """Refuse a form that another site sent in the person's name."""
    sent, expected = request.form.get("form_token", ""), session.get("form_token", "")
    if not expected or not secrets.compare_digest(sent.encode(), expected.encode()):
        abort(400, "This form has expired. Go back, reload the page and try again.")


def let_forms_lead_to(url: str) -> str:
    """Let the page's forms end at the app, and give the app's host.

    Browsers hold a form's redirects to the page's form-action policy as well.
    """
    parts = urlsplit(url)
    g.form_destination = f"{parts.scheme}://{parts.netloc}"
    return parts.netloc


def local_path(target: str) -> str:
    """A path of this server to go on to after the login; anything else becomes the account page."""
    parts = urlsplit(target)
    local = not parts.scheme and not parts.netloc and target.startswith("/")
    return target if local and "\\" not in target else "/account"
