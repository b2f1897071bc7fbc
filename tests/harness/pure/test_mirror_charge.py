"""Rooms that are not mirrored: the controller of the room in charge serves, and a human says which that is."""

from __future__ import annotations

import json
from typing import TYPE_CHECKING

import pytest

from lab.replica.arbiter.kv import Entry
from lab.replica.mirror.geometry import Geometry, Settings
from lab.replica.mirror.node import Node
from lab.replica.mirror.store import CHARGE, OWNER, REFUSED, UNKNOWN

if TYPE_CHECKING:
    from collections.abc import Mapping

    from lab.replica.mirror.copies import Copy
    from lab.replica.mirror.store import Found, Swapped

SIZE = 1 << 20


class Dictionary:
    """The arbiters' store, in memory; it answers at once."""

    def __init__(self) -> None:
        self.entries: dict[str, Entry] = {}
        self.revision, self.now = 1, 0.0

    def read(self, keys: tuple[str, ...], then: Found) -> None:
        then({key: self.entries.get(key, Entry()) for key in keys}, self.now)

    def swap(self, expect: Mapping[str, int], put: Mapping[str, str], then: Swapped) -> None:
        if any(self.entries.get(key, Entry()).revision != revision for key, revision in expect.items()):
            then(REFUSED, self.now)
            return
        self.revision += 1
        self.entries.update({key: Entry(value, self.revision) for key, value in put.items()})
        then(self.revision, self.now)


class Nowhere:
    """Arrays that never answer."""

    def connect(self, copy: Copy, export: str, attempt: int) -> None:
        """Nothing comes of it."""


class Rooms:
    """Two controllers, each beside its own array."""

    def __init__(self) -> None:
        self.store = Dictionary()
        self.one, self.two = self._node("1", preferred=True), self._node("2", preferred=False)

    def _node(self, number: str, *, preferred: bool) -> Node:
        return Node(
            f"ctl-{number}",
            preferred=preferred,
            volumes=[Geometry("pra-2009", "v", SIZE)],
            arrays={f"baie-{number}": True},
            begins={"v": [f"baie-{number}"]},
            outside=lambda _volume: Nowhere(),
            store=self.store,
            settings=Settings(),
            room=f"salle-{number}",
        )

    def run(self, seconds: float, *nodes: Node) -> None:
        for _ in range(round(seconds * 10)):
            self.store.now += 0.1
            for node in nodes:
                node.tick(self.store.now)

    def charge(self, node: Node) -> str:
        said: list[str] = []
        node.take_charge(said.append)
        return said[0]


def test_the_other_rooms_controller_does_not_serve_even_when_the_first_is_dead() -> None:
    rooms = Rooms()
    rooms.run(1, rooms.two, rooms.one)
    assert rooms.one.lease.epoch
    rooms.run(10, rooms.two)
    assert not rooms.two.lease.epoch


def test_it_serves_once_it_takes_charge_and_the_first_never_again() -> None:
    rooms = Rooms()
    rooms.run(1, rooms.one, rooms.two)
    assert rooms.charge(rooms.two) == ""
    rooms.run(10, rooms.one, rooms.two)

    assert rooms.two.lease.epoch
    assert not rooms.one.lease.epoch
    assert rooms.store.entries[CHARGE].value == "salle-2"
    assert json.loads(rooms.store.entries["volumes/v"].value)["in_sync"] == ["baie-2"]


def test_no_host_may_write_on_what_it_had_open_before() -> None:
    """Its path keeps what the older copy never had; written there, it would mix two states of one database."""
    rooms = Rooms()
    rooms.store.entries["sessions/v"] = Entry(json.dumps({"host": "esx-11", "number": 4}), 1)
    rooms.run(1, rooms.one, rooms.two)
    rooms.charge(rooms.two)

    assert json.loads(rooms.store.entries["sessions/v"].value) == {"host": "", "number": 5}


def test_a_charge_that_met_another_change_is_not_taken() -> None:
    rooms = Rooms()
    rooms.run(1, rooms.one)
    honest, changed = rooms.store.swap, [False]

    def swap(expect: Mapping[str, int], put: Mapping[str, str], then: Swapped) -> None:
        if not changed[0]:
            changed[0] = True
            rooms.store.entries[OWNER] = Entry(json.dumps({"node": "ctl-1"}), 99)
        honest(expect, put, then)

    rooms.store.swap = swap  # type: ignore[method-assign]
    assert "did not confirm" in rooms.charge(rooms.two)
    assert CHARGE not in rooms.store.entries


@pytest.mark.parametrize(("silent", "said"), [(3, ""), (1000, "ctl-2: no arbiter answers")])
def test_arbiters_that_choose_a_leader_are_asked_again(silent: int, said: str) -> None:
    """With the room that is lost went one of them."""
    rooms = Rooms()
    rooms.run(1, rooms.one, rooms.two)
    honest, left = rooms.store.read, [silent]

    def read(keys: tuple[str, ...], then: Found) -> None:
        left[0] -= 1
        if left[0] >= 0:
            then(None, rooms.store.now)
        else:
            honest(keys, then)

    rooms.store.read = read  # type: ignore[method-assign]
    assert rooms.charge(rooms.two) == said
    assert (CHARGE in rooms.store.entries) == (not said)


def test_a_charge_whose_outcome_nobody_told_is_given_again() -> None:
    rooms = Rooms()
    rooms.run(1, rooms.one, rooms.two)
    honest, told = rooms.store.swap, [False]

    def swap(expect: Mapping[str, int], put: Mapping[str, str], then: Swapped) -> None:
        if told[0]:
            honest(expect, put, then)
        else:
            told[0] = True
            honest(expect, put, lambda _outcome, now: then(UNKNOWN, now))

    rooms.store.swap = swap  # type: ignore[method-assign]
    assert rooms.charge(rooms.two) == ""
    assert rooms.store.entries[CHARGE].value == "salle-2"
