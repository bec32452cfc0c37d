"""Mail choices: who of a company is told of what, on its page, and the form by which a person chooses."""

from typing import Any

from fastapi import Request
from sqlalchemy import Connection

from pipeline import journal
from pipeline.api.pages.visitors import PageError, Visitor, field
from pipeline.api.state import application_of
from pipeline.settings import Settings
from pipeline.telling.company_mail import PACE_WORDS, TOPIC_WORDS, NobodyLeft, choose, company_mail
from storage.states import MailPace, MailTopic

_HEADS = {
    MailTopic.CANCELLATIONS: "Cancellations",
    MailTopic.REQUESTS: "Requests",
    MailTopic.REFUSALS: "Refusals",
}


def shown(tx: Connection, settings: Settings, visitor: Visitor) -> dict[str, Any]:
    """What the section shows: everybody who is told of something, and the visitor's own choices."""
    assert visitor.partner is not None
    company = company_mail(tx, settings, visitor.partner.id)
    assert company is not None
    paces = {topic: company.paces(topic) for topic in MailTopic}
    addresses = sorted({address for told in paces.values() for address in told})
    readers = [
        (
            address,
            [
                (_HEADS[topic], PACE_WORDS[paces[topic].get(address, MailPace.NONE)].capitalize())
                for topic in MailTopic
            ],
        )
        for address in addresses
    ]
    choices = [
        (topic.value, _said(TOPIC_WORDS[topic]), company.pace_of(visitor.user.email, topic).value)
        for topic in MailTopic
    ]
    return {
        "readers": readers,
        "topics": list(_HEADS.values()),
        "choices": choices,
        "paces": [(pace.value, _said(words)) for pace, words in PACE_WORDS.items()],
    }


def keep(request: Request, visitor: Visitor) -> str:
    """Keep what the visitor chose, for this person alone; a sentence when it cannot be."""
    application = application_of(request)
    paces = {topic: _pace(request, topic) for topic in MailTopic}
    try:
        application.database.run(lambda tx: choose(tx, application.settings, visitor.user, paces))
    except NobodyLeft as error:
        words = " and of ".join(TOPIC_WORDS[topic] for topic in error.topics)
        return (
            f"Nothing was changed: you are the last one of {visitor.company} who is told of {words}."
            " Let somebody else choose these e-mails first."
        )
    said = {topic.value: pace.value for topic, pace in paces.items()}
    journal.event("mail_chosen", user=visitor.user.email, partner=visitor.user.partner, **said)
    return ""


def _pace(request: Request, topic: MailTopic) -> MailPace:
    said = field(request, topic.value, 20)
    if said not in {pace.value for pace in MailPace}:
        raise PageError(422, "The form cannot be used", "Say for each kind of e-mail when you want it.")
    return MailPace(said)


def _said(words: str) -> str:
    return words[:1].upper() + words[1:]
