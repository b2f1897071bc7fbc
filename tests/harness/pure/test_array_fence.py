"""Who may write to an array: for any story of admissions, one writer a volume, and never an older epoch."""

from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st

from lab.replica.array.fence import Fence, parse
from lab.replica.nbd.protocol import Refusal, RefusedError

volumes = st.sampled_from(["a", "b", "c"])
story = st.lists(st.one_of(st.tuples(volumes, st.integers(0, 6)), st.tuples(volumes, st.none())), max_size=30)


@given(story, st.integers(0, 3))
def test_the_laws_of_fencing(story: list[tuple[str, int | None]], seen_before: int) -> None:
    fence: Fence[object] = Fence("baie-1", seen_before)
    alive: dict[object, tuple[str, int]] = {}
    for volume, epoch in story:
        highest = fence.highest
        if epoch is None:  # the volume's writer leaves
            for session in [one for one, (where, _) in alive.items() if where == volume]:
                fence.left(volume, session)
                del alive[session]
            continue
        session = object()
        if epoch < highest:
            with pytest.raises(RefusedError, match=f"obeys epoch {highest}"):
                fence.admit(volume, epoch, session)
            assert fence.highest == highest
            continue
        for cut in fence.admit(volume, epoch, session):
            del alive[cut]  # KeyError = cut twice, or never admitted
        alive[session] = (volume, epoch)
        assert fence.highest == epoch
        assert all(older == epoch for _, older in alive.values())
        assert len({where for where, _ in alive.values()}) == len(alive)
        assert {where: one for one, (where, _) in alive.items()} == {
            where: one for where, (_, one) in fence.writers.items()
        }


def test_a_session_that_was_cut_takes_nobody_along_when_it_leaves() -> None:
    fence: Fence[str] = Fence("baie-1", 0)
    fence.admit("a", 1, "older")
    assert fence.admit("a", 1, "newer") == ["older"]
    fence.left("a", "older")
    assert fence.writers == {"a": (1, "newer")}


def test_the_planted_defect_lets_a_deposed_node_write_on() -> None:
    fence: Fence[str] = Fence("baie-1", 0, is_open=True)
    assert fence.admit("a", 5, "holder") == []
    assert fence.admit("a", 4, "deposed") == []


def test_a_stand_alone_volume_has_one_host_the_newest_until_a_node_takes_it_in() -> None:
    fence: Fence[str] = Fence("baie-1", 4, alone={"a": 0})
    assert fence.admit_host("a", 1, "older") == []
    assert fence.admit_host("a", 2, "newer") == ["older"]
    with pytest.raises(RefusedError, match="session 1 is over, the newest is 2") as refusal:
        fence.admit_host("a", 1, "older")
    assert refusal.value.code == Refusal.POLICY
    with pytest.raises(RefusedError, match="b on baie-1 is not stand-alone"):
        fence.admit_host("b", 1, "host")

    assert fence.admit("b", 5, "node, another volume") == []
    assert fence.admit("a", 5, "node") == ["newer"]
    with pytest.raises(RefusedError, match="was taken in") as later:
        fence.admit_host("a", 3, "newest")
    assert later.value.code == Refusal.NOT_NOW, "its path must wait for a node, and not end"


def test_a_volume_that_nodes_let_go_is_presented_to_the_newest_host_only() -> None:
    fence: Fence[str] = Fence("baie-1", 0, alone={"a": 0})
    fence.admit("a", 5, "node")
    with pytest.raises(RefusedError, match="cannot present a to hosts: a virtualiser has it open"):
        fence.present("a", 3)
    fence.left("a", "node")
    fence.present("a", 3)
    with pytest.raises(RefusedError, match="session 2 is over, the newest is 3"):
        fence.admit_host("a", 2, "from before")
    assert fence.admit_host("a", 3, "host") == []
    with pytest.raises(RefusedError, match="cannot present b to hosts: it is not stand-alone"):
        fence.present("b", 1)


def test_the_planted_defect_lets_a_host_write_on_beside_the_node() -> None:
    fence: Fence[str] = Fence("baie-1", 0, hosts_stay=True, alone={"a": 0})
    fence.admit_host("a", 1, "host")
    assert fence.admit("a", 5, "node") == []


def test_a_host_names_its_session_with_another_sign() -> None:
    assert parse("a#7", "#") == ("a", 7)


@pytest.mark.parametrize(("name", "meant"), [("a", ("a", None)), ("a@7", ("a", 7)), ("a@b@7", ("a@b", 7))])
def test_names_are_a_volume_and_perhaps_an_epoch(name: str, meant: tuple[str, int | None]) -> None:
    assert parse(name) == meant


@pytest.mark.parametrize("name", ["a@", "a@x", "a@-1", "a@1.5"])
def test_a_name_whose_epoch_is_no_number_is_refused(name: str) -> None:
    with pytest.raises(RefusedError, match="no number") as refusal:
        parse(name)
    assert refusal.value.code == Refusal.INVALID
