"""The little language of tables/*.table: what a statement asks of the ledger. How it reads is in test_tables.

buyer changes  PO-1  1: down to 60; 2: deleted; 3: up by 5; 4: down from 100 to 60; 5: set at 100 minus 40
buyer restates PO-1  1: 60 EA; 3: 5 EA                   every line of the order as it is to be
buyer cuts     PO-1  1: 40; 2: all; 3: to 60             so many units, all that are open, or all but so many
buyer cancels  PO-1  asking                              asks the seller for it
buyer cuts     PO-1  asking until hour 48  1: 40         asks, and the seller may answer until then
nobody answered PO-1 at hour 48                          that time is over
seller agrees  PO-1  1: refused 20                       answers what was asked for
seller answers PO-1  1: of 60 accepted; 1: of 40 rejected    says of how many units each answer is
seller ships   PO-1  S-1  flagging 10%  1: 105           with the policies that apply
"""

import re
from datetime import timedelta
from decimal import Decimal

from storage import commands as say
from storage.commands import LapseRequest
from storage.orders import ItemId
from storage.outcomes import Choice, Given
from tests.unit.storage.build import AT, BUYER, SELLER

PARTIES = {"buyer": BUYER, "seller": SELLER, "stranger": "zorro", "nobody": SELLER, "other-buyer": "zeta"}
GTINS = ("UP", "EN", "UK")
WEAK = ("BO", "IZ")  # colour and size prove nothing
FILLER = re.compile(r"(.)\1{5,}")
DOCUMENTS = {
    "places": "850", "copies": "850", "restates": "850", "ships": "856", "withdraws": "856",
    "answers": "855", "agrees": "865", "refuses": "865",
}  # fmt: skip
ANSWERS = {
    "accepted": say.Answer.ACCEPTED,
    "changed": say.Answer.QUANTITY_CHANGED,
    "backordered": say.Answer.BACKORDERED,
    "on-hold": say.Answer.ON_HOLD,
    "rejected": say.Answer.REJECTED,
    "kept": say.Answer.KEPT,
    "partly": say.Answer.PARTLY,
}
CHANGES = {
    "down": (say.Change.DECREASE, "QD"),
    "up": (say.Change.INCREASE, "QI"),
    "set": (say.Change.SET, "CA"),
    "deleted": (say.Change.CANCEL, "DI"),
    "noted": (say.Change.NOTE, "PC"),
    "confirmed": (say.Change.CONFIRM, "NC"),
    "refused": (say.Change.REFUSE, "RC"),
}
READINGS = {
    "to": say.QuantityReading.NEW_TOTAL,
    "by": say.QuantityReading.DELTA,
    "from": say.QuantityReading.OLD_NEW,
    "at": say.QuantityReading.COMPOSITE,
}

STATEMENT = re.compile(
    r"(?P<who>\S+)\s+(?P<verb>places|copies|cancels|cuts|changes|restates|answers|agrees|refuses|ships|withdraws"
    r"|sends|answered)\s+(?P<po>\S+)(?P<rest>.*)"
)
LINE = re.compile(r"(?:^|\s)\S+:(?=\s|$)")
PLACED = re.compile(
    r"(?P<quantity>\?|-?[\d.]+)(?: (?P<unit>[A-Z]{2}))?(?P<weight> by weight)?"
    r"(?: packed (?P<pack>\w+) of (?P<size>\d+))?(?: stores (?P<stores>[\d. ]+))?"
)
SAID_OF = re.compile(r"of (?P<quantity>-?[\d.]+)(?: (?P<unit>[A-Z]{2}))?(?: (?P<answers>.*))?")
AMOUNT = re.compile(r"(?P<quantity>-?[\d.]+)(?: (?P<unit>[A-Z]{2}))?")
CHANGED = re.compile(
    r"(?P<word>down|up|set|deleted|noted|confirmed|refused)(?: (?P<how>to|by|from|at))?"
    r"(?: (?P<first>-?[\d.]+|\?)(?: (?P<unit>[A-Z]{2}))?)?(?: (?:left|to) (?P<second>-?[\d.]+))?"
    r"(?: plus (?P<plus>[\d.]+))?(?: minus (?P<minus>[\d.]+))?(?: is (?P<revised>[\d.]+))?"
    r"(?: stores (?P<stores>[\d. ]+))?(?: saying (?P<answers>.*))?"
)
FLAGS = {
    "document": r"as (\S+)",
    "choice": r"/ (\S+)",
    "hand": r"(by hand)",
    "nobody": r"(naming no buyer)",
    "release": r"release (\S+)",
    "file": r"from (\S+)",
    "type": r"on an (\d+)",
    "until": r"until hour (\d+)",
    "now": r"at hour (\d+)",
    "asking": r"(asking)",
    "part": r"(all or nothing)",
    "sequence": r"number (\S+)",
    "hours": r"issued at (\d+)",
    "unsure": r"(perhaps)",
    "over": r"flagging ([\d.]+)%",
    "close": r"closing (lines|order)",
    "short": r"(short is declined)",
    "backorder": r"(backorders are declined)",
}


