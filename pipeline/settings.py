"""Settings: one TOML file, read once, checked whole before anything moves. `example.toml` explains every key.

Relative paths in the file, the SQLite database's among them, are seen from the folder the file lies in, so
that cron and a person in another folder mean the same database. Secrets are looked for only when needed.
"""

import re
import tomllib
from collections.abc import Mapping
from dataclasses import dataclass, field
from enum import Enum, unique
from importlib import resources
from pathlib import Path

from pipeline.partner_settings import read_address, read_code, read_partners
from pipeline.partners import Directory, Partner, PartnerAddress
from pipeline.settings_reader import Secret, SettingsError, TableReader

__all__ = [
    "DatabaseSettings",
    "Hub",
    "MailSettings",
    "Secret",
    "Security",
    "Settings",
    "SettingsError",
    "SiteSettings",
    "Usage",
    "WebhookSettings",
    "example",
    "find_settings",
    "load",
]

FILE_NAME = "countermand.toml"
VARIABLE = "COUNTERMAND_CONFIG"
SETTINGS_BYTES_MAX = 4 * 1024 * 1024  # some 2,000 partners with everything they can have
LOOPBACK = ("127.0.0.1", "::1", "localhost")


# What stands between the slashes and the database's name: all parts but that one may be missing.
_POSTGRESQL = re.compile(
    r"(?:[^/?#@:\s]*(?::[^/?#@:\s]*)?@)?[^/?#@:\s]*(?::[0-9]{1,5})?/[^/?#@\s]+(?:\?\S*)?"
)
_POSTGRESQL_SHAPE = (
    "is not postgresql+psycopg://USER:PASSWORD@HOST:PORT/NAME; write signs of a password as % and two digits,"
    " such as %40 for @ and %2F for /"
)


@unique
class Usage(Enum):
    """Which usage indicator (ISA15) an installation takes."""

    PRODUCTION = "P"
    TEST = "T"


@unique
class Security(Enum):
    """How the way to the SMTP server is protected."""

    NONE = "none"  #: not at all; no password travels this way except on loopback
    STARTTLS = "starttls"  #: upgraded before anything is said; a server that cannot is not used
    TLS = "tls"  #: encrypted from the first byte


_SITE = re.compile(r"https?://[A-Za-z0-9.-]+(:[0-9]{1,5})?|https?://\[[0-9A-Fa-f:.]+\](:[0-9]{1,5})?")
SMTP_PORTS = {Security.NONE: 25, Security.STARTTLS: 587, Security.TLS: 465}


@dataclass(frozen=True, slots=True, kw_only=True)
class Hub:
    """Who we are in envelopes and in e-mail."""

    name: str
    isa: PartnerAddress
    gs: str
    support_email: str
    usage: Usage = Usage.PRODUCTION


@dataclass(frozen=True, slots=True, kw_only=True)
class DatabaseSettings:
    """Where the ledger is. The URL can carry a password: print `shown` instead."""

    url: str = field(repr=False)

    @property
    def shown(self) -> str:
        """The URL without what may be secret in it."""
        return re.sub(r"//([^/@:]*):[^/]*@", r"//\1:***@", self.url.partition("?")[0])


@dataclass(frozen=True, slots=True, kw_only=True)
class MailSettings:
    """The SMTP server notices leave by. `username` empty: no login."""

    host: str
    port: int
    security: Security
    username: str = ""
    password: Secret | None = None
    sender: str  # "edi@example.com" or "Hub <edi@example.com>"


@dataclass(frozen=True, slots=True, kw_only=True)
class SiteSettings:
    """The app and the API, as people reach them."""

    address: str = "http://127.0.0.1:8080"  # what links in e-mails begin with; without a slash at the end
    is_named: bool = False  # by the settings; where they say nothing, partners are sent to no address

    @property
    def public(self) -> str:
        """The address as partners reach it; "" where there is none."""
        return self.address if self.is_named else ""

    @property
    def is_encrypted(self) -> bool:
        """Whether people reach it by TLS."""
        return self.address.startswith("https://")


@dataclass(frozen=True, slots=True, kw_only=True)
class WebhookSettings:
    """Where events may be posted."""

    allow_loopback: bool = False  # this machine itself, for development; there also without TLS


@dataclass(frozen=True, slots=True, kw_only=True)
class Settings:
    """One installation."""

    path: Path
    hub: Hub
    database: DatabaseSettings
    mail: MailSettings
    directory: Directory
    site: SiteSettings = field(default_factory=SiteSettings)
    webhooks: WebhookSettings = WebhookSettings()

    @property
    def partners(self) -> tuple[Partner, ...]:
        return self.directory.partners


def find_settings(option: Path | str | None, environ: Mapping[str, str]) -> Path:
    """The settings file: the one asked for, else $COUNTERMAND_CONFIG, else ./countermand.toml."""
    if option:
        path, said = Path(option), "--config names it"
    elif environ.get(VARIABLE):
        path, said = Path(environ[VARIABLE]), f"{VARIABLE} names it"
    else:
        path, said = Path(FILE_NAME), "no --config was given"
    if not path.is_file():
        raise SettingsError(
            f"{path}: there is no such settings file ({said}); write one with: countermand init"
        )
    return path


