"""Whose fault it is, said in the type: the partner's, the operator's, or nobody's for now.

    CountermandError
    |-- PartnerError            the partner can put it right: we tell them (exit code 1)
    |   |-- FileTooLarge        one file over the limit; it was not opened
    |   `-- FileLeft            one file that is empty, no file, or not what its listing says
    |-- OperatorError           we can put it right: settings, keys, rights (exit code 2)
    |   |-- HostKeyMismatch     the server is not the one that was pinned; no credential was sent
    |   |-- LoginRefused        the server does not let us in with what we have
    |   |-- FileUnreadable      one file we may list but not read
    |   `-- NameTaken           the name to deliver under already holds other content
    `-- TransportError          may pass by itself: the next round tries again
        |-- MailboxPaused       not tried now, because it failed not long ago or refused us too often
        `-- FileChanged         one file changed or went away under our hands

Anything else is a bug and is let through (exit code 3). Every message is one line that says what
happened, to which host, file or setting, and what to do about it.
"""


class CountermandError(Exception):
    """Everything this program raises on purpose."""


class PartnerError(CountermandError):
    """The partner sent something only the partner can put right."""


class FileTooLarge(PartnerError):
    """A file is larger than the limit; judged from the listing, never opened."""


class FileLeft(PartnerError):
    """A file stays where it is, because of what it is; said once as long as it stays the same."""


class OperatorError(CountermandError):
    """Settings, keys, rights or accounts are not as they must be."""


class HostKeyMismatch(OperatorError):
    """The server showed a host key that is not pinned for it; nothing was sent to it."""


class LoginRefused(OperatorError):
    """The server judged our credentials and said no."""


class FileUnreadable(OperatorError):
    """The server lists a file and does not let us read it."""


class NameTaken(OperatorError):
    """The final name already exists with other content; it was left as it is."""


class TransportError(CountermandError):
    """The network or the server failed; the same call may well succeed later."""


class MailboxPaused(TransportError):
    """A mailbox was not tried; the message says since when, why, and what ends the pause."""


class FileChanged(TransportError):
    """A file is no longer what the listing said; the other files are not concerned."""


FILE_ERRORS = (FileTooLarge, FileUnreadable, FileChanged)
"""Errors that concern one file: the session is well, and its neighbours go on."""
