"""What a seller's 855, 856, 865 and 870 stand for: every form of section 2.1, and the switches."""

import pytest

from pipeline.mapping import to_submission
from storage.commands import AcknowledgeOrder, Object, Submission
from tests.unit.pipeline.mapping_texts import document, origin
from tests.unit.pipeline.mapping_words import Case, cases

ACKNOWLEDGMENTS = """
# the whole order rejected
855 BAK*00*RJ*PO-1*20260301
-> rejected

# rejected with detail
855 BAK*00*RD*PO-1*20260301 / PO1*1*4*EA / ACK*IR
-> rejected_by_line; 1 rejected

# the line's ACKs are a split (True Value, Logicbroker)
855 BAK*00*AC*PO-1*20260301 / PO1*1*90*EA / ACK*IA*88*EA / ACK*IB*1*EA / ACK*IR*1*EA
-> lines; 1 accepted 88, backordered 1, rejected 1
given fill_or_kill = true
-> lines; 1 accepted 88, backordered 1, rejected 1; backordered is cancelled
given short_accept = "cancel"
-> lines; 1 accepted 88, backordered 1, rejected 1; short is cancelled

# a line rejected under a soft header (Walmart.com)
855 BAK*00*NA*PO-1*20260301 / PO1*1*1*EA / ACK*R4*1*EA
-> lines; 1 rejected 1

# IQ, ID and BP
855 BAK*00*AC*PO-1*20260301 / PO1*1*9*EA / ACK*IQ*4*EA / PO1*2*9*EA / ACK*ID / PO1*3*9*EA / ACK*BP*4*EA
-> lines; 1 quantity_changed 4; 2 rejected; 3 partly

# backordered 0 is the rest
855 BAK*00*AC*PO-1*20260301 / PO1*1*9*EA / ACK*IB*0*EA
-> lines; 1 backordered

# 01 takes an earlier answer back
855 BAK*01*AC*PO-1*20260301
-> withdrawn

# 02 and 03
855 BAK*03*AC*PO-1*20260301
-> refused purpose_not_allowed
given purposes = { 855 = { 03 = "01" } }
-> withdrawn

# 07 and 22
855 BAK*07*RJ*PO-1*20260301
-> no effect

# 04, 05 and 06 are answers like another
855 BAK*05*AK*PO-1*20260301
-> lines

# RO and AH
855 BAK*00*RO*PO-1*20260301
-> counter_offer

# an unknown type, then an unknown purpose
855 BAK*00*ZZ*PO-1*20260301 / PO1*1*9*EA / ACK*ID
-> held (lines)
answered lines
-> lines; 1 rejected

# an unknown purpose
855 BAK*44*AC*PO-1*20260301 / PO1*1*9*EA / ACK*ID
-> held (lines)
answered lines
-> lines; 1 rejected

# accepted with another item: the buyer must learn of it, which no document of ours says
855 BAK*00*AC*PO-1*20260301 / PO1*1*9*EA**UP*012345678905 / ACK*IS*9*EA****UP*012345678950
-> held (substitute)
answered substitute
-> lines; 1 accepted 9

# a placeholder of a substitution substitutes nothing
855 BAK*00*AC*PO-1*20260301 / PO1*1*9*EA / ACK*IS*0*EA / ACK*IA*9*EA
-> lines; 1 accepted 0, accepted 9

# an unknown status is never guessed at
855 BAK*00*AC*PO-1*20260301 / PO1*1*9*EA / ACK*XX
-> held
"""

