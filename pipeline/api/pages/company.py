"""Company: what the hub knows of a partner, for its own people: who is written to, who signs in, its keys."""

from datetime import datetime, timedelta
from typing import Annotated

from fastapi import APIRouter, Path, Request
from fastapi.responses import RedirectResponse, Response
from sqlalchemy import Connection

from pipeline import journal
from pipeline.api.pages import mail_choices, webhooks
from pipeline.api.pages.rendering import render
from pipeline.api.pages.visitors import OfPartner, Visitor, field, not_there
from pipeline.api.paging import ID_MAX
from pipeline.api.state import application_of
from pipeline.policy import Tell
from storage import access_keys, people
from storage.access_keys import AccessKey
from storage.states import Scope

NAME_CHARS_MAX = 60
KEYS_MAX = 20  # good ones, of one partner
_DAYS = {"0": "Until it is revoked", "30": "30 days", "90": "90 days", "365": "A year"}
_SCOPES = {
    Scope.READ: "read orders, and see what a cancellation would do",
    Scope.WRITE: "place orders; acknowledge and ship them",
    Scope.CANCEL: "cancel, or ask for it; answer what was asked",
    Scope.WEBHOOKS: "say where events are posted, and read what was posted",
}
_TOLD = {
    Tell.EMAIL: "by e-mail",
    Tell.EDI: "by an X12 document in your mailbox",
    Tell.BOTH: "by e-mail and by an X12 document in your mailbox",
}

KeyId = Annotated[int, Path(ge=1, le=ID_MAX)]


def make_router() -> APIRouter:
    """The company's page, and its keys."""
    router = APIRouter()

    @router.get("/company")
    def company(request: Request, visitor: OfPartner) -> Response:
        return _page(request, visitor)

    @router.post("/company/mail")
    def told(request: Request, visitor: OfPartner) -> Response:
        fault = mail_choices.keep(request, visitor)
        return _page(request, visitor, mail_fault=fault, mail_kept=not fault)

    @router.post("/company/keys")
    def add(request: Request, visitor: OfPartner) -> Response:
        return _add_key(request, visitor)

    @router.post("/company/keys/{key_id}/revoke")
    def revoke(request: Request, visitor: OfPartner, key_id: KeyId) -> Response:
        return _revoke_key(request, visitor, key_id)

    return router


def _page(
    request: Request, visitor: Visitor, *, secret: str = "", fault: str = "", mail_fault: str = "",
    mail_kept: bool = False,
) -> Response:  # fmt: skip
    """`secret`: of a key just made, shown this once."""
    application, partner = application_of(request), visitor.partner
    assert partner is not None
    at = application.clock.now()
    with application.database.reading() as tx:
        keys = access_keys.list_keys(tx, partner.id)
        users = people.list_users(tx, partner.id)
        hooks = webhooks.listed(tx, partner.id)
        mail = mail_choices.shown(tx, application.settings, visitor)
    return render(
        request, "company.html.j2", visitor, status=422 if fault or mail_fault else 200,
        partner=partner, told=_TOLD[partner.policy.tell], users=[u for u in users if not u.disabled_at],
        keys=[(key, _state(key, at), key.is_good(at)) for key in reversed(keys)],
        scopes=[(scope.value, words) for scope, words in _SCOPES.items()], days=_DAYS.items(),
        secret=secret, fault=fault, webhooks=hooks, name_chars_max=NAME_CHARS_MAX,
        mail=mail, mail_fault=mail_fault, mail_kept=mail_kept,
    )  # fmt: skip


def _state(key: AccessKey, at: datetime) -> str:
    if key.revoked_at is not None:
        return "Revoked"
    return "Good" if key.is_good(at) else "Expired"


def _add_key(request: Request, visitor: Visitor) -> Response:
    application, partner = application_of(request), visitor.partner
    assert partner is not None
    name, days = field(request, "name", NAME_CHARS_MAX), field(request, "days", 5)
    said = request.state.form.getlist("scope")
    scopes = [scope for scope in Scope if scope.value in said]
    if not scopes or days not in _DAYS or not name.isprintable():
        return _page(request, visitor, fault="Choose what the key may do, at least one thing.")
    at = application.clock.now()
    expires_at = at + timedelta(days=int(days)) if int(days) else None

    def work(tx: Connection) -> tuple[AccessKey, str] | None:
        good = [key for key in access_keys.list_keys(tx, partner.id, alone=True) if key.is_good(at)]
        if len(good) >= KEYS_MAX:
            return None
        return access_keys.add_key(tx, partner.id, scopes, at, name=name, expires_at=expires_at)

    done = application.database.run(work)
    if done is None:
        return _page(request, visitor, fault=f"There are {KEYS_MAX} keys already; revoke one first.")
    made, secret = done
    journal.event("key_added", key=made.id, partner=partner.id, by=visitor.actor)
    return _page(request, visitor, secret=secret)


def _revoke_key(request: Request, visitor: Visitor, key_id: int) -> Response:
    application, partner = application_of(request), visitor.partner
    assert partner is not None
    with application.database.reading() as tx:
        key = access_keys.get_key(tx, key_id)
    if key is None or key.partner != partner.id:
        raise not_there()
    at = application.clock.now()
    application.database.run(lambda tx: access_keys.revoke_key(tx, key_id, at))
    journal.event("key_revoked", key=key_id, partner=partner.id, by=visitor.actor)
    return RedirectResponse("/company", 303)