def example() -> str:
    """The commented settings file that `countermand init` writes."""
    return resources.files("pipeline").joinpath("example.toml").read_text(encoding="utf-8")


def load(path: Path, environ: Mapping[str, str]) -> Settings:
    """Read and check a settings file; a SettingsError names the first thing that is wrong."""
    try:
        content = path.read_bytes()
        if len(content) > SETTINGS_BYTES_MAX:
            raise SettingsError(
                f"{path}: has {len(content)} bytes, more than {SETTINGS_BYTES_MAX}; is it the right file?"
            )
        values = tomllib.loads(content.decode("utf-8-sig"))
    except OSError as error:
        raise SettingsError(
            f"{path}: cannot be read ({error.strerror}); check the path and its rights"
        ) from None
    except UnicodeDecodeError as error:
        raise SettingsError(f"{path}: byte {error.start} is not UTF-8; save the file as UTF-8") from None
    except tomllib.TOMLDecodeError as error:
        raise SettingsError(f"{path}: is not TOML: {error}; correct that line") from None
    top = TableReader(values, place=f"{path}: ", base=path.parent.resolve(), environ=environ)
    hub = _hub(top)
    database = _database(top, path.parent.resolve())
    mail = _mail(top, hub)
    site, webhooks = _site(top), _webhooks(top)
    partners = read_partners(top, hub_isa=hub.isa, hub_gs=hub.gs)
    top.done()
    return Settings(
        path=path, hub=hub, database=database, mail=mail, directory=Directory(partners), site=site,
        webhooks=webhooks,
    )  # fmt: skip


def _webhooks(top: TableReader) -> WebhookSettings:
    table = top.table("webhooks")
    if table is None:
        return WebhookSettings()
    settings = WebhookSettings(allow_loopback=table.flag("allow_loopback", False))
    table.done()
    return settings


def _hub(top: TableReader) -> Hub:
    table = top.table("hub")
    if table is None:
        raise top.fail("[hub]", "is missing; add it, with name, isa, gs and support_email")
    hub = Hub(
        name=table.text("name"),
        isa=read_address(table, "isa", table.text("isa")),
        gs=read_code(table, "gs", table.text("gs"), at_least=2),  # the standard's minimum: we write this one
        support_email=table.email("support_email"),
        usage=table.choice("usage", Usage, Usage.PRODUCTION),
    )
    table.done()
    return hub


def _database(top: TableReader, folder: Path) -> DatabaseSettings:
    table = top.table("database")
    url = "sqlite:///countermand.db"
    if table is not None:
        url = table.text("url", url)
        table.done()
    scheme, _, rest = url.partition("://")
    if scheme == "postgresql+psycopg" and rest:
        if not _POSTGRESQL.fullmatch(rest):  # what is taken apart wrongly shows the password in an error
            raise top.fail("database.url", _POSTGRESQL_SHAPE)
        if re.search("(?i)[?&](?:ssl)?pass", rest):
            raise top.fail(
                "database.url", "has a password behind the ?; write it before the @, where it is hidden"
            )
        return DatabaseSettings(url=url)
    name, question, options = rest.removeprefix("/").partition("?")
    if scheme != "sqlite" or not rest.startswith("/"):
        known = "sqlite:///FILE or postgresql+psycopg://USER@HOST/NAME"
        raise top.fail("database.url", f"is not a database this version knows; it takes {known}")
    if name in ("", ":memory:"):
        raise top.fail("database.url", "names no file, and a ledger in memory keeps nothing; name one")
    if question and not re.fullmatch("timeout=[1-9][0-9]{0,2}", options):
        raise top.fail(
            "database.url", "has more than the file's name; behind a ? it takes timeout=SECONDS, 1 to 999"
        )
    return DatabaseSettings(url=f"sqlite:///{folder / name}{question}{options}")


def _mail(top: TableReader, hub: Hub) -> MailSettings:
    table = top.table("mail")
    if table is None:
        return MailSettings(host=LOOPBACK[0], port=25, security=Security.NONE, sender=hub.support_email)
    host = table.text("host", LOOPBACK[0])
    if not host:
        raise table.fail("host", "is empty; name the mail server, or leave the line out for this machine")
    usual = Security.NONE if host in LOOPBACK else Security.STARTTLS
    security = table.choice("security", Security, usual)
    mail = MailSettings(
        host=host,
        port=table.integer("port", SMTP_PORTS[security], 1, 65535),
        security=security,
        username=table.text("username", ""),
        password=table.secret("password"),
        sender=table.sender("sender", hub.support_email),
    )
    table.done()
    if mail.username and mail.password is None:
        raise table.fail(
            "password_env", "is missing, and username is set; name the variable with the password"
        )
    if mail.username and security is Security.NONE and host not in LOOPBACK:
        raise table.fail("security", "is none, so the password would travel in clear; use starttls or tls")
    return mail


def _site(top: TableReader) -> SiteSettings:
    table = top.table("site")
    if table is None:
        return SiteSettings()
    address = table.text("address", SiteSettings().address)
    table.done()
    if not _SITE.fullmatch(address):
        raise table.fail("address", "is not an address such as https://orders.example.com, without a path")
    return SiteSettings(address=address, is_named=True)
