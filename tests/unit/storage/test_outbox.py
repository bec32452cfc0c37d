"""The outbox: a debt is put down once, taken by one, and never sent twice without a person's word."""

from collections.abc import Callable
from dataclasses import replace

import pytest
from sqlalchemy import Connection

from storage import messages, outbox
from storage.database import Database
from storage.messages import StaleMessage
from storage.states import Kind, Status
from tests.unit.storage.build import AT, later, mail, place, receipt, submit, upload

Step = Callable[[Connection, int], object]


def as_it_is(tx: Connection, message_id: int) -> messages.OutboxMessage:
    found = messages.get(tx, message_id)
    assert found is not None
    return found


MARKS: dict[str, Callable[[Connection, messages.OutboxMessage], None]] = {
    "committing": outbox.mark_committing,
    "sent": lambda tx, message: outbox.mark_sent(tx, message, later(5)),
    "new": lambda tx, message: outbox.mark_failed(tx, message, "busy", later(60)),
    "failed": lambda tx, message: outbox.mark_failed(tx, message, "no such host", None),
    "refused": lambda tx, message: outbox.mark_refused(tx, message, "550 unknown"),
    "uncertain": lambda tx, message: outbox.mark_uncertain(tx, message, "connection lost"),
}


def marking(mark: Callable[[Connection, messages.OutboxMessage], object]) -> Step:
    """The mark, of the message as it is now."""
    return lambda tx, message_id: mark(tx, as_it_is(tx, message_id))


CLAIM, COMMIT = marking(outbox.claim), marking(outbox.mark_committing)
STEPS = {target: marking(mark) for target, mark in MARKS.items()}
WAYS: dict[str, tuple[Step, ...]] = {
    "new": (),
    "sending": (CLAIM,),
    "committing": (CLAIM, COMMIT),
    "sent": (CLAIM, COMMIT, STEPS["sent"]),
    "uncertain": (CLAIM, COMMIT, STEPS["uncertain"]),
    "failed": (CLAIM, STEPS["failed"]),
    "refused": (CLAIM, STEPS["refused"]),
}
ALLOWED = {
    "sending": {"committing", "new", "failed", "refused"},
    "committing": {"sent", "new", "failed", "refused", "uncertain"},
    "uncertain": {"sent"},  # by the very process that sent it, which was believed dead
}


def put(tx: Connection, message: messages.NewMessage, way: str = "new") -> int:
    message_id = outbox.enqueue(tx, message, AT)
    assert message_id is not None
    for step in WAYS[way]:
        step(tx, message_id)
    assert state(tx, message_id) == way
    return message_id


def state(tx: Connection, message_id: int) -> str:
    return as_it_is(tx, message_id).status.value


def test_a_message_comes_back_as_it_was_put(database: Database) -> None:
    with database.writing() as tx:
        message = upload("997:1", payload=bytes(range(256)), group_control_number="7", set_type="997")
        found = messages.get(tx, put(tx, message))
        assert found is not None
        assert outbox._as_new(found) == message
        assert (found.status, found.attempts, found.created_at, found.sent_at) == (Status.NEW, 0, AT, None)
        assert (found.verdict, found.verdict_note, found.verdict_at, found.verdict_set_id) == (
            "",
            "",
            None,
            None,
        )
        assert messages.get(tx, 99) is None


def test_a_debt_is_put_down_once(database: Database) -> None:
    with database.writing() as tx:
        put(tx, mail("once"))
        assert outbox.enqueue(tx, mail("once", subject="again", identity="<other>"), AT) is None
        assert outbox.enqueue_refused(tx, mail("once"), AT, error="no address") is None
        assert [message.subject for message in messages.list_messages(tx)] == ["Cancelled"]


@pytest.mark.parametrize("source", sorted(WAYS))
@pytest.mark.parametrize("target", sorted(STEPS))
def test_every_move_is_allowed_or_refused(database: Database, source: str, target: str) -> None:
    with database.writing() as tx:
        message_id = put(tx, mail("one"), source)
        if target in ALLOWED.get(source, ()):
            STEPS[target](tx, message_id)
            assert state(tx, message_id) == target
        else:
            with pytest.raises(StaleMessage, match=f"Message {message_id} is {source}"):
                STEPS[target](tx, message_id)
            assert state(tx, message_id) == source


