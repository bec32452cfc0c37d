"""Movement: what arrives, what leaves, who asked. Decides nothing."""
