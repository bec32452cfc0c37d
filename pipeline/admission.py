"""Admission: whose interchange this is, and whether its sender may speak here. Pure."""

from dataclasses import dataclass

from edi.envelope import Interchange
from edi.findings import Finding, FindingCode
from pipeline.partners import Partner
from pipeline.policy import ShortIsa
from pipeline.settings import Settings


@dataclass(frozen=True, slots=True, kw_only=True)
class Admitted:
    """The partner that speaks, and the one it speaks to (None: the hub)."""

    sender: Partner
    receiver: Partner | None


@dataclass(frozen=True, slots=True)
class NotAdmitted:
    """Why an interchange must be kept apart; `sender` may be answered, None: nobody may."""

    finding: Finding
    sender: Partner | None = None


def admit(interchange: Interchange, mailbox_of: str, settings: Settings) -> Admitted | NotAdmitted:
    """The parties of an interchange, or why it must be kept apart.

    `mailbox_of` is the partner whose mailbox it came from ("": none, as in a replay). A mailbox speaks only
    for its own partner; every group's GS02 must belong to the same partner as ISA06.
    """
    directory = settings.directory
    sender = directory.by_isa(interchange.sender.qualifier, interchange.sender.id)
    if sender is None:
        return _unknown(
            FindingCode.SENDER_UNKNOWN,
            f"No partner has the interchange address {interchange.sender} (ISA05-06).",
            "6",
            interchange,
        )
    if mailbox_of and sender.id != mailbox_of:
        return _unknown(
            FindingCode.SENDER_FOREIGN,
            f"The mailbox of {mailbox_of} holds an interchange of another, {interchange.sender}.",
            "6",
            interchange,
        )
    for group in interchange.groups:
        if sender.gs and group.sender.rstrip(" ") not in sender.gs:
            return _unknown(
                FindingCode.SENDER_FOREIGN,
                f'The group sender "{group.sender}" (GS02) does not belong to {sender.id}.',
                "",
                interchange,
            )
    return _receiver(interchange, sender, settings)


def takes_short_isa(settings: Settings, mailbox_of: str) -> bool:
    """Whether the partner whose mailbox this is may send an ISA that lost its padding."""
    partner = settings.directory.get(mailbox_of)
    return partner is not None and partner.policy.short_isa is ShortIsa.READ


def _unknown(code: FindingCode, message: str, element: str, interchange: Interchange) -> NotAdmitted:
    return NotAdmitted(about_isa(code, message, element, interchange))


def _receiver(interchange: Interchange, sender: Partner, settings: Settings) -> Admitted | NotAdmitted:
    address, hub = interchange.receiver, settings.hub
    if (address.qualifier, address.id) == (hub.isa.qualifier, hub.isa.id):
        named = {
            partner for group in interchange.groups if (partner := settings.directory.by_gs(group.receiver))
        } - {sender}
        return Admitted(sender=sender, receiver=named.pop() if len(named) == 1 else None)
    receiver = settings.directory.by_isa(address.qualifier, address.id)
    if receiver is None or receiver is sender:
        said = f"The receiver {address} (ISA07-08) is neither this hub nor one of its other partners."
        return NotAdmitted(about_isa(FindingCode.RECEIVER_UNKNOWN, said, "8", interchange), sender)
    for group in interchange.groups:
        if settings.directory.by_gs(group.receiver) not in (None, receiver):
            said = (
                f'The group is for another partner, "{group.receiver}" (GS03), than the receiver {address}.'
            )
            return NotAdmitted(about_isa(FindingCode.RECEIVER_UNKNOWN, said, "8", interchange), sender)
    return Admitted(sender=sender, receiver=receiver)


def about_isa(
    code: FindingCode, message: str, element: str, interchange: Interchange, value: str = ""
) -> Finding:
    """A finding about an interchange as a whole, at an element of its ISA."""
    return Finding(
        code=code,
        message=message,
        segment="ISA",
        element=element,
        value=value,
        interchange=interchange.control_number,
        offset=interchange.offset,
    )
