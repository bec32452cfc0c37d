"""A mail server on a loopback port that delivers nothing: it keeps every message for people to read."""

import asyncio
import threading
from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path
from types import TracebackType
from typing import Any, Self

from aiosmtpd.smtp import SMTP


@dataclass(frozen=True, slots=True, kw_only=True)
class SunkMessage:
    """One message as it was handed over."""

    sender: str
    recipients: tuple[str, ...]
    content: bytes
    path: Path  #: the .eml file, to be opened with any mail program


class SmtpSink:
    """Takes mail from start() to stop(), or inside a with block; keeps it in `folder` and `messages`."""

    def __init__(self, folder: Path, arrived: Callable[[SunkMessage], None] | None = None) -> None:
        self._folder = folder
        self._arrived = arrived
        self._before = len(list(folder.glob("*.eml")))  # kept by an earlier one
        self._lock = threading.Lock()
        self._messages: list[SunkMessage] = []
        # aiosmtpd's own Controller cannot listen on a port of the system's choice.
        self._loop = asyncio.new_event_loop()
        self._thread = threading.Thread(target=self._loop.run_forever, name="demo-smtp", daemon=True)
        self._server: asyncio.Server | None = None
        self.port = 0

    @property
    def messages(self) -> tuple[SunkMessage, ...]:
        """What has arrived so far, in order."""
        with self._lock:
            return tuple(self._messages)

    def start(self) -> None:
        """Listen on a free port, which is then in `port`."""
        self._folder.mkdir(parents=True, exist_ok=True)
        self._thread.start()
        self._server = asyncio.run_coroutine_threadsafe(self._listen(), self._loop).result()
        self.port = int(self._server.sockets[0].getsockname()[1])

    async def _listen(self) -> asyncio.Server:
        return await self._loop.create_server(self._connection, "127.0.0.1", 0)

    def _connection(self) -> SMTP:
        return SMTP(self, hostname="localhost", enable_SMTPUTF8=True, loop=self._loop)

    def stop(self) -> None:
        """Stop listening and drop who is still connected; the messages stay."""
        server, self._server = self._server, None
        if server is None:
            return
        asyncio.run_coroutine_threadsafe(self._hang_up(server), self._loop).result()
        self._loop.call_soon_threadsafe(self._loop.stop)
        self._thread.join()
        self._loop.close()

    @staticmethod
    async def _hang_up(server: asyncio.Server) -> None:
        server.close()
        others = [task for task in asyncio.all_tasks() if task is not asyncio.current_task()]
        for task in others:
            task.cancel()
        await asyncio.gather(*others, return_exceptions=True)

    def __enter__(self) -> Self:
        self.start()
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        self.stop()

    async def handle_DATA(self, server: Any, session: Any, envelope: Any) -> str:
        """Called by aiosmtpd for each message."""
        content = bytes(envelope.original_content or b"")
        with self._lock:
            path = self._folder / f"{self._before + len(self._messages) + 1:04d}.eml"
            path.write_bytes(content)
            message = SunkMessage(
                sender=str(envelope.mail_from or ""),
                recipients=tuple(str(recipient) for recipient in envelope.rcpt_tos),
                content=content,
                path=path,
            )
            self._messages.append(message)
        if self._arrived is not None:
            self._arrived(message)
        return "250 kept"
