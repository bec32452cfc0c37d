"""The only door to orders: locate, lock, let the rule decide, and write a submission whole or not at all."""

from dataclasses import dataclass, field, replace
from itertools import accumulate

from sqlalchemy import Connection, bindparam, insert, select

from storage import deadlines
from storage.chain import End
from storage.commands import AnswerRequest, Command, LapseRequest, PlaceOrder, Submission, WithdrawShipment
from storage.database import Prepared, lock_names
from storage.events import LedgerEvent
from storage.evolve import evolve
from storage.loading import find_orders, load_order, with_history
from storage.models import table
from storage.orders import OrderKey, OrderState
from storage.outcomes import Outcome
from storage.rules import Decision, decide, decide_document, meant
from storage.rules_again import Earlier, is_repeated
from storage.taken_back import taken_back
from storage.writing import Writer

_DOCUMENTS = table("document")

# One command that cannot be applied stops the whole submission; the first of these names its outcome.
_STOPPING = (Outcome.REFUSED, Outcome.HELD, Outcome.PARKED)
_PASSING = (Outcome.APPLIED, Outcome.DUPLICATE, Outcome.IGNORED)


@dataclass(frozen=True, slots=True, kw_only=True)
class Entry:
    """One command, the rule's answer, and the order around it.

    When the submission's outcome is not APPLIED nothing was written: `after` is `before`, `events` is empty,
    and a decision that says APPLIED tells only that this command alone would have been allowed.
    """

    command: Command
    decision: Decision
    before: OrderState | None = None  # None: no such order, or more than one
    after: OrderState | None = None
    events: tuple[LedgerEvent, ...] = ()


@dataclass(frozen=True, slots=True, kw_only=True)
class Result:
    """What became of a submission. A document answered as a whole has one entry, with its first command."""

    outcome: Outcome
    entries: tuple[Entry, ...]


def apply(tx: Connection, submission: Submission, *, set_id: int | None = None) -> Result:
    """Decide and write a submission in the caller's transaction.

    Raises only for mistakes of the program; the caller then undoes the transaction or its savepoint.
    """
    if not submission.commands:
        return Result(outcome=Outcome.IGNORED, entries=())
    lock_names(tx, _names(submission))
    earlier = _earlier(tx, submission)
    answered = decide_document(earlier, submission)
    if answered is not None:
        entry = Entry(command=submission.commands[0], decision=answered)
        return Result(outcome=answered.outcome, entries=(entry,))
    desk = _Desk(tx, tuple(one for one in submission.commands if isinstance(one, WithdrawShipment)))
    entries = tuple(desk.decide(command) for command in submission.commands)
    outcome = _outcome({entry.decision.outcome for entry in entries})
    if outcome in _STOPPING:
        return Result(outcome=outcome, entries=tuple(desk.unchanged(entry) for entry in entries))
    written = desk.write(entries, set_id)
    deadlines.promise(tx, (event for entry in written for event in entry.events))
    _end_deadlines(tx, written)
    if outcome is Outcome.APPLIED and not is_repeated(earlier, submission):
        _remember(tx, submission, set_id)
    return Result(outcome=outcome, entries=written)


def _end_deadlines(tx: Connection, entries: tuple[Entry, ...]) -> None:
    """Of requests of which nothing waits since these entries; those that lapse are ended by who let them."""
    left = {entry.after.id: entry.after for entry in entries if entry.after is not None}
    for entry in entries:
        asks = entry.before is not None and any(line.requested for line in entry.before.lines)
        if asks and entry.events and not isinstance(entry.command, LapseRequest):
            order = left.pop(entry.events[0].order_id, None)  # as the last entry left it, and once
            if order is not None:
                deadlines.close_settled(tx, order, entry.command.at)


def foresee(tx: Connection, order_id: int, command: Command) -> Entry:
    """What `apply` would decide about this one order now: the same rule, nothing locked, nothing written."""
    loaded = load_order(tx, order_id)
    found = () if loaded is None else (loaded.order,)
    decision = decide(found, command)
    before = after = found[0] if found else None
    if before is not None and decision.outcome is Outcome.APPLIED:
        *_, after = accumulate(decision.facts, evolve, initial=before)
    return Entry(command=command, decision=decision, before=before, after=after)


def _outcome(outcomes: set[Outcome]) -> Outcome:
    for outcome in (*_STOPPING, *_PASSING):
        if outcome in outcomes:
            return outcome
    raise ValueError(f"the rule answered {outcomes}, which is no outcome of a command")


def _names(submission: Submission) -> list[str]:
    """What must not move while we decide: the orders by number, known or not yet, and the document's key."""
    names = [f"order:{command.order.po_number}" for command in submission.commands]
    if submission.document:
        names.append(f"document:{submission.document.partner}:{submission.document.key}")
    return names


