"""The page about errors: an index by what an answer says, then the entries."""

from collections.abc import Iterable, Iterator, Mapping, Sequence
from pathlib import Path

from edi.codes import meanings
from edi.findings import FindingCode
from tests.acceptance.gallery.findings import FindingEntry
from tests.acceptance.gallery.hub import SAMPLES, History
from tests.acceptance.gallery.refusals import ADVICE, QuestionEntry, RefusalEntry, said

OPENING = """\
# Errors: what you got, and what to do

You sent a document and got an answer that says no. Find the code of the answer below; its entry shows a
document with that error, where the error is, what to do, and the answer it gets. The pages of a hub's own
staff are [refusals](refusals.md) and the [runbook](runbook.md).

This page is written by `tests/acceptance/test_gallery.py` from the files of `samples/`; nothing in it is
made up by hand. `countermand check FILE` shows the same about any file of yours.

| You got | It is about | Look at |
|---|---|---|
| TA1 | the interchange, ISA to IEA: nothing in it was used | [TA105](#ta105) |
| 997, AK9 | a functional group, GS to GE | [AK905](#ak905) |
| 997, AK5 | a transaction set, ST to SE: rejected, it was not used; others beside it were | [AK502](#ak502) |
| 997, AK3 and AK4 | a segment (AK301; AK302 counts from ST as 1) and its elements | \
[AK304](#ak304), [AK403](#ak403) |
| 824 | a document that could be read and was not done, because of the order it is about | [TED01](#ted01) |
| nothing | it could not be told who asks, or what was found is no error | [no answer](#no-answer) |

AK501 and AK901 say how grave it is:

| Code | AK501, the set | AK901, the group |
|---|---|---|
| A | accepted | every set is accepted |
| E | accepted, and something is noted | no set is rejected, and something is noted |
| P | | some sets are accepted, others rejected |
| R | rejected | every set is rejected, or the group itself cannot be used |

Answers are written in the release of what they answer. Releases 004010 and 005010 have the same codes here,
except in the 824; AK1 and AK2 of 005010 also repeat GS08 and ST03. The answers below are without envelope,
and segments end where lines end.
"""

#: What each index is about: its heading, the segment the code is for, and the data element.
_INDEXES = (
    ("TA105", "TA1", "I18"),
    ("AK905", "AK9", "716"),
    ("AK502", "AK5", "718"),
    ("AK304", "AK3", "720"),
    ("AK403", "AK4", "723"),
)
#: What follows from other codes, and has no entry of its own.
_DERIVED = {
    "AK502": ("5", "the AK3 and AK4 above it say which"),
    "AK304": ("8", "the AK4 below it say which"),
}
_LEVELS: Mapping[str, tuple[FindingCode, ...]] = {
    "The file": (FindingCode.NO_INTERCHANGE, FindingCode.TEXT_OUTSIDE),
    "The interchange": (FindingCode.ISA_PADDING, FindingCode.SENDER_FOREIGN, FindingCode.USAGE_MISMATCH),
    "The functional group": (FindingCode.RELEASE_NEIGHBOUR,),
    "The segment": (FindingCode.TRAILING_EMPTY,),
    "The element": (FindingCode.HASH_TOTAL,),
}
_ANSWERED_AT = {
    "The file": "",
    "The interchange": "TA1",
    "The functional group": "AK9",
    "The transaction set": "AK5",
    "The segment": "AK3",
    "The element": "AK4",
}


def page(
    findings: Sequence[FindingEntry], refusals: Sequence[RefusalEntry], questions: Sequence[QuestionEntry]
) -> str:
    """The whole page."""
    parts = [OPENING, *_index(findings, refusals)]
    for level, answer in _ANSWERED_AT.items():
        own = _LEVELS.get(level, ())
        placed = {one for codes in _LEVELS.values() for one in codes}
        found = [e for e in findings if e.code in own or (e.code.answer == answer and e.code not in placed)]
        parts += [f"## {level}\n", *map(_finding, found)]
    parts += ["## The order\n\n" + _ABOUT_REFUSALS, *map(_refusal, refusals)]
    parts += ["## Questions\n\n" + _ABOUT_QUESTIONS, *map(_question, questions)]
    return "\n".join(parts)