SHIPMENTS = """
# 00, with two orders
856 BSN*00*S-1*20260301*1200 / HL*1**S / HL*2*1*O / PRF*PO-1 / HL*3*2*I / LIN*1*UP*012345678905 / SN1**40*EA
  / HL*4*1*O / PRF*PO-2 / HL*5*4*I / LIN*7*UP*012345678905 / SN1**2*PC
-> ship S-1; 1 40 EA + PO-2: ship S-1; 7 2 PC
given unit_aliases = { PC = "EA" }
-> ship S-1; 1 40 EA + PO-2: ship S-1; 7 2 EA

# shipping more or less than is open
856 BSN*00*S-1*20260301*1200 / HL*1**O / PRF*PO-1 / HL*2*1*I / LIN*1 / SN1**40*EA
-> ship S-1; 1 40 EA
given over_ship = "flag"; over_ship_percent = 10
-> ship S-1; 1 40 EA; 10 % over is flagged
given ship_and_close = "lines"
-> ship S-1; 1 40 EA; the rest of the lines is closed
given ship_and_close = "order"
-> ship S-1; 1 40 EA; the rest of the order is closed

# a line status (SN108) is a note
856 BSN*00*S-1*20260301*1200 / HL*1**O / PRF*PO-1 / HL*2*1*I / LIN*1 / SN1**0*EA*****IR
-> ship S-1; 1 0 EA

# 01 withdraws
856 BSN*01*S-1*20260301*1200 / HL*1**O / PRF*PO-1
-> refused purpose_not_allowed
given asn_withdraw = "reopen"
-> withdraw S-1

# 05 replaces
856 BSN*05*S-1*20260301*1200 / HL*1**O / PRF*PO-1 / HL*2*1*I / LIN*1 / SN1**30*EA
-> refused purpose_not_allowed
given asn_withdraw = "reopen"
-> withdraw S-1; 1 30 EA
given purposes = { 856 = { 05 = "00" } }
-> ship S-1; 1 30 EA

# 04 changes
856 BSN*04*S-1*20260301*1200 / HL*1**O / PRF*PO-1 / HL*2*1*I / LIN*1 / SN1**30*EA
-> refused purpose_not_allowed
given asn_withdraw = "reopen"
-> withdraw S-1; 1 30 EA

# 01 that names no order
856 BSN*01*S-1*20260301*1200 / HL*1**S
-> refused purpose_not_allowed
given asn_withdraw = "reopen"
-> held

# 06
856 BSN*06*S-1*20260301*1200 / HL*1**O / PRF*PO-1 / HL*2*1*I / LIN*1 / SN1**30*EA
-> refused purpose_not_allowed

# 07 and 22
856 BSN*07*S-1*20260301*1200 / HL*1**O / PRF*PO-1
-> no effect

# others
856 BSN*44*S-1*20260301*1200 / HL*1**O / PRF*PO-1 / HL*2*1*I / LIN*1 / SN1**30*EA
-> held (ship)
answered ship
-> ship S-1; 1 30 EA
"""

CHANGES = """
# DI (McLane)
865 BCA*04**PO-1**3 / POC*054448*DI*504*0*CA*38.75**VN*818459
-> globex changes #3: 054448 cancel 504 then 0

# QD with IQ
865 BCA*04*AC*PO-1 / POC*1*QD*60**EA / ACK*IQ*60*EA
-> globex changes: 1 decrease 60 [quantity_changed 60]
given poc_quantity = "delta"
-> globex changes: 1 decrease 60 by delta [quantity_changed 60]

# 00 with ID
865 BCA*00*AC*PO-1 / POC*1*DI / ACK*ID
-> globex changes: 1 cancel [rejected]

# deleted and accepted at once
865 BCA*00*AC*PO-1 / POC*1*DI / ACK*IA*5*EA / POC*2*QD*5**EA
-> held (others)
answered others
-> globex changes: 2 decrease 5

# deleted, with accepted 0 as a placeholder
865 BCA*00*AC*PO-1 / POC*1*DI / ACK*IA*0*EA / ACK*IR*4*EA
-> globex changes: 1 cancel [accepted 0] [rejected 4]

# 05 replaces the earlier 865, and restates no order
865 BCA*05*AC*PO-1 / POC*1*QD*5**EA
-> globex changes: 1 decrease 5

# CF
865 BCA*04*AC*PO-1 / POC**CF
-> globex cancels the order

# CF among other lines
865 BCA*04*AC*PO-1 / POC**CF / POC*2*NC*5**EA
-> held (cancel)
answered cancel
-> globex cancels the order

# 01
865 BCA*01**PO-1
-> globex cancels the order

# 01 with lines that are deleted too
865 BCA*01*AT*PO-1 / POC*1*DI*5**EA / POC*2*QD*0**EA / ACK*ID
-> globex cancels the order

# 01 with a line that stays
865 BCA*01**PO-1 / POC*1*NC*5**EA
-> held (cancel)
answered cancel
-> globex cancels the order

# 01 that refuses
865 BCA*01*RJ*PO-1
-> held (cancel)

# 02, 03
865 BCA*02**PO-1 / POC*1*AI*5**EA
-> refused purpose_not_allowed

# 07, 22
865 BCA*22*AC*PO-1 / POC*1*DI
-> no effect

# AH, RO
865 BCA*04*AH*PO-1 / POC*1*DI
-> held (lines)
answered lines
-> globex changes: 1 cancel

# no lines, nothing agreed to
865 BCA*04*NA*PO-1
-> no effect

# no lines that change anything
865 BCA*04*AC*PO-1 / POC*1*OA*5**EA
-> no effect

# an unknown status
865 BCA*04*AC*PO-1 / POC*1*DI / ACK*XX
-> held
"""

