"""The path: a host's way to its volume. It goes to whichever node is active, and holds what cannot be done now."""
