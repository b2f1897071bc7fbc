"""Asking the medical record, one new connection each time, and signing in."""

from __future__ import annotations

import asyncio
import itertools
import json
from typing import TYPE_CHECKING

from .connection import Connection, Limits, Result
from .message import request

if TYPE_CHECKING:
    from .checks import Clinician
    from .config import Config

_CREATED = 201
_PAUSE_S = 0.1  # between two attempts to sign in before the first operation


class Client:
    """The service as one ward's clients reach it.

    Args:
        config: whom to ask, and how long to wait.
        letter: tells this client's access ids from those of the other client of the ward.
    """

    def __init__(self, config: Config, letter: str) -> None:
        self.loop = asyncio.get_running_loop()
        self.address = (config.url_host, config.port)
        self.prefix = f"{config.tag}-{config.ward}-{letter}"
        self._config = config
        self._sessions: dict[Clinician, Connection] = {}
        self._signed_in = itertools.count(1)

    def headers(self, access: str, token: str | None = None, *, keep: bool = False) -> dict[str, str]:
        """The headers of a request under this access id."""
        named = {"Host": self._config.url_host, "X-Access": access}
        if token is not None:
            named["Authorization"] = f"Bearer {token}"
        return named if keep else {**named, "Connection": "close"}

    async def ask(self, message: bytes, by: float, kept: Connection | None = None) -> Result:
        """One attempt on a new connection, or on one that is kept; over by that instant of the loop's clock."""
        future: asyncio.Future[Result] = self.loop.create_future()
        limits = Limits(self._config.connect_ms / 1000, self._config.answer_ms / 1000, by)
        (kept or Connection(self.loop, self.address, keep=False)).ask(message, limits, future.set_result)
        return await future

    def session(self, clinician: Clinician) -> Connection:
        """The connection that a clinician keeps; another one while an earlier operation still waits on it."""
        kept = self._sessions.get(clinician)
        if kept is None or kept.busy:
            if kept is not None:
                kept.keep = False
            kept = self._sessions[clinician] = Connection(self.loop, self.address, keep=True)
        return kept

    def close(self) -> None:
        """Close what is kept."""
        for kept in self._sessions.values():
            kept.close()

    async def sign_in(self, clinician: Clinician) -> str:
        """Sign in, however many attempts it takes; the token."""
        while True:
            access = f"{self.prefix}s{next(self._signed_in)}"
            message = request("POST", "/sessions", self.headers(access), sign_in_body(clinician))
            result = await self.ask(message, self.loop.time() + self._config.patience_ms / 1000)
            if result.answer is not None and result.answer.status == _CREATED:
                return token_of(result.answer.body)
            await asyncio.sleep(_PAUSE_S)


def sign_in_body(clinician: Clinician) -> bytes:
    """What a clinician signs in with."""
    return json.dumps(clinician._asdict()).encode()


def token_of(body: bytes) -> str:
    """The token in the answer to a sign-in."""
    token: str = json.loads(body)["token"]
    return token
