"""X12: bytes to typed documents and back. No network, no database, no clock, no orders."""
