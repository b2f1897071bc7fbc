"""Switches and cables of the replica, made of bridges and veth pairs in the enclosure's own network namespace."""

from __future__ import annotations

import contextlib
import errno
import os
import time
from pathlib import Path
from typing import TYPE_CHECKING, Any

from lab.errors import LabError
from lab.fabric.firewall import Firewall
from lab.fabric.impairing import Impairing
from lab.fabric.layout import largest
from lab.fabric.namespaces import Resident, inside
from lab.replica import netlink

if TYPE_CHECKING:
    import socket
    from collections.abc import Callable, Iterable, Sequence
    from ipaddress import IPv4Interface

    from pyroute2 import IPRoute

    from lab.fabric.layout import Layout, NodePort


# No multicast snooping: without a querier it prunes. No spanning tree. And no forward delay: even without spanning tree
# the kernel arms that timer when a port comes up, and 15 s later takes a port that our monitor holds in LISTENING to
# LEARNING, 30 s later to FORWARDING (seen: a node learnt its own address on its idle uplink; one frame in five lost).
BRIDGE = {"br_mcast_snooping": 0, "br_stp_state": 0, "br_forward_delay": 0}
_SETTINGS = {  # of a namespace, below /proc/sys/net; what this kernel has not is passed over
    "ipv6/conf/*/disable_ipv6": "1",
    "bridge/bridge-nf-call-*tables": "0",
    "ipv4/tcp_congestion_control": "reno",
}


class FabricError(LabError):
    """A wire could not be made or found."""


class Fabric:
    """Every call goes through one resident thread, so that no call can touch the machine's own interfaces."""

    def __init__(self, namespace: Path, layout: Layout) -> None:
        self.layout = layout
        self._watched = frozenset(end for strand in layout.strands for end in strand.ends)
        self._thread = Resident(namespace)
        self._indexes: dict[str, int] = {}
        self._thread.do(self._open)

    def _open(self) -> None:
        from pyroute2 import IPRoute  # noqa: PLC0415 - 0.2 s that only a running lab pays

        self._ipr: IPRoute = IPRoute()
        self._raw: socket.socket = netlink.connect()
        self._firewall = Firewall()
        self.impairing = Impairing(self._thread, self._ipr, self._firewall)
        self._indexes = {name: link.index for name, link in netlink.links(self._raw).items()}

    def close(self) -> None:
        """Let go of the sockets; the wires die with the enclosure."""
        self._thread.do(self._ipr.close)
        self._thread.do(self._raw.close)
        self._thread.close()

    def build(self) -> None:
        """Make every switch and every inter-switch wire, plugged in and up."""
        self._thread.do(self._build)

    def _build(self) -> None:
        _quiet()
        for bridge in self.layout.bridges.values():
            self._ipr.link("add", ifname=bridge, kind="bridge", **BRIDGE)
        self._learn()
        for strand in self.layout.strands:
            one, other = strand.ends
            mtu = largest(strand.network)
            self._ipr.link("add", ifname=one, kind="veth", mtu=mtu, peer={"ifname": other, "mtu": mtu})
        self._learn()
        for strand in self.layout.strands:
            for switch, end in zip(strand.switches, strand.ends, strict=True):
                master = self._indexes[self.layout.bridges[switch]]
                self._ipr.link("set", index=self._indexes[end], master=master, ifalias=f"{strand.cable} {switch}")
                # Before it comes up: two parallel cables without isolation are a broadcast storm at once.
                netlink.set_port(self._raw, self._indexes[end], isolated=True)
        self._firewall.build(sorted(self._watched))
        netlink.power(self._raw, (self._indexes[bridge] for bridge in self.layout.bridges.values()), up=True)
        netlink.power(self._raw, (self._indexes[end] for strand in self.layout.strands for end in strand.ends), up=True)

    def _learn(self) -> None:
        self._indexes = {name: link.index for name, link in netlink.links(self._raw).items()}

    def plug(self, node: str, namespace: Path, addresses: dict[str, IPv4Interface], bridged: frozenset[str]) -> None:
        """Plug a node in: a wire to each of its switches, its addresses, a bridge for the networks in `bridged`.

        A network on which the node stands on two switches always gets a bridge, whose firmware keeps one of them.
        """
        self._thread.do(self._plug, node, namespace, addresses, bridged)

    def _plug(self, node: str, namespace: Path, addresses: dict[str, IPv4Interface], bridged: frozenset[str]) -> None:
        from pyroute2.netlink.exceptions import NetlinkError  # noqa: PLC0415 - as above

        ports = self.layout.ports_of(node)
        inner = os.open(namespace, os.O_RDONLY | os.O_CLOEXEC)
        try:
            for port in ports:
                # A node that was killed a moment ago may still hold its old wire: namespaces die asynchronously.
                if port.outside in self._indexes:
                    with contextlib.suppress(NetlinkError):
                        self._ipr.link("del", ifname=port.outside)
                mtu = largest(port.network)
                self._ipr.link(
                    "add",
                    ifname=port.outside,
                    kind="veth",
                    mtu=mtu,
                    master=self._indexes[self.layout.bridges[port.switch]],
                    state="up",
                    peer={"ifname": port.inside, "net_ns_fd": inner, "address": port.hardware, "mtu": mtu},
                )
        finally:
            os.close(inner)
        self._learn()
        with inside(namespace):
            _settle(ports, self.layout, addresses, bridged)

    def power(self, interfaces: Iterable[str], *, up: bool) -> None:
        """Bring interfaces of the fabric up or down, all in one message; those that are gone are passed over."""
        self._thread.do(self._power, list(interfaces), up=up)

    def cut(self, interfaces: Iterable[str]) -> tuple[int, int]:
        """Pull wires: nothing passes from one instant on, then their ends lose the carrier, one after the other.

        The carriers of a cable's 18 to 24 ends took the kernel 7 to 25 ms, in which the last end carried on. A set of
        the firewall changes for all of them at once, and stands until `unseal`. It watches wires between switches; a
        node's port is cut by the loss of its carrier alone.

        Returns when nothing passed any more, and when all was dark (monotonic ns).
        """
        return self._thread.do(self._cut, list(interfaces))

    def _cut(self, interfaces: list[str]) -> tuple[int, int]:
        self._firewall.seal(self._between_switches(interfaces))
        sealed = time.monotonic_ns()
        self._power(interfaces, up=False)
        return sealed, time.monotonic_ns()

    def unseal(self, interfaces: Iterable[str]) -> None:
        """Let what arrives through again, once there is a carrier."""
        self._thread.do(self._firewall.unseal, self._between_switches(interfaces))

    def _between_switches(self, interfaces: Iterable[str]) -> list[str]:
        return sorted(self._watched.intersection(interfaces))

    def strike(
        self, interfaces: Iterable[str], stop: Callable[[], None], end: Callable[[], None]
    ) -> tuple[int, int, int]:
        """Stop, darken the interfaces, end: on the urgent thread, so that nothing comes in between.

        Returns when it began, when all had stopped, and when all was dark and ended (monotonic ns).
        """
        return self._thread.do(self._strike, list(interfaces), stop, end)

    def _strike(self, interfaces: list[str], stop: Callable[[], None], end: Callable[[], None]) -> tuple[int, int, int]:
        begun = time.monotonic_ns()
        stop()
        stopped = time.monotonic_ns()
        self._power(interfaces, up=False)
        end()
        return begun, stopped, time.monotonic_ns()

    def _power(self, interfaces: list[str], *, up: bool) -> None:
        try:
            netlink.power(self._raw, [self._indexes[name] for name in interfaces if name in self._indexes], up=up)
        except OSError as error:
            if error.errno != errno.ENODEV:  # the wire of a dead node is gone; the others are done
                raise

    def links(self) -> dict[str, netlink.Link]:
        """Every interface of the fabric as it is now, with its packet counts."""
        return self._thread.do(netlink.links, self._raw)

    def kill(self, interfaces: Sequence[str], seconds: float) -> None:
        """Drop silently all that arrives on these wires, for at most so many seconds."""
        self._thread.do(self._firewall.kill, interfaces, seconds)

    def revive(self, interfaces: Sequence[str]) -> None:
        """Stop dropping."""
        self._thread.do(self._firewall.revive, interfaces)

    def state(self) -> list[dict[str, Any]]:
        """The firewall as it stands, counts and handles apart: what healing must bring back."""
        return self._thread.do(self._firewall.state)

    def carried(self) -> dict[str, int]:
        """Packets that came in on each wire and were let through, the monitors' hellos apart."""
        return self._thread.do(self._firewall.counters, "carried")

    def dropped(self) -> dict[str, int]:
        """Packets that each blackholed wire swallowed so far, hellos included."""
        return self._thread.do(self._firewall.counters, "dead")


