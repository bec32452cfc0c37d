"""Every law holds after an ordinary story, and every one can be seen to fail: its breach is planted."""

from collections.abc import Iterator

import pytest
from sqlalchemy import Connection, Engine, create_engine, text

from storage import digests, held, interchanges, outbox, parked, receipts, webhooks
from storage.commands import Consent, Submission
from storage.database import Database
from storage.evolve import LINES_MAX
from storage.invariants import INVARIANTS, ROWS_MAX, audit
from storage.ledger import apply
from storage.models import METADATA
from storage.outcomes import Choice, Outcome, Question
from storage.sequences import next_number
from storage.states import Fate, Kind, MailTopic, Topic
from tests.postgres import PostgresServer
from tests.unit.storage.build import (
    AT,
    BUYER,
    answer,
    ask,
    cancel,
    change,
    interchange_key,
    later,
    locator,
    mail,
    opened_interchange,
    opened_set,
    place,
    raised,
    received,
    ship,
    submit,
    upload,
    withdraw,
)

# What breaks each law. The story: order 1 with lines 1000001 and 1000002, orders 2 and 3 with one line each;
# events 1 placed, 2 shipped, 3 cancelled; of order 3: 5 placed, 6 shipped, 7 withdrawn, 8 and 9 asked for,
# 10 refused, 11 raised, 12 asked for; sets 1 applied, 2 held, 3 parked; message 1 about event 3.
PLANTED = {
    "conservation": "UPDATE order_line SET fulfilled = ordered + 1 WHERE id = 1000001",
    "requested": "UPDATE order_line SET requested = ordered + 1 WHERE id = 1000001",
    "signs": "UPDATE order_line SET declined = -1 WHERE id = 1000001",
    "counters": "UPDATE order_line SET cancelled = cancelled - 1 WHERE id = 1000001",
    "chain": "UPDATE event SET note = 'why not' WHERE id = 3",
    "possible": "UPDATE event SET sequence = 5 - sequence WHERE id IN (6, 7)",
    "settled": "UPDATE event_line SET settled = quantity WHERE event_id = 7",
    "shipments": "UPDATE event SET reference = 'S8' WHERE id = 7",
    "line_ids": "UPDATE order_line SET ordinal = 7 WHERE id = 2000001",
    "status": "UPDATE orders SET status = 'fulfilled' WHERE id = 1",
    "reopened": "UPDATE orders SET reopened_by = 'drop.edi|1' WHERE id = 3",
    "whole_cancelled": "UPDATE orders SET whole_cancelled = FALSE WHERE id = 1",
    "sequence": "UPDATE event SET sequence = 5 WHERE id = 3",
    "placed_first": "UPDATE event SET kind = 'order_placed' WHERE id = 2",
    "event_kinds": "UPDATE event SET kind = 'order_forgotten' WHERE id = 2",
    "event_lines": "UPDATE event_line SET line_id = 2000001 WHERE event_id = 2 AND line_id = 1000001",
    "files_done": "INSERT INTO received_file (id, partner, mailbox, name, name_bytes, sha256, size, data,"
    " received_at, moved_at, moved_to, status, attempts, error, ingested_at)"
    " SELECT 9, partner, mailbox, 'lost', name_bytes, sha256, size, data, received_at, received_at, moved_to,"
    " 'done', 1, '', received_at FROM received_file",
    "interchanges_closed": "UPDATE interchange SET outcome = 'open'",
    "applied_once": "UPDATE interchange SET key = NULL",
    "applied_has_events": "UPDATE transaction_set SET order_id = 77 WHERE id = 1",
    "events_applied": "UPDATE transaction_set SET outcome = 'refused' WHERE id = 1",
    "held": "UPDATE held SET status = 'answered'",
    "parked": "UPDATE parked SET status = 'replayed'",
    "outbox_states": "UPDATE outbox SET status = 'sent' WHERE id = 1",
    "identities": "UPDATE outbox SET identity = '<same>' WHERE kind = 'email'",
    "cancellations_told": "UPDATE outbox SET event_id = NULL",
    "file_states": "UPDATE received_file SET ingested_at = NULL",
    "attempts": "UPDATE received_file SET status = 'new', attempts = 4",
    "interchange_keys": "INSERT INTO interchange SELECT * FROM interchange",
    "orders_once": "UPDATE orders SET po_number = 'other'",
    "documents_once": "INSERT INTO document SELECT * FROM document",
    "told_one_way": "UPDATE digest_entry SET dedupe_key = 'support:1'",
    "digests": "UPDATE digest_entry SET recipient = 'eve@bolt.example'",
    "debts": "UPDATE outbox SET dedupe_key = 'same'",
    "resends": "UPDATE outbox SET resend_of = 99 WHERE set_type = '997'",
    "acknowledged_once": "INSERT INTO outbox SELECT * FROM outbox WHERE set_type = '997'",
    "kept_documents": "UPDATE outbox SET payload = '' WHERE set_type = '997'",
    "interchange_partners": "UPDATE received_file SET partner = 'bolt'",
    "set_partners": "UPDATE held SET partner = 'bolt'",
    "event_parties": "UPDATE event SET by_party = 'zeta' WHERE id = 3",
    "event_sources": "UPDATE event SET source_file = '' WHERE id = 3",
    "messages_to_parties": "UPDATE outbox SET partner = 'zeta' WHERE order_id = 1",
    "posted_once": "INSERT INTO outbox SELECT * FROM outbox WHERE kind = 'webhook'",
    "posted_to_own": "UPDATE webhook_endpoint SET partner = 'zeta'",
    "messages_about_events": "UPDATE outbox SET order_id = 2 WHERE event_id = 3",
    "kept_bytes": "UPDATE received_file SET data = name_bytes",
    "numbers": "UPDATE sequence SET value = 9",
    "kept_mails": "UPDATE outbox SET payload = '' WHERE id = 1",
    "set_orders": "UPDATE transaction_set SET order_id = 2 WHERE id = 1",
    "kept_keys": "UPDATE interchange SET control_number = '000000777'",
    "kept_addresses": "UPDATE outbox SET recipient = 'eve@bolt.example' WHERE dedupe_key = 'support:2'",
    "guards": "DELETE FROM sequence",  # in tables without guards they are missed whatever is done
    "references": "UPDATE held SET order_id = 77",
}
MORE = [
    ("status", "UPDATE orders SET status = 'lost' WHERE id = 1"),
    ("whole_cancelled", "UPDATE orders SET whole_cancelled = TRUE WHERE id = 2"),
    ("sequence", "DELETE FROM event WHERE order_id = 2"),
    ("sequence", "UPDATE event SET sequence = sequence + 10 WHERE order_id = 1"),
    ("counters", "UPDATE event_line SET quantity = quantity + 1 WHERE event_id = 1"),
    ("counters", "DELETE FROM event_line WHERE event_id = 3"),
    ("counters", "UPDATE event SET declined = TRUE WHERE id = 3"),
    ("event_kinds", "UPDATE event SET kind = 'noted' WHERE id = 2"),
    ("event_lines", "DELETE FROM event WHERE id = 2"),
    ("interchanges_closed", "UPDATE transaction_set SET outcome = NULL WHERE id = 3"),
    ("applied_once", "UPDATE transaction_set SET outcome = 'applied', control_number = '0001'"),
    ("applied_once", "UPDATE interchange SET outcome = 'duplicate'"),
    ("events_applied", "UPDATE document SET set_id = 2"),
    ("held", "UPDATE transaction_set SET outcome = 'ignored' WHERE id = 2"),
    ("parked", "UPDATE transaction_set SET outcome = 'ignored' WHERE id = 3"),
    ("outbox_states", "UPDATE outbox SET status = 'failed', attempts = 1 WHERE id = 1"),
    ("outbox_states", "UPDATE outbox SET status = 'lost' WHERE id = 1"),
    ("outbox_states", "UPDATE outbox SET status = 'sending' WHERE id = 1"),
    ("outbox_states", "UPDATE outbox SET resend_of = id WHERE id = 1"),
    ("outbox_states", "UPDATE outbox SET verdict = 'rejected' WHERE id = 1"),
    ("outbox_states", "UPDATE outbox SET verdict = 'shrugged', verdict_at = created_at WHERE id = 1"),
    ("cancellations_told", "UPDATE outbox SET event_id = 3 WHERE event_id = 8"),
    ("digests", "UPDATE digest_entry SET content = ''"),
    ("digests", "UPDATE outbox SET dedupe_key = 'other' WHERE dedupe_key = 'digest:1'"),
    ("digests", "UPDATE digest_entry SET message_id = (SELECT id FROM outbox WHERE kind = 'webhook')"),
    ("digests", "UPDATE outbox SET resend_of = 1 WHERE dedupe_key = 'digest:1'"),
    ("signs", "UPDATE order_line SET requested = -1 WHERE id = 1000001"),
    ("signs", "UPDATE order_line SET withdrawn = -1 WHERE id = 1000001"),
    ("counters", "UPDATE order_line SET requested = requested + 1 WHERE id = 3000001"),
    ("counters", "UPDATE order_line SET withdrawn = withdrawn + 1 WHERE id = 3000001"),
    ("counters", "UPDATE order_line SET fulfilled = fulfilled + 1 WHERE id = 3000001"),
    ("counters", "UPDATE event_line SET quantity = quantity + 1 WHERE event_id = 11"),
    ("counters", "UPDATE event SET kind = 'lines_added' WHERE id = 8"),
    ("counters", "UPDATE event_line SET settled = 0 WHERE event_id = 10"),
    ("settled", "UPDATE event_line SET settled = quantity + 1 WHERE event_id = 2"),
    ("settled", "UPDATE event_line SET settled = -1 WHERE event_id = 2"),
    ("settled", "UPDATE event_line SET settled = 0 WHERE event_id = 10"),
    ("shipments", "UPDATE event SET reference = '' WHERE id IN (6, 7)"),
    ("shipments", "UPDATE event_line SET quantity = quantity + 1 WHERE event_id = 7"),
    ("reopened", "UPDATE orders SET reopened_by = '' WHERE id = 3"),
    ("reopened", "UPDATE orders SET reopened_by = 'late.edi|1' WHERE id = 1"),
    ("event_kinds", "UPDATE event SET kind = 'order_acknowledged' WHERE id = 8"),
    ("file_states", "UPDATE received_file SET status = 'lost'"),
    ("file_states", "UPDATE received_file SET status = 'failed', ingested_at = NULL"),
    ("file_states", "UPDATE received_file SET status = 'new', ingested_at = NULL"),
    ("file_states", "UPDATE received_file SET moved_to = 'done/drop.edi'"),
    ("interchange_keys", "UPDATE interchange SET outcome = 'faulty'"),
    ("kept_bytes", "UPDATE received_file SET pruned_at = received_at"),
    ("kept_bytes", "UPDATE received_file SET size = size + 1"),
    ("resends", "UPDATE outbox SET resend_of = 1 WHERE set_type = '997'"),
    ("numbers", "UPDATE outbox SET group_control_number = '2' WHERE set_type = '997'"),
    ("numbers", "INSERT INTO outbox SELECT * FROM outbox WHERE set_type = '997'"),
    ("set_partners", "UPDATE parked SET partner = 'bolt'"),
    ("set_partners", "UPDATE document SET set_id = 1"),
    ("set_partners", "UPDATE orders SET buyer = 'zeta' WHERE id = 1"),
    ("event_parties", "UPDATE interchange SET partner = 'zeta'"),
    ("event_sources", "UPDATE event SET by_party = '' WHERE id = 3"),
    ("messages_to_parties", "UPDATE outbox SET recipient = 'bolt' WHERE set_type = '997'"),
    ("posted_to_own", "UPDATE outbox SET endpoint_id = 1 WHERE kind = 'email'"),
    ("posted_to_own", "UPDATE outbox SET endpoint_id = NULL WHERE kind = 'webhook'"),
    ("posted_to_own", "UPDATE outbox SET identity = '' WHERE kind = 'webhook'"),
    ("cancellations_told", "DELETE FROM outbox WHERE kind = 'email' AND event_id = 3"),
    ("messages_to_parties", "UPDATE interchange SET partner = 'bolt'"),
    ("possible", "UPDATE event_line SET quantity = 11000000 WHERE event_id = 2"),
    ("possible", "UPDATE event_line SET line_id = 3000002 WHERE event_id = 6"),
    ("possible", "UPDATE event SET kind = 'lines_added' WHERE id = 6"),
    ("possible", "UPDATE event_line SET quantity = -quantity WHERE event_id = 3"),
    ("possible", "UPDATE event_line SET settled = quantity + 1 WHERE event_id = 3"),
]


