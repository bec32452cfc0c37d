"""Keys by their secret, and answers by their key, as rows."""

from datetime import timedelta

import pytest
from sqlalchemy import text

from storage import access_keys
from storage.access_keys import Answer
from storage.database import Database
from storage.states import Scope
from tests.unit.storage.build import AT

ANSWER = Answer(request_hash="of a request", status=200, etag='"1-2-ab"', body="{}")


def test_a_key_is_found_by_its_secret_and_only_its_hash_is_kept(database: Database) -> None:
    with database.writing() as tx:
        made, secret = access_keys.add_key(tx, "acme", [Scope.READ, Scope.CANCEL], AT, name="ERP")
        other, _ = access_keys.add_key(tx, "acme", [Scope.READ], AT)
    with database.reading() as tx:
        assert access_keys.key_of(tx, secret) == made
        assert access_keys.key_of(tx, secret + "x") is None
        assert access_keys.key_of(tx, "") is None
        assert access_keys.key_of(tx, "\ud800") is None
        assert access_keys.list_keys(tx, "acme") == (made, other)
        assert access_keys.list_keys(tx, "bolt") == ()
        assert secret[len(access_keys.PREFIX) :] not in str(tx.execute(text("SELECT * FROM api_key")).all())
    assert made.scopes == {Scope.READ, Scope.CANCEL}


@pytest.mark.parametrize(("seconds", "good"), [(-1, False), (0, False), (1, True)])
def test_a_key_is_good_until_it_expires(database: Database, seconds: int, good: bool) -> None:
    with database.writing() as tx:
        made, _ = access_keys.add_key(tx, "acme", [], AT, expires_at=AT + timedelta(seconds=seconds))
    assert made.is_good(AT) is good


def test_a_revoked_key_stays_revoked_since_then(database: Database) -> None:
    later = AT + timedelta(days=1)
    with database.writing() as tx:
        made, _ = access_keys.add_key(tx, "acme", [], AT)
        first, second = (access_keys.revoke_key(tx, made.id, at) for at in (AT, later))
        assert access_keys.revoke_key(tx, 999, AT) is None
    assert first is not None
    assert first == second
    assert not first.is_good(AT)


def test_uses_are_noted_to_the_minute(database: Database) -> None:
    with database.writing() as tx:
        made, secret = access_keys.add_key(tx, "acme", [], AT)
        assert access_keys.is_use_due(made, AT)
        access_keys.note_use(tx, made.id, AT)
        used = access_keys.key_of(tx, secret)
    assert used is not None
    assert used.last_used_at == AT
    assert not access_keys.is_use_due(used, AT + timedelta(seconds=59))
    assert access_keys.is_use_due(used, AT + timedelta(seconds=60))


def test_an_answer_is_found_by_its_partner_and_key(database: Database) -> None:
    with database.writing() as tx:
        assert access_keys.earlier_answer(tx, "acme", "k") is None
        access_keys.keep_answer(tx, "acme", "k", ANSWER, AT)
    with database.writing() as tx:
        assert access_keys.earlier_answer(tx, "acme", "k") == ANSWER
        assert access_keys.earlier_answer(tx, "acme", "K") is None
        assert access_keys.earlier_answer(tx, "bolt", "k") is None
