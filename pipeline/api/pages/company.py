"""Company: what the hub knows of a partner, for its own people: who is written to, who signs in, its keys."""

from dataclasses import dataclass
from datetime import datetime, timedelta
from typing import Annotated

from fastapi import APIRouter, Path, Query, Request
from fastapi.responses import RedirectResponse, Response
from sqlalchemy import Connection

from pipeline import journal
from pipeline.api.pages import drafts, mail_choices, once, webhooks
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
Said = Annotated[str, Query(max_length=20)]


@dataclass(frozen=True, slots=True, kw_only=True)
class _KeyDraft:
    """What somebody filled in to make a key."""

    name: str = ""
    scopes: tuple[str, ...] = ()
    days: str = "0"

    @property
    def fault(self) -> str:
        """What is wrong with it, as a sentence; "" when nothing is."""
        if not self.name:
            return "Say which program the key is for."
        if len(self.name) > NAME_CHARS_MAX or not self.name.isprintable():
            return f"The name can have {NAME_CHARS_MAX} signs at most, and none that cannot be seen."
        if self.days not in _DAYS:
            return "Choose for how long the key is good."
        return "" if self.scopes else "Choose what the key may do, at least one thing."


_NEW_KEY = _KeyDraft(scopes=tuple(scope.value for scope in Scope if scope is not Scope.WEBHOOKS))


def make_router() -> APIRouter:
    """The company's page, and its keys."""
    router = APIRouter()

    @router.get("/company")
    def company(request: Request, visitor: OfPartner, said: Said = "") -> Response:
        return _page(request, visitor, mail_kept=said == "mail-kept", key_made=said == "key-made")

    @router.post("/company/mail")
    def told(request: Request, visitor: OfPartner) -> Response:
        if fault := mail_choices.keep(request, visitor):
            return _page(request, visitor, mail_fault=fault)
        return RedirectResponse("/company?said=mail-kept#mail", 303)

    @router.post("/company/keys")
    def add(request: Request, visitor: OfPartner) -> Response:
        return _add_key(request, visitor)

    @router.post("/company/keys/{key_id}/revoke")
    def revoke(request: Request, visitor: OfPartner, key_id: KeyId) -> Response:
        return _revoke_key(request, visitor, key_id)

    return router


def _page(
    request: Request, visitor: Visitor, *, secret: str = "", fault: str = "", mail_fault: str = "",
    mail_kept: bool = False, key_made: bool = False, draft: _KeyDraft = _NEW_KEY,
) -> Response:  # fmt: skip
    """`secret`: of a key just made, shown this once. `draft`: what somebody filled in for one."""
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
        mail=mail, mail_fault=mail_fault, mail_kept=mail_kept, key_made=key_made, draft=draft,
        form_key=drafts.new_key(),
    )  # fmt: skip


def _state(key: AccessKey, at: datetime) -> str:
    if key.revoked_at is not None:
        return "Revoked"
    return "Good" if key.is_good(at) else "Expired"


def _add_key(request: Request, visitor: Visitor) -> Response:
    """Make a key, once for the form; who clicked twice is shown the same one."""
    application, partner = application_of(request), visitor.partner
    assert partner is not None
    said = request.state.form.getlist("scope")
    scopes = [scope for scope in Scope if scope.value in said]
    draft = _KeyDraft(
        name=field(request, "name"), days=field(request, "days", 5), scopes=tuple(one.value for one in scopes)
    )
    if draft.fault:
        return _page(request, visitor, fault=draft.fault, draft=draft)
    at = application.clock.now()
    expires_at = at + timedelta(days=int(draft.days)) if int(draft.days) else None
    form = once.key_of_form(request, draft.name, draft.days, *draft.scopes)

    def work(tx: Connection) -> tuple[AccessKey, str] | None:
        before = access_keys.made_before(tx, partner.id, form)
        if before is not None and (known := access_keys.get_key(tx, before)) is not None:
            return known, ""
        good = [key for key in access_keys.list_keys(tx, partner.id, alone=True) if key.is_good(at)]
        if len(good) >= KEYS_MAX:
            return None
        made, secret = access_keys.add_key(tx, partner.id, scopes, at, name=draft.name, expires_at=expires_at)
        access_keys.keep_made(tx, partner.id, form, made.id, at)
        return made, secret

    done = application.database.run(work)
    if done is None:
        fault = f"There are {KEYS_MAX} keys already; revoke one first."
        return _page(request, visitor, fault=fault, draft=draft)
    made, secret = done
    if secret:
        journal.event("key_added", key=made.id, partner=partner.id, by=visitor.actor)
    secret = once.shown(request, form, secret)
    if not secret:
        return RedirectResponse("/company?said=key-made#keys", 303)
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
