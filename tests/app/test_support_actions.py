"""What support does in the app: the same as the commands, once, and with the name of who did it."""

import json
import time
from collections.abc import Iterator
from datetime import UTC, datetime
from pathlib import Path

import pytest
from sqlalchemy import text

from pipeline.api.pages.support_audit import Auditor
from pipeline.cli import run
from pipeline.contents import text_of
from pipeline.notes import NOTE_CHARS_MAX
from pipeline.waiting import ingest_waiting
from storage import held, messages, outbox, queries, receipts
from storage.events import EventKind
from storage.orders import LineState
from storage.quantities import plain
from storage.queries import OrderView
from tests.api.site import Site, served
from tests.app.people import Person, signed_in
from tests.app.support_files import drop, fill, refused_once
from tests.unit.pipeline.ledger_files import acknowledgment, file_of, order, shipment

NOW = datetime(2026, 3, 1, 12, tzinfo=UTC)
EVE = "eve@hub.example"
AUDIT_SECONDS_MAX = 60


@pytest.fixture
def reopening(tmp_path: Path, both_systems: None) -> Iterator[Site]:
    """A site whose sellers may take a shipment back."""
    with served(tmp_path, policy='asn_withdraw = "reopen"') as made:
        yield made


def support(site: Site) -> Person:
    return signed_in(site, EVE, name="Eve Adams")


def view(site: Site, po_number: str) -> OrderView:
    with site.application.database.reading() as tx:
        found = queries.get_order(tx, queries.find_orders(tx, po_number)[0].id)
    assert found is not None
    return found


def figures(line: LineState) -> tuple[str, ...]:
    return tuple(map(plain, (line.ordered, line.fulfilled, line.cancelled, line.open)))


def everything(site: Site) -> list[int]:
    """How many rows there are of what a document leaves."""
    tables = ("received_file", "interchange", "transaction_set", "event", "outbox", "held", "parked")
    with site.application.database.reading() as tx:
        return [tx.execute(text(f"SELECT COUNT(*) FROM {name}")).scalar_one() for name in tables]  # noqa: S608


def test_a_question_is_answered_once_with_the_name_of_who_answered(site: Site) -> None:
    fill(site)
    eve = support(site)
    eve.get("/support/waiting/1")
    assert "cancel-rest cancel 7 units of line 1" in eve.text
    eve.send("/support/waiting/1/look", choice="cancel", note="They called")
    assert eve.last is not None
    assert "called" not in str(eve.last.url)
    assert "cannot be undone" in eve.text
    assert figures(view(site, "PO-2").lines[0]) == ("10", "0", "0", "10")
    fields = eve.form("/support/waiting/1/answer")
    eve.post("/support/waiting/1/answer", fields)
    assert "The answer is recorded" in eve.text
    assert "cancel by eve@hub.example" in eve.text
    assert "The document is now Applied" in eve.text
    order_view = view(site, "PO-2")
    assert figures(order_view.lines[0]) == ("10", "0", "3", "7")
    event = order_view.events[-1]
    assert (event.source.actor, event.source.type, event.by) == (EVE, "855", "globex")
    with site.application.database.reading() as tx:
        answered = held.get_held(tx, 1)
    assert answered is not None
    assert (answered.answered_by, answered.answer, answered.note) == (EVE, "cancel", "They called")
    assert eve.post("/support/waiting/1/answer", fields).status_code == 409
    assert "was answered before" in eve.text
    assert eve.post("/support/waiting/1/answer", fields | {"choice": "nothing"}).status_code == 409
    assert figures(view(site, "PO-2").lines[0]) == ("10", "0", "3", "7")
    eve.get(f"/orders/{order_view.summary.id}")
    assert "Decided by eve@hub.example" in eve.text
    ada = signed_in(site, "ada@acme.example", "acme")
    ada.get(f"/orders/{order_view.summary.id}")
    assert (EVE in ada.text, "See the file" in ada.text, "Messages about it" in ada.text) == (False,) * 3
    assert site.breaches() == ()


def test_a_question_that_the_order_overtook_is_asked_again_and_says_so(site: Site) -> None:
    drop(site, "850", order("PO-1", 20), number=1, sender="acme")
    drop(site, "855", acknowledgment("PO-1", "ACK*IR*6*EA"), number=2, sender="globex")
    eve = support(site)
    eve.get("/support/waiting/1")
    eve.send("/support/waiting/1/look", choice="cancel-rest")
    assert "Cancel 14 units" in eve.text
    drop(site, "856", shipment("S-1", "PO-1", 10), number=3, sender="globex")
    eve.send("/support/waiting/1/answer")
    assert figures(view(site, "PO-1").lines[0]) == ("20", "10", "0", "10")
    assert "The document is now Held" in eve.text
    assert "It is asked again, because the order changed." in eve.text
    assert "was decided with it" not in eve.text
    assert 'href="/support/waiting/2"' in eve.page
    eve.get("/support/waiting/2")
    assert "asked again" not in eve.text
    assert "Waits" in eve.text


