"""Messages are what was meant: the same bytes every time, and no word of a partner is more than a word."""

import re
from dataclasses import fields, is_dataclass, replace
from datetime import UTC, datetime
from email import message_from_bytes, policy
from email.message import EmailMessage
from html.parser import HTMLParser
from typing import Any

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from pipeline.mail import Message, SmtpSettings, bare_address, compose, message_id, render, with_message_id
from pipeline.mail.message import HEADERS, SUBJECT_LENGTH_MAX, TEXT_LENGTH_MAX, presentable
from pipeline.mail.smtp import dot_stuffed
from pipeline.notices import CONTEXTS
from pipeline.notices.contexts import Context, Notice, OrderCancelled
from pipeline.settings import Security

AT = datetime(2026, 11, 23, 14, 5, tzinfo=UTC)
SENDER = "countermand <edi@hub.example>"

#: What hostile partners put into a purchase order number, a description, a note, a file name ...
HOSTILE = (
    "PO\r\nBcc: victim@example.com",
    "PO\nBcc: victim@example.com\n\nbody",
    "PO\r\n\r\n<html>body",
    "=?utf-8?q?PO=0D=0ABcc=3A_victim=40example.com?=",
    "=?utf-8?b?UE8NCkJjYzogdmljdGltQGV4YW1wbGUuY29t?=",
    "x" * 60 + "=?utf-8?q?=0D=0ABcc:_v=40example.com?=" * 4,
    "PO\u2028Bcc: victim@example.com\u2029",
    "PO\x00\x0b\x0c\x1c\x1d\x85Bcc: victim@example.com",
    "PO\u202e5100054\u202c",
    "9" * 10_240,
    " " * 10_240,
    "<script>alert(1)</script><img src=x onerror=alert(1)>",
    "</td></table><h1>Pay here</h1>",
    '"><a href="https://evil.example">click</a>',
    "{{ 7 * 7 }}{% include '/etc/passwd' %}{{ ''.__class__.__mro__ }}",
    "<!--[if mso]>x<![endif]-->",
    ".\r\n.\r\nQUIT\r\n",
    "file-\udce9-name.edi",
    "\N{PILE OF POO} Größe \u65e5\u672c \u05d0",
    "",
)


OURS = ("support", "link", "order_link")  # what nobody else wrote


def poisoned(value: Any, text: str) -> Any:
    """A copy of a context with every text of it, at any depth, replaced, but for what is ours."""
    if isinstance(value, str):
        return text
    if isinstance(value, tuple):
        return tuple(poisoned(item, text) for item in value)
    if is_dataclass(value) and not isinstance(value, type):
        names = [field.name for field in fields(value) if field.name not in OURS]
        return replace(value, **{name: poisoned(getattr(value, name), text) for name in names})
    return value


def composed(context: Context, to: str = "desk@bolt.example") -> Message:
    notice = Notice(template=context.TEMPLATE, context=context, to=to, dedupe_key="event:1")
    return compose(notice, sender=SENDER, message_id=message_id("event:1", SENDER), at=AT)


def read(message: Message) -> EmailMessage:
    parsed = message_from_bytes(message.payload, policy=policy.default)
    assert isinstance(parsed, EmailMessage)
    return parsed


class _Tags(HTMLParser):
    def __init__(self, html: str) -> None:
        super().__init__()
        self.seen: list[str] = []
        self.links: list[str | None] = []
        self.feed(html)

    def handle_starttag(self, tag: str, attrs: list[tuple[str, str | None]]) -> None:
        self.seen.append(tag)
        self.links += [value for name, value in attrs if name in ("href", "src")]


@pytest.mark.parametrize("text", HOSTILE, ids=[repr(text[:24]) for text in HOSTILE])
@pytest.mark.parametrize("kind", CONTEXTS, ids=[kind.TEMPLATE for kind in CONTEXTS])
def test_no_field_can_change_headers_recipients_or_markup(kind: type[Context], text: str) -> None:
    usual = composed(kind.example())
    message = composed(poisoned(kind.example(), text))
    parsed = read(message)
    assert sorted(parsed.keys()) == sorted(HEADERS)
    assert [str(to) for to in parsed.get_all("To", [])] == ["desk@bolt.example"]
    assert parsed["From"] == read(usual)["From"]
    assert len(message.subject) <= SUBJECT_LENGTH_MAX
    assert "=?" not in message.subject
    tags = _Tags(message.html)
    assert set(tags.seen) <= set(_Tags(usual.html).seen) | {"span", "br", "b"}
    assert tags.seen.count("h1") == 1
    assert tags.links == _Tags(usual.html).links
    assert tags.links[-1] == "mailto:edi-support%40example.com"
    assert message.html.count("<!--") == usual.html.count("<!--")
    assert not re.search("[\x00-\x08\x0b-\x1f\x7f-\x9f\u202e\u2028\u2029]", message.text + message.html)
    assert "root:" not in message.text


@given(st.text(max_size=400), st.sampled_from(CONTEXTS))
@settings(max_examples=100, deadline=None)
def test_any_text_at_all_makes_a_sound_message(text: str, kind: type[Context]) -> None:
    assert composed(poisoned(kind.example(), text)).payload.isascii()  # it proves the rest itself


