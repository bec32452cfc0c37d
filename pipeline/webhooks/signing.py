"""Signing: the headers of Standard Webhooks (standardwebhooks.com), by which a receiver knows who speaks."""

import base64
import hashlib
import hmac
from collections.abc import Iterable

from storage.webhooks import PREFIX


def headers_of(message_id: str, at_seconds: int, body: bytes, secrets: Iterable[str]) -> dict[str, str]:
    """The three headers. Each secret signs, so that a receiver may know any one of them.

    `at_seconds` is the time of this attempt: receivers refuse what is old, for it may be a replay.
    """
    signed = f"{message_id}.{at_seconds}.".encode() + body
    return {
        "webhook-id": message_id,
        "webhook-timestamp": str(at_seconds),
        "webhook-signature": " ".join(f"v1,{_mac(secret, signed)}" for secret in secrets),
    }


def _mac(secret: str, signed: bytes) -> str:
    key = base64.b64decode(secret.removeprefix(PREFIX))
    return base64.b64encode(hmac.new(key, signed, hashlib.sha256).digest()).decode("ascii")