def _quiet() -> None:
    """Set the kernel of the namespace that we are in as all of the replica's are, whatever the machine prefers.

    No IPv6: neighbour discovery on hundreds of ports is noise. No detour of bridged packets through the firewall for
    routed ones, which has no rules here (7 % of a commit's time, in which packets cross bridges twenty times). The
    congestion control that every kernel has: BBR, which some machines prefer, paces each answer by a timer (7 % more).
    """
    for name, value in _SETTINGS.items():
        for setting in sorted(Path("/proc/sys/net").glob(name)):
            setting.write_text(value)


def _settle(
    ports: tuple[NodePort, ...], layout: Layout, addresses: dict[str, IPv4Interface], bridged: frozenset[str]
) -> None:
    """Configure a node's own side; runs inside its namespace."""
    from pyroute2 import IPRoute  # noqa: PLC0415 - as above

    _quiet()
    with IPRoute() as ipr:
        indexes = {link.get_attr("IFLA_IFNAME"): int(link["index"]) for link in ipr.get_links()}
        ipr.link("set", index=indexes["lo"], state="up")
        for network in dict.fromkeys(port.network for port in ports):
            mine = [port for port in ports if port.network == network]
            holder = indexes[mine[0].inside]
            if network in bridged or layout.is_doubled(mine[0]):
                name = f"br-{network}"
                ipr.link("add", ifname=name, kind="bridge", **BRIDGE, state="up")
                holder = int(ipr.link_lookup(ifname=name)[0])
                raw = netlink.connect()
                for port in mine:
                    ipr.link("set", index=indexes[port.inside], master=holder)
                    netlink.set_port(raw, indexes[port.inside], isolated=True)
                raw.close()
            if network in addresses:
                ipr.addr(
                    "add",
                    index=holder,
                    address=str(addresses[network].ip),
                    prefixlen=addresses[network].network.prefixlen,
                )
            for port in mine:
                ipr.link("set", index=indexes[port.inside], state="up")
