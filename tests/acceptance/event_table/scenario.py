"""The words of the event table: scenarios as text, read into steps."""

import re
from dataclasses import dataclass, field
from pathlib import Path

_PART = re.compile(r"(?P<name>[A-Z][A-Z0-9_]*)(?:\((?P<arguments>[^()]*)\))?\s*=\s*(?P<body>.+)")
_USE = re.compile(r"\b(?P<name>[A-Z][A-Z0-9_]+)\((?P<arguments>[^()]*)\)")
_SAYING = re.compile(r"(?P<sender>[a-z]+) (?P<rest>(?:\d{3}|ISA) .+)")
_LINE = re.compile(
    r"line (?:(?P<po>\S+) )?(?P<line>\S+): (?P<ordered>\S+) = (?P<fulfilled>\S+) fulfilled, "
    r"(?P<cancelled>\S+) cancelled, (?P<open>\S+) open"
)
_QUOTED = re.compile(r'"([^"]*)"')


@dataclass(frozen=True)
class Answer:
    """A document that is owed: its type, the codes it must carry, and what its segments must begin with."""

    kind: str
    codes: tuple[str, ...]
    segments: tuple[str, ...]


@dataclass(frozen=True)
class Said:
    """One file: its groups of sets, who sends it, and what must come of it."""

    sender: str
    groups: tuple[tuple[str, tuple[tuple[str, ...], ...]], ...]  # (type, bodies)
    options: dict[str, str]
    outcomes: tuple[str, ...]
    answers: tuple[Answer, ...] = ()
    mails: tuple[str, ...] | None = None


@dataclass(frozen=True)
class Again:
    """An earlier file of the scenario, byte for byte, counted from 1."""

    place: int
    outcomes: tuple[str, ...]
    answers: tuple[Answer, ...] = ()


@dataclass(frozen=True)
class Wait:
    """So many hours pass, and what waited too long is given up."""

    hours: int
    answers: tuple[Answer, ...] = ()
    mails: tuple[str, ...] | None = None


@dataclass(frozen=True)
class Line:
    """What the ledger must say of a line now."""

    po_number: str
    line: str
    units: tuple[str, str, str, str]  # ordered, fulfilled, cancelled, open


@dataclass(frozen=True)
class NoOrder:
    """There must be no such order."""

    po_number: str


Step = Said | Again | Wait | Line | NoOrder


@dataclass
class Scenario:
    """A name, an agreement, and what happens."""

    name: str
    place: str
    policy: str = ""
    xfail: str = ""
    steps: list[Step] = field(default_factory=list)


def scenarios(folder: Path) -> list[Scenario]:
    """Every scenario of every file of the folder, in order."""
    parts: dict[str, str] = {}
    for line in _lines(folder / "parts.txt"):
        found = _PART.fullmatch(line[1].strip())
        assert found, f"parts.txt:{line[0]}: {line[1]}"
        parts[found["name"]] = _as_template(found["arguments"] or "", found["body"])
    read: list[Scenario] = []
    for path in sorted(folder.glob("*.txt")):
        if path.name != "parts.txt":
            read += _scenarios_of(path, parts)
    return read


def _scenarios_of(path: Path, parts: dict[str, str]) -> list[Scenario]:
    read: list[Scenario] = []
    for number, line in _lines(path):
        place = f"{path.name}:{number}"
        if not line.startswith(" "):
            read.append(Scenario(name=line.strip(), place=place))
            continue
        words = line.strip()
        if words.startswith("given "):
            read[-1].policy += words.removeprefix("given ") + "\n"
        elif words.startswith("xfail "):
            read[-1].xfail = words.removeprefix("xfail ")
        else:
            read[-1].steps.append(_step(words, parts, place))
    return read


def _lines(path: Path) -> list[tuple[int, str]]:
    """Lines that say something; one that ends in a backslash goes on in the next."""
    joined: list[tuple[int, str]] = []
    more = False
    for number, line in enumerate(path.read_text(encoding="utf-8").splitlines(), start=1):
        if not line.strip() or line.lstrip().startswith("#"):
            continue
        text = line.rstrip().removesuffix("\\").rstrip()
        if more:
            first, before = joined.pop()
            joined.append((first, f"{before} {text.strip()}"))
        else:
            joined.append((number, text))
        more = line.rstrip().endswith("\\")
    return joined


