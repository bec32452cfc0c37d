"""People for tests of the app: each with a browser that keeps cookies and reads forms."""

import re
from dataclasses import dataclass, field
from html import unescape
from html.parser import HTMLParser
from typing import Any

import httpx
from argon2 import PasswordHasher

from pipeline.api.pages import passwords
from pipeline.people import invite
from storage import people
from storage.people import User
from tests.api.site import TRUST, Site

PASSWORD = "seven wooden ladders"
OWN_HASHER = passwords._HASHER
# Each look at a password takes a third of a second of a core, as it is meant to; test_signing looks at that.
passwords._HASHER = PasswordHasher(time_cost=1, memory_cost=8, parallelism=1)
_KEPT = passwords.hashed(PASSWORD)


class Forms(HTMLParser):
    """The forms of a page: where each goes, and what it would send as it stands."""

    def __init__(self, page: str) -> None:
        super().__init__()
        self.forms: list[tuple[str, dict[str, str]]] = []
        self._select = ""
        self.feed(page)

    def handle_starttag(self, tag: str, attrs: list[tuple[str, str | None]]) -> None:
        said = {name: value or "" for name, value in attrs}
        if tag == "form":
            self.forms.append((said.get("action", ""), {}))
        elif self.forms and said.get("name"):
            if tag in ("input", "textarea"):
                chosen = said.get("type") not in ("checkbox", "radio") or "checked" in said
                if chosen:
                    self.forms[-1][1][said["name"]] = said.get("value", "")
            elif tag == "select":
                self.forms[-1][1][said["name"]] = ""


@dataclass
class Person:
    """Somebody with a browser that runs no scripts."""

    client: httpx.Client
    email: str = ""
    page: str = ""
    last: httpx.Response | None = field(default=None, repr=False)

    def get(self, path: str) -> httpx.Response:
        """Go to a page."""
        return self._see(self.client.get(path))

    def form(self, action: str) -> dict[str, str]:
        """What the form of the page that goes there would send."""
        forms = Forms(self.page).forms
        found = [fields for where, fields in forms if where == action]
        assert found, f"no form goes to {action}, only to {[where for where, _ in forms]}"
        return dict(found[0])

    def send(self, action: str, **fields: str) -> httpx.Response:
        """Fill in a form of the page and send it."""
        return self.post(action, self.form(action) | fields)

    def post(self, action: str, fields: dict[str, str]) -> httpx.Response:
        """Send what no form of the page has to have."""
        return self._see(self.client.post(action, data=fields))

    def sign_in(self, password: str = PASSWORD, email: str = "") -> httpx.Response:
        """Sign in by the page."""
        self.get("/sign-in")
        return self.send("/sign-in", email=email or self.email, password=password)

    @property
    def text(self) -> str:
        """The page without its tags, on one line."""
        body = re.sub(r"<(head|svg)\b.*?</\1>", " ", self.page, flags=re.DOTALL)
        return " ".join(unescape(re.sub(r"<[^>]*>", " ", body)).split())

    def _see(self, answer: httpx.Response) -> httpx.Response:
        self.page, self.last = answer.text, answer
        return answer


def add_person(site: Site, email: str, partner: str = "", *, name: str = "") -> User:
    """An account with the password, for a partner or for the hub."""
    application = site.application
    at, known = application.clock.now(), application.settings.directory.get(partner)

    def add(tx: Any) -> User:
        link = invite(tx, application.settings, email, known, at, name=name).link
        user = people.set_password(tx, link.partition("link=")[2], _KEPT, at)
        assert user is not None
        return user

    return application.database.run(add)


def a_browser(site: Site, email: str = "") -> Person:
    """A browser in which nobody is signed in yet."""
    client = httpx.Client(
        base_url=site.address, timeout=60, trust_env=False, follow_redirects=True, verify=TRUST
    )
    site.clients.append(client)
    return Person(client, email)


def signed_in(site: Site, email: str, partner: str = "", *, name: str = "") -> Person:
    """Somebody with an account, who has signed in by the page."""
    add_person(site, email, partner, name=name)
    person = a_browser(site, email)
    assert person.sign_in().status_code == 200, person.text
    return person
