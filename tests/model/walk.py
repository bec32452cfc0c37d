"""A walk: steps at random, done by the ledger and by the model; after each, both must be the same."""

import hashlib
import random
from collections.abc import Callable, Iterable, Sequence
from contextlib import AbstractContextManager
from dataclasses import dataclass, field
from decimal import Decimal

from sqlalchemy import Connection, select

from storage.commands import Submission
from storage.database import Database
from storage.invariants import audit
from storage.ledger import Result, apply
from storage.models import table
from storage.outcomes import Outcome
from tests.model.book import BUYER, Book
from tests.model.rules import ORDERED, RULES
from tests.model.steps import POS, Desk, Step
from tests.races.history import read_histories

_LINES, _ORDERS = table("order_line"), table("orders")
_NAMES = tuple(name for name, (_, weight, _) in RULES.items() for _ in range(weight))

# What the audit says of rows that only the pipeline writes: the model has no pipeline.
NOT_OURS = frozenset({"cancellations_told"})


class Disagreement(AssertionError):
    """The ledger and the model do not agree; the message has the last step and both answers."""


def chosen(chance: random.Random) -> Step:
    """One step at random."""
    name = chance.choice(_NAMES)
    return name, {argument: chance.choice(values) for argument, values in RULES[name][2].items()}


def steps(seed: str, count: int) -> list[Step]:
    chance = random.Random(seed)
    begun = [placed(po, chance.choice(ORDERED[:6])) for po in POS[:3]]
    return begun + [chosen(chance) for _ in range(count)]


def placed(po: str, quantities: Sequence[str]) -> Step:
    return "place", {"po": po, "by": BUYER, "quantities": quantities, "content": "x", "repeat": False}


