"""`python3 -m replica.array.local CONFIG.json`: a node's own disk, on a unix socket, until SIGTERM.

The configuration is `{"socket": path, "file": path, "size": bytes, "template": path or null}`. The disk forgets at
power loss what was not flushed, as a real one with a cache does. It has one writer: a new client cuts the older one.
Beside the socket, with `.status` before its suffix, a second one tells what the disk has done.
"""

from __future__ import annotations

import asyncio
import json
import logging
import signal
import sys
from pathlib import Path
from typing import TYPE_CHECKING, Any

from ..nbd import program
from ..nbd.protocol import Offer
from ..nbd.server import serve
from . import control
from .layout import BLOCK
from .medium import Medium
from .mischief import OrderError
from .pool import Pool
from .shelf import StartError, copy_sparse
from .work import KINDS, Counters, perform

if TYPE_CHECKING:
    from collections.abc import Sequence

    from ..nbd.protocol import Request
    from ..nbd.server import Link


class Writer:
    """The one client."""

    def __init__(self, disk: Disk, link: Link) -> None:
        self.link = link
        self.offer = disk.offer
        self._disk = disk

    def request(self, request: Request) -> None:
        """Do it."""
        perform(self._disk.medium, request, self._disk.counters)

    def lost(self) -> None:
        """The client is gone."""
        if self._disk.writer is self:
            self._disk.writer = None


class Disk:
    """One local disk, under every export name."""

    def __init__(self, medium: Medium) -> None:
        self.medium = medium
        self.offer = Offer(medium.length, "local disk", kinds=KINDS)
        self.counters = Counters()
        self.writer: Writer | None = None

    def names(self) -> Sequence[str]:
        """The nameless export."""
        return [""]

    async def describe(self, name: str) -> Offer:  # noqa: ARG002 - one disk, whatever it is called
        """The disk."""
        return self.offer

    async def admit(self, name: str, link: Link) -> Writer:  # noqa: ARG002 - one disk, whatever it is called
        """Let a client write, and no other."""
        if self.writer is not None:
            self.writer.link.abort()
        self.writer = Writer(self, link)
        return self.writer

    def status(self) -> dict[str, Any]:
        """What it has done since its start, as an array tells it."""
        counters = self.counters
        return {
            "reads": counters.reads,
            "writes": counters.writes,
            "flushes": counters.flushes,
            "durable_writes": counters.durable,
            "flushed": self.medium.flushed,
            "dirty": self.medium.dirty,
        }

    @staticmethod
    def obey(order: str) -> None:
        """Nothing is ordered of a node's own disk: raises OrderError."""
        raise OrderError(f"a node's own disk knows no order {order!r}, only status")


def prepare(file: Path, size: int, template: Path | None) -> Medium:
    """The disk's file, made from its template if it is new. Raises StartError."""
    if size <= 0 or size % BLOCK:
        raise StartError(f"disk {file} cannot have {size} bytes: give it a multiple of {BLOCK}.")
    if not file.exists():
        file.parent.mkdir(parents=True, exist_ok=True)
        new = file.with_suffix(".new")
        try:
            with new.open("wb") as made:
                if template is not None:
                    copy_sparse(template, made.fileno())
                if made.tell() > size or new.stat().st_size > size:
                    raise StartError(f"disk {file} of {size} bytes is smaller than its template {template}.")
                made.truncate(size)
        except OSError as error:
            raise StartError(f"disk {file} cannot be made: {error}.") from None
        new.replace(file)
    if file.stat().st_size < size:
        raise StartError(f"disk {file} has {file.stat().st_size} bytes and should have {size}: remove it.")
    return Medium(file, size, Pool(size + BLOCK * BLOCK), counted=size)


async def main(told: dict[str, Any]) -> None:
    """Run until SIGTERM; raises StartError."""
    template = told.get("template")
    medium = prepare(Path(told["file"]), told["size"], Path(template) if template else None)
    stop = asyncio.Event()
    for number in (signal.SIGTERM, signal.SIGINT):
        asyncio.get_running_loop().add_signal_handler(number, stop.set)
    disk, socket = Disk(medium), Path(told["socket"])
    listener = await serve(disk, str(socket))
    lab = await control.serve(socket.with_suffix(f".status{socket.suffix}"), disk.status, disk.obey)
    await stop.wait()
    lab.close()
    listener.close()
    medium.flush()


if __name__ == "__main__":
    logging.basicConfig(level=logging.INFO, format="%(asctime)s %(message)s")
    try:
        program.run(main(json.loads(Path(sys.argv[1]).read_text(encoding="utf-8"))))
    except StartError as refusal:
        sys.exit(str(refusal))
