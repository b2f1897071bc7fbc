"""A server's place in the network: a namespace, and a wire to the bridge that stretches over the rooms."""

from __future__ import annotations

import asyncio
from pathlib import Path
from typing import TYPE_CHECKING

from .census import NAMESPACES

if TYPE_CHECKING:
    from .config import ServerSpec

BRIDGE = "br-servers"
# Guests need no IPv6. Each end of a wire that has it sends seven messages to all others when it comes up: 200 guests
# brought each other 218,750 frames, without it 704 (December 2026).
_SILENT = "addrgenmode none" if Path("/proc/sys/net/ipv6").exists() else ""


async def wire(server: ServerSpec) -> None:
    """Give a server its namespace and its wire.

    Raises:
        RuntimeError: `ip` refuses; its words.
    """
    name, outside = server.name, f"vm{server.rank}"
    quiet = server.program is None
    await _ip(
        (),
        f"netns add {name}",
        f"link add {outside} type veth peer name eth0 address {server.mac} netns {name}",
        f"link set {outside} {_SILENT if quiet else ''} master {BRIDGE} up",
        *((f"link set {outside} type bridge_slave mcast_flood off",) if quiet else ()),
    )
    up = f"link set eth0 {_SILENT if quiet else ''} up"
    await _ip(("-n", name), f"address add {server.address} dev eth0", "link set lo up", up)


def is_wired(server: ServerSpec) -> bool:
    """Whether an earlier life has left its namespace."""
    return (NAMESPACES / server.name).exists()


async def unwire(server: ServerSpec) -> None:
    """Take both away. Its wire goes with its namespace, when its last process has; not to wait for that, by name."""
    await _ip(("-force",), f"link del vm{server.rank}", quiet=True)
    if is_wired(server):
        await _ip(("-force",), f"netns del {server.name}", quiet=True)


async def _ip(options: tuple[str, ...], *lines: str, quiet: bool = False) -> None:
    process = await asyncio.create_subprocess_exec(
        *("ip", *options, "-batch", "-"),
        stdin=asyncio.subprocess.PIPE,
        stdout=asyncio.subprocess.DEVNULL,
        stderr=asyncio.subprocess.PIPE,
    )
    _, words = await process.communicate("".join(f"{line}\n" for line in lines).encode())
    if process.returncode and not quiet:
        raise RuntimeError(f"ip {' '.join(options)}: {words.decode(errors='replace').strip()}")
