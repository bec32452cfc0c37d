"""Settings to start from: small texts that load, and the reading of them."""

from pathlib import Path

from pipeline.settings import Settings, load

HUB = """
[hub]
name = "Example Hub"
isa = "ZZ:HUB"
gs = "HUB"
support_email = "support@example.com"
"""
PARTNER = """
[[partner]]
id = "acme"
name = "Acme Stores"
role = "buyer"
isa = ["ZZ:ACME"]
gs = ["ACME"]
"""
SELLER = """
[[partner]]
id = "globex"
name = "Globex"
role = "seller"
isa = ["ZZ:GLOBEX"]
gs = ["GLOBEX"]
"""
KEY = "ssh-ed25519 AAAAC3NzaC1lZDI1NTE5AAAAILmIifvHI0RyRrbtsnNixKMAs1Itfvsixr3b/lb4y/j/"
MAILBOX = f"""
[partner.mailbox]
host = "sftp.acme.example"
username = "hub"
key_file = "keys/acme"
host_keys = ["{KEY}"]
pickup = "/out"
processed = "/out/done"
rejected = "/out/bad"
delivery = "/in"
"""


def read(text: str, **environ: str) -> Settings:
    """The settings a text means, in the working folder."""
    path = Path("countermand.toml")
    path.write_text(text, encoding="utf-8")
    return load(path, environ)
