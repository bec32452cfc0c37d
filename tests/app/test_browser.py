"""The app in a real browser, on a phone and on a desk: what a person does, from signing in to the e-mail."""

import re
from collections.abc import Iterator
from contextlib import ExitStack
from pathlib import Path

import pytest
from playwright.sync_api import Browser, expect

from tests.api.site import SELLER, Site, served
from tests.app import posted
from tests.app.browsing import NARROW, WIDE, Looking, chromium, window
from tests.app.clock import Hands
from tests.app.people import add_person
from tests.conftest import require

pytestmark = pytest.mark.timeout(240)
LINES = [
    {"line": "1", "ids": {"UP": "614141000012"}, "quantity": "48", "description": "Oak dining chair"},
    {"line": "2", "ids": {"UP": "614141000029"}, "quantity": "12", "description": "Oak bench 140 cm"},
]


@pytest.fixture(scope="module")
def browser() -> Iterator[Browser]:
    with chromium(require("chromium")) as started:
        yield started


@pytest.fixture(params=[NARROW, WIDE], ids=["phone", "desk"])
def width(request: pytest.FixtureRequest) -> int:
    return int(request.param)


class Scene:
    """A site with an order of Acme Stores with Globex Supply, of which 20 chairs have left."""

    def __init__(self, site: Site, browser: Browser, width: int, stack: ExitStack, hands: Hands) -> None:
        self.site, self.hands = site, hands
        self._browser, self._width, self._stack = browser, width, stack
        for email, partner, name in (
            ("ada@acme.example", "acme", "Ada Baker"),
            ("sam@globex.example", "globex", "Sam Porter"),
            ("olga@hub.example", "", "Olga Perez"),
        ):
            add_person(site, email, partner, name=name)
        self.order_id = self.place("4500104")
        shipped = {"shipment_id": "GX-SH-100", "lines": [{"line": "1", "quantity": 20}]}
        site.client("globex").post(f"{SELLER}/{self.order_id}/fulfil", json=shipped)

    def place(self, po_number: str) -> int:
        self.hands.sleep(600)
        body = {"po_number": po_number, "seller": "globex", "lines": LINES}
        return int(self.site.client("acme").post("/api/v1/buyer/orders", json=body).json()["id"])

    def someone(self, email: str, *, scripts: bool = True) -> Looking:
        """A person at a screen, signed in."""
        looking = self._stack.enter_context(
            window(self._browser, self.site.address, self._width, scripts=scripts)
        )
        if scripts:
            looking.sign_in(email)
        return looking


@pytest.fixture
def scene(tmp_path: Path, browser: Browser, width: int) -> Iterator[Scene]:
    hands = Hands()
    with served(tmp_path, clock=hands) as site, ExitStack() as stack:
        yield Scene(site, browser, width, stack, hands)


@pytest.fixture
def asking(tmp_path: Path, browser: Browser, width: int) -> Iterator[Scene]:
    """The same, where a buyer's cancellation takes effect when the seller agrees."""
    hands = Hands()
    agreed = 'buyer_cancel = "requested"\nrequest_deadline_hours = 48'
    with served(tmp_path, policy=agreed, clock=hands) as site, ExitStack() as stack:
        yield Scene(site, browser, width, stack, hands)


def test_a_seller_cancels_part_of_an_order_and_sees_what_the_buyer_reads(scene: Scene) -> None:
    sam = scene.someone("sam@globex.example")
    scene.place("4500105")
    sam.open("/orders")
    sam.picture("orders")
    sam.click("4500104", role="link")
    assert "20 units" in sam.text
    sam.picture("order")
    sam.click("Cancel order", role="link")
    assert not sam.page.get_by_label("Units of line 1 to cancel").is_visible()  # all that is open
    sam.page.get_by_label("Some units").check()
    sam.page.get_by_label("Units of line 1 to cancel").fill("5")
    sam.page.get_by_label("Reason").select_option(label="Out of stock")
    sam.page.get_by_label("Note to Acme Stores").fill("More chairs in May.")
    sam.look()
    sam.picture("cancel")
    sam.click("See what will happen")
    assert "5 units of PO 4500104 are cancelled." in sam.text
    assert "This cannot be undone." in sam.text
    assert "Acme Stores, by e-mail, at once" in sam.text
    sam.picture("preview")
    scene.hands.sleep(60)
    sam.click("Cancel 5 units")
    assert "5 units of line 1" in sam.text
    sam.picture("done")
    sam.click("E-mail to Acme Stores", role="link")
    mail = sam.page.frame_locator("iframe").locator("body")
    assert "More chairs in May." in mail.inner_text()
    assert "entered by Globex Supply" in mail.inner_text()
    sam.picture("mail")
    assert scene.site.breaches() == ()


