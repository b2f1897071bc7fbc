"""`python3 -m replica.path CONFIG.json`: a host's path to one volume, on a unix socket, until SIGTERM.

`{"volume": …, "session": number, "nodes": {name: [address, port], …}, "array": {name: [address, port]} or absent,
"socket": path, "control": path or absent}`; of a stand-alone volume, `array` is the one that serves it until a node
does. It holds what the host asks until somebody serves it. It ends with STALE when the volume has a newer session: the
server on it must not go on. When the volume was taken away from the host, every request fails at once, for good, and
the path's status says so (`gone`).
"""

from __future__ import annotations

import asyncio
import json
import logging
import re
import signal
import sys
from asyncio import FIRST_COMPLETED
from contextlib import suppress
from functools import partial
from pathlib import Path
from time import monotonic
from typing import TYPE_CHECKING, Any

from .. import routes
from ..nbd import client, program
from ..nbd.protocol import Offer, Refusal, RefusedError
from ..nbd.server import serve
from .core import Path as PathCore

if TYPE_CHECKING:
    from collections.abc import Sequence

    from ..nbd.protocol import Data, Request
    from ..nbd.server import Link, Server
    from .core import Job

STALE = 75
"""Exit code: another host has the volume now."""
_AGAIN = 0.05  # seconds before the next node is tried
_ADMISSION = 2.5  # seconds for a node to let the host in
# Seconds without an answer to the oldest request: then the other node is asked as well, which refuses unless it has
# taken over from one that hangs; later the same node is asked again, on a new connection. Longer than a node itself
# waits for a hanging array (1.5 s) and for its record in the arbiters.
_SLOW, _HANGS = 0.8, 4.0
_LOOK = 0.1
_FOLLOWED = 0.01  # seconds after which nothing follows a write any more; a commit's flush follows after 0.2 ms
_EPOCH = re.compile(r"\bepoch=(\d+)")

log = logging.getLogger("path")


class NodeSession:
    """The session on a node, as the core uses it."""

    def __init__(self, core: PathCore, session: client.Session) -> None:
        self._core = core
        self._session = session

    def submit(self, job: Job) -> None:
        """Send a request."""
        self._session.submit(job.kind, job.offset, job.length, partial(self._done, job), data=job.data, fua=job.fua)

    def _done(self, job: Job, error: int, data: Data) -> None:
        self._core.done(self, job, error, data)

    def abort(self) -> None:
        """RST."""
        self._session.abort()


class HostSide:
    """The host as the one client of the socket."""

    def __init__(self, core: PathCore, offer: Offer) -> None:
        self.offer = offer
        self._core = core
        self.asked_at = monotonic()
        self._looks_later = False

    def names(self) -> Sequence[str]:
        """The nameless export."""
        return [""]

    async def describe(self, name: str) -> Offer:  # noqa: ARG002 - one volume, whatever it is called
        """The volume."""
        return self.offer

    async def admit(self, name: str, link: Link) -> HostSide:  # noqa: ARG002 - as above
        """Let the host in."""
        return self

    def request(self, request: Request) -> None:
        """Hand it to the core."""
        self.asked_at = monotonic()
        self._core.request(request, self.asked_at)
        if self._core.holds_back and not self._looks_later:
            self._looks_later = True
            asyncio.get_running_loop().call_later(_FOLLOWED, self._push)

    def _push(self) -> None:
        self._looks_later = False
        self._core.push()

    def lost(self) -> None:
        """The host's kernel let go of the disk."""


