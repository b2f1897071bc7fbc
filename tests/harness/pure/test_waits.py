"""What is said of an engine that does not answer."""

from __future__ import annotations

from types import SimpleNamespace
from typing import TYPE_CHECKING, Any, cast

import pytest
from requests.exceptions import ReadTimeout

from lab.enclosure.waits import waits
from lab.nodes import NodeError
from lab.nodes.containers import ContainerNode, Containers

if TYPE_CHECKING:
    from pathlib import Path

    from docker.models.containers import Container


def process(proc: Path, pid: str, name: str, state: str, where: str) -> None:
    (proc / pid).mkdir()
    (proc / pid / "stat").write_text(f"{pid} ({name}) {state} 1 1")
    (proc / pid / "wchan").write_text(where)


def test_who_cannot_be_interrupted_and_who_starts_a_container_is_named(tmp_path: Path) -> None:
    process(tmp_path, "1", "postgres: wal (x)", "D", "folio_wait_bit")
    process(tmp_path, "2", "runc:[2:INIT]", "S", "do_freezer_trap")
    process(tmp_path, "3", "runc:[2:INIT]", "S", "do_freezer_trap")
    process(tmp_path, "4", "etcd", "S", "futex_do_wait")
    assert waits(["1", "2", "3", "4", "5"], tmp_path) == (
        "1 postgres: wal (x) in folio_wait_bit, 2 runc:[2:INIT] in do_freezer_trap"
    )
    assert waits(["4", "5"], tmp_path) == "nothing that shows"


def test_a_node_that_the_engine_does_not_start_is_a_sentence(tmp_path: Path) -> None:
    class Silent:
        status = "exited"

        def reload(self) -> None:
            pass

        def start(self) -> None:
            raise ReadTimeout("Read timed out.")

    enclosure: Any = SimpleNamespace(waits=lambda: "1 runc in do_freezer_trap")
    nodes = Containers(enclosure, tmp_path, lambda *_: None)
    nodes.nodes["baie-1"] = ContainerNode("baie-1", cast("Container", Silent()))
    with pytest.raises(NodeError, match=r"^node baie-1 did not start within 60 s; what waits: 1 runc in do_freezer"):
        nodes.on(["baie-1"])
