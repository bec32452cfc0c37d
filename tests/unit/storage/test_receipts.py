"""What arrived: kept once, begun at most three times, and answered for in the order it came."""

from datetime import datetime, timedelta
from typing import Any

import pytest
from sqlalchemy import Connection, exc, text

from storage import interchanges, outbox, receipts
from storage.database import Database, savepoint
from storage.interchanges import StandingKind
from storage.outcomes import Outcome
from storage.receipts import ATTEMPTS_MAX, shown
from storage.states import Fate, FileStatus
from tests.unit.storage.build import (
    AT,
    BUYER,
    interchange_key,
    later,
    opened_interchange,
    opened_set,
    receipt,
    received,
    upload,
)


def count(tx: Connection) -> int:
    return int(tx.execute(text("SELECT COUNT(*) FROM received_file")).scalar_one())


def test_the_bytes_come_back_as_they_were(database: Database) -> None:
    content = bytes(range(256)) * 100
    with database.writing() as tx:
        file_id = received(tx, content)
    with database.reading() as tx:
        kept = receipts.get_file(tx, file_id)
        assert receipts.content_of(tx, file_id) == content
    assert kept is not None
    assert (kept.size, kept.status, kept.attempts, kept.moved_at) == (25_600, FileStatus.NEW, 0, None)
    assert kept.received_at == AT


def test_a_file_seen_again_is_the_same_file_until_it_was_moved(database: Database) -> None:
    with database.writing() as tx:
        first = received(tx)
        assert received(tx) == first
        assert received(tx, b"other content") != first
        assert received(tx, name=b"other name") != first
        receipts.mark_moved(tx, first, to="/outgoing/processed/drop.edi", at=later(1))
        again = received(tx)
        assert again != first
        assert received(tx) == again
        assert [file.id for file in receipts.unmoved(tx, "acme")] == [2, 3, again]
        assert count(tx) == 4


@pytest.mark.parametrize(
    ("name", "text"),
    [
        (b"PO 4500012.edi", "PO 4500012.edi"),
        (b"bad\xff.edi", "bad\\xff.edi"),
        (b"a\nb\tc\x1b[2J", "a\\nb\\tc\\x1b[2J"),
        ("Bücher.edi".encode(), "Bücher.edi"),
        ("gro\u202exslx.edi".encode(), "gro\\u202exslx.edi"),
        (b"../../etc/passwd", "../../etc/passwd"),
    ],
)
def test_names_are_shown_on_one_honest_line(name: bytes, text: str) -> None:
    assert shown(name) == text


def test_a_file_is_begun_three_times_and_then_left_to_a_person(database: Database) -> None:
    with database.writing() as tx:
        bad, good = received(tx), received(tx, name=b"good")
        for _ in range(ATTEMPTS_MAX):
            assert bad in receipts.begin(tx, [bad, good] if _ == 0 else [bad])
        assert receipts.begin(tx, [bad]) == ()
        found = receipts.get_file(tx, bad)
        assert found is not None
        assert found.status is FileStatus.FAILED
        assert "after 3 attempts" in found.error
        assert [file.id for file in receipts.unprocessed(tx)] == [good]
        assert receipts.retry(tx, bad)
        assert not receipts.retry(tx, good)
        assert receipts.begin(tx, [bad, good]) == (bad, good)


def test_an_error_is_kept_and_the_third_is_the_last(database: Database) -> None:
    with database.writing() as tx:
        file_id = received(tx)
        statuses = []
        for _ in range(ATTEMPTS_MAX):
            receipts.begin(tx, [file_id])
            statuses.append(receipts.record_failure(tx, file_id, error="It broke."))
        assert statuses == [FileStatus.NEW, FileStatus.NEW, FileStatus.FAILED]
        found = receipts.get_file(tx, file_id)
        assert found is not None
        assert found.error == "It broke."


def test_files_are_read_in_the_order_they_were_kept(database: Database) -> None:
    with database.writing() as tx:
        ids = [received(tx, name=name) for name in (b"z", b"a", b"m")]
        assert [file.id for file in receipts.unprocessed(tx)] == ids
        assert [file.id for file in receipts.unprocessed(tx, limit=2)] == ids[:2]
        receipts.mark_done(tx, ids[0], at=later(1))
        assert [file.id for file in receipts.unprocessed(tx)] == ids[1:]


def test_an_interchange_is_new_duplicate_or_conflict(database: Database) -> None:
    with database.writing() as tx:
        assert interchanges.standing(tx, interchange_key(), "hash").kind is StandingKind.NEW
        interchange_id = opened_interchange(tx, received(tx))
        interchanges.close_interchange(tx, interchange_id, outcome=Fate.ACCEPTED, key=interchange_key())
        again = interchanges.standing(tx, interchange_key(), "interchange")
        assert (again.kind, again.earlier) == (StandingKind.DUPLICATE, interchange_id)
        other = interchanges.standing(tx, interchange_key(), "other")
        assert (other.kind, other.earlier) == (StandingKind.CONFLICT, interchange_id)
        assert interchanges.standing(tx, interchange_key("2"), "other").kind is StandingKind.NEW


def test_a_failed_attempt_burns_no_key(database: Database) -> None:
    with database.writing() as tx:
        interchange_id = opened_interchange(tx, received(tx))
        interchanges.close_interchange(tx, interchange_id, outcome=Fate.FAULTY, findings=[{"code": "isa"}])
        found = interchanges.get_interchange(tx, interchange_id)
        assert found is not None
        assert (found.outcome, found.counts, found.findings) == (Fate.FAULTY, False, ({"code": "isa"},))
        assert interchanges.standing(tx, interchange_key(), "interchange").kind is StandingKind.NEW


