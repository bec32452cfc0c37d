"""Redact: nothing that names anybody is left, and the file still says and lacks the same."""

import pytest

from edi import envelope, guide, read_850, read_856
from edi.redact import redact
from tests.unit.edi.build import HOSTILE, STAR, STAR_5010, group, interchange, one_set, transaction_set

SECRETS = (
    "ACMEBUYER",
    "SECRETHUB",
    "GSBUYER",
    "GSHUB",
    "PO-77123",
    "JANE DOE",
    "5550100",
    "WAREHOUSE NINE",
    "12 OAK ROAD",
    "SPRINGFIELD",
    "62701",
    "*IL*",
    "012345678905",
    "W-9981",
    "PURPLE GADGET",
    "S0042",
    "CALL BEFORE 9",
)
ORDER = (
    "BEG*00*SA*PO-77123**20260301",
    "REF*DP*0913*TEXT*DP>0913",
    "PER*BD*JANE DOE*TE*5550100",
    "N9*L1*NOTES",
    "MSG*CALL BEFORE 9",
    "N1*ST*WAREHOUSE NINE*92*S0042",
    "N3*12 OAK ROAD",
    "N4*SPRINGFIELD*IL*62701*US",
    "PO1*0001*10*EA*5.25**UP*012345678905*VN*W-9981",
    "PID*F****PURPLE GADGET",
    "SDQ*EA*92*S0042*4*S0043*6",
    "SLN*1**I*2*EA>1>.5*3.5",
    "PO1*0002*4*EA*7**UP*999999999999",
    "CTT*2*14",
)


def order(**options: object) -> bytes:
    names = {"sender": "ACMEBUYER", "receiver": "SECRETHUB", **options}
    one = group("PO", transaction_set("850", *ORDER), sender="GSBUYER", receiver="GSHUB")
    return interchange(one, **names)  # type: ignore[arg-type]


@pytest.mark.parametrize("newline", ["", "\r\n"])
@pytest.mark.parametrize("delimiters", [STAR, STAR_5010, *HOSTILE])
def test_no_name_is_left_and_the_order_says_the_same(delimiters: object, newline: str) -> None:
    before = order(delimiters=delimiters, newline=newline)
    after = redact(before)
    assert len(after) == len(before)
    text = after.decode("latin-1").replace(delimiters.element, "*")  # type: ignore[attr-defined]
    assert [secret for secret in SECRETS if secret in text] == []
    (one,) = envelope.read(after).interchanges
    (found,) = one.groups[0].sets
    assert (one.findings, one.groups[0].findings, found.findings, guide.check(found, "004010")) == (
        (),
        (),
        (),
        (),
    )
    document, findings = read_850.read(found)
    assert document is not None
    assert findings == ()
    assert [(line.number, line.quantity, line.unit, line.price) for line in document.lines] == [
        (line.number, line.quantity, line.unit, line.price)
        for line in read_850.read(original(before))[0].lines  # type: ignore[union-attr]
    ]
    assert document.lines[1].ids[0].id == "999999999999"  # a filler names nothing
    assert [store.quantity for store in document.lines[0].stores] == [4, 6]
    assert document.lines[0].stores[0].location == document.parties[0].id  # one store, one stand-in


def original(data: bytes) -> envelope.TransactionSet:
    return envelope.read(data).interchanges[0].groups[0].sets[0]


def test_shapes_zeros_and_codes_stay() -> None:
    after = redact(order()).decode().split("~")
    assert [segment for segment in after if segment.startswith(("ST", "SE", "GE", "IEA", "CTT", "SLN"))] == [
        "ST*850*0001", "SLN*1**I*2*EA>1>.5*3.5", "CTT*2*14", "SE*16*0001", "GE*1*1", "IEA*1*000000001",
    ]  # fmt: skip
    (beg,) = [segment.split("*") for segment in after if segment.startswith("BEG")]
    assert (beg[:3], beg[4:]) == (["BEG", "00", "SA"], ["", "20260301"])
    assert (beg[3][2], beg[3][:2].isupper(), beg[3][3:].isdigit()) == ("-", True, True)
    (po1,) = [segment.split("*") for segment in after if segment.startswith("PO1*0001")]
    assert (po1[6], po1[7][0], po1[8]) == ("UP", "0", "VN")


def test_the_same_file_gives_the_same_stand_ins_and_order_and_answer_stay_together() -> None:
    answer = transaction_set("855", "BAK*00*AC*PO-77123*20260301", "PO1*1*10*EA", "ACK*IR*10*EA")
    both = order() + interchange(group("PR", answer), control_number="000000002")
    assert redact(both) == redact(both)
    text = redact(both).decode()
    assert text.split("BEG*00*SA*")[1][:8] == text.split("BAK*00*AC*")[1][:8] != "PO-77123"


def test_faults_stay_faults() -> None:
    broken = order().replace(b"*10*EA*5.25", b"*1O*EACH*5.25").replace(b"SE*16*", b"SE*99*")
    codes = [
        [finding.code for finding in guide.check(original(data), "004010")]
        for data in (broken, redact(broken))
    ]
    assert codes[0] == codes[1] != []
    assert original(redact(broken)).findings[0].code is original(broken).findings[0].code


def test_what_stands_outside_is_text_too() -> None:
    after = redact(b"FROM: JANE DOE <jane@acme.example>\r\n" + order() + b"\r\nBYE JANE DOE")
    assert b"JANE" not in after
    assert b"acme" not in after
    assert envelope.read(after).interchanges[0].offset == 36


def test_foreign_letters_do_not_stay() -> None:
    after = redact(order().replace(b"PURPLE GADGET", "\u7d2b\u8272 GADGET".encode()))
    assert "\u7d2b".encode() not in after


def test_a_set_without_a_map_keeps_only_short_codes() -> None:
    change = transaction_set("860", "BCH*01*SA*PO-77123***20260301", "POC*1*DI*10**EA")
    after = redact(interchange(group("PC", change))).decode()
    assert "BCH*01*SA*" in after
    assert "PO-77123" not in after
    assert "POC*" in after


def test_trees_keep_their_pointers() -> None:
    notice = one_set(
        "856",
        "BSN*00*SHIP-1*20260303*1200",
        "HL*1**S",
        "HL*20*1*O",
        "PRF*PO-1",
        "HL*300*20*I",
        "LIN*1*UP*0123",
        "SN1**8*EA",
    )
    data = interchange(group("SH", list(notice.segments)))
    document, findings = read_856.read(original(redact(data)))
    assert findings == ()
    assert document is not None
    assert document.orders[0].items[0].quantity == 8


def test_what_cannot_be_split_is_scrambled_whole() -> None:
    data = order(delimiters=STAR).replace(b"*P*>~", b"*P**~")
    after = redact(data)
    assert len(after) == len(data)
    assert [secret for secret in SECRETS if len(secret) > 4 and secret.encode() in after] == []


@pytest.mark.parametrize("data", [b"", b"ISA", b"\x00\xff" * 50, b"ISA*" * 30])
def test_no_bytes_raise(data: bytes) -> None:
    assert len(redact(data)) == len(data)
