"""Visitors: who is signed in, which orders are theirs to see, and whether a form comes from our own page."""

from dataclasses import dataclass
from datetime import datetime
from typing import Annotated

from fastapi import Depends, Request
from sqlalchemy import Connection
from starlette.datastructures import FormData

from pipeline.api.pages.cookies import Cookies
from pipeline.api.state import application_of
from pipeline.entering import Speaker
from pipeline.partners import Partner, Role
from pipeline.wiring import Application
from storage import people, queries
from storage.order_lists import Wanted
from storage.people import User
from storage.queries import Mark
from storage.states import UserRole

FIELDS_MAX = 12_000  # of one form: an order has 10,000 lines at most


class PageError(Exception):
    """An answer that is a page with a sentence instead of what was asked for."""

    def __init__(self, status: int, title: str, text: str) -> None:
        super().__init__(title)
        self.status, self.title, self.text = status, title, text


class SignInFirst(Exception):
    """Nobody is signed in, or not any more."""


def not_there() -> PageError:
    """The same for what is not there and for what is somebody else's."""
    return PageError(404, "Not found", "There is no such page, or it is not yours to see.")


@dataclass(frozen=True, slots=True, kw_only=True)
class Acting:
    """For whom something is done, and by whom: what the desk wants of a caller."""

    partner: Partner
    actor: str

    def speaks(self, at: datetime) -> Speaker:
        """Who says something now."""
        return Speaker(partner=self.partner, actor=self.actor, at=at)


@dataclass(frozen=True, slots=True, kw_only=True)
class Visitor:
    """A person who is signed in: for a partner, or (None) for the hub."""

    user: User
    partner: Partner | None
    hub: str

    @property
    def is_operator(self) -> bool:
        """Whether this person belongs to the hub, and sees everything."""
        return self.partner is None

    @property
    def company(self) -> str:
        """For whom this person is here, as people call it."""
        return self.partner.name if self.partner else self.hub

    @property
    def actor(self) -> str:
        """As timelines and mails name it."""
        return f"{self.user.actor} of {self.hub}" if self.is_operator else self.user.actor

    @property
    def own(self) -> Wanted:
        """The orders this person may see, as a search that finds them all."""
        if self.partner is None:
            return Wanted()
        buys = self.partner.role is Role.BUYER
        return Wanted(buyer=self.partner.id) if buys else Wanted(seller=self.partner.id)

    def side(self, said: str) -> Role:
        """The side this person speaks for: the partner's own; the hub's people say which."""
        if self.partner is not None:
            return self.partner.role
        if said not in (Role.BUYER.value, Role.SELLER.value):
            raise PageError(422, "For whom?", "Open the order, and choose for which side you act.")
        return Role(said)

    def mark(self, tx: Connection, order_id: int) -> Mark:
        """Where an order stands that is this person's to see; a PageError 404 for any other."""
        mark = queries.mark_of(tx, order_id, buyer=self.own.buyer, seller=self.own.seller)
        if mark is None:
            raise not_there()
        return mark


async def check_form(request: Request) -> None:
    """Before any route: a form must have been given to this browser by us, or it is not looked at."""
    if request.method in ("GET", "HEAD"):
        return
    form = await request.form(max_files=0, max_fields=FIELDS_MAX)
    given = form.get("csrf")
    if not isinstance(given, str) or not Cookies.of(request).is_from_here(given):
        raise PageError(
            403, "This form is not good any more",
            "It was opened before you signed in or out, or it does not come from this site. Nothing was done."
            " Go back, load the page again and send it once more.",
        )  # fmt: skip
    request.state.form = form


def field(request: Request, name: str, chars_max: int = 500) -> str:
    """A field of the form that was sent, without blanks around; "" when it is missing."""
    form: FormData = request.state.form
    value = form.get(name, "")
    if not isinstance(value, str) or len(value) > chars_max:
        raise PageError(422, "The form cannot be used", f"A field of it is longer than {chars_max} signs.")
    return value.strip()


def fields(request: Request, prefix: str, chars_max: int = 500) -> dict[str, str]:
    """The fields of the form whose names begin so, by the rest of their names; empty ones are left out."""
    form: FormData = request.state.form
    names = [name.removeprefix(prefix) for name in form if name.startswith(prefix)]
    found = {name: field(request, prefix + name, chars_max) for name in names}
    return {name: value for name, value in found.items() if value}


def _signed_in(request: Request) -> Visitor:
    """Who is here; SignInFirst when nobody is."""
    application, cookies = application_of(request), Cookies.of(request)
    at = application.clock.now()
    if cookies.is_new:
        raise SignInFirst
    with application.database.reading() as tx:
        found = people.signed_in(tx, cookies.token, at)
    if found is None:
        raise SignInFirst
    user, seen_due = found
    visitor = visitor_of(application, user)
    if visitor is None:
        raise SignInFirst
    if seen_due:
        application.database.run(lambda tx: people.note_seen(tx, cookies.token, at))
    request.state.actor, request.state.partner = visitor.actor, user.partner or None
    request.state.visitor = visitor
    return visitor


def visitor_of(application: Application, user: User) -> Visitor | None:
    """A person as a visitor; None for one whose partner left the settings."""
    partner = application.settings.directory.get(user.partner) if user.partner else None
    if partner is None and user.role is not UserRole.OPERATOR:
        return None
    return Visitor(user=user, partner=partner, hub=application.settings.hub.name)


SignedIn = Annotated[Visitor, Depends(_signed_in)]


def operators_only(visitor: SignedIn) -> Visitor:
    """Nobody else's route."""
    if not visitor.is_operator:
        raise not_there()
    return visitor


def partners_only(visitor: SignedIn) -> Visitor:
    """Nobody else's route."""
    if visitor.partner is None:
        raise not_there()
    return visitor


#: For a route's `visitor`: the hub's people alone; a partner's people alone.
Operator = Annotated[Visitor, Depends(operators_only)]
OfPartner = Annotated[Visitor, Depends(partners_only)]
