"""Patterns and bounds of what requests say, and what each asks for in words."""

PAGE_MAX = 200  # entries of a list
LIMIT_WORDS = f"Use a whole number from 1 to {PAGE_MAX}."

#: What X12 can carry in any release, so that others can be told in it: no delimiter, no blank outside.
CODE = r"^[!-)+-=?-\]_-}](?:[ -)+-=?-\]_-}]*[!-)+-=?-\]_-}])?$"
CODE_WORDS = "Use letters from A to Z, digits and signs, but none of * > ^ ~ and no blank at an end."
#: A code of X12 that has two characters: a qualifier, a unit of measure.
PAIR = "^[A-Z0-9]{2}$"
PAIR_WORDS = "Use the two capital letters or digits that X12 has for it, such as EA or UP."
#: What a header can carry unchanged.
KEY = r"^[!-~]+$"
KEY_WORDS = "Use up to 255 visible ASCII characters without a blank, such as a UUID."
#: The name of one of the choices that were asked back.
CHOICE = "^[a-z0-9-]{1,40}$"
CHOICE_WORDS = "Use the name of one of the choices that were asked back, such as ignore."
