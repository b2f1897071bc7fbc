"""From a page to a PDF/A-3a that can be signed and filed: tagged, with bookmarks, the list of evidence attached.

The only importer of weasyprint, which is an optional extra and asks for Pango: without them the page still comes out.
"""

from __future__ import annotations

import contextlib
import gc
import json
import logging
import os
import subprocess
import sys
import warnings
from datetime import datetime
from functools import partial
from typing import TYPE_CHECKING, Any, NamedTuple

from reports import lettering, shaping, sparing
from reports.errors import ReportError

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator

    Printer = Callable[[str, str, str, datetime], "Pdf"]

VARIANT = "pdf/a-3a"
"""Declared; no conformance checker has seen it."""
PACKAGES = "libpango-1.0-0 libpangoft2-1.0-0 libharfbuzz-subset0 fonts-dejavu-core"
NEEDS = f"pip install 'bascule[pdf]', and the packages {PACKAGES}"


class Pdf(NamedTuple):
    """The octets of a document and how many pages it has."""

    content: bytes
    pages: int


LONGEST = 600  # seconds


@contextlib.contextmanager
def printing() -> Iterator[Printer]:
    """Start the process in which one page is printed: a library that dies takes no session with it.

    Begun before there is a page, so that it loads its library meanwhile. What it gives prints as `pdf` does, and also
    raises ReportError when the process died or took too long.
    """
    environment = {**os.environ, "PYTHONPATH": os.pathsep.join(filter(None, sys.path))}
    command = (sys.executable, "-m", "reports.pdf")
    pipe = subprocess.PIPE
    with subprocess.Popen(command, stdin=pipe, stdout=pipe, stderr=pipe, env=environment) as process:
        try:
            yield partial(_printed, process)
        finally:
            process.kill()  # whoever was given no page waits for one


def _printed(process: subprocess.Popen[bytes], html: str, attached: str, name: str, moment: datetime) -> Pdf:
    given = json.dumps([html, attached, name, moment.isoformat()]).encode()
    try:
        content, complaint = process.communicate(given, LONGEST)
    except subprocess.TimeoutExpired as error:
        raise ReportError(f"no PDF: it was not made within {LONGEST} s") from error
    if process.returncode:
        said = complaint.decode("utf-8", "replace").strip().splitlines()
        told = said and said[-1].startswith("no PDF")
        raise ReportError(said[-1] if told else f"no PDF: its process ended with {process.returncode}")
    pages, _, content = content.partition(b"\n")
    return Pdf(content, int(pages))


def pdf(html: str, attached: str, name: str, moment: datetime) -> Pdf:
    """Return a page as a PDF, with a text attached; nothing is fetched, and the same page gives the same octets.

    Raises:
        ReportError: this machine cannot make PDFs, or the page asks for something outside itself.
    """
    weasyprint = _weasyprint()
    fetcher = weasyprint.URLFetcher(allowed_protocols=["data"], fail_on_errors=True)
    with _refusing_the_outside(), _refusing_what_fails(), lettering.line_by_line(), shaping.shaped_once():
        with sparing.read_as_xml():
            page = weasyprint.HTML(string=lettering.as_images(html), url_fetcher=fetcher)
        document = page.render()
        evidence = weasyprint.Attachment(
            string=attached.encode("utf-8", "surrogateescape"),
            name=name,
            description="SHA-256",
            relationship="Data",
            created=moment,
            modified=moment,
        )
        document.metadata.attachments = [*document.metadata.attachments, evidence]
        with warnings.catch_warnings(), sparing.written_once():
            warnings.simplefilter("ignore", ResourceWarning)  # weasyprint leaves the file of its colour profile open
            content = document.write_pdf(finisher=sparing.packed, pdf_variant=VARIANT, pdf_tags=True)
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


@contextlib.contextmanager
def _refusing_what_fails() -> Iterator[None]:
    """Refuse a page of which weasyprint leaves something out: a figure that cannot be drawn is a line in its log."""
    log, heard = logging.getLogger("weasyprint"), _Errors(logging.ERROR)
    log.addHandler(heard)
    try:
        yield
    finally:
        log.removeHandler(heard)
    if heard.told:
        raise ReportError(f"no PDF: {heard.told[0][:200]}")


class _Errors(logging.Handler):
    def __init__(self, level: int) -> None:
        super().__init__(level)
        self.told: list[str] = []

    def emit(self, record: logging.LogRecord) -> None:
        self.told.append(record.getMessage())


def main() -> int:
    """Make the PDF that standard input describes, on standard output after its number of pages."""
    gc.disable()  # a third of the time (seen: 9.1 s of CPU became 6.4 s); this process ends with its one document
    try:
        _weasyprint()  # while the page is still being written
        html, attached, name, moment = json.load(sys.stdin)
        made = pdf(html, attached, name, datetime.fromisoformat(moment))
    except ReportError as error:
        sys.stderr.write(f"{error}\n")
        return 1
    sys.stdout.buffer.write(f"{made.pages}\n".encode() + made.content)
    return 0


if __name__ == "__main__":
    status = main()
    sys.stdout.flush()
    sys.stderr.flush()
    os._exit(status)  # nothing to tidy up: to free a document's boxes one by one takes half a second
