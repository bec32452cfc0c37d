"""Site: the app's pages put together, and its errors as pages."""

from collections.abc import Mapping

from fastapi import APIRouter, Depends, FastAPI, Request
from fastapi.responses import Response

from pipeline.api.pages import (
    agreeing,
    answering,
    cancelling,
    company,
    deeds,
    mails,
    ordering,
    signing,
    support,
    taking_back,
    webhooks,
)
from pipeline.api.pages.rendering import render
from pipeline.api.pages.returning import ways_back
from pipeline.api.pages.visitors import PageError, SignInFirst, check_form

_TITLES = {404: "Not found", 405: "Not possible", 503: "Just now it does not work"}


def make_pages() -> APIRouter:
    """Every page, and the ways back. Before any route, also one to come: a form has to be from here."""
    pages = APIRouter(dependencies=[Depends(check_form)], include_in_schema=False)
    parts = (
        signing, ordering, cancelling, answering, agreeing, taking_back, deeds, mails, company, webhooks,
        support,
    )  # fmt: skip
    for part in parts:
        pages.include_router(part.make_router())
    pages.include_router(ways_back(pages))
    return pages


def install(site: FastAPI) -> None:
    """Let the site say errors as pages."""

    @site.exception_handler(PageError)
    def said(request: Request, error: PageError) -> Response:
        return error_page(request, error.status, error.text, title=error.title)

    @site.exception_handler(SignInFirst)
    def nobody(request: Request, _: SignInFirst) -> Response:
        return signing.sign_in_first(request)


def error_page(
    request: Request, status: int, text: str, headers: Mapping[str, str] | None = None, title: str = ""
) -> Response:
    """A page with a sentence."""
    said = title or _TITLES.get(status, "That did not work")
    visitor = getattr(request.state, "visitor", None)  # where it was found out before
    return render(request, "error.html.j2", visitor, status=status, headers=headers, title=said, text=text)
