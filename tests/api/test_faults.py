"""What is wrong with a request is said in words, once, and with what to do."""

from typing import Any

import httpx
import pytest

from tests.api.site import BUYER, SELLER, Site, an_order

JSON = {"Content-Type": "application/json"}


def faults(answer: httpx.Response) -> list[tuple[str, str]]:
    """Place and sentence of each fault."""
    assert (answer.status_code, answer.json()["type"]) == (422, "/api/problems/invalid"), answer.text
    return [(fault["place"], fault["message"]) for fault in answer.json()["faults"]]


@pytest.mark.parametrize(
    ("body", "headers", "message"),
    [
        (b"{}", {}, "Send it with Content-Type: application/json."),
        (b"{}", {"Content-Type": "text/plain"}, "Send it with Content-Type: application/json."),
        (b"", JSON, "A JSON object is needed; {} will do."),
        (b"", {}, "A JSON object is needed; {} will do."),
        (b"[]", JSON, "A JSON object is needed; {} will do."),
        (b'{"lines": [', JSON, "The body is not JSON: at character 11: Expecting value."),
    ],
)
def test_a_body_that_is_none(site: Site, body: bytes, headers: dict[str, str], message: str) -> None:
    order_id, acme = site.place("PO-1", 10), site.client("acme")
    answer = acme.post(f"{BUYER}/{order_id}/cancel", content=body, headers=headers)
    assert faults(answer) == [("body", message)]
    assert acme.get(f"{BUYER}/{order_id}").json()["status"] == "open"


def test_an_order_needs_more_than_an_empty_object(site: Site) -> None:
    assert faults(site.client("acme").post(BUYER)) == [("body", "A JSON object is needed.")]


@pytest.mark.parametrize(
    ("body", "detail"),
    [
        (b'{"note": "\xff"}', "The body is not UTF-8."),
        (b"[" * 100_000, "The body is nested too deep."),
        (b'{"lines": ' + b"9" * 5000 + b"}", "A number of the body has too many digits."),
    ],
)
def test_a_body_that_cannot_be_read(site: Site, body: bytes, detail: str) -> None:
    order_id, acme = site.place("PO-1", 10), site.client("acme")
    answer = acme.post(f"{BUYER}/{order_id}/cancel", content=body, headers=JSON)
    assert (answer.status_code, answer.json()["type"]) == (400, "/api/problems/bad-request")
    assert answer.json()["detail"] == detail


@pytest.mark.parametrize(
    ("body", "place", "message"),
    [
        ({"lines": [{"line": "1", "quantity": "x"}]}, "lines.0.quantity",
         'Use a quantity such as "12", "12.5" or 12.'),
        ({"lines": []}, "lines", "Name at least one."),
        ({"lines": [{"line": ""}]}, "lines.0.line", "Use at least 1 character."),
        ({"unfulfilled_only": "perhaps"}, "unfulfilled_only", "Use true or false."),
        ({"force": True}, "force", "There is no such name here; leave it out."),
        ({"note": "x" * 501}, "note", "Use at most 500 characters."),
    ],
)  # fmt: skip
def test_each_fault_of_a_cancellation_is_said_once(
    site: Site, body: dict[str, object], place: str, message: str
) -> None:
    order_id = site.place("PO-1", 10)
    answer = site.client("acme").post(f"{BUYER}/{order_id}/cancel", json=body)
    assert faults(answer) == [(f"body.{place}", message)]


def test_patterns_are_said_in_words(site: Site) -> None:
    acme = site.client("acme")
    lines = [{"quantity": "1", "unit": "each", "ids": {"upc": "1"}}]
    answer = acme.post(BUYER, json={**an_order("PO*1", 10), "lines": lines})
    said = dict(faults(answer))
    assert said["body.po_number"].startswith("Use letters from A to Z, digits and signs")
    assert "EA" in said["body.lines.0.unit"]
    key = acme.post(BUYER, json=an_order("PO-1", 10), headers={"Idempotency-Key": "a b"})
    assert faults(key)[0][1].startswith("Use up to 255 visible ASCII characters")
    for message in (*said.values(), faults(key)[0][1]):
        assert "pattern" not in message


@pytest.mark.parametrize(
    ("params", "message"),
    [
        ({"limit": 0}, "Use a whole number from 1 to 200."),
        ({"limit": 201}, "Use a whole number from 1 to 200."),
        ({"limit": "x"}, "Use a whole number from 1 to 200."),
        ({"status": "shut"}, "Use one of: open, partly_fulfilled, fulfilled, cancelled, complete."),
        ({"placed_since": "yesterday"},
         "Use a moment with its offset from UTC, such as 2026-11-28T09:30:00Z."),
        ({"placed_since": "2026-13-28T09:30:00Z"},
         "Use a moment with its offset from UTC, such as 2026-11-28T09:30:00Z."),
    ],
)  # fmt: skip
def test_each_fault_of_a_list_is_said_in_words(site: Site, params: dict[str, Any], message: str) -> None:
    assert [said for _, said in faults(site.client("acme").get(BUYER, params=params))] == [message]


@pytest.mark.parametrize("shown", ["cmk_nothing", "Basic YTpi", "Bearer"])
def test_a_key_that_is_not_shown_as_one(site: Site, shown: str) -> None:
    answer = site.client().get(BUYER, headers={"Authorization": shown})
    assert answer.status_code == 401
    assert answer.json()["detail"] == "Send it as Authorization: Bearer KEY."


def test_an_answer_that_is_none_of_the_choices(site: Site) -> None:
    order_id, globex = site.place("PO-1", 10), site.client("globex")
    body = {"lines": [{"line": "1", "accepted": "6"}]}
    asked = globex.post(f"{SELLER}/{order_id}/acknowledge", json=body)
    assert (asked.status_code, asked.json()["type"]) == (409, "/api/problems/which-is-meant")
    names = [choice["name"] for choice in asked.json()["choices"]]
    again = globex.post(f"{SELLER}/{order_id}/acknowledge", json={**body, "answer": "nope"})
    assert (again.status_code, again.json()["type"]) == (409, "/api/problems/which-is-meant")
    assert again.json()["detail"].startswith(f"`nope` is none of the choices: {', '.join(names)}. ")
    done = globex.post(f"{SELLER}/{order_id}/acknowledge", json={**body, "answer": names[0]})
    assert done.status_code == 200