@dataclass(slots=True)
class Session:
    """One database with an open transaction, and the model beside it."""

    open: Callable[[], Database]
    world: str
    database: Database = field(init=False)
    desk: Desk = field(init=False)
    tx: Connection = field(init=False)
    committed: Book = field(default_factory=Book)
    parked: list[Submission] = field(default_factory=list)
    parked_committed: list[Submission] = field(default_factory=list)
    trace: "hashlib._Hash" = field(default_factory=hashlib.sha256)
    outcomes: dict[tuple[str, str], int] = field(default_factory=dict)
    _transaction: AbstractContextManager[Connection] = field(init=False)

    def __post_init__(self) -> None:
        self.desk = Desk(book=Book(), world=self.world, sent=[])
        self._start()

    def _start(self) -> None:
        self.database = self.open()
        self._transaction = self.database.writing()
        self.tx = self._transaction.__enter__()

    def do(self, step: Step) -> None:
        """One step; an order that is placed lets what waited for it go on."""
        name, arguments = step
        match name:
            case "commit":
                self.commit()
                return
            case "crash":
                self.crash()
                return
        submission = RULES[name][0](self.desk, **arguments)
        if submission is None:
            return
        known = set(self.desk.book.orders)
        self._submit(submission, step)
        self.desk.sent = [*self.desk.sent[-19:], submission]
        for po in self.desk.book.orders.keys() - known:
            waiting, self.parked = self.parked, []
            for late in waiting:
                if all(command.order.po_number != po for command in late.commands):
                    self.parked.append(late)
                    continue
                self._submit(late, ("parked " + type(late.commands[0]).__name__, {"of": po}))

    def _submit(self, submission: Submission, step: Step) -> None:
        expected = self.desk.book.expect(submission)
        result = apply(self.tx, submission)
        self.desk.book.settle(result.outcome)
        self._compare(expected, result, submission, step)
        if result.outcome is Outcome.PARKED:
            self.parked.append(submission)
        place = (step[0], result.outcome.value)
        self.outcomes[place] = self.outcomes.get(place, 0) + 1

    def _compare(
        self, expected: frozenset[Outcome], result: Result, submission: Submission, step: Step
    ) -> None:
        said: list[object] = [result.outcome.value]
        for entry in result.entries:
            said += [refusal.refusal.name for refusal in entry.decision.refusals]
            if entry.after is None:
                continue
            po = entry.after.key.po_number
            order = self.desk.book.orders.get(po)
            has = {
                one.line: (one.ordered, one.fulfilled, one.cancelled, one.declined, one.requested)
                for one in entry.after.lines
            }
            said.append({line: [str(figure.normalize()) for figure in sums] for line, sums in has.items()})
            must = order.figures() if order else None
            if has != must or (order and order.status != entry.after.status.value):
                raise Disagreement(
                    self._story(
                        f"{po} has {plain(has)}, must have {plain(must)}", expected, result, step, submission
                    )
                )
        if result.outcome not in expected:
            raise Disagreement(self._story("outcomes differ", expected, result, step, submission))
        self.trace.update(repr(said).encode())

    def _story(
        self, what: str, expected: frozenset[Outcome], result: Result, step: Step, submission: Submission
    ) -> str:
        messages = [refusal.message for entry in result.entries for refusal in entry.decision.refusals]
        questions = [entry.decision.question for entry in result.entries if entry.decision.question]
        before = [
            {
                one.line: (one.ordered, one.fulfilled, one.cancelled, one.declined, one.requested)
                for one in entry.before.lines
            }
            for entry in result.entries
            if entry.before
        ]
        return "\n".join((
            f"{step[0]}: {what}",
            f"by        {submission.commands[0].by}",
            f"step      {step}",
            f"commands  {submission.commands}",
            f"before    {[plain(one) for one in before]}",
            f"ledger    {result.outcome.value} {messages} {questions}",
            f"model     {' or '.join(sorted(one.value for one in expected))}",
        ))  # fmt: skip

    def commit(self) -> None:
        self._transaction.__exit__(None, None, None)
        self.committed = self.desk.book.copy()
        self.parked_committed = list(self.parked)
        self._transaction = self.database.writing()
        self.tx = self._transaction.__enter__()

    def crash(self) -> None:
        """The engine is gone before the commit; what was not committed never happened."""
        self.tx.invalidate()
        self.database.close()
        self.desk.book, self.parked = self.committed.copy(), list(self.parked_committed)
        self._start()

    def check(self) -> None:
        """Every counter is as the model has it and as its events add up to; the audit is clean."""
        query = (
            select(_ORDERS.c.po_number, _ORDERS.c.status, _ORDERS.c.whole_cancelled, _LINES)
            .join(_LINES, _LINES.c.order_id == _ORDERS.c.id)
            .where(_ORDERS.c.po_number.startswith(f"{self.world}-"))
        )
        has: dict[str, dict[str, tuple[Decimal, ...]]] = {}
        for row in self.tx.execute(query):
            figures = (row.ordered, row.fulfilled, row.cancelled, row.declined, row.requested)
            has.setdefault(row.po_number, {})[row.line] = figures
            order = self.desk.book.orders[row.po_number]
            if (row.status, row.whole_cancelled) != (order.status, order.whole):
                raise Disagreement(f"{row.po_number} is {row.status}, must be {order.status}")
        must = {po: dict(order.figures()) for po, order in self.desk.book.orders.items()}
        if has != must:
            raise Disagreement(f"the ledger has {has}, must have {must}")
        breaches = [breach for breach in audit(self.tx) if breach.invariant not in NOT_OURS]
        if breaches:
            raise Disagreement(f"the audit found {breaches}")
        for history in read_histories(self.tx, like=f"{self.world}-%"):
            history.check()

    def close(self) -> None:
        self.commit()
        self._transaction.__exit__(None, None, None)
        self.database.close()


def plain(figures: object) -> str:
    return str(figures).replace("Decimal", "").replace("'", "")


def walk(session: Session, taken: Iterable[Step], *, check_every: int = 500) -> str:
    """Do the steps; a digest of every answer, the same for the same steps on every database system."""
    for count, step in enumerate(taken, start=1):
        session.do(step)
        if count % check_every == 0:
            session.check()
    session.check()
    session.close()
    return session.trace.hexdigest()


def shortened(fails: Callable[[Sequence[Step]], bool], taken: Sequence[Step]) -> list[Step]:
    """A shorter walk that still fails: halves, quarters and so on are left out as long as it does."""
    kept = list(taken)
    size = len(kept) // 2
    while size:
        at = 0
        while at < len(kept):
            shorter = kept[:at] + kept[at + size :]
            if fails(shorter):
                kept = shorter
            else:
                at += size
        size //= 2
    return kept
