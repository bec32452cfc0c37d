"""Company mail: who of a company is told of what by e-mail, and when. Never nobody.

The addresses of the settings are told at once of everything. A person who signs in is told of what they
choose; where the settings name that person's address, their choice stands in place of "at once".
"""

from collections import ChainMap
from collections.abc import Mapping
from dataclasses import dataclass, replace

from sqlalchemy import Connection

from pipeline.settings import Settings
from pipeline.telling.notifications import Addressees
from storage import mail_choices
from storage.events import EventKind
from storage.mail_choices import Chooser
from storage.orders import OrderKey
from storage.people import User, normal
from storage.states import MailPace, MailTopic

_TOPICS = {
    EventKind.ORDER_CANCELLED: MailTopic.CANCELLATIONS,
    EventKind.LINES_CANCELLED: MailTopic.CANCELLATIONS,
    EventKind.CANCELLATION_REQUESTED: MailTopic.REQUESTS,
    EventKind.REQUEST_WITHDRAWN: MailTopic.REQUESTS,
    EventKind.REQUEST_REFUSED: MailTopic.REFUSALS,
}
Paces = Mapping[str, MailPace]  # by address
TOPIC_WORDS = {
    MailTopic.CANCELLATIONS: "cancellations by the other side",
    MailTopic.REQUESTS: "requests to cancel: to answer, withdrawn, or not answered in time",
    MailTopic.REFUSALS: "refusals of what you asked for or sent",
}
PACE_WORDS = {
    MailPace.AT_ONCE: "at once",
    MailPace.HOURLY: "once an hour, in one e-mail",
    MailPace.NONE: "not at all",
}


def topic_of(kind: EventKind, party: str, key: OrderKey) -> MailTopic:
    """What an event is to one of the parties that are told of it."""
    if kind is EventKind.REQUEST_LAPSED:  # the seller had it to answer, the buyer asked in vain
        return MailTopic.REQUESTS if party == key.seller else MailTopic.REFUSALS
    return _TOPICS[kind]


class NobodyLeft(Exception):
    """A choice would leave nobody who is told of these topics."""

    def __init__(self, topics: tuple[MailTopic, ...]) -> None:
        super().__init__(", ".join(topic.value for topic in topics))
        self.topics = topics


@dataclass(frozen=True, slots=True)
class Addressed:
    """A company as notices are made for it."""

    name: str
    notify: tuple[str, ...]


@dataclass(frozen=True, slots=True)
class CompanyMail:
    """Who could be told of what."""

    partner: str
    name: str
    standing: tuple[str, ...]  # the addresses of the settings
    choosers: tuple[Chooser, ...]

    def paces(self, topic: MailTopic) -> Paces:
        """Who is told of it: everybody at once whom the settings name, if nobody were told else."""
        return self.chosen(topic) or dict.fromkeys(self.standing, MailPace.AT_ONCE)

    def chosen(self, topic: MailTopic) -> Paces:
        """Who is told of it by the settings and people's choices alone."""
        people = {normal(one.email): one for one in self.choosers}
        named = {normal(address) for address in self.standing}
        found: dict[str, MailPace] = {}
        for address in self.standing:
            person = people.get(normal(address))
            found[address] = person.paces.get(topic, MailPace.AT_ONCE) if person else MailPace.AT_ONCE
        for email, person in people.items():
            if email not in named:
                found[email] = person.paces.get(topic, MailPace.NONE)
        return {address: pace for address, pace in found.items() if pace is not MailPace.NONE}

    def has(self, address: str) -> bool:
        """Whether it is an address of the settings, or of somebody who has chosen."""
        known = (*self.standing, *(one.email for one in self.choosers))
        return normal(address) in map(normal, known)

    def pace_of(self, email: str, topic: MailTopic) -> MailPace:
        """What one person chose, or has without choosing."""
        paces = {normal(address): pace for address, pace in self.chosen(topic).items()}
        return paces.get(normal(email), MailPace.NONE)

    def among(self, addressees: Addressees, addresses: Mapping[str, object] | None = None) -> Addressees:
        """The same addressees, with these addresses for this company; all that could be told, without."""
        if addresses is None:
            named = {normal(address) for address in self.standing}
            people = (one.email for one in self.choosers if normal(one.email) not in named)
            addresses = dict.fromkeys((*self.standing, *people))
        own = {self.partner: Addressed(self.name, tuple(addresses))}
        return replace(addressees, partners=ChainMap(own, addressees.partners))  # type: ignore[arg-type]


def company_mail(tx: Connection, settings: Settings, partner_id: str) -> CompanyMail | None:
    """A partner's; None for one that the settings do not have."""
    partner = settings.directory.get(partner_id)
    if partner is None:
        return None
    choosers = mail_choices.choosers(tx, partner_id)
    return CompanyMail(partner_id, partner.name, tuple(dict.fromkeys(partner.notify)), choosers)


def choose(tx: Connection, settings: Settings, user: User, paces: Mapping[MailTopic, MailPace]) -> None:
    """A person chooses. NobodyLeft when the company would have nobody left for a topic: nothing is kept."""
    mail_choices.lock_choices(tx, user.partner)
    before = company_mail(tx, settings, user.partner)
    assert before is not None
    own = next((one for one in before.choosers if one.user_id == user.id), None)
    mine = Chooser(user_id=user.id, email=user.email, paces={**(own.paces if own else {}), **paces})
    others = tuple(one for one in before.choosers if one.user_id != user.id)
    after = replace(before, choosers=(*others, mine))
    left = tuple(topic for topic in paces if before.chosen(topic) and not after.chosen(topic))
    if left:
        raise NobodyLeft(left)
    mail_choices.choose(tx, user.id, paces)
