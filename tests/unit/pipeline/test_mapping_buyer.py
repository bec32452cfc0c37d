"""What a buyer's 850 and 860 stand for: every form of section 2.1 and every purpose of section 1.8."""

import pytest

from tests.unit.pipeline.mapping_words import Case, cases

ORDERS = """
# 00 original
850 BEG*00*SA*PO-1**20260301 / PO1*1*100*EA*1**UP*012345678905 / PO1*2*5*CA
-> place: 1: 100 EA; 2: 5 CA

# 07 duplicate: places when unknown
850 BEG*07*SA*PO-1**20260301 / PO1*1*100*EA
-> place as a copy: 1: 100 EA

# 18 issued anew: an order like any other
850 BEG*18*SA*PO-1**20260301 / PO1*1*100*EA
-> place: 1: 100 EA

# 06 and 22 are for information, and so is order type IN
850 BEG*06*SA*PO-1**20260301 / PO1*1*100*EA
-> no effect

# 22 information copy
850 BEG*22*SA*PO-1**20260301 / PO1*1*100*EA
-> no effect

# IN information copy
850 BEG*00*IN*PO-1**20260301 / PO1*1*100*EA
-> no effect

# 01 without quantity (Nordstrom)
850 BEG*01*SA*PO-1**20260409 / PO1*1
-> acme cancels the order
given buyer_cancel = "requested"
-> acme cancels the order, if the seller agrees
given cancel_part_shipped = "refuse"
-> acme cancels the order, all or nothing

# 01 without lines
850 BEG*01*SA*PO-1**20260409
-> acme cancels the order

# 17 cancel, to be reissued
850 BEG*17*SA*PO-1**20260409
-> acme cancels the order

# 02 addition
850 BEG*02*SA*PO-1**20260301 / PO1*1*100*EA
-> refused purpose_not_allowed

# 03 deletion (Ann Taylor)
850 BEG*03*SA*PO-1**20260301 / PO1*1*100*EA
-> refused purpose_not_allowed
given purposes = { 850 = { 03 = "01" } }
-> acme cancels the order

# 04 change: the order as it is to be
850 BEG*04*SA*PO-1*2*20260301 / PO1*1*60*EA*1**UP*012345678905
-> acme restates #2: 1 set 60
given cancel_part_shipped = "refuse"
-> acme restates #2, all or nothing: 1 set 60

# 05 replacement, its revision in BEG04 (Burlington)
850 BEG*05*SA*PO-1*003*20260301 / PO1*1*60*EA / SDQ*EA*92*001*20*002*40
-> acme restates #003: 1 set 60 stores 20,40
given buyer_cancel = "requested"
-> acme restates #003, if the seller agrees: 1 set 60 stores 20,40
given poc_quantity = "delta"
-> acme restates #003: 1 set 60 stores 20,40

# 05 of a release: the release is the order
850 BEG*05*RL*PO-1*003*20260301 / PO1*1*60*EA
-> acme restates: 1 set 60

# 05 without lines
850 BEG*05*SA*PO-1**20260301
-> held (cancel)
answered cancel
-> acme cancels the order

# 05 with a missing quantity is no zero
850 BEG*05*SA*PO-1**20260301 / PO1*1**EA
-> acme restates: 1 set

# every quantity 0 (Shopbop)
850 BEG*00*SA*PO-1**20260301 / PO1*1*0*EA / PO1*2*0*EA
-> place: 1: 0 EA; 2: 0 EA
given zero_is_cancel = true
-> acme cancels the order

# every quantity 0, restated
850 BEG*05*SA*PO-1**20260301 / PO1*1*0*EA
-> acme restates: 1 set 0
given zero_is_cancel = true
-> acme cancels the order

# one quantity 0, one missing: unknown is no zero
850 BEG*00*SA*PO-1**20260301 / PO1*1*0*EA / PO1*2
given zero_is_cancel = true
-> place: 1: 0 EA; 2: ?

# one quantity 0, one not
850 BEG*00*SA*PO-1**20260301 / PO1*1*0*EA / PO1*2*5*EA
given zero_is_cancel = true
-> place: 1: 0 EA; 2: 5 EA

# total 0, but a store has units
850 BEG*00*SA*PO-1**20260301 / PO1*1*0*EA / SDQ*EA*92*001*5
given zero_is_cancel = true
-> place: 1: 0 EA stores 5

# no lines are not all zero
850 BEG*00*SA*PO-1**20260301
given zero_is_cancel = true
-> place:

# 44 rejection, and others
850 BEG*44*SA*PO-1**20260301 / PO1*1*100*EA
-> held

# BEG05 with a status reference (adidas): partner-specific, never by default
850 BEG*05*SA*PO-1**20260301 / REF*CR*Closed / PO1*1*100*EA
-> acme restates: 1 set 100
"""

