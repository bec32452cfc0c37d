"""Every e-mail template renders its example, uses all it is given, and looks as the kept samples do."""

import os
import re
from dataclasses import fields, replace
from datetime import UTC, datetime
from decimal import Decimal
from html.parser import HTMLParser
from pathlib import Path
from typing import Any

import jinja2.meta
import jinja2.nodes
import pytest

from pipeline.amounts import amounts
from pipeline.mail import check_templates, render
from pipeline.mail.message import _environment
from pipeline.mail.phrases import phrases
from pipeline.notices import CONTEXTS
from pipeline.notices.contexts import (
    AnswerRejected,
    CancellationRefused,
    CancellationRequested,
    Context,
    DocumentRefused,
    DocumentRejected,
    LinesCancelled,
    NoticeLine,
    OrderCancelled,
    Party,
    Problem,
    Total,
    totals_of,
)
from pipeline.notices.digest import Digest, DigestItem, content_of, item_of

SAMPLES = Path(__file__).parents[3] / "samples" / "email"
TEMPLATES = Path(__file__).parents[3] / "templates" / "email"
ANSWER = {"reason": "", "source": "X12 865, interchange 000000125, group 9, set 0001, file bolt-0816.edi"}


def variants() -> dict[str, Context]:
    """The examples, and the forms of a message that an example cannot show at the same time."""
    order, lines = OrderCancelled.example(), LinesCancelled.example()
    refused, rejected = CancellationRefused.example(), DocumentRejected.example()
    rest = (
        replace(order.lines[0], fulfilled=Decimal(20), quantity=Decimal(28), cancelled=Decimal(28)),
        replace(order.lines[1], fulfilled=Decimal(0), quantity=Decimal(0)),
    )
    pounds = Decimal("12.5")
    weighed = replace(
        order.lines[1],
        description="Walnut offcuts",
        unit="LB",
        ordered=pounds,
        quantity=pounds,
        cancelled=pounds,
    )
    seller: dict[str, Any] = {
        "by": order.other,
        "other": order.by,
        "note": "",
        "reason": "Rejected, item not available [R4]",
        "source": "X12 855, interchange 000000124, group 8, set 0001, file bolt-0815.edi",
    }
    return {context.TEMPLATE: context.example() for context in CONTEXTS} | _of_requests_and_sizes() | {
        "order_cancelled-rest-no_address": replace(
            order, lines=rest, totals=totals_of(rest), lines_cancelled=1, release="7",
            pass_on="Bolt Supply",
            status="Complete, nothing is open: 20 units fulfilled, 40 units cancelled",
        ),
        "order_cancelled-by_seller": replace(
            order, **seller, lines=(order.lines[0], weighed), totals=totals_of((order.lines[0], weighed)),
        ),
        "lines_cancelled-by_seller": replace(lines, **seller, lines_left_out=150),
        "lines_cancelled-agreed": replace(lines, **seller | ANSWER, agreed=True),
        "cancellation_refused-whole": replace(
            refused, refused=(), cancelled="", fulfilled="60 units",
            status="Fulfilled: everything ordered was fulfilled",
            problems=("PO 4500012: the order is fulfilled, and a fulfilled unit cannot be cancelled.",),
        ),
        "cancellation_refused-requested": replace(
            refused, cancelled="", requested="48 units",
            status="Partly fulfilled: 12 units fulfilled, 48 units open",
        ),
        "digest-refusal-part": digest_of(refused),
        "document_rejected-file": replace(
            rejected, what="the file", became="could not be read", held="", question="", choices=(),
            po_number="", file="what's new.edi", problems_left_out=4,
        ),
    } | refusals(order)  # fmt: skip


def refusals(order: OrderCancelled) -> dict[str, Context]:
    """What was refused, by us and by a partner."""
    return {
        "document_refused-order_known": replace(
            DocumentRefused.example(), type="850", document="purchase order",
            by=order.by, other=order.other, refused=(),
            problems=("PO 4500012: an order with this number and other content exists.",),
            source="X12 850, interchange 000000078, group 12, set 0001, file acme-0078.edi",
        ),
        "document_refused-with_others": replace(
            DocumentRefused.example(), also="PO 4500013 and PO 4500014 (release 7)"
        ),
        "answer_rejected-read": replace(
            AnswerRejected.example(), was_read=True,
            source="X12 824, interchange 000000125, group 9, set 0001, file bolt-824-125.edi",
            problems=(
                Problem(
                    place="Our 860, group 41",
                    message="It was rejected (TR): 012 shipped yesterday.",
                    remedy="Look at the message with countermand outbox, and settle with the partner what it"
                    " refuses.",
                ),
            ),
        ),
    }  # fmt: skip


