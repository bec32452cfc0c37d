"""Notices: what the templates of e-mails are given. CONTEXTS are all of them, proven at start-up.

`contexts` has one for each template, `digest` that of an hour's mail, `shapes` what they show of an order.
"""

from pipeline.notices.contexts import (
    AnswerMissed,
    AnswerRejected,
    CancellationRefused,
    CancellationRequested,
    Context,
    DocumentRefused,
    DocumentRejected,
    LinesCancelled,
    OrderCancelled,
    PasswordLink,
    RequestLapsed,
    RequestRefused,
    RequestWithdrawn,
)
from pipeline.notices.digest import Digest

CONTEXTS: tuple[type[Context], ...] = (
    OrderCancelled, LinesCancelled, CancellationRequested, RequestRefused, RequestWithdrawn,
    RequestLapsed, AnswerMissed, CancellationRefused, DocumentRefused, DocumentRejected, AnswerRejected,
    PasswordLink, Digest,
)  # fmt: skip
