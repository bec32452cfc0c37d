"""The ledger's rules as tables: tables/*.table, read by people, run through the real ledger.

A scenario is a block of lines under a comment that names the row of the event table it shows:

    buyer places   PO-1  1: 100 EA; 2: 5 CA
    seller answers PO-1  1: accepted 88, rejected 12     -> applied
    buyer cuts     PO-1  1: 40                           -> refused EXCEEDS_OPEN
    line           PO-1  1                               == ordered 100 fulfilled 0 cancelled 12 open 88

All that can be said stands in table_words. Without "->" a statement is applied. What is not applied is
checked to have changed no row of the database.
"""

import re
from collections.abc import Iterator
from dataclasses import dataclass
from decimal import Decimal
from pathlib import Path

import pytest
from sqlalchemy import Connection

from storage.database import Database
from storage.invariants import audit
from storage.ledger import Result
from storage.outcomes import Outcome
from storage.queries import OrderView, find_orders, get_order
from storage.refusals import Refusal, RefusedLine
from tests.unit.storage.build import rows, submit
from tests.unit.storage.table_words import FLAGS, PARTIES, READINGS, command, matched

FOLDER = Path(__file__).parent / "tables"
DOCUMENTATION = Path(__file__).parents[3] / "docs" / "refusals.md"
TESTS = Path(__file__).parents[2]
ROWS = range(1, 41)  # of the event table, section 5
#: Rows that never reach an order, bad syntax and unknown versions: the test that shows them.
ELSEWHERE = {
    36: ("unit/edi/test_write_997.py", "test_set_verdict"),
    37: ("unit/edi/test_write_997.py", "test_unsupported_version_is_a_group_fault"),
}
ITEMS = range(1, 11)  # of section 2.4
#: Every switch of a partner that a command carries, in the words of the tables.
POLICIES = [FLAGS[name] for name in ("asking", "part", "over", "close", "short", "backorder")]
POLICIES += [rf"(?:down|up|set) {how} (\S+)" for how in READINGS]

CHECK = re.compile(r"(?P<what>line|order|events)\s+(?P<po>\S+)\s*(?P<line>\S+)?(?: of (?P<buyer>\S+))?")
EXPECTED = re.compile(
    r"(?P<outcome>\w+)(?: (?P<refusals>(?:but )?[A-Z_]+(?:, [A-Z_]+)*))?"
    r"(?: (?P<said>\"[^\"]*\"))?(?: offering (?P<choices>.*))?"
)


@dataclass(frozen=True, slots=True)
class Scenario:
    """One block of a table."""

    place: str  # file and line, for the test's name
    title: str
    statements: tuple[str, ...]


def scenarios() -> Iterator[Scenario]:
    """Every block of every table that says something."""
    for path in sorted(FOLDER.glob("*.table")):
        at = 1
        for block in re.split(r"\n\n", path.read_text(encoding="utf-8").rstrip("\n")):
            lines = block.split("\n")
            title = " ".join(line.removeprefix("#").strip() for line in lines if line.startswith("#"))
            said = tuple(line for line in lines if line and not line.startswith("#"))
            if said:
                yield Scenario(f"{path.stem}:{at}", title, said)
            at += len(lines) + 1


SCENARIOS = tuple(scenarios())


def _check_result(result: Result, expected: str) -> tuple[RefusedLine, ...]:
    wanted = matched(EXPECTED, expected)
    decision = result.entries[0].decision
    told = (result.outcome, [r.refusal.name for r in decision.refusals], decision.notes, decision.question)
    assert result.outcome is Outcome(wanted["outcome"]), told
    names = (wanted["refusals"] or "").removeprefix("but ")
    assert [r.refusal.name for r in decision.refusals] == (names.split(", ") if names else []), told
    if wanted["said"]:
        said = [decision.question.statement] if decision.question else []
        said += [*decision.notes, *(refused.message for refused in decision.refusals)]
        assert any(wanted["said"].strip('"') in sentence for sentence in said), said
    if wanted["choices"]:
        assert decision.question is not None
        assert [choice.name for choice in decision.question.choices] == wanted["choices"].split(", ")
    return decision.refusals