ANSWERS = """
# RJ with 11 (the standard's own example)
865 BCA*11*RJ*PO-1
-> refused

# RJ without 11 may be about the order
865 BCA*00*RJ*PO-1
-> refused if asked

# RC
865 BCA*04**PO-1 / POC*1*RC*5**EA
-> refused; 1 refused

# RC beside another change: whose is that?
865 BCA*04**PO-1 / POC*1*RC*5**EA / POC*2*QD*5**EA
-> held (agreed, refused)
answered refused
-> refused

# agreed without lines
865 BCA*11*AT*PO-1
-> agreed

# 06, the final yes
865 BCA*06**PO-1
-> agreed

# agreed without lines and without 11
865 BCA*00*AC*PO-1
-> agreed if asked

# the change echoed
865 BCA*11*AC*PO-1 / POC*1*DI*5**EA
-> agreed

# ID agrees to a deletion
865 BCA*11*AC*PO-1 / POC*1*DI / ACK*ID / POC*2*QD*5**EA / ACK*ID*3*EA
-> agreed; 1 agreed; 2 agreed 3

# IA on a deletion: of the deletion under a yes, unclear without one
865 BCA*11*AC*PO-1 / POC*1*DI / ACK*IA*5*EA
-> agreed; 1 agreed

# IA on a deletion without a yes
865 BCA*11**PO-1 / POC*1*DI / ACK*IA*5*EA
-> held (agreed, refused)
answered agreed
-> agreed

# accepted in the new quantity, or in another one
865 BCA*11*AC*PO-1 / POC*1*QD*60**EA / ACK*IQ*60*EA
-> agreed; 1 agreed

# accepted in another quantity
865 BCA*11*AC*PO-1 / POC*1*QD*60**EA / ACK*IQ*80*EA
-> held (agreed, refused)

# IR refuses one change of several
865 BCA*11*AC*PO-1 / POC*1*QD*60**EA / ACK*IR / POC*2*QD*60**EA / ACK*IA
-> agreed; 1 refused; 2 agreed

# IR under a yes that allows no exception
865 BCA*11*AT*PO-1 / POC*1*QD*60**EA / ACK*IR
-> held (agreed, refused)

# RD with one line agreed to
865 BCA*11*RD*PO-1 / POC*1*DI / ACK*ID / POC*2*DI / ACK*IR
-> refused; 1 agreed; 2 refused

# RJ with a line agreed to
865 BCA*11*RJ*PO-1 / POC*1*DI / ACK*ID
-> held (agreed, refused)

# neither yes nor no
865 BCA*11**PO-1
-> held (agreed, refused)

# on hold
865 BCA*11*AC*PO-1 / POC*1*DI / ACK*IH
-> held (agreed, refused)
"""

