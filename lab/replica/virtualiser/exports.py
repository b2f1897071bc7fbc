"""What hosts see of a node: `VOLUME@SESSION` for the one who may write, `VOLUME` for whoever only reads."""

from __future__ import annotations

import asyncio
from time import monotonic
from typing import TYPE_CHECKING

from ..mirror.node import Refused
from ..nbd.protocol import Offer, Refusal, RefusedError

if TYPE_CHECKING:
    from collections.abc import Sequence

    from ..mirror.node import Node
    from ..mirror.volume import Volume
    from ..mirror.work import Host
    from ..nbd.protocol import Request
    from ..nbd.server import Link

_ADMISSION = 2.0  # seconds for the arbiters to say whose the volume is


class HostSession:
    """A host that was let in."""

    def __init__(self, volume: Volume, host: Host, offer: Offer) -> None:
        self.offer = offer
        self._volume = volume
        self._host = host

    def request(self, request: Request) -> None:
        """Hand it to the core."""
        self._volume.flow.request(request, self._host, monotonic())

    def lost(self) -> None:
        """The host is gone."""
        self._volume.hosts.gone(self._host)


class NodeExports:
    """Every volume of a node."""

    def __init__(self, node: Node) -> None:
        self._node = node

    def names(self) -> Sequence[str]:
        """Every volume."""
        return sorted(self._node.volumes)

    async def describe(self, name: str) -> Offer:
        """What would be offered."""
        volume, number = self._named(name)
        return self._offer(volume, read_only=number is None)

    async def admit(self, name: str, link: Link) -> HostSession:
        """Let a host in, if the core does. Raises RefusedError."""
        volume, number = self._named(name)
        verdict: asyncio.Future[Host | Refused] = asyncio.get_running_loop().create_future()

        def told(found: Host | Refused, _now: float) -> None:
            if not verdict.done():
                verdict.set_result(found)
            elif not isinstance(found, Refused):  # too late: nobody waits for it any more
                found.cut()

        self._node.welcome(volume.name, number, link, told, monotonic())
        try:
            found = await asyncio.wait_for(verdict, _ADMISSION)
        except TimeoutError:
            raise RefusedError(f"{self._node.name}: the arbiters take too long", Refusal.NOT_NOW) from None
        if isinstance(found, Refused):
            code = Refusal.UNKNOWN if found.gone else Refusal.POLICY if found.stale else Refusal.NOT_NOW
            raise RefusedError(found.sentence, code)
        return HostSession(volume, found, self._offer(volume, read_only=number is None))

    def _named(self, name: str) -> tuple[Volume, int | None]:
        volume, at, number = name.partition("@")
        if volume not in self._node.volumes:
            known = ", ".join(self.names())
            raise RefusedError(f"{self._node.name} has no volume {volume!r}; known: {known}", Refusal.UNKNOWN)
        if at and not number.isdecimal():
            raise RefusedError(f"{name!r} is no VOLUME@SESSION: {number!r} is no number", Refusal.INVALID)
        return self._node.volumes[volume], int(number) if at else None

    def _offer(self, volume: Volume, *, read_only: bool) -> Offer:
        epoch = self._node.lease.epoch
        return Offer(volume.geometry.size, f"node={self._node.name} epoch={epoch}", read_only=read_only)
