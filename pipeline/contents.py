"""Contents: what a message of the outbox says, read from the bytes that go over the wire."""

from email import message_from_bytes, policy
from email.message import EmailMessage
from typing import Literal

from storage.messages import OutboxMessage
from storage.states import Kind


def text_of(message: OutboxMessage) -> str:
    """An e-mail's plain version, or a document byte for byte in latin-1; "" for a webhook's body."""
    if message.kind is Kind.EMAIL:
        return mail_version(message.payload, "plain")
    return message.payload.decode("latin-1") if message.kind is Kind.ACKNOWLEDGMENT else ""


def html_of(message: OutboxMessage) -> str:
    """An e-mail's HTML version; "" for anything else."""
    return mail_version(message.payload, "html") if message.kind is Kind.EMAIL else ""


def mail_version(payload: bytes, kind: Literal["plain", "html"]) -> str:
    """One version of an e-mail with lines ended by LF; "" when it has none, as one that was emptied."""
    mail = message_from_bytes(payload, _class=EmailMessage, policy=policy.SMTP)
    body = mail.get_body((kind,)) if payload else None
    return "" if body is None else str(body.get_content()).replace("\r\n", "\n")
