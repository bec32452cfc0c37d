"""Lookalikes: what a file that is no X12 is instead, told by its first bytes. Nothing is ever unpacked.

A partner's new software zips, encrypts or converts what it sends. "No interchange" is true then and helps
nobody; "this is a ZIP archive" is what its people can act on.
"""

import re

# Packed files are not searched for an ISA at all: what a ZIP or TAR stores as it is can be one part of many,
# an old version or cut off, and nobody has checked what its wrapper says of it.
_PACKED = (
    (re.compile(rb"PK(?:\x03\x04|\x05\x06|\x07\x08)"), "a ZIP archive (or an office document)"),
    (re.compile(rb"\x1f\x8b"), "compressed with gzip"),
    (re.compile(rb"\x1f[\x9d\xa0]"), "compressed with compress"),
    (re.compile(rb"BZh[1-9]"), "compressed with bzip2"),
    (re.compile(rb"\xfd7zXZ\x00"), "compressed with xz"),
    (re.compile(rb"\x28\xb5\x2f\xfd"), "compressed with zstd"),
    (re.compile(rb"7z\xbc\xaf\x27\x1c"), "a 7-Zip archive"),
    (re.compile(rb"Rar!\x1a\x07"), "a RAR archive"),
    (re.compile(rb"(?!ISA)[^\x00].{256}ustar", re.DOTALL), "a TAR archive"),
    (re.compile(rb"-----BEGIN PGP"), "encrypted or signed with PGP"),
    # A session key packet of version 3, as a message for somebody's public key begins, in its three lengths.
    (
        re.compile(rb"(?:\x84.|\x85..|\xc1[\x00-\xbf]|\xc1[\xc0-\xdf].)\x03", re.DOTALL),
        "encrypted with PGP",
    ),
    (re.compile(rb"-----BEGIN PKCS7|-----BEGIN CMS"), "encrypted or signed with S/MIME"),
    (re.compile(rb"%PDF-"), "a PDF document"),
    (re.compile(rb"\xd0\xcf\x11\xe0\xa1\xb1\x1a\xe1"), "an office document"),
)
_TEXTS = (
    (re.compile(rb"\s*<(?:!DOCTYPE\s+)?html", re.IGNORECASE), "an HTML page"),
    (re.compile(rb"\s*<[?!A-Za-z]"), "an XML document"),
    (re.compile(rb"\s*UN[AB][^A-Za-z0-9]"), "an EDIFACT interchange"),
    (re.compile(rb'\s*(?:\{\s*["}]|\[\s*[\[{"])'), "a JSON document"),
    (re.compile(rb"\xff\xfe|\xfe\xff|I\x00S\x00A\x00|\x00I\x00S\x00A"), "text in UTF-16"),
    (re.compile(rb"\xc9\xe2\xc1"), "X12 in EBCDIC"),
    (
        re.compile(rb"(?:Received|MIME-Version|Content-Type|AS2-From|From|Subject):", re.IGNORECASE),
        "an e-mail",
    ),
)
_BYTE_ORDER_MARK = b"\xef\xbb\xbf"
_first_bytes = 512


def packed(data: bytes) -> str:
    """How the file is packed ("a ZIP archive"), "" when it is not; such a file is set aside unread."""
    return _first(_PACKED, data[:_first_bytes])


def likeness(data: bytes) -> str:
    """What a file without an interchange looks like, packed or not; "" when nothing comes to mind."""
    start = data[:_first_bytes].removeprefix(_BYTE_ORDER_MARK)
    return _first(_PACKED, start) or _first(_TEXTS, start)


def _first(kinds: tuple[tuple[re.Pattern[bytes], str], ...], start: bytes) -> str:
    return next((words for pattern, words in kinds if pattern.match(start)), "")
