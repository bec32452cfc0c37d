"""Commands for the second door: serve, and the keys that open it."""

from typing import Annotated

import typer

from pipeline.cli.options import Config, out
from pipeline.errors import OperatorError
from pipeline.wiring import open_application

PORT = 8080

app = typer.Typer()


@app.command()
def serve(
    config: Config = None,
    host: Annotated[str, typer.Option(help="The address to listen on; only this machine by default.")] = (
        "127.0.0.1"
    ),
    port: Annotated[int, typer.Option(help="0: any that is free.", min=0, max=65535)] = PORT,
) -> None:
    """Serve the HTTP API and the app over this ledger, until stopped."""
    try:
        from pipeline.api.serving import THREADS
        from pipeline.api.serving import serve as run
    except ModuleNotFoundError as error:
        raise OperatorError(
            f"{error.name}, which serving needs, is missing: install countermand[serve]."
        ) from error

    def listening(at: str, on: int) -> None:
        out.print(f"Serving on http://{f'[{at}]' if ':' in at else at}:{on}/", soft_wrap=True)

    run(open_application(config, threads=THREADS), host, port, listening)
