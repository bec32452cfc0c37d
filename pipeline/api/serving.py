"""Serving: a site on a port, until it is told to stop; what is begun is finished."""

import socket
from collections.abc import Callable
from contextlib import suppress

import uvicorn

from pipeline.api.application import THREADS, make_site
from pipeline.api.callers import Pace
from pipeline.api.crew import run_crew
from pipeline.errors import OperatorError
from pipeline.wiring import Application

GRACE_SECONDS = 10  # for what is begun when it is told to stop
ENDING_SECONDS = 5  # more, for a worker that gives its connections back after that
IDLE_SECONDS = 30  # a connection that says nothing is closed
CONNECTIONS_MAX = 200  # at once; more are told to come back (503)
WAITING_MAX = 128  # connections that the system keeps for us until we take them

__all__ = ["THREADS", "listen", "make_server", "serve"]


def serve(
    application: Application, host: str, port: int, listening: Callable[[str, int], None], workers: int = 1
) -> None:
    """Serve until SIGTERM or SIGINT; `listening` is told the address that answers from now on.

    With several `workers` nothing of the application may be in use yet: each process opens its own.
    """
    with listen(host, port) as bound:

        def work() -> None:
            with suppress(KeyboardInterrupt):  # how a person ends it
                make_server(application).run(sockets=[bound])

        listening(*bound.getsockname()[:2])
        if workers == 1:
            work()
        else:
            run_crew(workers, work, GRACE_SECONDS + ENDING_SECONDS)


def listen(host: str, port: int) -> socket.socket:
    """A socket that connections wait at; an OperatorError when there can be none.

    With the protocol's number: asyncio sends small answers at once only on a socket that says it is TCP, and
    each would else wait 40 milliseconds for the caller's acknowledgment.
    """
    family = socket.AF_INET6 if ":" in host else socket.AF_INET
    bound = socket.socket(family, socket.SOCK_STREAM, socket.IPPROTO_TCP)
    try:
        bound.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
        bound.bind((host, port))
        bound.listen(WAITING_MAX)
    except OSError as error:
        bound.close()
        raise OperatorError(f"Cannot listen on {host} port {port}: {error.strerror or error}.") from error
    return bound


def make_server(application: Application, pace: Pace | None = None) -> uvicorn.Server:
    """What serves, on sockets that it is given."""
    config = uvicorn.Config(
        make_site(application, threads=THREADS, pace=pace or Pace()),
        http="h11",  # which bounds the head of a request; the quicker one, where it is installed, does not
        log_config=None,  # our own log has a line for each request
        access_log=False,
        server_header=False,
        limit_concurrency=CONNECTIONS_MAX,
        timeout_keep_alive=IDLE_SECONDS,
        timeout_graceful_shutdown=GRACE_SECONDS,
    )
    return uvicorn.Server(config)
