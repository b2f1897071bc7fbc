"""From a run folder to the documents that people read, sign and keep."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING

from reports.errors import ReportError

if TYPE_CHECKING:
    from pathlib import Path

    from reports.language import Language
    from reports.model import Campaign

__all__ = ["NAMES", "Published", "ReportError", "publish", "write"]

NAMES = {"fr": "rapport.html", "en": "report.html"}
"""File name of the document in each language, inside the run folder."""
PDF = {"fr": "rapport.pdf", "en": "report.pdf"}
SUMMARY = {"fr": "resume.md", "en": "summary.md"}


@dataclass(frozen=True)
class Published:
    """What was written, and a sentence for each thing that could not be."""

    document: Path
    pdf: Path | None = None
    summary: Path | None = None
    allure: Path | None = None
    missing: tuple[str, ...] = ()


def write(run_folder: Path, language: str = "fr") -> Path:
    """Write the document and the manifest of a run into its folder; return the document's path.

    The same folder gives the same octets: nothing in it comes from the clock or the machine of the day.

    Raises:
        ReportError: the folder is no run folder, cannot be read or written, or the language is not known.
    """
    from reports.document import render  # noqa: PLC0415  see below

    campaign, words = _read(run_folder, language)
    return _document(run_folder, campaign, words, render(campaign, words))


def publish(run_folder: Path, language: str = "fr", *, install: bool = False) -> Published:
    """Write everything that is made of a run: document, PDF, manifest, summary, and Allure's page.

    What this machine cannot make is left out, and a sentence says what is missing. `install` allows to fetch Allure.

    Raises:
        ReportError: as `write`.
    """
    from reports import allure, manifest, markdown  # noqa: PLC0415  see below
    from reports.document import render  # noqa: PLC0415  see below
    from reports.pdf import printing  # noqa: PLC0415  see below

    missing: list[str] = []
    made = None
    with printing() as printed:
        campaign, words = _read(run_folder, language)
        page = render(campaign, words)
        try:
            made = printed(page, manifest.text(campaign.files), manifest.MANIFEST, campaign.ended or campaign.started)
        except ReportError as error:
            missing.append(str(error))
    document = _document(run_folder, campaign, words, page, made.pages if made else None)
    summary = run_folder / SUMMARY[language]
    manifest.replace(summary, markdown.summary(campaign, words))
    browsed = None
    try:
        browsed = allure.write(run_folder, campaign, words, install=install)
    except ReportError as error:
        missing.append(str(error))
    target = run_folder / PDF[language] if made else None
    if made and target:
        manifest.replace(target, made.content)
    return Published(document, target, summary, browsed, tuple(missing))


def _read(run_folder: Path, language: str) -> tuple[Campaign, Language]:
    # Imported here: a bench that only wants the name of a report does not pay for templates and locales.
    from reports import earlier, manifest, past  # noqa: PLC0415  see above
    from reports.language import speak  # noqa: PLC0415  see above
    from reports.load import load  # noqa: PLC0415  see above

    words = speak(language)
    if (run_folder / "campaign.json").is_file() and not (run_folder / earlier.EARLIER).exists():
        manifest.replace(run_folder / earlier.EARLIER, earlier.to_json(past.before(run_folder)))
    return load(run_folder), words


def _document(run_folder: Path, campaign: Campaign, words: Language, page: str, pages: int | None = None) -> Path:
    from reports import manifest  # noqa: PLC0415  see above
    from reports.document import numbered  # noqa: PLC0415  see above

    target = run_folder / NAMES[words.code]
    manifest.replace(target, numbered(page, pages))
    manifest.replace(run_folder / manifest.MANIFEST, manifest.text(campaign.files))
    return target
