"""People: who may sign in is invited and reminded by a one-time link, which is mailed through the outbox."""

import secrets
from dataclasses import dataclass
from datetime import datetime, timedelta

from sqlalchemy import Connection

from pipeline import journal
from pipeline.errors import OperatorError
from pipeline.mail import bare_address
from pipeline.notices.contexts import Notice, PasswordLink
from pipeline.partners import Partner
from pipeline.settings import Settings
from pipeline.telling.owing import tell_person
from storage import people
from storage.people import User
from storage.states import UserRole

INVITED_HOURS = 72  # a first link is good
REMINDED_HOURS = 1  # a link that anybody could have asked for is good
REMINDED_EVERY = timedelta(minutes=5)  # at most, so that nobody's mailbox is filled by a stranger
NAME_CHARS_MAX = 80
#: By which a mail with a secret in it is known; it is shown to nobody but its reader.
DEDUPE_PREFIX = "password:"


@dataclass(frozen=True, slots=True)
class Invited:
    """Somebody was added: the person, and the link to set the password with, which nobody can show again."""

    user: User
    link: str


def invite(
    tx: Connection, settings: Settings, email: str, partner: Partner | None, at: datetime, *,
    name: str = "", source: str = "",
) -> Invited:  # fmt: skip
    """Add a person, for a partner or (None) as an operator, and mail a link; OperatorError when it cannot be.

    Somebody who was revoked comes in again; somebody who is there is not made anything else.
    """
    role = UserRole.PARTNER if partner else UserRole.OPERATOR
    own = partner.id if partner else ""
    _check(email, name)
    user = people.add_user(tx, email, role, at, partner=own, name=name)
    if user is None:
        user = people.user_with(tx, email)
        assert user is not None
        if user.disabled_at is None:
            raise OperatorError(f"{user.email} has an account already: countermand user list")
        people.restore_user(tx, user.id, role, own, name)
        user = people.get_user(tx, user.id)
        assert user is not None
    link = _link(tx, settings, user, at, timedelta(hours=INVITED_HOURS), source, is_new=True)
    journal.event("user_added", user=user.email, partner=own or None, role=role.value)
    return Invited(user, link)


def remind(tx: Connection, settings: Settings, email: str, at: datetime) -> None:
    """Somebody forgot a password, or says so: mail a link, if there is such an account; nobody is told."""
    user = people.user_with(tx, email, alone=True)  # two at once mail one link
    if user is None or user.disabled_at is not None:
        return
    good_for = timedelta(hours=REMINDED_HOURS)
    if user.link_expires_at is not None and user.link_expires_at > at + good_for - REMINDED_EVERY:
        return  # one was sent a moment ago, or a longer one is still good
    source = "entered on the page Forgot your password?"
    _link(tx, settings, user, at, good_for, source, is_new=not user.has_password)
    journal.event("password_link_asked_for", user=user.email)


def _check(email: str, name: str) -> None:
    try:
        bare = bare_address(email)
    except ValueError as error:
        raise OperatorError(str(error)) from error
    if bare != email:
        raise OperatorError(f"{email!r} is not an e-mail address alone; give the name beside it.")
    if len(name) > NAME_CHARS_MAX or not (name.isprintable() or not name):
        raise OperatorError(f"The name has more than {NAME_CHARS_MAX} characters, or some that are no text.")


def _link(
    tx: Connection, settings: Settings, user: User, at: datetime, good_for: timedelta, source: str, *,
    is_new: bool,
) -> str:  # fmt: skip
    token = people.make_link(tx, user.id, at + good_for)
    link = f"{settings.site.address}/password?link={token}"
    context = PasswordLink(
        hub=settings.hub.name, support=settings.hub.support_email, at=at, name=user.name, email=user.email,
        source=source or f"entered by staff of {settings.hub.name}", company=company_of(settings, user),
        link=link, good_until=at + good_for, is_new=is_new,
    )  # fmt: skip
    key = (
        f"{DEDUPE_PREFIX}{user.id}:{secrets.token_hex(8)}"  # not the token: the key stays, the link does not
    )
    notice = Notice(template=PasswordLink.TEMPLATE, context=context, to=user.email, dedupe_key=key)
    tell_person(tx, settings, notice, at)
    return link


def is_secret(dedupe_key: str) -> bool:
    """Whether a message of the outbox carries a link that opens an account."""
    return dedupe_key.startswith(DEDUPE_PREFIX)


def company_of(settings: Settings, user: User) -> str:
    """For whom a person signs in, as people call it."""
    if user.role is UserRole.OPERATOR:
        return settings.hub.name
    partner = settings.directory.get(user.partner)
    return partner.name if partner else user.partner
