"""What is said to a partner's server to change something on it: move a file, deliver one.

No answer is believed alone. Each change is preceded and followed by a look, because a reply can be
lost, another program can be at work in the same folder, and servers differ in what they refuse.
"""

from collections.abc import Callable, Iterator
from dataclasses import dataclass

from pipeline.errors import FileChanged, NameTaken, OperatorError, TransportError
from pipeline.mailbox import sftp
from pipeline.mailbox.sftp import Answer, Attributes, Handle, Names, Open, Request
from pipeline.mailbox.steps import (
    READ_BYTES,
    Conversation,
    Steps,
    is_missing,
    is_ok,
    is_same,
    join,
    reading,
)
from pipeline.ports import Folder, Move, RemoteFile, printable

WRITES_AT_ONCE = 32  # x 32 kB = 1 MB of one file sent in one step
_NAMES_MAX = 10  # names tried in a folder before giving up
_NAME_BYTES_MAX = 255


@dataclass(frozen=True, slots=True)
class Changes(Steps):
    """The conversations that change something on one partner's server."""

    posix_rename: bool = False  #: the server offers the extension

    def apart(self) -> Conversation[None]:
        """Raises when a folder we move to is the pickup folder under another name, by a link or by case."""
        answers = yield [sftp.real_path(self.path(folder)) for folder in Folder]
        real = [answer.entries[0][0] for answer in answers if isinstance(answer, Names) and answer.entries]
        if len(real) < len(Folder):
            return  # the server cannot say, or a folder is not there yet
        pickup, *others = [path.replace(b"\\", b"/").rstrip(b"/").lower() for path in real]
        if pickup in others:
            raise OperatorError(
                f"{self.host}: processed or rejected in [partner.mailbox] is the pickup folder itself"
                f" ({printable(real[0])}) under another name; what we put there would be taken for new"
            )

    def moving(self, move: Move) -> Conversation[bytes]:
        """Rename a file into a folder under a name that is free there; answers that name."""
        file = move.file
        source = join(self.path(move.source), file.name)
        folder = self.path(move.folder)
        for name in _free_names(file.name, move.suffix):
            target = join(folder, name)
            at_source, at_target = yield [sftp.lstat(source), sftp.lstat(target)]
            if is_missing(at_source):
                return (yield from self._found_moved(move, folder))
            if not is_same(at_source, file):
                raise self._replaced(file)
            if isinstance(at_target, Attributes):
                continue
            attempt = yield from self._renaming(move, source, target)
            if attempt.refused:
                raise OperatorError(
                    f"{self.host}: {printable(source)} cannot be moved to {printable(target)}:"
                    f" {attempt.answer}. User {self.settings.username} needs the right to rename, and both"
                    " folders must lie on one file system. The file stays, and stays known."
                )
            if attempt.done:
                return attempt.target.rpartition(b"/")[2]
        raise OperatorError(
            f"{self.host}: {printable(folder)} already holds {_NAMES_MAX} files named like"
            f" {printable(file.name)}; clear out the folder"
        )

    def _found_moved(self, move: Move, folder: bytes) -> Conversation[bytes]:
        # Gone from where it was: moved by us, and the reply or our memory of it was lost, or by others.
        names = list(_free_names(move.file.name, move.suffix))
        looks = yield [sftp.lstat(join(folder, name)) for name in names]
        # The plain name comes last: it may be an older file, the suffixed ones are this content's own.
        order = [*range(1, len(names)), 0]
        return next((names[i] for i in order if is_same(looks[i], move.file)), b"")

    def _renaming(self, move: Move, source: bytes, target: bytes) -> Conversation["_Attempt"]:
        folder = self.path(move.folder)
        attempt = yield from self._attempt(sftp.rename, move, source, target)
        if attempt.refused and (yield from self._made(folder)):
            attempt = yield from self._attempt(sftp.rename, move, source, target)
        if attempt.refused and self.posix_rename:
            # OpenSSH renames by a hard link, which Linux refuses for other users' files where the plain
            # system call is allowed. That one replaces a target, so it gets a name of this content's own.
            own = join(folder, list(_free_names(move.file.name, move.suffix))[1])
            (there,) = yield [sftp.lstat(own)]
            if is_missing(there):
                attempt = yield from self._attempt(sftp.posix_rename, move, source, own)
        if attempt.swapped:
            # The partner put another file under the name in the last instant: that one is not read yet.
            (returned,) = yield [sftp.rename(attempt.target, source)]
            if not is_ok(returned):
                raise OperatorError(
                    f"{self.host}: {printable(source)} was replaced while it was moved; the new file is now"
                    f" {printable(attempt.target)} and was NOT read. Move it back by hand."
                )
            raise self._replaced(move.file)
        return attempt

    def _attempt(
        self, request: Callable[[bytes, bytes], Request], move: Move, source: bytes, target: bytes
    ) -> Conversation["_Attempt"]:
        (answer,) = yield [request(source, target)]
        looks = yield [sftp.lstat(target)] if is_ok(answer) else [sftp.lstat(target), sftp.lstat(source)]
        return _Attempt(move.file, target, answer, at_target=looks[0], at_source=looks[-1])

    def _made(self, folder: bytes) -> Conversation[bool]:
        """Make the folder if its absence is why a rename was refused."""
        (there,) = yield [sftp.stat_folder(folder)]
        if not is_missing(there):
            return False
        (made,) = yield [sftp.make_folder(folder)]
        (there,) = yield [sftp.stat_folder(folder)]
        if is_missing(there):  # else somebody else was quicker, and that is as good
            raise OperatorError(
                f"{self.host}: folder {printable(folder)} does not exist and cannot be made: {made}."
                " Ask the partner for it, or name another in [partner.mailbox]."
            )
        return True

    def delivering(self, name: bytes, content: bytes, complete: set[bytes]) -> Conversation[None]:
        """Leave a file in the delivery folder. From when it is `complete` it may be there under its name."""
        at_final = yield from self._uploading(name, content)
        complete.add(name)
        yield from self._naming(name, content, at_final)

    def publishing(self, name: bytes, content: bytes) -> Conversation[None]:
        """What is left of `delivering` when the reply to its last request was lost."""
        at_part, at_final = yield [sftp.lstat(self._part(name)), sftp.lstat(self._final(name))]
        if is_missing(at_part):  # nothing but our rename takes it away, so it was delivered
            return
        yield from self._naming(name, content, at_final)

    def _uploading(self, name: bytes, content: bytes) -> Conversation[Answer]:
        """Write all of it under a temporary name, or leave nothing behind; what has its final name then."""
        part = self._part(name)
        (opened,) = yield [sftp.open_file(part, Open.WRITE | Open.CREATE | Open.TRUNCATE)]
        if not isinstance(opened, Handle):
            raise self.folder_error("delivery", self.settings.delivery.encode(), opened)
        writes = [
            sftp.write(opened.handle, at, content[at : at + READ_BYTES])
            for at in range(0, len(content), READ_BYTES)
        ]
        looks = [sftp.close(opened.handle), sftp.lstat(part), sftp.lstat(self._final(name))]
        # Requests for one file are done in their order (draft, section 3), so the last of them go together.
        done: list[Answer] = []
        while len(writes) > WRITES_AT_ONCE and all(map(is_ok, done)):
            done += yield writes[:WRITES_AT_ONCE]
            del writes[:WRITES_AT_ONCE]
        *closed, written, at_final = yield [*writes[:WRITES_AT_ONCE], *looks]
        failed = next((answer for answer in (*done, *closed) if not is_ok(answer)), None)
        if failed is None and _size(written) != len(content):
            (written,) = yield [sftp.lstat(part)]  # some servers look before they have written after all
        if failed is not None or _size(written) != len(content):
            yield [sftp.remove(part)]
            raise TransportError(
                f"{self.host}: {printable(part)} could not be written"
                f" ({failed or f'{_size(written)} bytes arrived'});"
                " is the partner's disk or quota full?"
            )
        return at_final

    def _naming(self, name: bytes, content: bytes, at_final: Answer) -> Conversation[None]:
        """Give the uploaded file its name, unless it is there already."""
        part, final = self._part(name), self._final(name)
        if (yield from self._is_there(name, content, at_final)):
            return
        (renamed,) = yield [sftp.rename(part, final)]
        if is_ok(renamed):  # not looked for: the partner may have taken it already
            return
        (at_final,) = yield [sftp.lstat(final)]
        if (yield from self._is_there(name, content, at_final)):
            return
        if self.posix_rename:  # last resort, since it would replace a file put there just now
            (renamed,) = yield [sftp.posix_rename(part, final)]
            if is_ok(renamed):
                return
        yield [sftp.remove(part)]
        raise OperatorError(
            f"{self.host}: {printable(part)} cannot be renamed to {printable(name)}: {renamed}."
            f" User {self.settings.username} needs the right to rename in the delivery folder."
        )

    def _is_there(self, name: bytes, content: bytes, at_final: Answer) -> Conversation[bool]:
        """Whether the delivery folder has the file already; other content under its name is an error.

        In both cases the uploaded one is taken away.
        """
        final = self._final(name)
        if not isinstance(at_final, Attributes):
            return False
        found = None
        if at_final.regular and at_final.size == len(content):
            (opened,) = yield [sftp.open_file(final, Open.READ)]
            if isinstance(opened, Handle):
                found = yield from reading(opened.handle, len(content))
                yield [sftp.close(opened.handle)]
        yield [sftp.remove(self._part(name))]
        if found == content:
            return True
        raise NameTaken(
            f"{self.host}: {printable(final)} already exists with other content; it was left as it is."
            " If it is not ours, ask the partner to take it away."
        )

    def _final(self, name: bytes) -> bytes:
        return join(self.settings.delivery.encode(), name)

    def _part(self, name: bytes) -> bytes:
        return self._final(b"." + name + b".part")

    def path(self, folder: Folder) -> bytes:
        """The path of a folder on the partner's server."""
        paths = {
            Folder.PICKUP: self.settings.pickup,
            Folder.PROCESSED: self.settings.processed,
            Folder.REJECTED: self.settings.rejected,
        }
        return paths[folder].encode()

    def _replaced(self, file: RemoteFile) -> FileChanged:
        return FileChanged(
            f"{self.host}: {printable(file.name)} was replaced after it was read; it was not moved,"
            " the next round takes the new one"
        )


