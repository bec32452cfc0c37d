"""Hostile text in every element of every document, from bytes to the outbox: each mail is what was meant."""

import re
from collections.abc import Iterator
from dataclasses import fields, is_dataclass, replace
from email import message_from_bytes
from email.utils import parseaddr
from html.parser import HTMLParser
from pathlib import Path
from typing import Any

import pytest
from jinja2 import DictLoader

from edi.delimiters import Delimiters
from pipeline.contents import html_of, text_of
from pipeline.mail import UnwritableMessage, compose, message, render
from pipeline.mail.message import HEADERS, RENDERED_CHARS_MAX, SUBJECT_LENGTH_MAX
from pipeline.notices import CONTEXTS
from pipeline.notices.contexts import LINES_MAX, Context, Notice, OrderCancelled
from pipeline.notices.digest import DigestItem
from pipeline.telling.digests import ITEMS_MAX
from storage.messages import OutboxMessage
from storage.outcomes import Outcome
from storage.states import Kind
from tests.security.hostile_texts import FOR_MAIL
from tests.unit.edi.build import isa
from tests.unit.pipeline.house import House, house_with
from tests.unit.pipeline.ledger_files import ITEM, file_of, order

MARKS = Delimiters(element="\x1d", component="\x1f", terminator="\x1c")
SETS_PER_FILE = 12  # a mail about a file shows twenty problems
KNOWN = {"support@hub.example"} | {f"desk@{one}.example" for one in ("acme", "bolt", "globex", "initech")}

#: One document of each type that says as much as it can; PONUM is the order's number.
DOCUMENTS = {
    "850": ("acme", "PO", ["BEG*01*SA*PONUM**20260302*CON*AC", "REF*DP*42*WORDS", "N9*L1*ABC*WORDS",
                           "MSG*WORDS", "N1*ST*A STORE*92*0042",
                           f"PO1*1*1*EA*5**{ITEM}*VN*W1", "PID*F****WIDGET"]),
    "860": ("acme", "PC", ["BCH*04*SA*PONUM**1*20260301*****20260302", "N1*ST*A STORE*92*0042",
                           f"POC*1*QD*4**EA*5**{ITEM}*VN*W1", "PID*F****WIDGET", "CTT*1"]),
    "855": ("globex", "PR", ["BAK*00*AC*PONUM*20260301", "REF*IA*7*WORDS", "N1*SE*A SELLER*92*0042",
                             f"PO1*1*5*EA*5**{ITEM}*VN*W1", "ACK*IR*5*EA*068*20260303*REQ*VN*W1", "CTT*1"]),
    "865": ("globex", "CA", ["BCA*01*AC*PONUM***20260301*****20260302", "N1*SE*A SELLER*92*0042"]),
    "856": ("globex", "SH", ["BSN*00*S-PONUM*20260303*1200", "HL*1**S", "TD5**2*UPSN*M*GROUND", "REF*BM*42",
                             "HL*2*1*O", "PRF*PONUM***20260301", "HL*3*2*I", f"LIN*1*{ITEM}", "SN1*1*99*EA"]),
    "870": ("globex", "RS", ["BSR*3*PA*R-PONUM*20260303", "HL*1**O", "PRF*PONUM***20260301", "HL*2*1*I",
                             f"PO1*1*5*EA*5**{ITEM}", "ISR*IC*20260303"]),
    "824": ("globex", "AG", ["BGN*11*R1*20260303", "OTI*TR*TN*R1*****1*0001*860", "TED*024*WORDS"]),
    "997": ("globex", "FA", ["AK1*PC*1", "AK2*860*0001", "AK3*POC*3**8", "AK4*2*670*7*WORDS", "AK5*R*5",
                             "AK9*R*1*1*0"]),
}  # fmt: skip
OTHER = {"acme": ("GLOBEX", "ACME"), "globex": ("ACME", "GLOBEX")}


def variants(kind: str) -> Iterator[tuple[list[str], ...]]:
    """The document's segments with the hostile texts in one element each: which texts takes turns."""
    _, _, segments = DOCUMENTS[kind]
    turn = 0
    for place, segment in enumerate(segments):
        for number in range(1, segment.count("*") + 1):
            elements = [one.split("*") for one in segments]
            elements[place][number] = FOR_MAIL[turn % len(FOR_MAIL)]
            turn += 1
            yield tuple(elements)