def _index(findings: Sequence[FindingEntry], refusals: Sequence[RefusalEntry]) -> Iterator[str]:
    for heading, answer, element in _INDEXES:
        words = meanings(element)
        entries: dict[str, list[str]] = {}
        for entry in findings:
            if entry.code.answer == answer and entry.answer:
                entries.setdefault(entry.code.x12, []).append(_link(entry.code.slug))
        rows = {code: ", ".join(links) for code, links in entries.items()}
        rows |= dict([_DERIVED[heading]]) if heading in _DERIVED else {}
        yield f"## {heading}\n"
        yield _table(("Code", "Means", "Entry"), ((code, words[code], rows[code]) for code in _sorted(rows)))
    yield "## TED01\n"
    yield "The words are in TED02, and go on in the NTE segments after it.\n"
    codes: dict[str, list[str]] = {}
    for one in refusals:
        code = " or ".join(dict.fromkeys(one.codes))
        codes.setdefault(code, []).append(_link(one.refusal.name.lower()))
    told = ((code, _means(code), ", ".join(codes[code])) for code in sorted(codes))
    yield _table(("004010 or 005010", "Means", "Entry"), told)
    yield "## No answer\n"
    yield _NO_ANSWER
    yield "".join(f"- {_link(entry.code.slug)}\n" for entry in findings if not _is_told(entry))


def _finding(entry: FindingEntry) -> str:
    code = entry.code
    number = f"**{_designator(code)} {code.x12}** · " if _designator(code) and entry.answer else ""
    return "\n".join(
        (
            f"### {code.slug}\n",
            f"{number}{entry.level} · {_file(entry.file)}\n",
            _block(entry.shown.split("\n")),
            f"The answer:\n\n{_block(entry.answer)}" if entry.answer else "Nothing is answered.\n",
        )
    )


def _refusal(entry: RefusalEntry) -> str:
    name, number = entry.refusal.name, entry.refusal.number
    old, new = entry.codes
    codes = f"**TED01 {old}**" if old == new else f"**TED01 {old}, in 005010 {new}**"
    sentence = entry.refusal.sentence
    return "\n".join(
        (
            f"### {name.lower()}\n",
            f"{codes} · [refusal {number}](refusals.md#{number}-{name.lower()})\n",
            f"{sentence[:1].upper()}{sentence[1:]}.\n",
            f"{entry.remedy}\n",
            _history(entry.history),
            _block(said(entry.history)),
            f"The answer:\n\n{_block(entry.told.segments(*ADVICE))}",
        )
    )


def _question(entry: QuestionEntry) -> str:
    (question,) = entry.told.questions
    choices = "".join(f"- `{choice.name}`: {choice.effect}\n" for choice in question.choices)
    return "\n".join(
        (
            f"### {entry.history.slug}\n",
            f"> {question.statement}\n",
            choices,
            _history(entry.history),
            _block(said(entry.history)),
        )
    )


def _history(one: History) -> str:
    """How it came to this: the files before the last one, what was agreed, and how long nothing came."""
    *before, last = (_file(path) for path in one.files)
    after = f" and {one.hours_before} hours" if one.hours_before else ""
    words = [f"After {', '.join(before)}{after}, then {last}" if before else last]
    words += (
        f"with {partner}'s `{name} = {value!r}`".replace("'", '"').replace(f'{partner}"s', f"{partner}'s")
        for partner, policy in one.policies.items()
        for name, value in policy.items()
    )
    words += [f"and nothing more for {one.hours_pass} hours"] if one.hours_pass else []
    return ", ".join(words) + ":\n"


def _is_told(entry: FindingEntry) -> bool:
    """Whether the answer is about the finding, and not only that all is well."""
    return bool(entry.answer) and bool(entry.code.answer)


def _designator(code: FindingCode) -> str:
    return next((heading for heading, answer, _ in _INDEXES if answer == code.answer), "")


def _means(codes: str) -> str:
    words = meanings("647")
    return " or ".join(dict.fromkeys(words[code] for code in codes.split(" or ")))


def _sorted(codes: Iterable[str]) -> list[str]:
    return sorted(codes, key=int)


def _link(slug: str) -> str:
    return f"[{slug}](#{slug})"


def _file(path: Path) -> str:
    place = path.relative_to(SAMPLES.parent).as_posix()
    return f"[{path.stem}](../{place})"


def _block(lines: Iterable[str]) -> str:
    return "\n".join(("```text", *lines, "```\n"))


def _table(head: Sequence[str], rows: Iterable[Sequence[str]]) -> str:
    lines = [head, ["---"] * len(head), *rows]
    return (
        "".join(f"| {' | '.join(line)} |\n" for line in lines)
        .replace("| --- ", "|---")
        .replace("--- |", "---|")
    )


_NO_ANSWER = """\
An answer goes only to a sender that the hub knows, into its own mailbox, and never for an acknowledgment.
What weighs nothing is not answered either: the 997 says A. The hub's support is told of every error.
"""

_ABOUT_REFUSALS = """\
The document is in order, and the order it is about does not allow it: nothing was changed. An 824 says so
(OTI01 TR), with each reason in a TED. Where a whole cancellation came too late for a part, the rest is
cancelled, and the 824 says so too (OTI01 TP). Partners who agreed on it get an 865 or 855 instead.
"""

_ABOUT_QUESTIONS = """\
What can mean two things waits for a person at the hub, who asks you. Nothing is cancelled before that, and
no answer but the 997 comes. Say the same in words that have one meaning, or answer the question.
"""
