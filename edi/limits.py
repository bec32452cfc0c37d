"""Limits: every bound on size and count that `edi` holds, each with its arithmetic.

Names end in their unit. A bound of the X12 dictionary says so; the others are ours and are generous: nothing
a trading partner sends by habit comes near them, while a hostile or broken file cannot exhaust the machine.
"""

# The file. 256 MiB is 200,000 purchase orders of 10 lines (about 1.06 kB each), 200 times a busy day's file.
file_bytes_max = 256 * 1024 * 1024

# An ISA is 106 bytes. Those with padding lost or doubled stay within 3 + 16 separators + 16 elements of
# 35 bytes (twice the widest, ISA06, and some); one that does not show 16 separators by then is no ISA.
isa_bytes = 106
isa_bytes_max = 3 + 16 + 16 * 35

# A network's batch file holds thousands at most. Four bytes can pose as one ("ISA-", over and over), and
# each costs some 9 kB and 0.3 ms of findings: 10,000 of them are 90 MB and 3 seconds.
interchanges_per_file_max = 10_000

# Element I16 (IEA01) is N0 1/5.
groups_per_interchange_max = 99_999

# Element 97 (GE01) is N0 1/6. We count over the interchange, which is stricter.
sets_per_interchange_max = 999_999

# The widest segment of the order sets is SDQ (23 elements of up to 80 characters: 1.9 kB); a text segment
# with every element at 264 characters and 25 elements is 6.6 kB. Over this, a terminator has been lost.
segment_bytes_max = 64 * 1024

# Findings beyond these are one LIMIT finding. 100 wrong segments tell a sender what 100,000 would.
findings_per_set_max = 100
findings_per_interchange_max = 1_000
findings_outside_max = 1_000

# Text between interchanges is shown in a finding by its first characters: one screen line.
excerpt_chars_max = 80

# Quantities: R 1/15 leaves 15 digits; 12 before and 6 after the point fit a NUMERIC(18, 6) column.
quantity_integer_digits_max = 12
quantity_decimals_max = 6

# The longest number text we look at: sign, point, and 18 digits with as many padding zeros.
number_chars_max = 40

# Elements 719 (AK302) is N0 1/6 in 004010 and 1/10 in 005010; AK4 repeats 99 times; 724 is AN 1/99.
ak3_position_max_004010 = 999_999
ak4_per_ak3_max = 99
bad_value_chars_max = 99
codes_per_ak5_max = 5
codes_per_ak9_max = 5

# Element I12 (ISA13) is N0 9/9, 28 (GS06) N0 1/9, 329 (ST02) AN 4/9: nine digits each.
control_number_max = 999_999_999
