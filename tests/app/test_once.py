"""A form that is sent twice makes one thing: keys and webhooks, whose secrets no double click loses."""

import re
from collections.abc import Iterator
from datetime import timedelta
from pathlib import Path

import pytest

from storage import access_keys, webhooks
from storage.webhooks import Endpoint
from tests.api.site import Site, served
from tests.app.clock import Hands
from tests.app.people import Person, signed_in

SECRET = re.compile(r"(?:cmk_|whsec_)[\w+/=-]+")
HOOKS = "/company/webhooks"


@pytest.fixture
def hands() -> Hands:
    return Hands()


@pytest.fixture
def site(tmp_path: Path, hands: Hands, both_systems: None) -> Iterator[Site]:
    with served(tmp_path, clock=hands) as made:
        yield made
        assert made.breaches() == ()


def _secret(person: Person) -> str:
    found = SECRET.search(person.page)
    assert found is not None, person.text
    return found[0]


def _keys(site: Site) -> int:
    with site.application.database.reading() as tx:
        return len(access_keys.list_keys(tx, "acme"))


def _endpoints(site: Site) -> tuple[Endpoint, ...]:
    with site.application.database.reading() as tx:
        return webhooks.list_endpoints(tx, "acme")


def test_a_double_click_makes_one_key_and_shows_its_secret(site: Site, hands: Hands) -> None:
    ada = signed_in(site, "ada@acme.example", "acme")
    ada.get("/company")
    form = ada.form("/company/keys") | {"name": "ERP", "days": "30", "scope": "orders:read"}
    ada.post("/company/keys", form)
    secret = _secret(ada)
    ada.post("/company/keys", form)
    assert (_secret(ada), _keys(site)) == (secret, 1)
    hands.sleep(61)
    assert str(ada.post("/company/keys", form).url).endswith("/company?said=key-made#keys")
    assert "The key was made already." in ada.text
    assert (SECRET.search(ada.page), _keys(site)) == (None, 1)
    ada.post("/company/keys", form | {"name": "Shop"})  # the same page by the back button, and another wish
    assert (_secret(ada) != secret, _keys(site)) == (True, 2)
    assert ada.post("/company/keys", form | {"key": "app-1"}).status_code == 422


def test_a_double_click_makes_one_webhook_and_one_new_secret(site: Site, hands: Hands) -> None:
    ada = signed_in(site, "ada@acme.example", "acme")
    ada.get(f"{HOOKS}/add")
    form = ada.form(HOOKS) | {"url": "https://hooks.acme.example/"}
    ada.post(HOOKS, form)
    secret = _secret(ada)
    ada.post(HOOKS, form)
    assert (_secret(ada), len(_endpoints(site))) == (secret, 1)
    hands.sleep(61)
    ada.post(HOOKS, form)
    assert ("That was done already." in ada.text, len(_endpoints(site))) == (True, 1)
    assert SECRET.search(ada.page) is None
    again = ada.form(f"{HOOKS}/1/secret")
    ada.post(f"{HOOKS}/1/secret", again)
    newer = _secret(ada)
    hands.sleep(timedelta(hours=1).total_seconds())
    ada.post(f"{HOOKS}/1/secret", again)  # the page is loaded again
    assert "That was done already." in ada.text
    with site.application.database.reading() as tx:
        assert webhooks.secrets_of(tx, 1, hands.now()) == (newer, secret)


@pytest.mark.parametrize(
    ("fields", "said"),
    [
        ({"name": ""}, "Say which program the key is for."),
        ({"name": "a\tb"}, "none that cannot be seen"),
        ({"name": "x" * 61}, "60 signs at most"),
        ({"days": "7"}, "for how long"),
        ({"scope": ""}, "at least one thing"),
    ],
)
def test_what_is_wrong_with_a_key_is_said_and_what_was_filled_in_stays(
    site: Site, fields: dict[str, str], said: str
) -> None:
    ada = signed_in(site, "ada@acme.example", "acme")
    ada.get("/company")
    form = ada.form("/company/keys") | {"name": "ERP", "days": "90", "scope": "orders:write"} | fields
    assert ada.post("/company/keys", form).status_code == 422
    assert said in ada.text
    assert _keys(site) == 0
    filled = ada.page.partition('action="/company/keys"')[2].partition("</form>")[0]
    typed = form["name"].replace("\t", " ")
    assert f'value="{typed}"' in filled
    assert ('value="90" selected' in filled) is (form["days"] == "90")
    assert filled.count(" checked") == bool(form["scope"])


def test_a_choice_of_mail_is_a_page_that_can_be_loaded_again(site: Site) -> None:
    ada = signed_in(site, "ada@acme.example", "acme")
    ada.get("/company")
    answer = ada.send("/company/mail#mail", cancellations="hourly", requests="none", refusals="at_once")
    assert (answer.url.path, answer.history[0].status_code) == ("/company", 303)
    assert "Your choice is kept." in ada.text
