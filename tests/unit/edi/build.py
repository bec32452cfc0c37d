"""Builds X12 texts for tests: interchanges from lists of segments, with any delimiters."""

from collections.abc import Sequence

from edi.delimiters import Delimiters
from edi.envelope import TransactionSet

STAR = Delimiters(element="*", component=">", terminator="~")
STAR_5010 = Delimiters(element="*", component=">", terminator="~", repetition="^")
#: Separators seen in live traffic, white space to Python's str methods among them.
HOSTILE = (
    Delimiters(element="\x07", component=">", terminator="\x85"),
    Delimiters(element="\x1d", component="\x1f", terminator="\x1c"),
    Delimiters(element="|", component=":", terminator="\n"),
    Delimiters(element="^", component="<", terminator="\r"),
    Delimiters(element="@", component="{", terminator="_"),
    Delimiters(element="\t", component=">", terminator="\x15"),
)


def transaction_set(kind: str, *segments: str, control_number: str = "0001", st03: str = "") -> list[str]:
    """ST, the segments (written with "*" and ">"), and an SE that counts right."""
    st = f"ST*{kind}*{control_number}" + (f"*{st03}" if st03 else "")
    return [st, *segments, f"SE*{len(segments) + 2}*{control_number}"]


def group(
    functional_id: str,
    *sets: Sequence[str],
    control_number: str = "1",
    version: str = "004010",
    sender: str = "BUYERGS",
    receiver: str = "HUBGS",
) -> list[str]:
    """GS, the sets, and a GE that counts right."""
    gs = f"GS*{functional_id}*{sender}*{receiver}*20260301*1200*{control_number}*X*{version}"
    return [gs, *[segment for one in sets for segment in one], f"GE*{len(sets)}*{control_number}"]


def isa(
    delimiters: Delimiters = STAR,
    *,
    control_number: str = "000000001",
    version: str = "",
    sender: str = "BUYER",
    receiver: str = "HUB",
    usage: str = "P",
    acknowledge: str = "0",
) -> str:
    """An ISA of 106 bytes, terminator included."""
    version = version or ("00501" if delimiters.repetition else "00401")
    elements = [
        "ISA", "00", " " * 10, "00", " " * 10, "ZZ", f"{sender:<15}", "ZZ", f"{receiver:<15}",
        "260301", "1200",
        delimiters.repetition or "U", version, control_number, acknowledge, usage, delimiters.component,
    ]  # fmt: skip
    return delimiters.element.join(elements) + delimiters.terminator


def interchange(
    *groups: Sequence[str],
    delimiters: Delimiters = STAR,
    control_number: str = "000000001",
    newline: str = "",
    header: str = "",
    version: str = "",
    sender: str = "BUYER",
    receiver: str = "HUB",
    usage: str = "P",
) -> bytes:
    """A whole interchange; "*" and ">" become the delimiters, `newline` follows each terminator."""
    segments = [segment for one in groups for segment in one]
    segments.append(f"IEA*{len(groups)}*{control_number}")
    table = str.maketrans({"*": delimiters.element, ">": delimiters.component})
    names = {"version": version, "sender": sender, "receiver": receiver, "usage": usage}
    opening = header or isa(delimiters, control_number=control_number, **names)
    body = [segment.translate(table) + delimiters.terminator for segment in segments]
    return newline.join([opening, *body, ""]).encode("latin-1")


def one_set(
    kind: str, *segments: str, delimiters: Delimiters = STAR, control_number: str = "0001"
) -> TransactionSet:
    """A transaction set as the envelope reader would hand it on."""
    table = str.maketrans({"*": delimiters.element, ">": delimiters.component})
    texts = [s.translate(table) for s in transaction_set(kind, *segments, control_number=control_number)]
    return TransactionSet(
        type=kind,
        control_number=control_number,
        delimiters=delimiters,
        segments=tuple(texts),
        offset=0,
        findings=(),
    )


#: One valid purchase order of two lines.
ORDER = (
    "BEG*00*SA*PO-0001**20260301",
    "REF*DP*42",
    "DTM*002*20260401",
    "N1*ST*A STORE*92*0042",
    "PO1*1*10*EA*5.25**UP*012345678905*VN*W-1",
    "PID*F****BLUE WIDGET",
    "PO1*2*4*EA*7**UP*012345678912",
    "CTT*2*14",
)


def order_file(**options: object) -> bytes:
    """A valid 850 in its interchange; options as for `interchange`."""
    return interchange(group("PO", transaction_set("850", *ORDER)), **options)  # type: ignore[arg-type]
