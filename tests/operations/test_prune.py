"""Retention: what is old and settled is emptied, and nothing else, on both systems."""

import json
from datetime import UTC, datetime, timedelta
from pathlib import Path

import pytest
from sqlalchemy import text, update

from pipeline.answering.answers import repeat_answers
from pipeline.cli import run
from pipeline.contents import html_of, text_of
from pipeline.sets import decide_again
from pipeline.settings import load
from storage import held, messages, outbox, receipts, retention
from storage.database import Database
from storage.invariants import audit
from storage.messages import StaleMessage
from storage.models import table
from storage.outcomes import Outcome
from storage.states import Kind
from tests.integration.sftp_server import nowhere
from tests.unit.pipeline.house import House
from tests.unit.pipeline.ledger_files import (
    acknowledgment,
    cancellation,
    file_of,
    order,
    shipment,
    write_settings,
)  # fmt: skip

LATER = datetime(2027, 3, 1, tzinfo=UTC)
BEFORE = LATER - timedelta(days=30)


@pytest.fixture
def house(tmp_path: Path, database: Database) -> House:
    """An order that was cancelled and one with a held and a parked document; all that is owed was sent."""
    key = tmp_path / "key"
    mailboxes = {name: nowhere(key_file=key, host=f"{name}.example") for name in ("acme", "globex")}
    made = House(load(write_settings(tmp_path, mailboxes=mailboxes), {}), database)
    made.buyer(order("PO-1", 9))
    made.buyer(cancellation("PO-1"))
    made.buyer(order("PO-2", 9))
    made.seller("855", acknowledgment("PO-2", "ACK*IA*4*EA"))
    made.seller("856", shipment("S-1", "PO-77", 1))
    with database.writing() as tx:
        tx.execute(
            text("UPDATE outbox SET status = 'sent', attempts = 1, sent_at = created_at WHERE status = 'new'")
        )
    return made


def sizes(database: Database) -> dict[str, tuple[int, bool]]:
    """(bytes, pruned) of every received file, by name."""
    with database.reading() as tx:
        rows = tx.execute(text("SELECT name, LENGTH(data) AS size, pruned_at FROM received_file")).all()
    return {row.name: (row.size, row.pruned_at is not None) for row in rows}


def pruned(database: Database) -> None:
    with database.writing() as tx:
        retention.prune_files(tx, BEFORE, LATER)
        retention.prune_mails(tx, BEFORE, LATER)


def test_settled_files_are_emptied_and_what_waits_is_not(house: House) -> None:
    before = sizes(house.database)
    pruned(house.database)
    after = sizes(house.database)
    assert {name for name, (_, gone) in after.items() if gone} == {"02.edi", "04.edi", "06.edi"}
    assert all(size == 0 for size, gone in after.values() if gone)
    assert {name: after[name] for name in ("08.edi", "10.edi")} == {
        name: before[name] for name in ("08.edi", "10.edi")
    }
    with house.database.reading() as tx:
        file = receipts.get_file(tx, 1)
        assert audit(tx) == ()
    assert file is not None
    assert (file.size > 0, len(file.sha256), file.pruned_at) == (True, 64, LATER)


def test_what_waited_can_still_be_decided_and_is_emptied_afterwards(house: House) -> None:
    pruned(house.database)
    with house.database.writing() as tx:
        (question,) = held.list_held(tx)
        held.answer(tx, question.id, choice="ignore", by="ann", at=house.now)
        assert question.set_id is not None
        assert decide_again(tx, house.settings, question.set_id, house.now).outcome is Outcome.APPLIED
    house.buyer(order("PO-77", 5))
    pruned(house.database)
    assert all(gone for _, gone in sizes(house.database).values())


def test_a_key_lasts_and_is_answered_by_the_same_bytes(house: House) -> None:
    with house.database.reading() as tx:
        answers = {m.id: m.payload for m in messages.list_messages(tx) if m.kind is Kind.ACKNOWLEDGMENT}
    pruned(house.database)
    house.numbers = 0
    assert house.buyer(order("PO-1", 9)).outcome is Outcome.DUPLICATE
    other = file_of("850", order("PO-8", 1), number=1, sender="acme", receiver="globex")
    assert house.drop(other).interchanges[0].outcome.value == "conflict"
    with house.database.writing() as tx:
        after = {m.id: m.payload for m in messages.list_messages(tx) if m.kind is Kind.ACKNOWLEDGMENT}
        assert all(after[id] == payload for id, payload in answers.items())
        again = [m for m in messages.list_messages(tx) if m.resend_of]
        assert [m.payload for m in again] == [answers[m.resend_of] for m in again if m.resend_of]
        assert again
        repeat_answers(tx, 1, house.now)
    assert house.line("PO-1") == ("9", "0", "9", "0")


def test_only_sent_mails_are_emptied_and_they_cannot_be_sent_again(house: House) -> None:
    with house.database.writing() as tx:
        mails = [m for m in messages.list_messages(tx) if m.kind is Kind.EMAIL]
        assert len(mails) >= 2
        kept = mails[-1]
        tx.execute(
            text("UPDATE outbox SET status = 'uncertain', sent_at = NULL, error = 'x' WHERE id = :id"),
            {"id": kept.id},
        )
    pruned(house.database)
    with house.database.writing() as tx:
        after = {m.id: m for m in messages.list_messages(tx)}
        assert after[kept.id].payload == kept.payload
        gone = after[mails[0].id]
        assert (gone.payload, text_of(gone), html_of(gone)) == (b"", "", "")
        assert (gone.subject, gone.to, gone.identity) == (mails[0].subject, mails[0].to, mails[0].identity)
        with pytest.raises(StaleMessage, match="was emptied on 2027-03-01"):
            outbox.resend(tx, gone.id, LATER, identity="<other@hub.example>")
        assert audit(tx) == ()


def test_what_is_young_unread_failed_or_not_moved_stays(house: House) -> None:
    with house.database.writing() as tx:
        tx.execute(update(table("received_file")).where(text("id = 1")).values(ingested_at=LATER))
        tx.execute(text("UPDATE received_file SET status = 'failed' WHERE id = 2"))
        tx.execute(text("UPDATE received_file SET moved_at = NULL WHERE id = 3"))
        assert retention.prunable(tx, BEFORE).files == 0
        assert retention.prune_files(tx, BEFORE, LATER) == 0


def test_the_command_says_first_and_does_it_only_when_told(
    tmp_path: Path, both_systems: None, database: Database, capsys: pytest.CaptureFixture[str]
) -> None:
    config = str(write_settings(tmp_path))
    placed = tmp_path / "a.edi"
    placed.write_bytes(file_of("850", order("PO-1", 9), number=1, sender="acme", receiver="globex"))
    assert run(["replay", str(placed), "--apply", "--as", "acme", "--config", config]) == 0
    with database.writing() as tx:
        tx.execute(text("UPDATE received_file SET ingested_at = '2020-01-01 00:00:00.000000'"))
    assert run(["prune", "--older-than", "29", "--config", config]) == 2
    capsys.readouterr()
    assert run(["prune", "--older-than", "400", "--config", config]) == 0
    assert "would be emptied" in capsys.readouterr().out
    assert sizes(database)["a.edi"][0] > 0
    assert run(["prune", "--older-than", "400", "--apply", "--json", "--config", config]) == 0
    assert json.loads(capsys.readouterr().out)["files"] == 1
    assert sizes(database)["a.edi"] == (0, True)
