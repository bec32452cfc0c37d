"""A mailbox speaks only for its own partner: who writes under another's name has no effect and no answer."""

from dataclasses import dataclass
from datetime import timedelta
from pathlib import Path

import pytest

from pipeline.contents import html_of, text_of
from pipeline.partners import MailboxSettings
from pipeline.report import FileReport
from pipeline.settings import load
from storage import held, messages, order_lists, outbox, parked, queries
from storage.database import Database
from storage.messages import OutboxMessage
from storage.outcomes import Outcome
from storage.states import Fate, Kind
from tests.unit.edi.build import group, interchange, isa, transaction_set
from tests.unit.pipeline.house import House
from tests.unit.pipeline.ledger_files import (
    PARTIES,
    acknowledgment,
    cancellation,
    file_of,
    order,
    shipment,
    write_settings,
)

SUPPORT = "support@hub.example"
SECRET_ITEM = "VN*ACME-SECRET-9"


def mailbox(partner: str) -> MailboxSettings:
    """Somewhere to leave answers, so that none is missing for want of a place."""
    key = "ssh-ed25519 AAAAC3NzaC1lZDI1NTE5AAAAILmIifvHI0RyRrbtsnNixKMAs1Itfvsixr3b/lb4y/j/"
    return MailboxSettings(
        host="127.0.0.1", username=partner, key_file=Path("key"), host_keys=(key,),
        pickup=f"/{partner}/in", processed=f"/{partner}/done", rejected=f"/{partner}/bad",
        delivery=f"/{partner}/out",
    )  # fmt: skip


def house_in(folder: Path, policy: str = "") -> House:
    boxes = {partner: mailbox(partner) for partner in PARTIES}
    settings = load(write_settings(folder, mailboxes=boxes, policy=policy), {})
    return House(settings, Database(settings.database.url))


@dataclass(frozen=True)
class State:
    """All that a document can change."""

    orders: tuple[tuple[str, ...], ...]
    events: int
    waits: int
    owed: tuple[OutboxMessage, ...]


def state(house: House) -> State:
    with house.database.reading() as tx:
        orders = order_lists.list_orders(tx)
        views = [queries.get_order(tx, one.id) for one in orders]
        return State(
            orders=tuple((o.key.buyer, o.key.seller, o.key.po_number, o.status.value) for o in orders),
            events=sum(len(view.events) for view in views if view),
            waits=len(held.list_held(tx)) + len(parked.list_parked(tx)),
            owed=messages.list_messages(tx),
        )


@pytest.fixture(scope="module")
def house(tmp_path_factory: pytest.TempPathFactory, module_on_both_systems: None) -> House:
    """A hub with an order of acme at globex and one of bolt at initech."""
    made = house_in(tmp_path_factory.mktemp("hub"))
    secret = ["BEG*00*SA*PO-A**20260301", f"PO1*1*10*EA*1**{SECRET_ITEM}", "CTT*1"]
    made.say("850", secret, sender="acme", receiver="globex")
    made.say("850", order("PO-B", 10), sender="bolt", receiver="initech")
    return made


def written(
    document: list[str], *, kind: str = "850", functional_id: str = "PO", number: int = 900,
    isa_sender: str = "ACME", qualifier: str = "ZZ", gs_sender: str = "ACME",
    isa_receiver: str = "GLOBEX", gs_receiver: str = "GLOBEX",
) -> bytes:  # fmt: skip
    """An interchange with every address as it is given, byte for byte."""
    control = f"{number:09d}"
    header = isa(control_number=control, sender=isa_sender, receiver=isa_receiver)
    header = header.replace("*ZZ*" + f"{isa_sender:<15}", f"*{qualifier}*" + f"{isa_sender:<15}", 1)
    body = group(
        functional_id, transaction_set(kind, *document), control_number=str(number),
        sender=gs_sender, receiver=gs_receiver,
    )  # fmt: skip
    return interchange(body, control_number=control, header=header)


