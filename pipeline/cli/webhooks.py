"""Commands for webhooks: where partners' events are posted."""

from typing import Annotated

import typer

from pipeline import screen
from pipeline.cli.options import OPERATOR, AsJson, Config, out, print_json
from pipeline.errors import OperatorError
from pipeline.post_events import own_endpoint
from pipeline.views import endpoint_json
from pipeline.webhooks.targets import BadTarget, target_of
from pipeline.wiring import open_application
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
    try:
        target_of(url, allow_loopback=application.settings.webhooks.allow_loopback)
    except BadTarget as error:
        raise OperatorError(str(error)) from error
    at = application.clock.now()
    made, secret = application.database.run(lambda tx: webhooks.add_endpoint(tx, partner, url, topic, at))
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
    application = open_application(config)
    own_endpoint(application.database, webhook_id)
    at = application.clock.now()
    application.database.run(lambda tx: webhooks.disable_endpoint(tx, webhook_id, at, "by the hub's staff."))
    if as_json:
        print_json(endpoint_json(own_endpoint(application.database, webhook_id), None))
    else:
        out.print(f"Nothing more is posted to webhook {webhook_id}.")


@hooks.command("rotate")
def rotate(webhook_id: int, config: Config = None, as_json: AsJson = False) -> None:
    """Make a new signing secret and show it, once; the one before signs too for a day."""
    application = open_application(config)
    own_endpoint(application.database, webhook_id)
    at = application.clock.now()
    secret = application.database.run(lambda tx: webhooks.rotate_secret(tx, webhook_id, at))
    hours = int(OVERLAP.total_seconds()) // 3600
    if as_json:
        print_json({"id": webhook_id, "secret": secret, "both_sign_hours": hours})
    else:
        out.print(f"For {hours} hours both sign. The new secret is shown this once:", soft_wrap=True)
        out.print(secret, soft_wrap=True)


@hooks.command("test")
def ping(webhook_id: int, config: Config = None, as_json: AsJson = False) -> None:
    """Post a signed ping now, and say what came of it."""
    application = open_application(config)
    endpoint = own_endpoint(application.database, webhook_id)
    if not endpoint.is_on:
        raise OperatorError(f"Webhook {webhook_id} is disabled: {endpoint.disabled_why}")
    posted = application.poster().ping(endpoint)
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
