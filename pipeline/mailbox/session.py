"""One SFTP session: carries many conversations over one SSH channel at once, with a limit on every wait.

Small files cost round trips, not bytes. The requests of all conversations that can go on are sent
together, and answers are taken in the order they come, by their numbers.
"""

import threading
import time
from collections import deque
from collections.abc import Callable, Iterator, Sequence
from contextlib import contextmanager
from dataclasses import dataclass, field
from typing import Any, Generic, TypeVar, cast

import paramiko

from pipeline.errors import CountermandError, TransportError
from pipeline.mailbox import sftp
from pipeline.mailbox.login import address, connect, disconnect, foreign_errors
from pipeline.mailbox.sftp import Answer, Content
from pipeline.mailbox.steps import Conversation
from pipeline.partners import MailboxSettings

T = TypeVar("T")
TIMEOUTS_PER_CALL = 3  # one call may take three of its single waits, and then as long as its bytes need:
BYTES_PER_SECOND_MIN = (
    16 * 1024
)  # slower than any line; else a server that answers in drops holds all others up
CONVERSATIONS_AT_ONCE = 256  # one open file each, far below a server process's usual 1,024
_RECEIVE_BYTES = 128 * 1024


@dataclass(slots=True, kw_only=True)
class _Running(Generic[T]):
    """A conversation under way and the answers of its present step."""

    place: int
    conversation: Conversation[T]
    answers: list[Answer | None] = field(default_factory=list)
    missing: int = 0


