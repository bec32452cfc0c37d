"""The pages for support: who sees them, what is found, and that nothing a partner wrote acts in them."""

import csv
import io
import json
from contextlib import redirect_stdout
from pathlib import Path
from urllib.parse import urlencode

from sqlalchemy import text, update

from pipeline.cli import run
from pipeline.contents import html_of, text_of
from storage import lookups, outbox
from storage.lookups import FilesWanted, MessagesWanted
from storage.models import table
from tests.api.site import Site, served
from tests.app.people import Person, a_browser, add_person, signed_in
from tests.app.support_files import HOSTILE, drop, fill, look_into_mailboxes
from tests.app.test_hostile import UNSEEN, Page
from tests.unit.pipeline.ledger_files import file_of, order

PAGES = (
    "/support/overview", "/support/files", "/support/files/1", "/support/files/1/raw", "/support/waiting",
    "/support/waiting/1", "/support/outbox", "/support/outbox/2",
    "/support/outbox/1/resend", "/support/audit", "/support/search?q=PO-1", "/support/export/orders.csv",
    "/support/export/waiting.csv", "/support/export/outbox.csv", "/support/webhooks",
)  # fmt: skip
FORMS = (
    "/support/files/1/try", "/support/files/1/replay", "/support/files/1/retry", "/support/waiting/1/answer",
    "/support/outbox/1/resend", "/support/audit",
)  # fmt: skip


def support(site: Site) -> Person:
    return signed_in(site, "eve@hub.example", name="Eve Adams")


def seen(person: Person, path: str, status: int = 200) -> str:
    """The text of a page, which is there."""
    answer = person.get(path)
    assert answer.status_code == status, (path, person.text)
    return person.text


def test_pages_are_there_for_operators_and_for_nobody_else(site: Site) -> None:
    fill(site)
    eve, ada, stranger = support(site), signed_in(site, "ada@acme.example", "acme"), a_browser(site)
    stranger.client.follow_redirects = False
    mails = site.mails("desk@")
    html = f"/support/outbox/{mails[0].id}/html"
    for path in (*PAGES, html):
        assert eve.get(path).status_code == 200, path
        assert ada.get(path).status_code == 404, path
        answer = stranger.get(path)
        assert (answer.status_code, answer.headers["Location"][:9]) == (303, "/sign-in?"), path
    assert eve.get("/support").url.path == "/support/overview"
    ada.get("/orders")
    token = ada.form("/sign-out")["csrf"]
    for path in FORMS:
        assert ada.post(path, {"csrf": token, "choice": "cancel", "after": "0"}).status_code == 404, path
    assert "Overview" not in seen(ada, "/orders")
    assert "PO, control no., file" not in ada.page
    for path in (
        "/support/files/999",
        "/support/waiting/999",
        "/support/outbox/999",
        "/support/outbox/999/html",
    ):
        seen(eve, path, 404)


def test_the_overview_names_what_waits(site: Site) -> None:
    fill(site)
    said = seen(support(site), "/support/overview")
    assert "1 Questions held" in said
    assert "1 Documents parked" in said
    assert "0 Files given up" in said
    assert "Held : a question waits since 2026-03-01 12:00 UTC" in said
    assert "schema 00" in said


def test_files_are_found_by_all_they_are_known_by(site: Site) -> None:
    ids = fill(site)
    eve = support(site)

    def found(query: str) -> set[int]:
        eve.get(f"/support/files?{query}")
        return {number for number in ids.values() if f'href="/support/files/{number}"' in eve.page}

    of_po_1 = {ids[name] for name in ("applied", "shipped", "cancelled", "refused")}
    assert found("") == set(ids.values())
    assert found("po=PO-1") == of_po_1
    assert found("po=PO-9") == {ids["parked"]}
    assert found("partner=globex") == {ids[name] for name in ("shipped", "refused", "held", "parked")}
    assert found("number=101") == found("number=000000101") == {ids["applied"]}
    assert found("name=note") == {ids["nothing"]}
    assert found("name=%25") == found("name=_ote") == set()
    assert found("verdict=held") == {ids["held"]}
    assert found("verdict=refused") == {ids["refused"]}
    assert found("verdict=faulty") == {ids["faulty"], ids["nothing"]}
    assert found("verdict=applied") == {ids[name] for name in ("applied", "shipped", "cancelled", "asked")}
    assert found("verdict=applied&partner=globex&po=PO-1") == {ids["shipped"]}


