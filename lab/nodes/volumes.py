"""The images from which the disks of servers and nodes start, made once and kept by their content."""

from __future__ import annotations

import hashlib
import os
from dataclasses import dataclass
from typing import TYPE_CHECKING

from lab.enclosure import TAG, Enclosure, ImageError, cache_folder, image_key, made_once
from lab.enclosure.loops import numbers, rules
from lab.nodes.containers import REPLICA
from lab.nodes.specs import BLANK, DISK, RESCUE, RESCUE_DISK, image_of, principal, rescue
from lab.nodes.template import ensure_rescue_template

if TYPE_CHECKING:
    from collections.abc import Callable, Iterable
    from pathlib import Path

    from lab.plan import Plan

_FILE = "volume.ext4"


@dataclass(frozen=True)
class Blank:
    """What a disk starts from.

    Args:
        length: bytes.
        content: folder whose content it carries, whose name tells one content from another; None for an empty disk.
    """

    length: int
    content: Path | None = None

    @property
    def folder(self) -> Path:
        """Where its image is kept."""
        digest = hashlib.sha256(f"{image_key()} {self.length} {self.content and self.content.name}".encode())
        digest.update((REPLICA / "disk" / "format.py").read_bytes())
        return cache_folder() / f"volume-{digest.hexdigest()[:16]}"


def ensure_volume(store: Path, blank: Blank, say: Callable[[str], None]) -> Path:
    """Return the image, made now if this machine has none for this code yet (about a second).

    Raises:
        ImageError: it could not be made; the sentence ends with the last words of who tried.
    """
    with made_once(blank.folder) as draft:
        if draft is not None:
            say(f"formatting a volume of {blank.length / 2**20:g} MiB (about a second, once)")
            _make(store, draft, blank)
    return blank.folder / _FILE


def ensure_images(store: Path, plan: Plan, template: Path, say: Callable[[str], None]) -> dict[str, Path]:
    """Return every image that the disks of a plan start from, by name.

    Raises:
        ImageError: one could not be made.
    """
    sizes = {volume.size for volume in plan.volumes.values() if volume.copies}
    blanks = {BLANK: Blank(DISK), **{image_of(size): Blank(size, template) for size in sorted(sizes)}}
    if rescue(plan):
        blanks[RESCUE] = Blank(RESCUE_DISK, ensure_rescue_template(store, principal(plan), say))
    return {name: ensure_volume(store, blank, say) for name, blank in blanks.items()}


def _make(store: Path, draft: Path, blank: Blank) -> None:
    enclosure = Enclosure.start(f"volume-{os.getpid()}", store=store)
    try:
        folders = {
            str(REPLICA): {"bind": "/opt/bascule/replica", "mode": "ro"},
            str(draft): {"bind": "/out", "mode": "rw"},
        }
        if blank.content is not None:
            folders[str(blank.content)] = {"bind": "/content", "mode": "ro"}
        container = enclosure.engine.containers.create(
            TAG,
            ["tini", "--", *_command(enclosure.name, blank)],
            network_mode="none",
            environment={"PYTHONPATH": "/opt/bascule", "PYTHONDONTWRITEBYTECODE": "1"},
            security_opt=["apparmor=unconfined", "seccomp=unconfined"],
            cap_add=["SYS_ADMIN"],
            device_cgroup_rules=rules(enclosure.name),
            tmpfs={"/tmp": "", "/run": ""},  # noqa: S108 - the container's own
            volumes=folders,
        )
        container.start()
        if container.wait(timeout=60)["StatusCode"]:
            words = container.logs(tail=1).decode(errors="replace").strip()
            raise ImageError(f"a volume of {blank.length} bytes could not be made: {words}")
    finally:
        enclosure.close()


def _command(lab: str, blank: Blank) -> Iterable[str]:
    allowed = ",".join(map(str, numbers(lab)))
    content = ["/content"] if blank.content is not None else []
    return ["python3", "-m", "replica.disk.format", f"/out/{_FILE}", str(blank.length), allowed, *content]
