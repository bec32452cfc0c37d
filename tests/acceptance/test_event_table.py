"""The event table of the law, as documents: what each does to the ledger, who is answered, who is told.

The scenarios stand in event_table/*.txt, which says how they are written. What is not said must not happen:
no answer but a 997 that accepts, and e-mail to nobody.
"""

from collections.abc import Sequence
from dataclasses import dataclass, field
from datetime import timedelta
from pathlib import Path

import pytest
from _pytest.mark import ParameterSet

from edi.envelope import read
from edi.guide import check
from pipeline.contents import text_of
from pipeline.lapsing import lapse_requests
from pipeline.report import FileReport
from pipeline.waiting import expire_waiting
from storage import queries
from storage.invariants import audit
from storage.messages import OutboxMessage
from storage.quantities import plain
from storage.states import Kind
from tests.acceptance.event_table.scenario import (
    Again,
    Answer,
    Line,
    NoOrder,
    Said,
    Scenario,
    Step,
    Wait,
    scenarios,
)
from tests.unit.edi.build import group, interchange, transaction_set
from tests.unit.pipeline.house import House, house_with
from tests.unit.pipeline.ledger_files import PARTIES

SCENARIOS = scenarios(Path(__file__).parent / "event_table")
GROUPS = {
    "824": "AG", "850": "PO", "855": "PR", "856": "SH", "860": "PC", "865": "CA", "870": "RS", "810": "IN",
}  # fmt: skip
SUPPORT = "support@hub.example"
#: Documents of which the sender's people are told, and the hub's support.
TELLS_SENDER, TELLS_SUPPORT = ("refused",), ("refused", "faulty", "held")


@dataclass
class Telling:
    """A scenario while it is played."""

    house: House
    files: list[tuple[str, bytes]] = field(default_factory=list)
    seen: int = 0

    def owed(self) -> list[OutboxMessage]:
        """What was put into the outbox since the last look."""
        messages = self.house.messages(Kind.EMAIL) + self.house.messages(Kind.ACKNOWLEDGMENT)
        new = [message for message in messages if message.id > self.seen]
        self.seen = max((message.id for message in messages), default=0)
        return new

    def play(self, step: Step) -> None:
        match step:
            case Said():
                self.files.append((step.sender, self._content(step)))
                report = self.house.drop(self.files[-1][1], name=f"{len(self.files)}.edi")
                self._compare(step.sender, report, step.outcomes, step.answers, step.mails)
            case Again():
                _, content = self.files[step.place - 1]
                report = self.house.drop(content, name=f"again-{len(self.files)}.edi")
                assert _outcomes(report) == list(step.outcomes)
                assert _told(self.owed()) == []
            case Wait():
                self.house.now += timedelta(hours=step.hours)
                expire_waiting(self.house.settings, self.house.database, self.house.now)
                lapse_requests(self.house.settings, self.house.database, self.house.now)
                owed = self.owed()
                assert _documents(owed) == sorted(answer.kind for answer in step.answers)
                _compare_answers(owed, step.answers)
                if step.mails is not None:
                    assert _told(owed) == list(step.mails)
            case Line():
                assert self._units(step.po_number, step.line) == step.units
            case NoOrder():
                with self.house.database.reading() as tx:
                    assert queries.find_orders(tx, step.po_number) == ()

    def _content(self, said: Said) -> bytes:
        self.house.numbers += 1
        number = int(said.options.get("number", self.house.numbers))
        version = said.options.get("release", "004010")
        receiver = said.options.get("to", "globex" if said.sender in ("acme", "bolt") else "acme")
        one, two = (PARTIES[id][2] if id in PARTIES else id for id in (said.sender, receiver))
        groups = []
        for place, (kind, bodies) in enumerate(said.groups):
            repeated = said.options.get("st02")
            sets = [
                transaction_set(kind, *body, control_number=repeated or f"{ordinal:04d}")
                for ordinal, body in enumerate(bodies, start=1)
            ]
            names = {"version": version, "sender": one, "receiver": two}
            control = said.options.get("gs06", str(number + 1000 * place))
            groups.append(group(GROUPS[kind], *sets, control_number=control, **names))
        usage = said.options.get("usage", "P")
        content = interchange(*groups, control_number=f"{number:09d}", sender=one, receiver=two, usage=usage)
        before, _, after = said.options.get("replace", "").partition(" by ")
        after = "" if after == "nothing" else after
        return content.replace(before.encode(), after.encode()) if before else content

    def _compare(
        self,
        sender: str,
        report: FileReport,
        outcomes: Sequence[str],
        answers: Sequence[Answer],
        mails: Sequence[str] | None,
    ) -> None:
        found = _outcomes(report)
        assert found == list(outcomes), [one.to_json() for i in report.interchanges for one in i.sets]
        owed = self.owed()
        verdicts = [answer for answer in answers if answer.kind in ("997", "TA1")]
        if not verdicts:
            assert _verdicts(owed) == ["A"] * len(outcomes)
        expected = sorted(answer.kind for answer in answers if answer not in verdicts)
        assert _documents(owed) == expected, [text_of(message) for message in owed]
        _compare_answers(owed, answers)
        words = {outcome.split()[0] for outcome in outcomes}
        if mails is None:
            mails = [sender] if words & set(TELLS_SENDER) and sender in PARTIES else []
        assert _told(owed) == sorted(mails), [(m.to, m.subject) for m in owed if m.kind is Kind.EMAIL]
        if words & set(TELLS_SUPPORT):
            assert SUPPORT in {message.to for message in owed}, "support is not told"

    def _units(self, po_number: str, line: str) -> tuple[str, ...]:
        with self.house.database.reading() as tx:
            (found,) = queries.find_orders(tx, po_number)
            view = queries.get_order(tx, found.id)
        assert view is not None
        (one,) = [one for one in view.lines if one.line == line]
        return plain(one.ordered), plain(one.fulfilled), plain(one.cancelled), plain(one.open)


