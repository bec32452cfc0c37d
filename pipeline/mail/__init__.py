"""Mail: a notice becomes a message (`message`) and goes out (`smtp`). Jinja2 and smtplib live here."""

from pipeline.mail.message import (
    Message,
    Rendered,
    UnsafeMessage,
    UnwritableMessage,
    bare_address,
    check_templates,
    compose,
    message_id,
    render,
    with_message_id,
)
from pipeline.mail.smtp import Refused, Retry, Sent, SmtpSession, SmtpSettings, Transmission, Uncertain

__all__ = [
    "Message",
    "Refused",
    "Rendered",
    "Retry",
    "Sent",
    "SmtpSession",
    "SmtpSettings",
    "Transmission",
    "Uncertain",
    "UnsafeMessage",
    "UnwritableMessage",
    "bare_address",
    "check_templates",
    "compose",
    "message_id",
    "render",
    "with_message_id",
]
