"""The virtual address: keepalived gives it to a member that can serve, and takes it from one that cannot."""

from __future__ import annotations

import asyncio
import contextlib
from typing import TYPE_CHECKING

from .children import Child, at

if TYPE_CHECKING:
    from collections.abc import Awaitable, Callable
    from pathlib import Path

    from .config import ServerConfig

_EVERY = 0.25  # seconds between two questions
_ANSWER = 1.0  # seconds for an answer; two cores shared by a whole hospital are late at times
_NICE = -15  # what tells the twin to take the address needs a turn, above all where there is little processor

# keepalived watches the tracked file itself (inotify). A tracked script would start a process each second, and
# its shortest interval is the second; this hears of a lost database within half of one.
# Announced every second: when two held the address and one gave it up, the wards must hear of the other, which has
# nothing new to say (5.6 to 6.9 s without).
_CONF = """\
global_defs {{
    router_id {server}
    vrrp_version 3
    script_user root
    enable_script_security
    vrrp_garp_master_delay 1
    vrrp_garp_master_repeat 3
    vrrp_garp_master_refresh 1
}}
track_file serves {{
    file "{folder}/serves"
    weight 0
}}
track_file leaves {{
    file "{folder}/leaves"
    weight 0
}}
vrrp_instance dopasoins {{
    state BACKUP
    interface {interface}
    virtual_router_id {router}
    priority {priority}
    nopreempt
    advert_int 0.2
    unicast_src_ip {address}
    unicast_peer {{
        {twin}
    }}
    virtual_ipaddress {{
        {virtual} dev {interface}
    }}
    track_file {{
        serves
        leaves
    }}
}}
"""


def conf(config: ServerConfig, folder: Path) -> str:
    """The configuration of keepalived: no member takes the address back, whoever holds it keeps it while it serves.

    What it watches is in `folder`: `serves`, of `AddressWatch`, and `leaves`, of the canary; 0 says that it may.
    """
    return _CONF.format(
        server=config.server,
        folder=folder,
        interface=config.interface,
        router=int(config.virtual_address.ip) % 255 + 1,
        priority=config.priority,
        address=config.address.ip,
        twin=config.twin_address,
        virtual=config.virtual_address,
    )


def keepalived(folder: Path, logs: Path) -> Child:
    """Keepalived in the foreground, with every file of its own below `folder`.

    After a power loss the number in an old pid file belongs to some other program, and keepalived would refuse to
    start because it is "already running": no virtual address on this server ever again (seen in the trial).
    """
    pids = {option: folder / f"{option}.pid" for option in ("pid", "vrrp_pid", "checkers_pid")}
    return Child(
        at(
            _NICE,
            "keepalived",
            "--dont-fork",
            "--log-console",
            "--no-syslog",
            "--vrrp",
            f"--use-file={folder / 'keepalived.conf'}",
            *(f"--{option}={path}" for option, path in pids.items()),
        ),
        logs / "keepalived.log",
        when_orphaned="TERM",  # it then takes the address off the interface
        stale=tuple(pids.values()),
    )


class AddressWatch:
    """Writes where keepalived looks whether this member may hold the address: 0 yes, 1 no.

    Args:
        tracked: the file that keepalived watches.
        fit: whether the wards are to use the address here; the application's own health is asked besides.
    """

    def __init__(self, tracked: Path, fit: Callable[[], Awaitable[bool]]) -> None:
        self._tracked = tracked
        self._fit = fit
        self._last = ""
        self._write("1")

    async def run(self) -> None:
        """Watch until cancelled."""
        while True:
            self._write("0" if await healthy() and await self._fit() else "1")
            await asyncio.sleep(_EVERY)

    def _write(self, value: str) -> None:
        if value != self._last:
            fresh = self._tracked.with_suffix(".new")
            fresh.write_text(f"{value}\n", encoding="ascii")
            fresh.replace(self._tracked)
            self._last = value


async def fit() -> bool:
    """Whether the application on this server says that it could serve, be it that room three does."""
    return await healthy(path="/fit")


async def healthy(port: int = 80, path: str = "/health") -> bool:
    """Whether the application on this server says that it can serve."""
    with contextlib.suppress(OSError, TimeoutError):
        async with asyncio.timeout(_ANSWER):
            reader, writer = await asyncio.open_connection("127.0.0.1", port)
            with contextlib.closing(writer):
                writer.write(f"GET {path} HTTP/1.1\r\nHost: health\r\nConnection: close\r\n\r\n".encode())
                return (await reader.readline()).startswith(b"HTTP/1.1 200")
    return False
