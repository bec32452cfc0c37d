"""A story: X12 files in the order partners send them, what each step means, and what must come of it all.

A story is a folder with the files, story.toml (the steps) and expected.json (the outcome). The demonstration
plays one over SFTP; the acceptance tests replay every one.
"""

import json
import tomllib
from collections.abc import Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

#: How the subject of each e-mail begins; it is all an outbox row shows of the template.
SUBJECTS: Mapping[str, tuple[str, ...]] = {
    "order_cancelled": ("Cancelled: PO ",),
    "lines_cancelled": ("Cancelled in part: PO ",),
    "cancellation_requested": ("Cancellation requested: PO ", "Reminder, cancellation requested: PO "),
    "request_lapsed": ("Request lapsed: PO ",),
    "answer_missed": ("No answer in time: PO ",),
    "request_refused": ("Request refused: PO ",),
    "request_withdrawn": ("Request withdrawn: PO ",),
    "cancellation_refused": (
        *("Not cancelled: PO ", "Cancelled only in part: PO ", "Cancellation requested only in part: PO "),
    ),
    "document_refused": ("Refused: ",),
    "answer_rejected": ("Not taken: ",),
    "document_rejected": ("Held: ", "Not processed: "),
}

_COUNTERS = ("line", "ordered", "fulfilled", "cancelled", "open")


@dataclass(frozen=True, slots=True, kw_only=True)
class Step:
    """One partner drops one file."""

    day: str
    partner: str
    file: Path
    says: str  # what happens, and why it matters


@dataclass(frozen=True, slots=True, kw_only=True)
class Story:
    """A folder of samples/stories."""

    title: str
    intro: str
    steps: tuple[Step, ...]
    policies: Mapping[str, Mapping[str, Any]]  # by partner: what its settings say other than the defaults
    expected: Mapping[str, Any]


def load(folder: Path) -> Story:
    """Read a story; every X12 file of the folder must be in one step."""
    told = tomllib.loads((folder / "story.toml").read_text(encoding="utf-8"))
    steps = tuple(
        Step(
            day=step["day"],
            partner=step["partner"],
            file=folder / step["file"],
            says=" ".join(step["says"].split()),
        )
        for step in told["step"]
    )
    unused = {path.name for path in folder.glob("*.edi")} - {step.file.name for step in steps}
    if unused:
        raise ValueError(f"{folder.name}: no step of story.toml drops {', '.join(sorted(unused))}")
    expected = json.loads((folder / "expected.json").read_text(encoding="utf-8"))
    return Story(
        title=told["title"],
        intro=" ".join(told["intro"].split()),
        steps=steps,
        policies=told.get("policies", {}),
        expected=expected,
    )


def sets_of(report: Mapping[str, Any]) -> list[dict[str, Any]]:
    """The sets of one file as expected.json writes them, from the report of `poll` or `replay`."""
    return [
        _said_set(one) | ({"released": True} if released else {}) for one, released in reported_sets(report)
    ]


def reported_sets(report: Mapping[str, Any]) -> Iterator[tuple[Mapping[str, Any], bool]]:
    """Every set of a report as it stands there; True: it came before, and this file's order let it go on."""
    for file in report["files"]:
        for interchange in file["interchanges"]:
            yield from ((one, False) for one in interchange["sets"])
        yield from ((one, True) for one in file["released"])


def _said_set(one: Mapping[str, Any]) -> dict[str, Any]:
    said = {
        "set": one["control_number"],
        "type": one["type"],
        "order": one["order"],
        "outcome": one["outcome"],
    }
    if one["refusal"]:
        said["refusal"] = one["refusal"]
    return said


def order_of(order: Mapping[str, Any]) -> dict[str, Any]:
    """One order as expected.json writes it, from `order`."""
    kept = {name: order[name] for name in ("po_number", "buyer", "seller", "status")}
    return kept | {"lines": [{name: line[name] for name in _COUNTERS} for line in order["lines"]]}


def emails_of(messages: Iterable[Mapping[str, Any]]) -> list[dict[str, str]]:
    """The e-mails as expected.json writes them, oldest first, from `outbox`."""
    mails = sorted((one for one in messages if one["kind"] == "email"), key=lambda one: int(one["id"]))
    return [email(one["to"], one["subject"]) for one in mails]


def email(to: str, subject: str) -> dict[str, str]:
    """One e-mail as expected.json writes it."""
    template = next((name for name, openings in SUBJECTS.items() if subject.startswith(openings)), "unknown")
    return {"template": template, "to": to, "subject": subject}


def differences(expected: Mapping[str, Any], seen: Mapping[str, Any]) -> tuple[str, ...]:
    """What came out otherwise, a sentence each; only what `seen` speaks of is compared."""
    return tuple(
        sentence
        for name in seen
        for sentence in _differences(name, expected.get(name, "nothing is said of it"), seen[name])
    )


def _differences(name: str, expected: Any, seen: Any) -> Iterator[str]:
    if expected == seen:
        return
    if isinstance(expected, Mapping) and isinstance(seen, Mapping):
        for key in dict.fromkeys((*expected, *seen)):
            yield from _differences(f"{name}, {key}", expected.get(key), seen.get(key))
    elif _rows(expected) and _rows(seen):
        missing, extra = _without(expected, seen), _without(seen, expected)
        yield from (f"{name}: expected and not seen: {json.dumps(row)}" for row in missing)
        yield from (f"{name}: seen and not expected: {json.dumps(row)}" for row in extra)
        if not missing and not extra:
            yield f"{name}: all there, in another order"
    else:
        yield f"{name}: expected {json.dumps(expected)}, seen {json.dumps(seen)}"


def _rows(value: Any) -> bool:
    return isinstance(value, list)


def _without(rows: Sequence[Any], others: Sequence[Any]) -> list[Any]:
    """The rows that the others do not have, counting repeats."""
    left = list(others)
    kept = []
    for row in rows:
        if row in left:
            left.remove(row)
        else:
            kept.append(row)
    return kept
