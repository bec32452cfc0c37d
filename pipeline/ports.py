"""What the pipeline asks of the outside world, in its own words: the partner's mailbox."""

from collections.abc import Sequence
from dataclasses import dataclass
from enum import Enum, unique
from types import TracebackType
from typing import Protocol, Self

from pipeline.errors import CountermandError
from pipeline.visible import visible


@unique
class Folder(Enum):
    """Where a received file can be on the partner's server; the settings say the paths."""

    PICKUP = "pickup"
    PROCESSED = "processed"
    REJECTED = "rejected"


@dataclass(frozen=True, slots=True, kw_only=True)
class RemoteFile:
    """One entry of a folder as its listing describes it; only regular ones may be taken."""

    name: bytes  #: as the server says it: any bytes but "/" in a regular file's name, not always UTF-8
    size: int
    modified: int | None  #: by the server's clock, so good for nothing but "the same as before"
    regular: bool  #: an ordinary file with a name that cannot lead out of its folder


@dataclass(frozen=True, slots=True, kw_only=True)
class Move:
    """One file to be moved; the suffix (a short content hash) is added when its name is taken."""

    file: RemoteFile
    folder: Folder
    suffix: str
    source: Folder = Folder.PICKUP


class Mailbox(Protocol):
    """A partner's mailbox. Calls connect when needed; a failed connection is dropped, never reused.

    Raises OperatorError or TransportError, and the errors of one file (errors.FILE_ERRORS).
    """

    def listing(self) -> tuple[RemoteFile, ...]:
        """What lies in the pickup folder, folders apart, by name; one not listed need not be gone."""
        ...

    def fetch(self, file: RemoteFile, *, file_bytes_max: int) -> bytes:
        """The content, only if the file was from first to last byte what the listing said."""
        ...

    def fetch_many(
        self, files: Sequence[RemoteFile], *, file_bytes_max: int
    ) -> list[bytes | CountermandError]:
        """fetch() for many files under way at once; what concerns one file takes its place in the list.

        A broken connection is raised for all of them.
        """
        ...

    def move(self, file: RemoteFile, folder: Folder, suffix: str, source: Folder = Folder.PICKUP) -> bytes:
        """Rename into a folder, never onto an existing name; answers the name it has there.

        A file that is no longer what `file` says is left alone (FileChanged); a `modified` of None is
        not compared, so a file can be moved later by name and size. One that is gone counts as moved:
        the answer is the name it was found under in the folder, or b"" when somebody else took it.
        """
        ...

    def move_many(self, moves: Sequence[Move]) -> list[bytes | CountermandError]:
        """move() for many files under way at once; what went wrong with one takes its place in the list."""
        ...

    def deliver(self, name: str, content: bytes) -> None:
        """Leave a file in the delivery folder, complete from the moment it has its name.

        Doing it again is done already; the same name with other content raises NameTaken.
        """
        ...

    def deliver_many(self, files: Sequence[tuple[str, bytes]]) -> list[CountermandError | None]:
        """deliver() for many files under way at once; what went wrong with one takes its place in the list.

        A connection that breaks before anything had its name is raised for all of them.
        """
        ...

    def close(self) -> None:
        """End the connection; a later call opens a new one."""
        ...

    def __enter__(self) -> Self: ...

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None: ...


class Door(Protocol):
    """Whether a partner's mailbox may be tried now; told what came of it, so that it can say no next time."""

    def check(self) -> None:
        """Raises MailboxPaused when it may not be tried."""
        ...

    def entered(self) -> None:
        """The server has let us in."""
        ...

    def failed(self, error: CountermandError) -> None:
        """It could not be used: leave it alone for a while, longer each time."""
        ...

    def served(self) -> None:
        """A whole look went well."""
        ...

    def remind(self) -> bool:
        """True now and then while it is not tried any more: a person must be told again."""
        ...


def printable(name: bytes) -> str:
    """A file name fit for a report, a log or a mail: one line, nothing invisible, nothing lost."""
    return visible(name.decode("utf-8", "backslashreplace"))
