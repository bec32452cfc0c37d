"""Ours: a file checked, and a file checked and read to documents, as the product does it."""

from edi import envelope, read_850, read_855, read_856
from edi.guide import check

_READERS = {"850": read_850.read, "855": read_855.read, "856": read_856.read}


def checked(data: bytes) -> int:
    """Envelope and grammar; how many findings there are."""
    found = 0
    for one in envelope.read(data).interchanges:
        found += len(one.findings)
        for group in one.groups:
            for transaction_set in group.sets:
                found += len(transaction_set.findings) + len(check(transaction_set, group.map_release))
    return found


def read(data: bytes) -> int:
    """Envelope, grammar and documents; how many documents there are. What is faulty is read all the same."""
    documents = 0
    for one in envelope.read(data).interchanges:
        for group in one.groups:
            for transaction_set in group.sets:
                check(transaction_set, group.map_release or "004010")
                reader = _READERS.get(transaction_set.type)
                documents += reader is not None and reader(transaction_set)[0] is not None
    return documents
