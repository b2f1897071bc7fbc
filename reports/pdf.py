"""From a page to a PDF/A-3a that can be signed and filed: tagged, with bookmarks, the list of evidence attached.

The only importer of weasyprint, which is an optional extra and asks for Pango: without them the page still comes out.
"""

from __future__ import annotations

import contextlib
import gc
import json
import os
import subprocess
import sys
import warnings
from datetime import datetime
from typing import TYPE_CHECKING, Any, NamedTuple

from reports.errors import ReportError

if TYPE_CHECKING:
    from collections.abc import Iterator

VARIANT = "pdf/a-3a"
"""Declared; no conformance checker has seen it."""
PACKAGES = "libpango-1.0-0 libpangoft2-1.0-0 libharfbuzz-subset0 fonts-dejavu-core"
NEEDS = f"pip install 'bascule[pdf]', and the packages {PACKAGES}"


class Pdf(NamedTuple):
    """The octets of a document and how many pages it has."""

    content: bytes
    pages: int


LONGEST = 600  # seconds


def printed(html: str, attached: str, name: str, moment: datetime) -> Pdf:
    """Return what `pdf` does, made in a process of its own: a library that dies takes no session with it.

    Raises:
        ReportError: as `pdf`, or the process died or took too long.
    """
    given = json.dumps([html, attached, name, moment.isoformat()]).encode()
    environment = {**os.environ, "PYTHONPATH": os.pathsep.join(filter(None, sys.path))}
    command = (sys.executable, "-m", "reports.pdf")
    try:
        done = subprocess.run(command, input=given, capture_output=True, check=False, timeout=LONGEST, env=environment)
    except subprocess.TimeoutExpired as error:
        raise ReportError(f"no PDF: it was not made within {LONGEST} s") from error
    said = done.stderr.decode("utf-8", "replace").strip().splitlines()
    if done.returncode:
        told = (
            said[-1] if said and said[-1].startswith("no PDF") else f"no PDF: its process ended with {done.returncode}"
        )
        raise ReportError(told)
    pages, _, content = done.stdout.partition(b"\n")
    return Pdf(content, int(pages))


def pdf(html: str, attached: str, name: str, moment: datetime) -> Pdf:
    """Return a page as a PDF, with a text attached; nothing is fetched, and the same page gives the same octets.

    Raises:
        ReportError: this machine cannot make PDFs, or the page asks for something outside itself.
    """
    weasyprint = _weasyprint()
    fetcher = weasyprint.URLFetcher(allowed_protocols=["data"], fail_on_errors=True)
    with _refusing_the_outside():
        document = weasyprint.HTML(string=html, url_fetcher=fetcher).render()
        evidence = weasyprint.Attachment(
            string=attached.encode("utf-8", "surrogateescape"),
            name=name,
            description="SHA-256",
            relationship="Data",
            created=moment,
            modified=moment,
        )
        document.metadata.attachments = [*document.metadata.attachments, evidence]
        with warnings.catch_warnings():
            warnings.simplefilter("ignore", ResourceWarning)  # weasyprint leaves the file of its colour profile open
            content = document.write_pdf(pdf_variant=VARIANT, pdf_tags=True)
        return Pdf(content, len(document.pages))


def _weasyprint() -> Any:  # noqa: ANN401 - published without types
    try:
        import weasyprint  # noqa: PLC0415 - optional, and half a second
    except ImportError as error:
        raise ReportError(f"no PDF: {error.name or 'weasyprint'} is not installed; {NEEDS}") from error
    except OSError as error:
        raise ReportError(f"no PDF: a library of the system is missing; {NEEDS}") from error
    return weasyprint


@contextlib.contextmanager
def _refusing_the_outside() -> Iterator[None]:
    """Turn weasyprint's own alarm, which no `except Exception` would catch, into a sentence."""
    from weasyprint.urls import FatalURLFetchingError  # noqa: PLC0415 - as above

    try:
        yield
    except FatalURLFetchingError as error:
        raise ReportError(f"no PDF: the page asks for something outside itself ({error})") from error


def main() -> int:
    """Make the PDF that standard input describes, on standard output after its number of pages."""
    gc.disable()  # a third of the time (seen: 9.1 s of CPU became 6.4 s); this process ends with its one document
    html, attached, name, moment = json.load(sys.stdin)
    try:
        made = pdf(html, attached, name, datetime.fromisoformat(moment))
    except ReportError as error:
        sys.stderr.write(f"{error}\n")
        return 1
    sys.stdout.buffer.write(f"{made.pages}\n".encode() + made.content)
    return 0


if __name__ == "__main__":
    sys.exit(main())
