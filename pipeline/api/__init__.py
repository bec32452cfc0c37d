"""The second door: an HTTP API and the app over the same ledger. The only home of FastAPI and its like.

`application` puts a site together: middleware, and routers. `guard` is the middleware: sizes, headers, a line
of the log for each request. `problems` says every error of the API as RFC 9457 has it. `serving` runs a site.
The API's routes are thin: they find out who asks, and end in the path that staff's commands take too.
"""
