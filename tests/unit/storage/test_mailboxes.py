"""What is remembered of mailboxes comes back as it was, and what changed replaces it."""

from dataclasses import replace
from datetime import timedelta

from storage import mailboxes
from storage.database import Database
from storage.mailboxes import LeftFile, MailboxState
from storage.states import Left
from tests.unit.storage.build import AT

LONGEST = LeftFile(
    partner="acme",
    name_bytes=b"bad\xff\n.edi",
    size=2**63 - 1,
    modified=2**32 - 1,
    regular=True,
    reason=Left.TOO_LARGE,
    since=AT,
    tried_at=AT,
)
PIPE = replace(
    LONGEST, name_bytes=b"pipe", size=0, modified=None, regular=False, reason=Left.NOT_A_FILE, told=True
)


def test_a_mailbox_is_remembered_as_it_is_last(database: Database) -> None:
    state = MailboxState(partner="acme", address="1", failures=2, refusals=1, error="no", failed_at=AT)
    with database.writing() as tx:
        assert mailboxes.state_of(tx, "acme") is None
        mailboxes.set_state(tx, state)
        mailboxes.set_state(tx, replace(state, failures=0, served_at=AT))
        mailboxes.set_state(tx, replace(state, partner="bolt"))
    with database.reading() as tx:
        assert mailboxes.state_of(tx, "acme") == replace(state, failures=0, served_at=AT)
        assert [one.partner for one in mailboxes.states(tx)] == ["acme", "bolt"]


def test_left_files_are_remembered_by_partner_and_name(database: Database) -> None:
    with database.writing() as tx:
        mailboxes.remember_left(tx, "acme", (), [LONGEST, PIPE])
        mailboxes.remember_left(tx, "bolt", (), [replace(PIPE, partner="bolt", since=AT - timedelta(days=1))])
    with database.reading() as tx:
        assert mailboxes.left_files(tx, "acme") == (LONGEST, PIPE)
        assert [file.partner for file in mailboxes.left_files(tx)] == ["bolt", "acme", "acme"]
        assert LONGEST.name == "bad\\xff\\n.edi"
    later = replace(LONGEST, tries=2, told=True)
    with database.writing() as tx:
        mailboxes.remember_left(tx, "acme", [b"pipe"], [later])
        assert mailboxes.left_files(tx, "acme") == (later,)
        assert len(mailboxes.left_files(tx, "bolt")) == 1
