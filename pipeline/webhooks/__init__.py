"""Webhooks: events of the ledger as JSON for partners' endpoints, signed, and never posted where they must not.

`bodies` makes an event's body, `owing` puts it into the outbox with its fact, `signing` is the signature of
Standard Webhooks, `targets` says which addresses may be spoken to, and `posting` speaks to one.
"""