@pytest.fixture(scope="module", params=["sqlite", "postgresql"])
def engine(request: pytest.FixtureRequest, tmp_path_factory: pytest.TempPathFactory) -> Iterator[Engine]:
    """A little of everything, all in order, in tables that nothing guards any more."""
    server: PostgresServer | None = None
    if request.param == "sqlite":
        url = f"sqlite:///{tmp_path_factory.mktemp('story') / 'ledger.db'}"
    else:
        server = request.getfixturevalue("postgres_server")
        url = server.borrow()
    database = Database(url)
    with database.writing() as tx:
        tell(tx)
    database.close()
    made = create_engine(url)
    with made.begin() as tx:
        disarm(tx)
    yield made
    made.dispose()
    if server is not None:
        server.give_back(url)


@pytest.fixture
def story(engine: Engine) -> Iterator[Connection]:
    """The story, in a transaction that is undone."""
    with engine.connect() as tx:
        yield tx
        tx.rollback()


def disarm(tx: Connection) -> None:
    """Every table becomes one without triggers, constraints, references and indexes."""
    cascade = "CASCADE" if tx.dialect.name == "postgresql" else ""
    for name in METADATA.tables:
        tx.execute(text(f"CREATE TABLE bare AS SELECT * FROM {name}"))  # noqa: S608 - a table of ours
        tx.execute(text(f"DROP TABLE {name} {cascade}"))
        tx.execute(text(f"ALTER TABLE bare RENAME TO {name}"))


