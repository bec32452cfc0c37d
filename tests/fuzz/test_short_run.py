"""A short run of every fuzzing target, the same inputs every time; a run by hand is in docs/fuzzing.md."""

import argparse
from pathlib import Path
from random import Random

import pytest

from edi import envelope
from edi.delimiters import Delimiters
from edi.documents import Document
from pipeline.mapping import Origin
from pipeline.mapping.purchase_order import purchase_order
from storage.commands import CancelOrder, Submission
from tests.fuzz import orders, reading, running
from tests.fuzz.mutation import Mutator, X12File, inputs
from tests.fuzz.seeds import SAMPLES, seeds
from tests.unit.edi.build import HOSTILE, STAR, group, interchange, one_set, order_file, transaction_set

#: Inputs by target: what each costs differs.
RUNS = {
    "envelope": 200, "guide": 60, "oracle": 40, "orders": 120, "answers": 100, "rewrite": 120, "writers": 40,
    "show": 40, "redact": 150,
}  # fmt: skip
ORDERED = transaction_set("850", "BEG*00*SA*1**20260301", "PO1*1*10*EA*1**UP*012345678905", "CTT*1")
CRASHERS = sorted((SAMPLES / "crashers").iterdir())
ON_FILES = sorted(running.TARGETS.keys() - running.UNSTRUCTURED - {"oracle"})


@pytest.mark.parametrize("name", sorted(running.TARGETS))
def test_nothing_is_found(name: str) -> None:
    check, rng = running.TARGETS[name], Random(7)
    if name in running.UNSTRUCTURED:
        data = [rng.randbytes(512) for _ in range(RUNS[name])]
    else:
        data = list(inputs(seeds(), RUNS[name], seed=7))
    failures = {one: failure for one in data if (failure := running.outcome(check, one)[1])}
    assert failures == {}


@pytest.mark.parametrize("name", ON_FILES)
def test_what_was_found_once_is_not_found_again(name: str) -> None:
    short = [path for path in CRASHERS if path.stat().st_size <= 25_000]
    failures = {path.name: running.outcome(running.TARGETS[name], path.read_bytes())[1] for path in short}
    assert {name: failure for name, failure in failures.items() if failure} == {}


# --- the fuzzer itself --------------------------------------------------------------------------------------


def test_the_same_seed_gives_the_same_inputs() -> None:
    assert inputs(seeds(), 50, seed=3) == inputs(seeds(), 50, seed=3)
    assert inputs(seeds(), 50, seed=3) != inputs(seeds(), 50, seed=4)


@pytest.mark.parametrize("marks", [STAR, *HOSTILE], ids=repr)
def test_a_file_is_taken_apart_and_put_together(marks: Delimiters) -> None:
    data = order_file(delimiters=marks)
    file = X12File.parsed(data)
    assert file is not None
    assert file.data() == data
    file.recount()
    assert file.data() == data


def test_many_inputs_still_are_clean_and_many_are_not() -> None:
    """Where nearly all are broken at once, nothing behind the first check is reached."""
    found = [bool(reading.envelope_findings(envelope.read(data))) for data in inputs(seeds(), 300, seed=1)]
    assert 60 < sum(found) < 240


def test_a_failing_input_is_made_small() -> None:
    def check(data: bytes) -> frozenset[str]:
        assert b"PO1*2" not in data
        return frozenset()

    _, failure = running.outcome(check, order_file())
    assert failure.startswith("AssertionError at test_short_run.py:")
    assert running.minimised(check, order_file(), failure.partition(" | ")[0]) == b"PO1*2"


def test_a_run_keeps_what_it_finds(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    def check(data: bytes) -> frozenset[str]:
        raise ValueError("always")

    monkeypatch.setitem(running.TARGETS, "envelope", check)
    chosen = argparse.Namespace(keep=tmp_path, seed=1, runs=5, seconds=0)
    assert running.plain("envelope", chosen) == 1
    assert len(list(tmp_path.iterdir())) == 1


def test_bytes_that_nothing_accounts_for_are_noticed() -> None:
    data = order_file()
    read = envelope.read(data + b"\nleft over")
    with pytest.raises(AssertionError):
        reading.check_bytes_outside(data + b"\nleft over", envelope.Reading(read.interchanges, ()))


@pytest.mark.parametrize(
    ("segments", "cancels"),
    [
        (("BCH*01*SA*1***20260301",), True),
        (("BCH*04*SA*1***20260301", "POC*1*CF"), True),
        (("BCH*04*SA*1***20260301", "POC*1*DI"), False),
        (("BCH*04*SA*01***20260301", "REF*DP*01"), False),
    ],
)
def test_a_code_that_cancels_counts_only_in_its_place(segments: tuple[str, ...], cancels: bool) -> None:
    assert orders.says(one_set("860", *segments), orders.ORDER_CODES) == cancels


def test_the_way_to_the_rule_is_taken() -> None:
    """An order and its cancellation in one file reach the ledger's rule and cancel."""
    cancelled = transaction_set("850", "BEG*01*SA*1**20260301", "PO1*1*10*EA*1**UP*012345678905", "CTT*1")
    cancelled[0], cancelled[-1] = "ST*850*0002", "SE*5*0002"
    kinds = {kind for n in range(40) for kind in orders.check_orders(numbered(n, ORDERED, cancelled))}
    assert {"850 PlaceOrder ['order_placed']", "850 CancelOrder ['order_cancelled']"} <= kinds


def numbered(number: int, *sets: list[str]) -> bytes:
    """The sets in an interchange; its number stands for chance."""
    return interchange(group("PO", *sets), control_number=f"{number:09}")


def test_every_operation_changes_something() -> None:
    mutator, data = Mutator(seeds()), order_file()
    assert len({mutator.mutated(data, Random(seed)) for seed in range(200)}) > 150


def test_a_cancellation_that_nobody_said_is_noticed(monkeypatch: pytest.MonkeyPatch) -> None:
    def to_submission(document: Document, came_from: Origin) -> Submission:
        mapped = purchase_order(document, came_from)  # type: ignore[arg-type]
        assert isinstance(mapped, Submission)
        placed = mapped.commands[0]
        made_up = CancelOrder(order=placed.order, by=placed.by, at=placed.at, source=placed.source)
        return Submission(commands=(made_up,))

    monkeypatch.setattr(orders, "to_submission", to_submission)
    made = [running.outcome(orders.check_orders, numbered(number, ORDERED))[1] for number in range(20)]
    assert any("without a cancelling code" in failure for failure in made)
