"""Overlays for the fuzzer: partners' guides with every kind of rule, for each set that has a map."""

from edi.narrowing import ElementRule, Overlay, SegmentRule

_RELEASES = ("004010", "005010")


def _guide(set_type: str, *rules: SegmentRule) -> Overlay:
    source = f"{set_type}.xml"
    return Overlay(partner="Acme Stores", set=set_type, releases=_RELEASES, source=source, rules=rules)


def _rule(path: str, *elements: ElementRule, **more: object) -> SegmentRule:
    return SegmentRule(line=2, path=tuple(path.split("/")), elements=elements, **more)  # type: ignore[arg-type]


OVERLAYS = (
    _guide(
        "850",
        _rule("BEG", ElementRule(line=3, position=2, codes=("NE", "SA"))),
        _rule("REF", where=(1, ("DP",)), required=True),
        _rule("REF", ElementRule(line=3, position=2, length_min=2, length_max=6), where=(1, ("DP", "IA"))),
        _rule("CUR", forbidden=True),
        _rule("PO1", max_use=5),
        _rule("PO1/PID", required=True),
        _rule("PO1", ElementRule(line=3, position=2, required=True)),
        _rule("DTM", where=(1, ("002",)), max_use=1),
    ),
    _guide(
        "855",
        _rule("BAK", ElementRule(line=3, position=8, required=True, length_max=10)),
        _rule("PO1/ACK", max_use=2),
        _rule("PO1/ACK", ElementRule(line=3, position=2, required=True), where=(1, ("IR", "ID"))),
        _rule("CTT", required=True),
    ),
    _guide(
        "856",
        _rule("HL/PRF", ElementRule(line=3, position=2, forbidden=True)),
        _rule("HL", ElementRule(line=3, position=4, required=True)),
        _rule("HL/REF", where=(1, ("BM",)), forbidden=True),
    ),
    _guide(
        "860",
        _rule("BCH", ElementRule(line=3, position=5, required=True)),
        _rule("POC", ElementRule(line=3, position=2, codes=("DI", "QD"))),
        _rule("POC", max_use=2),
    ),
)
