"""Comparing the copies of a volume, and mending one of them, while what hosts want to write is held for a moment."""

from __future__ import annotations

from typing import TYPE_CHECKING, TypeAlias, TypedDict

from .work import Op

if TYPE_CHECKING:
    from collections.abc import Callable

    from ..nbd.protocol import Data
    from .copies import Copy
    from .volume import Volume

_NAMED = 20  # differing grains that the answer names


class Found(TypedDict):
    """What a comparison found: how many grains there are and differ, the first that do, the longest hold in s."""

    identical: bool
    grains: int
    differ: int
    differing: list[int]
    frozen_s: float


class NotDone(TypedDict):
    """Why the copies were not compared."""

    error: str


Comparison: TypeAlias = Found | NotDone


class Verify:
    """One comparison.

    Never without holding the writes: a copy that is a write behind the other differs, and is nevertheless in order.
    They are held for one stretch of grains at a time; what is written in between comes to both copies.
    """

    def __init__(self, volume: Volume, then: Callable[[Comparison], None], repair: str) -> None:
        self._volume = volume
        self._then = then
        self._repair = next((copy for copy in volume.copies if copy.array == repair), None)
        self._unknown = repair if repair and self._repair is None else ""
        self._next = self._running = self._until = 0
        self._since = self._longest = 0.0
        self._differing: list[int] = []

    def begin(self, now: float) -> None:
        """Hold the writes."""
        if self._unknown:
            names = ", ".join(sorted(copy.array for copy in self._volume.copies))
            self.give_up(f"no copy on {self._unknown}: there are {names}", now)
        else:
            self._hold(now)

    def _hold(self, now: float) -> None:
        self._since = now
        self._volume.flow.gates.ask(self._go, now)

    def _release(self, now: float) -> None:
        self._longest = max(self._longest, now - self._since)
        self._volume.flow.gates.withdraw(self._go, now)

    def _go(self, now: float) -> None:
        targets = self._volume.flow.targets
        if len(targets) == len(self._volume.copies) and len(targets) > 1:
            self._until = min(self._next + self._volume.settings.stretch, self._volume.geometry.grains)
            self._continue(now)
        else:
            away = [copy.array for copy in self._volume.copies if copy not in targets]
            self.give_up(f"nothing to compare with: {', '.join(away)} out of sync", now)

    def _continue(self, now: float) -> None:
        geometry = self._volume.geometry
        while self._next < self._until and self._running < 2 * self._volume.settings.window:
            self._running += 1
            targets = self._volume.flow.targets
            pair = _Pair(self, self._next, len(targets))
            self._next += 1
            for copy in targets:
                if copy.link is not None:
                    copy.pending[pair] = now
                    copy.link.read(pair, *geometry.extent(pair.grain))
        if self._running:
            return
        if self._until == geometry.grains:
            self._finish(now)
        else:
            self._release(now)
            if self._volume.verifying is self:
                self._hold(now)

    def compared(self, grain: int, *, same: bool, now: float) -> None:
        """One grain was compared."""
        self._running -= 1
        if not same:
            self._differing.append(grain)
        if self._volume.verifying is self:
            self._continue(now)

    def _finish(self, now: float) -> None:
        volume, differing = self._volume, sorted(self._differing)
        volume.verifying = None
        if self._repair is not None and differing:
            volume.flow.marks.suspect(differing, now)
            volume.lose(self._repair, "being repaired", now)
        self._release(now)
        self._then(
            Found(
                identical=not differing,
                grains=volume.geometry.grains,
                differ=len(differing),
                differing=differing[:_NAMED],
                frozen_s=round(self._longest, 3),
            )
        )

    def give_up(self, reason: str, now: float) -> None:
        """It cannot be finished."""
        self._volume.verifying = None
        self._volume.flow.gates.withdraw(self._go, now)
        self._then(NotDone(error=f"{self._volume.name}: {reason}"))

    def broken(self, copy: Copy, error: int, now: float) -> None:
        """A copy cannot be read: it is lost, and the comparison with it."""
        self._volume.fault(copy, error, now)


class _Pair(Op):
    """One grain, read from every copy."""

    __slots__ = ("_copies", "_data", "_verify", "grain")

    def __init__(self, verify: Verify, grain: int, copies: int) -> None:
        self._verify = verify
        self._copies = copies  # how many are asked: the volume may get another one meanwhile
        self._data: list[Data] = []
        self.grain = grain

    def landed(self, copy: Copy, data: Data, now: float) -> None:  # noqa: ARG002 - which copy is of no interest
        """One copy was read."""
        self._data.append(data)
        if len(self._data) == self._copies:
            first = self._data[0]
            self._verify.compared(self.grain, same=all(data == first for data in self._data), now=now)

    def failed(self, copy: Copy, error: int, now: float) -> None:
        """One copy cannot be read."""
        self._verify.broken(copy, error, now)

    def dropped(self, copy: Copy, now: float) -> None:
        """One copy is lost, and the comparison with it."""