#: Who bolt's mailbox claims to be: acme itself, and names that a careless comparison takes for acme or bolt.
CLAIMS = {
    "another": {"isa_sender": "ACME", "gs_sender": "ACME"},
    "another in ISA only": {"isa_sender": "ACME", "gs_sender": "BOLT"},
    "another in GS only": {"isa_sender": "BOLT", "gs_sender": "ACME"},
    "the hub": {"isa_sender": "HUB", "gs_sender": "HUB"},
    "the hub in GS": {"isa_sender": "BOLT", "gs_sender": "HUB"},
    "the other side": {"isa_sender": "GLOBEX", "gs_sender": "GLOBEX"},
    "nobody": {"isa_sender": "", "gs_sender": "BOLT"},
    "no code": {"isa_sender": "BOLT", "gs_sender": ""},
    "lower case": {"isa_sender": "bolt", "gs_sender": "bolt"},
    "lower case in GS": {"isa_sender": "BOLT", "gs_sender": "bolt"},
    "blank before": {"isa_sender": " BOLT", "gs_sender": "BOLT"},
    "blank before in GS": {"isa_sender": "BOLT", "gs_sender": " BOLT"},
    "blank within": {"isa_sender": "BO LT", "gs_sender": "BOLT"},
    "tab": {"isa_sender": "BOLT\t", "gs_sender": "BOLT"},
    "tab in GS": {"isa_sender": "BOLT", "gs_sender": "BOLT\t"},
    "NUL": {"isa_sender": "BOLT\0", "gs_sender": "BOLT"},
    "NUL in GS": {"isa_sender": "BOLT", "gs_sender": "BOLT\0"},
    "NUL padding": {"isa_sender": "BOLT" + "\0" * 11, "gs_sender": "BOLT"},
    "no-break blank": {"isa_sender": "BOLT\xa0", "gs_sender": "BOLT"},
    "soft hyphen": {"isa_sender": "BO\xadLT", "gs_sender": "BOLT"},
    "look-alike": {"isa_sender": "B\xd8LT", "gs_sender": "BOLT"},
    "look-alike in GS": {"isa_sender": "BOLT", "gs_sender": "B\xd8LT"},
    "accent": {"isa_sender": "B\xd6LT", "gs_sender": "BOLT"},
    "utf-8": {"isa_sender": "B\u041eLT".encode().decode("latin-1"), "gs_sender": "BOLT"},
    "longer": {"isa_sender": "BOLTBOLT", "gs_sender": "BOLT"},
    "prefix": {"isa_sender": "BOL", "gs_sender": "BOLT"},
    "qualifier": {"isa_sender": "BOLT", "gs_sender": "BOLT", "qualifier": "01"},
    "qualifier in lower case": {"isa_sender": "BOLT", "gs_sender": "BOLT", "qualifier": "zz"},
    "blank qualifier": {"isa_sender": "BOLT", "gs_sender": "BOLT", "qualifier": "  "},
    "qualifier cut": {"isa_sender": "BOLT", "gs_sender": "BOLT", "qualifier": "Z "},
    "quote": {"isa_sender": "BOLT' OR '1'='", "gs_sender": "BOLT"},
    "comment": {"isa_sender": "BOLT'--", "gs_sender": "BOLT';--"},
    "wild card": {"isa_sender": "BOL%", "gs_sender": "BOL_"},
    "path": {"isa_sender": "../acme", "gs_sender": "../acme"},
    "template": {"isa_sender": "{{7-7}}", "gs_sender": "{{acme}}"},
}


@pytest.mark.parametrize("claim", CLAIMS)
def test_nobody_speaks_under_anothers_name(claim: str, house: House) -> None:
    before = state(house)
    content = written(cancellation("PO-A"), number=1000 + list(CLAIMS).index(claim), **CLAIMS[claim])
    report = house.drop(content, partner="bolt")
    (found,) = report.interchanges
    assert found.outcome in (Fate.QUARANTINED, Fate.FAULTY)
    assert report.is_unusable
    after = state(house)
    assert (after.orders, after.events, after.waits) == (before.orders, before.events, before.waits)
    check_is_told_to_support_only(house, before, after)


def check_is_told_to_support_only(house: House, before: State, after: State) -> None:
    """One e-mail to support, which shows nothing of an order; no answer in anybody's mailbox."""
    new = [message for message in after.owed if message not in before.owed]
    assert [(message.kind, message.to) for message in new] == [(Kind.EMAIL, SUPPORT)]
    for message in new:
        assert "ACME-SECRET-9" not in text_of(message) + html_of(message) + message.payload.decode("latin-1")


