"""Orders in the app: found, shown to those whose they are, and cancelled once, as it was shown before."""

import re
import time
from concurrent.futures import ThreadPoolExecutor

import pytest
from sqlalchemy import Engine, event

from pipeline.api.callers import KNOWN_SECONDS
from pipeline.api.pages.company import KEYS_MAX
from pipeline.contents import html_of, text_of
from storage import access_keys
from storage.states import Scope
from tests.api.site import BUYER, SELLER, Site, figures
from tests.app.people import Person, signed_in


def _order(site: Site, partner: str, order_id: int) -> list[tuple[str, ...]]:
    side = BUYER if partner in ("acme", "bolt") else SELLER
    return figures(site.client(partner, Scope.READ).get(f"{side}/{order_id}").json())


def _preview(person: Person, order_id: int, **fields: str) -> None:
    person.get(f"/orders/{order_id}/cancel")
    person.send(f"/orders/{order_id}/cancel/preview", **fields)


def test_an_order_is_found_by_number_item_status_and_day(site: Site) -> None:
    ada = signed_in(site, "ada@acme.example", "acme")
    site.place("PO-1", 10)
    site.place("PO-2", 10, 20)
    site.client("acme").post(f"{BUYER}/1/cancel", json={})
    today = f"{site.application.clock.now():%Y-%m-%d}"
    for query, found in (
        ("", ["PO-2", "PO-1"]),
        ("po=PO-1", ["PO-1"]),
        ("po=%20PO-1%20", ["PO-1"]),
        ("item=V-2", ["PO-2"]),
        ("status=cancelled", ["PO-1"]),
        ("status=nonsense", []),
        ("status=OPEN", []),
        (f"since={today}&until={today}", ["PO-2", "PO-1"]),
        ("until=2001-01-01", []),
        ("po=PO-3", []),
    ):
        ada.get(f"/orders?{query}")
        assert re.findall(r"<a href=\"/orders/\d+\">([^<]*)", ada.page) == found, query
    assert "A PO number is found as a whole, with its capital and small letters as they are." in ada.text
    ada.get("/orders?status=OPEN")
    assert "There is no such status." in ada.text
    assert "Found" not in ada.text
    ada.get("/orders?since=yesterday")
    assert "A day is written as" in ada.text
    assert ada.get("/orders?cursor=nonsense").status_code == 422
    assert "The cursor is none that a list gave." in ada.text


def test_the_list_says_what_became_of_the_units_in_one_look_for_the_page(site: Site) -> None:
    """Unit by unit: cases are not added to pieces."""
    lines = [
        {"line": str(n), "ids": {"VN": f"V-{n}"}, "quantity": quantity, "unit": unit}
        for n, (quantity, unit) in enumerate([("10", "EA"), ("2", "EA"), ("12", "CA")], start=1)
    ]
    placed = site.client("acme").post(BUYER, json={"po_number": "PO-1", "seller": "globex", "lines": lines})
    order_id = int(placed.json()["id"])
    shipped = {"shipment_id": "S-1", "lines": [{"line": "1", "quantity": 6}, {"line": "3", "quantity": 3}]}
    site.client("globex").post(f"{SELLER}/{order_id}/fulfil", json=shipped)
    site.client("globex").post(f"{SELLER}/{order_id}/lines/2/cancel", json={"quantity": "1"})
    (row,) = site.client("globex").get(SELLER).json()["orders"]
    expected = [("EA", "12", "6", "1", "0", "5"), ("CA", "12", "3", "0", "0", "9")]
    names = ("unit", "ordered", "fulfilled", "cancelled", "requested", "open")
    assert [tuple(one[name] for name in names) for one in row["totals"]] == expected
    people = [
        signed_in(site, email, partner)
        for email, partner in (("a@a.example", "acme"), ("s@g.example", "globex"), ("o@h.example", ""))
    ]
    for person in people:
        person.get("/orders")
        assert "12 EA 12 CA 6 EA 3 CA 1 EA 0 CA 5 EA 9 CA" in person.text
        assert "Of 12 units: 6 units fulfilled, 1 unit cancelled, 5 units open" in person.page
        assert "Of 12 cases: 3 cases fulfilled, 9 cases open" in person.page

    def looks() -> int:
        counted: list[str] = []

        def count(_: object, __: object, statement: str, *___: object) -> None:
            counted.append(statement)

        event.listen(Engine, "before_cursor_execute", count)
        try:
            people[1].get("/orders")
        finally:
            event.remove(Engine, "before_cursor_execute", count)
        return len(counted)

    before = looks()
    for number in range(2, 9):
        site.place(f"PO-{number}", 10)
    assert looks() == before
    assert people[1].text.count("10 EA 0 0 10") == 7


