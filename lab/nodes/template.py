"""The database folders from which servers and room three start, made once and kept by their content."""

from __future__ import annotations

import hashlib
import os
from typing import TYPE_CHECKING

from lab.enclosure import TAG, Enclosure, ImageError, cache_folder, image_key, made_once
from lab.nodes.containers import REPLICA

if TYPE_CHECKING:
    from collections.abc import Callable, Iterable
    from pathlib import Path


def _key(folders: Iterable[str], more: Iterable[str] = ()) -> str:
    """The image, every line that decides what is in the template, and what it is told."""
    digest = hashlib.sha256(image_key().encode())
    for source in sorted(path for folder in folders for path in (REPLICA / folder).glob("*.py")):
        digest.update(source.name.encode() + b"\0" + source.read_bytes())
    digest.update(" ".join(more).encode())
    return digest.hexdigest()[:16]


def ensure_template(store: Path, say: Callable[[str], None]) -> Path:
    """Return the template's folder, made now if this machine has none for this code yet (about ten seconds).

    Raises:
        ImageError: it could not be made; the sentence ends with the database's last words.
    """
    folder = cache_folder() / f"template-{_key(('emr', 'pair'))}"
    with made_once(folder) as draft:
        if draft is not None:
            say("preparing the database template (about ten seconds, once)")
            _make(store, draft, "replica.pair.template", "/out/data")
    return folder


def ensure_rescue_template(store: Path, services: Iterable[str], say: Callable[[str], None]) -> Path:
    """Return the folder of room three's database, made now if this machine has none for this code yet (a few seconds).

    Raises:
        ImageError: it could not be made; the sentence ends with the database's last words.
    """
    names = list(services)
    folder = cache_folder() / f"rescue-{_key(('emr', 'outbox', 'rescue'), names)}"
    with made_once(folder) as draft:
        if draft is not None:
            say("preparing room three's database (a few seconds, once)")
            _make(store, draft, "replica.rescue.template", "/out/data", *names)
    return folder


def _make(store: Path, draft: Path, *command: str) -> None:
    enclosure = Enclosure.start(f"template-{os.getpid()}", store=store)
    try:
        container = enclosure.engine.containers.create(
            TAG,
            ["tini", "--", "python3", "-m", *command],
            network_mode="none",
            environment={"PYTHONPATH": "/opt/bascule", "PYTHONDONTWRITEBYTECODE": "1"},
            security_opt=["apparmor=unconfined", "seccomp=unconfined"],
            cap_add=["SYS_NICE", "IPC_LOCK"],
            tmpfs={"/tmp": "", "/run": ""},  # noqa: S108 - the container's own
            volumes={
                str(REPLICA): {"bind": "/opt/bascule/replica", "mode": "ro"},
                str(draft): {"bind": "/out", "mode": "rw"},
            },
        )
        container.start()
        status = container.wait(timeout=180)["StatusCode"]
        if status:
            words = container.logs(tail=1).decode(errors="replace").strip()
            raise ImageError(f"the database template could not be made: {words}")
    finally:
        enclosure.close()
