"""Endpoints: where a partner's events are posted is made, switched off and on, tried, and posted to again."""

from collections.abc import Collection
from dataclasses import dataclass

from sqlalchemy import Connection

from pipeline import journal
from pipeline.errors import CountermandError
from pipeline.webhooks.posting import Posted
from pipeline.webhooks.targets import BadTarget, target_of
from pipeline.wiring import Application
from storage import access_keys, messages, outbox, webhooks
from storage.messages import OutboxMessage, StaleMessage
from storage.states import Topic
from storage.webhooks import ENDPOINTS_MAX, Endpoint

HUBS_STAFF = "the hub's staff"  # as partners know each of them


class NotKept(CountermandError):
    """What was asked for cannot be done. `name` says why for programs, and never changes its meaning."""

    def __init__(self, name: str, sentence: str) -> None:
        super().__init__(sentence)
        self.name = name


@dataclass(frozen=True, slots=True, kw_only=True)
class Keeper:
    """Somebody at a partner's endpoints; the same for the API, the app and the command line.

    Every method raises NotKept. What is somebody else's is answered as what is not there.
    """

    application: Application
    partner: str  # "": the hub's own people, who keep everybody's
    by: str  # who does it, as the log has it

    def add(self, url: str, topics: Collection[Topic], form: str = "") -> tuple[Endpoint, str]:
        """An endpoint of the partner's, and its secret, which cannot be shown again.

        A `form` makes one, however often it is sent; when it is sent again there is no secret.
        """
        allow_loopback = self.application.settings.webhooks.allow_loopback
        try:
            target_of(url, allow_loopback=allow_loopback)
        except BadTarget as error:
            raise NotKept("bad-url", str(error)) from error
        at = self.application.clock.now()

        def work(tx: Connection) -> tuple[Endpoint, str]:
            before = access_keys.made_before(tx, self.partner, form) if form else None
            if before is not None:
                return self._own(tx, before), ""
            _check_room(tx, self.partner)
            made, secret = webhooks.add_endpoint(tx, self.partner, url, topics, at)
            if form:
                access_keys.keep_made(tx, self.partner, form, made.id, at)
            return made, secret

        made, secret = self.application.database.run(work)
        if secret:
            self._log("webhook_added", made)
        return made, secret

    def find(self, endpoint_id: int) -> Endpoint:
        """The endpoint with this number."""
        with self.application.database.reading() as tx:
            return self._own(tx, endpoint_id)

    def switch_off(self, endpoint_id: int) -> Endpoint:
        """Post nothing more there; what waits for it is not posted either."""
        at = self.application.clock.now()

        def work(tx: Connection) -> Endpoint:
            self._own(tx, endpoint_id)
            # The partner reads this: who of the hub's people it was is for the log alone.
            webhooks.disable_endpoint(tx, endpoint_id, at, f"by {self.by if self.partner else HUBS_STAFF}.")
            return self._own(tx, endpoint_id)

        endpoint = self.application.database.run(work)
        self._log("webhook_disabled", endpoint)
        return endpoint

    def switch_on(self, endpoint_id: int) -> Endpoint:
        """Post there again what happens from now on."""

        def work(tx: Connection) -> Endpoint:
            endpoint = self._own(tx, endpoint_id)
            if not endpoint.is_on:
                _check_room(tx, endpoint.partner)
                webhooks.enable_endpoint(tx, endpoint_id)
            return self._own(tx, endpoint_id)

        endpoint = self.application.database.run(work)
        self._log("webhook_enabled", endpoint)
        return endpoint

    def rotate(self, endpoint_id: int, form: str = "") -> str:
        """A new secret, which cannot be shown again; for a day the one before signs beside it.

        A `form` makes one, however often it is sent; "" when it is sent again.
        """
        at = self.application.clock.now()

        def work(tx: Connection) -> tuple[Endpoint, str]:
            endpoint = self._own(tx, endpoint_id)
            if form and access_keys.made_before(tx, endpoint.partner, form) is not None:
                return endpoint, ""
            if form:
                access_keys.keep_made(tx, endpoint.partner, form, endpoint_id, at)
            return endpoint, webhooks.rotate_secret(tx, endpoint_id, at)

        endpoint, secret = self.application.database.run(work)
        if secret:
            self._log("webhook_rotated", endpoint)
        return secret

    def test(self, endpoint_id: int) -> Posted:
        """Post a signed ping now; what came of it is kept. It takes as long as the endpoint does."""
        endpoint = self.find(endpoint_id)
        _check_on(endpoint)
        return self.application.poster().ping(endpoint)

    def resend(self, delivery_id: int, *, after: int | None = None) -> OutboxMessage:
        """Post a delivery again; nothing when it was repeated more than `after` times by now."""
        at = self.application.clock.now()

        def work(tx: Connection) -> OutboxMessage:
            old = messages.get(tx, delivery_id)
            if old is None or old.endpoint_id is None or (self.partner and old.partner != self.partner):
                raise NotKept("no-such-delivery", "There is no such delivery.")
            _check_on(self._own(tx, old.endpoint_id))
            if after is not None and len(messages.resends_of(tx, delivery_id)) != after:
                raise NotKept("not-again", "It was sent again since you looked at it; nothing was done.")
            try:
                made = messages.get(tx, outbox.resend(tx, delivery_id, at))
            except StaleMessage as error:
                raise NotKept("not-again", str(error)) from error
            assert made is not None
            return made

        made = self.application.database.run(work)
        journal.event("message_resent", message=made.id, resend_of=f"m{delivery_id}", by=self.by)
        return made

    def _own(self, tx: Connection, endpoint_id: int) -> Endpoint:
        found = webhooks.get_endpoint(tx, endpoint_id, self.partner)
        if found is None:
            raise NotKept("no-such-webhook", f"There is no webhook {endpoint_id}.")
        return found

    def _log(self, event: str, endpoint: Endpoint) -> None:
        journal.event(event, webhook=endpoint.id, partner=endpoint.partner, by=self.by)


def _check_room(tx: Connection, partner: str) -> None:
    if sum(one.is_on for one in webhooks.list_endpoints(tx, partner, alone=True)) >= ENDPOINTS_MAX:
        raise NotKept(
            "too-many-webhooks", f"There are {ENDPOINTS_MAX} webhooks already; switch one off first."
        )


def _check_on(endpoint: Endpoint) -> None:
    if not endpoint.is_on:
        raise NotKept("webhook-disabled", f"Webhook {endpoint.id} is off: {endpoint.disabled_why}")
