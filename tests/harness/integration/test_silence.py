"""A dead room says nothing: no FIN, no RST leaves it. And a room that is merely killed does say goodbye."""

from __future__ import annotations

import contextlib
import socket
import struct
import threading
from typing import TYPE_CHECKING

import pytest

from lab.fabric.namespaces import Resident
from lab.waiting import wait_until

if TYPE_CHECKING:
    from collections.abc import Iterator

    from lab.bench import Lab

_ETH_P_ALL = 3
_FIN, _RST = 0x01, 0x04
_IPV4, _TCP = 0x0800, 6


class Sniffer(threading.Thread):
    """Collects the source addresses of every FIN and RST that arrives at some interfaces."""

    def __init__(self, sockets: list[socket.socket]) -> None:
        super().__init__(daemon=True)
        self._sockets = sockets
        self.goodbyes: list[str] = []
        self.packets = 0
        self._stop_now = threading.Event()

    def run(self) -> None:
        """Look at all that comes in until stopped."""
        while not self._stop_now.is_set():
            for tap in self._sockets:
                with contextlib.suppress(BlockingIOError, OSError):
                    frame, origin = tap.recvfrom(2048)
                    if origin[2] != socket.PACKET_OUTGOING:
                        self._look(frame)

    def _look(self, frame: bytes) -> None:
        if struct.unpack_from("!H", frame, 12)[0] != _IPV4 or frame[23] != _TCP:
            return
        self.packets += 1
        if frame[14 + (frame[14] & 15) * 4 + 13] & (_FIN | _RST):
            self.goodbyes.append(socket.inet_ntoa(frame[26:30]))

    def stop(self) -> None:
        """Stop and let go of the taps."""
        self._stop_now.set()
        self.join()
        for tap in self._sockets:
            tap.close()


def tap(interface: str) -> socket.socket:
    wire = socket.socket(socket.AF_PACKET, socket.SOCK_RAW | socket.SOCK_NONBLOCK, socket.htons(_ETH_P_ALL))
    wire.bind((interface, _ETH_P_ALL))
    return wire


@pytest.fixture
def listening(whole: Lab) -> Iterator[Sniffer]:
    """A sniffer on every port of the wards' switch, with one open conversation between ward and member."""
    switch = whole.plan.nodes[next(iter(whole.wards))].stands_on["servers"][0]
    resident = Resident(whole.enclosure.network)
    sniffer = Sniffer([resident.do(tap, name) for name in whole.layout.interfaces_of(switch)])
    sniffer.start()
    yield sniffer
    sniffer.stop()
    resident.close()


def converse(lab: Lab, member: str) -> socket.socket:
    """An idle connection from the ward to a member's application."""
    address = str(lab.plan.address(member, "servers").ip)
    return lab.from_ward(socket.create_connection, (address, 80), 2)


def test_a_room_without_power_says_no_goodbye(whole: Lab, listening: Sniffer) -> None:
    member = whole.plan.services["dopasoins"].runs_on[0]
    address = str(whole.plan.address(member, "servers").ip)
    room = whole.plan.places[whole.plan.nodes[whole.plan.host_of(member)].place]
    with converse(whole, member):
        wait_until(lambda: listening.packets > 0, within=5, because="the conversation is not seen")
        listening.goodbyes.clear()
        begun, stopped, dark = whole.levers.power_off(
            room.nodes, [s for names in room.switches.values() for s in names]
        )
        wait_until(
            lambda: not any(whole.nodes.is_on(n) for n in room.nodes if n in whole.nodes.nodes),
            within=5,
            because="alive",
        )
    assert begun < stopped < dark
    assert address not in listening.goodbyes


def test_killing_first_would_say_goodbye(whole: Lab, listening: Sniffer) -> None:
    """The planted defect of the test above: the ports stay up."""
    member = whole.plan.services["dopasoins"].runs_on[0]
    address = str(whole.plan.address(member, "servers").ip)
    host = whole.plan.host_of(member)
    with converse(whole, member):
        wait_until(lambda: listening.packets > 0, within=5, because="the conversation is not seen")
        whole.nodes.stop([host])
        whole.nodes.end([host])
        wait_until(lambda: address in listening.goodbyes, within=5, because="no goodbye came")
    whole.levers.power_off([host])
