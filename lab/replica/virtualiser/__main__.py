"""`python3 -m replica.virtualiser CONFIG.json`: a virtualisation node, until SIGTERM, which hands over."""

from __future__ import annotations

import asyncio
import logging
import signal
import sys
from contextlib import suppress
from pathlib import Path
from time import monotonic
from typing import Any

from .. import routes
from ..arbiter.kv import Kv
from ..mirror.geometry import Geometry, Settings
from ..mirror.node import Node
from ..nbd import program
from ..nbd.server import serve
from . import beats, config, status
from .exports import NodeExports
from .outside import Arbiters, Tasks, array_side

_TICK = 0.1  # seconds
_LOOK, _REACH = 0.5, 0.4  # seconds between two looks at the arrays, and for the kernel of one to answer
_FAREWELL = 1.0  # seconds for the arbiters to hear that the lease is given back

log = logging.getLogger("virtualiser")


def build(told: config.VirtualiserConfig, kv: Kv, tasks: Tasks) -> Node:
    """The core with its world around it."""
    made: list[Node] = []
    node = Node(
        told.name,
        preferred=told.preferred,
        volumes=[Geometry(told.plan, name, volume.size) for name, volume in told.volumes.items()],
        arrays={name: array.room == told.room for name, array in told.arrays.items()},
        begins={name: told.arrays if told.replicated else volume.copies for name, volume in told.volumes.items()},
        alone={name: volume.alone for name, volume in told.volumes.items()},
        outside=array_side(lambda: made[0], told.arrays, tasks),
        store=Arbiters(kv, tasks),
        settings=Settings(defects=told.defects),
        room=told.room if told.replicated else "",
    )
    made.append(node)
    return node


async def main(path: Path) -> None:
    """Run until SIGTERM."""
    told = config.read(path)
    routes.hasten(told.address)
    tasks, kv = Tasks(), Kv(told.arbiters)
    node = build(told, kv, tasks)
    stop = asyncio.Event()
    for number in (signal.SIGTERM, signal.SIGINT):
        asyncio.get_running_loop().add_signal_handler(number, stop.set)
    listener = await serve(NodeExports(node), (told.address, told.port))
    control = await status.serve(node, told.control)
    heartbeats = await beats.serve(told.address, lambda: _told(node))
    ticking = [tasks.start(_tick(node)), tasks.start(_look_around(node, told))]
    waits: list[asyncio.Future[Any]] = [asyncio.ensure_future(stop.wait()), tasks.broken]
    await asyncio.wait(waits, return_when=asyncio.FIRST_COMPLETED)
    if tasks.broken.done():
        tasks.broken.result()
    for task in ticking:
        task.cancel()
    node.stop(monotonic())
    with suppress(TimeoutError):
        await asyncio.wait_for(tasks.idle(), _FAREWELL)
    listener.close()
    control.close()
    heartbeats.close()
    await kv.close()


def _told(node: Node) -> dict[str, Any]:
    """What hosts hear with each heartbeat."""
    withheld = {name: sorted(hosts) for name, hosts in node.withheld.items() if hosts}
    return {"active": bool(node.lease.epoch), "withheld": withheld}


async def _look_around(node: Node, told: config.VirtualiserConfig) -> None:
    """Keep the core informed which arrays are within reach, for as long as it has no sessions that would tell."""
    while True:
        if not node.lease.epoch:
            found = await asyncio.gather(*(_reaches(array.address, array.port) for array in told.arrays.values()))
            node.reaches = frozenset(name for name, reached in zip(told.arrays, found, strict=True) if reached)
        await asyncio.sleep(_LOOK)


async def _reaches(address: str, port: int) -> bool:
    with suppress(OSError, TimeoutError):
        async with asyncio.timeout(_REACH):
            _, writer = await asyncio.open_connection(address, port)
        writer.close()
        return True
    return False


async def _tick(node: Node) -> None:
    epoch = 0
    while True:
        node.tick(monotonic())
        if node.lease.epoch != epoch:
            epoch = node.lease.epoch
            log.info("%s is %s", node.name, f"active in epoch {epoch}" if epoch else f"standby: {node.said}")
        await asyncio.sleep(_TICK)


if __name__ == "__main__":
    logging.basicConfig(level=logging.INFO, format="%(asctime)s %(message)s")
    program.run(main(Path(sys.argv[1])))
