"""Clients that we did not write, of the NBD project, qemu and fio: what they make of the storage, also as it breaks."""

from __future__ import annotations

import json
from typing import TYPE_CHECKING

import pytest

from faults import PowerLoss
from lab.plan import NodeKind
from lab.replica.nbd.protocol import PORT
from lab.waiting import wait_until
from tests.harness.integration.foreign_storage import MIB, SIZE, VOLUME, WITHIN, ForeignStorage

if TYPE_CHECKING:
    from collections.abc import Iterator

    from lab.bench import Lab

NODE = "quorum"
FIO = (
    # In the foreground and as a thread, or its job is a process group of its own, outlives a kill, and spins for ever.
    "timeout --foreground 60 fio --thread --name=foreign --ioengine=nbd --bs=4k --iodepth=16 --size=32m --rw=randwrite "
    "--randseed=4 --fsync=32 --verify=crc32c --verify_fatal=1 --output-format=terse --terse-version=3"
)
# 4 MiB/s keep the two cores free for the others.
PACED = f"{FIO} --rate=4m --do_verify=1"


@pytest.fixture
def storage(tiny: Lab) -> Iterator[ForeignStorage]:
    found = ForeignStorage(lambda *command: tiny.nodes.run(NODE, *command))
    try:
        found.build()
        yield found
    finally:
        found.end()


@pytest.fixture
def lonely(storage: ForeignStorage) -> str:
    """An array without virtualisers, opened to write at an epoch that none of them has had."""
    for name in ("svc-1", "svc-2"):
        storage.kill(name)
    return storage.uri("baie-1", f"{VOLUME}@{1 << 40}")


@pytest.fixture(params=["array", "virtualiser", "path"])
def disk(request: pytest.FixtureRequest, storage: ForeignStorage) -> str:
    """The volume, open to write, at each place where a client may meet it."""
    if request.param == "array":
        return str(request.getfixturevalue("lonely"))
    session = storage.take_session()
    return storage.start_path(session) if request.param == "path" else storage.uri("svc-1", f"{VOLUME}@{session}")


def test_nbdinfo_reads_what_is_offered(storage: ForeignStorage) -> None:
    for server, size in (("baie-1", SIZE + 2 * 4096), ("svc-1", SIZE)):
        listed = json.loads(storage.told(f"nbdinfo --json --list {storage.uri(server, '')}"))
        assert [export["export-name"] for export in listed["exports"]] == [VOLUME]
        (export,) = json.loads(storage.told(f"nbdinfo --json --no-content {storage.uri(server)}"))["exports"]
        assert (export["export-size"], export["is_read_only"], export["can_flush"]) == (size, True, True)
        assert f"={server} epoch=" in export["description"]


def test_nbdcopy_brings_back_what_it_took_there(storage: ForeignStorage, disk: str) -> None:
    storage.told(f"truncate -s {SIZE} there && dd if=/dev/urandom of=there bs=1M seek=3 count=20 conv=notrunc")
    size = int(storage.told(f"nbdinfo --size '{disk}'"))
    storage.told(f"truncate -s {size} there && nbdcopy --flush there '{disk}' && nbdcopy '{disk}' back")
    storage.told("cmp there back")


def test_qemu_io_finds_its_patterns(storage: ForeignStorage, disk: str) -> None:
    orders = (
        "write -P 0x5a 1M 2M",
        "write -z 8M 1M",
        "write -f -P 0x11 4096 512",
        "flush",
        "read -P 0x5a 1M 2M",
        "read -P 0 8M 1M",
        "read -P 0x11 4096 512",
        "read -P 0 4608 512",
    )
    said = storage.told("qemu-io -f raw " + " ".join(f"-c '{order}'" for order in orders) + f" '{disk}'")
    assert "failed" not in said


def test_fio_verifies_what_it_wrote(storage: ForeignStorage, disk: str) -> None:
    storage.told(f"{FIO} --do_verify=1 --uri='{disk}'")


