"""824 Application Advice: a transaction set to an ApplicationAdvice."""

from dataclasses import dataclass, field
from datetime import date, time

from edi.documents import AdviceError, AdvisedTransaction, ApplicationAdvice, Party
from edi.envelope import TransactionSet
from edi.findings import Finding
from edi.values import Segment, Values, party


def read(transaction_set: TransactionSet) -> tuple[ApplicationAdvice | None, tuple[Finding, ...]]:
    """Read an 824. No document comes with findings that are errors: nothing half read is handed on.

    The notes (NTE) below a TED are added to its text. Amounts, names and RED are the partner's own business.
    """
    values = Values(transaction_set)
    reader = _Reader(values)
    for segment in values.segments():
        reader.take(segment)
    advice = reader.advice()
    return (None if values.failed else advice), tuple(values.findings)


@dataclass(slots=True)
class _Error:
    """One TED with its notes."""

    head: Segment
    position: int  # TED04
    texts: list[str]

    def read(self) -> AdviceError:
        head = self.head
        return AdviceError(
            code=head.text(1),
            text=" ".join(self.texts),
            segment=head.text(3),
            position=self.position,
            value=head.text(7),
        )


@dataclass(slots=True)
class _Advised:
    """One OTI with what stands below it."""

    head: Segment
    references: list[tuple[str, str]] = field(default_factory=list)
    errors: list[_Error] = field(default_factory=list)

    def read(self) -> AdvisedTransaction:
        head = self.head
        return AdvisedTransaction(
            verdict=head.text(1),
            qualifier=head.text(2),
            reference=head.text(3),
            group_sender=head.text(4),
            group_receiver=head.text(5),
            group_control_number=head.text(8),
            set_control_number=head.text(9),
            set_type=head.text(10),
            references=tuple(self.references),
            errors=tuple(error.read() for error in self.errors),
        )


class _Reader:
    """The heading until the first OTI, then one OTI loop after another."""

    def __init__(self, values: Values) -> None:
        self._values = values
        self._bgn: Segment | None = None
        self._created_on: date | None = None
        self._created_at: time | None = None
        self._parties: list[Party] = []
        self._advised: list[_Advised] = []
        self._last = 1

    def take(self, segment: Segment) -> None:
        tag = segment.tag
        if tag != "SE":
            self._last = segment.position
        if tag == "BGN":
            self._take_bgn(segment)
        elif tag == "N1":
            if not self._advised:
                self._parties.append(party(segment))
        elif tag == "OTI":
            for number, reference in ((1, "110"), (2, "128"), (3, "127")):
                self._values.required(segment, number, reference)
            self._advised.append(_Advised(segment))
        elif tag == "REF":
            self._reference(segment)
        elif tag == "TED":
            self._error(segment)
        elif tag == "NTE":
            self._note(segment)

    def advice(self) -> ApplicationAdvice | None:
        bgn = self._bgn
        if not self._advised:
            message = "the advice has no OTI: it says nothing of any transaction"
            self._values.missing_segment("OTI", message, self._last + 1, "OTI")
        if bgn is None:
            self._values.missing_segment("BGN", "the advice has no BGN", 2)
            return None
        return ApplicationAdvice(
            purpose=bgn.text(1),
            reference=bgn.text(2),
            created_on=self._created_on,
            created_at=self._created_at,
            parties=tuple(self._parties),
            transactions=tuple(advised.read() for advised in self._advised),
        )

    def _take_bgn(self, segment: Segment) -> None:
        if self._bgn is not None:
            self._values.too_many(segment, "heading")
            return
        self._bgn = segment
        self._values.required(segment, 1, "353")
        self._values.required(segment, 2, "127")
        self._created_on = self._values.date(segment, 3)
        self._created_at = self._values.time(segment, 4)

    def _reference(self, segment: Segment) -> None:
        """REF below an OTI; those of the parties in the heading are not kept."""
        if self._advised and segment.text(2):
            self._advised[-1].references.append((segment.text(1), segment.text(2)))

    def _error(self, segment: Segment) -> None:
        if not self._advised:
            self._values.out_of_place(segment, "TED stands under no OTI")
            return
        self._values.required(segment, 1, "647")
        texts = [segment.text(2)] if segment.text(2) else []
        position = self._values.integer(segment, 4, "719")
        self._advised[-1].errors.append(_Error(segment, position, texts))

    def _note(self, segment: Segment) -> None:
        if not self._advised or not self._advised[-1].errors:
            self._values.out_of_place(segment, "NTE stands under no TED")
        elif segment.text(2):
            self._advised[-1].errors[-1].texts.append(segment.text(2))
