"""A proxy on loopback that makes a server seem far away: what it passes on comes half a round trip later."""

import asyncio
import multiprocessing
import socket
from collections.abc import Iterator
from contextlib import contextmanager

_CHUNK_BYTES = 256 * 1024
_TICK_SECONDS = 0.001


@contextmanager
def delayed(port: int, round_trip_seconds: float) -> Iterator[int]:
    """A port behind which the other one is, so far away; the proxy has a process of its own."""
    listener = socket.create_server(("127.0.0.1", 0), backlog=64)
    process = multiprocessing.get_context("fork").Process(
        target=lambda: asyncio.run(_serve(listener, port, round_trip_seconds / 2)), daemon=True
    )
    process.start()
    try:
        yield int(listener.getsockname()[1])
    finally:
        process.kill()
        process.join()
        listener.close()


async def _serve(listener: socket.socket, port: int, seconds: float) -> None:
    listener.setblocking(False)
    loop = asyncio.get_running_loop()
    carried: set[asyncio.Task[None]] = set()
    while True:
        near, _ = await loop.sock_accept(listener)
        far = socket.create_connection(("127.0.0.1", port))
        for link in (near, far):
            link.setblocking(False)
            link.setsockopt(socket.IPPROTO_TCP, socket.TCP_NODELAY, 1)
        task = asyncio.create_task(_both_ways(near, far, seconds))
        carried.add(task)
        task.add_done_callback(carried.discard)


async def _both_ways(near: socket.socket, far: socket.socket, seconds: float) -> None:
    with near, far:
        await asyncio.gather(_carry(near, far, seconds), _carry(far, near, seconds), return_exceptions=True)


async def _carry(source: socket.socket, target: socket.socket, seconds: float) -> None:
    """Pass on what comes, in order, each piece so much later; any number of pieces may be on the way.

    What comes within a tick is one piece: else the proxy's own work for each packet would be measured.
    """
    under_way: asyncio.Queue[tuple[float, bytes]] = asyncio.Queue()
    loop = asyncio.get_running_loop()

    async def arrive() -> None:
        while True:
            due, piece = await under_way.get()
            await asyncio.sleep(max(0.0, due - loop.time()))
            if not piece:
                target.shutdown(socket.SHUT_WR)
                return
            await loop.sock_sendall(target, piece)

    arriving = asyncio.create_task(arrive())
    while piece := await loop.sock_recv(source, _CHUNK_BYTES):
        under_way.put_nowait((loop.time() + seconds - _TICK_SECONDS / 2, piece))
        await asyncio.sleep(_TICK_SECONDS)
    under_way.put_nowait((loop.time() + seconds, b""))
    await arriving