def _size(look: Answer) -> int | None:
    return look.size if isinstance(look, Attributes) else None


def _free_names(name: bytes, suffix: str) -> Iterator[bytes]:
    yield name
    for count in range(1, _NAMES_MAX):
        end = f".{suffix}" if count == 1 else f".{suffix}.{count}"
        yield name[: _NAME_BYTES_MAX - len(end)] + end.encode()


@dataclass(frozen=True, slots=True)
class _Attempt:
    """A rename, what the server answered, and what is to be seen afterwards, which counts more."""

    file: RemoteFile
    target: bytes
    answer: Answer
    at_target: Answer
    at_source: Answer  #: looked at only when the answer was no

    @property
    def done(self) -> bool:
        """There, or gone altogether: then the partner took it, and nothing is left to move."""
        gone = is_missing(self.at_source)
        return is_ok(self.answer) or (gone and (is_missing(self.at_target) or self.arrived))

    @property
    def arrived(self) -> bool:
        return is_same(self.at_target, self.file)

    @property
    def swapped(self) -> bool:
        """Something arrived, but it is not the file that was meant."""
        return is_ok(self.answer) and isinstance(self.at_target, Attributes) and not self.arrived

    @property
    def refused(self) -> bool:
        """Nothing happened, though the name is free."""
        free = not isinstance(self.at_target, Attributes)
        return not is_ok(self.answer) and not is_missing(self.at_source) and free
