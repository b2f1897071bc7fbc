"""What is said to a peer in one turn leaves in one call: a write and the flush behind it, two answers.

A turn is what is done with the bytes that have come on one connection. A call into the kernel costs as much as all that
Python does for a request, and on a bridge of this machine it carries the packet to the other side before it returns.
"""

from __future__ import annotations

import asyncio
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from .protocol import Data

_JOIN = 16 << 10  # bytes; less is copied behind its header, more is sent from where it lies


class Turns:
    """The turn that this program is in: there is one at a time, whatever its connections."""

    def __init__(self) -> None:
        self._open = False
        self._waiting: list[Outbox] = []

    def begin(self) -> None:
        """Bytes have come."""
        self._open = True

    def end(self) -> None:
        """All that they ask for is done: send what was said meanwhile, to whomever."""
        self._open = False
        waiting, self._waiting = self._waiting, []
        for outbox in waiting:
            outbox.send()

    def note(self, outbox: Outbox) -> None:
        """Something waits there to be sent."""
        if self._open:
            self._waiting.append(outbox)
        else:
            asyncio.get_running_loop().call_soon(outbox.send)


turns = Turns()


class Outbox:
    """The sending side of one connection.

    Attributes:
        transport: where to; None before the connection, and after its end.
    """

    __slots__ = ("_said", "transport")

    def __init__(self) -> None:
        self.transport: asyncio.Transport | None = None
        self._said: list[Data] = []

    def say(self, header: bytes, data: Data) -> None:
        """Send it when the turn ends; outside of one, before the loop turns again."""
        if not self._said:
            turns.note(self)
        if not data:
            self._said.append(header)
        elif len(data) < _JOIN:
            self._said.append(header + data)
        else:
            self._said += (header, data)

    def send(self) -> None:
        """Send it now."""
        said, self._said = self._said, []
        if self.transport is None or not said:
            return
        if len(said) == 1:
            self.transport.write(said[0])
        else:
            self.transport.writelines(said)

    def drop(self) -> asyncio.Transport | None:
        """Send nothing any more; returns the transport."""
        self._said.clear()
        transport, self.transport = self.transport, None
        return transport
