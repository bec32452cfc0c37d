"""The order ledger and every rule about cancelling. Knows no X12, no mail, no HTTP."""
