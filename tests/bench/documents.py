"""Documents for the bench: purchase orders, acknowledgments and ship notices as a partner would send them."""

import random
from collections.abc import Callable, Iterable, Sequence

_ISA = f"ISA*00*{'':10}*00*{'':10}*ZZ*{'BUYER':15}*ZZ*{'SELLER':15}*260304*1200*U*00401*{{:09d}}*0*P*>~"
_GS = "GS*{}*BUYERGS*SELLERGS*20260304*1200*1*X*{}~"

#: GS01 of each kind of set.
GROUPS = {"850": "PO", "855": "PR", "856": "SH"}

Body = Callable[[int, int, random.Random], list[str]]


def purchase_order(number: int, lines: int, chance: random.Random) -> list[str]:
    """An 850 of `lines` PO1 loops with PID, SDQ, CTP and PO4 in turn; about a kilobyte for ten."""
    body = [
        f"BEG*00*SA*45{number:08d}**20260304",
        f"REF*DP*{chance.randrange(1000):04d}",
        "DTM*010*20260310",
        f"N1*ST*STORE {chance.randrange(900)}*92*{chance.randrange(9000):04d}",
        "N3*1 MAIN STREET",
        "N4*SPRINGFIELD*IL*62701",
    ]
    for line in range(1, lines + 1):
        shares = [chance.randrange(1, 9) for _ in range(8)]  # of the stores that SDQ names
        ordered = sum(shares) if line % 4 == 2 else chance.randrange(1, 99)
        body.append(f"PO1*{line}*{ordered}*EA*{_price(chance)}**{_ids(chance)}")
        if line % 4 == 0:
            body.append(f"CTP**RTL*{_price(chance)}")
            body.append(f"PO4*{chance.randrange(1, 24)}*1*EA")
        elif line % 4 == 1:
            body.append(f"PID*F*08***GREEN SHIRT {chance.randrange(99)}")
        elif line % 4 == 2:
            stores = "*".join(f"{chance.randrange(9000):04d}*{share}" for share in shares)
            body.append(f"SDQ*EA*92*{stores}")
    return [*body, f"CTT*{lines}"]


def acknowledgment(number: int, lines: int, chance: random.Random) -> list[str]:
    """An 855 of `lines` PO1 loops with one ACK each, every fifth line with two."""
    body = [f"BAK*00*AD*45{number:08d}*20260304****S{number:06d}*20260305", "N1*SE*MILL*92*0042"]
    for line in range(1, lines + 1):
        ordered = chance.randrange(2, 99)
        body.append(f"PO1*{line}*{ordered}*EA*{_price(chance)}**{_ids(chance)}")
        if line % 5:
            body.append(f"ACK*IA*{ordered}*EA*068*20260401")
        else:
            body += [f"ACK*IA*{ordered - 1}*EA*068*20260401", "ACK*IR*1*EA"]
    return [*body, f"CTT*{lines}"]


def ship_notice(number: int, lines: int, chance: random.Random) -> list[str]:
    """An 856 of one order with `lines` items: shipment, order, item, each item with LIN and SN1."""
    body = [
        f"BSN*00*SHIP{number:08d}*20260306*1200*0004",
        "HL*1**S",
        "TD1*CTN25*12****G*96*LB",
        "TD5**2*UPSN*M",
        f"REF*BM*{chance.randrange(10**9):09d}",
        "DTM*011*20260306",
        f"N1*ST*STORE {chance.randrange(900)}*92*{chance.randrange(9000):04d}",
        "HL*2*1*O",
        f"PRF*45{number:08d}***20260304",
    ]
    for line in range(1, lines + 1):
        body += [
            f"HL*{line + 2}*2*I",
            f"LIN*{line}*{_ids(chance)}",
            f"SN1*{line}*{chance.randrange(1, 99)}*EA",
        ]
    return [*body, f"CTT*{lines + 2}"]


BODIES: dict[str, Body] = {"850": purchase_order, "855": acknowledgment, "856": ship_notice}


def bodies(kind: str, sets: int, lines: int = 10) -> list[list[str]]:
    """The inner segments of `sets` different sets; the same for the same arguments."""
    chance = random.Random(4010)
    return [BODIES[kind](number, lines, chance) for number in range(1, sets + 1)]


def interchange(
    kind: str, inner: Iterable[Sequence[str]], control: int = 1, version: str = "004010", newline: str = ""
) -> bytes:
    """One interchange with one group of these sets."""
    sets = [
        segment
        for number, body in enumerate(inner, 1)
        for segment in (f"ST*{kind}*{number:04d}", *body, f"SE*{len(body) + 2}*{number:04d}")
    ]
    count = sum(segment.startswith("ST*") for segment in sets)
    end = f"GE*{count}*1~{newline}IEA*1*{control:09d}~{newline}"
    head = _ISA.format(control) + newline + _GS.format(GROUPS[kind], version) + newline
    return (head + "".join(f"{segment}~{newline}" for segment in sets) + end).encode("latin-1")


def _price(chance: random.Random) -> float:
    return chance.randrange(100, 9999) / 100


def _ids(chance: random.Random) -> str:
    upc = f"{chance.randrange(10**12):012d}"
    return f"UP*{upc}*VN*A{upc[:6]}*IN*{upc[-7:]}"