def test_an_upload_may_be_marked_sent_at_once_and_a_mail_not(database: Database) -> None:
    with database.writing() as tx:
        uploaded = put(tx, upload("997:1"), "sending")
        STEPS["sent"](tx, uploaded)
        assert state(tx, uploaded) == "sent"
        mailed = put(tx, mail("m"), "sending")
        with pytest.raises(StaleMessage, match="cannot become sent"):
            STEPS["sent"](tx, mailed)


def test_a_message_is_claimed_by_one(database: Database) -> None:
    with database.writing() as tx:
        message_id = put(tx, mail("one"))
        message = as_it_is(tx, message_id)
        assert outbox.claim(tx, message) == replace(message, status=Status.SENDING, attempts=1)
        assert outbox.claim(tx, message) is None
        with pytest.raises(StaleMessage, match="is not there"):
            outbox.mark_sent(tx, replace(message, id=99), AT)


@pytest.mark.parametrize("target", sorted(STEPS))
def test_a_sender_that_was_believed_dead_marks_nothing_of_its_successors(
    database: Database, target: str
) -> None:
    with database.writing() as tx:
        message_id = put(tx, mail("one"))
        stopped = outbox.claim(tx, as_it_is(tx, message_id))
        assert stopped is not None
        outbox.recover(tx)
        awake = outbox.claim(tx, as_it_is(tx, message_id))
        assert awake is not None
        if target != "committing":
            outbox.mark_committing(tx, awake)
        before = as_it_is(tx, message_id)
        with pytest.raises(StaleMessage, match="in another process's hands"):
            MARKS[target](tx, stopped)
        assert as_it_is(tx, message_id) == before
        MARKS[target](tx, awake)
        assert state(tx, message_id) == target


def test_a_sender_that_was_believed_dead_may_say_that_its_mail_did_go_out(database: Database) -> None:
    with database.writing() as tx:
        message_id = put(tx, mail("one"), "committing")
        sender = as_it_is(tx, message_id)
        assert outbox.recover(tx) == (message_id,)
        with pytest.raises(StaleMessage, match="is uncertain, so it cannot become new"):
            outbox.mark_failed(tx, sender, "451 try later", later(60))  # somebody may have sent it by hand
        outbox.mark_sent(tx, sender, later(5))
        sent = as_it_is(tx, message_id)
        assert (sent.status, sent.sent_at, sent.error) == (Status.SENT, later(5), "")


def test_a_retry_is_due_later_under_the_same_identity(database: Database) -> None:
    with database.writing() as tx:
        message_id = put(tx, mail("one"), "sending")
        outbox.mark_failed(tx, as_it_is(tx, message_id), "421 busy", later(60))
        assert outbox.due(tx, later(59)) == ()
        (again,) = outbox.due(tx, later(60))
        assert (again.identity, again.attempts, again.error) == ("<one@hub.example>", 1, "421 busy")
        CLAIM(tx, message_id)
        COMMIT(tx, message_id)
        outbox.mark_sent(tx, as_it_is(tx, message_id), later(61))
        sent = messages.get(tx, message_id)
        assert sent is not None
        assert (sent.attempts, sent.error, sent.sent_at) == (2, "", later(61))


def test_what_is_due_comes_oldest_first(database: Database) -> None:
    with database.writing() as tx:
        ids = [put(tx, mail(f"m{n}")) for n in range(4)]
        uploaded = put(tx, upload("997:1"))
        CLAIM(tx, ids[0])
        assert [message.id for message in outbox.due(tx, AT, 2)] == ids[1:3]
        assert [message.id for message in outbox.due(tx, AT, kind=Kind.ACKNOWLEDGMENT)] == [uploaded]
        assert outbox.due(tx, later(-1)) == ()


