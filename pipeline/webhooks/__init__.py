"""Webhooks: events of the ledger as JSON for partners' endpoints, signed, and posted to the Internet only.

`bodies` makes an event's body, `owing` puts it into the outbox with its fact, `signing` is the signature of
Standard Webhooks, `targets` says which addresses may be spoken to, and `posting` speaks to one.
"""