class Program:
    """One path."""

    def __init__(self, told: dict[str, Any]) -> None:
        self._told = told
        self._core = PathCore()
        self._array = told.get("array") or {}
        self._at = {**self._array, **told["nodes"]}
        self._needed = {name: asyncio.Event() for name in self._at}  # it is to be asked for a session
        self._served_since = monotonic()
        self._unserved_since: float | None = None  # an idle server asks nothing, and is away from its storage as well
        self._refusals: dict[str, str] = {}
        self._gone = ""
        self._listener: Server | None = None
        self._host: HostSide | None = None
        self.offer: asyncio.Future[Offer] = asyncio.get_running_loop().create_future()

    async def keep(self) -> None:
        """Keep a session on the node that serves; return when the volume has a newer session, or is gone.

        Both nodes are asked side by side: the dead one takes its time.
        """
        asking = [asyncio.ensure_future(self._ask(name, tuple(at))) for name, at in self._at.items()]
        try:
            done, _ = await asyncio.wait([*asking, asyncio.ensure_future(self._watch())], return_when=FIRST_COMPLETED)
            for task in done:
                task.result()
        finally:
            for task in asking:
                task.cancel()

    async def _ask(self, name: str, address: tuple[str, int]) -> None:
        """Ask one node for a session whenever it is needed; return when there will be none any more."""
        while True:
            await self._needed[name].wait()
            try:
                await self._try(name, address)
            except RefusedError as refusal:
                self._refusals[name] = str(refusal)
                if refusal.code in {Refusal.POLICY, Refusal.UNKNOWN}:
                    log.warning("%s", refusal)
                    self._gone = str(refusal) if refusal.code == Refusal.UNKNOWN else ""
                    self._core.end(str(refusal))
                    return
            except client.UnreachableError as error:
                self._refusals[name] = str(error)
            await asyncio.sleep(_AGAIN)

    async def _try(self, name: str, address: tuple[str, int]) -> None:
        export = f"{self._told['volume']}{'#' if name in self._array else '@'}{self._told['session']}"
        session = await client.connect(address, export, within=_ADMISSION)
        link = NodeSession(self._core, session)

        def lost(reason: str) -> None:
            log.info("%s: %s", name, reason)
            self._core.lost(link)
            if self._core.link is None and self._unserved_since is None:
                self._unserved_since = monotonic()
            self._look()

        session.lost = lost
        found = _EPOCH.search(session.offer.description)
        # The array of a stand-alone volume names no epoch: it knows by itself whether nodes have taken the volume in.
        if not self._core.offered(link, name, int(found[1]) if found else self._core.epoch):
            return
        self._served_since, self._unserved_since = monotonic(), None
        self._look()
        log.info("served by %s (%s)", name, session.offer.description)
        if not self.offer.done():
            self.offer.set_result(session.offer)

    def _look(self) -> None:
        """See which nodes are to be asked: all of them without a session, others when the one in use is slow."""
        oldest = self._core.oldest()
        waited = monotonic() - max(oldest, self._served_since) if oldest is not None else 0.0
        for name, needed in self._needed.items():
            allowed = _HANGS if name == self._core.node else _SLOW
            if self._core.link is None or waited > allowed:
                needed.set()
            else:
                needed.clear()

    async def _watch(self) -> None:
        """Look again and again."""
        while True:
            self._look()
            await asyncio.sleep(_LOOK)

    def status(self) -> dict[str, Any]:
        """Everything an operator wants to know."""
        core = self._core
        held_since = min((at for at in (core.oldest(), self._unserved_since) if at is not None), default=None)
        return {
            "volume": self._told["volume"],
            "session": self._told["session"],
            "node": core.node,
            "epoch": core.epoch,
            "kept_bytes": core.kept_bytes,
            "requests": len(core.waiting),
            "held_s": round(monotonic() - held_since, 3) if held_since is not None else 0.0,
            "idle_s": round(monotonic() - self._host.asked_at, 3) if self._host is not None else 0.0,
            "replayed": core.replayed,
            "refusals": self._refusals if not core.node else {},
            "gone": self._gone,
        }

    async def answer(self, reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        """Tell the status to whoever asks."""
        with suppress(OSError, ValueError):
            await reader.readline()
            writer.write(json.dumps(self.status()).encode() + b"\n")
            await writer.drain()
        writer.close()

    async def run(self) -> int:
        """Run until SIGTERM or the end of the session; returns the exit code."""
        stop = asyncio.Event()
        for number in (signal.SIGTERM, signal.SIGINT):
            asyncio.get_running_loop().add_signal_handler(number, stop.set)
        # Held: a listener of uvloop's that nobody holds is collected as garbage, and listens no more.
        control = await asyncio.start_unix_server(
            self.answer, _free(self._told.get("control", f"/run/bascule/path-{self._told['volume']}.sock"))
        )
        keeping, stopping = asyncio.ensure_future(self.keep()), asyncio.ensure_future(stop.wait())
        serving = asyncio.ensure_future(self._serve())
        done, _ = await asyncio.wait({keeping, stopping}, return_when=FIRST_COMPLETED)
        if self._gone:
            await stopping
        for task in (keeping, stopping, serving):
            task.cancel()
        control.close()
        if keeping in done:
            keeping.result()
        return STALE if keeping in done and not self._gone else 0

    async def _serve(self) -> None:
        """Open the socket once the volume's size is known."""
        offer = await self.offer
        self._host = HostSide(self._core, Offer(offer.size, offer.description))
        self._listener = await serve(self._host, _free(self._told["socket"]))


def _free(socket: str) -> str:
    """Make way for a socket: a life that ended by a kill leaves its own behind."""
    path = Path(socket)
    path.parent.mkdir(parents=True, exist_ok=True)
    path.unlink(missing_ok=True)
    return socket


async def main(told: dict[str, Any]) -> int:
    """Run one path; returns the exit code."""
    for address in {routes.own_address(*at) for at in (*told["nodes"].values(), *(told.get("array") or {}).values())}:
        routes.hasten(address)
    return await Program(told).run()


if __name__ == "__main__":
    logging.basicConfig(level=logging.INFO, format="%(asctime)s %(message)s")
    sys.exit(program.run(main(json.loads(Path(sys.argv[1]).read_text(encoding="utf-8")))))
