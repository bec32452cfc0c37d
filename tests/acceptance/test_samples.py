"""The samples folder is the registry: a file dropped into it is a test, with what it should give beside it.

UPDATE_GOLDEN=1 writes the expectations anew from what the reader says today; read the difference before you
keep it.
"""

import json
import os
from collections.abc import Callable
from dataclasses import fields, is_dataclass
from datetime import date, time
from decimal import Decimal
from enum import Enum
from pathlib import Path

import pytest

from edi import (
    envelope,
    guide,
    read_824,
    read_850,
    read_855,
    read_856,
    read_860,
    read_865,
    read_870,
    read_997,
)
from edi.documents import Document, Reply
from edi.envelope import FunctionalGroup, TransactionSet
from edi.findings import Finding
from edi.redact import redact

SAMPLES = Path(__file__).resolve().parents[2] / "samples"
PASS = sorted(SAMPLES.glob("[0-9]*/*/pass/*.edi"))
FAIL = sorted(SAMPLES.glob("[0-9]*/*/fail/*.edi"))
CRASHERS = sorted(path for path in (SAMPLES / "crashers").glob("*") if path.suffix == ".edi")
#: The folder is named after the group and the set it holds: GS01 and ST01.
READERS: dict[str, Callable[[TransactionSet], tuple[Document | Reply | None, tuple[Finding, ...]]]] = {
    "PO850": read_850.read,
    "PR855": read_855.read,
    "SH856": read_856.read,
    "PC860": read_860.read,
    "CA865": read_865.read,
    "RS870": read_870.read,
    "AG824": read_824.read,
    "FA997": read_997.read,
    "FA999": read_997.read,
}


def name_of(path: Path) -> str:
    return path.relative_to(SAMPLES).as_posix()


def outcome(data: bytes) -> tuple[list[Document | Reply], list[Finding]]:
    """Every document of a file, and every finding: of the file, its interchanges, groups and sets."""
    reading = envelope.read(data)
    documents: list[Document | Reply] = []
    findings = list(reading.findings)
    for interchange in reading.interchanges:
        findings += interchange.findings
        for group in interchange.groups:
            findings += group.findings
            for transaction_set in group.sets:
                document, found = outcome_of_set(group, transaction_set)
                findings += found
                documents += [document] if document else []
    return documents, findings


def outcome_of_set(
    group: FunctionalGroup, transaction_set: TransactionSet
) -> tuple[Document | Reply | None, list[Finding]]:
    """The guide has the first word; the reader speaks where the guide found no error."""
    findings = [*transaction_set.findings, *guide.check(transaction_set, group.release)]
    reader = READERS.get(group.functional_id + transaction_set.type)
    if reader is None or any(finding.is_error for finding in findings):
        return None, findings
    document, found = reader(transaction_set)
    return document, [*findings, *found]


def shown(value: object) -> object:
    """A document as JSON: what was not sent is left out, numbers stay text, pairs become "UP:0123"."""
    if isinstance(value, Decimal | date | time):
        return str(value)
    names = [one.name for one in fields(value)] if is_dataclass(value) else getattr(value, "_fields", ())
    if names:
        pairs = {name: shown(getattr(value, name)) for name in names}
        if set(pairs) == {"qualifier", "id"}:
            return f"{pairs['qualifier']}:{pairs['id']}"
        return {key: found for key, found in pairs.items() if found not in (None, "", [], {}, 0)}
    return [shown(one) for one in value] if isinstance(value, tuple) else value


def told(finding: Finding) -> dict[str, object]:
    names = ("code", "level", "segment", "position", "element", "value", "message")
    values = ((name, getattr(finding, name)) for name in names)
    return {name: value.name if isinstance(value, Enum) else value for name, value in values}


def rendering(path: Path) -> str:
    documents, findings = outcome(path.read_bytes())
    told_all = [told(finding) for finding in findings]
    expected: dict[str, object] = {"findings": told_all}
    if path.parent.name == "pass":
        expected = {"documents": [shown(document) for document in documents], **expected}
    return json.dumps(expected, indent=1, ensure_ascii=True) + "\n"


@pytest.mark.parametrize("path", [*PASS, *FAIL], ids=name_of)
def test_a_sample_gives_what_lies_beside_it(path: Path) -> None:
    golden, now = path.with_suffix(".json"), rendering(path)
    if os.environ.get("UPDATE_GOLDEN") == "1":
        golden.write_text(now, encoding="utf-8")
    assert golden.is_file(), f"{name_of(golden)} is missing: run once with UPDATE_GOLDEN=1, then read it"
    assert json.loads(now) == json.loads(golden.read_text(encoding="utf-8"))


@pytest.mark.parametrize("path", PASS, ids=name_of)
def test_what_passes_has_documents_and_no_error(path: Path) -> None:
    documents, findings = outcome(path.read_bytes())
    sets = [
        s for one in envelope.read(path.read_bytes()).interchanges for group in one.groups for s in group.sets
    ]
    assert [finding.message for finding in findings if finding.is_error] == []
    assert len(documents) == len(sets) > 0


@pytest.mark.parametrize("path", FAIL, ids=name_of)
def test_what_fails_has_an_error_with_its_place(path: Path) -> None:
    errors = [finding for finding in outcome(path.read_bytes())[1] if finding.is_error]
    assert errors
    assert all(error.message and (error.segment or error.offset == 0) for error in errors)


@pytest.mark.parametrize("path", [*PASS, *FAIL], ids=name_of)
def test_a_sample_lies_in_the_folder_of_its_release_group_and_set(path: Path) -> None:
    release, kind, *_ = name_of(path).split("/")
    data = path.read_bytes()
    assert kind in READERS
    if path.parent.name == "pass":
        groups = [group for one in envelope.read(data).interchanges for group in one.groups]
        assert {group.release for group in groups} == {release}
        assert {group.functional_id + one.type for group in groups for one in group.sets} == {kind}


@pytest.mark.parametrize("path", CRASHERS, ids=name_of)
def test_a_crasher_raises_nothing(path: Path) -> None:
    data = path.read_bytes()
    documents, findings = outcome(data)
    assert findings or documents
    assert len(redact(data)) == len(data)


@pytest.mark.parametrize("path", [*PASS, *FAIL], ids=name_of)
def test_a_redacted_sample_has_the_same_faults(path: Path) -> None:
    """So that a partner's file, made shareable, shows what the file itself showed."""
    data = path.read_bytes()
    before, after = ([finding.code for finding in outcome(one)[1]] for one in (data, redact(data)))
    assert after == before


def test_every_file_is_a_test_and_every_expectation_has_its_file() -> None:
    folders = [path for path in SAMPLES.glob("[0-9]*") if path.is_dir()]
    files = {path for folder in folders for path in folder.rglob("*") if path.is_file()}
    samples = {path for path in files if path.suffix == ".edi"}
    assert len([*PASS, *FAIL]) == len(samples) > 0
    assert {path.with_suffix(".json") for path in samples} == files - samples
    assert len(CRASHERS) == len([path for path in (SAMPLES / "crashers").iterdir() if path.is_file()]) > 0
