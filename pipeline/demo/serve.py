"""`python -m pipeline.demo.serve [FOLDER]`: the app and the API over what the demonstration left.

Partners' servers and the mail server run again, and a round of `countermand poll` every second beside the
site, so that what is cancelled in a browser is an e-mail in the folder a moment later.
"""

import signal
import socket
import sys
import threading
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from dataclasses import dataclass, replace
from datetime import timedelta
from pathlib import Path

from rich.console import Console
from rich.table import Table
from rich.text import Text
from sqlalchemy import Connection

from pipeline.api.pages import passwords
from pipeline.api.serving import THREADS
from pipeline.api.serving import serve as serve_site
from pipeline.demo.__main__ import FOLDER
from pipeline.demo.__main__ import main as play
from pipeline.demo.stage import Mail, is_stage, raised
from pipeline.demo.world import CHARACTERS
from pipeline.entering import Speaker, cancellation, enter
from pipeline.errors import CountermandError
from pipeline.reasons import CancelReason
from pipeline.wiring import Application, open_application
from storage import access_keys, people, queries
from storage.commands import BuyerCancel, LineCancellation, LineReference
from storage.states import Scope, UserRole

HOST, PORT = "127.0.0.1", 8080
PASSWORD = "only-on-loopback"  # of people who do not exist, for orders that somebody made up
KEY_NAME = "make serve"
WAITS = ("4500101", "2")  # the order and the line that the buyer asks to cancel, for the seller to answer


@dataclass(frozen=True, slots=True)
class Somebody:
    """A person of the demonstration; "" for the hub's own."""

    email: str
    name: str
    partner: str

    @property
    def is_who(self) -> str:
        """In a few words."""
        character = CHARACTERS.get(self.partner)
        return f"{character.role} {character.name}" if character else "operator, the hub's own staff"


PEOPLE = (
    Somebody("ada@acme.example", "Ada Baker", "acme"),
    Somebody("sam@globex.example", "Sam Porter", "globex"),
    Somebody("olga@hub.example", "Olga Perez", ""),
)


def main(arguments: Sequence[str]) -> int:
    """Serve until Ctrl-C."""
    folder = Path(arguments[0] if arguments else FOLDER).absolute()
    if not is_stage(folder) and (failed := play([str(folder)])):
        return failed
    signal.signal(signal.SIGTERM, signal.default_int_handler)  # as Ctrl-C: the servers are stopped
    console = Console(highlight=False, emoji=False)
    port = _free_port()

    def arrived(mail: Mail) -> None:
        console.print(Text(f"e-mail to {mail.to}: {mail.subject}\n  {mail.html}"), soft_wrap=True)

    try:
        with raised(folder, site=f"http://{HOST}:{port}", arrived=arrived) as stage:
            config = stage.countermand.config
            application = open_application(config, threads=THREADS)
            keys = application.database.run(lambda tx: _let_in(tx, application))

            def listening(at: str, on: int) -> None:
                _introduce(console, f"http://{at}:{on}/", keys, folder)

            with _polling(config):
                serve_site(application, HOST, port, listening)
    except KeyboardInterrupt:
        return 0
    except CountermandError as error:
        print(f"The demonstration cannot be served: {error}", file=sys.stderr)
        return 1
    return 0


@contextmanager
def _polling(config: Path) -> Iterator[None]:
    """What `countermand poll --every 1` does, beside the site."""
    stopped = threading.Event()

    def rounds() -> None:
        application = open_application(config)
        with application.database.only_process():
            poller = application.poller()
            while not stopped.wait(1):
                poller.round(wait=False)
        application.database.close()

    thread = threading.Thread(target=rounds, name="demo-poll")
    thread.start()
    try:
        yield
    finally:
        stopped.set()
        thread.join()


def _free_port() -> int:
    """The usual port, or any that is free."""
    for port in (PORT, 0):
        with socket.socket() as tried:
            tried.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
            try:
                tried.bind((HOST, port))
            except OSError:
                continue
            return int(tried.getsockname()[1])
    raise CountermandError(f"no port of {HOST} is free")


def _let_in(tx: Connection, application: Application) -> dict[str, str]:
    """Everybody gets in with the password, and has a new key; the secrets by partner."""
    at, kept = application.clock.now(), passwords.hashed(PASSWORD)
    for person in PEOPLE:
        if people.user_with(tx, person.email) is None:
            role = UserRole.PARTNER if person.partner else UserRole.OPERATOR
            user = people.add_user(tx, person.email, role, at, partner=person.partner, name=person.name)
            assert user is not None
            link = people.make_link(tx, user.id, at + timedelta(minutes=1))
            people.set_password(tx, link, kept, at)
            if person.partner == "acme":
                _ask(tx, application, person)
    for key in access_keys.list_keys(tx):
        if key.name == KEY_NAME:
            access_keys.revoke_key(tx, key.id, at)
    return {
        person.partner: access_keys.add_key(tx, person.partner, list(Scope), at, name=KEY_NAME)[1]
        for person in PEOPLE
        if person.partner
    }


def _ask(tx: Connection, application: Application, person: Somebody) -> None:
    """The buyer asks to cancel a line, as where that is agreed: the seller finds something to answer."""
    po_number, line = WAITS
    buyer = application.settings.directory.get(person.partner)
    found = queries.find_orders(tx, po_number, buyer=person.partner)
    if buyer is None or not found:
        return
    asking = replace(buyer, policy=replace(buyer.policy, buyer_cancel=BuyerCancel.REQUESTED))
    speaker = Speaker(partner=asking, actor=f"{person.name} ({person.email})", at=application.clock.now())
    command = cancellation(
        application.settings, speaker, found[0].key,
        lines=(LineCancellation(line=LineReference(number=line)),),
        reason=CancelReason.NO_LONGER_WANTED.reason, note="The shop in Kaunas closes in May.",
    )  # fmt: skip
    enter(tx, application.settings, command, "demo:asks")


def _introduce(console: Console, address: str, keys: dict[str, str], folder: Path) -> None:
    table = Table("sign in as", "password", "who", box=None, pad_edge=False)
    for person in PEOPLE:
        table.add_row(person.email, PASSWORD, person.is_who)
    console.print()
    console.print(Text.assemble("Open ", (address, "bold"), " in a browser."))
    console.print(table)
    for partner, secret in keys.items():
        said = f"An API key of {CHARACTERS[partner].name}, as in docs/api.md: {secret}"
        console.print(Text(said), soft_wrap=True)
    console.print(
        Text(f"E-mails arrive in {folder / 'mail'}, and are named here. Ctrl-C ends it."), soft_wrap=True
    )


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