def file_with(kind: str, sets: list[tuple[list[str], ...]], number: int, **ids: str) -> bytes:
    """One interchange in delimiters that no text of the corpus holds."""
    sender, functional_id, _ = DOCUMENTS[kind]
    receiver, name = OTHER[sender]
    said = {"sender": name, "receiver": receiver, "gs": name, "to": receiver, "group": str(number)} | ids
    rows = [["GS", functional_id, said["gs"], said["to"], "20260301", "1200", said["group"], "X", "004010"]]
    for place, segments in enumerate(sets, start=1):
        body = [[text.replace("PONUM", f"P{number}x{place}") for text in one] for one in segments]
        control = ids.get("set", f"{place:04d}")
        rows += [["ST", kind, control], *body, ["SE", str(len(body) + 2), control]]
    rows += [["GE", str(len(sets)), said["group"]], ["IEA", "1", f"{number:09d}"]]
    head = isa(MARKS, control_number=f"{number:09d}", sender=said["sender"], receiver=said["receiver"])
    text = head + "".join(MARKS.element.join(row) + MARKS.terminator for row in rows)
    return text.encode("latin-1")


@pytest.fixture(scope="module")
def house(tmp_path_factory: pytest.TempPathFactory) -> House:
    return house_with(tmp_path_factory.mktemp("hub"), 'answer_refusal = "824"')


class _Tags(HTMLParser):
    def __init__(self, html: str) -> None:
        super().__init__()
        self.seen: set[str] = set()
        self.attributes: set[str] = set()
        self.links: set[str] = set()
        self.feed(html)

    def handle_starttag(self, tag: str, attrs: list[tuple[str, str | None]]) -> None:
        self.seen.add(tag)
        self.attributes |= {name for name, _ in attrs}
        self.links |= {
            value or "" for name, value in attrs if name in ("href", "src", "action", "background")
        }


USUAL = [_Tags(render(kind.example()).html) for kind in CONTEXTS]
TAGS = set().union(*(one.seen for one in USUAL)) | {"span", "br", "b"}
ATTRIBUTES = set().union(*(one.attributes for one in USUAL))


def check_mail(mail: OutboxMessage) -> None:
    """Its headers are those we write, it goes where it should, and it runs nothing."""
    assert mail.error == ""
    assert mail.to in KNOWN
    head, _, body = mail.payload.partition(b"\r\n\r\n")
    names = [
        line.partition(b":")[0].decode() for line in re.split(rb"\r\n(?![ \t])|\r(?!\n)|(?<!\r)\n", head)
    ]
    assert sorted(names) == sorted(HEADERS)
    read = message_from_bytes(mail.payload)
    assert sorted(read.keys()) == sorted(HEADERS)
    assert [parseaddr(str(to))[1] for to in read.get_all("To", [])] == [mail.to]
    assert len(mail.subject) <= SUBJECT_LENGTH_MAX
    assert "=?" not in mail.subject
    assert mail.payload.isascii()
    assert body.count(b"Content-Type:") == 2
    shown = text_of(mail) + html_of(mail)
    assert not re.search("[\x00-\x08\x0b-\x1f\x7f-\x9f\u2028\u2029]", shown)
    assert "Z49Z" not in shown  # {{7*7}} was computed
    assert "<class" not in shown
    assert "&lt;class" not in shown
    assert len(mail.payload) < 1_000_000  # and 'a'*10**8 was not
    tags = _Tags(html_of(mail))
    assert tags.seen <= TAGS
    assert tags.attributes <= ATTRIBUTES
    assert tags.links == {"mailto:support%40hub.example"}


def check_new_mails(house: House, before: int) -> int:
    mails = house.messages(Kind.EMAIL)
    for mail in mails[before:]:
        check_mail(mail)
    return len(mails) - before


@pytest.mark.parametrize("kind", DOCUMENTS)
def test_no_element_of_a_document_changes_a_mail(kind: str, house: House) -> None:
    before = len(house.mails())
    reports = []
    every = list(variants(kind))
    for start in range(0, len(every), SETS_PER_FILE):
        some = every[start : start + SETS_PER_FILE]
        house.numbers += 1
        number = house.numbers
        placed = [order(f"P{number}x{place}", 5) for place in range(1, len(some) + 1)]
        house.drop(file_of("850", *placed, number=50_000 + number, sender="acme", receiver="globex"))
        reports.append(house.drop(file_with(kind, some, number)))
    assert check_new_mails(house, before) >= len(reports)
    outcomes = {one.outcome for report in reports for one in report.all_sets}
    assert Outcome.FAULTY in outcomes
    assert outcomes & {Outcome.APPLIED, Outcome.REFUSED, Outcome.PARKED, Outcome.IGNORED}