def tell(tx: Connection) -> None:
    file_id = received(tx)
    interchange_id = opened_interchange(tx, file_id)
    applied, on_hold, waiting = (opened_set(tx, interchange_id, n) for n in (1, 2, 3))
    apply(tx, Submission(commands=(place("10", "5"),)), set_id=applied)
    submit(tx, ship(line_1="4"), key="S1")
    submit(tx, cancel(note="why"))
    submit(tx, place("10", po="other"))
    grow_and_shrink(tx, "third")
    interchanges.close_set(tx, applied, outcome=Outcome.APPLIED, at=AT, order_id=1)
    held.put(
        tx,
        Question("?", (Choice("ignore", "nothing"),)),
        partner=BUYER,
        po_number="1",
        at=AT,
        set_id=on_hold,
    )
    interchanges.close_set(tx, on_hold, outcome=Outcome.HELD, at=AT)
    parked.park(tx, locator("77"), set_id=waiting, partner=BUYER, since=AT, expires_at=later(1))
    interchanges.close_set(tx, waiting, outcome=Outcome.PARKED, at=AT)
    interchanges.close_interchange(tx, interchange_id, outcome=Fate.ACCEPTED, key=interchange_key())
    receipts.mark_done(tx, file_id, at=AT)
    outbox.enqueue(tx, mail("support:1"), AT)
    outbox.enqueue(tx, mail("support:2", payload=b"To:\r\n orders@bolt.example\r\n\r\nHello\r\n"), AT)
    number = next_number(tx, f"interchange:{BUYER}")
    answered = {"group_control_number": str(number), "set_type": "997", "interchange_id": interchange_id}
    said = "997 A for group 1 of interchange 000000001"
    endpoint, _ = webhooks.add_endpoint(tx, BUYER, "https://hooks.acme.example/", tuple(Topic), AT)
    posted = {
        "kind": Kind.WEBHOOK,
        "partner": BUYER,
        "identity": "msg_1",
        "endpoint_id": endpoint.id,
        "order_id": 1,
    }
    outbox.enqueue(tx, mail("event:3:webhook:1", **posted), AT)
    digest_told(tx)
    outbox.enqueue(tx, upload("997:1", partner=BUYER, to=BUYER, subject=said, **answered), AT)


