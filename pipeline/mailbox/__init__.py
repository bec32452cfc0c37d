"""A partner's mailbox over SFTP: connects when needed, and drops a connection that has failed.

The way down: login opens the connection, session carries requests and answers, steps and changes know
what to say, sftp how it is spelled. Nothing of paramiko comes out.
"""

from collections.abc import Sequence
from types import TracebackType
from typing import Self, TypeVar

from pipeline.errors import CountermandError, OperatorError, TransportError
from pipeline.mailbox.changes import Changes
from pipeline.mailbox.login import address
from pipeline.mailbox.session import Session
from pipeline.mailbox.steps import Conversation
from pipeline.partners import MailboxSettings
from pipeline.ports import Door, Folder, Move, RemoteFile

T = TypeVar("T")


class SftpMailbox:
    """The Mailbox port over a partner's SFTP server."""

    def __init__(self, settings: MailboxSettings, door: Door | None = None) -> None:
        """`door` is asked before every connection, and told what came of it."""
        pickup, *others = (
            folder.replace("\\", "/").rstrip("/").lower()  # on some servers these make no difference
            for folder in (settings.pickup, settings.processed, settings.rejected)
        )
        if pickup in others:
            raise OperatorError(
                f"{address(settings)}: processed and rejected in [partner.mailbox] must be other folders than"
                " pickup; what we put there would be taken for new"
            )
        self._settings = settings
        self._door = door
        self._session: Session | None = None
        self._is_apart = False  #: the folders are known to be different ones

    def listing(self) -> tuple[RemoteFile, ...]:
        """Everything in the pickup folder, by name."""
        return self._run(self._steps().listing())

    def fetch(self, file: RemoteFile, *, file_bytes_max: int) -> bytes:
        """The content of a file that did not change meanwhile."""
        return self._run(self._steps().fetching(file, file_bytes_max))

    def fetch_many(
        self, files: Sequence[RemoteFile], *, file_bytes_max: int
    ) -> list[bytes | CountermandError]:
        """fetch() for many files under way at once."""
        steps = self._steps()
        return self._run_many([steps.fetching(file, file_bytes_max) for file in files])

    def move(self, file: RemoteFile, folder: Folder, suffix: str, source: Folder = Folder.PICKUP) -> bytes:
        """Rename a file into a folder and answer the name it has there."""
        (moved,) = self.move_many([Move(file=file, folder=folder, suffix=suffix, source=source)])
        if isinstance(moved, CountermandError):
            raise moved
        return moved

    def move_many(self, moves: Sequence[Move]) -> list[bytes | CountermandError]:
        """move() for many files under way at once."""
        steps = self._steps()
        if not self._is_apart:
            self._run(steps.apart())
            self._is_apart = True
        try:
            return self._run_many([steps.moving(move) for move in moves])
        except TransportError:
            # The reply may be lost and the file moved: a new session looks, and moves what is left.
            steps = self._steps()
            return self._run_many([steps.moving(move) for move in moves])

    def deliver(self, name: str, content: bytes) -> None:
        """Leave a file in the delivery folder under its final name, complete."""
        (failed,) = self.deliver_many([(name, content)])
        if failed is not None:
            raise failed

    def deliver_many(self, files: Sequence[tuple[str, bytes]]) -> list[CountermandError | None]:
        """deliver() for many files under way at once."""
        for name, _ in files:
            if not name or "/" in name or "\0" in name or name.startswith("."):
                raise ValueError(f"not a file name to deliver under: {name!r}")
        complete: set[bytes] = set()
        steps = self._steps()
        try:
            return self._run_many([steps.delivering(name.encode(), data, complete) for name, data in files])
        except TransportError as error:
            if not complete:
                raise
            return self._published(files, complete, error)

    def _published(
        self, files: Sequence[tuple[str, bytes]], complete: set[bytes], error: CountermandError
    ) -> list[CountermandError | None]:
        """Of the files that were complete the reply may be lost and the name given: a new session looks."""
        steps = self._steps()
        doubtful = {name: data for name, data in files if name.encode() in complete}
        outcomes = self._run_many([steps.publishing(name.encode(), data) for name, data in doubtful.items()])
        found = dict(zip(doubtful, outcomes, strict=True))
        return [found.get(name, error) for name, _ in files]

    def is_strict(self) -> bool:
        """Whether the key exchange was the strict one, which no one in between can cut messages out of."""
        self._steps()
        assert self._session is not None  # _steps() has opened it
        return self._session.is_strict

    def close(self) -> None:
        """End the connection, if there is one."""
        if self._session is not None:
            self._session.close()
            self._session = None

    def __enter__(self) -> Self:
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        self.close()

    def _steps(self) -> Changes:
        if self._session is None:
            self._session = self._connected()
        return Changes(self._settings, b"posix-rename@openssh.com" in self._session.extensions)

    def _connected(self) -> Session:
        if self._door is None:
            return Session(self._settings)
        self._door.check()
        try:
            session = Session(self._settings)
        except CountermandError as error:
            self._door.failed(error)
            raise
        self._door.entered()
        return session

    def _run(self, conversation: Conversation[T]) -> T:
        (outcome,) = self._run_many([conversation])
        if isinstance(outcome, CountermandError):
            raise outcome
        return outcome

    def _run_many(self, conversations: Sequence[Conversation[T]]) -> list[T | CountermandError]:
        assert self._session is not None  # _steps() has been asked for what to run
        try:
            return self._session.run_many(conversations)
        except BaseException:
            self.close()  # a session that failed once has replies of unknown age in its pipe
            raise
