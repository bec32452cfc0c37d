"""The ledger's rules as tables: tables/*.table, read by people, run through the real ledger.

A scenario is a block of lines under a comment that names the row of the event table it shows:

    buyer places   PO-1  1: 100 EA; 2: 5 CA
    seller answers PO-1  1: accepted 88, rejected 12     -> applied
    buyer cuts     PO-1  1: 40                           -> refused EXCEEDS_OPEN
    line           PO-1  1                               == ordered 100 fulfilled 0 cancelled 12 open 88

Without "->" a statement is applied. What is not applied is checked to have changed no row of the database.
"""

import re
from collections.abc import Iterator
from dataclasses import dataclass
from decimal import Decimal
from pathlib import Path

import pytest
from sqlalchemy import Connection, text

from storage import commands as say
from storage.database import Database
from storage.invariants import audit
from storage.ledger import Result
from storage.orders import ItemId
from storage.outcomes import Choice, Outcome
from storage.queries import OrderView, find_orders, get_order
from storage.refusals import Refusal, RefusedLine
from tests.unit.storage.build import AT, BUYER, SELLER, source, submit

FOLDER = Path(__file__).parent / "tables"
DOCUMENTATION = Path(__file__).parents[3] / "docs" / "refusals.md"
PARTIES = {"buyer": BUYER, "seller": SELLER, "stranger": "zorro", "other-buyer": "zeta"}
GTINS = ("UP", "EN", "UK")
WEAK = ("BO", "IZ")  # colour and size prove nothing
FILLER = re.compile(r"(.)\1{5,}")
DOCUMENTS = {"places": "850", "copies": "850", "ships": "856", "answers": "855"}
ANSWERS = {
    "accepted": say.Answer.ACCEPTED,
    "changed": say.Answer.QUANTITY_CHANGED,
    "backordered": say.Answer.BACKORDERED,
    "on-hold": say.Answer.ON_HOLD,
    "rejected": say.Answer.REJECTED,
}
#: Rows of the event table (section 5) that are about orders as the ledger sees them.
ROWS = (*range(1, 5), 7, 8, *range(10, 20), 21, *range(31, 35), 38, 39, 40)
ITEMS = range(1, 11)  # of section 2.4

STATEMENT = re.compile(
    r"(?P<who>\S+)\s+(?P<verb>places|copies|cancels|cuts|answers|ships|sends)\s+(?P<po>\S+)(?P<rest>.*)"
)
CHECK = re.compile(r"(?P<what>line|order|events)\s+(?P<po>\S+)\s*(?P<line>\S+)?(?: of (?P<buyer>\S+))?")
LINE = re.compile(r"(?:^|\s)\S+:(?=\s|$)")
PLACED = re.compile(
    r"(?P<quantity>\?|-?[\d.]+)(?: (?P<unit>[A-Z]{2}))?(?P<weight> by weight)?"
    r"(?: packed (?P<pack>\w+) of (?P<size>\d+))?(?: stores (?P<stores>[\d. ]+))?"
)
AMOUNT = re.compile(r"(?P<quantity>-?[\d.]+)(?: (?P<unit>[A-Z]{2}))?")
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


def _flag(rest: str, pattern: str) -> tuple[str, str]:
    """The rest without the flag, and what the flag says ("" when it is not there)."""
    found = re.search(rf"\s{pattern}(?=\s|$)", rest)
    if not found:
        return rest, ""
    return rest[: found.start()] + rest[found.end() :], found[1]


def _lines(rest: str) -> tuple[str, list[tuple[say.LineReference, str]]]:
    """The words before the first line, and the lines: 1: 40; 2+UP=0123: all."""
    first = LINE.search(rest)
    if not first:
        return rest.strip(), []
    parts = (part.strip().partition(":")[::2] for part in rest[first.start() :].split(";"))
    return rest[: first.start()].strip(), [(_reference(ref), body.strip()) for ref, body in parts]


def _reference(ref: str) -> say.LineReference:
    parts = ref.split("+")
    ids = tuple(_item(*part.split("=")) for part in parts if "=" in part)
    return say.LineReference(number="" if "=" in parts[0] or ref == "-" else parts[0], ids=ids)


def _item(qualifier: str, item: str) -> ItemId:
    if FILLER.fullmatch(item) or qualifier in WEAK:
        return ItemId(qualifier, item)
    return ItemId(qualifier, item, "gtin" if qualifier in GTINS else qualifier)


def _matched(pattern: re.Pattern[str], said: str) -> re.Match[str]:
    found = pattern.fullmatch(said.strip())
    assert found, f"not understood: {said}"
    return found


def _new_line(ref: say.LineReference, body: str) -> say.NewLine:
    found = _matched(PLACED, body)
    return say.NewLine(
        number=ref.number,
        ids=ref.ids,
        quantity=None if found["quantity"] == "?" else Decimal(found["quantity"]),
        unit=found["unit"] or "",
        discrete=not found["weight"],
        pack_unit=found["pack"] or "",
        pack_size=Decimal(found["size"] or 0),
        location_quantities=tuple(Decimal(store) for store in (found["stores"] or "").split()),
    )


def _amount(body: str) -> tuple[Decimal, str]:
    found = _matched(AMOUNT, body)
    return Decimal(found["quantity"]), found["unit"] or ""