@dataclass(slots=True)
class _Desk:
    """The orders of one submission as they change, before anything is written.

    Orders placed by the submission itself have negative ids until they are.
    """

    tx: Connection
    withdrawals: tuple[WithdrawShipment, ...] = ()  # what needs to know more of an order than others do
    orders: dict[int, OrderState] = field(default_factory=dict)
    ends: dict[int, End] = field(default_factory=dict)  # of the orders' chains, as the database has them
    stored: dict[int, OrderState] = field(default_factory=dict)  # as the database has them
    touched: set[int] = field(default_factory=set)
    steps: list[tuple[OrderState, ...]] = field(
        default_factory=list
    )  # by command: before and after each fact

    def decide(self, command: Command) -> Entry:
        found = self._found(command)
        decision, before = decide(found, command), meant(found, command)
        if decision.outcome is not Outcome.APPLIED or not decision.facts:
            self.steps.append(())
            return Entry(command=command, decision=decision, before=before, after=before)
        order = before or self._new(command)
        steps = tuple(accumulate(decision.facts, evolve, initial=order))
        self.touched.add(order.id)
        self.steps.append(steps)
        self.orders[order.id] = steps[-1]
        return Entry(command=command, decision=decision, before=before, after=steps[-1])

    def write(self, entries: tuple[Entry, ...], set_id: int | None) -> tuple[Entry, ...]:
        writer = Writer(self.tx, set_id, dict(self.ends), dict(self.stored))
        events = [
            writer.write(entry.command, steps, entry.decision.facts) if steps else ()
            for entry, steps in zip(entries, self.steps, strict=True)
        ]
        for order_id in sorted(self.touched, key=abs):
            writer.settle(self.orders[order_id])
        return tuple(
            Entry(
                command=entry.command,
                decision=entry.decision,
                before=writer.numbered(entry.before),
                after=writer.numbered(entry.after),
                events=written,
            )
            for entry, written in zip(entries, events, strict=True)
        )

    def unchanged(self, entry: Entry) -> Entry:
        """The entry when nothing is written: the order is as the database has it."""
        stored = self.stored.get(entry.before.id) if entry.before else None
        return Entry(command=entry.command, decision=entry.decision, before=stored, after=stored)

    def _found(self, command: Command) -> tuple[OrderState, ...]:
        """The orders a command may mean, as earlier commands of the submission left them."""
        # A release is an order of its own; only the documents that follow it may leave it out (section 6).
        exact = command.order.exact or isinstance(command, PlaceOrder)
        candidates = find_orders(self.tx, replace(command.order, exact=exact))
        for loaded in candidates:
            if loaded.order.id in self.stored:
                continue
            order = loaded.order
            if self.withdrawals:
                order = with_history(self.tx, order, self.withdrawals)
            if isinstance(command, (AnswerRequest, LapseRequest)):
                order = deadlines.with_requests(self.tx, order)
            self.stored[order.id] = self.orders[order.id] = order
            self.ends[order.id] = loaded.end
        ids = {loaded.order.id for loaded in candidates}
        found = [o for o in self.orders.values() if o.id in ids or (o.id < 0 and _may_be(o.key, command))]
        return _by_release(found, command.order.release, exact=exact)

    def _new(self, command: Command) -> OrderState:
        """An order without lines yet, under an id of its own."""
        if not isinstance(command, PlaceOrder):
            raise ValueError(
                f"the rule wants facts of {type(command).__name__} written, but there is no order"
            )
        where = command.order
        key = OrderKey(
            buyer=where.buyer, seller=where.seller, po_number=where.po_number, release=where.release
        )
        placed = sum(order_id < 0 for order_id in self.orders)
        content = command.content_hash
        return OrderState(id=-1 - placed, key=key, lines=(), content_hash=content, blanket=command.blanket)


def _by_release(found: list[OrderState], release: str, *, exact: bool) -> tuple[OrderState, ...]:
    """Those of the release; else what else may be meant, of which the rule asks (section 6).

    A release that is not here falls back on its order, unless that one is a blanket: then it waits.
    """
    named = [order for order in found if order.key.release == release]
    if exact:
        return tuple(named)
    if release:
        return tuple(named or (order for order in found if not order.blanket))
    whole = {(order.key.buyer, order.key.seller) for order in named}
    return tuple(
        order for order in found if order in named or (order.key.buyer, order.key.seller) not in whole
    )


def _may_be(key: OrderKey, command: Command) -> bool:
    where = command.order
    return (
        key.po_number == where.po_number
        and (key.release in (where.release, "") or not where.release)
        and where.buyer in (key.buyer, "")
        and where.seller in (key.seller, "")
    )


_KEY = ("partner", "kind", "key")
_APPLIED = Prepared(
    select(_DOCUMENTS.c.content_hash, _DOCUMENTS.c.set_id).where(
        *(_DOCUMENTS.c[name] == bindparam(name) for name in _KEY)
    ),
    *_KEY,
)
_REMEMBER = Prepared(insert(_DOCUMENTS), *(column.name for column in _DOCUMENTS.c))


def _earlier(tx: Connection, submission: Submission) -> Earlier | None:
    """The document applied before under the document's key: with this very content if one was, else any."""
    document = submission.document
    if document is None:
        return None
    known = {row[0]: row[1] for row in _APPLIED.all(tx, document.partner, document.kind, document.key)}
    if document.content_hash in known:
        return Earlier(document.content_hash, taken_back(tx, known[document.content_hash]))
    return Earlier(next(iter(known))) if known else None


def _remember(tx: Connection, submission: Submission, set_id: int | None) -> None:
    document = submission.document
    if document is None:
        return
    at = submission.commands[0].at
    row = (document.partner, document.kind, document.key, document.content_hash, set_id, at)
    _REMEMBER.run(tx, [row])
