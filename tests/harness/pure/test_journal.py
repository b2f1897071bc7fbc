"""The journal knows what is broken, whoever broke it and however he died."""

from __future__ import annotations

from typing import TYPE_CHECKING

from hypothesis import given, settings
from hypothesis import strategies as st

from lab.journal import Harm, Journal

if TYPE_CHECKING:
    from pathlib import Path

steps = st.lists(st.tuples(st.booleans(), st.sampled_from(list(Harm)), st.sets(st.sampled_from("abc"), min_size=1)))


def test_what_is_open_survives_its_writer(tmp_path: Path) -> None:
    path = tmp_path / "journal.jsonl"
    journal = Journal(path)
    journal.add(Harm.NODE_OFF, ["esx-11", "esx-12"])
    journal.strike(Harm.NODE_OFF, ["esx-12"])
    assert Journal.read(path).open(Harm.NODE_OFF) == {"esx-11"}


def test_a_last_line_cut_short_is_a_harm_that_was_never_done(tmp_path: Path) -> None:
    path = tmp_path / "journal.jsonl"
    journal = Journal(path)
    journal.add(Harm.UNPLUGGED, ["c1a"])
    path.write_bytes(path.read_bytes() + b'{"harm": "node off", "na')
    read = Journal.read(path)
    assert read.open(Harm.UNPLUGGED) == {"c1a"}
    assert not read.open(Harm.NODE_OFF)


@settings(deadline=None)  # each line is synced: how long that takes is the disk's affair
@given(steps)
def test_reading_gives_what_the_writer_held(tmp_path_factory: object, taken: list[tuple[bool, Harm, set[str]]]) -> None:
    path = tmp_path_factory.mktemp("journal") / "journal.jsonl"  # type: ignore[attr-defined]
    journal = Journal(path)
    for broken, harm, names in taken:
        (journal.add if broken else journal.strike)(harm, names)
    assert Journal.read(path).items() == journal.items()


def test_what_is_written_after_a_line_cut_short_is_kept(tmp_path: Path) -> None:
    path = tmp_path / "journal.jsonl"
    path.write_text('{"harm": "node off", "na')
    Journal.read(path).add(Harm.SILENCED, ["c2b"])
    assert Journal.read(path).open(Harm.SILENCED) == {"c2b"}
