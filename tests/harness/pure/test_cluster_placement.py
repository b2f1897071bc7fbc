"""Where servers may start: the laws."""

from __future__ import annotations

from dataclasses import replace

from hypothesis import given, settings
from hypothesis import strategies as st

from lab.replica.cluster.catalogue import HostSpec, Priority, ServerSpec
from lab.replica.cluster.placement import Wanted, place

HOSTS = ("a1", "a2", "b1", "b2")
ROOMS = st.sampled_from(("a", "b"))


class Case:
    """A cluster of which some hosts are gone, with their servers."""

    def __init__(self, draw: st.DrawFn) -> None:
        sizes = st.integers(4, 12)
        self.hosts = {name: HostSpec(name[0], draw(sizes), draw(sizes)) for name in HOSTS}
        names = [f"s{at}" for at in range(draw(st.integers(1, 14)))]
        self.servers = {name: self._server(draw) for name in names}
        for one, other in zip(names[::2], names[1::2], strict=False):
            if draw(st.booleans()):
                self.servers[one] = replace(self.servers[one], twin=other)
                self.servers[other] = replace(self.servers[other], twin=one)
        self.gone = draw(st.sets(st.sampled_from(HOSTS), max_size=3))
        self.may = frozenset(HOSTS) - self.gone
        everywhere = [Wanted(name, frozenset(HOSTS)) for name in names]
        self.assigned = place(self.hosts, self.servers, {}, everywhere)
        self.wanted = [Wanted(name, self.may) for name in names if self.assigned.get(name, "a1") in self.gone]
        self.placed = place(self.hosts, self.servers, self.assigned, self.wanted)
        self.after = {**self.assigned, **self.placed}

    @staticmethod
    def _server(draw: st.DrawFn) -> ServerSpec:
        prefers = draw(st.sampled_from(("", "a", "b")))
        size = st.integers(1, 4)
        return ServerSpec(
            draw(size), draw(size), draw(st.sampled_from(Priority)), prefers=prefers, must=draw(st.booleans())
        )

    def fits(self, name: str, host: str, beside: dict[str, str]) -> bool:
        """Whether a server fits on a host with what stands there."""
        there = [self.servers[other] for other, on in beside.items() if on == host and other != name]
        spec, room = self.servers[name], self.hosts[host]
        if spec.must and spec.prefers and room.room != spec.prefers:
            return False
        return (
            sum(one.cpu for one in there) + spec.cpu <= room.cpu
            and sum(one.memory for one in there) + spec.memory <= room.memory
        )


CASES = st.composite(Case)()


@given(CASES)
def test_no_host_is_over_its_capacity(case: Case) -> None:
    for host, spec in case.hosts.items():
        there = [case.servers[name] for name, on in case.after.items() if on == host]
        assert sum(one.cpu for one in there) <= spec.cpu
        assert sum(one.memory for one in there) <= spec.memory


@given(CASES)
def test_only_wanted_servers_are_placed_and_only_where_they_may(case: Case) -> None:
    assert case.placed.keys() <= {one.server for one in case.wanted}
    assert set(case.placed.values()) <= case.may


@settings(max_examples=300)
@given(CASES)
def test_none_waits_that_would_fit_without_those_of_lower_priority(case: Case) -> None:
    for one in case.wanted:
        if one.server in case.placed:
            continue
        urgent = {
            name: host
            for name, host in case.after.items()
            if name not in case.placed or case.servers[name].priority <= case.servers[one.server].priority
        }
        assert not any(case.fits(one.server, host, urgent) for host in case.may)


@given(CASES)
def test_a_must_rule_is_never_broken(case: Case) -> None:
    for name, host in case.placed.items():
        spec = case.servers[name]
        assert not spec.must or not spec.prefers or case.hosts[host].room == spec.prefers


@settings(max_examples=300)
@given(CASES)
def test_a_pair_is_kept_apart_while_possible(case: Case) -> None:
    for name, host in case.placed.items():
        twin = case.after.get(case.servers[name].twin, "")
        # The member that was placed first knew nothing of the other's place.
        if not twin or case.servers[name].twin in case.placed:
            continue
        apart = [other for other in case.may if case.hosts[other].room != case.hosts[twin].room]
        if case.hosts[host].room == case.hosts[twin].room:
            assert not any(case.fits(name, other, case.after) for other in apart)
        if host == twin:
            assert not any(case.fits(name, other, case.after) for other in case.may - {twin})


@given(CASES)
def test_the_order_of_the_question_changes_nothing(case: Case) -> None:
    assert place(case.hosts, case.servers, case.assigned, case.wanted[::-1]) == case.placed


def test_both_members_of_a_pair_at_once_come_apart() -> None:
    hosts = {name: HostSpec(name[0], 8, 8) for name in HOSTS}
    servers = {"one": ServerSpec(1, 1, twin="two"), "two": ServerSpec(1, 1, twin="one")}
    placed = place(hosts, servers, {}, [Wanted(name, frozenset(HOSTS)) for name in servers])
    assert placed["one"][0] != placed["two"][0]


def test_a_place_that_becomes_free_is_for_the_most_urgent() -> None:
    hosts = {"a1": HostSpec("a", 4, 4), "b1": HostSpec("b", 1, 1)}
    servers = {"big": ServerSpec(4, 4, Priority.HIGH), "small": ServerSpec(1, 1, Priority.LOW)}
    wanted = [Wanted("big", frozenset({"a1"})), Wanted("small", frozenset(hosts), avoid="a1")]
    assert place(hosts, servers, {"small": "a1"}, wanted) == {"small": "b1", "big": "a1"}


def test_the_target_of_a_move_comes_before_the_rules() -> None:
    hosts = {name: HostSpec(name[0], 8, 8) for name in HOSTS}
    servers = {"one": ServerSpec(1, 1, prefers="a")}
    assert place(hosts, servers, {}, [Wanted("one", frozenset(HOSTS), likes="b2")]) == {"one": "b2"}


def test_four_hundred_and_fifty_servers_of_a_lost_room_are_spread() -> None:
    hosts = {name: HostSpec(name[0], 500, 500) for name in HOSTS}
    servers = {f"s{at}": ServerSpec(1 + at % 2, 1 + at % 3, Priority(at % 3)) for at in range(450)}
    assigned = {name: HOSTS[at % 4] for at, name in enumerate(servers)}
    wanted = [Wanted(name, frozenset({"b1", "b2"})) for name, host in assigned.items() if host[0] == "a"]
    placed = place(hosts, servers, assigned, wanted)
    assert len(placed) == len(wanted)
    counts = [[*placed.values()].count(host) for host in ("b1", "b2")]
    assert max(counts) - min(counts) <= 20
