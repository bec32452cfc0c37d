"""Passwords: hashed and compared by argon2, few at a time, for each takes 64 MiB and all of a core."""

import secrets
import threading
from base64 import b64encode
from collections.abc import Iterator
from contextlib import contextmanager

from argon2 import PasswordHasher
from argon2.exceptions import InvalidHashError, VerificationError
from argon2.low_level import ARGON2_VERSION

from pipeline.api.pages.visitors import PageError

CHARS_MIN, CHARS_MAX = 12, 200
AT_ONCE = 2
WAITING_MAX = 4  # at once, those at work among them: half of the threads stay free for who is signed in

_HASHER = PasswordHasher()  # the library's own choice, from RFC 9106; it grows with the library
_TURN = threading.BoundedSemaphore(AT_ONCE)
_WAITING = threading.BoundedSemaphore(WAITING_MAX)


def fault_of(password: str, again: str, email: str) -> str:
    """What is wrong with a new password, as a sentence; "" when nothing is."""
    if len(password) < CHARS_MIN:
        return f"Take at least {CHARS_MIN} signs; a few words that do not belong together are good."
    if len(password) > CHARS_MAX:
        return f"Take at most {CHARS_MAX} signs."
    if len(set(password)) < 5 or password.lower() in (email, email.partition("@")[0] * 2):
        return "This one is too easy to guess."
    if password != again:
        return "The two are not the same. Type it twice."
    return ""


def hashed(password: str) -> str:
    """What is kept of a password."""
    with _turn():
        return _HASHER.hash(password)


def fits(password: str, kept: str) -> bool:
    """Whether it is the password; takes as long where nothing is kept, so that nobody learns who is known."""
    with _turn():
        try:
            _HASHER.verify(kept or _NOBODYS, password)
        except (VerificationError, InvalidHashError):
            return False
    return bool(kept)


def is_outdated(kept: str) -> bool:
    """Whether it was hashed with other settings than today's."""
    return _HASHER.check_needs_rehash(kept)


@contextmanager
def _turn() -> Iterator[None]:
    """Wait for a turn, but not in a crowd; a PageError 503 then."""
    if not _WAITING.acquire(blocking=False):
        raise PageError(503, "One moment", "Too many people sign in just now. Try again in a few seconds.")
    try:
        with _TURN:
            yield
    finally:
        _WAITING.release()


def _of_nobody(hasher: PasswordHasher) -> str:
    """What no password fits, in the form of one that was hashed: to make one would delay every start."""
    costs = f"m={hasher.memory_cost},t={hasher.time_cost},p={hasher.parallelism}"
    sizes = (hasher.salt_len, hasher.hash_len)
    salt, digest = (b64encode(secrets.token_bytes(size)).decode().rstrip("=") for size in sizes)
    return f"$argon2id$v={ARGON2_VERSION}${costs}${salt}${digest}"


_NOBODYS = _of_nobody(_HASHER)
