"""The OpenAPI document is true: generated requests are answered as it says, and never by a mistake of ours.

Two partners' keys ask for numbers of their own and of others; what belongs to the other never shows.
"""

import time
from typing import Any

import schemathesis
from hypothesis import HealthCheck, Phase, given, settings
from schemathesis import GenerationMode
from schemathesis.checks import load_all_checks, not_a_server_error
from schemathesis.core.result import Ok
from schemathesis.specs.openapi.checks import (
    content_type_conformance,
    response_schema_conformance,
    status_code_conformance,
)

from tests.api.site import Site

SECONDS = 15  # for each database system
EXAMPLES = 12  # for each route and key
CHECKS = [
    not_a_server_error, status_code_conformance, content_type_conformance, response_schema_conformance,
]  # fmt: skip


class Asking:
    """Requests as generated, with each key in turn; when the time is over, one of each kind that is left."""

    def __init__(self, site: Site, ids: list[int], hidden: dict[str, str]) -> None:
        self._ids = ids
        self._hidden = hidden  # by partner, what must not show
        self._keys = {partner: site.key(partner) for partner in hidden}
        self._end = time.monotonic() + SECONDS
        self.asked = 0

    def about(self, operation: Any, partner: str) -> None:
        """Some requests to one route: as they should be, and as they should not."""
        for mode in (GenerationMode.POSITIVE, GenerationMode.NEGATIVE):
            self._about(operation.as_strategy(generation_mode=mode), partner)

    def _about(self, cases: Any, partner: str) -> None:

        @settings(
            max_examples=EXAMPLES if time.monotonic() < self._end else 1, database=None,
            phases=[Phase.generate], derandomize=True, suppress_health_check=list(HealthCheck),
        )  # fmt: skip
        @given(case=cases)
        def ask(case: Any) -> None:
            self._ask(case, partner)

        ask()

    def _ask(self, case: Any, partner: str) -> None:
        if "order_id" in (case.path_parameters or {}):
            case.path_parameters["order_id"] = self._ids[self.asked % len(self._ids)]
        self.asked += 1
        response = case.call(headers={"Authorization": f"Bearer {self._keys[partner]}"})
        case.validate_response(response, checks=CHECKS)
        assert self._hidden[partner] not in response.text


def test_what_is_described_is_what_is_answered(site: Site) -> None:
    load_all_checks()
    mine = [site.place(f"MINE-{n}", 10, 4) for n in range(3)]
    theirs = [site.place(f"THEIRS-{n}", 10, 4, buyer="bolt", seller="initech") for n in range(3)]
    hidden = {"acme": "THEIRS", "initech": "MINE", "globex": "THEIRS", "bolt": "MINE"}
    asking = Asking(site, [*mine, *theirs, 999], hidden)
    schema = schemathesis.openapi.from_url(f"{site.address}/api/openapi.json")
    operations = [result.ok() for result in schema.get_all_operations() if isinstance(result, Ok)]
    assert len(operations) >= 15
    for partner in hidden:
        side = "buyer" if partner in ("acme", "bolt") else "seller"
        for operation in operations:
            if f"/{side}/" in operation.path:
                asking.about(operation, partner)
    assert asking.asked > len(operations)
    assert site.breaches() == ()


def test_headers_and_members_of_problems_are_described(site: Site) -> None:
    said = site.client().get("/api/openapi.json").json()
    problem = said["components"]["schemas"]["ProblemOut"]["properties"]
    assert {"faults", "scope", "requested"} <= problem.keys()
    assert said["components"]["schemas"]["FaultOut"]["properties"].keys() == {"place", "message"}
    place = said["paths"]["/api/v1/buyer/orders"]["post"]["responses"]
    assert "412" not in place  # it takes no If-Match
    assert place["201"]["headers"].keys() == {"ETag", "Location", "Idempotency-Replayed"}
    assert place["200"]["headers"].keys() == {"ETag", "Idempotency-Replayed"}
    cancel = said["paths"]["/api/v1/buyer/orders/{order_id}/cancel"]["post"]["responses"]
    assert cancel["200"]["headers"].keys() == {"ETag", "Idempotency-Replayed"}
    assert cancel["412"]["headers"].keys() == {"ETag"}
    assert "Retry-After" in cancel["429"]["headers"].keys() & cancel["503"]["headers"].keys()
    listed = said["paths"]["/api/v1/buyer/orders"]["get"]
    assert "headers" not in listed["responses"]["200"]
    until = next(one for one in listed["parameters"] if one["name"] == "placed_until")
    assert until["description"] == "Placed before then, and not then."
    one = said["paths"]["/api/v1/seller/orders/{order_id}"]["get"]["responses"]
    assert one["200"]["headers"].keys() == {"ETag"}