def test_many_orders_are_pages_that_miss_none(site: Site, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("pipeline.api.pages.ordering.PAGE_ORDERS", 2)
    for number in range(5):
        site.place(f"PO-{number}", 1)
    ada = signed_in(site, "ada@acme.example", "acme")
    seen, page = [], "/orders?status=open"
    while page:
        ada.get(page)
        seen += re.findall(r"<a href=\"/orders/\d+\">([^<]*)", ada.page)
        more = re.search(r'href="([^"]*)" rel="next"', ada.page)
        page = more[1].replace("&amp;", "&") if more else ""
    assert seen == ["PO-4", "PO-3", "PO-2", "PO-1", "PO-0"]


def test_anothers_order_is_not_there_on_any_page(site: Site) -> None:
    order_id = site.place("PO-1", 10)
    stranger = signed_in(site, "bo@bolt.example", "bolt")
    mine = signed_in(site, "ada@acme.example", "acme")
    _preview(mine, order_id, what="whole")
    good = mine.form(f"/orders/{order_id}/cancel")
    mine.post(f"/orders/{order_id}/cancel", good)
    (mail,) = site.mails("desk@globex")
    paths = ["", "/cancel", "/done?key=" + good["key"], f"/messages/{mail.id}", f"/messages/{mail.id}/mail"]
    for path in paths:
        answers = [stranger.get(f"/orders/{number}{path}") for number in (order_id, 999_999)]
        assert [answer.status_code for answer in answers] == [404, 404], path
        assert "PO-1" not in stranger.text
        assert mine.get(f"/orders/{order_id}{path}").status_code == 200, path
    stranger.get("/orders")
    token = stranger.form("/sign-out")
    for path in ("/cancel", "/cancel/preview", "/cancel/form", "/request"):
        fields = {**good, **token, "answer": "approve"}
        answers = [stranger.post(f"/orders/{number}{path}", fields) for number in (order_id, 999_999)]
        assert [answer.status_code for answer in answers] == [404, 404], path
    stranger.get("/orders?po=PO-1")
    assert "No order fits the search." in stranger.text


def test_units_of_a_line_are_cancelled_as_the_preview_says_and_once(site: Site) -> None:
    order_id = site.place("PO-1", 10, 4)
    sam = signed_in(site, "sam@globex.example", "globex", name="Sam Porter")
    _preview(
        sam, order_id, what="lines", **{"quantity-1": "3"}, reason="out_of_stock", note="Sorry,\nuntil May."
    )
    assert "3 units of PO PO-1 are cancelled." in sam.text
    assert "Open before" in sam.text
    assert "Acme Stores, by e-mail, at once" in sam.text
    assert "This cannot be undone." in sam.text
    assert "Out of stock" in sam.text
    assert _order(site, "acme", order_id)[0] == ("1", "10", "0", "0", "10")
    form = sam.form(f"/orders/{order_id}/cancel")
    for _ in range(3):  # a double click, and a page that is sent again
        assert sam.post(f"/orders/{order_id}/cancel", form).status_code == 200
        assert "3 units of line 1" in sam.text
        assert "Who is told E-mail to Acme Stores" in sam.text
    assert _order(site, "acme", order_id) == [("1", "10", "0", "3", "7"), ("2", "4", "0", "0", "4")]
    (mail,) = site.mails("desk@acme")
    assert "Sorry, until May." in text_of(mail)
    assert "entered by Globex Supply" in text_of(mail)
    sam.get(f"/orders/{order_id}/messages/{mail.id}")
    assert mail.subject in sam.text
    assert "desk@acme.example" not in sam.page  # the other company's address is its own
    framed = sam.get(f"/orders/{order_id}/messages/{mail.id}/mail")
    assert framed.text == html_of(mail)
    assert "sandbox" in framed.headers["Content-Security-Policy"]
    assert site.breaches() == ()


def test_a_mail_older_than_those_an_order_lists_is_shown(site: Site, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("pipeline.api.pages.wording._MESSAGES_MAX", 1)
    order_id = site.place("PO-1", 10)
    for quantity in (1, 2):
        cut = {"quantity": quantity}
        assert site.client("globex").post(f"{SELLER}/{order_id}/lines/1/cancel", json=cut).status_code == 200
    sam = signed_in(site, "sam@globex.example", "globex")
    for mail in site.mails("desk@acme"):
        assert sam.get(f"/orders/{order_id}/messages/{mail.id}").status_code == 200
        assert mail.subject in sam.text
        assert "E-mail to Acme Stores" in sam.text


def test_everything_that_is_open_is_cancelled_and_why_the_rest_is_not_is_said(site: Site) -> None:
    order_id = site.place("PO-1", 10, 4)
    shipped = {"shipment_id": "S-1", "lines": [{"line": "1", "quantity": 6}, {"line": "2", "quantity": 4}]}
    site.client("globex").post(f"{SELLER}/{order_id}/fulfil", json=shipped)
    ada = signed_in(site, "ada@acme.example", "acme")
    ada.get(f"/orders/{order_id}")
    assert "4 units had left already and cannot be cancelled" in ada.text.replace("4 of 4 units", "4 units")
    _preview(ada, order_id, what="whole")
    assert "4 units of PO PO-1 are cancelled." in ada.text
    assert "What is not cancelled, and why" in ada.text
    ada.send(f"/orders/{order_id}/cancel")
    assert "4 units of line 1" in ada.text
    assert _order(site, "acme", order_id) == [("1", "10", "6", "4", "0"), ("2", "4", "4", "0", "0")]
    ada.get(f"/orders/{order_id}")
    assert "Nothing of this order can be cancelled" in ada.text
    assert f"/orders/{order_id}/cancel" not in ada.page


def test_what_cannot_be_cancelled_is_refused_in_words(site: Site) -> None:
    order_id = site.place("PO-1", 10)
    ada = signed_in(site, "ada@acme.example", "acme")
    _preview(ada, order_id, what="lines", **{"quantity-1": "11"})
    assert "This cannot be cancelled" in ada.text
    assert "Nothing would be cancelled." in ada.text
    forms = re.findall(r'action="([^"]*)"', ada.page)
    assert f"/orders/{order_id}/cancel" not in forms
    ada.send(f"/orders/{order_id}/cancel/form")
    assert ada.form(f"/orders/{order_id}/cancel/preview")["quantity-1"] == "11"
    assert _order(site, "acme", order_id) == [("1", "10", "0", "0", "10")]
    assert site.mails() == [mail for mail in site.mails() if "password" in mail.dedupe_key]


@pytest.mark.parametrize(
    ("fields", "said"),
    [
        ({"what": "lines"}, "Enter how many units to cancel"),
        ({"what": "lines", "quantity-1": "many"}, "Write a quantity such as 12 or 12.5."),
        ({"what": "lines", "quantity-1": "1,5"}, "Write a quantity such as 12 or 12.5."),
        ({"what": "lines", "quantity-1": "-1"}, "Write a quantity such as 12 or 12.5."),
        ({"what": "lines", "quantity-1": "0"}, "Nothing would be cancelled."),
        (
            {"what": "whole", "quantity-1": "1"},
            "Everything was chosen, and quantities of lines were entered too.",
        ),
        ({"what": "all of it"}, "Choose whether"),
        ({"what": "whole", "reason": "none of yours"}, "The reason cannot be used"),
    ],
)
def test_a_form_that_does_not_say_what_is_meant_is_asked_back(
    site: Site, fields: dict[str, str], said: str
) -> None:
    order_id = site.place("PO-1", 10)
    ada = signed_in(site, "ada@acme.example", "acme")
    _preview(ada, order_id, **fields)
    assert ada.last is not None
    assert (ada.last.status_code, said in ada.text) == (422, True), ada.text
    token = ada.form(f"/orders/{order_id}/cancel/preview")
    ada.post(f"/orders/{order_id}/cancel", {**token, **fields, "key": "app-" + "0" * 32, "etag": "x"})
    assert ada.last.status_code == 422
    assert _order(site, "acme", order_id) == [("1", "10", "0", "0", "10")]


def test_a_change_between_preview_and_deed_is_shown_and_not_guessed(site: Site) -> None:
    order_id = site.place("PO-1", 10)
    ada = signed_in(site, "ada@acme.example", "acme")
    _preview(ada, order_id, what="whole", note="All of it.")
    shipped = {"shipment_id": "S-1", "lines": [{"line": "1", "quantity": 4}]}
    site.client("globex").post(f"{SELLER}/{order_id}/fulfil", json=shipped)
    assert ada.send(f"/orders/{order_id}/cancel").status_code == 409
    assert "The order changed since you looked, and nothing was done." in ada.text
    assert "6 units of PO PO-1 are cancelled." in ada.text
    assert _order(site, "acme", order_id) == [("1", "10", "4", "0", "6")]
    ada.send(f"/orders/{order_id}/cancel")
    assert _order(site, "acme", order_id) == [("1", "10", "4", "6", "0")]
    assert "All of it." in text_of(site.mails("desk@globex")[-1])


def test_a_request_waits_first_in_the_list_until_the_seller_answers(asking_site: Site) -> None:
    site = asking_site
    first, later = site.place("PO-1", 10), site.place("PO-2", 10)
    ada = signed_in(site, "ada@acme.example", "acme", name="Ada Baker")
    sam = signed_in(site, "sam@globex.example", "globex", name="Sam Porter")
    ada.get(f"/orders/{first}")
    assert "Ask to cancel" in ada.text
    _preview(ada, first, what="lines", **{"quantity-1": "4"}, note="Too many.")
    assert "4 units of PO PO-1 are asked to be cancelled." in ada.text
    assert "This cannot be undone." not in ada.text
    ada.send(f"/orders/{first}/cancel")
    assert "Globex Supply is asked to agree" in ada.text
    ada.get("/orders")
    assert "Asked to cancel" in ada.text
    assert "Waiting for your answer" not in ada.text
    sam.get("/orders")
    assert "Waiting for your answer" in sam.text
    assert re.findall(r"<a href=\"/orders/\d+\">([^<]*)", sam.page) == ["PO-1", "PO-2"]
    sam.get(f"/orders/{first}")
    assert "Acme Stores asks to cancel 4 units" in sam.text
    assert "Too many." in sam.text
    sam.send(f"/orders/{first}/request", answer="refuse", note="Packed already.")
    assert "These stay open" in sam.text
    _preview(ada, first, what="lines", **{"quantity-1": "3"})
    ada.send(f"/orders/{first}/cancel")
    sam.get(f"/orders/{first}")
    form = sam.form(f"/orders/{first}/request") | {"answer": "approve"}
    for _ in range(2):
        sam.post(f"/orders/{first}/request", form)
        assert "3 units of line 1" in sam.text
    assert _order(site, "acme", first) == [("1", "10", "0", "3", "7")]
    sam.get("/orders")
    assert "Waiting for your answer" not in sam.text
    subjects = [mail.subject.partition(":")[0] for mail in site.mails() if "password" not in mail.dedupe_key]
    asked = "Cancellation requested"
    assert subjects == [asked, "Request refused", asked, "Cancelled in part"]
    assert later


def test_a_buyer_cannot_answer_for_the_seller_and_an_old_page_answers_nothing(asking_site: Site) -> None:
    site = asking_site
    order_id = site.place("PO-1", 10)
    ada, sam = (
        signed_in(site, "ada@acme.example", "acme"),
        signed_in(site, "sam@globex.example", "globex"),
    )
    _preview(ada, order_id, what="whole")
    ada.send(f"/orders/{order_id}/cancel")
    sam.get(f"/orders/{order_id}")
    form = sam.form(f"/orders/{order_id}/request") | {"answer": "approve"}
    ada.get("/orders")
    assert ada.post(f"/orders/{order_id}/request", form | ada.form("/sign-out")).status_code == 404
    shipped = {"shipment_id": "S-1", "lines": [{"line": "1", "quantity": 4}]}
    site.client("globex").post(f"{SELLER}/{order_id}/fulfil", json=shipped)
    assert sam.post(f"/orders/{order_id}/request", form).status_code == 409
    assert "The order changed since you opened it" in sam.text
    assert _order(site, "acme", order_id) == [("1", "10", "4", "0", "6")]
    for fields in ({"answer": "perhaps"}, {"answer": "approve", "reason": "none of yours"}):
        assert sam.send(f"/orders/{order_id}/request", **fields).status_code == 422


def test_the_hubs_people_see_all_and_act_for_either_side_in_their_own_name(site: Site) -> None:
    one, two = site.place("PO-1", 10), site.place("PO-2", 10, buyer="bolt", seller="initech")
    olga = signed_in(site, "olga@hub.example", name="Olga Perez")
    assert re.findall(r"<a href=\"/orders/\d+\">([^<]*)", olga.page) == ["PO-2", "PO-1"]
    assert olga.get(f"/orders/{one}/cancel").status_code == 422  # for whom?
    olga.get(f"/orders/{two}/cancel?for=seller")
    assert "You act for Initech Goods" in olga.text
    olga.send(f"/orders/{two}/cancel/preview", what="whole")
    olga.send(f"/orders/{two}/cancel")
    assert "10 units of line 1" in olga.text
    (mail,) = site.mails("desk@bolt")
    assert "entered by staff of Example Hub" in " ".join(text_of(mail).split())
    olga.get(f"/orders/{two}")
    assert "Initech Goods cancelled the order" in olga.text
    assert "Entered by Olga Perez (olga@hub.example) of Example Hub" in olga.text
    for email, partner in (("bo@bolt.example", "bolt"), ("ina@initech.example", "initech")):
        theirs = signed_in(site, email, partner)
        theirs.get(f"/orders/{two}")
        assert "Entered by staff of Example Hub" in theirs.text
        assert "olga" not in theirs.page.lower()
    assert olga.get("/company").status_code == 404


def test_keys_are_made_shown_once_and_revoked(site: Site) -> None:
    order_id = site.place("PO-1", 10)
    ada, bo = signed_in(site, "ada@acme.example", "acme"), signed_in(site, "bo@bolt.example", "bolt")
    ada.get("/company")
    assert "desk@acme.example" in ada.text
    form = ada.form("/company/keys") | {"name": "<b>ERP</b>", "days": "30"}
    ada.client.headers["Content-Type"] = "application/x-www-form-urlencoded"
    ada.post("/company/keys", {**form, "scope": "orders:read"})
    found = re.search(r"cmk_[\w-]+", ada.page)
    assert found is not None
    client = site.client(secret=found[0])
    assert client.get(f"{BUYER}/{order_id}").status_code == 200
    assert client.post(f"{BUYER}/{order_id}/cancel", json={}).status_code == 403
    ada.get("/company")
    assert found[0] not in ada.page
    assert "<b>ERP" not in ada.page
    action = re.findall(r'action="(/company/keys/\d+/revoke)"', ada.page)[0]
    bo.get("/company")
    assert bo.post(action, bo.form("/company/keys")).status_code == 404
    ada.send(action)
    time.sleep(KNOWN_SECONDS)
    assert client.get(f"{BUYER}/{order_id}").status_code == 401
    without = {name: value for name, value in ada.form("/company/keys").items() if name != "scope"}
    assert ada.post("/company/keys", without).status_code == 422


def test_a_key_that_is_made_at_the_same_time_is_counted_too(site: Site) -> None:
    ada, database = signed_in(site, "ada@acme.example", "acme"), site.application.database
    at = site.application.clock.now()
    ada.get("/company")
    form = ada.form("/company/keys") | {"name": "ERP", "scope": "orders:read", "days": "30"}
    with database.writing() as tx:
        for _ in range(KEYS_MAX - 1):
            access_keys.add_key(tx, "acme", [Scope.READ], at)
    with ThreadPoolExecutor() as pool:
        with database.writing() as tx:  # somebody who has counted, and has not committed what it adds
            assert len(access_keys.list_keys(tx, "acme", alone=True)) == KEYS_MAX - 1
            added = pool.submit(ada.post, "/company/keys", form)
            time.sleep(0.5)
            access_keys.add_key(tx, "acme", [Scope.READ], at)
        assert added.result().status_code == 422
    assert f"There are {KEYS_MAX} keys already" in ada.text