def _outcomes(report: FileReport) -> list[str]:
    """Of each set, `refused` with the refusal that is named first; of a file without sets, its own."""
    found = []
    for one in report.interchanges:
        for each in one.sets:
            refusal = each.to_json()["refusal"]
            found.append(f"{each.outcome.value} {refusal}" if refusal else each.outcome.value)
        if not one.sets:
            found.append(one.outcome.value)
    return found


def _segments(message: OutboxMessage) -> list[str]:
    return text_of(message).removesuffix("~").split("~")


def _documents(owed: Sequence[OutboxMessage]) -> list[str]:
    documents = (message.set_type for message in owed if message.kind is Kind.ACKNOWLEDGMENT)
    return sorted(kind for kind in documents if kind not in ("997", "TA1"))


def _verdicts(owed: Sequence[OutboxMessage]) -> list[str]:
    """AK501 of every set."""
    segments = [segment for one in owed if one.set_type == "997" for segment in _segments(one)]
    return [segment.split("*")[1] for segment in segments if segment.startswith("AK5*")]


def _codes(message: OutboxMessage) -> list[str]:
    """What an answer says by code: AK501s; TA104 and TA105; OTI01 and TED01s; BCA02; BAK02."""
    places = {"AK5": (1,), "TA1": (4, 5), "OTI": (1,), "TED": (1,), "BCA": (2,), "BAK": (2,)}
    found = []
    for segment in _segments(message):
        elements = segment.split("*")
        found += [elements[place] for place in places.get(elements[0], ())]
    return found


def _compare_answers(owed: Sequence[OutboxMessage], answers: Sequence[Answer]) -> None:
    for answer in answers:
        messages = [message for message in owed if message.set_type == answer.kind]
        assert messages, f"no {answer.kind}"
        if answer.codes:
            assert list(answer.codes) in [_codes(message) for message in messages], text_of(messages[0])
        for words in answer.segments:
            segments = [segment for message in messages for segment in _segments(message)]
            assert any(words in segment for segment in segments), (words, segments)


def _told(owed: Sequence[OutboxMessage]) -> list[str]:
    """The partners whose people are written to; never one twice for one document."""
    partners = [
        m.to.removeprefix("desk@").removesuffix(".example")
        for m in owed
        if m.kind is Kind.EMAIL and m.to.startswith("desk@")
    ]
    return sorted(partners)


def _check_at_the_end(house: House) -> None:
    """The books are right, and everything we owe passes our own guide."""
    for message in house.messages(Kind.ACKNOWLEDGMENT):
        assert message.payload, message.error
        for answer in read(message.payload).interchanges:
            assert answer.findings == ()
            for one in answer.groups:
                assert one.findings == ()
                assert [check(each, one.release) for each in one.sets] == [()] * len(one.sets)
    with house.database.reading() as tx:
        assert audit(tx) == ()


def _parameter(one: Scenario) -> ParameterSet:
    marks = [pytest.mark.xfail(strict=True, reason=one.xfail)] if one.xfail else []
    return pytest.param(one, id=one.name, marks=marks)


@pytest.mark.parametrize("scenario", [_parameter(one) for one in SCENARIOS])
def test_the_event_table(scenario: Scenario, tmp_path: Path, both_systems: None) -> None:
    telling = Telling(house_with(tmp_path, scenario.policy))
    for number, step in enumerate(scenario.steps, start=1):
        try:
            telling.play(step)
        except AssertionError as error:
            raise AssertionError(f"{scenario.place} step {number}: {error}\n{step}") from error
    _check_at_the_end(telling.house)


def test_every_row_of_the_table_has_a_scenario() -> None:
    rows = {one.name.partition(":")[0] for one in SCENARIOS}
    assert {f"Row {row}" for row in range(1, 41)} <= rows
    assert len({one.name for one in SCENARIOS}) == len(SCENARIOS)
