"""Whether a file breaks off inside its last interchange, so that its writer may still be at work on it."""

import re

from edi import limits
from edi.interchanges import cut, is_closed

# How nearly every file ends; the terminator after the last number is often left off.
_END = re.compile(rb"[^A-Za-z0-9]IEA([^A-Za-z0-9])[0-9]{1,5}\1[0-9]{9}[^A-Za-z0-9]?[ \t\r\n]*\Z")
_END_BYTES_MAX = 200
_BYTE_ORDER_MARK = b"\xef\xbb\xbf"


def breaks_off(data: bytes) -> bool:
    """True when the last interchange has begun and has no end; False for what is no X12 at all."""
    if _END.search(data, max(0, len(data) - _END_BYTES_MAX)):
        return False
    if len(data) > limits.file_bytes_max:
        return False
    spans = cut(data).spans
    if not spans or not _is_blank(data[spans[-1].end :]):
        return _is_part_of_isa(data[spans[-1].end :] if spans else data)
    last = spans[-1]
    return last.header.usable and not is_closed(data, last)


def _is_blank(text: bytes) -> bool:
    return not text.strip(b" \t\r\n")


def _is_part_of_isa(text: bytes) -> bool:
    """The first bytes of an ISA, which has 106."""
    text = text.removeprefix(_BYTE_ORDER_MARK).lstrip(b" \t\r\n")
    return 0 < len(text) < limits.isa_bytes and text[:3] == b"ISA"[: len(text)]
