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

# A network's batch file holds thousands at most. Some 20 bytes can pose as one.
interchanges_per_file_max = 10_000

# Each choice of delimiters costs patterns of its own: some 20 milliseconds for the segments of a plain order.
# A file of ours has one or two, a network's batch as many as there are habits among its senders.
delimiters_per_file_max = 32

# Element I16 (IEA01) is N0 1/5. We count over the file, and 3 bytes ("GS~") can pose as a group of 500.
groups_per_file_max = 99_999

# Element 97 (GE01) is N0 1/6. We count over the file: 200,000 orders of 10 lines fill the largest one. What
# is remembered of a set until its file is done takes some 3 kB, so that all of them stay under 1 GB.
sets_per_file_max = 250_000

# 100,000 lines of 10 segments. A segment takes some 60 bytes and what it says, so a set stays in 100 MB.
segments_per_set_max = 1_000_000

# The widest segment of the order sets is SDQ (23 elements of up to 80 characters: 1.9 kB); a text segment
# with every element at 264 characters and 25 elements is 6.6 kB. Over this, a terminator has been lost.
segment_bytes_max = 64 * 1024

# The widest segments of the dictionary have some 30 elements (ACK 29, SLN 28). A thousand is 30 times that.
elements_per_segment_max = 1_000

# Findings beyond these are one LIMIT finding. 100 wrong segments tell a sender what 100,000 would. A finding
# with its sentence takes some 500 bytes and 3 microseconds: a file's are 5 MB at most.
findings_per_set_max = 100
findings_per_interchange_max = 1_000
findings_outside_max = 1_000
findings_per_file_max = 10_000  # of its envelopes, that is: interchanges, groups and sets
# Of the content of its sets. Beyond, one finding stands for a set's: it is not used all the same.
set_findings_per_file_max = 10_000

# Text between interchanges is shown in a finding by its first characters: one screen line.
excerpt_chars_max = 80

# Quantities: R 1/15 leaves 15 digits; 12 before and 6 after the point fit a NUMERIC(18, 6) column.
quantity_integer_digits_max = 12
quantity_decimals_max = 6

# The longest number text we look at: sign, point, and 18 digits with as many padding zeros.
number_chars_max = 40

# Quantities, prices and dates come again and again: so many texts are read once. Text, value and the table's
# own entry are some 250 bytes: 8 MB when full, and as much again for dates, which are far fewer.
numbers_kept_max = 32_768
packs_kept_max = 1_024

# Elements 719 (AK302) is N0 1/6 in 004010 and 1/10 in 005010; AK4 repeats 99 times; 724 is AN 1/99.
ak3_position_max_004010 = 999_999
ak4_per_ak3_max = 99
bad_value_chars_max = 99
codes_per_ak5_max = 5
codes_per_ak9_max = 5

# Element I12 (ISA13) is N0 9/9, 28 (GS06) N0 1/9, 329 (ST02) AN 4/9: nine digits each.
control_number_max = 999_999_999
