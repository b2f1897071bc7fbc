"""A server's place in the network: a namespace, and a wire to the bridge that stretches over the rooms."""

from __future__ import annotations

import asyncio
from typing import TYPE_CHECKING

from .census import NAMESPACES

if TYPE_CHECKING:
    from .config import ServerSpec

BRIDGE = "br-servers"


async def wire(server: ServerSpec) -> None:
    """Give a server its namespace and its wire.

    Raises:
        RuntimeError: `ip` refuses; its words.
    """
    name, outside = server.name, f"vm{server.rank}"
    await _ip(
        (),
        f"netns add {name}",
        f"link add {outside} type veth peer name eth0 address {server.mac} netns {name}",
        f"link set {outside} master {BRIDGE} up",
    )
    await _ip(("-n", name), f"address add {server.address} dev eth0", "link set lo up", "link set eth0 up")


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
