"""Replay: the same straight line from paths; nothing is kept unless it is asked to."""

import sys
from collections.abc import Callable, Iterable, Iterator, Sequence
from dataclasses import dataclass
from datetime import datetime
from functools import partial
from pathlib import Path

from sqlalchemy import Connection

from edi import limits
from pipeline.errors import OperatorError
from pipeline.ingest import ingest
from pipeline.report import FileReport
from pipeline.settings import Settings
from pipeline.shares import shares
from pipeline.waiting import COMMIT_BYTES_MAX, COMMIT_FILES_MAX
from storage import receipts
from storage.database import Database, DatabaseUnavailable
from storage.states import FileStatus

KEPT_BYTES_MAX = 5_000_000  # read again beside others' work, who wait for the ledger meanwhile


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
    """Ingest the files as one sequence, many in one transaction. Give a scratch copy to keep nothing.

    What makes the program fail stops the sequence there; what came before it is kept.
    """
    _check_partner(settings, partner)

    def read(share: Sequence[Source], tx: Connection) -> list[FileReport]:
        return [_read(tx, settings, file, now(), partner) for file in share]

    def done(share: Sequence[Source]) -> list[FileReport]:
        found = database.run(partial(read, share))
        for report in found:
            progress(report)
        return found

    reports: list[FileReport] = []
    for share in shares(files, lambda file: len(file.content), COMMIT_FILES_MAX, COMMIT_BYTES_MAX):
        try:
            reports += done(share)
        except DatabaseUnavailable:
            raise
        except Exception:
            if len(share) == 1:
                raise
            for file in share:
                reports += done([file])
    return reports


def replay_kept(tx: Connection, settings: Settings, file_id: int, at: datetime, actor: str) -> FileReport:
    """Read a received file again, as a file of its own from the same mailbox; an OperatorError says why not.

    Only what was read to its end before: reading has no limit of time here.
    """
    file = receipts.get_file(tx, file_id)
    if file is None:
        raise OperatorError(f"There is no received file {file_id}.")
    if file.status is not FileStatus.DONE:
        raise OperatorError(f"{file.name} was not read to its end; the next round of poll reads what waits.")
    if file.pruned_at is not None:
        raise OperatorError(f"The content of {file.name} was emptied on {file.pruned_at:%Y-%m-%d}.")
    if file.size > KEPT_BYTES_MAX:
        raise OperatorError(f"{file.name} is larger than {KEPT_BYTES_MAX} bytes: run countermand replay.")
    _check_partner(settings, file.partner)
    name = file.name_bytes.decode("utf-8", "surrogateescape")
    return _read(tx, settings, Source(name, receipts.content_of(tx, file_id)), at, file.partner, actor)


def _check_partner(settings: Settings, partner: str) -> None:
    if partner and settings.directory.get(partner) is None:
        raise OperatorError(f'There is no partner "{partner}" in {settings.path}.')


def _read(
    tx: Connection, settings: Settings, file: Source, at: datetime, partner: str, actor: str = ""
) -> FileReport:
    name = file.name.encode("utf-8", "surrogateescape")
    # Not the row of a file that still lies in the mailbox: that one has its own reading.
    kept = receipts.keep_apart(tx, partner=partner, name=name, content=file.content, at=at)
    return ingest(tx, settings, kept, at, mailbox_of=partner, actor=actor)
