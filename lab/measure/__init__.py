"""What the wards' history says: interruption, freeze, loss, traceability, and the verdict. Pure functions.

Words, as every report uses them:

- *operation*: one user action, from its intended start to its final answer, its retries included. It is
  *served* when it succeeded within the client's patience.
- *interruption*: from the intended start of the first operation of a journey that was not served to the
  intended start of the first served operation of the same ward and kind (read or write) after the last one
  that was not. Journeys and wards are united; the longest stretch is judged, the total is kept.
- *interruption without retries*: the same question asked of the pulse, where each attempt stands alone.
- *freeze*: the longest time from intended start to answer among served operations.
- *lost*: an acknowledged write absent from a copy at the end. *duplicated*: any write there more than once.
- *untraced*: an attempt that was answered and whose access id is not in the trail, or not in a copy of it.
- *mistraced*: one traced twice, with another action or patient, or in the wrong order.
- *unasked*: a write that a copy holds and no client asked for.
- *vanished*: a write that was acknowledged or shown, and that a later read did not show. *stale*: a read older than one
  that had ended before it began.
"""

from __future__ import annotations

from .history import History
from .judging import judge
from .lanes import Lane, lanes
from .phrases import Objective
from .readback import Readback, ReadbackError
from .records import Operation, Probe, Try, Writer
from .verdict import Evidence, FailedCheck, Outcome, Verdict, VerdictError, worse

__all__ = [
    "Evidence",
    "FailedCheck",
    "History",
    "Lane",
    "Objective",
    "Operation",
    "Outcome",
    "Probe",
    "Readback",
    "ReadbackError",
    "Try",
    "Verdict",
    "VerdictError",
    "Writer",
    "judge",
    "lanes",
    "worse",
]
