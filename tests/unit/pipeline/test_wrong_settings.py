"""Wrong settings: what the operator reads. One line that names the file and the key, and says what to do."""

from pathlib import Path

import pytest
from hypothesis import given
from hypothesis import strategies as st

from pipeline.settings import SettingsError, load
from tests.unit.pipeline.settings_texts import HUB, KEY, MAILBOX, PARTNER, SELLER, read

GOOD = HUB + PARTNER + 'default_counterparty = "globex"\nnotify = ["a@acme.example"]\n' + MAILBOX + SELLER

# In the good settings, what stands after "-" is replaced by what stands after "+" (" | " starts a line, KEY
# is the host key). The error says what follows, after the name of the file.
GALLERY = r"""
- [hub]
+ [hib]
  [hub] is missing; add it, with name, isa, gs and support_email

- name = "Example Hub"
+
  hub.name is missing; add it

- name = "Example Hub"
+ nmae = "Example Hub"
  hub.name is missing; nmae looks like it, misspelt

- name = "Example Hub"
+ name = ""
  hub.name is empty; give it a value

- name = "Example Hub"
+ name = 7
  hub.name must be text in quotes, such as name = "...", not a number

- name = "Example Hub"
+ name = "a\nb"
  hub.name has a control character in it; keep it to one plain line

- gs = "HUB"
+ gs = "HUB" | usge = "P"
  hub.usge is not a setting; did you mean usage?

- gs = "HUB"
+ gs = "HUB" | colour = 1
  hub.colour is not a setting; remove it

- gs = "HUB"
+ gs = "HUB" | usage = "X"
  hub.usage is 'X'; it takes P or T

- gs = "HUB"
+ gs = "H"
  hub.gs 'H' is not 2 to 15 plain characters; shorten it

- "ZZ:HUB"
+ "HUB"
  hub.isa 'HUB' is not qualifier:id, such as ZZ:ACMESTORES or 01:123456789

- "ZZ:HUB"
+ "Z:HUB"
  hub.isa 'Z:HUB' has the qualifier 'Z'; it takes two letters or digits, such as ZZ or 01

- "ZZ:HUB"
+ "ZZ:ABCDEFGHIJKLMNOP"
  hub.isa 'ZZ:ABCDEFGHIJKLMNOP' has an id of 16 characters; it takes 1 to 15

- "support@example.com"
+ "support"
  hub.support_email has 'support', which is not an e-mail address such as orders@example.com

- id = "acme"
+ id = "-x"
  partner "-x": id is '-x'; it takes up to 64 letters

- id = "acme"
+
  partner number 1: id is missing; add it

- id = "globex"
+ id = "ACME"
  partner "ACME": id is another partner's too (capitals do not count); give each its own

- role = "buyer"
+ role = "byer"
  partner "acme": role is 'byer'; it takes buyer or seller; did you mean buyer?

- gs = ["ACME"]
+ gs = "ACME"
  partner "acme": gs must be a list, such as gs = ["..."], not text

- gs = ["ACME"]
+ gs = []
  partner "acme": gs is empty; without it nothing the partner sends can be told to be its own

- ["ZZ:ACME"]
+ ["ZZ:A", "ZZ:A"]
  partner "acme": isa has 'ZZ:A' twice; remove one

- ["ZZ:GLOBEX"]
+ ["ZZ:ACME"]
  partner "globex": isa has ZZ:ACME, which is partner "acme"'s too; each has one owner

- ["GLOBEX"]
+ ["HUB"]
  partner "globex": gs has HUB, which is the hub's too; each has one owner

- counterparty = "globex"
+ counterparty = "glob"
  partner "acme": default_counterparty is 'glob', and no partner has that id; add it or correct it

- role = "seller"
+ role = "buyer"
  partner "acme": default_counterparty is 'globex', a buyer too; an order needs a buyer and a
  seller

- "a@acme.example"
+ "a@@acme.example"
  partner "acme": notify has 'a@@acme.example', which is not an e-mail address such as
  orders@example.com

- host_keys = ["KEY"]
+ host_keys = []
  partner "acme": mailbox.host_keys is empty; pin the server's key, e.g. with: ssh-keyscan -t
  ed25519 sftp.acme.example

- host_keys = ["KEY"]
+ host_keys = [] | port = 2222
  partner "acme": mailbox.host_keys is empty; pin the server's key, e.g. with: ssh-keyscan -t
  ed25519 -p 2222 sftp.acme.example

- KEY
+ ssh-ed25519 AAAA...
  partner "acme": mailbox.host_keys has 'ssh-ed25519 AAAA...', which is not a key; write type and
  base64, without the host's name

- KEY
+ sftp.acme.example KEY
  which is not a key; write type and base64, without the host's name

- key_file = "keys/acme"
+
  partner "acme": mailbox.key_file is missing; name the private key, or a password with
  password_env

- key_file = "keys/acme"
+ password = "x"
  partner "acme": mailbox.password does not belong into a file; name its place with password_env
  or password_file

- key_file = "keys/acme"
+ password_env = "A" | password_file = "b"
  partner "acme": mailbox.password_env and password_file are both given; keep one

- "/out/done"
+ "/out/"
  partner "acme": mailbox.processed is the pickup folder; what we put there would be taken for new

- username = "hub"
+ username = "hub" | port = 0
  partner "acme": mailbox.port is 0; it takes 1 to 65535

- username = "hub"
+ username = "hub" | port = true
  partner "acme": mailbox.port must be a whole number without quotes, not true or false

- username = "hub"
+ username = "hub" | settle_seconds = nan
  partner "acme": mailbox.settle_seconds is nan; it takes 0 to 3600 seconds

- [partner.mailbox]
+ [partner.policy] | answer_refusal = 824 | [partner.mailbox]
  partner "acme": policy.answer_refusal must be text in quotes, such as answer_refusal = "...",
  not a number

- [partner.mailbox]
+ [partner.policy] | buyer_cancel = "yes" | [partner.mailbox]
  partner "acme": policy.buyer_cancel is 'yes'; it takes effective or requested

- [partner.mailbox]
+ [partner.policy] | fill_or_kill = "yes" | [partner.mailbox]
  partner "acme": policy.fill_or_kill must be true or false without quotes, not text

- [partner.mailbox]
+ [partner.policy] | over_ship = "flag" | [partner.mailbox]
  partner "acme": policy.over_ship_percent is 0, so no excess would be flagged; say how many per
  cent were agreed

- [partner.mailbox]
+ [partner.policy] | over_ship_percent = 10 | [partner.mailbox]
  partner "acme": policy.over_ship_percent is 10, and over_ship is refuse; set over_ship = "flag" as
  well, or remove it

- [partner.mailbox]
+ [partner.policy] | over_ship = "flag" | over_ship_percent = 101 | [partner.mailbox]
  partner "acme": policy.over_ship_percent is 101; it takes 0 to 100

- [partner.mailbox]
+ [partner.policy] | request_deadline_hours = 48 | [partner.mailbox]
  partner "acme": policy.request_deadline_hours is set, and buyer_cancel is effective; set
  buyer_cancel = "requested" as well, or remove it

- [partner.mailbox]
+ [partner.policy] | hold_hours = -1 | [partner.mailbox]
  partner "acme": policy.hold_hours is -1; it takes 0 to 720

- [partner.mailbox]
+ [partner.policy] | release = "4010" | [partner.mailbox]
  partner "acme": policy.release is '4010'; it takes 004010 or 005010; did you mean 004010?

- [partner.mailbox]
+ [partner.policy] | zero_cancel = true | [partner.mailbox]
  partner "acme": policy.zero_cancel is not a setting; did you mean zero_is_cancel?

- [partner.mailbox]
+ [partner.policy] | unit_aliases = "PC" | [partner.mailbox]
  partner "acme": policy.unit_aliases must be a table, not text; write its keys below a line
  [unit_aliases]

- [partner.mailbox]
+ [partner.policy.unit_aliases] | each = "EA" | [partner.mailbox]
  partner "acme": policy.unit_aliases.each is no code; a code is two capital letters or digits

- [partner.mailbox]
+ [partner.policy.unit_aliases] | PC = "each" | [partner.mailbox]
  partner "acme": policy.unit_aliases.PC is 'each'; it takes a code of two capital letters or digits

- [partner.mailbox]
+ [partner.policy.unit_aliases] | PC = 1 | [partner.mailbox]
  partner "acme": policy.unit_aliases.PC must be text in quotes, such as PC = "...", not a number

- [partner.mailbox]
+ [partner.policy.unit_aliases] | PC = "PC" | [partner.mailbox]
  partner "acme": policy.unit_aliases.PC stands for itself; remove it

- [partner.mailbox]
+ [partner.policy.unit_aliases] | PC = "UN" | UN = "EA" | [partner.mailbox]
  partner "acme": policy.unit_aliases.PC is UN, which stands for another code itself; name that one

- [partner.mailbox]
+ [partner.policy.qualifier_aliases] | VP = "V" | [partner.mailbox]
  partner "acme": policy.qualifier_aliases.VP is 'V'; it takes a code of two capital letters or digits

- [partner.mailbox]
+ [partner.policy.purposes] | 850 = { 03 = "1" } | [partner.mailbox]
  partner "acme": policy.purposes.850.03 is '1'; it takes one of 00, 01, 04, 05, 06, 07, 17, 18, 22

- [partner.mailbox]
+ [partner.policy.purposes] | 850 = { 00 = "01" } | [partner.mailbox]
  partner "acme": policy.purposes.850.00 cannot mean another purpose: it is what every original says

- [partner.mailbox]
+ [partner.policy.purposes] | 997 = { 03 = "01" } | [partner.mailbox]
  partner "acme": policy.purposes.997 is not a setting; remove it

- [partner.mailbox]
+ guides = "acme.xml" | [partner.mailbox]
  partner "acme": guides must be a list, such as guides = ["..."], not text

- [hub]
+ [mail] | port = 70000 | [hub]
  mail.port is 70000; it takes 1 to 65535

- [hub]
+ [mail] | username = "u" | [hub]
  mail.password_env is missing, and username is set; name the variable with the password

- [hub]
+ [mail] | host = "mx.example.com" | security = "none" | username = "u" | password_env = "P" | [hub]
  mail.security is none, so the password would travel in clear; use starttls or tls

- [hub]
+ [mail] | sender = "a@example.com, b@example.com" | [hub]
  mail.sender is 'a@example.com, b@example.com'; it takes one address, such as Hub
  <edi@example.com>

- [hub]
+ [database] | url = "mysql://x" | [hub]
  database.url is not a database this version knows; it takes sqlite:///FILE or
  postgresql+psycopg://USER@HOST/NAME

- [hub]
+ [database] | url = "sqlite://" | [hub]
  database.url is not a database this version knows; it takes sqlite:///FILE or
  postgresql+psycopg://USER@HOST/NAME

- [hub]
+ [database] | url = "sqlite:///orders.db?timeout=abc" | [hub]
  database.url has more than the file's name; behind a ? it takes timeout=SECONDS, 1 to 999

- [hub]
+ [database] | url = "sqlite:///orders.db?nosuch=1" | [hub]
  database.url has more than the file's name; behind a ? it takes timeout=SECONDS, 1 to 999

- [hub]
+ [mail] | host = "" | [hub]
  mail.host is empty; name the mail server, or leave the line out for this machine

- delivery = "/in"
+ delivery = "/out/x/../done/"
  partner "acme": mailbox.processed is the delivery folder; the partner would take its own files for ours

- [hub]
+ [database] | url = "sqlite:///:memory:" | [hub]
  database.url names no file, and a ledger in memory keeps nothing; name one

- [hub]
+ partner = 3 | [hub]
  is not TOML

- "Example Hub"
+ "Example Hub
  is not TOML
"""
CASES = [case.split("\n", 2) for case in GALLERY.strip("\n").split("\n\n")]