CHANGES = """
# 01 without lines (Target)
860 BCH*01*SA*PO-1
-> acme cancels the order
given buyer_cancel = "requested"
-> acme cancels the order, if the seller agrees
given cancel_part_shipped = "refuse"
-> acme cancels the order, all or nothing

# 01 with lines: still the whole order
860 BCH*01*SA*PO-1 / POC*1*DI*10*0*EA
-> acme cancels the order

# 17 cancel, to be reissued
860 BCH*17*SA*PO-1
-> acme cancels the order

# 02
860 BCH*02*SA*PO-1 / POC*1*AI*10**EA
-> refused purpose_not_allowed

# 03
860 BCH*03*SA*PO-1
-> refused purpose_not_allowed
given purposes = { 860 = { 03 = "01" } }
-> acme cancels the order

# 06, 07 and 22 change nothing
860 BCH*06*SA*PO-1 / POC*1*DI*10*0*EA
-> no effect

# 07
860 BCH*07*SA*PO-1 / POC*1*DI*10*0*EA
-> no effect

# 22
860 BCH*22*SA*PO-1 / POC*1*DI*10*0*EA
-> no effect

# 18 and others
860 BCH*18*SA*PO-1 / POC*1*DI*10*0*EA
-> held

# one POC**CF, or nothing but CF
860 BCH*04*SA*PO-1 / POC**CF
-> acme cancels the order

# CF among other lines
860 BCH*04*SA*PO-1 / POC**CF / POC*2*QD*5**EA
-> held (cancel)
answered cancel
-> acme cancels the order

# DI (Micro Center)
860 BCH*04*SA*PO-1**7 / POC*1*DI*10*0*EA*0.36**VP*W-1
-> acme changes #7: 1 cancel 10 then 0

# DI without a quantity, purpose 00 (Walmart DSV)
860 BCH*00*SA*PO-1 / POC*0001*DI******PL*1
-> acme changes: 0001 cancel
given buyer_cancel = "requested"
-> acme changes, if the seller agrees: 0001 cancel

# every line DI
860 BCH*04*SA*PO-1 / POC*1*DI / POC*2*DI
-> acme changes: 1 cancel; 2 cancel

# QD, and the readings of its quantities
860 BCH*04*SA*PO-1 / POC*1*QD*60**EA*12.50**VP*W-1
-> acme changes: 1 decrease 60
given poc_quantity = "delta"
-> acme changes: 1 decrease 60 by delta
given poc_quantity = "old_new"
-> acme changes: 1 decrease 60 by old_new

# QD with what is left to receive
860 BCH*04*SA*PO-1 / POC*1*QD*60*20*EA
-> acme changes: 1 decrease 60 then 20

# QI, AI
860 BCH*04*SA*PO-1 / POC*1*QI*120**EA / POC*9*AI*5**CA
-> acme changes: 1 increase 120; 9 add 5 = 9: 5 CA

# CA, PQ, RQ, MU, RZ set the quantity
860 BCH*04*SA*PO-1 / POC*1*CA*60**EA / POC*2*PQ*60**EA / POC*3*RQ*60**EA / POC*4*MU*60**EA / POC*5*RZ*60**EA
-> acme changes: 1 set 60; 2 set 60; 3 set 60; 4 set 60; 5 set 60

# CA without a quantity changes something else
860 BCH*04*SA*PO-1 / POC*1*CA***EA*9.95
-> acme changes: 1 note

# QC with a composite, whatever is agreed
860 BCH*04*SA*PO-1 / POC*1*QC*100*100>>40*EA
-> acme changes: 1 set 100 original 100 decrease 40 by composite
given poc_quantity = "delta"
-> acme changes: 1 set 100 original 100 decrease 40 by composite

# QC without one is not read as a new total
860 BCH*04*SA*PO-1 / POC*1*QC*60**EA
-> acme changes: 1 set 60 by composite

# a composite under another code
860 BCH*04*SA*PO-1 / POC*1*QD*100*>>40>60*EA
-> acme changes: 1 decrease 100 decrease 40 revised 60 by composite

# price, date and terms move no units, whatever the quantity beside them (McLane, Tyco)
860 BCH*04*SA*PO-1 / POC*1*CT*60*60*EA / POC*2*RS*1000*1000*EA / POC*3*PC*5**EA
-> acme changes: 1 note 60 then 60; 2 note 1000 then 1000; 3 note 5

# NC
860 BCH*04*SA*PO-1 / POC*1*NC*60**EA
-> acme changes: 1 confirm 60

# announcements and packing are ignored
860 BCH*04*SA*PO-1 / POC*1*OA*60**EA / POC*2*AA*60**EA / POC*3*CH / POC*4*CI / POC*5*OC
-> no effect

# announcements beside a change
860 BCH*04*SA*PO-1 / POC*1*OA*60**EA / POC*2*DI
-> acme changes: 2 cancel

# replacement items and transfers
860 BCH*04*SA*PO-1 / POC*1*RE*60**EA / POC*2*DI
-> held (others)
answered others
-> acme changes: 2 cancel

# a transfer alone
860 BCH*04*SA*PO-1 / POC*1*TI*60**EA
-> held

# RC from a buyer
860 BCH*04*SA*PO-1 / POC*1*RC*60**EA
-> held

# a code that is in no list
860 BCH*04*SA*PO-1 / POC*1*RD*60**EA
-> held

# 04 without lines: the heading changed
860 BCH*04*SA*PO-1
-> no effect

# 05: the lines are the whole order
860 BCH*05*SA*PO-1**2 / POC*1*RZ*60**EA / POC*2*OA*5**EA / POC*3*AI*7**EA
-> acme restates #2: 1 set 60; 2 note 5; 3 add 7 = 3: 7 EA

# 05 with a line that needs a person: leaving it out would cancel it
860 BCH*05*SA*PO-1 / POC*1*RZ*60**EA / POC*2*RE*5**EA
-> held
answered others
-> held

# 05 without lines
860 BCH*05*SA*PO-1
-> held (cancel)
answered cancel
-> acme cancels the order

# stores with the line's total
860 BCH*04*SA*PO-1 / POC*1*QD*60**EA / SDQ*EA*92*001*20*002*40
-> acme changes: 1 decrease 60 stores 20,40

# stores without it: their sum is no new total
860 BCH*04*SA*PO-1 / POC*1*QD***EA / SDQ*EA*92*001*20*002*40
-> held (total)
answered total
-> acme changes: 1 decrease 60 stores 20,40

# a deletion that names stores only
860 BCH*04*SA*PO-1 / POC*1*DI***EA / SDQ*EA*92*001*20 / POC*2*QD*5**EA
-> held (total, others)
answered others
-> acme changes: 2 decrease 5

# IN information copy
860 BCH*04*IN*PO-1 / POC*1*DI
-> no effect
"""


@pytest.mark.parametrize("case", cases(ORDERS + CHANGES), ids=str)
def test_what_a_buyer_says(case: Case) -> None:
    assert case.outcome() == case.expected
