"""A file that breaks off inside its last interchange is told from one that is whole, and from no X12."""

import pytest

from edi.unfinished import breaks_off
from tests.unit.edi.build import group, interchange, transaction_set

ORDER = ["BEG*00*SA*PO-1**20260301", "PO1*1*5*EA*9.99**UP*012345678905", "CTT*1"]


def whole(terminator: str = "~", number: str = "000000001") -> bytes:
    made = interchange(group("PO", transaction_set("850", *ORDER)), control_number=number)
    return made.replace(b"~", terminator.encode())


@pytest.mark.parametrize("terminator", ["~", "\n", "\r\n", "~\n", "~\r\n", "'"])
def test_a_file_is_unfinished_at_every_byte_before_its_last_control_number(terminator: str) -> None:
    data = whole(terminator)
    assert not breaks_off(data)
    end = data.rindex(b"000000001") + len("000000001")
    wrong = [length for length in range(1, end) if not breaks_off(data[:length])]
    assert wrong == []
    assert not breaks_off(data[:end]), "many leave the last terminator off"


def test_a_second_interchange_that_breaks_off_leaves_the_file_unfinished() -> None:
    first, second = whole(), whole(number="000000002")
    assert not breaks_off(first + b"\r\n" + second)
    end = second.rindex(b"000000002") + len("000000002")
    wrong = [length for length in range(1, end) if not breaks_off(first + b"\r\n" + second[:length])]
    assert wrong == []


@pytest.mark.parametrize(
    "data",
    [
        b"",
        b"   \r\n",
        b"Dear hub, please cancel PO-1.",
        b"ISA" + b" is not an X12 word here" * 20,
        b"\x00" * 500,
        whole() + b"and some words after it",
        whole() + b"\x1a",
        whole() + b"\x00" * 50,
        whole()[:200] + whole(number="000000002"),  # the writer went on: nothing more will come to the first
    ],
)
def test_what_no_writer_will_complete_is_not_waited_for(data: bytes) -> None:
    assert not breaks_off(data)
