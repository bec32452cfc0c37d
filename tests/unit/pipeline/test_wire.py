"""A message is the one that the standard library writes of the same words."""

from dataclasses import replace
from email import policy
from email.headerregistry import Address
from email.message import EmailMessage
from email.parser import BytesParser
from email.utils import format_datetime, parseaddr
from itertools import cycle

import pytest
from hypothesis import example, given, settings
from hypothesis import strategies as st

from pipeline.mail import Message, bare_address, compose, message_id, wire
from pipeline.notices import CONTEXTS
from pipeline.notices.contexts import Context, Notice
from tests.unit.pipeline.test_mail import AT, HOSTILE, SENDER, poisoned

FAR = "Müller & Söhne <edi@a-hub-with-a-name-so-long-that-its-headers-must-be-folded.example>"


def by_the_library(message: Message, sender: str, support: str) -> bytes:
    """The same message, put together by the library alone."""
    mail = EmailMessage(policy=policy.SMTP)
    mail["From"] = Address(parseaddr(sender)[0], addr_spec=bare_address(sender))
    mail["To"] = Address(addr_spec=message.recipient)
    if support:
        mail["Reply-To"] = Address(addr_spec=support)
    mail["Subject"] = message.subject
    mail["Date"] = format_datetime(AT)
    mail["Message-ID"] = message.message_id
    mail["Auto-Submitted"] = "auto-generated"
    mail["X-Auto-Response-Suppress"] = "All"
    mail.set_content(message.text, cte="quoted-printable")
    mail.add_alternative(message.html, subtype="html", cte="quoted-printable")
    mail.set_boundary(wire.boundary_of(message.message_id))
    return mail.as_bytes()


def opened(payload: bytes) -> tuple[bytes, list[tuple[list[tuple[str, str]], object]]]:
    """A message's headers as they stand, and each part's own with its words; read by the library."""
    parts = [part for part in BytesParser().parsebytes(payload).walk() if not part.is_multipart()]
    return payload.partition(b"\r\n\r\n")[0], [
        (part.items(), part.get_payload(decode=True)) for part in parts
    ]


@pytest.mark.parametrize("kind", CONTEXTS, ids=[kind.TEMPLATE for kind in CONTEXTS])
def test_the_message_is_the_library_s(kind: type[Context]) -> None:
    supports, senders = cycle(["edi-support@example.com", ""]), cycle([SENDER, FAR, "edi@hub.example"])
    for text in (None, *HOSTILE[-8:]):
        context = kind.example() if text is None else poisoned(kind.example(), text)
        context = replace(context, support=next(supports))
        sender = next(senders)
        notice = Notice(template="", context=context, to="d@b.example", dedupe_key="")
        message = compose(notice, sender=sender, message_id=message_id("1", sender), at=AT)
        theirs = by_the_library(message, sender, context.support)
        assert opened(message.payload) == opened(theirs)
        assert max(map(len, message.payload.split(b"\r\n\r\n", 1)[1].split(b"\r\n"))) <= 76  # RFC 2045, 6.7


@given(st.text(st.characters(exclude_categories=("Cc", "Cs", "Zl", "Zp")), max_size=120))
@example("a  b ")
@example(" =?utf-8?q?x?= ")
@example("x" * 69)
@settings(max_examples=100, deadline=None)
def test_a_subject_is_folded_as_the_library_folds_it(subject: str) -> None:
    mail = EmailMessage(policy=policy.SMTP)
    mail["Subject"] = subject
    assert mail.as_bytes().startswith(wire.header_line("Subject", subject).encode() + b"\r\n")


def test_a_header_of_two_lines_is_refused() -> None:
    with pytest.raises(ValueError, match="linefeed"):
        wire.header_line("Subject", "one\r\nBcc: two@example.com")
