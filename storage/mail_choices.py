"""Choices: what each person of a company wants to be told of by e-mail, and when."""

from collections.abc import Mapping
from dataclasses import dataclass, field

from sqlalchemy import Connection, bindparam, delete, insert, select

from storage.database import Prepared, lock_names
from storage.models import table
from storage.states import MailPace, MailTopic

_USERS, _CHOICES = table("app_user"), table("mail_choice")
_OF_PARTNER = Prepared(
    select(_USERS.c.id, _USERS.c.email, _CHOICES.c.topic, _CHOICES.c.pace)
    .join(_CHOICES, _CHOICES.c.user_id == _USERS.c.id)
    .where(_USERS.c.partner == bindparam("partner"), _USERS.c.disabled_at.is_(None))
    .order_by(_USERS.c.email),
    "partner",
)


@dataclass(frozen=True, slots=True, kw_only=True)
class Chooser:
    """A person who may sign in and has chosen something."""

    user_id: int
    email: str
    paces: Mapping[MailTopic, MailPace] = field(default_factory=dict)


def choosers(tx: Connection, partner: str) -> tuple[Chooser, ...]:
    """A partner's people who have chosen, by address; who was revoked is left out."""
    found: dict[tuple[int, str], dict[MailTopic, MailPace]] = {}
    for user_id, email, topic, pace in _OF_PARTNER.all(tx, partner):
        found.setdefault((user_id, email), {})[MailTopic(topic)] = MailPace(pace)
    return tuple(
        Chooser(user_id=user_id, email=email, paces=paces) for (user_id, email), paces in found.items()
    )


def lock_choices(tx: Connection, partner: str) -> None:
    """Until this transaction ends nobody else of this company chooses, so that two last ones cannot go."""
    lock_names(tx, [f"mail choices:{partner}"])


def choose(tx: Connection, user_id: int, paces: Mapping[MailTopic, MailPace]) -> None:
    """Keep a person's choices in place of those of the same topics before."""
    for topic, pace in paces.items():
        tx.execute(delete(_CHOICES).where(_CHOICES.c.user_id == user_id, _CHOICES.c.topic == topic.value))
        tx.execute(insert(_CHOICES).values(user_id=user_id, topic=topic.value, pace=pace.value))


def forget(tx: Connection, user_id: int) -> None:
    """A person has chosen nothing any more."""
    tx.execute(delete(_CHOICES).where(_CHOICES.c.user_id == user_id))
