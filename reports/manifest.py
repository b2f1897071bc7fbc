"""SHA-256 of every recorded fact of a run folder, in the format that ``sha256sum -c`` reads."""

from __future__ import annotations

import hashlib
import os
from pathlib import Path
from typing import TYPE_CHECKING

from reports.errors import ReportError
from reports.model import FileFact

if TYPE_CHECKING:
    from collections.abc import Iterable, Iterator

MANIFEST = "MANIFEST.sha256"

DERIVED = frozenset(
    {
        *(
            MANIFEST,
            "rapport.html",
            "report.html",
            "rapport.pdf",
            "report.pdf",
            "resume.md",
            "summary.md",
            "allure.html",
        ),
        "people.yaml",
    }
)
"""Files at the top of a run folder that are made from the others, and the one that people complete afterwards.

They stay out of the manifest: the document prints the manifest's own hash, so that the signed document vouches
for the manifest and the manifest for every fact.
"""


def survey(run_folder: Path) -> tuple[FileFact, ...]:
    """Return path, size and SHA-256 of every recorded file, sorted by path; links are not followed.

    Raises:
        ReportError: a file of the folder cannot be read.
    """
    return tuple(_fact(run_folder, path) for path in sorted(_recorded(run_folder)))


def text(files: Iterable[FileFact]) -> str:
    """Return the manifest, one line a file."""
    return "".join(_line(fact) for fact in files)


def digest(manifest: str) -> str:
    """Return the SHA-256 of the manifest itself, which the cover prints."""
    return hashlib.sha256(manifest.encode("utf-8", "surrogateescape")).hexdigest()


def replace(path: Path, content: str | bytes) -> None:
    """Write a derived file whole or not at all: a reader never meets half a report."""
    draft = path.with_name(f".{path.name}.{os.getpid()}")
    try:
        draft.write_bytes(content if isinstance(content, bytes) else content.encode("utf-8", "surrogateescape"))
        draft.replace(path)
    except OSError as error:
        draft.unlink(missing_ok=True)
        raise ReportError(f"{path} cannot be written: {error.strerror}") from error


def _recorded(run_folder: Path) -> Iterator[Path]:
    for parent, folders, names in os.walk(run_folder):
        folders[:] = [name for name in folders if not name.startswith(".")]
        for name in names:
            path = Path(parent, name)
            derived = path.parent == run_folder and name in DERIVED
            if not (derived or name.startswith(".") or path.is_symlink() or not path.is_file()):
                yield path


def _fact(run_folder: Path, path: Path) -> FileFact:
    try:
        with path.open("rb") as stream:
            sha256 = hashlib.file_digest(stream, "sha256").hexdigest()
            size = stream.tell()
    except OSError as error:
        raise ReportError(f"{path} cannot be read for the manifest: {error.strerror}") from error
    return FileFact(path.relative_to(run_folder).as_posix(), size, sha256)


def _line(fact: FileFact) -> str:
    # coreutils mark a name that needed escaping by a backslash before the hash.
    name = fact.path.replace("\\", "\\\\").replace("\n", "\\n").replace("\r", "\\r")
    mark = "\\" if name != fact.path else ""
    return f"{mark}{fact.sha256}  {name}\n"
