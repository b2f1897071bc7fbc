"""The files of an array's volumes: made at its first start, checked at every later one.

The array keeps `array.json` beside them: which volumes it has had, and the highest epoch that it has seen. So a file
that is lost is missed, and not silently made again from its template, empty of all that the hospital wrote.
"""

from __future__ import annotations

import json
import os
from typing import TYPE_CHECKING, Any

from .layout import BLOCK, Header, HeaderError, metadata_length

if TYPE_CHECKING:
    from pathlib import Path

    from .config import ArrayConfig, VolumeConfig

_PIECE = 1 << 20  # bytes copied at a time; a piece of zeroes stays a hole


class StartError(Exception):
    """The array must not start; the text says in one sentence which volume, which array, and what to do."""


class Shelf:
    """The folder of one array. Raises StartError when it was another's.

    Attributes:
        epoch: the highest seen before this start.
        alone: of each stand-alone volume the newest session of a host; None for one that nodes have taken in.
    """

    def __init__(self, config: ArrayConfig) -> None:
        self._config = config
        self._path = config.folder / "array.json"
        config.folder.mkdir(parents=True, exist_ok=True)
        told: dict[str, Any] = json.loads(self._path.read_text(encoding="utf-8")) if self._path.exists() else {}
        for what, mine in (("array", config.name), ("plan", config.plan)):
            if told.get(what, mine) != mine:
                raise StartError(
                    f"array {config.name} of plan {config.plan} finds in {config.folder} the volumes of {what} "
                    f"{told[what]}: give it a folder of its own, or empty this one."
                )
        self.epoch: int = told.get("epoch", 0)
        self._known: dict[str, int] = told.get("volumes", {})
        begin = {name: 0 for name, volume in config.volumes.items() if volume.alone}
        self.alone: dict[str, int | None] = begin | told.get("alone", {})

    def open(self) -> dict[str, Path]:
        """The volumes' files, made where they are new. Raises StartError."""
        return {name: self._open(name, volume) for name, volume in self._config.volumes.items()}

    def record(self, epoch: int, alone: dict[str, int | None]) -> None:
        """Remember an epoch, and who may use the stand-alone volumes, beyond power loss; nothing if it is known."""
        if (epoch, alone) != (self.epoch, self.alone):
            self.epoch, self.alone = epoch, dict(alone)
            self._keep()

    def _open(self, name: str, volume: VolumeConfig) -> Path:
        path = self._config.folder / f"{name}.volume"
        self._require_room(name, volume)
        if not path.exists():
            if name in self._known:
                raise StartError(
                    f"volume {name} has vanished from array {self._config.name}: {path} was there at an earlier start; "
                    f"put the file back, or strike {name} from {self._path} and let the mirror copy it anew."
                )
            self._make(name, volume, path)
        self._check(name, volume, path)
        if self._known.get(name) != volume.size:
            self._known[name] = volume.size
            self._keep()
        return path

    def _require_room(self, name: str, volume: VolumeConfig) -> None:
        array = self._config.name
        if volume.size > self._config.capacity:
            raise StartError(
                f"volume {name} of {_mib(volume.size)} is larger than array {array}, which has "
                f"{_mib(self._config.capacity)}: make the volume smaller or the array's capacity larger in the plan."
            )
        if volume.size % BLOCK or volume.size <= 0:
            raise StartError(
                f"volume {name} of {volume.size} bytes cannot be kept on array {array}: "
                f"give it a size in the plan that is a multiple of {BLOCK} bytes."
            )

    def _make(self, name: str, volume: VolumeConfig, path: Path) -> None:
        where = f"volume {name} cannot be made on array {self._config.name}"
        new = path.with_suffix(".new")
        try:
            with new.open("wb") as file:
                if volume.template is not None:
                    if volume.template.stat().st_size > volume.size:
                        raise StartError(
                            f"{where}: its template {volume.template} is larger than the volume's "
                            f"{_mib(volume.size)}; make the template anew for this size."
                        )
                    copy_sparse(volume.template, file.fileno())
                os.pwrite(file.fileno(), Header(self._config.plan, name, volume.size).encode(), volume.size)
                file.truncate(volume.size + metadata_length(volume.size))
        except FileNotFoundError:
            raise StartError(f"{where}: its template {volume.template} is not there; make it first.") from None
        except OSError as error:
            raise StartError(f"{where}: {error.strerror}; make room in {self._config.folder}.") from None
        new.replace(path)

    def _check(self, name: str, volume: VolumeConfig, path: Path) -> None:
        array = self._config.name
        begin = f"volume {name} on array {array} cannot be used"
        remedy = f"remove {path}, strike {name} from {self._path}, and let the mirror copy it anew"
        wanted = volume.size + metadata_length(volume.size)
        found = path.stat().st_size
        if found < wanted:
            raise StartError(f"{begin}: {path} has {found} bytes and should have {wanted}; {remedy}.")
        with path.open("rb") as file:
            block = os.pread(file.fileno(), BLOCK, volume.size)
        try:
            header = Header.decode(block)
        except HeaderError as error:
            raise StartError(f"{begin}: the header behind its data is damaged, {error}; {remedy}.") from None
        if (header.plan, header.volume, header.size) != (self._config.plan, name, volume.size):
            raise StartError(
                f"{begin}: {path} belongs to volume {header.volume} of {_mib(header.size)} of plan {header.plan}, "
                f"and not to one of {_mib(volume.size)} of plan {self._config.plan}; {remedy}."
            )

    def _keep(self) -> None:
        told = {
            "array": self._config.name,
            "plan": self._config.plan,
            "epoch": self.epoch,
            "volumes": self._known,
            "alone": self.alone,
        }
        write_whole(self._path, json.dumps(told, indent=2))


def write_whole(path: Path, text: str) -> None:
    """Replace a file so that a power loss leaves the old or the new one."""
    new = path.with_suffix(".new")
    new.write_text(text, encoding="utf-8")
    new.replace(path)


def copy_sparse(source: Path, target: int) -> None:
    """Copy a file to the beginning of an open one, leaving out what is only zeroes."""
    blank = bytes(_PIECE)
    with source.open("rb") as file:
        at = 0
        while piece := file.read(_PIECE):
            if piece != blank[: len(piece)]:
                os.pwrite(target, piece, at)
            at += len(piece)


def _mib(size: int) -> str:
    return f"{size / (1 << 20):g} MiB"