def test_a_file_shows_what_is_wrong_at_its_place_and_what_it_was_answered(site: Site) -> None:
    ids = fill(site)
    eve = support(site)
    said = seen(eve, f"/support/files/{ids['faulty']}")
    assert 'BEG05 Date 20260399 Error at BEG05: "20260399" is not a date of the calendar' in said
    assert "Error at PO102:" in said
    assert "997 R for group 104" in said
    answer = eve.page.partition('href="/support/outbox/')[2].partition('"')[0]
    assert "Functional Group Response" in seen(eve, f"/support/outbox/{answer}")
    said = seen(eve, f"/support/files/{ids['refused']}")
    assert "Line 1: to ship 5 units: more was shipped than is open" in said
    assert "Cancelled" not in said
    assert "No X12 interchange was found in it" in seen(eve, f"/support/files/{ids['nothing']}")
    raw = eve.get(f"/support/files/{ids['nothing']}/raw")
    assert (raw.content, raw.headers["Content-Disposition"][:11]) == (b"no X12 at all", "attachment;")


def test_a_set_that_was_checked_by_a_guide_shows_what_was_said_then(site: Site) -> None:
    """Findings are those of the receipt, not of a second reading."""
    file_id = drop(site, "850", order("PO-1", 5), number=1, sender="acme")
    finding = {"level": "warning", "segment": "BEG", "position": 2, "element": "", "message": "By the guide"}
    with site.application.database.writing() as tx:
        tx.execute(update(table("transaction_set")).values(findings=[{**finding, "remedy": "Ask."}]))
    assert "Warning at BEG: By the guide Ask." in seen(support(site), f"/support/files/{file_id}")


def test_lists_go_on_page_by_page(site: Site) -> None:
    for number in range(1, 61):
        site.house.drop(b"no X12, number %d" % number, partner="acme", name=f"f-{number:02d}.txt")
    eve = support(site)
    seen(eve, "/support/files?partner=acme")
    assert "f-60.txt" in eve.text
    assert "f-10.txt" not in eve.text
    more = eve.page.partition('href="/support/files?partner=acme&amp;before=')[2].partition('"')[0]
    seen(eve, f"/support/files?partner=acme&before={more}")
    assert "f-10.txt" in eve.text
    assert "f-11.txt" not in eve.text
    seen(eve, "/support/outbox?before=" + more)
    seen(eve, "/support/outbox?before=nonsense", 422)


def test_messages_are_listed_by_status_kind_partner_and_order(site: Site) -> None:
    fill(site)
    eve = support(site)
    said = seen(eve, "/support/outbox?partner=globex&kind=email")
    assert "Cancelled: PO PO-1" in said
    assert "support@hub.example 2026" not in said
    assert "997" not in seen(eve, "/support/outbox?kind=email&po=PO-1")
    assert "997 A for group 101" in seen(eve, "/support/outbox?status=refused&partner=acme")
    assert "No message fits" in seen(eve, "/support/outbox?status=sent")
    for query in ("status=SENT", "kind=fax"):
        said = seen(eve, f"/support/outbox?{query}")
        assert ("There is no such status" in said, "PO-1" in said) == (True, False)


