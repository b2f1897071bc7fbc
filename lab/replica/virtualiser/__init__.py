"""A storage virtualisation node: the mirror's core (`..mirror`) between NBD sessions, and the arbiters."""