def test_its_own_name_is_taken_padded_or_not(tmp_path: Path, both_systems: None) -> None:
    house = house_in(tmp_path)
    for number, gs_sender in enumerate(("BOLT", "BOLT   ", "BOLT           "), start=1):
        content = written(
            order(f"PO-{number}", 1), number=number, isa_sender="BOLT", gs_sender=gs_sender,
            isa_receiver="INITECH", gs_receiver="INITECH",
        )  # fmt: skip
        assert house.drop(content, partner="bolt").outcome is Outcome.APPLIED


RECEIVERS = {
    "unknown": {"isa_receiver": "SOMEBODY", "gs_receiver": "SOMEBODY"},
    "itself": {"isa_receiver": "BOLT", "gs_receiver": "BOLT"},
    "another qualifier": {"isa_receiver": "INITECH\0", "gs_receiver": "INITECH"},
    "lower case": {"isa_receiver": "initech", "gs_receiver": "initech"},
    "the group for another": {"isa_receiver": "INITECH", "gs_receiver": "GLOBEX"},
    "the group for a buyer": {"isa_receiver": "INITECH", "gs_receiver": "ACME"},
}


@pytest.mark.parametrize("case", RECEIVERS)
def test_what_is_addressed_to_nobody_or_to_two_is_told_to_its_sender_only(case: str, house: House) -> None:
    before = state(house)
    number = 2000 + list(RECEIVERS).index(case)
    content = written(
        cancellation("PO-B"), number=number, isa_sender="BOLT", gs_sender="BOLT", **RECEIVERS[case]
    )  # fmt: skip
    assert house.drop(content, partner="bolt").interchanges[0].outcome is Fate.QUARANTINED
    after = state(house)
    assert (after.orders, after.events, after.waits) == (before.orders, before.events, before.waits)
    new = [message for message in after.owed if message not in before.owed]
    assert sorted((message.set_type, message.to) for message in new) == [("", SUPPORT), ("TA1", "bolt")]


def test_a_group_for_oneself_names_nobody(house: House) -> None:
    """The interchange is for the hub, and GS03 names its own sender: the order is not with itself."""
    names = {"isa_sender": "BOLT", "gs_sender": "BOLT", "isa_receiver": "HUB", "gs_receiver": "BOLT"}
    report = house.drop(written(cancellation("PO-B"), number=2100, **names), partner="bolt")
    assert report.outcome is Outcome.APPLIED  # the one order bolt has under that number
    with house.database.reading() as tx:
        assert {found.key.seller for found in order_lists.list_orders(tx, partner="bolt")} == {"initech"}


THIRD = [
    ("bolt", "acme", "850", cancellation("PO-A")),
    ("bolt", "globex", "850", cancellation("PO-A")),
    ("bolt", "globex", "860", ["BCH*01*SA*PO-A***20260301"]),
    ("bolt", "globex", "860", ["BCH*04*SA*PO-A***20260301", f"POC*1*DI*0**EA*9**{SECRET_ITEM}"]),
    ("initech", "acme", "855", acknowledgment("PO-A", verdict="RD")),
    ("initech", "acme", "855", ["BAK*00*RJ*PO-A*20260302"]),
    ("initech", "acme", "865", ["BCA*01*AC*PO-A***20260302"]),
    ("initech", "acme", "856", shipment("S-X", "PO-A", 5)),
    ("initech", "globex", "856", shipment("S-Y", "PO-A", 5)),
    ("acme", "globex", "856", shipment("S-Z", "PO-A", 5)),
    ("acme", "globex", "855", ["BAK*00*RJ*PO-A*20260302"]),
    ("globex", "acme", "850", cancellation("PO-A")),
    ("globex", "acme", "860", ["BCH*01*SA*PO-A***20260301"]),
    ("bolt", "HUB", "850", cancellation("PO-A")),
    ("initech", "HUB", "856", shipment("S-W", "PO-A", 5)),
]  # fmt: skip


