"""What is said to the kernel about wires that are bad, and the relay that replaces it; without either."""

from __future__ import annotations

import random
import socket
from typing import TYPE_CHECKING, Any

from hypothesis import given
from hypothesis import strategies as st
from pyroute2.netlink.rtnl.tcmsg import sched_netem, sched_tbf

from lab.fabric import Way, queues, sieves
from lab.fabric.crossing import Crosser, walk
from lab.fabric.sieves import Sieves
from lab.replica.wires import delay

if TYPE_CHECKING:
    from collections.abc import Callable

ends = st.from_regex(r"(esx-1:)?[cn][0-9]{1,3}[ab]?", fullmatch=True)


@given(source=ends, sink=ends)
def test_a_way_is_found_again_from_its_name(source: str, sink: str) -> None:
    way = Way(source, sink)
    assert Way.parse(str(way)) == way
    assert way.gate == (f"{source} out" if ":" in sink else f"{sink} in")


def parameters(told: dict[str, Any], encode: Callable[[dict[str, Any]], dict[str, Any]]) -> dict[str, Any]:
    return encode({key: value for key, value in told.items() if key != "kind"})


def test_netem_is_told_what_is_meant() -> None:
    late = parameters(queues.netem(0.010, 0.002), sched_netem.get_parameters)
    assert late["delay"] == 5 * late["jitter"] > 0
    assert not late["attrs"]
    twice = parameters(queues.netem(duplicate=0.1), sched_netem.get_parameters)
    assert twice["duplicate"] == round(0.1 * (2**32 - 1)) or abs(twice["duplicate"] / 2**32 - 0.1) < 0.001
    wild = parameters(queues.netem(0.005, reorder=0.25), sched_netem.get_parameters)
    ((kind, order),) = wild["attrs"]
    assert kind == "TCA_NETEM_REORDER"
    assert abs(order["prob_reorder"] / 2**32 - 0.25) < 0.001


def test_a_rate_is_told_in_octets() -> None:
    told = parameters(queues.tbf(10e6), sched_tbf.get_parameters)
    assert dict(told["attrs"])["TCA_TBF_PARMS"]["rate"] == 1_250_000


class Heard:
    """An nftables that answers what it was told."""

    def __init__(self) -> None:
        self.commands: list[str] = []
        self.tables: list[str] = []

    def run(self, command: str) -> dict[str, Any]:
        self.commands.append(command)
        return {"nftables": [{"counter": {"table": name, "packets": 7}} for name in self.tables]}


def test_sieves_replace_themselves_and_only_what_is_there_is_taken_away() -> None:
    heard = Heard()
    put = Sieves(heard)  # type: ignore[arg-type]  # what it needs of a firewall
    put.put("loss", ["c1b in", "n7 out"], sieves.share(0.2), 300)
    (said,) = heard.commands
    assert said.index("add table netdev loss_c1b_in") < said.index("delete table netdev loss_c1b_in")
    assert 'type filter hook ingress device "c1b" priority -10' in said
    assert 'type filter hook egress device "n7" priority -10' in said
    assert "iifname @until numgen random mod 1000000 < 200000 counter name dropped drop" in said
    assert 'elements = { "n7" timeout 300s }' in said
    heard.tables = ["loss_c1b_in", "hollow_c1b_in"]
    put.take("loss", ["c1b in", "n7 out"])
    assert heard.commands[-1] == "delete table netdev loss_c1b_in; "
    assert put.dropped("hollow") == {"c1b in": 7}


def test_the_relay_comes_before_the_losses() -> None:
    """What was not sent by the relay is dropped before it is counted as lost: each frame is weighed once."""
    assert sieves.DETOUR[1] < sieves.share(0.5)[1] < 0
    assert f"{delay.MARK:#x}" in sieves.DETOUR[0]


def relayed(count: int, late: float, jitter: float) -> list[tuple[float, bytes]]:
    """When and in which order frames that come a millisecond apart leave the relay again."""
    outer, inlet = socket.socketpair(socket.AF_UNIX, socket.SOCK_DGRAM)
    outlet, other = socket.socketpair(socket.AF_UNIX, socket.SOCK_DGRAM)
    for one in (inlet, outlet, other):
        one.settimeout(0)
    way = delay.Way(inlet, outlet)
    left: list[tuple[float, bytes]] = []
    with outer, inlet, outlet, other:
        for tick in range(4 * count):
            now = tick / 1000
            if tick < count:
                outer.send(bytes([tick]))
            way.take(now, late, jitter)
            way.give(now)
            try:
                while True:
                    left.append((now, other.recv(16)))
            except BlockingIOError:
                continue
    return left


def test_frames_leave_the_relay_late_and_in_order() -> None:
    left = relayed(50, late=0.010, jitter=0)
    assert [frame for _, frame in left] == [bytes([n]) for n in range(50)]
    assert all(0.0099 < when - frame[0] / 1000 < 0.0111 for when, frame in left)


def test_jitter_lets_no_frame_overtake_another() -> None:
    random.seed(1)
    left = relayed(50, late=0.010, jitter=0.008)
    assert [frame for _, frame in left] == [bytes([n]) for n in range(50)]
    late = [when - frame[0] / 1000 for when, frame in left]
    assert min(late) < 0.009
    assert max(late) > 0.011


class Wire:
    """Both ends of a wire that drops, doubles and holds back as it is told."""

    def __init__(self, fate: Callable[[int], int]) -> None:
        self.fate, self.held, self.count = fate, list[bytes](), 0

    def getsockname(self) -> tuple[Any, ...]:
        return ("c1a", 0, 0, 0, b"\x02\xba\0\0\0\1")

    def send(self, frame: bytes) -> None:
        self.held += [frame] * self.fate(self.count)
        self.count += 1

    def recv(self, _: int) -> bytes:
        if not self.held:
            raise BlockingIOError
        return self.held.pop(0)


def test_a_crossing_counts_what_is_lost_twice_and_out_of_order() -> None:
    wire: Any = Wire(lambda number: 0 if number % 5 == 0 else 2 if number % 5 == 1 else 1)
    crosser = Crosser(wire, wire)
    for _ in range(10):
        crosser.send(64)
    wire.held.reverse()
    crosser.receive()
    found = crosser.found
    assert (found.sent, found.received, found.lost, found.twice) == (10, 8, 2, 2)
    assert found.disordered == 7, "the second copy of a frame is no disorder"
    stranger: Any = Wire(lambda _: 1)
    Crosser(stranger, stranger).send(64)
    wire.held = stranger.held
    crosser.receive()
    assert crosser.found.received == 8, "a frame of another crossing counted"


def test_a_dead_wire_costs_one_wait_only() -> None:
    wire: Any = Wire(lambda _: 0)
    assert walk(wire, wire, 20, 0.01).sent == 1
