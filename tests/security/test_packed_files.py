"""Packed files are never unpacked: set aside in a sentence that says what they are, whatever is in them."""

import bz2
import gzip
import io
import lzma
import tarfile
import time
import zipfile

import pytest

from edi import envelope
from edi.findings import FindingCode
from edi.lookalikes import likeness, packed
from pipeline.contents import text_of
from storage import queries
from storage.outcomes import Outcome
from storage.states import Kind
from tests.unit.edi.build import order_file
from tests.unit.pipeline.house import House, house_with
from tests.unit.pipeline.ledger_files import file_of, order

ORDER = file_of("850", order("PO-1", 5), number=1, sender="acme", receiver="globex")


def zipped(content: bytes, *, stored: bool = True) -> bytes:
    out = io.BytesIO()
    with zipfile.ZipFile(out, "w", zipfile.ZIP_STORED if stored else zipfile.ZIP_DEFLATED) as archive:
        archive.writestr("orders.edi", content)
        archive.writestr("../../outside.edi", content)
    return out.getvalue()


def tarred(content: bytes) -> bytes:
    out = io.BytesIO()
    with tarfile.open(fileobj=out, mode="w") as archive:
        link = tarfile.TarInfo("passwd")
        link.type, link.linkname = tarfile.SYMTYPE, "/etc/passwd"
        archive.addfile(link)
        file = tarfile.TarInfo("orders.edi")
        file.size = len(content)
        archive.addfile(file, io.BytesIO(content))
    return out.getvalue()


PGP = b"-----BEGIN PGP SIGNED MESSAGE-----\nHash: SHA512\n\n" + ORDER + b"\n-----BEGIN PGP SIGNATURE-----\n"
BOMB = gzip.compress(b"\0" * 64 * 1024 * 1024, mtime=0)
PACKED = {
    "zip": (zipped(ORDER), "a ZIP archive"),
    "zip in zip": (zipped(zipped(ORDER), stored=False), "a ZIP archive"),
    "zip bomb": (zipped(BOMB), "a ZIP archive"),
    "gzip": (gzip.compress(ORDER, mtime=0), "compressed with gzip"),
    "gzip bomb": (BOMB, "compressed with gzip"),
    "bzip2": (bz2.compress(ORDER), "compressed with bzip2"),
    "xz": (lzma.compress(ORDER), "compressed with xz"),
    "zstd": (b"\x28\xb5\x2f\xfd\x00" + ORDER, "compressed with zstd"),
    "7z": (b"7z\xbc\xaf\x27\x1c\x00\x04" + ORDER, "a 7-Zip archive"),
    "rar": (b"Rar!\x1a\x07\x01\x00" + ORDER, "a RAR archive"),
    "tar with a link": (tarred(ORDER), "a TAR archive"),
    "pgp armour": (PGP, "signed with PGP"),
    "pgp": (b"\x85\x02\x0c\x03\xde\xad" + b"\xe7" * 400, "encrypted with PGP"),
    "s/mime": (b"-----BEGIN PKCS7-----\n" + b"TUlJ" * 40, "S/MIME"),
    "pdf": (b"%PDF-1.7\n" + ORDER, "a PDF document"),
    "office": (b"\xd0\xcf\x11\xe0\xa1\xb1\x1a\xe1" + ORDER, "an office document"),
}
TEXTS = {
    "xml": (b'<?xml version="1.0"?><Order/>', "an XML document"),
    "html": (b"\n<!DOCTYPE html><html></html>", "an HTML page"),
    "edifact": (b"UNA:+.? 'UNB+UNOA:1+A+B+260301:1200+1'", "an EDIFACT interchange"),
    "json": (b'{"po_number": "1"}', "a JSON document"),
    "utf-16": ("\ufeffISA*00*".encode("utf-16-le"), "text in UTF-16"),
    "utf-16 without its mark": ("ISA*00*".encode("utf-16-be"), "text in UTF-16"),
    "ebcdic": ("ISA*00*          *00*".encode("cp037"), "X12 in EBCDIC"),
    "e-mail": (b"MIME-Version: 1.0\r\nContent-Type: text/plain\r\n\r\nHello", "an e-mail"),
}


@pytest.fixture(scope="module")
def house(tmp_path_factory: pytest.TempPathFactory, module_on_both_systems: None) -> House:
    return house_with(tmp_path_factory.mktemp("hub"), "")


@pytest.mark.parametrize("case", [*PACKED, *TEXTS])
def test_a_file_of_another_kind_is_set_aside_and_called_by_its_name(case: str, house: House) -> None:
    content, words = (PACKED | TEXTS)[case]
    told = len(house.mails())
    began = time.process_time()
    report = house.drop(content, partner="acme", name=f"{case}.edi")
    assert time.process_time() - began < 10  # and no 64 MB of nothing were made in it
    assert (report.outcome, report.is_unusable) == (Outcome.FAULTY, True)
    (finding,) = [one for one in report.findings if one.remedy == FindingCode.NO_INTERCHANGE.remedy]
    assert words in finding.message
    (mail,) = house.messages(Kind.EMAIL)[told:]
    assert mail.to == "support@hub.example"
    assert words in text_of(mail)
    with house.database.reading() as tx:
        assert queries.find_orders(tx, "PO-1") == ()
    left = {path.name for path in house.settings.path.parent.iterdir()}
    assert left <= {"countermand.toml", "ledger.db", "ledger.db-wal", "ledger.db-shm"}


@pytest.mark.parametrize("case", PACKED)
def test_no_byte_of_a_packed_file_goes_unmentioned(case: str) -> None:
    content, _ = PACKED[case]
    assert envelope.read(content).outside == ((0, len(content)),)


@pytest.mark.parametrize(
    "before", [b"", b"\xef\xbb\xbf", b"\r\n", b"PK//VAN 7\r\n", b"<!-- van -->", b"{1:F01}"]
)
def test_an_interchange_that_stands_in_the_open_is_read(before: bytes) -> None:
    assert packed(before + order_file()) == ""
    assert len(envelope.read(before + order_file()).interchanges) == 1


@pytest.mark.parametrize("content", [b"", b"ISA", b"Dear hub, please cancel PO-1.", b"a,b\n1,2\n", b"PK"])
def test_what_is_like_nothing_is_called_nothing(content: bytes) -> None:
    assert likeness(content) == ""
