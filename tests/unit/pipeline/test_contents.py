"""What a message says is read from its bytes: the words that were written, each sign of them."""

from dataclasses import replace
from datetime import UTC, datetime

import pytest

from pipeline.contents import html_of, mail_version, text_of
from pipeline.mail import compose
from pipeline.notices import CONTEXTS
from pipeline.notices.contexts import Context, Notice, OrderCancelled
from storage.messages import NewMessage, OutboxMessage
from storage.states import Kind, Status

AT = datetime(2026, 11, 23, 14, 5, tzinfo=UTC)


def composed(context: Context) -> tuple[bytes, str, str]:
    notice = Notice(template=context.TEMPLATE, context=context, to="desk@bolt.example", dedupe_key="one")
    mail = compose(notice, sender="Hub <edi@hub.example>", message_id="<1@hub.example>", at=AT)
    return mail.payload, mail.text, mail.html


def message(kind: Kind, payload: bytes) -> OutboxMessage:
    new = NewMessage(kind=kind, partner="bolt", to="bolt", identity="1", dedupe_key="1", payload=payload)
    return OutboxMessage(
        **{name: getattr(new, name) for name in NewMessage.__slots__}, id=1, event_id=None,
        status=Status.NEW, attempts=0, error="", created_at=AT, due_at=AT, sent_at=None, resend_of=None,
        verdict="", verdict_note="", verdict_at=None, verdict_set_id=None, pruned_at=None,
    )  # fmt: skip


@pytest.mark.parametrize("context", CONTEXTS, ids=lambda context: str(context.TEMPLATE))
def test_both_versions_of_every_mail_are_read_as_they_were_written(context: type[Context]) -> None:
    payload, text, html = composed(context.example())
    mail = message(Kind.EMAIL, payload)
    assert (text_of(mail), html_of(mail)) == (text, html)
    assert all((text, html))


@pytest.mark.parametrize(
    "note", ["Größe 日本 " * 20, "a = b == c=3D", "." * 200, ".\nFrom: x", "tab\there \x85 \u2028 end "]
)
def test_signs_that_the_wire_writes_in_another_way_come_back(note: str) -> None:
    payload, text, html = composed(replace(OrderCancelled.example(), note=note))
    assert (mail_version(payload, "plain"), mail_version(payload, "html")) == (text, html)


def test_a_document_is_shown_byte_for_byte_and_a_webhook_has_no_words() -> None:
    every = bytes(range(256))
    document, hook = message(Kind.ACKNOWLEDGMENT, every), message(Kind.WEBHOOK, b"{}")
    assert (text_of(document).encode("latin-1"), html_of(document)) == (every, "")
    assert (text_of(hook), html_of(hook)) == ("", "")


def test_what_was_emptied_or_could_not_be_written_has_no_words() -> None:
    assert (text_of(message(Kind.EMAIL, b"")), html_of(message(Kind.EMAIL, b""))) == ("", "")
