"""Walk through a runbook: what each step took, what was only declared, what that makes from loss and decision."""

from __future__ import annotations

from dataclasses import dataclass, replace
from datetime import timedelta
from typing import TYPE_CHECKING, Any

from lab.errors import LabError
from lab.measure.takeover import ROOM_THREE, Takeover
from lab.measure.wording import Words, spoken

if TYPE_CHECKING:
    from collections.abc import Callable, Mapping

    from lab.recovery.model import Runbook, Step

    Act = Callable[[Step], None]
    Human = Callable[[Step], bool]
    """Waits for a person; whether that really took its time (else the declared time counts)."""
    Say = Callable[[str, str, str, int], None]


BACK = ("serve", "power-on")
"""What brings a service back."""


class RefusedError(LabError):
    """The recovery was not begun, or stopped; the sentence says why."""


@dataclass(frozen=True)
class Done:
    """A step that was taken.

    Args:
        step: which.
        begun_ns, ended_ns: when (monotonic).
        added: declared time that nobody waited for.
    """

    step: Step
    begun_ns: int
    ended_ns: int
    added: timedelta = timedelta()

    @property
    def measured(self) -> timedelta:
        """What it took."""
        return timedelta(microseconds=(self.ended_ns - self.begun_ns) / 1000)

    @property
    def derived(self) -> timedelta:
        """What it takes in the hospital beyond what the lab measured; none where the runbook says nothing of that."""
        return timedelta() if self.step.really is None else self.step.really - self.measured

    def stored(self) -> dict[str, Any]:
        """As `recovery.json` has it."""
        return {
            "step": self.step.name,
            "who": self.step.who,
            "begun": self.begun_ns,
            "ended": self.ended_ns,
            "measured_s": round(self.measured.total_seconds(), 3),
            "declared_s": self.added.total_seconds(),
            "derived_s": round(self.derived.total_seconds(), 3),
        }


