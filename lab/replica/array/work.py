"""Requests done on a medium."""

from __future__ import annotations

import errno
from dataclasses import dataclass
from typing import TYPE_CHECKING

from ..nbd.protocol import Kind

if TYPE_CHECKING:
    from ..nbd.protocol import Request
    from .medium import Medium

KINDS = frozenset({Kind.READ, Kind.WRITE, Kind.FLUSH, Kind.WRITE_ZEROES})
"""What a medium can do. Not TRIM: nothing here gives space back."""


@dataclass
class Counters:
    """Requests done since the start.

    Attributes:
        durable: of the writes of data, those that had to be durable before their answer (FUA). What the mirror writes
            behind the data is not among them.
    """

    reads: int = 0
    writes: int = 0
    flushes: int = 0
    durable: int = 0


def perform(medium: Medium, request: Request, counters: Counters, *, flushes: bool = True) -> int:
    """Do a request and answer it.

    Args:
        medium: the disk.
        request: within it, and of `KINDS`.
        counters: what is counted.
        flushes: False = FLUSH and FUA are answered and not done (the planted defect `no-flush`).

    Returns:
        The errno answered, 0 for none.
    """
    data: bytes | bytearray = b""
    error = 0
    try:
        if request.kind is Kind.READ:
            counters.reads += 1
            data = medium.read(request.offset, request.length)
        elif request.kind is Kind.FLUSH:
            counters.flushes += 1
            if flushes:
                medium.flush()
        else:
            counters.writes += 1
            if request.kind is Kind.WRITE:
                medium.write(request.offset, request.data)
            else:
                medium.zero(request.offset, request.length)
            if request.fua:
                counters.durable += request.offset < medium.counted
                if flushes:
                    medium.settle(request.offset, request.length)
    except OSError as failure:
        error = errno.ENOSPC if failure.errno == errno.ENOSPC else errno.EIO
    request.reply(error, data)
    return error
