"""Where the demonstration plays: a folder, an SFTP and a mail server on loopback, and settings for them."""

import shutil
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from email import message_from_bytes, policy
from email.message import EmailMessage
from pathlib import Path

from pipeline.demo.command import Countermand
from pipeline.demo.sftp_server import DemoSftpServer, DemoUser
from pipeline.demo.smtp_sink import SmtpSink, SunkMessage
from pipeline.demo.story import Step
from pipeline.demo.world import CHARACTERS, DELIVERY, PICKUP, SftpAccess, make_mailbox, settings_text

PASSWORD = "only-on-loopback"  # of servers that live for seconds and serve made-up orders
_MARK = ".countermand-demo"


class FolderInUse(Exception):
    """The folder holds something that is not an earlier demonstration."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Mail:
    """One e-mail that arrived, and where it is kept."""

    to: str
    subject: str
    text: str
    eml: Path
    html: Path


# The segment that holds the verdict, and the set it stands in.
_SAYS = {b"AK9": "997", b"OTI": "824"}


@dataclass(frozen=True, slots=True, kw_only=True)
class Acknowledgment:
    """One 997 left on a partner's server, with its AK9 verdict."""

    partner: str
    path: Path
    verdict: str


@dataclass(frozen=True, slots=True, kw_only=True)
class Stage:
    """Servers running, settings written."""

    folder: Path
    countermand: Countermand
    sink: SmtpSink

    def mailbox(self, partner: str) -> Path:
        return self.folder / "sftp" / partner

    def drop(self, step: Step) -> None:
        """What the partner does: write the file under another name, then rename it."""
        target = self.mailbox(step.partner) / PICKUP.lstrip("/") / step.file.name
        unfinished = target.with_name(target.name + ".tmp")
        unfinished.write_bytes(step.file.read_bytes())
        unfinished.replace(target)

    def mails(self, since: int = 0) -> tuple[Mail, ...]:
        """The e-mails that arrived, from one on; each one's HTML is written beside it."""
        return tuple(_mail(message.content, message.path) for message in self.sink.messages[since:])

    def acknowledgments(self) -> tuple[Acknowledgment, ...]:
        """What lies in the partners' delivery folders, by partner and name."""
        return tuple(
            Acknowledgment(partner=partner, path=path, verdict=_verdict(path.read_bytes()))
            for partner in CHARACTERS
            for path in sorted((self.mailbox(partner) / DELIVERY.lstrip("/")).iterdir())
        )


@contextmanager
def staged(folder: Path) -> Iterator[Stage]:
    """Make the folder anew, start both servers, write the settings; stop the servers at the end."""
    _fresh(folder)
    with raised(folder) as stage:
        yield stage


def is_stage(folder: Path) -> bool:
    """Whether an earlier demonstration is there, with all it left."""
    return (folder / _MARK).is_file() and (folder / "countermand.db").is_file()


@contextmanager
def raised(folder: Path, *, site: str = "", arrived: Callable[[Mail], None] | None = None) -> Iterator[Stage]:
    """Start both servers over what is in the folder, and write the settings; stop the servers at the end.

    `site`: the address of the app. `arrived` is told of each e-mail as it comes.
    """
    users = {partner: DemoUser(root=folder / "sftp" / partner, password=PASSWORD) for partner in CHARACTERS}
    for user in users.values():
        make_mailbox(user.root)

    def kept(message: SunkMessage) -> None:
        if arrived is not None:
            arrived(_mail(message.content, message.path))

    with DemoSftpServer(users) as sftp, SmtpSink(folder / "mail", kept) as sink:
        access = SftpAccess(port=sftp.port, host_key=sftp.host_key)
        secret = folder / access.password_file
        secret.touch(mode=0o600)
        secret.write_text(PASSWORD + "\n", encoding="utf-8")
        config = folder / "countermand.toml"
        config.write_text(settings_text(sftp=access, smtp_port=sink.port, site=site), encoding="utf-8")
        yield Stage(folder=folder, countermand=Countermand(config), sink=sink)


def _fresh(folder: Path) -> None:
    """An empty folder of ours; one that is somebody else's is left alone."""
    if folder.is_symlink() or (folder.exists() and not folder.is_dir()):
        raise FolderInUse(f"{folder} is not a folder; name another: python -m pipeline.demo FOLDER")
    if folder.exists() and any(folder.iterdir()):
        if not (folder / _MARK).is_file():
            raise FolderInUse(
                f"{folder} holds other things than an earlier demonstration; move it away, or name another"
                " folder: python -m pipeline.demo FOLDER"
            )
        shutil.rmtree(folder)
    folder.mkdir(parents=True, exist_ok=True)
    (folder / _MARK).write_text("Made by the demonstration, which removes this folder and makes it anew.\n")


def _mail(content: bytes, eml: Path) -> Mail:
    message = message_from_bytes(content, _class=EmailMessage, policy=policy.default)
    html = eml.with_suffix(".html")
    html.write_text(_part(message, "html"), encoding="utf-8")
    return Mail(
        to=str(message["To"]),
        subject=str(message["Subject"]),
        text=_part(message, "plain"),
        eml=eml,
        html=html,
    )


def _part(message: EmailMessage, kind: str) -> str:
    part = message.get_body((kind,))
    return str(part.get_content()) if part is not None else ""


def _verdict(content: bytes) -> str:
    """The set with AK901 of a 997 or OTI01 of an 824, by the separators the interchange itself names."""
    element, terminator = content[3:4], content[105:106]
    said = "none"
    for segment in content.split(terminator):
        tag, *elements = segment.strip(b"\r\n").split(element)
        if tag in _SAYS and elements:
            said = f"{_SAYS[tag]} {elements[0].decode('latin-1')}"
    return said