def test_an_answer_has_to_be_chosen(site: Site) -> None:
    fill(site)
    eve = support(site)
    eve.get("/support/waiting/1")
    form = eve.form("/support/waiting/1/look")
    for choice in ("", "other"):
        assert eve.post("/support/waiting/1/look", form | {"choice": choice}).status_code == 409
        assert "Choose one of the answers" in eve.text


def test_a_note_may_be_as_long_as_the_form_lets_it_be(site: Site) -> None:
    fill(site)
    eve, note = support(site), "x" * NOTE_CHARS_MAX
    eve.get("/support/waiting/1")
    assert f'maxlength="{NOTE_CHARS_MAX}"' in eve.page
    eve.send("/support/waiting/1/look", choice="ignore", note=note)
    assert eve.send("/support/waiting/1/answer").status_code == 200
    assert note in eve.text
    assert eve.get("/support/waiting/1/answer").url.path == "/support/waiting/1"


def test_a_replay_is_tried_first_and_changes_nothing(reopening: Site) -> None:
    file_id = refused_once(reopening)
    eve = support(reopening)
    before = everything(reopening)
    eve.get(f"/support/files/{file_id}")
    assert "caf\\xe9.edi" in eve.text
    eve.send(f"/support/files/{file_id}/try")
    assert "What a replay does now Applied" in eve.text
    assert "Fulfilled 5 of line 1" in eve.text
    assert everything(reopening) == before
    assert figures(view(reopening, "PO-3").lines[0]) == ("5", "0", "0", "5")


def test_a_replay_that_is_applied_names_who_had_it_done(reopening: Site) -> None:
    file_id = refused_once(reopening)
    eve = support(reopening)
    eve.get(f"/support/files/{file_id}")
    eve.send(f"/support/files/{file_id}/try")
    eve.send(f"/support/files/{file_id}/replay")
    assert "It was read again" in eve.text
    order_view = view(reopening, "PO-3")
    assert figures(order_view.lines[0]) == ("5", "5", "0", "0")
    event = order_view.events[-1]
    assert (event.kind, event.source.actor, event.source.file) == (
        EventKind.LINES_FULFILLED,
        EVE,
        "caf\\xe9.edi",
    )
    # Once more it is a duplicate, by the file's own page and by that of the replay.
    assert eve.last is not None
    for path in (f"/support/files/{file_id}", eve.last.url.path):
        eve.get(path)
        eve.send(f"{path}/try")
        assert "What a replay does now Duplicate" in eve.text
        eve.send(f"{path}/replay")
        assert "Duplicate" in eve.text
    assert figures(view(reopening, "PO-3").lines[0]) == ("5", "5", "0", "0")
    assert reopening.breaches() == ()


def test_a_file_that_lies_in_its_mailbox_still_can_be_replayed(site: Site) -> None:
    """Its row is taken: a replay has its own."""
    file_id = drop(site, "850", order("PO-1", 5), number=1, sender="acme")
    with site.application.database.writing() as tx:
        tx.execute(text("UPDATE received_file SET moved_at = NULL"))
    eve = support(site)
    eve.get(f"/support/files/{file_id}")
    eve.send(f"/support/files/{file_id}/try")
    assert "What a replay does now Duplicate" in eve.text
    assert site.house.drop(b"x", partner="acme", name="x.edi").file_id > file_id


@pytest.mark.parametrize(
    "state", ["status = 'new'", "status = 'failed'", "data = '', pruned_at = received_at", "size = 5000001"]
)
def test_what_was_not_read_or_is_gone_is_not_replayed(site: Site, state: str) -> None:
    file_id = drop(site, "850", order("PO-1", 5), number=1, sender="acme")
    eve = support(site)
    eve.get(f"/support/files/{file_id}")
    fields = eve.form(f"/support/files/{file_id}/try")
    with site.application.database.writing() as tx:
        tx.execute(text(f"UPDATE received_file SET {state}"))  # noqa: S608
    before = everything(site)
    for form in ("try", "replay"):
        answer = eve.post(f"/support/files/{file_id}/{form}", fields)
        assert (answer.status_code, "Nothing was done" in eve.text) == (409, True)
    assert everything(site) == before


