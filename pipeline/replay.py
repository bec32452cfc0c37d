"""Replay: the same straight line from paths; nothing is kept unless it is asked to."""

import sys
from collections.abc import Callable, Iterable, Iterator
from dataclasses import dataclass
from datetime import datetime
from pathlib import Path

from sqlalchemy import Connection

from edi import limits
from pipeline.errors import OperatorError
from pipeline.ingest import ingest
from pipeline.report import FileReport
from pipeline.settings import Settings
from storage import receipts
from storage.database import Database


@dataclass(frozen=True, slots=True)
class Source:
    """One file to replay."""

    name: str
    content: bytes


def sources(paths: Iterable[str]) -> Iterator[Source]:
    """Files as given; the files of a folder by name; "-" is standard input."""
    for path in paths:
        if path == "-":
            yield Source("standard input", sys.stdin.buffer.read(limits.file_bytes_max + 1))
            continue
        place = Path(path)
        files = sorted(p for p in place.iterdir() if p.is_file()) if place.is_dir() else [place]
        for file in files:
            if file.name.startswith("."):
                continue
            try:
                yield Source(file.name, file.read_bytes())
            except OSError as error:
                raise OperatorError(f"{file} cannot be read: {error.strerror}.") from error


def replay(
    files: Iterable[Source],
    settings: Settings,
    database: Database,
    now: Callable[[], datetime],
    *,
    partner: str = "",
    progress: Callable[[FileReport], None] = lambda _: None,
) -> list[FileReport]:
    """Ingest the files as one sequence, each in its own transaction. Give a scratch copy to keep nothing."""
    if partner and settings.directory.get(partner) is None:
        raise OperatorError(f'There is no partner "{partner}" in {settings.path}.')
    reports = []
    for file in files:

        def read(tx: Connection, file: Source = file) -> FileReport:
            at = now()
            name = file.name.encode("utf-8", "surrogateescape")
            kept = receipts.keep(
                tx, partner=partner, mailbox="replay", name=name, content=file.content, at=at
            )
            receipts.mark_moved(tx, kept.id, to="", at=at)  # and no poll reads the same row beside us
            return ingest(tx, settings, kept, at, mailbox_of=partner)

        reports.append(database.run(read))
        progress(reports[-1])
    return reports
