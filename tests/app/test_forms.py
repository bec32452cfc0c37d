"""Forms: one that was not given to this browser by this site is not looked at, whatever route it goes to."""

import re
from collections.abc import Iterable, Iterator
from typing import Any

from pipeline.api.pages.site import make_pages
from tests.api.site import Site
from tests.app.people import a_browser, signed_in


def _routes(routes: Iterable[Any]) -> Iterator[str]:
    """Every address of the app that takes a form."""
    for route in routes:
        if hasattr(route, "original_router"):
            yield from _routes(route.original_router.routes)
        elif "POST" in (getattr(route, "methods", None) or ()):
            yield re.sub(r"{\w+}", "1", route.path)


def test_no_form_is_taken_without_its_token_or_with_anothers(site: Site) -> None:
    site.place("PO-1", 10)
    ada, bob = signed_in(site, "ada@acme.example", "acme"), signed_in(site, "bob@globex.example", "globex")
    bob.get("/orders")
    theirs = bob.form("/sign-out")["csrf"]
    stranger = a_browser(site)
    paths = sorted(set(_routes(make_pages().routes)))
    assert {"/sign-in", "/sign-out", "/password"} <= set(paths)
    for path in paths:
        for person in (ada, stranger):
            for fields in ({}, {"csrf": ""}, {"csrf": "x"}, {"csrf": theirs}):
                answer = person.post(path, {**fields, "email": "ada@acme.example"})
                assert answer.status_code == 403, (path, fields)
                assert "Nothing was done." in person.text
    assert ada.get("/orders").url.path == "/orders"  # still signed in
    assert ada.client.post("/sign-out", json={"csrf": ada.form("/sign-out")["csrf"]}).status_code == 403
    assert site.mails("desk@globex") == []


def test_a_form_from_before_signing_in_is_not_good_after(site: Site) -> None:
    ada = signed_in(site, "ada@acme.example", "acme")
    other = a_browser(site)
    other.get("/sign-in")
    old = other.form("/sign-in")
    other.client.cookies = ada.client.cookies
    assert other.post("/sign-out", old).status_code == 403