@pytest.mark.parametrize("text", FOR_MAIL, ids=ascii)
def test_no_number_id_or_file_name_changes_a_mail(text: str, house: House) -> None:
    before = len(house.mails())
    document = tuple(one.split("*") for one in DOCUMENTS["850"][2])
    places = ("sender", "receiver", "gs", "to", "group", "set")
    for place in places:
        house.numbers += 1
        cut = text[:15] if place in ("sender", "receiver") else text
        house.drop(file_with("850", [document], house.numbers, **{place: cut}), name=f"{text}.edi")
    house.drop(text.encode("latin-1"), name=text)
    assert check_new_mails(house, before) >= len(places) - 2  # an unknown GS03 or an odd ST02 is no fault


@pytest.mark.parametrize("text", FOR_MAIL, ids=ascii)
def test_an_order_may_be_called_anything_and_its_cancellation_is_told(text: str, house: House) -> None:
    before = len(house.mails())
    name = text[:22]
    placed, cancelled = (
        tuple(
            one.replace("PONUM", name).replace("BEG*01", f"BEG*{purpose}").split("*")
            for one in DOCUMENTS["850"][2]
        )
        for purpose in ("00", "01")
    )
    house.numbers += 2
    house.drop(file_with("850", [placed], house.numbers - 1))
    house.drop(file_with("850", [cancelled], house.numbers), name=f"{text}.edi")
    assert check_new_mails(house, before) >= 1


IDS_MAX = 10  # of one PO1 or LIN


# --- the size of what is written ----------------------------------------------------------------------------


def longest(value: Any, text: str) -> Any:
    """A copy of a context with every text at its longest and every list at its end."""
    if isinstance(value, str):
        return text
    if isinstance(value, tuple) and value:
        if isinstance(value[0], str):  # the ids of a line
            return (text,) * IDS_MAX
        if isinstance(value[0], DigestItem):  # whose lines and problems are counted together
            full = longest(replace(value[0], problems=()), text)
            return (full, *(replace(full, lines=(), totals=()),) * (ITEMS_MAX - 1))
        pair = isinstance(value[0], tuple)  # a choice and what it does
        return ((text,) * len(value[0]) if pair else longest(value[0], text),) * LINES_MAX
    if is_dataclass(value) and not isinstance(value, type):
        names = [field.name for field in fields(value) if field.name != "support"]
        return replace(value, **{name: longest(getattr(value, name), text) for name in names})
    return value


@pytest.mark.parametrize("kind", CONTEXTS, ids=[kind.TEMPLATE for kind in CONTEXTS])
def test_the_longest_that_can_be_said_is_within_the_limit(kind: type[Context]) -> None:
    said = render(longest(kind.example(), "'" * 100))
    assert 1000 < len(said.html) < RENDERED_CHARS_MAX
    assert len(said.text) < RENDERED_CHARS_MAX


@pytest.mark.parametrize(("size", "fits"), [(RENDERED_CHARS_MAX, True), (RENDERED_CHARS_MAX + 1, False)])
def test_a_template_that_goes_on_and_on_is_ended(
    size: int, fits: bool, monkeypatch: pytest.MonkeyPatch
) -> None:
    loop = (
        "{% for n in range(" + str(size // 1000) + ") %}" + "x" * 1000 + "{% endfor %}" + "y" * (size % 1000)
    )
    names = {f"order_cancelled.{kind}.j2": loop for kind in ("txt", "html")}
    loader = DictLoader(names | {"order_cancelled.subject.j2": "s", "order_cancelled.words.j2": ""})
    message._environment.cache_clear()
    monkeypatch.setattr(message, "PackageLoader", lambda *_: loader)
    context = OrderCancelled.example()
    notice = Notice(template=context.TEMPLATE, context=context, to="desk@bolt.example", dedupe_key="1")
    try:
        if fits:
            assert len(render(context).text) == size + 1
        else:
            with pytest.raises(UnwritableMessage, match="more than 2000000 characters"):
                compose(notice, sender="hub@hub.example", message_id="<1@hub.example>", at=context.at)
    finally:
        message._environment.cache_clear()


def test_templates_come_from_the_program_only() -> None:
    """Partners' texts are values: nothing in the product makes a template of a text."""
    product = Path(__file__).resolve().parents[2] / "pipeline"
    makers = re.compile(
        r"from_string|Template\(|FileSystemLoader|DictLoader|\|\s*safe|Markup\((?!['\"])|render_template"
    )
    named = [path.name for path in product.rglob("*.py") if makers.search(path.read_text(encoding="utf-8"))]
    assert named == []
    folder = product.parent / "templates"
    unsafe = re.compile(r"\|\s*safe|autoescape|\{%-?\s*(include|import|extends)\s+[^\"'\s]")
    assert [
        path.name for path in folder.rglob("*.j2") if unsafe.search(path.read_text(encoding="utf-8"))
    ] == []
