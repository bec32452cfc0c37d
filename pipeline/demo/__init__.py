"""The demonstration: partners and a mail server on loopback ports, and one story from beginning to end."""