def _order(tx: Connection, po: str, buyer: str | None) -> OrderView | None:
    found = find_orders(tx, po, buyer=PARTIES[buyer or "buyer"])
    return get_order(tx, found[0].id) if found else None


def _check_order(tx: Connection, check: str, expected: str) -> None:
    found = matched(CHECK, check)
    order = _order(tx, found["po"], found["buyer"])
    if found["what"] == "order":
        assert (order.summary.status.value if order else "unknown") == expected
        return
    assert order, f"there is no {found['po']}"
    if found["what"] == "events":
        assert len(order.events) == int(expected)
        return
    (line,) = (line for line in order.lines if line.line == found["line"])
    words = expected.split()
    for name, figure in zip(words[::2], words[1::2], strict=True):
        assert getattr(line, name) == Decimal(figure), f"{name} is {getattr(line, name)}: {line}"


def _run(tx: Connection, statement: str) -> tuple[RefusedLine, ...]:
    if "==" in statement:
        check, expected = statement.split("==")
        _check_order(tx, check.strip(), expected.strip())
        return ()
    asked, _, expected = statement.partition("->")
    asked_for, document = command(asked.strip())
    before = rows(tx)
    content = repr(sorted(re.sub(r" as \S+| / \S+| from \S+", "", asked).split()))
    result = submit(tx, asked_for, key=document, content=content)
    if result.outcome is not Outcome.APPLIED:
        assert rows(tx) == before, "something changed"
    return _check_result(result, expected.strip() or "applied")


def _play(tx: Connection, scenario: Scenario) -> list[RefusedLine]:
    refused: list[RefusedLine] = []
    for statement in scenario.statements:
        try:
            refused += _run(tx, statement)
        except AssertionError as error:
            raise AssertionError(f"{scenario.title}\n  {statement}\n  {error}") from None
    assert not list(audit(tx))
    return refused


@pytest.mark.parametrize("scenario", SCENARIOS, ids=lambda scenario: scenario.place)
def test_table(sqlite_database: Database, scenario: Scenario) -> None:
    """On PostgreSQL every scenario is played below, for the messages in the documentation."""
    with sqlite_database.writing() as tx:
        _play(tx, scenario)


def test_every_scenario_names_what_it_shows_and_ends_by_looking_at_the_order() -> None:
    for scenario in SCENARIOS:
        assert re.match(r"(Rows? \d|Item \d|Section \d)", scenario.title), scenario.place
        assert "==" in scenario.statements[-1], scenario.place


def test_every_row_and_item_is_shown() -> None:
    titles = " ".join(scenario.title for scenario in SCENARIOS)
    told = {int(n) for listed in re.findall(r"Rows? ([\d, ]+)", titles) for n in re.findall(r"\d+", listed)}
    items = {int(n) for n in re.findall(r"Item (\d+)", titles)}
    assert set(ROWS) - told == set(ELSEWHERE)
    assert set(ITEMS) <= items


@pytest.mark.parametrize(("module", "test"), ELSEWHERE.values())
def test_rows_that_reach_no_order_are_shown_elsewhere(module: str, test: str) -> None:
    assert f"def {test}(" in (TESTS / module).read_text(encoding="utf-8")


@pytest.mark.parametrize("policy", POLICIES)
def test_every_policy_is_shown(policy: str) -> None:
    said = "\n".join(statement for scenario in SCENARIOS for statement in scenario.statements)
    assert re.search(rf"\s{policy}(?=\s|$)", said, re.MULTILINE)


def test_every_refusal_is_shown() -> None:
    said = "\n".join(statement for scenario in SCENARIOS for statement in scenario.statements)
    assert [refusal.name for refusal in Refusal if not re.search(rf"\b{refusal.name}\b", said)] == []


@pytest.mark.parametrize("system", ["postgresql"])  # SQLite's have played above
def test_every_message_in_the_documentation_is_one_the_ledger_gives(database: Database) -> None:
    documented = re.findall(r"^> (.+)$", DOCUMENTATION.read_text(encoding="utf-8"), re.MULTILINE)
    given: set[str] = set()
    with database.writing() as tx:
        for scenario in SCENARIOS:
            again = tx.begin_nested()
            given |= {refused.message for refused in _play(tx, scenario)}
            again.rollback()
    assert documented
    assert [message for message in documented if message not in given] == []
