"""A proxy on loopback that makes a server seem far away: what it passes on comes half a round trip later."""

import asyncio
import multiprocessing
import socket
from collections.abc import Iterator
from contextlib import contextmanager

_CHUNK_BYTES = 256 * 1024


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
    async def connected(near: asyncio.StreamReader, back: asyncio.StreamWriter) -> None:
        far, forth = await asyncio.open_connection("127.0.0.1", port)
        await asyncio.gather(_carry(near, forth, seconds), _carry(far, back, seconds))

    async with await asyncio.start_server(connected, sock=listener) as server:
        await server.serve_forever()


async def _carry(source: asyncio.StreamReader, target: asyncio.StreamWriter, seconds: float) -> None:
    """Pass on what comes, in order, each piece so much later; any number of pieces may be on the way."""
    under_way: asyncio.Queue[tuple[float, bytes]] = asyncio.Queue()
    clock = asyncio.get_running_loop().time

    async def arrive() -> None:
        while True:
            due, piece = await under_way.get()
            await asyncio.sleep(max(0.0, due - clock()))
            if not piece:
                target.close()
                return
            target.write(piece)

    arriving = asyncio.create_task(arrive())
    while piece := await source.read(_CHUNK_BYTES):
        under_way.put_nowait((clock() + seconds, piece))
    under_way.put_nowait((clock() + seconds, b""))
    await arriving
