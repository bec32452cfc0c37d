"""Readers hold: whatever segments stand in a set, a reader returns, and an error means no document."""

from collections.abc import Callable

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from edi import read_824, read_850, read_855, read_856, read_860, read_865, read_870, read_997
from edi.envelope import TransactionSet
from edi.findings import Finding
from tests.unit.edi.build import one_set

Reader = Callable[[TransactionSet], tuple[object | None, tuple[Finding, ...]]]
#: Each with a heading it accepts, so that most of what follows is read and not only refused.
READERS: dict[str, tuple[Reader, str]] = {
    "824": (read_824.read, "BGN*11*1"),
    "850": (read_850.read, "BEG*00*SA*1"),
    "855": (read_855.read, "BAK*00*AC*1"),
    "856": (read_856.read, "BSN*00*1"),
    "860": (read_860.read, "BCH*04*SA*1"),
    "865": (read_865.read, "BCA*04**1"),
    "870": (read_870.read, "BSR*3*PA*1"),
    "997": (read_997.read, "AK1*PR*1"),
    "999": (read_997.read, "AK1*PR*1"),
}
TAGS = [
    "BEG", "BAK", "BSN", "BCH", "BCA", "BSR", "BGN", "HL", "PRF", "PO1", "POC", "ISR", "QTY", "LIN", "SN1",
    "SLN", "SDQ", "SCH", "PO4", "PID", "ACK", "N1", "N9", "LM", "SPI", "ADV", "REF", "DTM", "CTT", "OTI",
    "TED", "NTE", "AK1", "AK2", "AK3", "AK4", "AK5", "IK3", "IK4", "IK5", "CTX", "AK9", "SE", "ST", "ZZZ",
]  # fmt: skip
VALUES = (
    "", "0", "00", "01", "1", "2", "3", "-1", "1.5", ".", "1E9", "60>", "100>>40", ">>>>>>>9", "20260301",
    "20269999", "QC", "DI", "IC", "I", "O", "S", "EA", "IA", "8", "X" * 300, "\x1c", "\xe9", " ",
)  # fmt: skip
values = st.one_of(st.sampled_from(VALUES), st.text(alphabet=st.characters(max_codepoint=255), max_size=6))
elements = st.lists(values, max_size=30)
segments = st.tuples(st.sampled_from(TAGS), elements).map(lambda one: "*".join([one[0], *one[1]]))


@pytest.mark.parametrize("kind", sorted(READERS))
@settings(max_examples=150, deadline=None)
@given(body=st.lists(segments, max_size=25), begun=st.booleans())
def test_a_reader_returns_whatever_the_segments(kind: str, body: list[str], begun: bool) -> None:
    reader, heading = READERS[kind]
    document, findings = reader(one_set(kind, *([heading] if begun else []), *body))
    broken = any(finding.is_error for finding in findings)
    assert broken == (document is None)
    assert all(finding.message for finding in findings)
