"""Narrowed guides: the compiled one and the exact path agree whatever a guide asks, and none allows more."""

import random
import warnings
from dataclasses import replace

import pytest

from edi import faults
from edi.envelope import TransactionSet
from edi.findings import Finding, FindingCode
from edi.grammar import Element, Grammar, Place
from edi.guide import Verdict, check, guide_for
from edi.limits import findings_per_set_max
from edi.narrowing import ElementRule, Overlay, SegmentRule, narrow
from tests.unit.edi.test_guide_oracle import DELIMITERS, RELEASES, SETS, damaged, good

CODES = ("EA", "CA", "UP", "VN", "ST", "BY", "DP", "IA", "00", "SA", "AC", "F", "92", "002", "1", "2")


def grammar_of(release: str, set_type: str) -> Grammar:
    guide = guide_for(release, set_type)
    assert guide is not None
    return guide.grammar


def path_of(grammar: Grammar, place: Place) -> tuple[str, ...]:
    loops = [loop.id for loop in grammar.enclosing(place)][::-1][1:]
    return (*loops[: len(loops) - grammar.opens_loop(place.index)], place.tag)


def element_rule(element: Element, component: int, rng: random.Random) -> ElementRule:
    """One rule that may fit; those that cannot narrow are left out by `narrow`."""
    rule = ElementRule(line=1, position=element.position, component=component)
    whole = element.components[component - 1] if component else element
    match rng.randrange(4):
        case 0:
            return replace(rule, required=True)
        case 1:
            return replace(rule, forbidden=True)
        case 2:
            return replace(rule, codes=tuple(rng.sample(CODES, rng.choice((1, 3, 8)))))
        case _:
            least = rng.randint(whole.length_min, min(whole.length_max, whole.length_min + 6))
            return replace(rule, length_min=least, length_max=rng.choice((None, least)))


def random_rule(grammar: Grammar, sent: set[str], line: int, rng: random.Random) -> SegmentRule:
    """A rule about some place of a segment that the good set has."""
    places = [place for place in grammar.places if place.tag in sent and place.tag not in ("ST", "SE")]
    place = rng.choice(places)
    chosen = rng.sample(place.segment.elements, min(len(place.segment.elements), rng.choice((0, 1, 2))))
    elements = [
        element_rule(one, rng.choice((0, 1)) if one.components else 0, rng)
        for one in sorted(chosen, key=lambda element: element.position)
    ]
    return SegmentRule(
        line=line,
        path=path_of(grammar, place),
        where=(rng.choice((1, 1, 3)), tuple(rng.sample(CODES, 2))) if rng.random() < 0.4 else None,
        required=rng.random() < 0.4,
        forbidden=rng.random() < 0.1,
        max_use=rng.choice((0, 0, 1, 2, 5)),
        elements=tuple(elements),
    )


def random_overlay(release: str, set_type: str, rng: random.Random) -> Overlay:
    grammar = grammar_of(release, set_type)
    sent = {text.split("*")[0] for text in good(set_type, release)}
    rules = tuple(random_rule(grammar, sent, line, rng) for line in range(1, rng.choice((2, 4, 9))))
    return Overlay(partner="Acme", set=set_type, releases=(release,), source="acme.xml", rules=rules)


def without_guide(found: tuple[Finding, ...]) -> set[tuple[FindingCode, str, int, str]]:
    return {(one.code, one.segment, one.position, one.element) for one in found if not one.guide}


@pytest.mark.parametrize("seed", range(3))
def test_any_guide_agrees_with_itself_and_only_adds_to_the_standard(seed: int) -> None:
    rng = random.Random(seed)
    judged = {True: 0, False: 0}
    for _ in range(40):
        release, set_type = rng.choice(RELEASES), rng.choice(sorted(SETS))
        overlay = random_overlay(release, set_type, rng)
        short_dates = rng.random() < 0.2
        plain = guide_for(release, set_type, short_dates=short_dates)
        narrowed = guide_for(release, set_type, overlay, short_dates=short_dates)
        assert plain is not None
        assert narrowed is not None
        for _ in range(9):
            segments = (
                good(set_type, release) if rng.random() < 0.3 else damaged(good(set_type, release), rng)
            )
            accepted = narrowed.accepts(segments, DELIMITERS) is not Verdict.FAULTY
            found = faults.find(narrowed.grammar, segments, DELIMITERS)
            assert accepted == (not any(one.is_error for one in found)), (overlay, segments, found)
            before = faults.find(plain.grammar, segments, DELIMITERS)
            if len(found) < findings_per_set_max:
                assert without_guide(found) == without_guide(before), (overlay, segments)
            if accepted:
                assert plain.accepts(segments, DELIMITERS) is not Verdict.FAULTY
            judged[accepted] += 1
    assert min(judged.values()) > 40, judged


def order(*segments: str) -> TransactionSet:
    return TransactionSet(
        type="850",
        control_number="0001",
        delimiters=DELIMITERS,
        segments=segments,
        offset=0,
        findings=(),
    )


SHORT_DATES = ("ST*850*0001", "BEG*00*SA*4500012**260304", "PO1*1*10*EA", "SE*4*0001")


def test_short_dates_are_dates_only_where_they_are_allowed() -> None:
    (finding,) = check(order(*SHORT_DATES), "004010")
    assert (finding.code, finding.element) == (FindingCode.DATE_INVALID, "5")
    assert check(order(*SHORT_DATES), "004010", short_dates=True) == ()
    long_dates = (text.replace("260304", "20260304") for text in SHORT_DATES)
    assert check(order(*long_dates), "004010", short_dates=True) == ()


@pytest.mark.parametrize("date", ["2603041", "260230", "26030", "AABBCC"])
def test_short_dates_are_of_the_calendar_too(date: str) -> None:
    texts = (text.replace("260304", date) for text in SHORT_DATES)
    with warnings.catch_warnings():
        warnings.simplefilter("error")
        (finding,) = check(order(*texts), "004010", short_dates=True)
    assert finding.code is FindingCode.DATE_INVALID
    assert "CCYYMMDD or YYMMDD" in finding.message


def test_a_guide_for_another_set_or_release_changes_nothing() -> None:
    rule = SegmentRule(line=1, path=("REF",), required=True)
    overlay = Overlay(partner="Acme", set="850", releases=("004010",), source="acme.xml", rules=(rule,))
    assert guide_for("005010", "850", overlay) is guide_for("005010", "850")
    assert guide_for("004010", "855", overlay) is guide_for("004010", "855")
    assert guide_for("004010", "850", overlay) is guide_for("004010", "850", overlay)
    assert guide_for("004010", "850", overlay) is not guide_for("004010", "850")


def test_narrowing_leaves_the_standard_as_it_was() -> None:
    grammar = grammar_of("004010", "850")
    rule = SegmentRule(line=1, path=("BEG",), elements=(ElementRule(line=2, position=7, required=True),))
    overlay = Overlay(partner="Acme", set="850", releases=("004010",), source="acme.xml", rules=(rule,))
    narrowed, problems = narrow(grammar, overlay)
    assert problems == ()
    assert narrowed.standard is grammar
    assert [one.index for one in narrowed.places] == [one.index for one in grammar.places]
    changed = [one.tag for one in narrowed.places if one.segment != grammar.places[one.index].segment]
    assert changed == ["BEG"]
    assert grammar.places[1].segment.elements[6].required is False
