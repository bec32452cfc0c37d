"""The contexts of all e-mails: each has its templates, which are proven at start-up."""

from pipeline.digest_notice import Digest
from pipeline.notices import (
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

CONTEXTS: tuple[type[Context], ...] = (
    OrderCancelled, LinesCancelled, CancellationRequested, RequestRefused, RequestWithdrawn,
    RequestLapsed, AnswerMissed, CancellationRefused, DocumentRefused, DocumentRejected, AnswerRejected,
    PasswordLink, Digest,
)  # fmt: skip