def test_a_file_that_was_given_up_is_read_again_and_who_had_it_done_is_logged(
    site: Site, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    content = file_of("850", order("PO-1", 5), number=1, sender="acme", receiver="globex")
    application, config = site.application, ["--config", str(tmp_path / "countermand.toml")]
    with application.database.writing() as tx:
        files = [
            receipts.keep(tx, partner="acme", mailbox="acme", name=name, content=content + end, at=NOW)
            for name, end in ((b"one.edi", b""), (b"two.edi", b"\n"))
        ]
        for file in files:
            for _ in range(receipts.ATTEMPTS_MAX):
                receipts.begin(tx, [file.id])
            receipts.record_failure(tx, file.id, error="a bug <b>")
    one, two = (file.id for file in files)
    assert ingest_waiting(application.settings, application.database, application.clock.now) == ([], [])
    assert run(["retry", *config]) == 0
    assert f"{one}: one.edi of acme" in capsys.readouterr().out
    eve = support(site)
    eve.get(f"/support/files/{one}")
    assert "It made the program fail three times" in eve.text
    fields = eve.form(f"/support/files/{one}/retry")
    eve.send(f"/support/files/{one}/retry")
    assert "It is read again with the next round." in eve.text
    assert "three times" not in eve.text
    assert eve.post(f"/support/files/{one}/retry", fields).status_code == 409  # it is on its way
    assert run(["retry", "--json", *config]) == 0
    assert [file["id"] for file in json.loads(capsys.readouterr().out)["files"]] == [two]
    assert run(["retry", str(two), "--by", "eve", "--log-level", "info", *config]) == 0
    assert f"file_retried file=f{two} partner=acme name=two.edi by=eve" in capsys.readouterr().err
    assert run(["retry", str(two), *config]) == run(["retry", "999", *config]) == 2
    reports, failed = ingest_waiting(application.settings, application.database, application.clock.now)
    assert (failed, [report.outcome.value for report in reports]) == ([], ["applied", "duplicate"])
    assert figures(view(site, "PO-1").lines[0]) == ("5", "0", "0", "5")
    assert site.breaches() == ()


def test_a_message_is_sent_again_once_for_each_time_it_is_wanted(site: Site) -> None:
    fill(site)
    eve = support(site)
    mail = site.mails("desk@globex")[0]
    assert eve.get(f"/support/outbox/{mail.id}/resend").status_code == 409
    assert "will be sent anyway" in eve.text
    with site.application.database.writing() as tx:
        claimed = outbox.claim(tx, mail)
        assert claimed is not None
        outbox.mark_committing(tx, claimed)
        outbox.mark_sent(tx, claimed, mail.created_at)
    eve.get(f"/support/outbox/{mail.id}/resend")
    fields = eve.form(f"/support/outbox/{mail.id}/resend")
    eve.post(f"/support/outbox/{mail.id}/resend", fields)
    assert f"It is a repetition of message {mail.id}" in eve.text
    assert eve.post(f"/support/outbox/{mail.id}/resend", fields).status_code == 409
    assert "was sent again since you looked" in eve.text
    with site.application.database.reading() as tx:
        (again,) = messages.resends_of(tx, mail.id)
        repeated = messages.get(tx, again)
    assert repeated is not None
    assert (text_of(repeated), repeated.to) == (text_of(mail), mail.to)
    eve.get(f"/support/outbox/{mail.id}/resend")
    assert f"as message {again}" in eve.text
    eve.send(f"/support/outbox/{mail.id}/resend")
    with site.application.database.reading() as tx:
        assert len(messages.resends_of(tx, mail.id)) == 2
    assert site.breaches() == ()


def test_an_audit_says_that_all_holds_or_which_rows_break_a_law(site: Site) -> None:
    fill(site)
    eve = support(site)
    eve.get("/support/audit")
    eve.send("/support/audit")
    assert "No breach. Every law holds." in _audited(eve)
    assert "asked for by eve@hub.example" in eve.text
    with site.application.database.writing() as tx:
        tx.execute(text("UPDATE orders SET status = 'complete' WHERE po_number = 'PO-2'"))
    eve.send("/support/audit")
    said = _audited(eve)
    assert "1 law does not hold" in said
    assert "order_id 2" in said or "id 2" in said


def _audited(person: Person) -> str:
    end = time.monotonic() + AUDIT_SECONDS_MAX
    while "An audit is at work" in person.text:
        assert time.monotonic() < end
        assert person.last is not None
        assert person.last.headers["Refresh"] == "3"
        time.sleep(0.05)
        person.get("/support/audit")
    return person.text


def test_only_one_audit_runs_at_a_time(site: Site) -> None:
    auditor, at = Auditor(), site.application.clock.now()
    auditor.running = ("somebody", at)
    assert not auditor.begin(site.application, "two")
    auditor.running = None
    assert auditor.begin(site.application, "three")
    end = time.monotonic() + AUDIT_SECONDS_MAX
    while auditor.running and time.monotonic() < end:
        time.sleep(0.02)
    assert auditor.last is not None
    assert (auditor.last.by, auditor.last.breaches, auditor.last.error) == ("three", (), "")


def test_an_order_is_cancelled_for_a_party_with_the_name_of_who_did_it(site: Site) -> None:
    ids = fill(site)
    eve = support(site)
    order_id = view(site, "PO-2").summary.id
    eve.get(f"/orders/{order_id}")
    assert f'href="/support/files/{ids["asked"]}"' in eve.page
    eve.get(f"/orders/{order_id}/cancel?for=seller")
    eve.send(f"/orders/{order_id}/cancel/preview")
    eve.send(f"/orders/{order_id}/cancel")
    order_view = view(site, "PO-2")
    assert figures(order_view.lines[0]) == ("10", "0", "10", "0")
    event = order_view.events[-1]
    assert (event.by, EVE in event.source.actor) == ("globex", True)
