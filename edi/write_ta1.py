"""Write TA1: the acknowledgment of one interchange as such, straight under ISA, without any group."""

from collections.abc import Sequence
from datetime import datetime

from edi.envelope import Interchange
from edi.findings import Finding, Level
from edi.write_envelope import ControlNumbers, echo, route_back, segment, write_interchange

_NO_ERROR = "000"
# For an error that has no note of its own in I18: invalid interchange content.
_CONTENT = "024"


def verdict(findings: Sequence[Finding]) -> tuple[str, str]:
    """TA104 (I17) and TA105 (I18): R and the first error's note, E and the first warning's, or A and 000.

    A warning without a note of its own is not answered.
    """
    errors = [finding for finding in findings if finding.is_error]
    if errors:
        notes = [finding.code.x12 for finding in errors if finding.code.answer == "TA1"]
        return "R", notes[0] if notes else _CONTENT
    warned = [finding for finding in findings if finding.level is Level.WARNING]
    notes = [finding.code.x12 for finding in warned if finding.code.answer == "TA1"]
    return ("E", notes[0]) if notes else ("A", _NO_ERROR)


def write(
    interchange: Interchange,
    *,
    numbers: ControlNumbers,
    at: datetime,
    findings: Sequence[Finding] | None = None,
) -> bytes:
    """ISA, TA1, IEA back to the sender of `interchange`; `findings` are the interchange's own by default.

    TA101 to TA103 repeat ISA13 (I12), ISA09 (I08) and ISA10 (I09) as sent.
    """
    route = route_back(interchange)
    form = route.form
    code, note = verdict(interchange.findings if findings is None else findings)
    ta1 = segment(
        "TA1",
        echo(interchange.control_number, form, "0" * 9),
        echo(interchange.date, form, "0" * 6),
        echo(interchange.time, form, "0" * 4),
        code,
        note,
    )
    return write_interchange(route, [ta1], groups=0, control=numbers.interchange, at=at)
