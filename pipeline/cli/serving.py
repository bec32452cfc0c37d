"""Commands for the second door: serve, and the keys that open it."""

from datetime import timedelta
from typing import Annotated

import typer

from pipeline import screen
from pipeline.cli.options import AsJson, Config, out, print_json
from pipeline.errors import OperatorError
from pipeline.report import Json
from pipeline.wiring import open_application
from storage import access_keys
from storage.access_keys import AccessKey
from storage.states import Scope

PORT = 8080
DAYS_MAX = 3650
WORKERS_MAX = 64

app = typer.Typer()
keys = typer.Typer(help="Keys with which partners' systems use the API.", no_args_is_help=True)
app.add_typer(keys, name="key")


@app.command()
def serve(
    config: Config = None,
    as_json: AsJson = False,
    host: Annotated[str, typer.Option(help="The address to listen on; only this machine by default.")] = (
        "127.0.0.1"
    ),
    port: Annotated[int, typer.Option(help="0: any that is free.", min=0, max=65535)] = PORT,
    workers: Annotated[
        int, typer.Option(help="Processes that share the work; one for each core.", min=1, max=WORKERS_MAX)
    ] = 1,
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
        address = f"http://{f'[{at}]' if ':' in at else at}:{on}/"
        if as_json:
            print_json({"serving": address}, in_one_line=True)
        else:
            out.print(f"Serving on {address}", soft_wrap=True)

    application = open_application(config, threads=THREADS)
    application.prove()
    with application.database.reading():
        pass  # its schema is current, or that is said before anybody comes
    application.database.close()  # and no connection of this process's is shared with the workers
    run(application, host, port, listening, workers)


@keys.command("add")
def add(
    partner: Annotated[str, typer.Option(help="Whose orders it opens.")],
    scope: Annotated[list[Scope], typer.Option(help="What it may do; give it several times.")],
    config: Config = None,
    as_json: AsJson = False,
    name: Annotated[str, typer.Option(help="Which system has it, for people.")] = "",
    expires: Annotated[int, typer.Option(help="Days it is good; 0: until revoked.", min=0, max=DAYS_MAX)] = 0,
) -> None:
    """Make a key and show it, once: only its hash is kept."""
    application = open_application(config)
    if application.settings.directory.get(partner) is None:
        raise OperatorError(f'There is no partner "{partner}" in the settings.')
    at = application.clock.now()
    until = at + timedelta(days=expires) if expires else None
    made, secret = application.database.run(
        lambda tx: access_keys.add_key(tx, partner, scope, at, name=name, expires_at=until)
    )
    if as_json:
        print_json({**_as_json(made), "key": secret})
    else:
        out.print(f"Key {made.id} of {screen.printable(partner)}. It is shown this once:", soft_wrap=True)
        out.print(secret, soft_wrap=True)


@keys.command("list")
def show(config: Config = None, as_json: AsJson = False) -> None:
    """All keys, without their secrets; when each was used last."""
    application = open_application(config)
    with application.database.reading() as tx:
        found = access_keys.list_keys(tx)
    if as_json:
        print_json({"keys": [_as_json(key) for key in found]})
    else:
        screen.show_keys(out, found, application.clock.now())


@keys.command("revoke")
def revoke(key_id: int, config: Config = None, as_json: AsJson = False) -> None:
    """End a key at once; what was answered under it stays answered."""
    application = open_application(config)
    at = application.clock.now()
    revoked = application.database.run(lambda tx: access_keys.revoke_key(tx, key_id, at))
    if revoked is None:
        raise OperatorError(f"There is no key {key_id}.")
    if as_json:
        print_json(_as_json(revoked))
    else:
        out.print(f"Key {key_id} opens nothing any more.")


def _as_json(key: AccessKey) -> Json:
    moments = ("created_at", "expires_at", "revoked_at", "last_used_at")
    said = {name: getattr(key, name) for name in moments}
    return {
        "id": key.id,
        "partner": key.partner,
        "name": key.name,
        "scopes": sorted(scope.value for scope in key.scopes),
        **{name: moment.isoformat() if moment else None for name, moment in said.items()},
    }
