"""What a preview foresees is what `apply` then does: the same decision, the same order after it."""

from dataclasses import replace
from decimal import Decimal

from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st
from sqlalchemy import Connection

from storage import ledger, queries
from storage.commands import BuyerCancel, CancelLines, Command, PartShipped, Source, Submission
from storage.database import Database
from storage.outcomes import Outcome
from tests.unit.storage.build import BUYER, SELLER, cancel, cut, place, rows, ship, submit

_STAFF = Source(actor="staff")
_UNITS = st.integers(0, 12).map(str)
_BY = st.sampled_from([BUYER, SELLER])
_EFFECT = st.sampled_from(list(BuyerCancel))


@st.composite
def cancellations(draw: st.DrawFn) -> Command:
    """Whole or of a line, by either side, effective or asked for; quantities that fit and do not."""
    effect, by = draw(_EFFECT), draw(_BY)
    if draw(st.booleans()):
        return cancel(
            by=by, effect=effect, part_shipped=draw(st.sampled_from(list(PartShipped))), source=_STAFF
        )
    line, units = draw(st.sampled_from("123")), draw(st.none() | _UNITS)
    more = draw(st.none() | st.tuples(st.sampled_from("12"), _UNITS))
    command = cut(line, units, by=by, effect=effect, source=_STAFF)
    if more is None:
        return command
    second = cut(more[0], more[1], by=by, effect=effect, source=_STAFF)
    return replace(command, lines=(*command.lines, *second.lines))


def _check(tx: Connection, command: Command) -> Outcome:
    """Foresee it, do it, compare."""
    (found,) = queries.find_orders(tx, "4500012")
    before = rows(tx)
    foreseen = ledger.foresee(tx, found.id, command)
    assert rows(tx) == before
    result = ledger.apply(tx, Submission(commands=(command,)))
    (entry,) = result.entries
    assert foreseen.decision == entry.decision
    assert foreseen.before == entry.before
    assert foreseen.after == entry.after
    return result.outcome


@settings(
    max_examples=150, deadline=None, derandomize=True, database=None,
    suppress_health_check=[HealthCheck.function_scoped_fixture],
)  # fmt: skip
@given(shipped=st.tuples(_UNITS, _UNITS), commands=st.lists(cancellations(), min_size=1, max_size=4))
def test_what_is_foreseen_is_what_is_done(
    database: Database, shipped: tuple[str, str], commands: list[Command]
) -> None:
    with database.writing() as tx, tx.begin_nested() as part:
        submit(tx, place("10", "4"))
        submit(tx, ship(line_1=shipped[0], line_2=shipped[1]))
        for command in commands:
            _check(tx, command)
        part.rollback()


def test_every_outcome_is_foreseen(database: Database) -> None:
    with database.writing() as tx:
        submit(tx, place("10", "4"))
        said = [
            cut("1", "3", source=_STAFF), cut("1", "8", source=_STAFF), cut("9", None, source=_STAFF),
            cancel(source=_STAFF), cancel(source=_STAFF),
        ]  # fmt: skip
        seen = [_check(tx, command) for command in said]
    assert seen == [
        Outcome.APPLIED, Outcome.REFUSED, Outcome.REFUSED, Outcome.APPLIED, Outcome.DUPLICATE,
    ]  # fmt: skip


def test_an_order_that_is_not_there_is_foreseen_as_unknown(database: Database) -> None:
    with database.reading() as tx:
        entry = ledger.foresee(tx, 7, cut("1", "1", source=_STAFF))
    assert entry.before is None
    assert [one.refusal.name for one in entry.decision.refusals] == ["ORDER_UNKNOWN"]


def test_units_foreseen_are_exact(database: Database) -> None:
    with database.writing() as tx:
        submit(tx, place("10"))
        (found,) = queries.find_orders(tx, "4500012")
        command = cut("1", "3", source=_STAFF)
        assert isinstance(command, CancelLines)
        after = ledger.foresee(tx, found.id, command).after
    assert after is not None
    assert after.lines[0].open == Decimal(7)
