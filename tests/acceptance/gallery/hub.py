"""A hub that histories are told to: whole files go in, and what it answered comes out."""

import json
import tomllib
from dataclasses import dataclass, field
from datetime import UTC, datetime, timedelta
from functools import cached_property
from pathlib import Path
from typing import Any

from edi.envelope import read
from pipeline.contents import text_of
from pipeline.demo.world import CHARACTERS, settings_text
from pipeline.lapsing import lapse_requests
from pipeline.replay import Source, replay
from pipeline.report import FileReport
from pipeline.settings import Settings, load
from pipeline.waiting import expire_waiting
from storage import held, messages
from storage.database import Database
from storage.held import Held
from storage.interchanges import get_set
from storage.messages import OutboxMessage
from storage.states import Kind

SAMPLES = Path(__file__).resolve().parents[3] / "samples"
HISTORIES = tuple(sorted(path for path in (SAMPLES / "refusals").iterdir() if path.is_dir()))
NOON = datetime(2026, 11, 20, 12, tzinfo=UTC)

#: The parties of samples/<release>, beside those of the stories.
_OF_SAMPLES = """
[[partner]]
id = "pinebrook"
name = "Pinebrook"
role = "buyer"
isa = ["ZZ:PINEBROOK"]
gs = ["PINEBROOKPO"]
notify = ["orders@pinebrook.example"]

[[partner]]
id = "aldermills"
name = "Alder Mills"
role = "seller"
isa = ["ZZ:ALDERMILLS"]
gs = ["ALDERMILLS"]
notify = ["sales@aldermills.example"]
"""


@dataclass(frozen=True, slots=True)
class History:
    """A folder of samples/refusals: files in the order they came, and what its house.toml says."""

    folder: Path
    files: tuple[Path, ...]
    policies: dict[str, dict[str, Any]]
    guides: dict[str, list[str]]  # by partner: files beside the X12 files
    mailbox: str  # the partner in whose mailbox the files lay; "": in none
    hours_pass: int  # after the last file, before anything more is looked at
    hours_before: int = 0  # the last file

    @property
    def slug(self) -> str:
        return self.folder.name.partition("-")[2].replace("-", "_")

    @property
    def number(self) -> int:
        return int(self.folder.name.partition("-")[0])


def history(folder: Path) -> History:
    """Read one folder."""
    house = folder / "house.toml"
    said = tomllib.loads(house.read_text(encoding="utf-8")) if house.is_file() else {}
    return History(
        folder=folder,
        files=tuple(sorted(folder.glob("*.edi"))),
        policies=said.pop("policies", {}),
        guides=said.pop("guides", {}),
        mailbox=said.pop("mailbox", ""),
        hours_pass=said.pop("hours_pass", 0),
        hours_before=said.pop("hours_before", 0),
        **said,  # nothing is left: a word nobody knows is a mistake
    )


@dataclass(frozen=True, slots=True)
class Told:
    """What became of the last file of a history, and what was answered to it."""

    reports: tuple[FileReport, ...]
    answers: tuple[OutboxMessage, ...]
    questions: tuple[Held, ...]
    refusals: tuple[str, ...]  # names, as they stand in the receipts when all time has passed

    @property
    def last(self) -> FileReport:
        return self.reports[-1]

    def segments(self, *tags: str) -> list[str]:
        """The segments with these tags of all answers, as they are sent."""
        texts = [text_of(answer) for answer in self.answers]
        found = [segment for text in texts for segment in text.split("~")]
        return [segment for segment in found if segment.partition("*")[0] in tags]


@dataclass
class Hub:
    """One ledger for all histories; none of them speaks of another's orders."""

    folder: Path
    _settings: dict[str, Settings] = field(default_factory=dict)

    @cached_property
    def database(self) -> Database:
        return Database(self._settings_of(settings_text() + _OF_SAMPLES).database.url)

    def tell(self, one: History) -> Told:
        """Replay a history, file by file."""
        settings = self._settings_of(_settings_text(one))
        reports = [self._drop(settings, one, path.name, path.read_bytes()) for path in one.files[:-1]]
        last = one.files[-1]
        if one.hours_before:
            lapse_requests(settings, self.database, NOON + timedelta(hours=one.hours_before))
        return self._told(settings, one, tuple(reports), last.name, last.read_bytes())

    def tell_in_005010(self, one: History) -> Told:
        """Send the last file of a history that was told once more, in release 005010."""
        last = one.files[-1]
        return self._told(self._settings_of(_settings_text(one)), one, (), last.name, in_005010(last))

    def send(self, path: Path) -> Told:
        """Send one file of samples/<release>."""
        alone = History(path.parent, (path,), {}, {}, "", 0)
        return self.tell(alone)

    def _told(
        self, settings: Settings, one: History, before: tuple[FileReport, ...], name: str, content: bytes
    ) -> Told:
        known = {message.id for message in self._answers()}
        report = self._drop(settings, one, name, content)
        if one.hours_pass:
            expire_waiting(settings, self.database, NOON + timedelta(hours=one.hours_pass))
        answers = tuple(message for message in self._answers() if message.id not in known)
        with self.database.reading() as tx:
            waiting = {found.held_id for found in report.all_sets}
            questions = tuple(question for question in held.list_held(tx) if question.id in waiting)
            receipts = [get_set(tx, found.set_id) for found in report.all_sets]
        refusals = tuple(str(one["code"]) for receipt in receipts if receipt for one in receipt.refusals)
        return Told((*before, report), answers, questions, refusals)

    def _drop(self, settings: Settings, one: History, name: str, content: bytes) -> FileReport:
        return replay([Source(name, content)], settings, self.database, lambda: NOON, partner=one.mailbox)[0]

    def _answers(self) -> tuple[OutboxMessage, ...]:
        with self.database.reading() as tx:
            return messages.list_messages(tx, kind=Kind.ACKNOWLEDGMENT)

    def _settings_of(self, text: str) -> Settings:
        if text not in self._settings:
            path = self.folder / f"countermand-{len(self._settings)}.toml"
            path.write_text(text, encoding="utf-8")
            self._settings[text] = load(path, {})
        return self._settings[text]


def in_005010(path: Path) -> bytes:
    """The file in release 005010, under another interchange control number."""
    content = path.read_bytes()
    (interchange,) = read(content).interchanges
    number = interchange.control_number
    for old, new in (
        ("*U*00401*", "*^*00501*"),
        ("*X*004010~", "*X*005010~"),
        (f"*{number}", f"*9{number[1:]}"),
    ):
        content = content.replace(old.encode(), new.encode())
    return content


def _settings_text(one: History) -> str:
    text = settings_text(policies=one.policies) + _OF_SAMPLES
    for partner, names in one.guides.items():
        notify = f'notify = ["{CHARACTERS[partner].email}"]'
        paths = [str(one.folder / name) for name in names]
        text = text.replace(notify, f"{notify}\nguides = {json.dumps(paths)}")
    return text
