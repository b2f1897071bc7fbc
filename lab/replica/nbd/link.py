"""A client's connection, as its server sees it."""

from __future__ import annotations

import asyncio
import logging
from typing import TYPE_CHECKING, Protocol, cast

from . import sockets
from .frames import Requests
from .handshake import ServerHandshake
from .outbox import Outbox, turns
from .protocol import REPLY, REPLY_MAGIC, Kind, ProtocolError, complaint
from .reception import Reception

if TYPE_CHECKING:
    from collections.abc import Sequence

    from .protocol import Data, Offer, Request

_LOG = logging.getLogger("nbd")


class Session(Protocol):
    """What an admitted client talks to."""

    @property
    def offer(self) -> Offer:
        """Size, description, abilities: told to the client once, at admission."""

    def request(self, request: Request) -> None:
        """Take a proper request (within the export, of an offered kind); answer with `request.reply`."""

    def lost(self) -> None:
        """The client is gone, or said goodbye and has all its answers. Not called after `Link.abort`."""


class Exports(Protocol):
    """Decides who is served what."""

    def names(self) -> Sequence[str]:
        """Exports to list."""

    async def describe(self, name: str) -> Offer:
        """What `admit` would offer, without admitting: no older session may suffer. Raises RefusedError."""

    async def admit(self, name: str, link: Link) -> Session:
        """Open the export for a client; may take its time. Raises RefusedError.

        The link may die meanwhile: the session is told so by `lost` right after this returns.
        """


class Link(asyncio.Protocol):
    """One connection.

    Args:
        exports: what may be opened on it.
        links: the server's connections, this one among them while it lives.

    Attributes:
        peer: the client's address.
    """

    def __init__(self, exports: Exports, links: set[Link]) -> None:
        self.peer = ""
        self._links = links
        self._reception = Reception(exports, self)
        self._requests = Requests(self, self._take)
        self._session: Session | None = None
        self._out = Outbox()
        self._offer: Offer | None = None
        self._unanswered = 0
        self._leaving = False
        self._is_lost = False
        self._is_reading = False

    @property
    def is_lost(self) -> bool:
        """Whether nothing can be said to this client any more."""
        return self._is_lost

    def abort(self) -> None:
        """RST: what was not yet sent will never be sent. Afterwards nothing calls the session; replies are dropped."""
        self._is_lost = True
        self._session = None
        self._reset()

    def answer(self, request: Request, error: int, data: Data) -> None:
        """Send an answer: `Request.reply` calls this."""
        if self._is_lost or self._out.transport is None:
            return
        self._out.say(REPLY.pack(REPLY_MAGIC, error, request.cookie), data)
        self._unanswered -= 1
        self._close_if_over()

    # What the reception calls

    def say(self, data: bytes) -> None:
        """Send a part of the handshake."""
        if not self._is_lost and self._out.transport is not None:
            self._out.transport.write(data)

    def begin(self, session: Session, offer: Offer, early: bytes) -> None:
        """The handshake is over: serve, first what the client has sent meanwhile. Raises ProtocolError."""
        if self._is_lost:
            session.lost()
            return
        self._session, self._offer = session, offer
        if early:
            self._serve(early)

    def close(self) -> None:
        """End it when all is sent."""
        if self._out.transport is not None:
            self._out.send()
            self._out.transport.close()

    def give_up(self, error: ProtocolError) -> None:
        """End it: this is no NBD. The session is told."""
        _LOG.warning("%s speaks no NBD: %s", self.peer, error)
        self._is_lost = True
        self._reset()

    # What asyncio calls

    def connection_made(self, transport: asyncio.BaseTransport) -> None:
        """A client knocks."""
        self._out.transport = cast("asyncio.Transport", transport)  # uvloop's has all the methods, and another base
        self._links.add(self)
        self.peer = str(transport.get_extra_info("peername"))
        sockets.prepare(transport)
        self._out.transport.write(ServerHandshake.HELLO)

    def connection_lost(self, exc: Exception | None) -> None:  # noqa: ARG002 - whatever ended it, it is over
        """The client is gone."""
        self._links.discard(self)
        self._is_lost = True
        self._out.drop()  # its socket's number may soon be another's
        session, self._session = self._session, None
        if session is not None:
            session.lost()

    def data_received(self, data: bytes) -> None:
        """Bytes from the client."""
        try:
            if self._session is not None:
                self._serve(data)
            elif not self._is_lost:
                self._reception.hear(data)
        except ProtocolError as error:
            self.give_up(error)

    def _serve(self, data: bytes) -> None:
        self._is_reading = True
        turns.begin()
        try:
            self._requests.feed(data)
        finally:
            self._is_reading = False
            turns.end()
            self._close_if_over()

    def _take(self, request: Request) -> None:
        session, offer = self._session, self._offer
        if session is None or offer is None or self._leaving:
            return
        if request.kind is Kind.DISC:
            self._leaving = True  # closed once all is answered
            return
        self._unanswered += 1
        wrong = complaint(request, offer)
        if wrong:
            request.reply(wrong)
        elif not request.length and request.kind is not Kind.FLUSH:
            request.reply()
        else:
            session.request(request)

    def _reset(self) -> None:
        transport = self._out.drop()
        if transport is not None:
            sockets.reset(transport)

    def _close_if_over(self) -> None:
        if self._leaving and not self._unanswered and not self._is_reading:
            self.close()