WINDOW = timedelta(days=30)


def counted(tx: Connection, content: str, at: datetime) -> int:
    """An interchange whose number counts, as ingesting it does it; asserts that it is new."""
    file_id = receipts.keep(
        tx, partner=BUYER, mailbox="acme", name=b"drop.edi", content=content.encode(), at=at
    ).id
    before = interchanges.standing(tx, interchange_key(), content, at=at, reuse_after=WINDOW)
    assert before.kind is StandingKind.NEW
    interchange_id = opened_interchange(tx, file_id, content_hash=content)
    interchanges.close_interchange(
        tx, interchange_id, outcome=Fate.ACCEPTED, key=interchange_key(), replaces=before.earlier
    )
    return interchange_id


def test_a_number_may_be_used_again_after_the_window(database: Database) -> None:
    with database.writing() as tx:
        first = counted(tx, "first", AT)
        second = counted(tx, "second", AT + WINDOW + timedelta(seconds=1))
        third = counted(tx, "third", AT + 3 * WINDOW)

        def standing(content: str, days: int, **more: Any) -> tuple[StandingKind, int | None]:
            at = AT + timedelta(days=days)
            found = interchanges.standing(tx, interchange_key(), content, at=at, **more)
            return found.kind, found.earlier

        # However long ago, and whatever came under the number since: the same content is a duplicate.
        for content, earlier in (("first", first), ("second", second), ("third", third)):
            assert standing(content, 1000, reuse_after=WINDOW) == (StandingKind.DUPLICATE, earlier)
            assert standing(content, 1000) == (StandingKind.DUPLICATE, earlier)
        assert standing("other", 91, reuse_after=WINDOW) == (StandingKind.CONFLICT, third)
        assert standing("other", 120, reuse_after=WINDOW) == (StandingKind.CONFLICT, third)  # to the second
        assert standing("other", 121, reuse_after=WINDOW) == (StandingKind.NEW, third)
        assert standing("other", 1000) == (StandingKind.CONFLICT, third)  # no window: as ever
        kept = [interchanges.get_interchange(tx, one) for one in (first, second, third)]
        assert all(one is not None and one.counts for one in kept)


def test_a_number_is_not_handed_over_without_being_asked(database: Database) -> None:
    with database.writing() as tx:
        counted(tx, "first", AT)
        second = opened_interchange(tx, received(tx, b"second"))
        with pytest.raises(exc.IntegrityError, match=r"interchange[._]key"), savepoint(tx):
            interchanges.close_interchange(tx, second, outcome=Fate.ACCEPTED, key=interchange_key())


def test_keys_of_different_senders_never_run_together() -> None:
    one = interchanges.InterchangeKey(partner="a", sender="b|c", receiver="d", control_number="1")
    two = interchanges.InterchangeKey(partner="a", sender="b", receiver="c|d", control_number="1")
    assert one.text() != two.text()


def test_a_duplicate_is_answered_with_the_stored_answers(database: Database) -> None:
    with database.writing() as tx:
        interchange_id = opened_interchange(tx, received(tx))
        first = outbox.enqueue(tx, upload("997:1", interchange_id=interchange_id), AT)
        outbox.enqueue(tx, upload("997:other"), AT)
        assert first is not None
        assert interchanges.answers_of(tx, interchange_id) == (first,)
        (due,) = outbox.due(tx, AT, 1)
        claimed = outbox.claim(tx, due)
        assert claimed is not None
        outbox.mark_sent(tx, claimed, AT)
        outbox.resend(tx, first, AT)
        assert interchanges.answers_of(tx, interchange_id) == (first,)


def test_a_set_leads_back_to_its_bytes(database: Database) -> None:
    with database.writing() as tx:
        file_id = received(tx, b"ISA*...")
        second = opened_interchange(tx, file_id, ordinal=2, control_number="2")
        first = opened_interchange(tx, file_id, ordinal=1, control_number="1")
        set_ids = [opened_set(tx, second), opened_set(tx, first, 2), opened_set(tx, first, 1)]
        assert [found.id for found in interchanges.sets_of_file(tx, file_id)] == list(reversed(set_ids))
        assert [one.id for one in interchanges.interchanges_of_file(tx, file_id)] == [first, second]
        found = interchanges.get_set(tx, set_ids[0])
        assert found is not None
        assert (found.file_id, found.interchange_ordinal, found.ordinal, found.outcome) == (
            file_id,
            2,
            1,
            None,
        )
        assert (found.file_name, found.interchange_control_number, found.partner) == ("drop.edi", "2", "acme")
        assert receipts.content_of(tx, found.file_id) == b"ISA*..."


def test_a_set_that_waited_gets_its_last_word(database: Database) -> None:
    with database.writing() as tx:
        set_id = receipt(tx, Outcome.PARKED)
        interchanges.close_set(
            tx,
            set_id,
            outcome=Outcome.REFUSED,
            at=later(9),
            refusals=[{"refusal": "x"}],
            summary={"cancelled": []},
        )
        found = interchanges.get_set(tx, set_id)
        assert found is not None
        assert (found.outcome, found.decided_at, found.findings) == (Outcome.REFUSED, later(9), ())
        assert (found.refusals, found.summary) == (({"refusal": "x"},), {"cancelled": []})
        assert interchanges.get_set(tx, 99) is None


def test_what_was_kept_survives_reopening(database_url: str) -> None:
    first = Database(database_url)
    with first.writing() as tx:
        file_id = received(tx, b"bytes")
    first.close()
    second = Database(database_url)
    with second.reading() as tx:
        assert receipts.content_of(tx, file_id) == b"bytes"
    second.close()
