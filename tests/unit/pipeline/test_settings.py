"""Settings: the example loads, defaults are what it says, secrets stay secret."""

import copy
import pickle
import tomllib
from dataclasses import asdict
from pathlib import Path

import pytest

from pipeline.errors import OperatorError
from pipeline.partners import MailboxSettings, Partner, PartnerAddress, Role
from pipeline.policy import (
    Acknowledge,
    Aliases,
    AsnWithdraw,
    ChangeAnswer,
    OrderAnswer,
    Policy,
    RefusalAnswer,
    Release,
    ShortIsa,
    Tell,
)
from pipeline.settings import (
    DatabaseSettings,
    Secret,
    Security,
    SettingsError,
    Usage,
    example,
    find_settings,
    load,
)
from pipeline.settings_reader import EMAIL
from storage.commands import BuyerCancel, CloseRest, OverShip, PartShipped, QuantityReading, ShortAccept
from tests.unit.pipeline.settings_texts import HUB, KEY, MAILBOX, PARTNER, read


@pytest.fixture
def folder(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """A working folder, so that messages name a short path."""
    monkeypatch.chdir(tmp_path)
    return tmp_path


def mailbox(text: str, **environ: str) -> MailboxSettings:
    """The one mailbox of these settings."""
    box = read(HUB + PARTNER + text, **environ).partners[0].mailbox
    assert box is not None
    return box


def test_the_example_loads_as_it_is(folder: Path) -> None:
    settings = read(example())
    acme, globex = settings.partners
    assert (acme.id, acme.role, acme.default_counterparty) == ("acme", Role.BUYER, "globex")
    assert (globex.id, globex.role, globex.policy) == ("globex", Role.SELLER, Policy())
    assert acme.isa == (PartnerAddress("ZZ", "ACMESTORES"), PartnerAddress("01", "123456789"))
    assert settings.hub.usage is Usage.PRODUCTION


def test_what_the_example_calls_a_default_is_one(folder: Path) -> None:
    given_all, given_little = read(example()), read(HUB + PARTNER + MAILBOX)
    assert given_all.partners[0].policy == given_little.partners[0].policy == Policy()
    full, short = given_all.partners[0].mailbox, given_little.partners[0].mailbox
    assert full is not None
    assert short is not None
    for name in ("port", "settle_seconds", "incomplete_seconds", "timeout_seconds"):
        assert getattr(full, name) == getattr(short, name)
    assert given_all.database == given_little.database
    assert (given_all.mail.host, given_all.mail.port) == (given_little.mail.host, given_little.mail.port)
    assert given_all.mail.security is given_little.mail.security
    assert given_little.mail.sender == "support@example.com"


def test_the_example_names_every_key() -> None:
    partner = tomllib.loads(example())["partner"][0]
    assert set(partner["policy"]) == set(Policy.__dataclass_fields__)
    assert set(partner["mailbox"]) == set(MailboxSettings.__dataclass_fields__) - {"password"}
    assert set(partner) == set(Partner.__dataclass_fields__)


OTHERWISE = """
[partner.policy]
buyer_cancel = "requested"
request_deadline_hours = 48
cancel_part_shipped = "refuse"
poc_quantity = "old_new"
answer_refusal = "865"
acknowledge = "none"
park_hours = 48
hold_hours = 120
zero_is_cancel = true
short_accept = "cancel"
fill_or_kill = true
ship_and_close = "lines"
over_ship = "flag"
over_ship_percent = 10
asn_withdraw = "reopen"
short_isa = "read"
isa13_reset_days = 90
answer_change = "865"
answer_order = "855"
tell = "both"
release = "005010"
[partner.policy.unit_aliases]
PC = "EA"
UN = "EA"
[partner.policy.qualifier_aliases]
VP = "VN"
[partner.policy.purposes]
850 = { 03 = "01" }
856 = { 05 = "00", CO = "05" }
"""
CHOSEN = Policy(
    buyer_cancel=BuyerCancel.REQUESTED,
    request_deadline_hours=48,
    cancel_part_shipped=PartShipped.REFUSE,
    poc_quantity=QuantityReading.OLD_NEW,
    answer_refusal=RefusalAnswer.CHANGE_ACKNOWLEDGMENT,
    acknowledge=Acknowledge.NONE,
    park_hours=48,
    hold_hours=120,
    zero_is_cancel=True,
    short_accept=ShortAccept.CANCEL,
    fill_or_kill=True,
    ship_and_close=CloseRest.LINES,
    over_ship=OverShip.FLAG,
    over_ship_percent=10,
    asn_withdraw=AsnWithdraw.REOPEN,
    short_isa=ShortIsa.READ,
    isa13_reset_days=90,
    answer_change=ChangeAnswer.CHANGE_ACKNOWLEDGMENT,
    answer_order=OrderAnswer.ACKNOWLEDGMENT,
    tell=Tell.BOTH,
    release=Release.R005010,
    unit_aliases=Aliases((("PC", "EA"), ("UN", "EA"))),
    qualifier_aliases=Aliases((("VP", "VN"),)),
    purposes=(("850", Aliases((("03", "01"),))), ("856", Aliases((("05", "00"), ("CO", "05"))))),
)


def test_every_policy_can_be_chosen(folder: Path) -> None:
    found = read(HUB + PARTNER + OTHERWISE).partners[0].policy
    assert found == CHOSEN
    unchosen = [
        name for name in Policy.__dataclass_fields__ if getattr(found, name) == getattr(Policy(), name)
    ]
    assert unchosen == []
    assert pickle.loads(pickle.dumps(found)) == found  # a worker process gets its settings this way


def test_aliases_are_looked_up_once() -> None:
    policy = Policy(
        unit_aliases=Aliases((("PC", "EA"),)), purposes=(("856", Aliases((("05", "00"), ("CO", "05")))),)
    )
    assert [policy.unit_aliases.of(unit) for unit in ("PC", "EA", "CA", "")] == ["EA", "EA", "CA", ""]
    assert [policy.purpose("856", code) for code in ("05", "CO", "01")] == ["00", "05", "01"]
    assert policy.purpose("850", "05") == "05"


def test_companion_guides_lie_beside_the_settings(folder: Path) -> None:
    (partner,) = read(HUB + PARTNER + 'guides = ["guides/acme.xml", "/srv/acme.xml"]').partners
    assert partner.guides == (folder.resolve() / "guides/acme.xml", Path("/srv/acme.xml"))


def test_settings_errors_are_the_operators() -> None:
    assert issubclass(SettingsError, OperatorError)


def test_a_relative_database_lies_beside_the_settings(folder: Path) -> None:
    path = Path("site")
    path.mkdir()
    (path / "countermand.toml").write_text(HUB, encoding="utf-8")
    settings = load(path / "countermand.toml", {})
    assert settings.database.url == f"sqlite:///{folder.resolve()}/site/countermand.db"


def test_an_absolute_database_stays_where_it_is(folder: Path) -> None:
    settings = read('[database]\nurl = "sqlite:////var/lib/orders.db?timeout=5"\n' + HUB)
    assert settings.database.url == "sqlite:////var/lib/orders.db?timeout=5"


def test_a_database_password_is_not_shown() -> None:
    database = DatabaseSettings(url="postgresql+psycopg://hub:s3cret@db.example.com/orders?password=s3cret")
    assert database.shown == "postgresql+psycopg://hub:***@db.example.com/orders"
    assert "s3cret" not in repr(database)


def test_a_key_file_need_not_exist_yet(folder: Path) -> None:
    assert mailbox(MAILBOX).key_file == folder.resolve() / "keys/acme"


def test_a_host_key_loses_its_comment(folder: Path) -> None:
    assert mailbox(MAILBOX.replace(KEY, KEY + " root@server")).host_keys == (KEY,)


def test_a_secret_is_asked_for_only_when_needed(folder: Path) -> None:
    text = MAILBOX.replace('key_file = "keys/acme"', 'password_env = "ACME_PASSWORD"')
    found = mailbox(text, ACME_PASSWORD="s3cret").password
    assert found is not None
    assert found.reveal() == "s3cret"
    missing = mailbox(text).password
    assert missing is not None
    with pytest.raises(SettingsError) as raised:
        missing.reveal()
    assert str(raised.value) == (
        'countermand.toml: partner "acme": mailbox.password_env names ACME_PASSWORD, '
        "which is not set in the environment; set it"
    )


def test_a_secret_can_lie_in_a_file(folder: Path) -> None:
    text = MAILBOX.replace('key_file = "keys/acme"', 'password_file = "acme.txt"')
    secret = mailbox(text).password
    assert secret is not None
    with pytest.raises(SettingsError, match=r"mailbox\.password_file is .*acme\.txt, which gives"):
        secret.reveal()
    Path("acme.txt").write_text(" s3cret\n", encoding="utf-8")
    assert secret.reveal() == " s3cret"


def test_a_secret_is_never_shown(folder: Path) -> None:
    text = MAILBOX.replace('key_file = "keys/acme"', 'password_env = "ACME_PASSWORD"')
    box = mailbox(text, ACME_PASSWORD="s3cret")
    for shown in (repr(box), str(box.password), f"{box.password}", repr(asdict(box))):
        assert "s3cret" not in shown
        assert "***" in shown
    assert box.password is not None
    assert copy.deepcopy(box.password).reveal() == "s3cret"
    copied = pickle.loads(pickle.dumps(box.password))  # a worker process gets its settings this way
    assert isinstance(copied, Secret)
    assert copied.reveal() == "s3cret"


@pytest.mark.parametrize(
    ("host", "security", "port"),
    [("127.0.0.1", Security.NONE, 25), ("mx.example.com", Security.STARTTLS, 587)],
)
def test_mail_to_another_machine_is_protected_by_default(
    folder: Path, host: str, security: Security, port: int
) -> None:
    mail = read(f'[mail]\nhost = "{host}"\n' + HUB).mail
    assert (mail.security, mail.port) == (security, port)


@pytest.mark.parametrize(
    ("address", "encrypted"),
    [
        ("https://orders.hub.example", True),
        ("http://127.0.0.1:9000", False),
        ("https://[2001:db8::1]:8443", True),
    ],
)
def test_the_site_has_the_address_that_people_use(folder: Path, address: str, encrypted: bool) -> None:
    site = read(f'[site]\naddress = "{address}"\n' + HUB).site
    assert (site.address, site.is_encrypted) == (address, encrypted)
    assert read(HUB).site.address == "http://127.0.0.1:8080"


@pytest.mark.parametrize(
    "address", ["", "orders.hub.example", "https://x/app", "https://x/", "ftp://x", "https://a b"]
)
def test_the_site_has_no_other_address(folder: Path, address: str) -> None:
    with pytest.raises(SettingsError, match=r"site\.address"):
        read(f'[site]\naddress = "{address}"\n' + HUB)


@pytest.mark.parametrize("text", ["a@example.com", "a+b@x-y.example", "o'neil@a.b.c", "x@localhost"])
def test_ordinary_addresses_are_taken(text: str) -> None:
    assert EMAIL.fullmatch(text)


NOT_ADDRESSES = [
    *("a", "@b", "a@", "a@b@c", "a@-b", "a@b-", "a@b..c", "a@.b", "a@b.", "ä@b", "=?u?q?x?=@b", "<a@b>"),
    *("a,b@c", "a b@c", "a@b c", "a@b\n"),
    "a@" + "a" * 250 + "!",  # must be refused quickly, too
]


@pytest.mark.parametrize("text", NOT_ADDRESSES)
def test_other_addresses_are_not(text: str) -> None:
    assert not EMAIL.fullmatch(text)


def test_settings_are_found_in_order(folder: Path) -> None:
    for name in ("countermand.toml", "a.toml", "b.toml"):
        Path(name).touch()
    environ = {"COUNTERMAND_CONFIG": "b.toml"}
    assert find_settings(Path("a.toml"), environ) == Path("a.toml")
    assert find_settings("a.toml", environ) == Path("a.toml")
    assert find_settings(None, environ) == Path("b.toml")
    assert find_settings(None, {}) == Path("countermand.toml")


@pytest.mark.parametrize(
    ("option", "environ", "said"),
    [
        ("a.toml", {}, "a.toml: there is no such settings file (--config names it)"),
        (
            None,
            {"COUNTERMAND_CONFIG": "b.toml"},
            "b.toml: there is no such settings file (COUNTERMAND_CONFIG names it)",
        ),
        (None, {}, "countermand.toml: there is no such settings file (no --config was given)"),
    ],
)
def test_no_settings_name_the_way_out(
    folder: Path, option: str | None, environ: dict[str, str], said: str
) -> None:
    with pytest.raises(SettingsError) as raised:
        find_settings(option, environ)
    assert str(raised.value) == f"{said}; write one with: countermand init"
