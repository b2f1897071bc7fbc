"""What a disk can fail with."""

from __future__ import annotations


class DiskError(Exception):
    """The disk cannot be had as the server needs it; one sentence says why."""