class Session:
    """An SFTP session with one partner's server; after any error it is closed and useless."""

    def __init__(self, settings: MailboxSettings) -> None:
        self._host = address(settings)
        self._timeout_seconds = settings.timeout_seconds
        self._received = bytearray()
        self._number = 0
        self._waiting: dict[int, tuple[_Running[Any], int, int]] = {}
        self._call_started = time.monotonic()
        self._call_bytes = 0
        self._transport = connect(settings)
        self._watchdog = _Watchdog(settings.timeout_seconds, lambda: disconnect(self._transport))
        try:
            self._channel, self.extensions = self._open()
        except BaseException:
            self.close()
            raise

    def _open(self) -> tuple[paramiko.Channel, frozenset[bytes]]:
        with foreign_errors(self._host), self._watchdog.watching():
            # invoke_subsystem() has no time limit of its own: here the watchdog is what ends it.
            channel = self._transport.open_session(timeout=self._timeout_seconds)
            channel.invoke_subsystem("sftp")
            channel.sendall(sftp.hello())
        self._channel = channel
        return channel, sftp.parse_hello(self._packets()[0])

    @property
    def is_strict(self) -> bool:
        """Whether both sides agreed on the strict key exchange (the answer to the Terrapin attack)."""
        return bool(getattr(self._transport, "agreed_on_strict_kex", False))  # paramiko 3.4 and later

    def run(self, conversation: Conversation[T]) -> T:
        """Carry on one conversation to its end."""
        (outcome,) = self.run_many([conversation])
        if isinstance(outcome, CountermandError):
            raise outcome
        return outcome

    def run_many(self, conversations: Sequence[Conversation[T]]) -> list[T | CountermandError]:
        """Carry on all of them; what one of them raises of ours takes its place among the results."""
        outcomes: dict[int, T | CountermandError] = {}
        queue = deque(_Running(place=i, conversation=talk) for i, talk in enumerate(conversations))
        outgoing = bytearray()
        running = 0
        self._call_started, self._call_bytes = time.monotonic(), 0
        try:
            while queue or running:
                while queue and running < CONVERSATIONS_AT_ONCE:
                    running += self._go_on(queue.popleft(), outgoing, outcomes)
                if not running:
                    continue
                self._send(outgoing)
                outgoing.clear()
                for packet in self._packets():
                    talk = self._answered(packet)
                    if talk is not None and not self._go_on(talk, outgoing, outcomes):
                        running -= 1
        except BaseException:
            self.close()
            raise
        return [outcomes[place] for place in range(len(conversations))]

    def _go_on(
        self, talk: _Running[T], outgoing: bytearray, outcomes: dict[int, T | CountermandError]
    ) -> bool:
        """Give a conversation its answers and take its next requests; False when it has ended."""
        try:
            if talk.answers:
                requests = talk.conversation.send(cast(list[Answer], talk.answers))
            else:
                requests = next(talk.conversation)
        except StopIteration as end:
            outcomes[talk.place] = end.value
            return False
        except CountermandError as error:
            outcomes[talk.place] = error
            return False
        talk.answers = [None] * len(requests)
        talk.missing = len(requests)
        for place, request in enumerate(requests):
            self._number = (self._number + 1) & 0xFFFFFFFF
            self._waiting[self._number] = (talk, place, request.length)
            outgoing += request.frame(self._number)
        return True

    def _answered(self, packet: memoryview) -> _Running[Any] | None:
        """The conversation whose step is complete with this answer."""
        number, answer = sftp.parse_answer(packet)
        if number not in self._waiting:
            raise TransportError(f"{self._host}: the server answered a request that was not made")
        talk, place, length = self._waiting.pop(number)
        if isinstance(answer, Content) and len(answer.content) > length:
            # More than was asked for: one byte is enough to find that out, and all of it fills the memory.
            answer = Content(answer.content[: length + 1])
        talk.answers[place] = answer
        talk.missing -= 1
        return None if talk.missing else talk

    def _send(self, frames: bytearray) -> None:
        with foreign_errors(self._host), self._watchdog.watching():
            self._channel.sendall(bytes(frames))
        self._call_bytes += len(frames)

    def _packets(self) -> list[memoryview]:
        """The packets that have arrived, at least one; each must be complete within the time limit."""
        needed_seconds = TIMEOUTS_PER_CALL * self._timeout_seconds + self._call_bytes / BYTES_PER_SECOND_MIN
        deadline = min(time.monotonic() + self._timeout_seconds, self._call_started + needed_seconds)
        while not (packets := self._cut()):
            with foreign_errors(self._host):
                # Not per recv(): a server that drips a byte now and then would hold us for ever.
                left = deadline - time.monotonic()
                if left <= 0:
                    raise TimeoutError
                self._channel.settimeout(left)
                received = self._channel.recv(_RECEIVE_BYTES)
                self._channel.settimeout(self._timeout_seconds)
                if not received:
                    raise EOFError("the server closed the session")
            self._received += received
            self._call_bytes += len(received)
        return packets

    def _cut(self) -> list[memoryview]:
        packets, at, received = [], 0, bytes(self._received)
        while len(received) - at >= 4:
            length = int.from_bytes(received[at : at + 4], "big")
            if length > sftp.FRAME_BYTES_MAX:
                raise TransportError(f"{self._host}: the server sent an SFTP packet of {length} bytes")
            if len(received) - at - 4 < length:
                break
            packets.append(memoryview(received)[at + 4 : at + 4 + length])
            at += 4 + length
        del self._received[:at]
        return packets

    def close(self) -> None:
        """End the connection; what is under way is lost."""
        self._watchdog.stop()
        disconnect(self._transport)


class _Watchdog(threading.Thread):
    """Ends a connection whose send does not return: paramiko retries a stuck socket for ever."""

    def __init__(self, seconds: float, expire: Callable[[], None]) -> None:
        super().__init__(name="mailbox-watchdog", daemon=True)
        self._seconds = seconds
        self._expire = expire
        self._since: float | None = None
        self._stopped = threading.Event()
        self.start()

    def run(self) -> None:
        while not self._stopped.wait(self._seconds / 4):
            since = self._since
            if since is not None and time.monotonic() - since > self._seconds:
                self._expire()
                return

    @contextmanager
    def watching(self) -> Iterator[None]:
        """What is done inside must be done within the time."""
        self._since = time.monotonic()
        try:
            yield
        finally:
            self._since = None

    def stop(self) -> None:
        """No more watching; the thread is gone when this returns."""
        self._stopped.set()
        if threading.current_thread() is not self:
            self.join(timeout=2)
