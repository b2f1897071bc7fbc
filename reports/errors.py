"""What stops a report from being written at all."""

from __future__ import annotations

from lab.errors import LabError


class ReportError(LabError):
    """A folder, or the file that describes the campaign, cannot be read. The message is one sentence.

    A scenario whose own files are damaged is no error: the report carries an entry that says what is missing.
    """
