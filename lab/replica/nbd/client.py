"""An NBD client on TCP or a unix socket."""

from __future__ import annotations

import asyncio
import itertools
from typing import TYPE_CHECKING, cast

from . import sockets
from .frames import Replies
from .handshake import ClientHandshake
from .outbox import Outbox, turns
from .protocol import REQUEST, REQUEST_MAGIC, Kind, Offer, ProtocolError, RefusedError

if TYPE_CHECKING:
    from collections.abc import Callable

    from .protocol import Data, Done
    from .server import Address


class UnreachableError(Exception):
    """No session within the time allowed: no answer, connection refused or reset, or no NBD."""


class Session(asyncio.Protocol):
    """An open export. `connect` makes it.

    Attributes:
        offer: size, description and abilities as the server announced them.
        admitted: done when the server serves, or will not.
        lost: told the reason when the session ends without `abort`.
    """

    def __init__(self, export: str) -> None:
        self.offer = Offer(0)
        self.admitted: asyncio.Future[None] = asyncio.get_running_loop().create_future()
        self.lost: Callable[[str], None] | None = None
        self._handshake: ClientHandshake | None = ClientHandshake(export)
        self._replies = Replies()
        self._pending = self._replies.pending
        self._cookies = itertools.count(1)
        self._out = Outbox()
        self._is_over = False
        self._reason = "the server hung up"

    @property
    def in_flight(self) -> int:
        """Requests without an answer."""
        return len(self._pending)

    @property
    def is_lost(self) -> bool:
        """Whether nothing can be asked any more."""
        return self._is_over

    def submit(  # noqa: PLR0913 - what an NBD request is made of; a tuple of it would cost a microsecond
        self, kind: Kind, offset: int, length: int, done: Done, *, data: Data = b"", fua: bool = False
    ) -> None:
        """Send a request; `done(error, data)` is called with its answer, whichever order the server answers in.

        When the session is lost, the requests in flight are forgotten: `lost` is called, no `done` is.
        On a lost session this does nothing.

        Args:
            kind: READ, WRITE, FLUSH, or TRIM and WRITE_ZEROES if the offer has them.
            offset: first byte.
            length: bytes; for a WRITE those of `data`.
            done: gets 0 or an errno, and the data of a READ.
            data: what a WRITE carries. Leave it alone afterwards: it may still be on its way.
            fua: whether the change must be durable before the answer.
        """
        if self._is_over or self._out.transport is None:
            return
        cookie = next(self._cookies)
        self._pending[cookie] = (done, length if kind is Kind.READ else 0)
        self._out.say(REQUEST.pack(REQUEST_MAGIC, fua, kind, cookie, offset, length), data)

    def abort(self) -> None:
        """RST: what was not yet sent will never be sent. Afterwards nothing is called, `lost` neither."""
        self._end()
        self._reset()

    def leave(self) -> None:
        """Say goodbye politely; for a session that has nothing in flight. Afterwards nothing is called."""
        if not self._is_over and self._out.transport is not None:
            self._out.say(REQUEST.pack(REQUEST_MAGIC, 0, Kind.DISC, 0, 0, 0), b"")
            self._out.send()
            self._out.transport.close()
        self._end()

    def _reset(self) -> None:
        transport = self._out.drop()
        if transport is not None:
            sockets.reset(transport)

    def _end(self) -> None:
        self._is_over = True
        self._pending.clear()

    # What asyncio calls

    def connection_made(self, transport: asyncio.BaseTransport) -> None:
        """The server's kernel answered."""
        self._out.transport = cast("asyncio.Transport", transport)  # uvloop's has all the methods, and another base
        sockets.prepare(transport)

    def connection_lost(self, exc: Exception | None) -> None:
        """The connection is gone."""
        self._out.drop()  # its socket's number may soon be another's
        if self._is_over:
            return
        self._end()
        self._reason = str(exc) if exc else self._reason
        if not self.admitted.done():
            self.admitted.set_exception(UnreachableError(self._reason))
        elif self.lost is not None:
            self.lost(self._reason)

    def data_received(self, data: bytes) -> None:
        """Bytes from the server."""
        if self.is_lost:
            return
        turns.begin()
        try:
            if self._handshake is None:
                self._replies.feed(data)
            else:
                self._shake_hands(self._handshake, data)
        except ProtocolError as error:
            self._reason = str(error)
            self._reset()
        finally:
            turns.end()

    def _shake_hands(self, handshake: ClientHandshake, data: bytes) -> None:
        try:
            offer = handshake.feed(data)
        except RefusedError as refusal:
            if not self.admitted.done():
                self.admitted.set_exception(refusal)
            self.abort()
            return
        while handshake.to_send and self._out.transport is not None:
            self._out.transport.write(handshake.to_send.popleft())
        if offer is not None and not self.admitted.done():
            self.offer, self._handshake = offer, None
            self.admitted.set_result(None)


async def connect(
    address: Address, export: str, *, within: float, lost: Callable[[str], None] = lambda _reason: None
) -> Session:
    """Open an export.

    Args:
        address: where.
        export: its name.
        within: seconds for connecting and being admitted.
        lost: called once, with the reason, when the session ends without `abort`.

    Raises:
        RefusedError: the server's sentence, and its code.
        UnreachableError: nothing of the kind was heard in time.
    """
    loop = asyncio.get_running_loop()
    session = Session(export)
    try:
        async with asyncio.timeout(within):
            if isinstance(address, str):
                await loop.create_unix_connection(lambda: session, address)
            else:
                await loop.create_connection(lambda: session, *address)
            await session.admitted
    except TimeoutError:
        raise UnreachableError(f"{address} did not answer within {within} s") from None
    except OSError as error:
        raise UnreachableError(f"{address}: {error}") from None
    finally:
        if not session.admitted.done() or session.admitted.cancelled() or session.admitted.exception():
            session.abort()
    if session.is_lost:  # between the server's word and ours
        raise UnreachableError(f"{address} ended the session at once")
    session.lost = lost
    return session