def test_an_array_without_power_forgets_nothing_that_fio_flushed(storage: ForeignStorage, lonely: str) -> None:
    storage.told(f"{FIO} --do_verify=0 --end_fsync=1 --uri='{lonely}'")
    storage.start("late", f"{FIO} --do_verify=0 --offset=32m --size=31m --rate=2m --fsync=0 --uri='{lonely}'")
    wait_until(lambda: storage.ask("baie-1")["dirty"] > MIB, within=WITHIN, because="nothing is written")
    storage.kill("baie-1")
    storage.kill("late")  # by itself it would poll its dead connection for ever (fio 3.33)
    storage.start_array("baie-1")
    storage.told(f"{FIO} --verify_only --uri='{lonely}'")


def test_fio_at_a_virtualiser_does_not_feel_the_loss_of_an_array(storage: ForeignStorage) -> None:
    disk = storage.uri("svc-1", f"{VOLUME}@{storage.take_session()}")
    play(storage, disk, "baie-2", "baie-1")


def test_fio_at_a_path_feels_neither_an_array_nor_a_node(storage: ForeignStorage) -> None:
    disk = storage.start_path(storage.take_session())
    play(storage, disk, "baie-1", "svc-1")


def play(storage: ForeignStorage, disk: str, *victims: str) -> None:
    """Let fio write and verify while the victims lose their power and come back, one after the other.

    It writes and verifies again and again until it is told that the story is over, however long that takes here.
    """
    again = f"until [ -e over ]; do {PACED} --uri='{disk}' || exec echo ended with \\$?; done; echo ended with 0"
    storage.start("fio", f'sh -c "{again}"')
    for victim in victims:
        wait_until(lambda: writes(storage) > 100, within=WITHIN, because=storage.words)
        storage.kill(victim)
        wait_until(lambda: not storage.is_whole, within=WITHIN, because="the loss is not felt")
        restart(storage, victim)
        wait_until(lambda: storage.is_whole, within=WITHIN, because=storage.words)
    assert "ended" not in storage.told("cat fio.log"), storage.words()
    storage.told("touch over")
    wait_until(lambda: "ended" in storage.told("cat fio.log"), within=60, because=storage.words)
    assert "ended with 0" in storage.told("cat fio.log")
    found = storage.ask(storage.active, f"verify {VOLUME}")
    assert found["identical"], found


def restart(storage: ForeignStorage, name: str) -> None:
    if name.startswith("baie"):
        storage.start_array(name)
    else:
        storage.start_virtualiser(name)


def writes(storage: ForeignStorage) -> int:
    """Requests that an array has had since its start."""
    return max(int(storage.ask(name).get("writes", 0)) for name in ("baie-1", "baie-2"))


def test_a_reader_of_the_lab_in_service_does_not_feel_the_loss_of_an_array(whole: Lab) -> None:
    """A backup by nbdcopy, from the active node of the lab itself, while its servers run."""
    nodes = [node for node in whole.plan.nodes.values() if node.kind is NodeKind.VIRTUALISER]
    active = next(node.name for node in nodes if whole.nodes.ask(node.name, "virtualiser")["active"])
    name = next(volume for volume, about in whole.plan.volumes.items() if about.copies)
    uri = f"nbd://{whole.plan.address(active, 'storage').ip}/{name}"
    assert f"node={active} epoch=" in whole.run_in(NODE, "nbdinfo", "--no-content", uri)
    fault = PowerLoss("baie-2")
    fault.inject(whole)
    try:
        whole.run_in(NODE, "timeout", "60", "nbdcopy", uri, "null:")
    finally:
        fault.heal(whole)
    whole.wait_whole()


def test_blocks_travel_in_large_frames(whole: Lab) -> None:
    """From the mirror to its arrays: what both ends of each connection agreed upon, and what has come through since."""
    active = str(whole.storage.active)
    peers = {str(whole.plan.address(array, "storage").ip) for array in ("baie-1", "baie-2")}
    said = whole.run_in(active, "ss", "-tinHO", "state", "established", f"dport = :{PORT}")
    sizes = {
        line.split()[3].partition(":")[0]: int(line.partition(" mss:")[2].split()[0]) for line in said.splitlines()
    }
    assert peers <= sizes.keys()
    assert all(sizes[peer] > 8 << 10 for peer in peers), said
