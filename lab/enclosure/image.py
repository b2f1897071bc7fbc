"""The nodes' image: made once from the distribution's own packages, kept by its content."""

from __future__ import annotations

import fcntl
import hashlib
import os
import platform
import shutil
import subprocess
from contextlib import contextmanager
from functools import partial
from pathlib import Path
from typing import TYPE_CHECKING

from lab.enclosure.enclosure import Enclosure
from lab.errors import LabError

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator

TAG = "bascule/node:local"

PACKAGES = (
    "etcd-client", "etcd-server",
    "e2fsprogs", "fuse3", "libnbd-bin", "mount",
    "fio", "qemu-utils",  # foreign clients, which our storage must serve as it serves ourselves
    "galera-4", "galera-arbitrator-4", "mariadb-backup", "mariadb-server",
    "postgresql",
    "iproute2", "keepalived", "procps", "tini",
    "python3", "python3-httpx", "python3-psycopg2", "python3-pymysql", "python3-sqlalchemy", "python3-starlette",
    "python3-uvicorn", "python3-uvloop",
)  # fmt: skip
# Never read by a node, half the image: leaving it out is what makes the import quick.
LEFT_OUT = (
    "/usr/share/doc/*",
    "/usr/share/man/*",
    "/usr/share/locale/*",
    "/usr/share/info/*",
    "/usr/share/mysql/*/*",
    "/usr/lib/*/libLLVM*",  # PostgreSQL's compiler of expressions, switched off in room three
    "/usr/lib/postgresql/*/lib/bitcode/*",
)
RECIPE = 1


class ImageError(LabError):
    """The image or the database template could not be made; the sentence ends with the tool's last words."""


def cache_folder() -> Path:
    """Where images are kept: BASCULE_CACHE, else the system's cache folder."""
    return Path(os.environ.get("BASCULE_CACHE", "/var/cache/bascule"))


def suite() -> str:
    """The distribution release that the image is made of: the machine's own.

    Raises:
        ImageError: the machine is neither Debian nor Ubuntu.
    """
    release = platform.freedesktop_os_release()
    if release.get("ID") not in {"debian", "ubuntu"} or "VERSION_CODENAME" not in release:
        raise ImageError(
            f"images are made from Debian or Ubuntu packages; this machine is {release.get('PRETTY_NAME')}"
        )
    return release["VERSION_CODENAME"]


def image_key() -> str:
    """What the image is made of, as a short hash: another list of packages, release or recipe is another image."""
    ingredients = repr((RECIPE, suite(), platform.machine(), PACKAGES, LEFT_OUT))
    return hashlib.sha256(ingredients.encode()).hexdigest()[:16]


@contextmanager
def _lock(path: Path) -> Iterator[None]:
    path.parent.mkdir(parents=True, exist_ok=True)
    with path.open("w") as held:
        fcntl.flock(held, fcntl.LOCK_EX)
        yield


@contextmanager
def made_once(folder: Path) -> Iterator[Path | None]:
    """Give an empty folder to fill if `folder` does not exist yet, else None; two processes never both fill it.

    What is half made when its maker dies is thrown away by the next one.
    """
    with _lock(folder.with_suffix(".lock")):
        if folder.is_dir():
            yield None
            return
        draft = folder.with_suffix(".draft")
        shutil.rmtree(draft, ignore_errors=True)
        draft.mkdir(parents=True)
        yield draft
        draft.rename(folder)


def _sources() -> list[str]:
    """The machine's own package sources of the distribution, so that its mirror settings hold here too."""
    folder = Path("/etc/apt/sources.list.d")
    names = [folder / "debian.sources", folder / "ubuntu.sources", Path("/etc/apt/sources.list")]
    return [str(name) for name in names if name.is_file() and name.stat().st_size][:1]


def _bootstrap(tar: Path) -> None:
    command = [
        "mmdebstrap", "--quiet", "--variant=apt", f"--include={','.join(PACKAGES)}",
        *(f"--dpkgopt=path-exclude={glob}" for glob in LEFT_OUT),
        '--customize-hook=cd "$1"/var && rm -rf lib/mysql lib/postgresql/* cache/apt lib/apt/lists',
        suite(), str(tar), *_sources(),
    ]  # fmt: skip
    done = subprocess.run(command, capture_output=True, text=True, check=False, stdin=subprocess.DEVNULL)
    if done.returncode:
        raise ImageError(
            "mmdebstrap could not make the nodes' image: " + (done.stderr.strip().splitlines() or ["no word"])[-1]
        )


def ensure_image(say: Callable[[str], None]) -> Path:
    """Return the folder of the stored image, made now if this machine has none yet (about a minute)."""
    folder = cache_folder() / f"image-{image_key()}"
    with made_once(folder) as draft:
        if draft is not None:
            say(f"making the nodes' image from {suite()} packages ({len(PACKAGES)} named; about a minute, once)")
            tar = draft / "image.tar"
            _bootstrap(tar)
            say("importing it into the private engine's store")
            enclosure = Enclosure.start(f"image-{os.getpid()}", data=draft / "store")
            try:
                with tar.open("rb") as content:
                    # Not the file itself: the SDK then announces a length and chunks, which the engine refuses.
                    chunks = iter(partial(content.read, 1 << 20), b"")
                    enclosure.engine.api.import_image_from_stream(chunks, *TAG.split(":"))
            finally:
                enclosure.close()
            tar.unlink()
    return folder / "store"
