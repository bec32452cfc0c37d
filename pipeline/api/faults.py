"""Faults: what is wrong with a request, place by place and in words; no value, which may be a secret."""

from collections.abc import Iterator, Mapping
from typing import Any

from fastapi import Request
from fastapi.exceptions import RequestValidationError

from pipeline.api.moments import DAY_WORDS, MOMENT_WORDS
from pipeline.api.patterns import (
    CHOICE,
    CHOICE_WORDS,
    CODE,
    CODE_WORDS,
    KEY,
    KEY_WORDS,
    LIMIT_WORDS,
    PAIR,
    PAIR_WORDS,
)
from storage.states import Topic

FAULTS_MAX = 20  # named in one problem

_OBJECT = "A JSON object is needed"
_BY_PLACE = {
    "query.limit": LIMIT_WORDS,
    "body.topics": f"Name at least one of: {', '.join(topic.value for topic in Topic)}.",
}
_BY_PATTERN = {CODE: CODE_WORDS, KEY: KEY_WORDS, PAIR: PAIR_WORDS, CHOICE: CHOICE_WORDS}
_BY_TYPE = {
    "bool_parsing": "Use true or false.",
    "bool_type": "Use true or false.",
    "extra_forbidden": "There is no such name here; leave it out.",
    "greater_than_equal": "Use a whole number of at least {ge}.",
    "int_parsing": "Use a whole number.",
    "less_than_equal": "Use a whole number of at most {le}.",
    "missing": "It is missing.",
    "string_too_long": "Use at most {max_length} characters.",
    "string_too_short": "Use at least {min_length} character.",
    "string_type": "Use a text.",
    "too_long": "Name at most {max_length}.",
    "too_short": "Name at least one.",
    "timezone_aware": MOMENT_WORDS,
}


def faults_of(request: Request, error: RequestValidationError) -> list[dict[str, str]]:
    """Where the request is not as described, and what to do."""
    found = list(_told(error.errors()))[:FAULTS_MAX]
    return [{"place": _place(fault), "message": _words(request, error, fault)} for fault in found]


def _told(faults: Any) -> Iterator[Mapping[str, Any]]:
    """All but a list that has too few entries because those it has are faulty."""
    within = {tuple(fault["loc"][:depth]) for fault in faults for depth in range(len(fault["loc"]))}
    for fault in faults:
        if fault["type"] != "too_short" or tuple(fault["loc"]) not in within:
            yield fault


def _place(fault: Mapping[str, Any]) -> str:
    if fault["type"] == "json_invalid":
        return "body"
    return ".".join(str(part) for part in fault["loc"])


def _words(request: Request, error: RequestValidationError, fault: Mapping[str, Any]) -> str:
    kind, place, about = fault["type"], _place(fault), fault.get("ctx") or {}
    if kind == "json_invalid":
        return f"The body is not JSON: at character {fault['loc'][-1]}: {about['error']}."
    if place == "body":
        return _of_the_whole_body(request, error, kind, fault["msg"])
    if place in _BY_PLACE and kind != "extra_forbidden":
        return _BY_PLACE[place]
    if kind == "value_error":
        return str(fault["msg"]).removeprefix("Value error, ")
    if kind in ("enum", "literal_error"):
        return f"Use one of: {about['expected'].replace(' or ', ', ').replace(chr(39), '')}."
    if kind == "string_pattern_mismatch":
        return _BY_PATTERN.get(about["pattern"], str(fault["msg"]))
    if kind.startswith("datetime"):
        return MOMENT_WORDS
    if kind.startswith("date"):
        return DAY_WORDS
    return _BY_TYPE[kind].format(**about) if kind in _BY_TYPE else str(fault["msg"])


def _of_the_whole_body(request: Request, error: RequestValidationError, kind: str, said: str) -> str:
    if kind == "value_error":
        return said.removeprefix("Value error, ")
    if isinstance(error.body, bytes):
        return "Send it with Content-Type: application/json."
    return f"{_OBJECT}; {{}} will do." if _takes_nothing(request) else f"{_OBJECT}."


def _takes_nothing(request: Request) -> bool:
    """Whether an object without any name is a body of this route."""
    dependant = getattr(request.scope.get("route"), "dependant", None)
    kinds = [param.field_info.annotation for param in dependant.body_params] if dependant else []
    return all(
        not any(field.is_required() for field in getattr(kind, "model_fields", {}).values()) for kind in kinds
    )