@pytest.mark.parametrize(
    ("sender", "receiver", "kind", "document"),
    THIRD,
    ids=[f"{one[0]}-{one[2]}-{n}" for n, one in enumerate(THIRD)],
)
def test_a_third_party_or_the_wrong_side_changes_nothing_and_learns_nothing(
    sender: str, receiver: str, kind: str, document: list[str], house: House
) -> None:
    before = state(house)
    house.numbers += 1
    content = file_of(kind, document, number=3000 + house.numbers, sender=sender, receiver=receiver)
    report = house.drop(content, partner=sender)
    assert Outcome.APPLIED not in {one.outcome for one in report.all_sets}
    after = state(house)
    assert after.orders == before.orders
    assert after.events == before.events
    for message in after.owed:
        if message in before.owed:
            continue
        address = f"desk@{sender}.example"
        assert message.to in (sender, address, SUPPORT)  # and to neither side of the order
        said = text_of(message) + html_of(message) + message.payload.decode("latin-1")
        if sender not in ("acme", "globex"):
            assert "10 units" not in said
            assert "ACME-SECRET-9" not in said.replace(
                SECRET_ITEM if SECRET_ITEM in "".join(document) else "\0", ""
            )


# --- replays ------------------------------------------------------------------------------------------------


def drop(house: House, content: bytes, name: str) -> FileReport:
    return house.drop(content, partner="acme", name=name)


def test_the_same_bytes_again_are_answered_alike_and_do_nothing(tmp_path: Path, both_systems: None) -> None:
    house = house_in(tmp_path)
    content = file_of("850", order("PO-1", 5), number=7, sender="acme", receiver="globex")
    assert drop(house, content, "a.edi").outcome is Outcome.APPLIED
    first = state(house)
    for number, name in enumerate(("a.edi", "b.edi", "c.edi", "d.edi")):
        if number == 0:  # sent once, so that it may be sent again
            with house.database.writing() as tx:
                (answer,) = messages.list_messages(tx, kind=Kind.ACKNOWLEDGMENT)
                claimed = outbox.claim(tx, answer)
                assert claimed is not None
                outbox.mark_sent(tx, claimed, house.now)
        assert drop(house, content, name).outcome is Outcome.DUPLICATE
    after = state(house)
    assert (after.orders, after.events, after.waits) == (first.orders, first.events, first.waits)
    answers = [message for message in after.owed if message.kind is Kind.ACKNOWLEDGMENT]
    assert len({(message.payload, message.identity) for message in answers}) == 1
    assert len([message for message in after.owed if message.kind is Kind.EMAIL]) == 0


def test_a_number_with_other_bytes_is_a_conflict_and_changes_nothing(
    tmp_path: Path, both_systems: None
) -> None:
    house = house_in(tmp_path)
    drop(house, file_of("850", order("PO-1", 5), number=7, sender="acme", receiver="globex"), "a.edi")
    before = state(house)
    for document in (cancellation("PO-1"), order("PO-1", 4), order("PO-2", 5)):
        content = file_of("850", document, number=7, sender="acme", receiver="globex")
        assert drop(house, content, "a.edi").interchanges[0].outcome is Fate.CONFLICT
    after = state(house)
    assert (after.orders, after.events, after.waits) == (before.orders, before.events, before.waits)
    new = [message for message in after.owed if message not in before.owed]
    assert {message.to for message in new} == {SUPPORT, "acme"}
    assert {message.set_type for message in new if message.to == "acme"} == {"TA1"}


def test_a_number_begins_anew_only_where_it_was_agreed_and_only_after_that_time(
    tmp_path: Path, both_systems: None
) -> None:
    other = file_of("850", order("PO-2", 5), number=1, sender="acme", receiver="globex")
    first = file_of("850", order("PO-1", 5), number=1, sender="acme", receiver="globex")
    for days, policy, waited, fate in (
        (1, "", 4000, Fate.CONFLICT),
        (2, "isa13_reset_days = 30", 29, Fate.CONFLICT),
        (3, "isa13_reset_days = 30", 31, Fate.ACCEPTED),
    ):
        folder = tmp_path / str(days)
        folder.mkdir()
        house = house_in(folder, policy)
        drop(house, first, "a.edi")
        house.now += timedelta(days=waited)
        assert drop(house, other, "b.edi").interchanges[0].outcome is fate
        assert drop(house, first, "c.edi").outcome is Outcome.DUPLICATE  # however long ago it came


def test_two_partners_may_use_one_number(tmp_path: Path) -> None:
    house = house_in(tmp_path)
    for sender, po_number in (("acme", "PO-1"), ("bolt", "PO-1")):
        content = file_of("850", order(po_number, 5), number=1, sender=sender, receiver="globex")
        assert house.drop(content, partner=sender).outcome is Outcome.APPLIED
