"""How a volume lies in its file: the data, then the metadata of the mirror.

The data is [0, size). Behind it come one block with the header, and the bitmap of the mirror (one bit a grain), rounded
up to whole blocks. An array reads the header once, at its start; all else of the metadata is the virtualiser's.
"""

from __future__ import annotations

import json
from dataclasses import dataclass

BLOCK = 4096
"""Bytes; what an array caches, and writes in one piece: the block of ext4 and the page of the host."""

GRAIN = 64 << 10
"""Bytes that one bit of the bitmap stands for."""

_MAGIC = "bascule volume 1"


class HeaderError(ValueError):
    """These bytes are no header of a volume."""


def bitmap_length(size: int, grain: int = GRAIN) -> int:
    """Bytes of the bitmap of a volume of `size` bytes, in whole blocks."""
    return _round_up(_round_up(_round_up(size, grain) // grain, 8) // 8, BLOCK)


def metadata_length(size: int, grain: int = GRAIN) -> int:
    """Bytes behind the data of a volume of `size` bytes."""
    return BLOCK + bitmap_length(size, grain)


@dataclass(frozen=True)
class Header:
    """What a copy of a volume knows of itself.

    Args:
        plan: name of the plan it was made for.
        volume: name of the volume.
        size: bytes of data.
        generation: of the record of in-sync copies when this copy was last told; 0 = made at its array's first start
            and never in service.
        grain: bytes that one bit of the bitmap stands for.
    """

    plan: str
    volume: str
    size: int
    generation: int = 0
    grain: int = GRAIN

    def encode(self) -> bytes:
        """One block."""
        told = {
            "magic": _MAGIC,
            "plan": self.plan,
            "volume": self.volume,
            "size": self.size,
            "grain": self.grain,
            "generation": self.generation,
        }
        return json.dumps(told).encode().ljust(BLOCK, b"\0")

    @classmethod
    def decode(cls, block: bytes | bytearray | memoryview) -> Header:
        """The header in this block. Raises HeaderError."""
        try:
            told = json.loads(bytes(block).rstrip(b"\0"))
            magic = told["magic"]
            header = cls(
                str(told["plan"]), str(told["volume"]), int(told["size"]), int(told["generation"]), int(told["grain"])
            )
        except (ValueError, KeyError, TypeError) as error:
            raise HeaderError(f"no header can be read there ({error})") from None
        if magic != _MAGIC:
            raise HeaderError(f"it begins with {magic!r}")
        return header


def _round_up(number: int, step: int) -> int:
    return -(-number // step) * step
