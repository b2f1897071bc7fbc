"""Copying grains from one copy to others, and single requests to one copy."""

from __future__ import annotations

from typing import TYPE_CHECKING

from ..array.layout import GRAIN
from .work import Op

if TYPE_CHECKING:
    from collections.abc import Callable

    from ..nbd.protocol import Data
    from .copies import Copy
    from .volume import Volume

_ZEROES = bytes(GRAIN)


class CopyJob(Op):
    """One grain on its way from a copy to others.

    A lost copy ends the job without a word: whoever wanted it is told of the loss.
    """

    __slots__ = ("_links", "_reading", "_source", "_targets", "_then", "_volume", "_waiting", "grain")

    def __init__(
        self,
        volume: Volume,
        grain: int,
        source: Copy,
        targets: tuple[Copy, ...],
        then: Callable[[CopyJob, float], None],
    ) -> None:
        self._volume = volume
        self.grain = grain
        self._source = source
        self._targets = targets
        self._then = then
        self._links = [target.link for target in targets]
        self._reading = True
        self._waiting = len(targets)

    def start(self, now: float) -> None:
        """Read it."""
        if self._source.link is not None:
            self._source.pending[self] = now
            self._source.link.read(self, *self._volume.geometry.extent(self.grain))

    def landed(self, copy: Copy, data: Data, now: float) -> None:  # noqa: ARG002 - the copies are known
        """It was read, or written to one."""
        if self._reading:
            self._reading = False
            offset, _ = self._volume.geometry.extent(self.grain)
            for target, link in zip(self._targets, self._links, strict=True):
                # What was read for a session that has ended since is old: it must not be written in the next one.
                if target.link is not None and target.link is link:
                    target.pending[self] = now
                    if data == _ZEROES[: len(data)]:  # a volume that is thin stays so on an array that is new to it
                        target.link.zero(self, offset, len(data))
                    else:
                        target.link.write(self, offset, data, fua=False)
            return
        self._waiting -= 1
        if not self._waiting:
            self._then(self, now)

    def failed(self, copy: Copy, error: int, now: float) -> None:
        """One copy cannot: it is lost, unless it is the only one that hosts can read."""
        flow = self._volume.flow
        if copy is self._source and not flow.members & ~copy.bit:
            for target in self._targets:
                self._volume.lose(target, f"{copy.array} cannot read what is to be copied: error {error}", now)
        else:
            self._volume.fault(copy, error, now)

    def dropped(self, copy: Copy, now: float) -> None:
        """One copy is lost."""


class Single(Op):
    """One request to one copy; its loss ends it without a word."""

    __slots__ = ("_copy", "_then", "_volume")

    def __init__(self, volume: Volume, copy: Copy, then: Callable[[Data, float], None]) -> None:
        self._volume = volume
        self._copy = copy
        self._then = then

    def read(self, offset: int, length: int, now: float) -> None:
        """Read."""
        if self._copy.link is not None:
            self._copy.pending[self] = now
            self._copy.link.read(self, offset, length)

    def write(self, offset: int, data: Data, now: float) -> None:
        """Write, durably."""
        if self._copy.link is not None:
            self._copy.pending[self] = now
            self._copy.link.write(self, offset, data, fua=True)

    def flush(self, now: float) -> None:
        """Flush."""
        if self._copy.link is not None:
            self._copy.pending[self] = now
            self._copy.link.flush(self)

    def landed(self, copy: Copy, data: Data, now: float) -> None:  # noqa: ARG002 - there is one
        """The copy did it."""
        self._then(data, now)

    def failed(self, copy: Copy, error: int, now: float) -> None:
        """The copy cannot: it is lost."""
        self._volume.fault(copy, error, now)

    def dropped(self, copy: Copy, now: float) -> None:
        """The copy is lost."""