def test_a_mail_is_shown_as_it_looks_where_nothing_in_it_can_act(site: Site) -> None:
    fill(site)
    eve = support(site)
    mail = site.mails("desk@globex")[0]
    page = eve.get(f"/support/outbox/{mail.id}")
    assert f'src="/support/outbox/{mail.id}/html" sandbox=""' in eve.page
    assert text_of(mail).split("\n")[0] in eve.text
    assert "frame-src 'self'" in page.headers["Content-Security-Policy"]
    frame = eve.get(f"/support/outbox/{mail.id}/html")
    policy = frame.headers["Content-Security-Policy"]
    assert "default-src 'none'" in policy
    assert policy.endswith("sandbox")
    assert "script-src" not in policy
    assert (frame.headers["X-Frame-Options"], frame.text) == ("SAMEORIGIN", html_of(mail))


def test_a_mail_that_opens_an_account_is_not_shown(site: Site) -> None:
    eve = support(site)
    (mail,) = site.mails("eve@")
    link = text_of(mail).partition("link=")[2].split()[0]
    assert "shown to its reader only" in seen(eve, f"/support/outbox/{mail.id}")
    assert link not in eve.page
    assert eve.get(f"/support/outbox/{mail.id}/html").status_code == 404


def test_nor_is_it_sent_again_which_would_make_a_mail_that_is_shown(site: Site) -> None:
    eve = support(site)
    (mail,) = site.mails("eve@")
    with site.application.database.writing() as tx:
        claimed = outbox.claim(tx, mail)
        assert claimed is not None
        outbox.mark_failed(tx, claimed, "no server", None)
    seen(eve, f"/support/outbox/{mail.id}")
    assert "Send it again" not in eve.text
    seen(eve, f"/support/outbox/{mail.id}/resend", 409)
    fields = {"csrf": eve.form("/sign-out")["csrf"], "after": "0"}
    assert eve.post(f"/support/outbox/{mail.id}/resend", fields).status_code == 409
    assert "carries a link that opens an account" in eve.text
    assert [mail.id for mail in site.mails("eve@")] == [claimed.id]


def test_the_command_shows_no_more_of_it_than_the_app(site: Site, tmp_path: Path) -> None:
    """In JSON for programs, which ends in logs and tickets."""
    add_person(site, "ada@acme.example", "acme")
    site.place("PO-1", 10)
    site.client("acme").post("/api/v1/buyer/orders/1/cancel", json={})
    mails = site.mails()
    link = text_of(next(mail for mail in mails if "ada@" in mail.to)).partition("link=")[2].split()[0]
    printed = io.StringIO()
    with redirect_stdout(printed):
        assert run(["outbox", "--json", "--config", str(tmp_path / "countermand.toml")]) == 0
    assert link not in printed.getvalue()
    shown = {said["id"]: said for said in json.loads(printed.getvalue())["messages"]}
    for mail in mails:
        said, secret = shown[mail.id], "ada@" in mail.to
        assert said["is_secret"] is secret
        assert said["body_text"] == (None if secret else text_of(mail))
        assert (said["payload"] is None, said["body_html"] is None) == (secret, secret)


def test_one_box_finds_orders_files_and_messages(site: Site) -> None:
    fill(site)
    eve = support(site)
    said = seen(eve, "/support/search?q=PO-2")
    assert "Question about PO PO-2" in said
    assert "855-203.edi" in said
    assert 'href="/orders/2"' in eve.page
    assert "A document waits for PO PO-9" in seen(eve, "/support/search?q=PO-9")
    said = seen(eve, "/support/search?q=101")
    assert "850-101.edi" in said
    assert "850-104.edi" in seen(eve, "/support/search?q=850-10")
    with site.application.database.reading() as tx:
        numbers = (
            tx.execute(text("SELECT group_control_number FROM outbox WHERE set_type = '997'")).scalars().all()
        )
    assert "997 A for group 101" in seen(eve, f"/support/search?q=000{min(numbers, key=int)}")
    assert "Nothing is called so" in seen(eve, "/support/search?q=nobody")
    seen(eve, "/support/search?q=")