def _of_requests_and_sizes() -> dict[str, Context]:
    """What is asked again, or without an app to answer in; and figures too long to stand side by side."""
    lines = LinesCancelled.example()
    many = replace(
        lines.lines[0], quantity=Decimal(25000), ordered=Decimal(125000), fulfilled=Decimal(0),
        cancelled=Decimal(25000), open=Decimal(100000),
    )  # fmt: skip
    fewer = replace(CancellationRequested.example().lines[0], quantity=Decimal(12))
    return {
        "lines_cancelled-large": replace(
            lines, lines=(many,), totals=totals_of((many,)), remaining="100000 units",
        ),
        "cancellation_requested-reminder": replace(
            CancellationRequested.example(), is_reminder=True,
            answer_by=datetime(2026, 11, 25, 14, 5, tzinfo=UTC),
        ),
        "cancellation_requested-more-no_app": replace(
            CancellationRequested.example(), lines=(fewer,), totals=totals_of((fewer,)), waiting="28 units",
            order_link="", lines_left_out=150,
        ),
    }  # fmt: skip


def digest_of(refused: CancellationRefused) -> Digest:
    """The second part of a digest, with one refusal."""
    digest = Digest.example()
    item = replace(
        digest.items[0], headline="PO 4500012 could not be cancelled in full",
        lead="Acme Stores asked to cancel PO 4500012: 48 units could be cancelled, but 1 line"
        " could not be cancelled in full.",
        advice=(), moved="Asked", lines=refused.refused, lines_left_out=3, totals=(), link="",
        problems=("PO 4500012: the order is fulfilled, and cannot be cancelled.",),
    )  # fmt: skip
    return replace(digest, counted="1 refusal", part=2, parts=2, items=(item,))


VARIANTS = variants()


@pytest.mark.parametrize("name", VARIANTS)
def test_a_message_is_what_the_sample_shows(name: str) -> None:
    words = render(VARIANTS[name])
    made = {".txt": f"Subject: {words.subject}\n\n{words.text}", ".html": words.html}
    for suffix, text in made.items():
        kept = SAMPLES / f"{name}{suffix}"
        if os.environ.get("UPDATE_GOLDEN"):
            kept.parent.mkdir(parents=True, exist_ok=True)
            kept.write_text(text, encoding="utf-8")
        assert text == kept.read_text(encoding="utf-8"), f"{kept.name}: look at it, then UPDATE_GOLDEN=1"


def test_every_sample_belongs_to_a_message() -> None:
    assert {path.stem for path in SAMPLES.iterdir()} == set(VARIANTS)


def test_all_templates_are_checked_at_start_up() -> None:
    assert check_templates() == tuple(context.TEMPLATE for context in CONTEXTS)
    assert {path.name.split(".")[0] for path in TEMPLATES.glob("[a-z]*.j2")} == set(check_templates())


def _names_used(template: str, seen: set[str]) -> set[str]:
    """Every variable and attribute a template mentions, with those of the templates it brings in."""
    if template in seen:
        return set()
    seen.add(template)
    tree = _environment("body").parse((TEMPLATES / template).read_text(encoding="utf-8"))
    names = {node.name for node in tree.find_all(jinja2.nodes.Name)}
    names |= {node.attr for node in tree.find_all(jinja2.nodes.Getattr)}
    names |= {str(node.value) for node in tree.find_all(jinja2.nodes.Const)}  # row[field], amounts("ordered")
    for other in jinja2.meta.find_referenced_templates(tree):
        assert other is not None, f"{template} brings in a template by a computed name"
        names |= _names_used(other, seen)
    return names


@pytest.mark.parametrize("context", CONTEXTS)
@pytest.mark.parametrize("version", ["txt", "html"])
def test_both_versions_use_every_field(context: type[Context], version: str) -> None:
    used = _names_used(f"{context.TEMPLATE}.{version}.j2", set())
    used |= _names_used(f"{context.TEMPLATE}.words.j2", set())
    assert {field.name for field in fields(context)} - used == set()


@pytest.mark.parametrize("part", [NoticeLine, Party, Problem, Total, DigestItem])
def test_no_part_has_a_field_nobody_reads(part: type) -> None:
    used: set[str] = set()
    for context in CONTEXTS:
        for kind in ("words", "html"):
            used |= _names_used(f"{context.TEMPLATE}.{kind}.j2", set())
    assert {field.name for field in fields(part)} - used == set()


