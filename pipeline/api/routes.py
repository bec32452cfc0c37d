"""Routes: every address of the API, and the part of the site that answers it."""

from fastapi import APIRouter

PREFIX = "/api/v1"

router = APIRouter(prefix=PREFIX)
