"""People as rows: who tried a password and who gets in by it."""

from datetime import timedelta

from sqlalchemy import Connection

from storage import people
from storage.database import Database
from storage.people import Attempt
from storage.states import UserRole
from tests.unit.storage.build import AT

ADA = "ada@acme.example"


def _set(tx: Connection, user_id: int, password_hash: str) -> None:
    link = people.make_link(tx, user_id, AT + timedelta(hours=1))
    assert people.set_password(tx, link, password_hash, AT) is not None


def _tried(database: Database) -> Attempt:
    """Ada, who has a password, is trying it."""
    with database.writing() as tx:
        ada = people.add_user(tx, ADA, UserRole.PARTNER, AT, partner="acme")
        assert ada is not None
        _set(tx, ada.id, "old")
        attempt = people.attempt(tx, ADA, AT)
    assert attempt is not None
    return attempt


def test_who_tried_the_kept_password_gets_in_and_it_may_be_hashed_anew(database: Database) -> None:
    tried = _tried(database)
    with database.writing() as tx:
        token = people.sign_in(tx, tried, AT, password_hash="old, hashed anew")
        assert token is not None
        assert people.signed_in(tx, token, AT) is not None
        again = people.attempt(tx, ADA, AT)
    assert again is not None
    assert again.password_hash == "old, hashed anew"
    assert again.user.failures == 0


def test_a_password_that_was_replaced_while_it_was_tried_lets_nobody_in_and_stays_replaced(
    database: Database,
) -> None:
    tried = _tried(database)
    with database.writing() as tx:
        _set(tx, tried.user.id, "new")
    with database.writing() as tx:
        assert people.sign_in(tx, tried, AT) is None
        assert people.sign_in(tx, tried, AT, password_hash="old, hashed anew") is None
        again = people.attempt(tx, ADA, AT)
    assert again is not None
    assert again.password_hash == "new"


def test_who_is_revoked_while_trying_does_not_get_in(database: Database) -> None:
    tried = _tried(database)
    with database.writing() as tx:
        people.revoke_user(tx, tried.user.id, AT)
        assert people.sign_in(tx, tried, AT) is None