def _step(words: str, parts: dict[str, str], place: str) -> Step:
    said, _, expected = words.partition(" -> ")
    if found := _LINE.fullmatch(words):
        figures = (found["ordered"], found["fulfilled"], found["cancelled"], found["open"])
        return Line(found["po"] or "PO-1", found["line"], figures)
    if words.startswith("no order "):
        return NoOrder(words.removeprefix("no order "))
    outcomes, answers, mails = _expected(expected)
    if said.startswith("again "):
        return Again(int(said.removeprefix("again ")), outcomes, answers)
    if said.startswith("wait "):
        return Wait(int(said.removeprefix("wait ").removesuffix("h")), answers, mails)
    found = _SAYING.fullmatch(said)
    assert found, f"{place}: {words}"
    rest, options = _options(found["rest"])
    groups = tuple(_group(text.strip(), parts) for text in rest.split(" && "))
    sets = sum(len(bodies) for _, bodies in groups)
    return Said(found["sender"], groups, options, outcomes or ("applied",) * sets, answers, mails)


def _options(text: str) -> tuple[str, dict[str, str]]:
    """`860 {release=005010; number=7} ...`: how the envelope differs."""
    found = re.search(r"\{([^}]*)\} ", text)
    if not found:
        return text, {}
    pairs = (option.strip().partition("=") for option in found[1].split(";"))
    return text.replace(found[0], ""), {name: value for name, _, value in pairs}


def _group(text: str, parts: dict[str, str]) -> tuple[str, tuple[tuple[str, ...], ...]]:
    kind, _, bodies = text.partition(" ")
    return kind, tuple(_body(kind, body, parts) for body in bodies.split(" & "))


def _body(kind: str, text: str, parts: dict[str, str]) -> tuple[str, ...]:
    """Segments; a CTT that counts right is put behind them when there is none."""
    expanded = _USE.sub(lambda use: _fill(use, parts), text)
    segments = [segment.strip() for segment in expanded.split(" | ") if segment.strip()]
    counted = {"850": "PO1", "855": "PO1", "856": "HL", "860": "POC", "865": "POC"}.get(kind)
    if counted and not any(segment.startswith("CTT") for segment in segments):
        segments.append(f"CTT*{sum(segment.split('*')[0] == counted for segment in segments)}")
    return tuple(segments)


def _as_template(arguments: str, body: str) -> str:
    for place, name in enumerate(filter(None, (one.strip() for one in arguments.split(",")))):
        body = body.replace(f"<{name}>", f"<{place}>")
    return body


def _fill(use: re.Match[str], parts: dict[str, str]) -> str:
    body = parts[use["name"]]
    for place, value in enumerate(use["arguments"].split(",")):
        body = body.replace(f"<{place}>", value.strip())
    assert "<" not in body, f"{use[0]} says too little"
    return _USE.sub(lambda inner: _fill(inner, parts), body)


def _expected(text: str) -> tuple[tuple[str, ...], tuple[Answer, ...], tuple[str, ...] | None]:
    """`refused STALE, 824 TR 024, mail acme`; outcomes of several sets have `;` between them."""
    outcomes: tuple[str, ...] = ()
    answers: list[Answer] = []
    mails: tuple[str, ...] | None = None
    for clause in filter(None, (one.strip() for one in re.split(r',\s*(?=(?:[^"]*"[^"]*")*[^"]*$)', text))):
        first, *codes = _QUOTED.sub("", clause).split()
        if first == "mail":
            mails = tuple(sorted(code for code in codes if code != "nobody"))
        elif first.isdigit() or first == "TA1":
            answers.append(Answer(first, tuple(codes), tuple(_QUOTED.findall(clause))))
        else:
            outcomes = tuple(one.strip() for one in clause.split(";"))
    return outcomes, tuple(answers), mails
