"""A hub without a network, for tests that drop files and look at what came of them."""

from dataclasses import dataclass, field
from datetime import UTC, datetime
from pathlib import Path

from sqlalchemy import Connection

from pipeline.contents import text_of
from pipeline.replay import Source, replay
from pipeline.report import FileReport, SetReport
from pipeline.sets import decide_again
from pipeline.settings import Settings, load
from storage import held, messages, queries
from storage.database import Database
from storage.messages import OutboxMessage
from storage.quantities import plain
from storage.states import Kind
from tests.unit.pipeline.ledger_files import file_of, write_settings


@dataclass
class House:
    """A ledger and the two things a test does with it: drop a file, look."""

    settings: Settings
    database: Database
    now: datetime = field(default_factory=lambda: datetime(2026, 3, 1, 12, tzinfo=UTC))
    numbers: int = 0

    def drop(self, content: bytes, *, partner: str = "", name: str = "") -> FileReport:
        self.numbers += 1
        source = Source(name or f"{self.numbers:02d}.edi", content)
        return replay([source], self.settings, self.database, lambda: self.now, partner=partner)[0]

    def say(
        self, kind: str, document: list[str], *, sender: str, receiver: str, number: int = 0
    ) -> SetReport:
        self.numbers += 1
        content = file_of(kind, document, number=number or self.numbers, sender=sender, receiver=receiver)
        return self.drop(content).interchanges[0].sets[0]

    def buyer(self, document: list[str]) -> SetReport:
        return self.say("850", document, sender="acme", receiver="globex")

    def seller(self, kind: str, document: list[str]) -> SetReport:
        return self.say(kind, document, sender="globex", receiver="acme")

    def release(self, held_id: int, choice: str) -> str:
        """A person's answer; what became of the document."""

        def decide(tx: Connection) -> SetReport:
            question = held.answer(tx, held_id, choice=choice, by="eve", at=self.now, note="")
            assert question.set_id is not None
            return decide_again(tx, self.settings, question.set_id, self.now, actor="eve")

        return self.database.run(decide).outcome.value

    def line(self, po_number: str) -> tuple[str, str, str, str]:
        with self.database.reading() as tx:
            view = queries.get_order(tx, queries.find_orders(tx, po_number)[0].id)
        assert view is not None
        line = view.lines[0]
        return plain(line.ordered), plain(line.fulfilled), plain(line.cancelled), plain(line.open)

    def mails(self) -> list[tuple[str, str]]:
        return [(m.to, m.subject) for m in self.messages(Kind.EMAIL)]

    def messages(self, kind: Kind) -> list[OutboxMessage]:
        with self.database.reading() as tx:
            return [m for m in messages.list_messages(tx) if m.kind is kind]

    def answers(self, kind: str) -> list[list[str]]:
        """The documents of one type that were owed to partners' mailboxes, each as its segments, ST to SE."""
        texts = [text_of(m) for m in self.messages(Kind.ACKNOWLEDGMENT) if m.set_type == kind]
        return [_segments(text) for text in texts]


def house_with(folder: Path, policy: str) -> House:
    """A hub whose partners all have this policy."""
    settings = load(write_settings(folder, policy=policy), {})
    return House(settings, Database(settings.database.url))


def _segments(text: str) -> list[str]:
    segments = text.removesuffix("~").split("~")
    return segments[2:-2]
