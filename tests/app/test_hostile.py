"""What partners write is text on every page, wherever it came from: an 850, a form, settings."""

import re
from collections.abc import Iterator
from contextlib import contextmanager
from html.parser import HTMLParser
from pathlib import Path
from urllib.parse import urlencode

import pytest

from tests.api.site import Site, served
from tests.app.browsing import WIDE, chromium, window
from tests.app.people import Person, signed_in
from tests.conftest import require
from tests.security.hostile_texts import FOR_MAIL, FOR_TERMINALS, one_byte
from tests.unit.pipeline import ledger_files

NAME = "Acme <script>alert(1)</script>\"'><img src=x onerror=alert(2)> {{7*7}}"
TEXTS = tuple(dict.fromkeys(one_byte(text)[:60] for text in (*FOR_MAIL, *FOR_TERMINALS)))
ACTIVE = {"script", "img", "object", "embed", "style", "base", "iframe"}
UNSEEN = re.compile("[\x00-\x09\x0b-\x1f\x7f-\x9f\xad\u200b-\u200f\u2028-\u202e\u2066-\u2069\ufeff]")


class Page(HTMLParser):
    """Fails on whatever could act, lead elsewhere, or break out of where it stands."""

    def __init__(self, page: str) -> None:
        super().__init__()
        self.headings = 0
        self.feed(page)
        assert self.headings == 1

    def handle_starttag(self, tag: str, attrs: list[tuple[str, str | None]]) -> None:
        said = {name: value or "" for name, value in attrs}
        assert tag not in ACTIVE
        assert not [name for name in said if name.startswith("on") or name == "style"]
        for name in ("href", "action", "src"):
            if name in said:
                assert re.match(r"/[^/]|/$|#|mailto:", said[name]), said[name]
        self.headings += tag == "h1"

    def handle_comment(self, data: str) -> None:
        raise AssertionError(data)


@contextmanager
def _hostile_site(folder: Path, patch: pytest.MonkeyPatch) -> Iterator[Site]:
    patch.setitem(ledger_files.PARTIES, "acme", (NAME.replace('"', r"\""), "buyer", "ACME"))
    with served(folder) as site:
        for text in TEXTS:
            document = [
                f"BEG*00*SA*{text[:22]}**20260301",
                f"PO1*{text[:20]}*5*EA*1**UP*012345678905*VN*{text[:48]}", f"PID*F****{text}", "CTT*1",
            ]  # fmt: skip
            site.house.buyer(document)
        assert len(_ids(site)) > len(TEXTS) // 2  # some numbers are none that X12 has
        yield site


def _ids(site: Site) -> list[int]:
    answer = site.client("globex").get("/api/v1/seller/orders?limit=200").json()
    return [int(order["id"]) for order in answer["orders"]]


def _visit(person: Person, path: str) -> None:
    person.get(path)
    assert person.last is not None
    assert person.last.status_code == 200
    Page(person.page)
    assert not UNSEEN.search(person.page)


def test_nothing_that_came_in_an_850_acts_on_any_page(
    tmp_path: Path, both_systems: None, monkeypatch: pytest.MonkeyPatch
) -> None:
    with _hostile_site(tmp_path, monkeypatch) as site:
        sam = signed_in(site, "sam@globex.example", "globex", name="<b>Sam</b> {{7*7}}")
        ada = signed_in(site, "ada@acme.example", "acme")
        _visit(sam, "/orders")
        assert "49" not in sam.text
        _visit(ada, "/company")
        for order_id, note in zip(_ids(site), TEXTS, strict=False):
            _visit(sam, f"/orders/{order_id}")
            _visit(sam, f"/orders/{order_id}/cancel")
            sam.send(f"/orders/{order_id}/cancel/preview", what="whole", note=note)
            Page(sam.page)
            if f"/orders/{order_id}/cancel" in re.findall(r'action="([^"]*)"', sam.page):
                sam.send(f"/orders/{order_id}/cancel")
                Page(sam.page)
            _visit(ada, f"/orders/{order_id}")
        for mail in site.mails("desk@acme"):
            ada.get(f"/orders/{mail.order_id}/messages/{mail.id}")
            assert "<script>alert" not in ada.page
        assert site.breaches() == ()


def test_addresses_of_pages_say_nothing_back(site: Site) -> None:
    ada = signed_in(site, "ada@acme.example", "acme")
    for text in ("<script>alert(1)</script>", "\"'><img src=x onerror=alert(1)>", "\u202e<b>"):
        for name in ("po", "item", "status", "since", "until", "waiting"):
            ada.get(f"/orders?{urlencode({name: text})}")
            assert Page(ada.page).headings == 1
        stranger = Person(site.client())
        stranger.get(
            str(stranger.client.build_request("GET", "/sign-in", params={"next": text, "said": text}).url)
        )
        Page(stranger.page)


def test_chromium_runs_nothing_of_it(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    program = require("chromium")
    with _hostile_site(tmp_path, monkeypatch) as site, chromium(program) as browser:
        signed_in(site, "sam@globex.example", "globex")
        with window(browser, site.address, WIDE) as sam:
            sam.sign_in("sam@globex.example")
            for order_id in _ids(site)[:12]:
                sam.page.goto(f"{site.address}/orders/{order_id}")
                sam.page.goto(f"{site.address}/orders/{order_id}/cancel")
            assert sam.complaints == []
            picture = "<img src=x onerror=alert(3)>"
            with sam.page.expect_console_message(lambda said: "Content Security Policy" in said.text):
                sam.page.evaluate(f"document.body.insertAdjacentHTML('beforeend', '{picture}')")
