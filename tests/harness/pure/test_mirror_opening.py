"""What a node does when it opens a volume on disks, or by arbiters, that are not what they were; in simulated time."""

from __future__ import annotations

import json
from typing import TYPE_CHECKING

from lab.replica.array.layout import BLOCK
from lab.replica.mirror.geometry import Geometry
from lab.replica.mirror.volume import Phase, Volume
from lab.replica.nbd.protocol import Kind
from tests.harness.pure.storage_nodes import Wanted
from tests.harness.pure.storage_world import Schedule, World

if TYPE_CHECKING:
    from collections.abc import Callable

    from lab.replica.mirror.work import Host
    from tests.harness.pure.storage_array import Array


def world(*, runs: float = 3.0) -> World:
    found = World(Schedule(7))
    found.arbiters.forgetful = 0.0
    found.clock.after(0.0, found.new_host)
    found.clock.run(runs)
    return found


def volume_of(found: World, node: str = "svc-1") -> Volume:
    return found.nodes[node].core.volumes["v"]


def replace_disks(array: Array, geometry: Geometry) -> None:
    """New disks: what an array makes at its first start."""
    array.lose_power()
    array.durable[:] = bytes(len(array.durable))
    array.durable[geometry.size : geometry.size + BLOCK] = geometry.header(0)
    array.view[:] = array.durable
    array.restart()


def test_an_array_with_new_disks_is_never_a_source_and_gets_every_grain() -> None:
    found = world()
    found.nodes["svc-1"].crash()  # before it could record the loss: both copies stay on record as in sync
    replace_disks(found.arrays["baie-2"], found.geometry)
    found.clock.run(found.clock.now + 1)
    assert json.loads(found.arbiters.entries["volumes/v"].value)["in_sync"] == ["baie-1", "baie-2"]
    found.play_out()
    assert found.comparisons["identical"] == 1


def test_new_disks_in_every_array_are_not_served() -> None:
    found = world()
    found.nodes["svc-1"].crash()
    for array in found.arrays.values():
        replace_disks(array, found.geometry)
    found.clock.run(found.clock.now + 5)
    assert volume_of(found, "svc-2").phase is Phase.REFUSED
    assert "blank" in volume_of(found, "svc-2").trouble


def test_arbiters_that_were_set_back_are_not_believed() -> None:
    found = world(runs=1)
    older = found.arbiters.entries["volumes/v"].value
    found.inject_now("array loses power for a moment", "baie-2")  # two changes of the record: lost, and in sync again
    found.clock.run(found.clock.now + 4)
    found.nodes["svc-1"].crash()
    found.arbiters.put("volumes/v", older)
    found.clock.run(found.clock.now + 5)
    assert volume_of(found, "svc-2").phase is Phase.REFUSED
    assert "both claim to be newer" in volume_of(found, "svc-2").trouble


def test_without_a_record_all_copies_must_be_there() -> None:
    found = World(Schedule(7))
    found.arrays["baie-2"].lose_power()
    found.clock.run(5)
    assert all(volume_of(found, node).phase is not Phase.SERVING for node in found.nodes)
    found.arrays["baie-2"].restart()
    found.clock.run(15)
    assert any(volume_of(found, node).phase is Phase.SERVING for node in found.nodes)


class Nobody:
    """Neither a connection nor an array."""

    def abort(self) -> None:
        """Nothing to end."""

    def connect(self, *_: object) -> None:
        """Nothing to reach."""


def test_a_volume_without_data_is_a_session_and_nothing_else() -> None:
    found = world(runs=1)
    lease = found.nodes["svc-1"].core.lease
    store = found.arbiters.asked_by(found.nodes["svc-1"])
    volume = Volume(Geometry("sim", "rien", 0), [("baie-1", True)], outside=Nobody(), store=store, lease=lease)
    now = found.clock.now
    volume.open(lease.epoch, now)
    assert volume.phase is Phase.SERVING
    hosts: list[Host] = [volume.hosts.admit(Nobody(), number, now) for number in (1, 2)]
    assert [host.open for host in hosts] == [False, True]
    answers: list[int] = []
    done: Callable[..., None] = lambda error, _data: answers.append(error)  # noqa: E731 - a line of its own says less
    volume.flow.request(Wanted(Kind.FLUSH, 0, b"", 0, done), hosts[1], now)
    assert answers == [0]
