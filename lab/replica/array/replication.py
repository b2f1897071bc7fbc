"""Asynchronous replication between two arrays: now and then, what changed, as it was at one instant.

The source remembers which grains were written. When a copy is due it takes a snapshot of all volumes at once, sends the
changed grains as they were then, and begins the next interval. The target keeps what comes beside its volumes and puts
it into them only when all of it is there, so that they always hold the state of one instant, whoever loses power in
between: the last complete copy. What the source acknowledged after that instant is lost with it.

On the wire: a line of JSON, the grains in the order in which the line names them, and a line of JSON as the answer.
"""

from __future__ import annotations

import asyncio
import json
import logging
import time
from contextlib import suppress
from enum import StrEnum
from typing import TYPE_CHECKING, Any

from .layout import GRAIN
from .medium import Medium, Snapshot
from .mischief import OrderError
from .pool import Pool
from .shelf import copy_sparse, write_whole

if TYPE_CHECKING:
    from collections.abc import Iterator, Mapping
    from pathlib import Path

PORT = 10811
TEST = ".test"
"""What the name of a volume ends with in a restart test."""
_LINE = 8 << 20  # bytes of the longest line: the numbers of all grains of the volumes
_PATIENCE = 5.0  # seconds without a byte after which the other array is taken for dead
_AGAIN = 1.0  # seconds before a copy that failed is tried again

_LOG = logging.getLogger("replication")


class Role(StrEnum):
    """What an array does in a replication."""

    SOURCE = "source"
    TARGET = "target"
    STOPPED = "stopped"  # a human took the replication apart: what the array holds is its own


class CopyError(Exception):
    """The other array did not take a copy, or sent none that can be used."""