class _Page(HTMLParser):
    """Collects what a careful reader of the HTML would look for."""

    def __init__(self, html: str) -> None:
        super().__init__()
        self.tags: list[tuple[str, dict[str, str | None]]] = []
        self.open: list[str] = []
        self.feed(html)

    def handle_starttag(self, tag: str, attrs: list[tuple[str, str | None]]) -> None:
        self.tags.append((tag, dict(attrs)))
        if tag not in ("meta", "br"):
            self.open.append(tag)

    def handle_endtag(self, tag: str) -> None:
        assert self.open.pop() == tag


@pytest.mark.parametrize("name", VARIANTS)
def test_html_works_in_old_and_small_readers(name: str) -> None:
    html = render(VARIANTS[name]).html
    page = _Page(html)
    assert page.open == []
    assert {tag for tag, _ in page.tags} <= {
        "html", "head", "meta", "title", "body", "div", "table", "thead", "tbody", "tfoot", "tr", "td", "th",
        "p", "h1", "b", "br", "span", "a", "code",
    }  # fmt: skip
    for tag, attributes in page.tags:
        assert not {"src", "background", "class", "id"} & attributes.keys(), (
            f"<{tag}> loads or names something"
        )
        if tag == "th":
            assert attributes.get("scope"), "a header cell that does not say what it heads"
    sizes = {int(size) for size in re.findall(r"font-size:(\d+)px", html)} - {0}  # 0: the coloured bar
    assert min(sizes) >= 14
    assert not re.search(
        r"url\(|flex|grid|@import|https?://(?!www\.w3\.org/1999/xhtml|orders\.hub\.example/(password|orders|company))",
        html,
    )
    assert html.count("<!--[if mso]>") == html.count("<![endif]-->") == 3


@pytest.mark.parametrize("name", VARIANTS)
def test_text_stays_within_72_columns(name: str) -> None:
    words = render(VARIANTS[name])
    wide = [line for line in words.text.splitlines() if len(line) > 72]
    assert [line for line in wide if not line.startswith("https://")] == []  # a link is not broken
    assert "\n\n\n" not in words.text
    assert "\n" not in words.subject


@pytest.mark.parametrize(
    ("quantities", "words"),
    [
        ([("1", "EA")], "1 unit"),
        ([("60", "EA")], "60 units"),
        ([("12.50", "LB"), ("1", "CA")], "12.5 pounds and 1 case"),
        ([("3", "EA"), ("2", "CA"), ("1", "ZZ")], "3 units, 2 cases and 1 ZZ"),
        ([("2", "")], "2 units"),
        ([], ""),
    ],
)
def test_amounts_in_words(quantities: list[tuple[str, str]], words: str) -> None:
    assert amounts((Decimal(quantity), unit) for quantity, unit in quantities) == words


def test_one_unit_on_one_line_is_singular() -> None:
    order = OrderCancelled.example()
    line = replace(order.lines[0], ordered=Decimal(1), quantity=Decimal(1), cancelled=Decimal(1))
    words = render(replace(order, lines=(line,), totals=totals_of((line,)), lines_cancelled=1))
    assert "1 unit on 1 line:" in " ".join(words.text.split())
    assert words.subject == "Cancelled: PO 4500012, 1 unit - Acme Stores"


def test_the_first_sentence_says_it_all_and_finality_is_said_once() -> None:
    text = render(OrderCancelled.example()).text
    assert " ".join(text.split("\n\n")[0].split()) == (
        "Acme Stores cancelled the whole of PO 4500012, 60 units on 2 lines:"
        " do not pick, pack or ship any of it."
    )
    assert text.count("cannot be undone") == 1


def test_what_a_digest_tells_is_kept_exactly() -> None:
    refused = VARIANTS["digest-refusal-part"]
    assert isinstance(refused, Digest)
    for item in (*Digest.example().items, *refused.items):
        assert item_of(content_of(item)) == item


@pytest.mark.parametrize("context", CONTEXTS)
def test_a_notice_can_be_told_as_a_part_of_a_digest(context: type[Context]) -> None:
    said = phrases(context.example())
    text = " ".join(render(context.example()).text.split())
    assert said.headline
    assert all(" ".join(words.split()) in text for words in (said.lead, *said.advice))
    assert all(label in text and " ".join(value.split()) in text for label, value in said.facts)


def test_a_command_shown_is_safe_to_paste() -> None:
    rejected = VARIANTS["document_rejected-file"]
    assert isinstance(rejected, DocumentRejected)
    text = render(replace(rejected, file="a; rm -rf ~ #.edi")).text
    assert "countermand replay 'a; rm -rf ~ #.edi'" in text
