"""Commands for people who may sign in to the app: add, list, revoke."""

from typing import Annotated

import typer

from pipeline import screen
from pipeline.cli.options import AsJson, Config, out, print_json
from pipeline.errors import OperatorError
from pipeline.people import INVITED_HOURS, invite
from pipeline.report import Json
from pipeline.wiring import open_application
from storage import people
from storage.people import User

app = typer.Typer()
users = typer.Typer(help="People who may sign in to the app.", no_args_is_help=True)
app.add_typer(users, name="user")


@users.command("add")
def add(
    email: Annotated[str, typer.Argument(help="The address to sign in with, and to which the link goes.")],
    config: Config = None,
    as_json: AsJson = False,
    partner: Annotated[str, typer.Option(help="For which partner; its orders are seen.")] = "",
    operator: Annotated[bool, typer.Option("--operator", help="For the hub: sees and does all.")] = False,
    name: Annotated[str, typer.Option(help="The person's name, as timelines and e-mails show it.")] = "",
) -> None:
    """Let a person in: mails a one-time link to set the password, and prints it."""
    if bool(partner) is operator:
        raise OperatorError("Give --partner ID or --operator, one of them.")
    application = open_application(config)
    settings, at = application.settings, application.clock.now()
    known = settings.directory.get(partner) if partner else None
    if partner and known is None:
        raise OperatorError(f'There is no partner "{partner}" in the settings.')
    made = application.database.run(lambda tx: invite(tx, settings, email, known, at, name=name))
    if as_json:
        print_json({**_as_json(made.user), "link": made.link})
    else:
        said = f"{made.user.email} may sign in. This link sets the password, once, for {INVITED_HOURS} hours:"
        out.print(screen.printable(said), soft_wrap=True)
        out.print(made.link, soft_wrap=True)
        out.print("It is mailed to the same address with the next `countermand poll`.", soft_wrap=True)


@users.command("list")
def show(config: Config = None, as_json: AsJson = False) -> None:
    """Everybody who may sign in, or might once; never a password."""
    application = open_application(config)
    with application.database.reading() as tx:
        found = people.list_users(tx)
    if as_json:
        print_json({"users": [_as_json(user) for user in found]})
    else:
        screen.show_users(out, found, application.clock.now())


@users.command("revoke")
def revoke(email: str, config: Config = None, as_json: AsJson = False) -> None:
    """Keep a person out from now on, and sign them out everywhere; `user add` lets them in again."""
    application = open_application(config)
    at = application.clock.now()
    with application.database.reading() as tx:
        user = people.user_with(tx, email)
    if user is None:
        raise OperatorError(f"There is nobody with the address {email}.")
    user_id = user.id
    revoked = application.database.run(lambda tx: people.revoke_user(tx, user_id, at))
    assert revoked is not None
    if as_json:
        print_json(_as_json(revoked))
    else:
        out.print(screen.printable(f"{revoked.email} does not get in any more."), soft_wrap=True)


def _as_json(user: User) -> Json:
    moments = ("created_at", "signed_in_at", "locked_until", "disabled_at")
    said = {name: getattr(user, name) for name in moments}
    return {
        "id": user.id,
        "email": user.email,
        "name": user.name,
        "role": user.role.value,
        "partner": user.partner,
        "has_password": user.has_password,
        **{name: moment.isoformat() if moment else None for name, moment in said.items()},
    }
