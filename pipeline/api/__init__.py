"""The second door: an HTTP API and the app over the same ledger. The only home of FastAPI and its like.

`application` puts a site together, and `serving` runs it. `guard` is what every request passes through:
sizes, headers, a line of the log. `callers` are partners' systems, by their keys. `routes` are the
addresses, `shapes` what they take and `answers` what they give; `webhooks` are those for endpoints.
`meanings` makes commands of bodies, and `desk` is where a request that changes something becomes one
transaction. `preview` is the same decision without it. `problems` says every error as RFC 9457 has it, and
`description` is all of this in OpenAPI. No rule is here: everything that is said about an order ends in
`pipeline.entering`, as what staff enters does.
"""
