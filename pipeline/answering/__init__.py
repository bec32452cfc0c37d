"""Answering: what the hub itself says in X12.

`answers` owes the documents, with their control numbers: 997 and TA1, the ledger's no (`advice`: 824), a word
in the seller's name where that was agreed (`speaking`: 855, 865), and what tells the other party of a
cancellation (`announcements`: 860, 865, 855), which `announcing` leaves to whoever wants it.
"""
