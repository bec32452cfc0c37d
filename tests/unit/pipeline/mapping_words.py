"""Commands in words, and tables of documents with the commands that come of them.

A table is blocks of lines. A block is a title (#), a document (its number, then segments with "/" between
them) and what comes of it (->): as things stand, `given` settings of the sender's policy, or once someone has
`answered` one of the choices.
"""

import tomllib
from collections.abc import Iterator
from dataclasses import dataclass
from datetime import timedelta
from pathlib import Path

from pipeline.mapping import Mapped, WithoutEffect, to_submission
from pipeline.policy_settings import read_policy
from pipeline.settings_reader import TableReader
from storage import commands as c
from storage.quantities import plain
from tests.unit.pipeline.mapping_texts import document, origin


@dataclass(frozen=True, slots=True)
class Case:
    """One expectation of a table."""

    title: str
    kind: str
    text: str
    given: str
    answered: str
    expected: str

    def __str__(self) -> str:
        return " ".join(filter(None, (self.kind, self.title, self.given, self.answered)))

    def outcome(self) -> str:
        policy = read_policy(TableReader(tomllib.loads(self.given), place="", base=Path(), environ={}))
        mapped = to_submission(
            document(self.kind, self.text), origin(self.kind, policy, resolution=self.answered)
        )
        return in_words(mapped)


def cases(table: str) -> list[Case]:
    """Every expectation of a table, in its order."""
    return [case for block in table.strip().split("\n\n") for case in _block(block)]


def _block(block: str) -> Iterator[Case]:
    title = kind = text = given = answered = ""
    for line in block.splitlines():
        if line.startswith("#"):
            title = line[1:].strip()
        elif line.startswith("->"):
            yield Case(title, kind, text, given, answered, line[2:].strip())
        elif line.startswith("given "):
            given = line.removeprefix("given ").replace("; ", "\n")
        elif line.startswith("answered "):
            answered = line.removeprefix("answered ")
        elif line.startswith(" "):
            text += " " + line.strip()
        else:
            kind, _, text = line.partition(" ")


def in_words(mapped: Mapped) -> str:
    """What a document stands for; of a question the choices besides ignoring it."""
    if isinstance(mapped, WithoutEffect):
        return "no effect"
    return " + ".join(_of_order(command) + _sentence(command) for command in mapped.commands).strip()


def _of_order(command: c.Command) -> str:
    number = command.order.po_number
    return "" if number in ("PO-1", "") else f"{number}: "


def _sentence(command: c.Command) -> str:
    match command:
        case c.Object():
            choices = ", ".join(choice.name for choice in command.choices)
            held = f"held ({choices})" if choices else "held"
            return (
                held
                if command.objection is c.Objection.NEEDS_A_PERSON
                else f"refused {command.objection.value}"
            )
        case c.PlaceOrder():
            copy = " as a copy" if command.repeat else ""
            return f"place{copy}: " + "; ".join(_new(line) for line in command.lines)
        case c.CancelOrder():
            return f"{command.by} cancels the order" + _terms(command)
        case c.ChangeOrder():
            verb = "restates" if command.restates else "changes"
            lines = "; ".join(_change(line) for line in command.lines)
            number = f" #{command.sequence}" if command.sequence else ""
            return f"{command.by} {verb}{number}" + _terms(command) + f": {lines}"
        case c.AcknowledgeOrder():
            return _acknowledged(command)
        case c.AnswerRequest():
            sure = "" if command.certain else " if asked"
            return "; ".join([command.consent.value + sure, *(_consent(line) for line in command.lines)])
        case c.RecordShipment() | c.WithdrawShipment():
            return _shipped(command)
    raise AssertionError(command)


def _terms(command: c.CancelOrder | c.ChangeOrder) -> str:
    asks = ", if the seller agrees" if command.effect is c.BuyerCancel.REQUESTED else ""
    if command.answer_by:
        asks += f" within {(command.answer_by - command.at) / timedelta(hours=1):.0f} hours"
    return asks + (", all or nothing" if command.part_shipped is c.PartShipped.REFUSE else "")


def _change(line: c.LineChange) -> str:
    words = [
        _line(line.line),
        line.change.value,
        *([plain(line.quantity)] if line.quantity is not None else []),
    ]
    if line.second is not None:
        words.append(f"then {plain(line.second)}")
    if line.amounts is not None:
        sent = {name: getattr(line.amounts, name) for name in ("original", "increase", "decrease", "revised")}
        words += [f"{name} {plain(value)}" for name, value in sent.items() if value is not None]
    if line.reading is not c.QuantityReading.NEW_TOTAL:
        words.append(f"by {line.reading.value}")
    if line.location_quantities:
        words.append("stores " + ",".join(plain(quantity) for quantity in line.location_quantities))
    if line.new is not None and line.change is c.Change.ADD:
        words.append(f"= {_new(line.new)}")
    words += [f"[{_answer(answer)}]" for answer in line.answers]
    return " ".join(words)


def _acknowledged(command: c.AcknowledgeOrder) -> str:
    said = [command.verdict.value]
    said += [f"{_line(line.line)} " + ", ".join(_answer(a) for a in line.answers) for line in command.lines]
    if command.short_accept is c.ShortAccept.CANCEL:
        said.append("short is cancelled")
    if command.backorder is c.Backorder.CANCEL:
        said.append("backordered is cancelled")
    return "; ".join(said)


def _answer(answer: c.LineAnswer) -> str:
    quantity = "" if answer.quantity is None else f" {plain(answer.quantity)}"
    return f"{answer.answer.value}{quantity}" + (" for certain" if answer.certain else "")


def _consent(line: c.LineConsent) -> str:
    quantity = "" if line.quantity is None else f" {plain(line.quantity)}"
    return f"{_line(line.line)} {line.consent.value}{quantity}"


def _shipped(command: c.RecordShipment | c.WithdrawShipment) -> str:
    verb = "ship" if isinstance(command, c.RecordShipment) else "withdraw"
    lines = [f"{_line(line.line)} {plain(line.quantity)} {line.unit}" for line in command.lines]
    said = [f"{verb} {command.shipment_id}", *lines]
    if isinstance(command, c.RecordShipment):
        if command.over_ship is c.OverShip.FLAG:
            said.append(f"{plain(command.over_percent)} % over is flagged")
        if command.close_rest is not c.CloseRest.NEVER:
            said.append(f"the rest of the {command.close_rest.value} is closed")
    return "; ".join(said)


def _new(line: c.NewLine) -> str:
    quantity = "?" if line.quantity is None else plain(line.quantity)
    stores = (
        " stores " + ",".join(plain(q) for q in line.location_quantities) if line.location_quantities else ""
    )
    return f"{line.number}: {quantity} {line.unit}{stores}"


def _line(reference: c.LineReference) -> str:
    return reference.number or "/".join(item.id for item in reference.ids)