def test_after_a_crash_only_what_cannot_have_gone_is_sent_again(database: Database) -> None:
    with database.writing() as tx:
        mails = {way: put(tx, mail(way), way) for way in WAYS}
        uploads = {way: put(tx, upload(f"997:{way}"), way) for way in WAYS}
        assert outbox.recover(tx) == (mails["committing"],)
        after = {way: state(tx, message_id) for way, message_id in mails.items()}
        assert after == {way: way for way in WAYS} | {"sending": "new", "committing": "uncertain"}
        after = {way: state(tx, message_id) for way, message_id in uploads.items()}
        assert after == {way: way for way in WAYS} | {"sending": "new", "committing": "new"}
        assert outbox.recover(tx) == ()


def test_what_has_no_content_is_not_sent_again(database: Database) -> None:
    with database.writing() as tx:
        blank = outbox.enqueue_refused(tx, mail("one", payload=b""), AT, error="no address")
        assert blank is not None
        with pytest.raises(StaleMessage, match=r"has no content that could be sent: no address"):
            outbox.resend(tx, blank, later(9), identity="<two@hub.example>")
        anew = mail("one", payload=b"Subject: x\r\n\r\ny\r\n", identity="<two@hub.example>")
        again = as_it_is(tx, outbox.resend(tx, blank, later(9), anew=anew))
        assert (again.payload, again.resend_of, again.dedupe_key) == (
            anew.payload,
            blank,
            f"resend:{blank}:1",
        )


def test_a_mail_sent_again_is_a_new_message_with_the_same_words(database: Database) -> None:
    with database.writing() as tx:
        old = put(tx, mail("one"), "uncertain")
        words = mail("one").payload
        with pytest.raises(ValueError, match="needs a new Message-ID"):
            outbox.resend(tx, old, later(9))
        new = messages.get(tx, outbox.resend(tx, old, later(9), identity="<two@hub.example>"))
        assert new is not None
        assert (new.identity, new.payload, new.resend_of) == ("<two@hub.example>", words, old)
        assert (new.status, new.due_at, new.attempts) == (Status.NEW, later(9), 0)
        assert state(tx, old) == "uncertain"
        outbox.resend(tx, old, later(10), identity="<three@hub.example>")


def test_an_upload_sent_again_has_the_same_bytes_and_name(database: Database) -> None:
    with database.writing() as tx:
        old = put(tx, upload("997:1"), "sent")
        again = [messages.get(tx, outbox.resend(tx, old, later(n))) for n in range(3)]
        assert {(one.payload, one.identity) for one in again if one} == {(b"ISA*997~", "<997:1@hub.example>")}


@pytest.mark.parametrize("way", ["new", "sending", "committing"])
def test_what_will_be_sent_anyway_is_not_sent_again(database: Database, way: str) -> None:
    with database.writing() as tx:
        message_id = put(tx, mail("one"), way)
        with pytest.raises(StaleMessage, match="will be sent anyway"):
            outbox.resend(tx, message_id, AT, identity="<two>")
        with pytest.raises(StaleMessage, match="There is no message 99"):
            outbox.resend(tx, 99, AT, identity="<two>")


def test_a_partner_without_an_address_is_on_record(database: Database) -> None:
    with database.writing() as tx:
        message_id = outbox.enqueue_refused(tx, mail("one", to=""), AT, error="no address")
        assert message_id is not None
        found = messages.get(tx, message_id)
        assert found is not None
        assert (found.status, found.error) == (Status.REFUSED, "no address")
        assert outbox.due(tx, later(9)) == ()


def test_a_message_about_an_event_knows_it(database: Database) -> None:
    with database.writing() as tx:
        (entry,) = submit(tx, place("10")).entries
        (event,) = entry.events
        found = messages.get(tx, put(tx, mail(f"event:{event.id}:bolt", order_id=event.order_id)))
        assert found is not None
        assert found.event_id == event.id


