"""What a node says of itself, and the orders that it takes: one line in, one line of JSON out."""

from __future__ import annotations

import asyncio
import json
from time import monotonic
from typing import TYPE_CHECKING, Any

from ..mirror.volume import Phase

if TYPE_CHECKING:
    from pathlib import Path

    from ..mirror.node import Node
    from ..mirror.volume import Volume

MIB = 1 << 20


def status(node: Node) -> dict[str, Any]:
    """Everything an operator wants to know."""
    now = monotonic()
    active = node.lease.epoch > 0 and now < node.lease.until
    return {
        "node": node.name,
        "active": active,
        "epoch": node.lease.epoch,
        "holder": node.lease.holder,
        "reason": node.said,
        "resync_mib_per_second": min(volume.rate for volume in node.volumes.values()) / MIB if node.volumes else 0,
        "withheld": {name: sorted(hosts) for name, hosts in node.withheld.items() if hosts},
        "volumes": {name: _volume(volume, now) for name, volume in node.volumes.items()} if node.lease.epoch else {},
    }


def _volume(volume: Volume, now: float) -> dict[str, Any]:
    flow, resync = volume.flow, volume.resync
    members = flow.members if flow.targets else volume.record.copies
    return {
        "size": volume.geometry.size,
        "phase": volume.phase.value,
        "alone": volume.alone,
        "bare_s": round(volume.bare, 3),
        "trouble": volume.trouble,
        "generation": volume.record.generation,
        "copies": {
            copy.array: {
                "in_sync": bool(copy.bit & members),
                "connected": copy.link is not None,
                "near": copy.near,
                "reason": copy.reason,
                "retiring": bool(copy.bit & volume.record.holders.retiring),
            }
            for copy in (volume.copies if volume.phase is not Phase.OUTSIDE else ())
        },
        "marked_grains": len(flow.marks.durable),
        "dirty_grains": len(resync.stale) if resync else (0 if members == flow.every else len(flow.marks.durable)),
        "resync": {"of": resync.copy.array, "left": len(resync.stale), "copied": resync.copied} if resync else None,
        "held_s": round(now - flow.gates.since, 3) if flow.gates.shut else 0.0,
        "session": volume.hosts.session if volume.hosts.current is not None else 0,
        "newest": volume.hosts.session,
        "requests": flow.active,
    }


async def obey(node: Node, line: str) -> dict[str, Any]:  # noqa: PLR0911 - one for each order
    """Do what the line says.

    Nothing or `status`, `verify VOLUME [repair=ARRAY]`, `resync-rate MIB_PER_SECOND|own`, `withhold VOLUME HOST`,
    `grant VOLUME HOST`, `replace VOLUME OLD_ARRAY NEW_ARRAY`, `take-in VOLUME`, `let-go VOLUME`, or `take-charge`.
    """
    match line.split():
        case [] | ["status"]:
            return status(node)
        case ["verify", volume, *more] if not more or (len(more) == 1 and more[0].startswith("repair=")):
            return await _verify(node, volume, "".join(more).removeprefix("repair="))
        case ["resync-rate", rate] if rate == "own" or rate.replace(".", "", 1).isdecimal():
            for one in node.volumes.values():
                one.rate = one.settings.rate if rate == "own" else int(float(rate) * MIB)
            return status(node)
        case ["withhold" | "grant" as kind, volume, host]:
            return await _mask(node, volume, host, withheld=kind == "withhold")
        case ["replace", volume, old, new]:
            return await _replace(node, volume, old, new)
        case ["take-in" | "let-go" as kind, volume]:
            return await _hand(node, volume, comes=kind == "take-in")
        case ["take-charge"]:
            return await _take_charge(node)
    known = (
        "status, verify VOLUME [repair=ARRAY], resync-rate MIB_PER_SECOND, resync-rate own, withhold VOLUME HOST, "
        "grant VOLUME HOST, replace VOLUME OLD_ARRAY NEW_ARRAY, take-in VOLUME, let-go VOLUME, take-charge"
    )
    return {"error": f"no order is called {line!r}; known: {known}"}


def _refusal(node: Node, volume: str) -> dict[str, Any] | None:
    if volume not in node.volumes:
        return {"error": f"no volume is called {volume!r}; known: {', '.join(sorted(node.volumes))}"}
    if not node.lease.epoch:
        return {"error": f"{node.name} is standby: ask the active node"}
    return None


async def _mask(node: Node, volume: str, host: str, *, withheld: bool) -> dict[str, Any]:
    if refusal := _refusal(node, volume):
        return refusal
    answer: asyncio.Future[str] = asyncio.get_running_loop().create_future()
    node.mask(volume, host, answer.set_result, withheld=withheld)
    refused = await answer
    return {"error": refused} if refused else status(node)


async def _replace(node: Node, volume: str, old: str, new: str) -> dict[str, Any]:
    if refusal := _refusal(node, volume):
        return refusal
    answer: asyncio.Future[str] = asyncio.get_running_loop().create_future()
    node.volumes[volume].replace(old, new, answer.set_result)
    refused = await answer
    return {"error": refused} if refused else status(node)


async def _hand(node: Node, name: str, *, comes: bool) -> dict[str, Any]:
    if refusal := _refusal(node, name):
        return refusal
    answer: asyncio.Future[str] = asyncio.get_running_loop().create_future()
    volume = node.volumes[name]
    if comes:
        volume.take_in(answer.set_result)
    else:
        volume.let_go(answer.set_result)
    refused = await answer
    return {"error": refused} if refused else status(node)


async def _take_charge(node: Node) -> dict[str, Any]:
    answer: asyncio.Future[str] = asyncio.get_running_loop().create_future()
    node.take_charge(answer.set_result)
    refused = await answer
    return {"error": refused} if refused else status(node)


async def _verify(node: Node, name: str, repair: str) -> dict[str, Any]:
    if refusal := _refusal(node, name):
        return refusal
    answer: asyncio.Future[dict[str, Any]] = asyncio.get_running_loop().create_future()
    node.volumes[name].verify(lambda found: answer.set_result(dict(found)), monotonic(), repair)
    return await answer


async def serve(node: Node, path: Path) -> asyncio.AbstractServer:
    """Listen on a unix socket."""

    async def answer(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        try:
            line = (await reader.readline()).decode(errors="replace").strip()
            writer.write(json.dumps(await obey(node, line)).encode() + b"\n")
            await writer.drain()
        except (OSError, ValueError):
            return  # hung up, or a line without end
        finally:
            writer.close()

    _make_way(path)
    return await asyncio.start_unix_server(answer, path)


def _make_way(path: Path) -> None:
    path.parent.mkdir(parents=True, exist_ok=True)
    path.unlink(missing_ok=True)
