"""From a run folder to the documents that people read, sign and keep."""

from __future__ import annotations

from typing import TYPE_CHECKING

from reports.errors import ReportError

if TYPE_CHECKING:
    from pathlib import Path

__all__ = ["NAMES", "ReportError", "write"]

NAMES = {"fr": "rapport.html", "en": "report.html"}
"""File name of the document in each language, inside the run folder."""


def write(run_folder: Path, language: str = "fr") -> Path:
    """Write the document and the manifest of a run into its folder; return the document's path.

    The same folder gives the same octets: nothing in it comes from the clock or the machine of the day.

    Raises:
        ReportError: the folder is no run folder, cannot be read or written, or the language is not known.
    """
    # Imported here: a bench that only wants the name of a report does not pay for templates and locales.
    from reports import manifest  # noqa: PLC0415  see above
    from reports.document import render  # noqa: PLC0415  see above
    from reports.language import speak  # noqa: PLC0415  see above
    from reports.load import load  # noqa: PLC0415  see above

    words = speak(language)
    campaign = load(run_folder)
    target = run_folder / NAMES[language]
    manifest.replace(target, render(campaign, words))
    manifest.replace(run_folder / manifest.MANIFEST, manifest.text(campaign.files))
    return target