def _cut(ref: say.LineReference, body: str) -> say.LineCancellation:
    if body == "all":
        return say.LineCancellation(line=ref)
    quantity, unit = _amount(body)
    return say.LineCancellation(line=ref, quantity=quantity, unit=unit)


def _shipped(ref: say.LineReference, body: str) -> say.ShippedLine:
    quantity, unit = _amount(body)
    return say.ShippedLine(line=ref, quantity=quantity, unit=unit)


def _answered(ref: say.LineReference, body: str) -> say.AcknowledgedLine:
    answers = []
    for part in filter(None, body.split(", ")):
        word, _, amount = part.partition(" ")
        quantity, unit = _amount(amount) if amount else (None, "")
        answers.append(say.LineAnswer(answer=ANSWERS[word], quantity=quantity, unit=unit))
    return say.AcknowledgedLine(line=ref, answers=tuple(answers))


def _command(statement: str) -> tuple[say.Command, str]:
    """What a statement asks of the ledger, and the key of the document it stands in."""
    found = _matched(STATEMENT, statement)
    verb, rest = found["verb"], found["rest"]
    rest, document = _flag(rest, r"as (\S+)")
    rest, choice = _flag(rest, r"/ (\S+)")
    rest, hand = _flag(rest, r"(by hand)")
    rest, nobody = _flag(rest, r"(naming no buyer)")
    rest, release = _flag(rest, r"release (\S+)")
    buyer = PARTIES[found["who"]] if found["who"] == "other-buyer" else BUYER
    common = {
        "order": say.Locator(
            buyer="" if nobody else buyer, seller=SELLER, po_number=found["po"], release=release
        ),
        "by": PARTIES[found["who"]],
        "at": AT,
        "source": say.Source(actor="staff") if hand else source(DOCUMENTS.get(verb, "860")),
        "resolution": choice,
    }
    header, lines = _lines(rest)
    if verb == "ships":
        document = header
    return _said(verb, header, lines, common), document


def _said(
    verb: str, header: str, lines: list[tuple[say.LineReference, str]], common: dict[str, object]
) -> say.Command:
    more: dict[str, object]
    kind: type[say.Command]
    if verb in ("places", "copies"):
        placed = tuple(_new_line(*line) for line in lines)
        kind, more = (
            say.PlaceOrder,
            {"lines": placed, "content_hash": repr(placed), "repeat": verb == "copies"},
        )
    elif verb == "cancels":
        part = say.PartShipped.REFUSE if header == "all or nothing" else say.PartShipped.REST
        kind, more = say.CancelOrder, {"part_shipped": part}
    elif verb == "cuts":
        kind, more = say.CancelLines, {"lines": tuple(_cut(*line) for line in lines)}
    elif verb == "answers":
        verdict = say.Verdict(header.replace(" ", "_") or "lines")
        kind, more = say.AcknowledgeOrder, {"verdict": verdict, "lines": tuple(_answered(*x) for x in lines)}
    elif verb == "ships":
        kind, more = say.RecordShipment, {"shipment_id": header, "lines": tuple(_shipped(*x) for x in lines)}
    else:
        objection, _, words = header.partition(" ")
        kind, more = (
            say.Object,
            {
                "objection": say.Objection(objection),
                "statement": words.strip('"'),
                "choices": (Choice("cancel", "cancel everything open"),),
            },
        )
    return kind(**{**common, **more})  # type: ignore[arg-type]  # the shapes are checked by the ledger's own words


def _rows(tx: Connection) -> list[tuple[object, ...]]:
    """Everything the database holds."""
    names = tx.execute(text("SELECT name FROM sqlite_master WHERE type = 'table' ORDER BY name")).scalars()
    return [(name, *row) for name in names.all() for row in tx.execute(text(f"SELECT * FROM {name}"))]  # noqa: S608


def _check_result(result: Result, expected: str) -> tuple[RefusedLine, ...]:
    wanted = _matched(EXPECTED, expected)
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
    found = _matched(CHECK, check)
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
    command, document = _command(asked.strip())
    before = _rows(tx)
    content = repr(sorted(re.sub(r" as \S+| / \S+", "", asked).split()))
    result = submit(tx, command, key=document, content=content)
    if result.outcome is not Outcome.APPLIED:
        assert _rows(tx) == before, "something changed"
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
def test_table(database: Database, scenario: Scenario) -> None:
    with database.writing() as tx:
        _play(tx, scenario)


def test_every_scenario_names_what_it_shows_and_ends_by_looking_at_the_order() -> None:
    for scenario in SCENARIOS:
        assert re.match(r"(Rows? \d|Item \d|Section \d)", scenario.title), scenario.place
        assert "==" in scenario.statements[-1], scenario.place


def test_every_row_and_item_is_shown() -> None:
    titles = " ".join(scenario.title for scenario in SCENARIOS)
    rows = {int(n) for listed in re.findall(r"Rows? ([\d, ]+)", titles) for n in re.findall(r"\d+", listed)}
    items = {int(n) for n in re.findall(r"Item (\d+)", titles)}
    assert set(ROWS) <= rows
    assert set(ITEMS) <= items


def test_every_refusal_is_shown() -> None:
    said = "\n".join(statement for scenario in SCENARIOS for statement in scenario.statements)
    assert [refusal.name for refusal in Refusal if not re.search(rf"\b{refusal.name}\b", said)] == []


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