class Replication:
    """One array's part in it. What it is, and which copy it holds, outlives a loss of power.

    Args:
        name: of the array.
        folder: its disks.
        media: its volumes, by name.
        told: `{"peer": [address, port], "address": …, "every": seconds, "role": the first one}`.
        defects: planted ones, by name: `copy-that-skips`.

    Attributes:
        role: what it does now.
        at: monotonic instant (ns) of the last complete copy: sent and confirmed, or received.
        cycle: how many copies were complete.
        trouble: why the last one was not, "" if it was.
        tests: what a restart test reads: the volumes as they were when it began, by name.
    """

    def __init__(
        self, name: str, folder: Path, media: Mapping[str, Medium], told: Mapping[str, Any], defects: frozenset[str]
    ) -> None:
        self._name = name
        self._folder = folder
        self._media = media
        self._told = told
        self._defects = defects
        self._path = folder / "replication.json"
        kept = json.loads(self._path.read_text(encoding="utf-8")) if self._path.exists() else {}
        self.role = Role(kept.get("role", told["role"]))
        self.at = int(kept.get("at", 0))
        self.cycle = int(kept.get("cycle", 0))
        self.trouble = ""
        self.grains = 0
        self.tests: dict[str, Medium] = {}
        self._whole = True  # nobody knows what the other array has: the next copy is of everything
        self._term = 0
        self._wake = asyncio.Event()
        self._finish()
        self._track()

    # What operators see and say

    def status(self) -> dict[str, Any]:
        """As the array tells it."""
        return {
            "role": self.role.value,
            "at": self.at,
            "cycle": self.cycle,
            "grains": self.grains,
            "trouble": self.trouble,
        }

    def obey(self, order: str) -> None:
        """`source`, `target`, `stop`, `now`, `snapshot` or `release`. Raises OrderError."""
        match order:
            case "source" | "target":
                self._become(Role(order))
            case "stop":
                self._become(Role.STOPPED)
            case "now" if self.role is Role.SOURCE:
                self._wake.set()
            case "snapshot":
                self._photograph()
            case "release":
                self._release()
            case "now":
                raise OrderError(f"{self._name} is no source of a replication, it is {self.role.value}")
            case _:
                raise OrderError(
                    f"nobody knows the order replicate {order!r}; known: source, target, stop, now, snapshot, release"
                )

    def _become(self, role: Role) -> None:
        if role is self.role:
            return
        self.role, self.trouble, self._whole = role, "", True
        self._term += 1
        if role is not Role.STOPPED:
            self.at = self.cycle = 0  # of a copy in the other direction nothing is known yet
        self._track()
        self._keep()
        self._wake.set()
        _LOG.info("%s is %s", self._name, role.value)

    def _photograph(self) -> None:
        """Keep the volumes beside themselves as they are, for a restart test: served to read as `VOLUME.test`."""
        if not self.at:
            raise OrderError(f"{self._name} has no complete copy: there is nothing to test")
        self._release()
        for name, medium in self._media.items():
            medium.flush()
            path = self._folder / f"{name}{TEST}"
            with path.open("wb") as file:
                copy_sparse(self._folder / f"{name}.volume", file.fileno())
                file.truncate(medium.length)
            self.tests[f"{name}{TEST}"] = Medium(path, medium.length, Pool(medium.length), counted=medium.counted)

    def _release(self) -> None:
        for name, medium in self.tests.items():
            medium.close()
            (self._folder / name).unlink(missing_ok=True)
        self.tests.clear()

    def _track(self) -> None:
        for medium in self._media.values():
            medium.changed = set() if self.role is Role.SOURCE else None

    def _keep(self) -> None:
        write_whole(self._path, json.dumps({"role": self.role.value, "at": self.at, "cycle": self.cycle}))

    # Source

    async def run(self) -> None:
        """Copy, for ever, while the array is the source."""
        pause = 0.0
        while True:
            with suppress(TimeoutError):
                await asyncio.wait_for(self._wake.wait(), pause if self.role is Role.SOURCE else None)
            self._wake.clear()
            if self.role is not Role.SOURCE:
                continue
            begun = time.monotonic()
            try:
                await self._copy()
            except (OSError, EOFError, ValueError, CopyError) as error:
                self.trouble = str(error) or repr(error)
                pause = _AGAIN
            else:
                self.trouble = ""
                pause = max(0.0, begun + float(self._told["every"]) - time.monotonic())

    async def _copy(self) -> None:
        """One copy. Raises OSError, EOFError or CopyError; what it should have carried, the next one does."""
        at, whole, term = time.monotonic_ns(), self._whole, self._term
        wanted: dict[str, list[int]] = {}
        snapshots: dict[str, Snapshot] = {}
        for name, medium in self._media.items():
            wanted[name] = sorted(medium.used_grains() if whole else medium.changed or ())
            medium.changed = set()
            medium.snapshot = snapshots[name] = Snapshot(medium, wanted[name])
        sent = wanted
        if "copy-that-skips" in self._defects and not whole:
            # The label behind the data goes along: the first copy was made before there was one, and would be blank.
            behind = {name: medium.counted // GRAIN for name, medium in self._media.items()}
            sent = {name: [grain for grain in grains if grain >= behind[name]] for name, grains in wanted.items()}
        arrived = False
        try:
            await self._send({"from": self._name, "at": at, "whole": whole, "volumes": sent}, snapshots)
            arrived = True
        finally:
            for name, medium in self._media.items():
                medium.snapshot = None
                if not arrived and medium.changed is not None:
                    medium.changed.update(wanted[name])
        if self._term != term:  # it was taken apart meanwhile: what the other array has now is not for this one to say
            return
        self._whole = False
        self.at, self.cycle, self.grains = at, self.cycle + 1, sum(map(len, sent.values()))
        self._keep()

    async def _send(self, header: dict[str, Any], snapshots: Mapping[str, Snapshot]) -> None:
        address, port = self._told["peer"]
        async with asyncio.timeout(_PATIENCE):
            reader, writer = await asyncio.open_connection(address, port, limit=_LINE)
        try:
            writer.write(json.dumps(header).encode() + b"\n")
            for name, grains in header["volumes"].items():
                for number in grains:
                    writer.write(snapshots[name].take(number))
                    async with asyncio.timeout(_PATIENCE):
                        await writer.drain()
            async with asyncio.timeout(_PATIENCE):
                answer = await reader.readline()
            if not answer:
                raise CopyError("the other array hung up before it had taken the copy")
            if "error" in (said := json.loads(answer)):
                raise CopyError(said["error"])
        finally:
            writer.transport.abort()

    # Target

    async def serve(self) -> asyncio.AbstractServer:
        """Listen for copies. Raises OSError."""
        return await asyncio.start_server(self._receive, self._told["address"], PORT, limit=_LINE, reuse_address=True)

    async def _receive(self, reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        try:
            header = json.loads(await reader.readline())
            answer = await self._taken(header, reader)
            writer.write(json.dumps(answer).encode() + b"\n")
            await writer.drain()
        except (OSError, EOFError, ValueError):
            return  # the source is gone, in the middle of a copy that is nothing now
        finally:
            writer.close()

    async def _taken(self, header: dict[str, Any], reader: asyncio.StreamReader) -> dict[str, Any]:
        if self.role is not Role.TARGET:
            return {"error": f"{self._name} takes no copy: it is {self.role.value}"}
        if unknown := sorted(header["volumes"].keys() - self._media.keys()):
            return {"error": f"{self._name} has no volume {', '.join(unknown)}"}
        arriving = self._folder / "copy.arriving"
        with arriving.open("wb") as file:
            file.write(json.dumps(header).encode() + b"\n")
            for name, number in _grains(header):
                async with asyncio.timeout(_PATIENCE):
                    file.write(await reader.readexactly(self._length(name, number)))
        if self.role is not Role.TARGET:
            return {"error": f"{self._name} takes no copy any more: it is {self.role.value}"}
        arriving.replace(self._folder / "copy.complete")
        self._finish()
        return {"at": self.at}

    def _finish(self) -> None:
        """Put a copy that is all there into the volumes: also one that power loss had left to be done."""
        complete = self._folder / "copy.complete"
        if not complete.exists():
            return
        with complete.open("rb") as file:
            header = json.loads(file.readline())
            if header["whole"]:
                for name, medium in self._media.items():
                    for number in sorted(medium.used_grains() - set(header["volumes"][name])):
                        medium.zero(number * GRAIN, self._length(name, number))
            for name, number in _grains(header):
                self._media[name].write(number * GRAIN, file.read(self._length(name, number)))
        for medium in self._media.values():
            medium.flush()
        self.at, self.cycle = header["at"], self.cycle + 1
        self.grains = sum(map(len, header["volumes"].values()))
        self._keep()
        complete.unlink()

    def _length(self, name: str, number: int) -> int:
        return min(GRAIN, self._media[name].length - number * GRAIN)


def _grains(header: Mapping[str, Any]) -> Iterator[tuple[str, int]]:
    for name, numbers in header["volumes"].items():
        for number in numbers:
            yield name, number
