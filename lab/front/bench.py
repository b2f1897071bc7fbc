"""The labs of a session: one that is shared, one for each module that plants defects; rebuilt when ill."""

from __future__ import annotations

import os
import time
from typing import TYPE_CHECKING

from lab.errors import Inconclusive, LabError
from lab.waiting import WaitedInVainError

if TYPE_CHECKING:
    from collections.abc import Callable

    from lab.bench import Lab
    from lab.measure.deviations import Deviation
    from lab.plan import Plan
    from lab.run import Run


class UnhealthyError(Inconclusive):
    """The lab was not whole before the scenario began, and neither was a new one."""


class Bench:
    """A lab that is whole whenever a scenario begins."""

    def __init__(self, build: Callable[[], Lab], run: Run, say: Callable[[str], None], *, keep: bool = False) -> None:
        self.keep = keep
        self._build = build
        self._run = run
        self._say = say
        self._lab: Lab | None = None

    def healthy(self) -> Lab:
        """A whole lab: the one that is up, or a new one. It is tried once for each scenario.

        Raises:
            UnhealthyError: a new one does not become whole.
            LabError: a first one could not be built at all.
        """
        ailments = self._ailments()
        if self._lab is not None and not ailments:
            try:
                self._lab.go_home()
            except LabError as error:
                ailments = [str(error)]
            else:
                return self._lab
        if self._lab is not None:
            self._say(f"the lab is ill ({'; '.join(ailments)}): building a new one")
            self._end()
        try:
            self._lab = self._build()
        except WaitedInVainError as error:
            raise UnhealthyError(f"the new lab is not whole: {error}") from error
        except LabError as error:
            if ailments:
                raise UnhealthyError(f"the lab was ill ({'; '.join(ailments)}), no new one: {error}") from error
            raise
        self._read_before(self._lab)
        return self._lab

    def _read_before(self, lab: Lab) -> None:
        """Keep what is true of a new lab with its run: the initial state that a report shows."""
        rows = lab.preflight()
        self._run.read_before(rows)
        wrong = [str(row) for row in rows if not row.holds]
        if wrong:
            raise UnhealthyError(f"the new lab is not what its plan says: {'; '.join(wrong)}")

    def _ailments(self) -> list[str]:
        if self._lab is None:
            return []
        begun = time.monotonic()
        try:
            return self._lab.ailments()
        except (LabError, OSError) as error:  # its enclosure or its engine is gone
            return [str(error)]
        finally:
            self._lab.spent("health", time.monotonic() - begun)

    def close(self) -> str | None:
        """End the lab, or let go of one that is kept; returns the name of a lab that stays up."""
        if self._lab is None or not self.keep:
            self._end()
            return None
        kept = self._lab.enclosure.name
        self._account(self._lab)
        self._lab.close()
        self._lab.enclosure.release()
        self._lab = None
        return kept

    def _end(self) -> None:
        lab, self._lab = self._lab, None
        if lab is None:
            return
        self._account(lab)
        try:
            lab.down()
        except (LabError, OSError) as error:
            self._say(f"the lab did not end well ({error}); `bascule doctor` says what is left")

    def _account(self, lab: Lab) -> None:
        for phase, seconds in lab.phases.items():
            self._run.spent(phase, seconds)


def default_name(worker: str) -> str:
    """Name a lab after the process, so that several sessions and workers share a machine."""
    return f"pytest-{worker}-{os.getpid()}"


def builder(  # noqa: PLR0913 - all are named at the call
    *,
    plan: Plan,
    name: str,
    seed: int,
    keep: bool,
    defects: tuple[str, ...],
    deviations: tuple[Deviation, ...],
    say: Callable[[str], None],
) -> Callable[[], Lab]:
    """Give what builds a lab, so that whoever keeps labs knows nothing of plans and seeds."""

    def build() -> Lab:
        from lab.bench import Lab  # noqa: PLC0415 - only sessions with a scenario pay for it

        return Lab.up(plan, name=name, keep=keep, seed=seed, defects=defects, deviations=deviations, say=say)

    return build