@pytest.fixture
def folder(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """A working folder, so that messages name a short path."""
    monkeypatch.chdir(tmp_path)
    return tmp_path


def _toml(text: str) -> str:
    return text[1:].strip(" ").replace(" | ", "\n").replace("KEY", KEY)


@pytest.mark.parametrize(("old", "new", "line"), CASES, ids=[case[1] for case in CASES])
def test_a_wrong_setting_is_one_line(folder: Path, old: str, new: str, line: str) -> None:
    read(GOOD)
    assert _toml(old) in GOOD
    with pytest.raises(SettingsError) as raised:
        read(GOOD.replace(_toml(old), _toml(new), 1))
    message = str(raised.value)
    assert message.startswith("countermand.toml: ")
    assert " ".join(line.split()) in message
    assert "\n" not in message


def test_a_misspelt_table_is_named(folder: Path) -> None:
    with pytest.raises(SettingsError, match="partners is not a setting; did you mean partner"):
        read(HUB + PARTNER.replace("[[partner]]", "[[partners]]"))


def test_a_single_bracket_is_explained(folder: Path) -> None:
    with pytest.raises(SettingsError, match=r"partner must be a list of tables; write \[\[partner"):
        read(HUB + '[partner]\nid = "acme"\n')


def test_two_partners_cannot_share_a_pickup_folder(folder: Path) -> None:
    with pytest.raises(SettingsError, match=r'"globex": mailbox\.pickup is partner "acme".s folder too'):
        read(HUB + PARTNER + MAILBOX + SELLER + MAILBOX)


def test_bytes_that_are_no_text_are_refused(folder: Path) -> None:
    path = Path("countermand.toml")
    path.write_bytes(b'[hub]\nname = "\xff"\n')
    with pytest.raises(SettingsError, match=r"countermand\.toml: byte 14 is not UTF-8"):
        load(path, {})


def test_a_file_that_cannot_be_read_says_so(folder: Path) -> None:
    with pytest.raises(SettingsError, match=r"other\.toml: cannot be read \(No such file or directory\)"):
        load(Path("other.toml"), {})


@given(text=st.text(max_size=200))
def test_no_text_breaks_the_reading(tmp_path_factory: pytest.TempPathFactory, text: str) -> None:
    path = tmp_path_factory.mktemp("settings") / "countermand.toml"
    path.write_bytes(text.encode("utf-8", "surrogatepass"))
    with pytest.raises(SettingsError) as raised:
        load(path, {})
    assert len(str(raised.value).splitlines()) == 1
