"""Wire: the bytes of a message: headers as the library folds them, and two quoted-printable parts.

The library's own way builds an object of every header, parses what it was just given and folds it again: four
times the work for the same bytes. It is asked for what needs it, once for each value that comes again.
"""

import hashlib
import re
from binascii import b2a_qp
from email import policy
from email.headerregistry import Address
from functools import lru_cache

#: A header that stands on one line as it is: short, printable ASCII, without what begins an encoded word.
_PLAIN = re.compile(r"(?!.*=\?)[!-~]+(?: [!-~]+)*", re.ASCII)
_LINE_MAX = 78
_KEPT = 4096  # addresses; a hub has some hundred
_PART = (
    "--{boundary}\r\n"
    'Content-Type: text/{subtype}; charset="utf-8"\r\n'
    "Content-Transfer-Encoding: quoted-printable\r\n{mime}\r\n{body}\r\n"
)
_MIME = "MIME-Version: 1.0\r\n"


def boundary_of(message_id: str) -> str:
    """What parts this message: the same every time. No quoted-printable line has a bare "=_" in it."""
    return "=_" + hashlib.sha256(message_id.encode()).hexdigest()[:32]


@lru_cache(_KEPT)
def address_line(name: str, address: str, display: str = "") -> str:
    """A header with one address, with its line end."""
    header = policy.SMTP.header_factory(name, Address(display, addr_spec=address))
    return str(header.fold(policy=policy.SMTP))


def header_line(name: str, value: str) -> str:
    """Any other header, with its line end; folded where it must be. ValueError for a line break."""
    if len(name) + 2 + len(value) <= _LINE_MAX and _PLAIN.fullmatch(value):
        return f"{name}: {value}\r\n"
    return str(policy.SMTP.fold(*policy.SMTP.header_store_parse(name, value)))


def message_bytes(headers: str, boundary: str, text: str, html: str) -> bytes:
    """A multipart/alternative message of these headers, without what is said of its content."""
    said = f'Content-Type: multipart/alternative;\r\n boundary="{boundary}"\r\n'
    parts = [("plain", text, ""), ("html", html, _MIME)]
    written = [
        _PART.format(boundary=boundary, subtype=subtype, mime=mime, body=_quoted(body))
        for subtype, body, mime in parts
    ]
    return f"{headers}{_MIME}{said}\r\n{''.join(written)}--{boundary}--\r\n".encode("ascii")


def _quoted(text: str) -> str:
    """The text as quoted-printable, its lines ended by CR LF and none longer than 76 (RFC 2045, 6.7)."""
    lines = text.encode("utf-8").splitlines()
    return b2a_qp(b"\r\n".join(lines) + b"\r\n", istext=True).decode("ascii")