def command(statement: str) -> tuple[say.Command, str]:
    """What a statement asks of the ledger, and the key of the document it stands in."""
    found = matched(STATEMENT, statement)
    verb = found["verb"]
    before, first, lines = _split(found["rest"])
    flags: dict[str, str] = {}
    for name, pattern in FLAGS.items():
        before, lines, flags[name] = _flag(before, lines, pattern)
    buyer = PARTIES[found["who"]] if found["who"] == "other-buyer" else BUYER
    kind = flags["type"] or DOCUMENTS.get(verb, "865" if found["who"] == "seller" else "860")
    # every statement is a file of its own, unless it says which
    file = flags["file"] or re.sub(r"\W+", "-", statement)
    common = {
        "order": say.Locator(
            buyer="" if flags["nobody"] else buyer,
            seller=SELLER,
            po_number=found["po"],
            release=flags["release"],
        ),
        "by": PARTIES[found["who"]],
        "at": AT + timedelta(hours=int(flags["now"] or 0)),
        "answer_by": AT + timedelta(hours=int(flags["until"])) if flags["until"] else None,
        "source": say.Source(actor="staff")
        if flags["hand"] or verb == "answered"
        else say.Source(file=file, interchange="1", type=kind),
        "answers": tuple(Given(choice=name) for name in filter(None, flags["choice"].split(","))),
    }
    header = before.strip()
    document = header if verb == "ships" else flags["document"]
    return _said(verb, header, _lines(first + lines), flags, common), document


def _split(rest: str) -> tuple[str, str, str]:
    """The words before the first line, its name, and the words from there on."""
    first = LINE.search(rest)
    return (rest[: first.start()], first[0], rest[first.end() :]) if first else (rest, "", "")


def _flag(before: str, lines: str, pattern: str) -> tuple[str, str, str]:
    """The words without the flag, and what the flag says ("" when it is not there)."""
    if found := re.search(rf"\s{pattern}(?=\s|$)", before):
        return before[: found.start()] + before[found.end() :], lines, found[1]
    if found := re.search(rf"\s{pattern}\s*$", lines):
        return before, lines[: found.start()], found[1]
    return before, lines, ""


def _lines(said: str) -> list[tuple[say.LineReference, str]]:
    """The lines named: 1: 40; 2+UP=0123: all."""
    parts = (part.strip().partition(":")[::2] for part in said.split(";") if said)
    return [(_reference(ref), body.strip()) for ref, body in parts]


def _reference(ref: str) -> say.LineReference:
    parts = ref.split("+")
    ids = tuple(_item(*part.split("=")) for part in parts if "=" in part)
    return say.LineReference(number="" if "=" in parts[0] or ref == "-" else parts[0], ids=ids)


def _item(qualifier: str, item: str) -> ItemId:
    if FILLER.fullmatch(item) or qualifier in WEAK:
        return ItemId(qualifier, item)
    return ItemId(qualifier, item, "gtin" if qualifier in GTINS else qualifier)


def matched(pattern: re.Pattern[str], said: str) -> re.Match[str]:
    """The words taken apart; what the language does not know is a mistake in the table."""
    found = pattern.fullmatch(said.strip())
    assert found, f"not understood: {said}"
    return found


def _number(said: str | None) -> Decimal | None:
    return None if said in (None, "?") else Decimal(str(said))


def _numbers(said: str | None) -> tuple[Decimal, ...]:
    return tuple(Decimal(one) for one in (said or "").split())


def _new_line(ref: say.LineReference, body: str) -> say.NewLine:
    found = matched(PLACED, body)
    return say.NewLine(
        number=ref.number,
        ids=ref.ids,
        quantity=_number(found["quantity"]),
        unit=found["unit"] or "",
        discrete=not found["weight"],
        pack_unit=found["pack"] or "",
        pack_size=Decimal(found["size"] or 0),
        location_quantities=_numbers(found["stores"]),
    )


def _amount(body: str) -> tuple[Decimal, str]:
    found = matched(AMOUNT, body)
    return Decimal(found["quantity"]), found["unit"] or ""


def _cut(ref: say.LineReference, body: str) -> say.LineCancellation:
    if body == "all":
        return say.LineCancellation(line=ref)
    quantity, unit = _amount(body.removeprefix("to "))
    if body.startswith("to "):
        return say.LineCancellation(line=ref, new_total=quantity, unit=unit)
    return say.LineCancellation(line=ref, quantity=quantity, unit=unit)


def _shipped(ref: say.LineReference, body: str) -> say.ShippedLine:
    quantity, unit = _amount(body)
    return say.ShippedLine(line=ref, quantity=quantity, unit=unit)


def _acknowledged(ref: say.LineReference, body: str) -> say.AcknowledgedLine:
    found = SAID_OF.fullmatch(body)
    if not found:
        return say.AcknowledgedLine(line=ref, answers=_answers(body))
    answers = _answers(found["answers"] or "")
    quantity = Decimal(found["quantity"])
    return say.AcknowledgedLine(line=ref, answers=answers, quantity=quantity, unit=found["unit"] or "")