def test_a_message_is_the_same_bytes_every_time() -> None:
    assert composed(OrderCancelled.example()) == composed(OrderCancelled.example())


def test_a_message_says_who_when_and_that_no_machine_need_answer() -> None:
    message = composed(OrderCancelled.example())
    parsed = read(message)
    assert parsed["From"] == SENDER
    assert parsed["Reply-To"] == "edi-support@example.com"
    assert parsed["Date"] == "Mon, 23 Nov 2026 14:05:00 +0000"
    assert parsed["Message-ID"] == message.message_id
    assert parsed["Auto-Submitted"] == "auto-generated"
    assert parsed["X-Auto-Response-Suppress"] == "All"
    assert message.sender == "edi@hub.example"
    text, html = parsed.iter_parts()
    assert isinstance(text, EmailMessage)
    assert isinstance(html, EmailMessage)
    assert text.get_content().replace("\r\n", "\n") == message.text
    assert html.get_content().replace("\r\n", "\n") == message.html
    assert {part["Content-Transfer-Encoding"] for part in (text, html)} == {"quoted-printable"}


def test_the_wire_is_seven_bit_with_crlf_and_short_lines() -> None:
    payload = composed(replace(OrderCancelled.example(), note="Größe 日本 " * 20)).payload
    assert payload.isascii()
    assert not re.search(rb"(?<!\r)\n|\r(?!\n)", payload)
    assert max(len(line) for line in payload.split(b"\r\n")) <= 998


def test_without_a_support_address_there_is_no_reply_to() -> None:
    message = composed(replace(OrderCancelled.example(), support=""))
    assert read(message)["Reply-To"] is None
    assert "Questions" not in message.html


def test_names_in_other_scripts_are_kept() -> None:
    context = replace(
        OrderCancelled.example(), by=replace(OrderCancelled.example().by, name="Müller & Söhne")
    )
    assert str(read(composed(context))["Subject"]).endswith("Müller & Söhne")


@pytest.mark.parametrize(
    "address",
    [
        "", "x", "@x.example", "x@", "a b@x.example", "a@x.example, b@x.example",
        "a@x.example\r\nBcc: b@x.example",
        "a@x.example\n", "=?utf-8?q?a?=@x.example", "a@x..example", "a@-x.example",
        "a@x.example." + "y" * 250,
        '"a b"@x.example', "ä@x.example", "a@x.example;b@x.example", "A <a@x.example> <b@x.example>",
    ],
)  # fmt: skip
def test_what_is_not_one_plain_address_is_not_written_to(address: str) -> None:
    with pytest.raises(ValueError, match="not an e-mail address"):
        bare_address(address)


@pytest.mark.parametrize(
    "address", ["a@x.example", "Hub <a@x.example>", "a.b+c@mail.x-1.example", "root@localhost"]
)
def test_addresses_that_work(address: str) -> None:
    assert bare_address(address).count("@") == 1


def test_a_message_id_is_for_life_and_of_one_message() -> None:
    one = message_id("event:1:order_cancelled:a@x.example", SENDER)
    assert one == message_id("event:1:order_cancelled:a@x.example", SENDER)
    assert one != message_id("event:2:order_cancelled:a@x.example", SENDER)
    assert re.fullmatch(r"<[0-9a-f]{40}@hub\.example>", one)


def test_sent_again_on_purpose_it_is_another_message_with_the_same_content() -> None:
    message = composed(OrderCancelled.example())
    again = with_message_id(message.payload, "<" + "n" * 90 + "@hub.example>")
    assert with_message_id(message.payload, message.message_id) == message.payload
    assert message_from_bytes(again, policy=policy.default)["Message-ID"] == "<" + "n" * 90 + "@hub.example>"
    assert again.partition(b"\r\n\r\n")[2] == message.payload.partition(b"\r\n\r\n")[2]


def test_presentable_text_is_one_short_line() -> None:
    assert presentable("a\r\n b\t\x00c\u202ed\ud800") == "a b cd\N{REPLACEMENT CHARACTER}"
    assert presentable("x" * (TEXT_LENGTH_MAX + 1)) == "x" * (TEXT_LENGTH_MAX - 1) + "\u2026"
    assert presentable("x" * TEXT_LENGTH_MAX) == "x" * TEXT_LENGTH_MAX


def test_dots_are_stuffed_and_the_last_line_is_whole() -> None:
    assert dot_stuffed(b".a\r\nb.\r\n..c") == b"..a\r\nb.\r\n...c\r\n"


def test_a_partner_cannot_write_templates() -> None:
    context = replace(OrderCancelled.example(), note="{{ 7 * 7 }} {% raw %}")
    assert "{{ 7 * 7 }} {% raw %}" in render(context).text


def test_a_password_is_neither_shown_nor_sent_in_clear() -> None:
    secret = SmtpSettings(
        host="mx.example",
        port=587,
        security=Security.STARTTLS,
        username="u",
        password="s3cret",
        sender="a@b.example",
    )
    assert "s3cret" not in repr(secret)
    assert replace(secret, security=Security.NONE, host="127.0.0.1").username == "u"
    with pytest.raises(ValueError, match="only on loopback"):
        replace(secret, security=Security.NONE)
