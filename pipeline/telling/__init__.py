"""Telling: people hear by e-mail what happened, once, in the transaction of the fact.

`notifications` makes notices of the ledger's facts and `for_support` of what cannot be used, in the `words`
of an order; `company_mail` says who of a company reads what and when, `owing` puts each into the outbox or
owes it in an hour's digest, and `digests` gathers those.
"""