def test_downloads_hold_no_formula_and_all_rows(site: Site) -> None:
    fill(site)
    drop(site, "850", order("=HYPERLINK(1)", 5), number=900, sender="acme", name="=cmd.edi")
    eve = support(site)

    def rows(name: str) -> list[dict[str, str]]:
        answer = eve.get(f"/support/export/{name}.csv")
        assert answer.headers["Content-Type"] == "text/csv; charset=utf-8"
        assert answer.headers["Content-Disposition"] == f'attachment; filename="{name}.csv"'
        return list(csv.DictReader(io.StringIO(answer.text, newline="")))

    assert [row["po_number"] for row in rows("orders")] == ["'=HYPERLINK(1)", "PO-2", "PO-1"]
    assert {row["waits_for"]: row["po_number"] for row in rows("waiting")} == {
        "a person": "PO-2",
        "its order": "PO-9",
    }
    with site.application.database.reading() as tx:
        count = tx.execute(text("SELECT COUNT(*) FROM outbox")).scalar_one()
    messages = rows("outbox")
    assert len(messages) == count
    assert {"PO-1", ""} <= {row["order"] for row in messages}


def test_nothing_a_partner_wrote_acts_in_a_page(site: Site) -> None:
    """Texts in an order, an envelope, a file's name, and in what is looked for."""
    files = []
    for number, hostile in enumerate(HOSTILE, start=1):
        said = order(hostile[:22], 5)
        said.insert(1, f"REF*ZZ*{hostile}")
        content = file_of("850", said, number=number, sender="acme", receiver="globex")
        name = b"caf\xe9-" + hostile.encode("utf-8", "surrogateescape") + b".edi"
        shown = name.decode("utf-8", "surrogateescape")
        files.append(site.house.drop(content, partner="acme", name=shown).file_id)
    eve = support(site)
    for path in (
        "/support/files",
        "/support/waiting",
        "/support/outbox",
        "/support/overview",
        "/support/outbox/1",
    ):
        _look(eve, path)
    for file_id, hostile in zip(files, HOSTILE, strict=True):
        _look(eve, f"/support/files/{file_id}")
        assert "caf\\xe9-" in eve.text
        eve.send(f"/support/files/{file_id}/try")
        Page(eve.page)
        _look(eve, "/support/search?" + urlencode({"q": hostile}, errors="replace"))
        _look(
            eve,
            "/support/files?"
            + urlencode({"name": hostile, "po": hostile, "partner": hostile}, errors="replace"),
        )
        _look(
            eve,
            "/support/outbox?"
            + urlencode({"po": hostile, "partner": hostile, "status": hostile}, errors="replace"),
        )


def _look(person: Person, path: str) -> None:
    seen(person, path)
    Page(person.page)
    assert not UNSEEN.search(person.page)


def test_lists_of_every_condition_are_answered(site: Site) -> None:
    """On both systems, whatever is combined."""
    ids = fill(site)
    with site.application.database.reading() as tx:
        for verdict in ("", *lookups.VERDICTS):
            for po_number in ("", "PO-1"):
                wanted = FilesWanted(
                    partner="acme", name="8", control_number="101", po_number=po_number, verdict=verdict
                )
                assert {file.id for file in lookups.list_files(tx, wanted, limit=9)} <= {ids["applied"]}
        wanted_messages = MessagesWanted(files=[ids["cancelled"]])
        kinds = {line.kind.value for line in lookups.list_lines(tx, wanted_messages, limit=50)}
    assert kinds == {"email", "acknowledgment"}


def test_the_overview_shows_how_each_mailbox_is(tmp_path: Path, both_systems: None) -> None:
    with served(tmp_path, mailboxes=True) as site:
        look_into_mailboxes(site)
        eve = support(site)
        said = seen(eve, "/support/overview")
        assert "Acme Stores Works" in said
        assert "3 min ago" in said
        assert "Bolt Retail Paused until" in said
        assert "login refused <b>" in said
        assert "Globex Supply Never looked into" in said
        assert "caf\\xe9<i>.zip Bolt Retail Too large 123,456,789" in said
        assert "Poll bolt : last good look on" in said
        Page(eve.page)
