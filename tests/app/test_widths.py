"""Lists and pages of orders with long numbers, in windows of every width: nothing stands beside its card."""

from collections.abc import Iterator
from dataclasses import replace
from decimal import Decimal
from pathlib import Path

import pytest
from playwright.sync_api import Browser

from pipeline.mail import render
from pipeline.notices.contexts import LinesCancelled, totals_of
from tests.api.site import BUYER, SELLER, Site, served
from tests.app.browsing import NARROW, WIDE, Looking, chromium, window
from tests.app.clock import Hands
from tests.app.people import add_person
from tests.conftest import require

pytestmark = pytest.mark.timeout(240)
AGREED = 'buyer_cancel = "requested"\nrequest_deadline_hours = 48'
LINES = [
    {
        "line": "1",
        "ids": {"VN": "V-1"},
        "quantity": "125000",
        "unit": "EA",
        "description": "Oak dining chair",
    },
    {"line": "2", "ids": {"VN": "V-2"}, "quantity": "400", "unit": "CA"},
    {"line": "3", "ids": {"VN": "V-3"}, "quantity": "12.25", "unit": "LB"},
]
HUGE = [{"line": "1", "ids": {"VN": "V-1"}, "quantity": "999999999999", "unit": "EA"}]
BESIDE = """() => [...document.querySelectorAll("main table")].map(
    table => table.getBoundingClientRect().right - table.closest(".card").getBoundingClientRect().right)"""


@pytest.fixture(scope="module")
def browser() -> Iterator[Browser]:
    with chromium(require("chromium")) as started:
        yield started


@pytest.fixture(scope="module")
def filled(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Site]:
    """Orders in three units of measure, one with the largest quantity, each waiting for an answer."""
    folder: Path = tmp_path_factory.mktemp("widths")
    with served(folder, policy=AGREED, clock=Hands()) as site:
        add_person(site, "sam@globex.example", "globex")
        add_person(site, "olga@hub.example")
        for number, lines in (("4500104-A", LINES), ("4500105-B", HUGE)):
            body = {"po_number": number, "seller": "globex", "lines": lines}
            placed = site.client("acme").post(BUYER, json=body)
            assert placed.status_code == 201, placed.text
            order_id = placed.json()["id"]
            cut = {"quantity": "1000"}
            site.client("globex").post(f"{SELLER}/{order_id}/lines/1/cancel", json=cut)
            shipped = {"shipment_id": f"S-{order_id}", "lines": [{"line": "1", "quantity": "25000"}]}
            site.client("globex").post(f"{SELLER}/{order_id}/fulfil", json=shipped)
            site.client("acme").post(f"{BUYER}/{order_id}/lines/1/cancel", json=cut)
        yield site


@pytest.mark.parametrize("width", [NARROW, 720, 820, 1024, 1100, WIDE])
@pytest.mark.parametrize("email", ["sam@globex.example", "olga@hub.example"])
def test_nothing_is_cut_off_at_any_width(filled: Site, browser: Browser, width: int, email: str) -> None:
    with window(browser, filled.address, width) as looking:
        looking.sign_in(email)
        _stands_in_its_card(looking)
        for path in ("/orders/1", "/orders/2"):
            looking.open(path)
            _stands_in_its_card(looking)


def _stands_in_its_card(looking: Looking) -> None:
    assert max(looking.page.evaluate(BESIDE)) <= 0, looking.page.url


@pytest.mark.parametrize(("cancelled", "ordered"), [("18", "48"), ("25000", "125000"), ("1", "999999999999")])
def test_a_mail_fits_a_phone_however_large_its_figures(
    browser: Browser, cancelled: str, ordered: str
) -> None:
    example = LinesCancelled.example()
    line = replace(
        example.lines[0], quantity=Decimal(cancelled), cancelled=Decimal(cancelled),
        ordered=Decimal(ordered), fulfilled=Decimal(0), open=Decimal(ordered) - Decimal(cancelled),
    )  # fmt: skip
    page = browser.new_page(viewport={"width": NARROW, "height": 800})
    page.set_content(render(replace(example, lines=(line,), totals=totals_of((line,)))).html)
    assert page.evaluate("document.documentElement.scrollWidth") == NARROW
    page.close()