def digest_told(tx: Connection) -> None:
    """What is told of event 12 to one more reader, in a digest."""
    reader = digests.Reader(partner="bolt", to="ann@bolt.example")
    entry = digests.NewEntry(
        reader=reader, topic=MailTopic.CANCELLATIONS, dedupe_key="event:12:ann", event_id=12, order_id=3,
        content="{}",
    )  # fmt: skip
    for _ in range(2):
        digests.owe(tx, entry, AT)
    assert len(digests.waiting(tx, reader)) == 1
    message_id = outbox.enqueue(tx, mail("digest:1", to=reader.to), AT)
    assert message_id is not None
    digests.mark_gathered(tx, digests.waiting(tx, reader), message_id)


def grow_and_shrink(tx: Connection, po: str) -> None:
    """An order that is shipped, reopened, asked about, refused, raised, and asked about again."""
    submit(tx, place("10", po=po))
    submit(tx, ship(po, "S9", line_1="4"), key="S9")
    submit(tx, withdraw(po, "S9"), key="S9 withdrawn")
    submit(tx, ask("1", "3", po))
    submit(tx, ask("1", "2", po))
    submit(tx, answer(Consent.REFUSED, po))
    submit(tx, change(po, raised("1", "12")))
    submit(tx, ask("1", "5", po))


