"""Commands for people who may sign in to the app: add, list, what e-mail they get, revoke."""

from typing import Annotated

import typer

from pipeline import screen
from pipeline.cli.options import AsJson, Config, out, print_json
from pipeline.errors import OperatorError
from pipeline.people import INVITED_HOURS, invite
from pipeline.report import Json
from pipeline.telling.company_mail import PACE_WORDS, NobodyLeft, choose, company_mail
from pipeline.wiring import Application, open_application
from storage import people
from storage.people import User
from storage.states import MailPace, MailTopic

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


@users.command("mail")
def mail(
    email: str,
    config: Config = None,
    as_json: AsJson = False,
    cancellations: Annotated[MailPace | None, typer.Option(help="When, of cancellations.")] = None,
    requests: Annotated[MailPace | None, typer.Option(help="When, of requests to cancel.")] = None,
    refusals: Annotated[MailPace | None, typer.Option(help="When, of what was refused.")] = None,
) -> None:
    """Show what a person of a partner is told of by e-mail, and when; with options, set it."""
    application = open_application(config)
    settings = application.settings
    said = {
        MailTopic.CANCELLATIONS: cancellations,
        MailTopic.REQUESTS: requests,
        MailTopic.REFUSALS: refusals,
    }
    paces = {topic: pace for topic, pace in said.items() if pace is not None}
    user = _somebody(application, email)
    if settings.directory.get(user.partner) is None or user.disabled_at is not None:
        raise OperatorError(f"{user.email} is not a person of a partner who may sign in.")
    if paces:
        try:
            application.database.run(lambda tx: choose(tx, settings, user, paces))
        except NobodyLeft as error:
            raise OperatorError(
                f"{user.email} is the last one of {user.partner} who is told of {error}; nothing was changed."
            ) from error
    with application.database.reading() as tx:
        company = company_mail(tx, settings, user.partner)
    assert company is not None
    now = {topic: company.pace_of(user.email, topic) for topic in MailTopic}
    if as_json:
        print_json({"email": user.email, **{topic.value: pace.value for topic, pace in now.items()}})
        return
    for topic, pace in now.items():
        out.print(screen.printable(f"{user.email}, {topic.value}: {PACE_WORDS[pace]}"), soft_wrap=True)


@users.command("revoke")
def revoke(email: str, config: Config = None, as_json: AsJson = False) -> None:
    """Keep a person out from now on, and sign them out everywhere; `user add` lets them in again."""
    application = open_application(config)
    at = application.clock.now()
    user_id = _somebody(application, email).id
    revoked = application.database.run(lambda tx: people.revoke_user(tx, user_id, at))
    assert revoked is not None
    if as_json:
        print_json(_as_json(revoked))
    else:
        out.print(screen.printable(f"{revoked.email} does not get in any more."), soft_wrap=True)


def _somebody(application: Application, email: str) -> User:
    with application.database.reading() as tx:
        user = people.user_with(tx, email)
    if user is None:
        raise OperatorError(f"There is nobody with the address {email}.")
    return user


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
