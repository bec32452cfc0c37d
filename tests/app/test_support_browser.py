"""Support in a real browser, on a phone and on a desk: a held question is answered, a file is replayed."""

from collections.abc import Iterator
from pathlib import Path

import pytest
from playwright.sync_api import Browser

from tests.api.site import Site, served
from tests.app import posted
from tests.app.browsing import NARROW, WIDE, Looking, chromium, window
from tests.app.clock import Hands
from tests.app.people import add_person
from tests.app.support_files import fill, look_into_mailboxes, refused_once
from tests.conftest import require

pytestmark = pytest.mark.timeout(240)
EVE = "eve@hub.example"


@pytest.fixture(scope="module")
def browser() -> Iterator[Browser]:
    with chromium(require("chromium")) as started:
        yield started


@pytest.fixture(params=[NARROW, WIDE], ids=["phone", "desk"])
def eve(request: pytest.FixtureRequest, filled: Site, browser: Browser) -> Iterator[Looking]:
    """A member of support at a screen."""
    with window(browser, filled.address, request.param) as looking:
        looking.sign_in(EVE)
        yield looking


@pytest.fixture
def filled(tmp_path: Path) -> Iterator[Site]:
    with served(tmp_path, policy='asn_withdraw = "reopen"', mailboxes=True, clock=Hands()) as made:
        fill(made)
        look_into_mailboxes(made)
        posted.endpoint(made)
        add_person(made, EVE, name="Eve Adams")
        yield made


def test_a_held_question_is_found_and_answered(eve: Looking) -> None:
    eve.click("Overview", role="link")
    eve.picture("support-overview")
    eve.page.locator(".tiles .urgent a").click()
    eve.look()
    eve.picture("support-waiting")
    eve.click("PO PO-2", role="link")
    eve.page.get_by_label("cancel cancel 3 units of line 1", exact=True).check()
    eve.page.get_by_label("Why, for those who ask later").fill("Globex called")
    eve.picture("support-question")
    eve.click("Look at the answer")
    assert "cannot be undone" in eve.text
    eve.click("Answer cancel")
    assert "cancel by eve@hub.example" in eve.text
    assert "The document is now Applied" in eve.text


def test_a_file_is_replayed_after_a_trial(eve: Looking, filled: Site) -> None:
    eve.open(f"/support/files/{refused_once(filled)}")
    assert "more was shipped than is open" in eve.text
    eve.picture("support-file")
    eve.click("Try a replay")
    assert "Fulfilled 5 of line 1" in eve.text
    eve.picture("support-replay")
    eve.click("Apply it")
    assert "It was read again; this is what became of it." in eve.text
    assert "Applied" in eve.text


def test_every_other_page_reads_well(eve: Looking, filled: Site) -> None:
    mail = filled.mails("desk@globex")[0]
    for path in (
        "/support/files", "/support/files?verdict=faulty", "/support/files/8", "/support/outbox",
        "/support/audit", "/support/search?q=PO-2", "/support/search?q=nothing", "/orders/1",
        "/support/webhooks", "/support/webhooks/1",
    ):  # fmt: skip
        eve.open(path)
    eve.page.get_by_placeholder("PO, control no., file").fill("855-203")
    eve.click("Find")
    assert "855-203.edi" in eve.text
    eve.page.goto(f"{filled.address}/support/outbox/{mail.id}")
    frame = eve.page.frame_locator("iframe.mail")
    assert "90 units" in frame.locator("body").inner_text()
    eve.picture("support-mail")
    assert eve.complaints == []