def plant(tx: Connection, statement: str) -> None:
    """Break a law behind the ledger's back."""
    assert tx.execute(text(statement)).rowcount > 0, "nothing was planted"


def breached(tx: Connection) -> dict[str, int]:
    return {breach.invariant: len(breach.rows) for breach in audit(tx)}


def test_an_ordinary_story_breaks_no_law(database: Database) -> None:
    with database.writing() as tx:
        tell(tx)
    with database.reading() as tx:
        assert breached(tx) == {}


@pytest.mark.parametrize("name", [invariant.name for invariant in INVARIANTS])
def test_every_law_can_be_seen_to_fail(story: Connection, name: str) -> None:
    plant(story, PLANTED[name])
    assert name in breached(story)


@pytest.mark.parametrize(("name", "statement"), MORE)
def test_a_law_fails_in_each_of_its_ways(story: Connection, name: str, statement: str) -> None:
    plant(story, statement)
    assert name in breached(story)


def test_a_breach_names_its_rows(story: Connection) -> None:
    plant(story, PLANTED["counters"])
    (breach,) = [found for found in audit(story) if found.invariant == "counters"]
    assert breach.sentence.startswith("Every counter of a line is what its order's events")
    assert [dict(row) for row in breach.rows] == [{"order_id": 1, "line": "1"}]


def test_a_trigger_that_is_gone_or_off_is_missed(database: Database) -> None:
    name, table = "event_no_delete", "event"
    with database.writing() as tx:
        on_sqlite = tx.dialect.name == "sqlite"
        off = f"DROP TRIGGER {name}" if on_sqlite else f"ALTER TABLE {table} DISABLE TRIGGER {name}"
        assert breached(tx) == {}
        tx.execute(text(off))
        (breach,) = audit(tx)
    assert (breach.invariant, breach.promise, [dict(row) for row in breach.rows]) == (
        "guards", "G5", [{"trigger": name}],
    )  # fmt: skip


def test_an_index_that_is_gone_is_missed(database: Database) -> None:
    with database.writing() as tx:
        tx.execute(text("DROP INDEX outbox_message_id"))
        (breach,) = audit(tx)
    assert [dict(row) for row in breach.rows] == [{"index": "outbox_message_id"}]


def test_numbers_that_a_restoration_skipped_are_not_missed(story: Connection) -> None:
    columns, row = "id, begun_at, numbers_skipped", "1, placed_at, 8 FROM orders WHERE id = 1"
    story.execute(text(f"INSERT INTO restoration ({columns}) SELECT {row}"))
    plant(story, "UPDATE sequence SET value = 9")
    assert "numbers" not in breached(story)
    plant(story, "UPDATE sequence SET value = 8")
    assert "numbers" in breached(story)


def test_a_report_ends(story: Connection) -> None:
    lines = [{"id": number} for number in range(1, ROWS_MAX + 20)]
    copy = "SELECT :id, order_id, line, ordered + 1, 0, ordered FROM order_line WHERE id = 1000001"
    columns = "id, order_id, line, fulfilled, cancelled, ordered"
    story.execute(text(f"INSERT INTO order_line ({columns}) {copy}"), lines)
    assert breached(story)["conservation"] == ROWS_MAX


def test_the_queries_know_how_line_ids_are_made() -> None:
    (query,) = [invariant.query for invariant in INVARIANTS if invariant.name == "line_ids"]
    assert f"order_id * {LINES_MAX} + ordinal" in query
