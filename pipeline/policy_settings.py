"""Reading [partner.policy] tables: every switch by name, and nothing that would be without effect."""

import re
from collections.abc import Collection

from pipeline.policy import PURPOSES_READ, Aliases, Policy
from pipeline.settings_reader import Choice, TableReader
from storage.commands import BuyerCancel, OverShip

HOURS_MAX = 30 * 24  # a month; what waits longer waits for a mistake
RESET_DAYS_MAX = 10 * 366
PERCENT_MAX = 100

_CODE = re.compile(r"[A-Z0-9]{2}")  # elements 235, 353, 355: ID 2/2
_SHAPE = "two capital letters or digits"


def read_policy(table: TableReader | None) -> Policy:
    """What was agreed with a partner; what the file does not say is as `Policy` has it."""
    if table is None:
        return Policy()
    usual = Policy()
    policy = Policy(
        buyer_cancel=_choice(table, "buyer_cancel", usual.buyer_cancel),
        request_deadline_hours=table.integer(
            "request_deadline_hours", usual.request_deadline_hours, 0, HOURS_MAX
        ),
        cancel_part_shipped=_choice(table, "cancel_part_shipped", usual.cancel_part_shipped),
        poc_quantity=_choice(table, "poc_quantity", usual.poc_quantity),
        zero_is_cancel=table.flag("zero_is_cancel", usual.zero_is_cancel),
        short_accept=_choice(table, "short_accept", usual.short_accept),
        fill_or_kill=table.flag("fill_or_kill", usual.fill_or_kill),
        ship_and_close=_choice(table, "ship_and_close", usual.ship_and_close),
        over_ship=_choice(table, "over_ship", usual.over_ship),
        over_ship_percent=table.integer("over_ship_percent", usual.over_ship_percent, 0, PERCENT_MAX),
        asn_withdraw=_choice(table, "asn_withdraw", usual.asn_withdraw),
        purposes=_purposes(table),
        unit_aliases=_aliases(table, "unit_aliases"),
        qualifier_aliases=_aliases(table, "qualifier_aliases"),
        short_isa=_choice(table, "short_isa", usual.short_isa),
        isa13_reset_days=table.integer("isa13_reset_days", usual.isa13_reset_days, 0, RESET_DAYS_MAX),
        park_hours=table.integer("park_hours", usual.park_hours, 1, HOURS_MAX),
        hold_hours=table.integer("hold_hours", usual.hold_hours, 0, HOURS_MAX),
        acknowledge=_choice(table, "acknowledge", usual.acknowledge),
        answer_refusal=_choice(table, "answer_refusal", usual.answer_refusal),
        answer_change=_choice(table, "answer_change", usual.answer_change),
        answer_order=_choice(table, "answer_order", usual.answer_order),
        tell=_choice(table, "tell", usual.tell),
        release=_choice(table, "release", usual.release),
    )
    table.done()
    _check_over_ship(table, policy)
    _check_deadline(table, policy)
    return policy


def _choice(table: TableReader, key: str, usual: Choice) -> Choice:
    return table.choice(key, type(usual), usual)


def _check_over_ship(table: TableReader, policy: Policy) -> None:
    """Either of the two alone would look agreed and change nothing."""
    flags, percent = policy.over_ship is OverShip.FLAG, policy.over_ship_percent
    if flags and not percent:
        problem = "is 0, so no excess would be flagged; say how many per cent were agreed"
        raise table.fail("over_ship_percent", problem)
    if percent and not flags:
        problem = f'is {percent}, and over_ship is refuse; set over_ship = "flag" as well, or remove it'
        raise table.fail("over_ship_percent", problem)


def _check_deadline(table: TableReader, policy: Policy) -> None:
    """A time to answer what nobody is asked would look agreed and change nothing."""
    if policy.request_deadline_hours and policy.buyer_cancel is not BuyerCancel.REQUESTED:
        problem = (
            'is set, and buyer_cancel is effective; set buyer_cancel = "requested" as well, or remove it'
        )
        raise table.fail("request_deadline_hours", problem)


def _aliases(table: TableReader, key: str, meanings: Collection[str] = ()) -> Aliases:
    """A table of codes, theirs = "ours"; `meanings` are the codes that may stand on the right."""
    codes = table.table(key)
    if codes is None:
        return Aliases()
    pairs = [(theirs, _meaning(codes, theirs, meanings)) for theirs in codes.names()]
    for theirs, ours in pairs:
        if theirs == ours:
            raise codes.fail(theirs, "stands for itself; remove it")
        if ours in codes.names() and not meanings:
            raise codes.fail(theirs, f"is {ours}, which stands for another code itself; name that one")
    codes.done()
    return Aliases(tuple(pairs))


def _meaning(codes: TableReader, theirs: str, meanings: Collection[str]) -> str:
    if not _CODE.fullmatch(theirs):
        raise codes.fail(theirs if theirs.isprintable() else repr(theirs), f"is no code; a code is {_SHAPE}")
    ours = codes.text(theirs)
    if meanings and ours not in meanings:
        raise codes.fail(theirs, f"is {ours!r}; it takes one of {', '.join(meanings)}")
    if not _CODE.fullmatch(ours):
        raise codes.fail(theirs, f"is {ours!r}; it takes a code of {_SHAPE}")
    return ours


def _purposes(table: TableReader) -> tuple[tuple[str, Aliases], ...]:
    sets = table.table("purposes")
    if sets is None:
        return ()
    found = [(set_type, _aliases(sets, set_type, codes)) for set_type, codes in PURPOSES_READ.items()]
    sets.done()
    for set_type, aliases in found:
        if aliases.of("00") != "00":
            raise sets.fail(f"{set_type}.00", "cannot mean another purpose: it is what every original says")
    return tuple((set_type, aliases) for set_type, aliases in found if aliases.pairs)