REPORTS = """
# item cancelled (to JCPenney)
870 PRF*PO-1 / PO1*1 / ISR*IC*6*EA
-> lines; 1 rejected 6 for certain

# cancelled line item, all of it
870 PRF*PO-1 / PO1*1 / ISR*CU
-> lines; 1 rejected for certain

# order deleted
870 PRF*PO-1 / ISR*DE
-> globex cancels the order

# order deleted, with all its lines
870 PRF*PO-1 / ISR*DE / PO1*1 / ISR*IC
-> globex cancels the order

# order deleted, and a line of it shipped
870 PRF*PO-1 / ISR*DE / PO1*1 / ISR*SH*4*EA
-> held (cancel)
answered cancel
-> globex cancels the order

# item cancelled, said of the order
870 PRF*PO-1 / ISR*IC
-> held (cancel)

# order deleted, said of a line
870 PRF*PO-1 / PO1*1 / ISR*DE
-> held (cancel)
answered cancel
-> lines; 1 rejected for certain

# item cancelled, quantity 0
870 PRF*PO-1 / PO1*1 / ISR*IC*0*EA
-> held (cancel)

# discontinued, no more to come
870 PRF*PO-1 / PO1*1 / ISR*DI / PO1*2 / ISR*CP*4*EA / PO1*3 / ISR*IC*2*EA
-> held (cancel, others)
answered cancel
-> lines; 1 rejected for certain; 2 rejected for certain; 3 rejected 2 for certain
answered others
-> lines; 1 kept; 2 kept 4; 3 rejected 2 for certain

# backordered, shipped, complete, an older order's cancellation, on an order and its lines
870 PRF*PO-1 / ISR*CL / PO1*1 / ISR*BO / PO1*2 / ISR*SH*4*EA / PO1*3 / ISR*CK
-> no effect

# what else is said of an item says which units are not cancelled; of what another one counts is not read
870 PRF*PO-1 / PO1*1 / ISR*SH*60*EA / ISR*IC / PO1*2 / ISR*BO*3*EA*38 / PO1*3 / PO1*4 / ISR*CK*5*EA
-> lines; 1 kept 60, rejected for certain; 2 kept; 3 kept; 4 kept

# once a person has said that what is open is cancelled, only figures speak against it
870 PRF*PO-1 / PO1*1 / ISR*DI / ISR*BO / PO1*2 / ISR*CP / ISR*SH*60*EA
-> held (cancel)
answered cancel
-> lines; 1 rejected for certain; 2 rejected for certain, kept 60

# several orders
870 PRF*PO-1 / ISR*DE / PRF*PO-2 / ISR*BK / PRF*PO-3 / PO1*1 / ISR*IC
-> globex cancels the order + PO-3: lines; 1 rejected for certain

# a doubt about one order holds the report
870 PRF*PO-1 / ISR*DE / PRF*PO-2 / ISR*CP
-> PO-2: held (cancel, others)
answered others
-> globex cancels the order
"""


PLACES = """
855 BAK*00*AC*PO-1*20260301 / PO1*1*60*EA / ACK*IA / PO1*1*5*CA / ACK*IR / PO1*2
-> 1 of 60 EA, 1 of 5 CA, 2 of None

870 PRF*PO-1 / PO1*1*60*EA / ISR*SH / PO1*1*40*EA / ISR*IC / PO1*2*5*PC / ISR*DI
-> held
answered others
-> 1 of 60 EA, 1 of 40 EA, 2 of 5 PC
answered cancel
-> 1 of 60 EA, 1 of 40 EA, 2 of None
"""


@pytest.mark.parametrize("case", cases(PLACES), ids=str)
def test_how_many_units_a_seller_speaks_of(case: Case) -> None:
    """PO102 as sent, for the ledger to compare; where a person said that all is cancelled, it is not read."""
    mapped = to_submission(document(case.kind, case.text), origin(case.kind, resolution=case.answered))
    assert isinstance(mapped, Submission)
    (command,) = mapped.commands
    if not isinstance(command, AcknowledgeOrder):
        assert case.expected == "held"
        return
    said = [f"{line.line.number} of {line.quantity} {line.unit}".strip() for line in command.lines]
    assert [one.removesuffix(" PC") if "None" in one else one for one in said] == case.expected.split(", ")


def test_what_is_delivered_instead_is_named_in_the_question_and_in_the_history() -> None:
    text = (
        "BAK*00*AC*PO-1*20260301 / PO1*1*9*EA***UP*012345678905*VN*W-1"
        " / ACK*IS*4*EA****UP*012345678950*VN*W-1 / PO1**5*EA / ACK*IS"
    )
    said = (
        "Line 1: the seller delivers UP 012345678950 instead (IS 4)."
        " The line at segment 5: the seller delivers an item that is not named instead (IS)."
    )
    asked, answered = (
        to_submission(document("855", text), origin("855", resolution=answer))
        for answer in ("", "substitute")
    )
    assert isinstance(asked, Submission)
    assert isinstance(answered, Submission)
    (question,), (command,) = asked.commands, answered.commands
    assert isinstance(question, Object)
    assert question.statement == f"{said} Does the buyer take that? Nobody has told the buyer yet."
    assert command.note == said


@pytest.mark.parametrize("case", cases(ACKNOWLEDGMENTS + SHIPMENTS + CHANGES + ANSWERS + REPORTS), ids=str)
def test_what_a_seller_says(case: Case) -> None:
    assert case.outcome() == case.expected
