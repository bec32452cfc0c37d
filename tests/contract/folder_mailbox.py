"""The Mailbox port over folders of this machine: what tests of its users work with."""

import os
from collections.abc import Sequence
from pathlib import Path
from typing import Self

from pipeline.errors import (
    CountermandError,
    FileChanged,
    FileTooLarge,
    FileUnreadable,
    NameTaken,
    OperatorError,
)
from pipeline.ports import Folder, Move, RemoteFile, printable


class FolderMailbox:
    """Behaves as the contract says; `failure` makes every call fail, `refused` single files' moves."""

    def __init__(self, root: Path) -> None:
        self._root = root
        self.failure: CountermandError | None = None
        self.refused: dict[bytes, CountermandError] = {}
        self.calls: list[str] = []

    def _path(self, folder: str, name: bytes = b"") -> Path:
        return Path(os.fsdecode(os.fsencode(self._root / folder) + (b"/" + name if name else b"")))

    def _called(self, call: str) -> None:
        self.calls.append(call)
        if self.failure is not None:
            raise self.failure

    def _look(self, path: Path) -> RemoteFile | None:
        if not os.path.lexists(path):
            return None
        about = path.lstat()
        return RemoteFile(
            name=os.fsencode(path.name),
            size=about.st_size,
            modified=int(about.st_mtime),
            regular=path.is_file() and not path.is_symlink(),
        )

    def listing(self) -> tuple[RemoteFile, ...]:
        self._called("listing")
        looks = [
            self._look(path)
            for path in self._path("pickup").iterdir()
            if path.is_symlink() or not path.is_dir()
        ]
        return tuple(sorted((look for look in looks if look), key=lambda file: file.name))

    def fetch(self, file: RemoteFile, *, file_bytes_max: int) -> bytes:
        (content,) = self.fetch_many([file], file_bytes_max=file_bytes_max)
        if isinstance(content, CountermandError):
            raise content
        return content

    def fetch_many(
        self, files: Sequence[RemoteFile], *, file_bytes_max: int
    ) -> list[bytes | CountermandError]:
        self._called("fetch " + " ".join(printable(file.name) for file in files))
        return [self._fetch(file, file_bytes_max) for file in files]

    def _fetch(self, file: RemoteFile, file_bytes_max: int) -> bytes | CountermandError:
        path = self._path("pickup", file.name)
        if file.size > file_bytes_max:
            return FileTooLarge(f"{path} has {file.size} bytes")
        if not file.regular:
            return FileUnreadable(f"{path} is not an ordinary file")
        if self._look(path) != file:
            return FileChanged(f"{path} changed")
        return path.read_bytes()

    def move(self, file: RemoteFile, folder: Folder, suffix: str, source: Folder = Folder.PICKUP) -> bytes:
        (moved,) = self.move_many([Move(file=file, folder=folder, suffix=suffix, source=source)])
        if isinstance(moved, CountermandError):
            raise moved
        return moved

    def move_many(self, moves: Sequence[Move]) -> list[bytes | CountermandError]:
        self._called("move " + " ".join(printable(move.file.name) for move in moves))
        return [self._move(move) for move in moves]

    def _move(self, move: Move) -> bytes | CountermandError:
        if move.file.name in self.refused:
            return self.refused[move.file.name]
        source = self._path(move.source.value, move.file.name)
        names = [move.file.name, move.file.name[: 254 - len(move.suffix)] + b"." + move.suffix.encode()]
        names += [names[1] + b".%d" % count for count in range(2, 10)]
        here = self._look(source)
        if here is None:
            moved = [name for name in [*names[1:], names[0]] if self._is_at(move, name)]
            return moved[0] if moved else b""
        if here.size != move.file.size or move.file.modified not in (None, here.modified):
            return FileChanged(f"{source} was replaced")
        self._path(move.folder.value).mkdir(exist_ok=True)
        for name in names:
            if not os.path.lexists(self._path(move.folder.value, name)):
                source.rename(self._path(move.folder.value, name))
                return name
        return OperatorError("too many files of one name")

    def _is_at(self, move: Move, name: bytes) -> bool:
        look = self._look(self._path(move.folder.value, name))
        return (
            look is not None and look.size == move.file.size and move.file.modified in (None, look.modified)
        )

    def deliver(self, name: str, content: bytes) -> None:
        (failed,) = self.deliver_many([(name, content)])
        if failed is not None:
            raise failed

    def deliver_many(self, files: Sequence[tuple[str, bytes]]) -> list[CountermandError | None]:
        self._called("deliver " + " ".join(name for name, _ in files))
        return [self._deliver(name, content) for name, content in files]

    def _deliver(self, name: str, content: bytes) -> CountermandError | None:
        final = self._path("delivery", name.encode())
        if final.exists() and final.read_bytes() != content:
            return NameTaken(f"{final} has other content")
        final.write_bytes(content)
        return None

    def close(self) -> None:
        self.calls.append("close")

    def __enter__(self) -> Self:
        return self

    def __exit__(self, *_: object) -> None:
        self.close()
