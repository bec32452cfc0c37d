"""Hostile: files that try to make reading slow, by name, each of any size."""

from collections.abc import Callable
from itertools import count, islice, permutations

Shape = Callable[[int], bytes]

_ISA = f"ISA*00*{'':10}*00*{'':10}*ZZ*{'BUYER':15}*ZZ*{'HUB':15}*260304*1200*U*00401*000000001*0*P*>~"
_GS = "GS*{}*A*B*20260304*1200*1*X*004010~"
_ORDER = "ST*850*0001~BEG*00*SA*PO-1**20260304~"
_LINE = _ORDER + "PO1*1*10*EA~"
_NOTICE = "ST*856*0001~BSN*00*SHIP-1*20260306*1200~"
_END = "SE*9*0001~GE*1*1~IEA*1*000000001~"


def _repeated(head: str, unit: str) -> Shape:
    return lambda size: (head + unit * (size // len(unit))).encode("latin-1")


def _counted(head: str, unit: str) -> Shape:
    """As often as it fits, with a number that goes up."""

    def shape(size: int) -> bytes:
        times = size // len(unit.format(10_000, 9_999))
        return (head + "".join(unit.format(n, n - 1) for n in range(1, times + 1)) + _END).encode("latin-1")

    return shape


def _order(unit: str, head: str = _ORDER) -> Shape:
    return _repeated(_ISA + _GS.format("PO") + head, unit)


def _delimiters(size: int) -> bytes:
    """Small interchanges that each have delimiters of their own."""
    characters = [chr(code) for code in range(0xA1, 0x100)]
    body = _ISA + _GS.format("PO") + _ORDER + _END
    each = (body.replace("*", a).replace("~", b) for a, b in permutations(characters, 2))
    return "".join(islice(each, size // len(body))).encode("latin-1")


def _control_numbers(size: int) -> bytes:
    """Good interchanges of one empty set, one behind the other."""
    body = _ISA + _GS.format("PO") + "ST*850*0001~SE*2*0001~GE*1*1~IEA*1*000000001~"
    numbers = (body.replace("000000001", f"{number:09}") for number in count(1))
    return "".join(islice(numbers, size // len(body))).encode("latin-1")


SHAPES: dict[str, Shape] = {
    "GS and nothing else": _repeated(_ISA, "GS~"),
    "ST and nothing else": _repeated(_ISA + _GS.format("PO"), "ST~"),
    "sets without SE": _counted(_ISA + _GS.format("PO"), "ST*850*{:05}~"),
    "sets of ST and SE": _counted(_ISA + _GS.format("PO"), "ST*850*{0:05}~SE*2*{0:05}~"),
    "segments outside sets": _repeated(_ISA, _GS.format("PO") + "N1*ST~GE*0*1~"),
    "ISA and nothing else": _repeated("", "ISA*"),
    "ISA with other separators": _repeated("", "ISA|ISA!ISA*"),
    "interchanges of one set": _control_numbers,
    "delimiters of their own": _delimiters,
    "terminators and nothing else": _repeated(_ISA, "~"),
    "one segment without end": _order("A"),
    "separators and nothing else": _order("*"),
    "blank lines": _order("\r\n \r\n"),
    "unknown segments": _order("ZZ9*1~"),
    "numbers that are none": _order("PO1*1*TEN*ZZ*+1**QQ~"),
    "a line with ever more ids": _counted(_ISA + _GS.format("PO") + _LINE, "LIN**UP*{}~"),
    "stores without quantities": _order("SDQ*EA*92*1*X*2*~", _LINE),
    "a level below itself": _repeated(_ISA + _GS.format("SH") + _NOTICE + "ZZ9~", "HL*1*1*I~"),
    "ever deeper levels": _counted(_ISA + _GS.format("SH") + _NOTICE, "HL*{}*{}*I~"),
}
