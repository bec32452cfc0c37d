"""Load: requests over a few kept connections from one process, each as soon as the last one is answered."""

import asyncio
import time
from collections.abc import Iterator
from dataclasses import dataclass, field

#: The bytes of a request, made when its turn comes.
Requests = Iterator[bytes]


@dataclass(slots=True)
class Answered:
    """What came back, and how long each took, in seconds; `seconds` is the whole time."""

    seconds: float = 0.0
    took: list[float] = field(default_factory=list)
    others: list[bytes] = field(default_factory=list)  # beginnings of what was no 200

    @property
    def rate(self) -> float:
        """Answers a second."""
        return len(self.took) / self.seconds

    def part(self, share: float) -> str:
        """The time, in milliseconds, that this share of the answers did not take longer than."""
        return f"{sorted(self.took)[int(share * (len(self.took) - 1))] * 1000:.1f}"


def post(path: str, key: str, body: bytes, more: str = "") -> bytes:
    """A request with a JSON body; `more` are header lines, each with its line end."""
    head = f"Content-Type: application/json\r\nContent-Length: {len(body)}\r\n{more}"
    return _request("POST", path, key, head) + body


def get(path: str, key: str) -> bytes:
    """A request that reads."""
    return _request("GET", path, key, "")


def _request(method: str, path: str, key: str, head: str) -> bytes:
    named = f"Host: 127.0.0.1\r\nAuthorization: Bearer {key}\r\n{head}\r\n"
    return f"{method} {path} HTTP/1.1\r\n{named}".encode()


def send(port: int, requests: Requests, *, connections: int, seconds: float) -> Answered:
    """Send requests for so long, each connection one at a time; what is under way then is waited for."""
    return asyncio.run(_send(port, requests, connections, seconds))


async def _send(port: int, requests: Requests, connections: int, seconds: float) -> Answered:
    found = Answered()
    begun = time.perf_counter()
    end = begun + seconds
    async with asyncio.timeout(seconds + 60), asyncio.TaskGroup() as group:
        for _ in range(connections):
            group.create_task(_one(port, requests, end, found))
            await asyncio.sleep(0.01)  # together, one process would take them all before another wakes up
    found.seconds = time.perf_counter() - begun
    return found


async def _one(port: int, requests: Requests, end: float, found: Answered) -> None:
    reader, writer = await asyncio.open_connection("127.0.0.1", port)
    while (begun := time.perf_counter()) < end:
        request = next(requests, None)
        if request is None:
            break
        writer.write(request)
        head = await reader.readuntil(b"\r\n\r\n")
        length = int(head.lower().partition(b"content-length: ")[2].partition(b"\r")[0])
        body = await reader.readexactly(length)
        found.took.append(time.perf_counter() - begun)
        if not head.startswith(b"HTTP/1.1 200 "):
            found.others.append(head[:40] + body[:200])
    writer.close()
    await writer.wait_closed()