def test_a_buyer_cancels_the_rest_of_an_order_and_sees_why_not_all_of_it(scene: Scene) -> None:
    ada = scene.someone("ada@acme.example")
    ada.click("4500104", role="link")
    ada.click("Cancel order", role="link")
    ada.click("See what will happen")
    assert "40 units of PO 4500104 are cancelled." in ada.text
    ada.click("Change it")
    ada.page.get_by_label("Note to Globex Supply").fill("The shop closes.")
    ada.click("See what will happen")
    ada.page.get_by_role("button", name="Cancel 40 units").dblclick()  # once for the ledger
    expect(ada.page).to_have_url(re.compile(r"/done\?"))  # the second click may break the first one's way off
    ada.page.wait_for_load_state()
    ada.look()
    assert "28 units of line 1" in ada.text
    assert "12 units of line 2" in ada.text
    ada.click("See the order", role="link")
    assert "Nothing of this order can be cancelled" in ada.text
    assert "a fulfilled unit cannot be cancelled" in ada.text
    ada.picture("complete")
    assert len(scene.site.mails("desk@globex")) == 1


def test_more_than_is_open_is_refused_in_words_and_nothing_is_done(scene: Scene) -> None:
    ada = scene.someone("ada@acme.example")
    ada.open(f"/orders/{scene.order_id}/cancel")
    ada.page.get_by_label("Some units").check()
    ada.page.get_by_label("Units of line 1 to cancel").fill("a few")
    ada.click("See what will happen")
    assert "Write a quantity such as 12 or 12.5." in ada.text
    ada.page.get_by_label("Units of line 1 to cancel").fill("29")
    ada.click("See what will happen")
    assert "This cannot be cancelled" in ada.text
    assert "28" in ada.text
    assert ada.page.get_by_role("button", name="Cancel").count() == 0
    ada.picture("refused")
    ada.click("Leave it", role="link")
    assert scene.site.mails("desk@globex") == []


def test_a_buyer_asks_and_the_seller_agrees_to_a_part(asking: Scene) -> None:
    ada, sam = asking.someone("ada@acme.example"), asking.someone("sam@globex.example")
    ada.open(f"/orders/{asking.order_id}")
    ada.click("Ask to cancel", role="link")
    ada.page.get_by_label("Some units").check()
    ada.page.get_by_label("Units of line 2 to cancel").fill("12")
    ada.page.get_by_label("Reason").select_option(label="No longer wanted")
    ada.click("See what will happen")
    assert "This cannot be undone." not in ada.text
    ada.click("Ask to cancel 12 units")
    assert "Globex Supply is asked to agree" in ada.text
    asking.place("4500106")
    sam.open("/orders")
    assert "Waiting for your answer" in sam.text
    sam.picture("waiting")
    sam.click("4500104", role="link")
    sam.picture("request")
    assert "it can be answered until" in sam.text
    sam.click("Agree to a part")
    sam.page.get_by_label("Units of line 2 you agree to cancel").fill("9")
    sam.look()
    sam.click("See what will happen")
    assert "9 units of PO 4500104 are cancelled. 3 units that were asked for stay open." in sam.text
    sam.look()
    sam.click("Agree: cancel 9 units")
    assert "9 units of line 2" in sam.text
    assert "3 units of line 2" in sam.text
    ada.open(f"/orders/{asking.order_id}")
    assert "Globex Supply cancelled units" in ada.text