@dataclass(frozen=True)
class Recovery:
    """A runbook that was walked through.

    Args:
        runbook: which.
        loss_ns: when rooms one and two were lost (monotonic).
        done: the steps.
        overridden: it was begun although a room lived.
        older: by how much room three may have been older than production when it began.
        acknowledged: how many observed writes rooms one and two had acknowledged; None where nobody observed.
        missing: those of them that room three lacked when it served.
        where: what served then; room three where nothing is said.
        copy_ns: when the copy was taken from which it began; None where it began from all that was acknowledged.
        accepted: how old that copy may be at the loss; None: nothing that it lacks may be lost.
    """

    runbook: Runbook
    loss_ns: int
    done: tuple[Done, ...] = ()
    overridden: str = ""
    older: timedelta = timedelta()
    acknowledged: int | None = None
    missing: tuple[str, ...] = ()
    where: Words = ROOM_THREE
    copy_ns: int | None = None
    accepted: timedelta | None = None

    @property
    def human(self) -> timedelta:
        """Declared time that nobody waited for."""
        return sum((done.added for done in self.done), timedelta())

    @property
    def declared(self) -> timedelta:
        """The same, until the wards work again: what comes after keeps nobody from working."""
        return sum((done.added for done in self._until()), timedelta())

    @property
    def machine(self) -> timedelta:
        """What the automatic steps took."""
        return sum((done.measured for done in self.done if not done.step.is_human), timedelta())

    @property
    def derived(self) -> timedelta:
        """What the automatic steps take in the hospital, beyond what the lab measured, until the wards work again."""
        return sum((done.derived for done in self._until()), timedelta())

    @property
    def from_loss(self) -> timedelta:
        """From the loss until the last service was back, the declared human time included."""
        return self._since(self.loss_ns, self.done)

    @property
    def from_decision(self) -> timedelta:
        """From the decision until the last service was back, the declared human time included."""
        decided = [rank for rank, done in enumerate(self.done) if done.step.decides]
        if not decided:
            return self.from_loss
        after = self.done[decided[-1] + 1 :]
        return self._since(self.done[decided[-1]].ended_ns, after)

    def _since(self, begin_ns: int, done: tuple[Done, ...]) -> timedelta:
        until = self._until(done)
        if not until:
            return timedelta()
        measured = timedelta(microseconds=(until[-1].ended_ns - begin_ns) / 1000)
        return measured + sum((one.added + one.derived for one in until), timedelta())

    def _until(self, done: tuple[Done, ...] | None = None) -> tuple[Done, ...]:
        """The steps until the wards work again."""
        done = self.done if done is None else done
        opens = [rank for rank, one in enumerate(done) if one.step.opens]
        back = opens or [rank for rank, one in enumerate(done) if one.step.does in BACK]
        return done[: back[-1] + 1] if back else done

    def stored(self) -> dict[str, Any]:
        """As `recovery.json` has it."""
        return {
            "format": 1,
            "runbook": self.runbook.name,
            "loss": self.loss_ns,
            "overridden": self.overridden,
            "acknowledged": self.acknowledged,
            "missing": list(self.missing),
            "older_s": round(self.older.total_seconds(), 3),
            "machine_s": round(self.machine.total_seconds(), 3),
            "human_s": self.human.total_seconds(),
            "declared_s": self.declared.total_seconds(),
            "derived_s": round(self.derived.total_seconds(), 3),
            "where": {"en": self.where.en, "fr": self.where.fr},
            "copy": self.copy_ns,
            "begun": self.begun_ns,
            "accepted_age_s": None if self.accepted is None else self.accepted.total_seconds(),
            "from_loss_s": round(self.from_loss.total_seconds(), 3),
            "from_decision_s": round(self.from_decision.total_seconds(), 3),
            "steps": [done.stored() for done in self.done],
        }

    @property
    def begun_ns(self) -> int:
        """When its first step began (monotonic): nobody was served between the loss and that."""
        return self.done[0].begun_ns if self.done else self.loss_ns

    @property
    def takeover(self) -> Takeover:
        """What a verdict tells of it."""
        return Takeover(
            from_loss=self.from_loss,
            from_decision=self.from_decision,
            machine=self.machine,
            acknowledged=self.acknowledged,
            missing=self.missing,
            where=self.where,
            human=self.declared,
            derived=self.derived,
            loss_ns=self.loss_ns,
            begun_ns=self.begun_ns,
            copy_ns=self.copy_ns,
            accepted=self.accepted,
        )


def walk(begin: Recovery, acts: Mapping[str, Act], human: Human, clock: Callable[[], int], say: Say) -> Recovery:
    """Take every step, in order.

    Args:
        begin: the recovery, of which nothing is done yet.
        acts: what the machine can do, by the word in `does`.
        human: waits for a person.
        clock: monotonic nanoseconds.
        say: is told of each step at its end: what kind, words, French words, when.

    Raises:
        RefusedError: a step asks for something that the machine cannot do; nothing has been done.
        LabError: a step failed; what had been done before stays done.
    """
    for step in begin.runbook.ordered:
        if step.does is not None and step.does not in acts:
            known = ", ".join(sorted(acts))
            raise RefusedError(f"step {step.name} of {begin.runbook.name} does {step.does!r}; known: {known}")
    found = begin
    for step in begin.runbook.ordered:
        begun = clock()
        waited = human(step) if step.is_human else True
        if step.does is not None:
            acts[step.does](step)
        done = Done(step, begun, clock(), timedelta() if waited or step.lasts is None else step.lasts)
        found = replace(found, done=(*found.done, done))
        say("step", *_told(done), done.ended_ns)
    return found


def declared(_step: Step) -> bool:
    """Nobody is asked: the declared time is counted, and not waited for."""
    return False


def _told(done: Done) -> tuple[str, str]:
    step, took = done.step, spoken(done.measured)
    if not step.is_human:
        return f"{step.says}: {took.en}", f"{step.says_fr} : {took.fr}"
    time = spoken(done.added) if done.added else took
    kind = Words("declared", "déclaré") if done.added else Words("measured", "mesuré")
    return (
        f"{step.says} ({step.who}): {time.en} {kind.en}",
        f"{step.says_fr} ({step.who}) : {time.fr} {kind.fr}",
    )