def test_lists_are_narrowed_by_each_filter(database: Database) -> None:
    with database.writing() as tx:
        order_id = submit(tx, place("10")).entries[0].events[0].order_id
        first = put(tx, mail("m1", order_id=order_id), "sent")
        second = put(tx, mail("m2", partner="acme"))
        third = put(tx, upload("u1"))

        def ids(**filters: object) -> list[int]:
            return [message.id for message in messages.list_messages(tx, **filters)]  # type: ignore[arg-type]

        assert ids() == [first, second, third]
        assert ids(limit=2) == [second, third]
        assert ids(statuses={Status.SENT}) == [first]
        assert ids(kind=Kind.EMAIL) == [first, second]
        assert ids(partner="acme") == [second]
        assert ids(order_id=order_id) == [first]


def owe(tx: Connection, key: str, number: str, **more: str) -> int:
    message_id = outbox.enqueue(tx, upload(key, group_control_number=number, set_type="860", **more), AT)
    assert message_id is not None
    return message_id


def sent(tx: Connection, number: str, partner: str = "bolt") -> int | None:
    found = messages.sent_set(tx, partner, number)
    return None if found is None else found.id


@pytest.mark.parametrize(
    ("ours", "theirs", "found"),
    [("7", "7", True), ("7", "000000007", True), ("0007", "7", True), ("7", "70", False), ("7", "", False)],
)
def test_what_a_partner_answers_is_found_by_its_group(
    database: Database, ours: str, theirs: str, found: bool
) -> None:
    with database.writing() as tx:
        message_id = owe(tx, "860:1", ours)
        owe(tx, "860:2", ours, partner="zenith")
        put(tx, mail("m"))
        put(tx, upload("TA1:1"))
        assert sent(tx, theirs) == (message_id if found else None)


def test_of_several_copies_the_last_that_went_out_is_meant(database: Database) -> None:
    with database.writing() as tx:
        first = owe(tx, "860:1", "7")
        for step in WAYS["sent"]:
            step(tx, first)
        second = outbox.resend(tx, first, later(60))
        assert sent(tx, "7") == first
        for step in WAYS["sent"]:
            step(tx, second)
        assert sent(tx, "7") == second


def answered(tx: Connection, message_id: int) -> tuple[str, str]:
    found = messages.get(tx, message_id)
    assert found is not None
    return found.verdict, found.verdict_note


def test_the_last_word_of_a_partner_counts_and_earlier_ones_stay_visible(database: Database) -> None:
    with database.writing() as tx:
        message_id, set_id = owe(tx, "860:1", "7"), receipt(tx)
        outbox.mark_answered(tx, message_id, verdict="accepted", note="", at=later(60), set_id=set_id)
        assert answered(tx, message_id) == ("accepted", "")
        outbox.mark_answered(tx, message_id, verdict="accepted", note="", at=later(90))
        found = messages.get(tx, message_id)
        assert found is not None
        assert (found.verdict_at, found.verdict_set_id) == (later(60), set_id)  # the same again is no news
        outbox.mark_answered(tx, message_id, verdict="rejected", note="POI  no\nsuch PO", at=later(120))
        outbox.mark_answered(tx, message_id, verdict="partly_accepted", note="one line", at=later(180))
        assert answered(tx, message_id) == (
            "partly_accepted",
            "one line\nBefore, on 2026-03-04 12:32 UTC: rejected. POI no such PO\n"
            "Before, on 2026-03-04 12:31 UTC: accepted.",
        )


def test_who_answers_again_and_again_does_not_fill_the_database(database: Database) -> None:
    with database.writing() as tx:
        message_id = owe(tx, "860:1", "7")
        for turn in range(200):
            outbox.mark_answered(tx, message_id, verdict="rejected", note=f"no. {turn}", at=later(turn))
        verdict, note = answered(tx, message_id)
        assert verdict == "rejected"
        assert note.startswith("no. 199\nBefore")
        assert len(note) == outbox.NOTE_MAX


def test_only_known_words_about_known_messages_are_kept(database: Database) -> None:
    with database.writing() as tx:
        with pytest.raises(ValueError, match="'shrugged' is not a valid Reception"):
            outbox.mark_answered(tx, owe(tx, "860:1", "7"), verdict="shrugged", note="", at=AT)
        with pytest.raises(StaleMessage, match="There is no message 99"):
            outbox.mark_answered(tx, 99, verdict="accepted", note="", at=AT)
