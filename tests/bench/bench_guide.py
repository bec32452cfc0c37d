"""Bench: transaction sets a second through the guide, beside pyx12 and a bare split; run by hand."""

import random
import time
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pyx12.map_if
import pyx12.map_walker
import pyx12.params
import pyx12.segment

import edi
from edi.delimiters import Delimiters
from edi.envelope import TransactionSet
from edi.guide import check, guide_for

_delimiters = Delimiters(element="*", component=">", terminator="~")
_release = "004010"


def purchase_order(number: int, lines: int, rng: random.Random) -> TransactionSet:
    """One 850 of `lines` PO1 loops with CTP, PID, PO4 and SDQ in turn; about a kilobyte for ten."""
    control = f"{number:04d}"
    body = [
        f"ST*850*{control}",
        f"BEG*00*SA*45{number:08d}**20260304",
        f"REF*DP*{rng.randrange(1000):04d}",
        "DTM*010*20260310",
        f"N1*ST*STORE {rng.randrange(900)}*92*{rng.randrange(9000):04d}",
        "N3*1 MAIN STREET",
        "N4*SPRINGFIELD*IL*62701",
    ]
    for line in range(1, lines + 1):
        upc = f"{rng.randrange(10**12):012d}"
        price = rng.randrange(100, 9999) / 100
        body.append(f"PO1*{line}*{rng.randrange(1, 99)}*EA*{price}**UP*{upc}*VN*A{upc[:6]}*IN*{upc[-7:]}")
        extra = line % 4
        if extra == 0:
            body.append(f"CTP**RTL*{rng.randrange(100, 9999) / 100}")
            body.append(f"PO4*{rng.randrange(1, 24)}*1*EA")
        elif extra == 1:
            body.append(f"PID*F*08***GREEN SHIRT {rng.randrange(99)}")
        elif extra == 2:
            stores = "*".join(f"{rng.randrange(9000):04d}*{rng.randrange(1, 9)}" for _ in range(8))
            body.append(f"SDQ*EA*92*{stores}")
    body += [f"CTT*{lines}", f"SE*{len(body) + 2}*{control}"]
    return TransactionSet(
        type="850",
        control_number=control,
        delimiters=_delimiters,
        segments=tuple(body),
        offset=0,
        findings=(),
    )


def pyx12_validate(map_root: Any, order: TransactionSet) -> int:
    """The same set through pyx12's walker and element checks, its map loaded before; how many errors."""
    walker = pyx12.map_walker.walk_tree()
    loop = "/ISA_LOOP/GS_LOOP/ST_LOOP"
    walker.forceWalkCounterToLoopStart(loop, f"{loop}/ST")
    node = map_root.getnodebypath(f"{loop}/ST")
    errors = len(node.is_valid_errors(_segment(order.segments[0]))[1])
    for count, text in enumerate(order.segments[1:], 2):
        segment = _segment(text)
        found, _, _, walk_errors = walker.walk_errors(node, segment, count, count, None)
        errors += len(walk_errors)
        if found is not None:
            node = found
            errors += len(node.is_valid_errors(segment)[1])
    return errors


def _segment(text: str) -> Any:
    return pyx12.segment.Segment(text, "~", "*", ">")


def rate(work: Callable[[], object], sets: int, repeats: int = 5) -> float:
    """Sets a second, the best of some runs."""
    best = float("inf")
    for _ in range(repeats):
        begin = time.perf_counter()
        work()
        best = min(best, time.perf_counter() - begin)
    return sets / best


def main() -> None:
    rng = random.Random(4010)
    orders = [purchase_order(number, 10, rng) for number in range(1, 1001)]
    text = "".join(segment + "~" for order in orders for segment in order.segments)
    few = orders[:50]
    guide_for(_release, "850")
    maps = Path(edi.__file__).parent / "maps" / _release
    root = pyx12.map_if.load_map_file("850.xml", pyx12.params.ParamsBase(), map_path=str(maps))
    assert not any(check(order, _release) for order in orders)
    assert not any(pyx12_validate(root, order) for order in few)

    ours = rate(lambda: [check(order, _release) for order in orders], len(orders))
    theirs = rate(lambda: [pyx12_validate(root, order) for order in few], len(few), 3)
    split = rate(lambda: [segment.split("*") for segment in text.split("~")], len(orders))
    segments = sum(len(order.segments) for order in orders)
    print(f"{len(orders)} purchase orders, {segments} segments, {len(text) / 1e6:.2f} MB")
    print(f"check            {ours:10,.0f} sets/s   {ours * len(text) / len(orders) / 1e6:6.1f} MB/s")
    print(f"pyx12, cached    {theirs:10,.0f} sets/s   check is {ours / theirs:.0f} times as fast")
    print(f"bare split       {split:10,.0f} sets/s   check takes {split / ours:.1f} times as long")


if __name__ == "__main__":
    main()
