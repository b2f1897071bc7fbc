"""The handshake with one client, while admissions take their time."""

from __future__ import annotations

import asyncio
import logging
from typing import TYPE_CHECKING

from .handshake import Leave, ListNames, Say, ServerHandshake
from .protocol import ProtocolError, RefusedError

if TYPE_CHECKING:
    from .handshake import Ask
    from .link import Exports, Link

_LOG = logging.getLogger("nbd")


class Reception:
    """Talks to a client until it is served or sent away.

    Args:
        exports: what may be opened.
        link: the client's connection.
    """

    def __init__(self, exports: Exports, link: Link) -> None:
        self._exports = exports
        self._link = link
        self._handshake = ServerHandshake()
        self._talk: asyncio.Task[None] | None = None  # at most one: the options are answered in their order
        self._is_over = False

    def hear(self, data: bytes) -> None:
        """Take what arrived."""
        self._handshake.hear(data)
        if self._talk is None or self._talk.done():
            self._talk = asyncio.ensure_future(self._answer())
            self._talk.add_done_callback(self._answered)

    async def _answer(self) -> None:
        """Do what the client asks for, step by step, until it is served or more bytes are needed."""
        try:
            while not (self._is_over or self._link.is_lost) and (step := self._handshake.next()) is not None:
                if isinstance(step, Say):
                    self._link.say(step.data)
                elif isinstance(step, ListNames):
                    self._link.say(self._handshake.tell(list(self._exports.names())))
                elif isinstance(step, Leave):
                    self._part()
                else:
                    await self._open(step)
        except ProtocolError as error:
            self._link.give_up(error)

    async def _open(self, ask: Ask) -> None:
        try:
            if not ask.go:
                self._link.say(self._handshake.accept(ask, await self._exports.describe(ask.name)))
                return
            session = await self._exports.admit(ask.name, self._link)
        except RefusedError as why:
            _LOG.info("%s asks for %r: %s", self._link.peer, ask.name, why)
            refusal = self._handshake.refuse(ask, why)
            self._link.say(refusal)
            if not refusal:
                self._part()
            return
        self._is_over = True
        offer = session.offer
        self._link.say(self._handshake.accept(ask, offer))
        self._link.begin(session, offer, self._handshake.rest())

    def _part(self) -> None:
        self._is_over = True
        self._link.close()

    def _answered(self, talk: asyncio.Task[None]) -> None:
        """A fault in the exports' own code ends the connection, and is seen in the log."""
        if not talk.cancelled() and (error := talk.exception()) is not None:
            _LOG.error("admission of %s", self._link.peer, exc_info=error)
            self._link.abort()
