"""Commands for webhooks: where partners' events are posted."""

from typing import Annotated

import typer

from pipeline import screen
from pipeline.cli.options import OPERATOR, AsJson, Config, out, print_json
from pipeline.endpoints import HUBS_STAFF, Keeper
from pipeline.errors import OperatorError
from pipeline.views import endpoint_json
from pipeline.wiring import Application, open_application
from storage import webhooks
from storage.states import Topic
from storage.webhooks import OVERLAP

app = typer.Typer()
hooks = typer.Typer(help="Where partners' events are posted.", no_args_is_help=True)
app.add_typer(hooks, name="webhook")


@hooks.command("add")
def add(
    partner: Annotated[str, typer.Option(help="Whose orders' events.")],
    url: Annotated[str, typer.Option(help="Where to: https://...")],
    topic: Annotated[list[Topic], typer.Option(help="What is told; give it several times.")],
    config: Config = None,
    as_json: AsJson = False,
) -> None:
    """Make a webhook and show its signing secret, once."""
    application = open_application(config)
    if application.settings.directory.get(partner) is None:
        raise OperatorError(f'There is no partner "{partner}" in the settings.')
    made, secret = _keeper(application, partner).add(url, topic)
    if as_json:
        print_json({**endpoint_json(made, None), "secret": secret})
    else:
        said = f"Webhook {made.id} of {partner}. What it is signed with is shown this once:"
        out.print(screen.printable(said), soft_wrap=True)
        out.print(secret, soft_wrap=True)


@hooks.command("list")
def show(config: Config = None, as_json: AsJson = False) -> None:
    """All webhooks, without their secrets, and what came of the last attempt at each."""
    application = open_application(config)
    with application.database.reading() as tx:
        found = webhooks.list_endpoints(tx)
        last = webhooks.last_attempts(tx, [one.id for one in found])
    if as_json:
        print_json({"webhooks": [endpoint_json(one, last.get(one.id)) for one in found]})
    else:
        screen.show_endpoints(out, found, last)


@hooks.command("disable")
def disable(webhook_id: int, config: Config = None, as_json: AsJson = False) -> None:
    """Post nothing more there; what waits for it is not posted either."""
    endpoint = _keeper(open_application(config)).switch_off(webhook_id)
    if as_json:
        print_json(endpoint_json(endpoint, None))
    else:
        out.print(f"Nothing more is posted to webhook {webhook_id}.")


@hooks.command("enable")
def enable(webhook_id: int, config: Config = None, as_json: AsJson = False) -> None:
    """Post there again what happens from now on; what it missed: countermand resend."""
    endpoint = _keeper(open_application(config)).switch_on(webhook_id)
    if as_json:
        print_json(endpoint_json(endpoint, None))
    else:
        out.print(f"Webhook {webhook_id} is on.")


@hooks.command("rotate")
def rotate(webhook_id: int, config: Config = None, as_json: AsJson = False) -> None:
    """Make a new signing secret and show it, once; the one before signs too for a day."""
    secret = _keeper(open_application(config)).rotate(webhook_id)
    hours = int(OVERLAP.total_seconds()) // 3600
    if as_json:
        print_json({"id": webhook_id, "secret": secret, "both_sign_hours": hours})
    else:
        out.print(f"For {hours} hours both sign. The new secret is shown this once:", soft_wrap=True)
        out.print(secret, soft_wrap=True)


@hooks.command("test")
def ping(webhook_id: int, config: Config = None, as_json: AsJson = False) -> None:
    """Post a signed ping now, and say what came of it."""
    posted = _keeper(open_application(config)).test(webhook_id)
    if as_json:
        print_json(
            {
                "id": webhook_id,
                "status": posted.status,
                "error": posted.error or None,
                "answer": posted.excerpt,
                "duration_ms": posted.duration_ms,
            }
        )
    else:
        said = posted.error or f"It answered {posted.status} after {posted.duration_ms} ms."
        out.print(screen.printable(said), soft_wrap=True)
    if posted.error:
        raise typer.Exit(OPERATOR)


def _keeper(application: Application, partner: str = "") -> Keeper:
    return Keeper(application=application, partner=partner, by=HUBS_STAFF)
