"""What an array says when it must not start: one sentence, with the volume, the array and the remedy."""

from __future__ import annotations

import os
from dataclasses import replace
from typing import TYPE_CHECKING

import pytest

from lab.replica.array.config import ArrayConfig, VolumeConfig
from lab.replica.array.layout import Header, metadata_length
from lab.replica.array.service import Array
from lab.replica.array.shelf import Shelf, StartError

if TYPE_CHECKING:
    from pathlib import Path

MIB = 1 << 20
SIZE = 4 * MIB


@pytest.fixture
def config(tmp_path: Path) -> ArrayConfig:
    """An array of one volume."""
    template = tmp_path / "template.ext4"
    template.write_bytes(bytes(MIB) + b"file system" + bytes(MIB))
    return ArrayConfig(
        name="baie-1",
        plan="tiny",
        address="127.0.0.1",
        folder=tmp_path / "array",
        volumes={"dopasoins-1": VolumeConfig(SIZE, template)},
        capacity=8 * MIB,
    )


def file(config: ArrayConfig) -> Path:
    return config.folder / "dopasoins-1.volume"


def test_the_first_start_makes_the_volume_from_its_template(config: ArrayConfig) -> None:
    path = Shelf(config).open()["dopasoins-1"]
    data = path.read_bytes()
    assert data[MIB : MIB + 11] == b"file system"
    assert len(data) == SIZE + metadata_length(SIZE)
    assert Header.decode(data[SIZE : SIZE + 4096]) == Header("tiny", "dopasoins-1", SIZE)
    assert path.stat().st_blocks * 512 < 3 * MIB


def test_a_later_start_finds_what_was_written_and_the_epoch(config: ArrayConfig) -> None:
    shelf = Shelf(config)
    path = shelf.open()["dopasoins-1"]
    shelf.record(17, {})
    with path.open("r+b") as volume:
        volume.write(b"written")
    again = Shelf(config)
    assert again.epoch == 17
    assert again.open()["dopasoins-1"].read_bytes()[:7] == b"written"


def refusal(config: ArrayConfig) -> str:
    with pytest.raises(StartError) as refused:
        Array(config)
    sentence = str(refused.value)
    assert "baie-1" in sentence
    assert sentence.endswith(".")
    assert "\n" not in sentence
    return sentence


def test_a_volume_larger_than_its_array(config: ArrayConfig) -> None:
    assert "dopasoins-1 of 4 MiB is larger than array baie-1, which has 1 MiB" in refusal(replace(config, capacity=MIB))


def test_a_file_that_has_vanished_is_not_made_anew(config: ArrayConfig) -> None:
    Array(config)
    file(config).unlink()
    assert "volume dopasoins-1 has vanished from array baie-1" in refusal(config)
    assert not file(config).exists()


def test_a_file_that_is_too_short(config: ArrayConfig) -> None:
    Array(config)
    os.truncate(file(config), SIZE)
    assert f"has {SIZE} bytes and should have" in refusal(config)


def test_a_header_that_is_damaged(config: ArrayConfig) -> None:
    Array(config)
    with file(config).open("r+b") as volume:
        volume.seek(SIZE)
        volume.write(b"\0" * 64)
    assert "header behind its data is damaged" in refusal(config)


def test_the_file_of_another_plan(config: ArrayConfig) -> None:
    Array(config)
    with file(config).open("r+b") as volume:
        volume.seek(SIZE)
        volume.write(Header("zero", "dopasoins-1", SIZE).encode())
    assert "belongs to volume dopasoins-1 of 4 MiB of plan zero" in refusal(config)


def test_the_folder_of_another_array_or_plan(config: ArrayConfig) -> None:
    Array(config)
    assert "the volumes of plan tiny" in refusal(replace(config, plan="zero"))
    with pytest.raises(StartError, match="the volumes of array baie-1"):
        Array(replace(config, name="baie-2"))


def test_an_array_whose_volumes_hold_more_than_it_has(config: ArrayConfig) -> None:
    array = Array(config)
    array.media["dopasoins-1"].write(0, b"x" * SIZE)
    array.stop()
    more = {"other": VolumeConfig(SIZE), **config.volumes}
    full = replace(config, capacity=SIZE, volumes=more)
    assert Array(full).status()["used"] == SIZE
    with (config.folder / "other.volume").open("r+b") as volume:
        volume.write(b"x" * MIB)
    assert "array baie-1 is full: its volumes hold 5 MiB" in refusal(full)


def test_a_template_that_is_missing_or_too_large(config: ArrayConfig, tmp_path: Path) -> None:
    gone = replace(config, volumes={"dopasoins-1": VolumeConfig(SIZE, tmp_path / "none")})
    assert "its template" in refusal(gone)
    small = replace(config, volumes={"dopasoins-1": VolumeConfig(MIB, config.volumes["dopasoins-1"].template)})
    assert "is larger than the volume's 1 MiB" in refusal(small)


def test_a_size_that_no_block_divides(config: ArrayConfig) -> None:
    assert "multiple of 4096" in refusal(replace(config, volumes={"dopasoins-1": VolumeConfig(SIZE + 1)}))