def test_a_webhook_is_added_and_its_log_is_good_to_look_at(scene: Scene) -> None:
    posted.endpoint(scene.site)
    order_id = scene.place("4500107")
    seller = scene.site.client("globex")
    shipped = {"shipment_id": "GX-SH-101", "lines": [{"line": "1", "quantity": 8}]}
    seller.post(f"{SELLER}/{order_id}/fulfil", json=shipped)
    for line in ("1", "2"):
        seller.post(f"{SELLER}/{order_id}/lines/{line}/cancel", json={"quantity": "2"})
    scene.hands.sleep(60)
    posted.answer(scene.site)
    sam = scene.someone("sam@globex.example")
    sam.open("/company")
    sam.click("Webhook 1", role="link")
    sam.page.get_by_text("All 3 tries").click()
    sam.page.get_by_text("Make a new signing secret").click()
    assert "Given up" in sam.text
    sam.look()
    sam.picture("webhook")
    sam.click("Globex Supply", role="link")
    sam.click("Add a webhook", role="link")
    sam.page.get_by_label("Address of your system").fill("https://10.0.0.1/hook")
    sam.click("Add the webhook")
    assert "not a public address" in sam.text
    sam.page.get_by_label("Address of your system").fill("https://hooks.globex.example/")
    sam.click("Add the webhook")
    assert "it is shown this once" in sam.text


def test_the_pages_that_are_left_are_good_to_look_at_too(scene: Scene) -> None:
    stranger = scene.someone("olga@hub.example")
    stranger.open(f"/orders/{scene.order_id}")
    stranger.click("Cancel for Globex Supply", role="link")
    assert "You act for Globex Supply" in stranger.text
    stranger.open("/nowhere")
    stranger.open("/orders/999")
    assert "Not found" in stranger.text
    stranger.click("Sign out")
    stranger.picture("sign-in")
    stranger.click("Forgot your password?", role="link")
    stranger.page.get_by_label("E-mail address").fill("ada@acme.example")
    stranger.click("Mail me a link")
    stranger.open("/password?link=none")
    stranger.open("/sign-in")
    stranger.page.get_by_label("E-mail address").fill("ada@acme.example")
    stranger.page.get_by_label("Password").fill("not this one")
    stranger.page.get_by_role("button", name="Sign in").click()
    assert "do not fit together" in stranger.text
    stranger.look()
    ada = scene.someone("ada@acme.example")
    ada.click("Company", role="link")
    ada.page.get_by_text("Choose your own e-mails", exact=True).focus()
    for key in ["Enter", "Tab", "o", "Tab", "Tab", "Tab", "Enter"]:  # cancellations once an hour, by keyboard
        ada.page.keyboard.press(key)
    ada.page.get_by_text("Your choice is kept.").wait_for()
    ada.look()
    ada.page.get_by_text("Choose your own e-mails", exact=True).click()
    assert ada.page.get_by_label("Cancellations by the other side").input_value() == "hourly"
    ada.page.get_by_text("Make a key", exact=True).click()
    ada.picture("company")
    ada.page.get_by_label("Which program is it for?").fill("ERP")
    ada.click("Make the key")
    assert "shown this once" in ada.text
    ada.page.keyboard.press("Tab")
    assert ada.page.evaluate("document.activeElement.textContent") == "To the content"


def test_everything_works_without_scripts(scene: Scene) -> None:
    sam = scene.someone("sam@globex.example", scripts=False)
    page = sam.page
    page.goto(f"{scene.site.address}/orders/{scene.order_id}")
    page.get_by_label("E-mail address").fill("sam@globex.example")
    page.get_by_label("Password").fill("seven wooden ladders")
    page.get_by_role("button", name="Sign in").click()
    page.get_by_role("link", name="Cancel order").click()
    page.get_by_label("Some units").check()
    page.get_by_label("Units of line 2 to cancel").fill("2")
    page.get_by_role("button", name="See what will happen").click()
    page.get_by_role("button", name="Cancel 2 units").click()
    assert "2 units of line 2" in sam.text
