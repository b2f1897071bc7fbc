"""A server's disk on a node that dies: nothing stuck, nothing left, what was flushed is there, the rest forgotten."""

from __future__ import annotations

import json
import time
from typing import TYPE_CHECKING

import pytest

from lab.enclosure import TAG, Enclosure, ensure_image, loops
from lab.nodes import CAPABILITIES, REPLICA
from lab.nodes.volumes import Blank, ensure_volume
from lab.waiting import wait_until
from tests.harness.campaigns.disk_kills import VICTIMS, campaign

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator
    from pathlib import Path

    from docker.models.containers import Container

KILLS = 5
SIZE = 64 << 20


@pytest.fixture(scope="module")
def store() -> Path:
    return ensure_image(print)


@pytest.fixture(scope="module")
def image(store: Path) -> Path:
    return ensure_volume(store, Blank(SIZE), print)


@pytest.mark.parametrize("victim", VICTIMS)
def test_nothing_is_stuck_and_nothing_flushed_is_lost_when_it_is_killed(victim: str, store: Path, image: Path) -> None:
    tally = campaign(victim, KILLS, 7, store, image)
    print(victim, tally)  # noqa: T201 - a figure to read, in the test's own output
    assert tally.wedges == []
    assert tally.losses == []
    assert tally.forgotten > 0


@pytest.fixture(scope="module")
def node(store: Path, image: Path, tmp_path_factory: pytest.TempPathFactory) -> Iterator[Container]:
    """A node that does nothing by itself, with a folder /told that the test fills."""
    told = tmp_path_factory.mktemp("told")
    enclosure = Enclosure.start("one-disk", store=store)
    try:
        container = enclosure.engine.containers.create(
            TAG,
            ["tini", "--", "sleep", "infinity"],
            network_mode="none",
            cap_add=CAPABILITIES,
            security_opt=["apparmor=unconfined", "seccomp=unconfined"],
            environment={"PYTHONPATH": "/opt/bascule", "PYTHONDONTWRITEBYTECODE": "1"},
            device_cgroup_rules=loops.rules(enclosure.name),
            tmpfs={"/run": ""},
            volumes={
                str(REPLICA): {"bind": "/opt/bascule/replica", "mode": "ro"},
                str(image): {"bind": "/image", "mode": "ro"},
                str(told): {"bind": "/told", "mode": "ro"},
            },
            labels={"told": str(told)},
        )
        container.start()
        yield container
    finally:
        enclosure.close()
        loops.remove(loops.existing("one-disk"))


@pytest.fixture
def carry(node: Container, tmp_path_factory: pytest.TempPathFactory) -> Callable[..., tuple[int, str]]:
    """Run a shell line on a disk; its exit code and all that was said."""

    def run(line: str, *, file: str = "/srv/local.disk", numbers: list[int] | None = None) -> tuple[int, str]:
        told = tmp_path_factory.getbasetemp() / "told0"
        local = {"socket": "/run/d.sock", "file": file, "size": SIZE, "template": "/image"}
        disk = {
            "name": "d",
            "socket": "/run/d.sock",
            "mount": "/srv/d",
            "loops": list(loops.numbers("one-disk")) if numbers is None else numbers,
            "program": ["sh", "-c", line],
            "backing": ["python3", "-m", "replica.array.local", "/told/local.json"],
            "farewell": 1.0,
        }
        (told / "local.json").write_text(json.dumps(local))
        (told / "disk.json").write_text(json.dumps(disk))
        ran = node.exec_run(["timeout", "20", "python3", "-m", "replica.disk.carrier", "/told/disk.json"])
        assert isinstance(ran.output, bytes)
        return int(ran.exit_code or 0), ran.output.decode()

    return run


def test_a_program_has_its_disk_and_nobody_else_sees_it(carry: Callable[..., tuple[int, str]], node: Container) -> None:
    status, said = carry("grep ' /srv/d ' /proc/mounts; echo kept > /srv/d/file; exit 3")
    assert status == 3, said
    assert "/srv/d ext4 rw,lazytime,noatime,errors=remount-ro" in said
    assert node.exec_run(["ls", "/srv/d"]).output == b""
    assert node.exec_run(["grep", "-c", "fuse", "/proc/mounts"]).output == b"0\n"
    assert carry("cat /srv/d/file; e2fsck -fn /srv/local.disk | grep -c WARNING")[1].count("kept") == 1
    wait_until(
        lambda: not [number for number in loops.existing("one-disk") if loops.is_bound(number)],
        within=5,
        because="a loop device stays bound",
    )


def test_a_disk_that_was_unmounted_in_order_is_clean(carry: Callable[..., tuple[int, str]], node: Container) -> None:
    assert carry("dd if=/dev/urandom of=/srv/d/more bs=64k count=16")[0] == 0
    checked = node.exec_run(["e2fsck", "-fn", "/srv/local.disk"])
    assert checked.exit_code == 0, checked.output
    assert b"recovering journal" not in checked.output


@pytest.mark.parametrize(
    ("spoil", "sentence"),
    [
        ("truncate -s 64M /srv/spoilt", "holds no ext4 file system"),
        (
            "cp --sparse=always /image /srv/spoilt && printf '\\377' | dd of=/srv/spoilt bs=1 seek=1030 conv=notrunc",
            "its end is missing",
        ),
    ],
)
def test_what_is_no_whole_file_system_is_refused_in_a_sentence(
    carry: Callable[..., tuple[int, str]], node: Container, spoil: str, sentence: str
) -> None:
    assert node.exec_run(["sh", "-c", f"rm -f /srv/spoilt; {spoil}"]).exit_code == 0
    status, said = carry("echo reached", file="/srv/spoilt")
    assert status == 1
    assert sentence in said
    assert "reached" not in said


def test_no_free_loop_device_is_said_in_a_sentence(carry: Callable[..., tuple[int, str]]) -> None:
    status, said = carry("echo reached", numbers=[])
    assert status == 1
    assert "none of the 0 loop devices" in said
    assert "reached" not in said


def test_a_file_system_that_met_an_error_is_checked_before_it_is_mounted(
    carry: Callable[..., tuple[int, str]], node: Container
) -> None:
    spoil = "cp --sparse=always /image /srv/erring && debugfs -w -R 'ssv state 2' /srv/erring"
    assert node.exec_run(["sh", "-c", spoil]).exit_code == 0
    status, said = carry("dumpe2fs -h $(findmnt -no SOURCE /srv/d) | grep state", file="/srv/erring")
    assert status == 0, said
    assert "with errors" not in said


def test_a_program_that_waits_for_a_frozen_disk_can_be_stopped(carry: Callable[..., tuple[int, str]]) -> None:
    begun = time.monotonic()
    stop = "kill -TERM $(pgrep -f '^python3 -m [r]eplica.disk.carrier')"
    status, said = carry(
        f"pkill -STOP -f [r]eplica.array.local; {stop}; dd if=/dev/zero of=/srv/d/f bs=4k count=9 oflag=sync"
    )
    assert status == 0, said
    assert time.monotonic() - begun < 10
    wait_until(
        lambda: not [number for number in loops.existing("one-disk") if loops.is_bound(number)],
        within=5,
        because="a loop device stays bound",
    )


def test_the_program_ends_when_what_is_behind_its_disk_ends(carry: Callable[..., tuple[int, str]]) -> None:
    status, said = carry("pkill -KILL -f [r]eplica.array.local; sleep 15; echo outlived")
    assert status != 0
    assert "outlived" not in said