def _answers(body: str) -> tuple[say.LineAnswer, ...]:
    answers = []
    for part in filter(None, body.split(", ")):
        word, _, amount = part.removesuffix(" for certain").partition(" ")
        quantity, unit = _amount(amount) if amount else (None, "")
        certain = part.endswith(" for certain")
        answers.append(say.LineAnswer(answer=ANSWERS[word], quantity=quantity, unit=unit, certain=certain))
    return tuple(answers)


def _consent(ref: say.LineReference, body: str) -> say.LineConsent:
    word, _, amount = body.partition(" ")
    quantity, unit = _amount(amount) if amount else (None, "")
    return say.LineConsent(line=ref, consent=say.Consent(word), quantity=quantity, unit=unit)


def _change(ref: say.LineReference, body: str) -> say.LineChange:
    if body.startswith("added "):
        new = _new_line(ref, body.removeprefix("added "))
        return say.LineChange(line=ref, change=say.Change.ADD, quantity=new.quantity, new=new, code="AI")
    found = matched(CHANGED, body)
    change, code = CHANGES[found["word"]]
    parts = (found["plus"], found["minus"], found["revised"])
    increase, decrease, revised = map(_number, parts)
    composite = any(parts) or found["how"] == "at"
    return say.LineChange(
        line=ref,
        change=change,
        quantity=_number(found["first"]),
        second=_number(found["second"]),
        amounts=say.ChangeAmounts(increase=increase, decrease=decrease, revised=revised)
        if composite
        else None,
        reading=READINGS[found["how"] or "to"],
        unit=found["unit"] or "",
        code=code,
        location_quantities=_numbers(found["stores"]),
        answers=_answers(found["answers"] or ""),
    )


def _restated(ref: say.LineReference, body: str) -> say.LineChange:
    new = _new_line(ref, body)
    return say.LineChange(
        line=ref,
        change=say.Change.SET,
        quantity=new.quantity,
        unit=new.unit,
        new=new,
        location_quantities=new.location_quantities,
    )


def _said(
    verb: str,
    header: str,
    lines: list[tuple[say.LineReference, str]],
    flags: dict[str, str],
    common: dict[str, object],
) -> say.Command:
    part = say.PartShipped.REFUSE if flags["part"] else say.PartShipped.REST
    effect = say.BuyerCancel.REQUESTED if flags["asking"] else say.BuyerCancel.EFFECTIVE
    more: dict[str, object]
    kind: type[say.Command]
    match verb:
        case "places" | "copies":
            placed = tuple(_new_line(*line) for line in lines)
            kind, more = say.PlaceOrder, {"lines": placed, "content_hash": repr(placed)}
            more |= {"repeat": verb == "copies", "revision": flags["sequence"]}
        case "cancels":
            kind, more = say.CancelOrder, {"part_shipped": part, "effect": effect}
        case "cuts":
            kind, more = say.CancelLines, {"lines": tuple(_cut(*line) for line in lines), "effect": effect}
        case "changes" | "restates":
            restates = verb == "restates"
            said = tuple(_restated(*line) if restates else _change(*line) for line in lines)
            kind, more = say.ChangeOrder, {"lines": said, "restates": restates}
            more |= {"part_shipped": part, "effect": effect, "sequence": flags["sequence"]}
            more["issued_at"] = AT + timedelta(hours=int(flags["hours"])) if flags["hours"] else None
        case "answers":
            said_of = tuple(_acknowledged(*line) for line in lines)
            verdict = say.Verdict(header.replace(" ", "_") or "lines")
            kind, more = say.AcknowledgeOrder, {"verdict": verdict, "lines": said_of}
            more["short_accept"] = say.ShortAccept.CANCEL if flags["short"] else say.ShortAccept.HOLD
            more["backorder"] = say.Backorder.CANCEL if flags["backorder"] else say.Backorder.KEEP
        case "agrees" | "refuses":
            consent = say.Consent.AGREED if verb == "agrees" else say.Consent.REFUSED
            consents = tuple(_consent(*line) for line in lines)
            kind, more = say.AnswerRequest, {"consent": consent, "lines": consents}
            more["certain"] = not flags["unsure"]
        case "answered":
            kind, more = LapseRequest, {}
        case "ships":
            shipped = tuple(_shipped(*line) for line in lines)
            kind, more = say.RecordShipment, {"shipment_id": header, "lines": shipped}
            more["over_ship"] = say.OverShip.FLAG if flags["over"] else say.OverShip.REFUSE
            more["over_percent"] = Decimal(flags["over"] or 0)
            more["close_rest"] = say.CloseRest(flags["close"] or "never")
        case "withdraws":
            shipped = tuple(_shipped(*line) for line in lines)
            kind, more = say.WithdrawShipment, {"shipment_id": header, "lines": shipped}
        case _:
            objection, _, words = header.partition(" ")
            choices = (Choice("cancel", "cancel everything open"),)
            kind, more = say.Object, {"objection": say.Objection(objection)}
            more |= {"statement": words.strip('"'), "choices": choices}
    return kind(**{**common, **more})  # type: ignore[arg-type]  # the shapes are checked by the ledger's own words
