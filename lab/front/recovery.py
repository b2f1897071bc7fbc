"""`bascule recover` and `bascule give-back`: the way to room three, and from there back, in a kept lab."""

from __future__ import annotations

import getpass
import sys
import time
from typing import TYPE_CHECKING, Any

from lab.front.commands import MisuseError
from lab.measure.wording import spoken

if TYPE_CHECKING:
    import argparse
    from pathlib import Path

    from lab.bench import Lab
    from lab.plan import Objective
    from lab.recovery import Recovery, Step

MET, NOT_MET = 0, 1


def add(commands: Any) -> None:  # noqa: ANN401 - argparse keeps the type of its commands to itself
    """Add the commands to the command line."""
    recover = commands.add_parser("recover", help="the rooms are lost: walk through the runbook to where care goes on")
    recover.add_argument("--override", action="store_true", help="go although a room lives: asks, and is recorded")
    recover.add_argument("--planned", action="store_true", help="move to the other room of a plan that replicates")
    recover.set_defaults(command=_recover)
    back = commands.add_parser("give-back", help="the rooms are back: return to them, with what was recorded elsewhere")
    back.set_defaults(command=_give_back)
    for command, mirrors, replicates in (
        (recover, "ultime-secours", "pra, or pra-migration"),
        (back, "retour", "pra-retour"),
    ):
        command.add_argument(
            "--runbook",
            help=f"a file, or a shipped runbook (default: {mirrors}; {replicates} in a plan that replicates)",
        )
        command.add_argument(
            "--ask", action="store_true", help="wait for people (default: their declared time is counted)"
        )
        command.add_argument("--name", default="lab", help="name of the lab (default: lab)")


def _recover(options: argparse.Namespace) -> int:
    from lab.bench import Lab  # noqa: PLC0415 - each command loads what it needs, so that help is instant
    from lab.recovery import RefusedError  # noqa: PLC0415 - as above
    from lab.recovery.playing import recover  # noqa: PLC0415 - as above
    from lab.recovery.site import switch  # noqa: PLC0415 - as above

    lab = Lab.attach(options.name)
    human = ask if options.ask else declared
    try:
        override = _asked(lab, options.name) if options.override else ""
        if options.planned or lab.plan.storage.replication is not None:
            found = switch(
                lab,
                _say,
                _folder(lab) / "recovery.json",
                loss_ns=None if options.planned else time.monotonic_ns(),
                runbook=options.runbook or ("pra-migration" if options.planned else "pra"),
                override=override,
                human=human,
            )
        else:
            runbook = options.runbook or "ultime-secours"
            found = recover(lab, _say, _folder(lab), loss_ns=None, runbook=runbook, override=override, human=human)
    except RefusedError as error:
        raise MisuseError(f"bascule: {error}") from error
    finally:
        lab.close()
    if not found.runbook.verbs - {"reprotect"}:
        return MET
    return _moved(found) if options.planned else _concluded(found, _objective(lab))


def _give_back(options: argparse.Namespace) -> int:
    from lab.bench import Lab  # noqa: PLC0415 - as above
    from lab.recovery import RefusedError  # noqa: PLC0415 - as above
    from lab.recovery.playing import give_back  # noqa: PLC0415 - as above
    from lab.recovery.site import switch  # noqa: PLC0415 - as above

    lab = Lab.attach(options.name)
    try:
        human = ask if options.ask else declared
        if lab.plan.storage.replication is None:
            give_back(lab, _say, _folder(lab), runbook=options.runbook or "retour", human=human)
        else:
            path, runbook = _folder(lab) / "return.json", options.runbook or "pra-retour"
            _moved(switch(lab, _say, path, loss_ns=None, runbook=runbook, human=human))
    except RefusedError as error:
        raise MisuseError(f"bascule: {error}") from error
    finally:
        lab.close()
    return MET


def _concluded(found: Recovery, objective: Objective) -> int:
    phrases = list(found.takeover.phrases(objective))
    print("; ".join(phrase.words.en for phrase in phrases), flush=True)  # noqa: T201 - a command line prints
    return MET if all(phrase.kept for phrase in phrases) else NOT_MET


def _moved(found: Recovery) -> int:
    """Nothing was lost, and the stop was announced: no objective is owed."""
    told = found.takeover
    made = f"machines {spoken(told.machine).en} measured, people {spoken(told.human).en} declared"
    derived = f", real scale {spoken(told.derived).en} derived" if told.derived else ""
    print(  # noqa: T201 - as above
        f"{told.where.en} serves, {spoken(told.from_loss).en} after the order ({made}{derived})", flush=True
    )
    return MET


def _objective(lab: Lab) -> Objective:
    """The strictest of what the services owe that are brought back."""
    from lab.plan import Scope  # noqa: PLC0415 - as above

    replicates = lab.plan.storage.replication is not None
    scope, names = (Scope.A_ROOM, lab.plan.services) if replicates else (Scope.BOTH_ROOMS, lab.rescue.services)
    owed = (lab.plan.services[name].objectives[scope] for name in names)
    return min(owed, key=lambda objective: objective.interruption)


def _asked(lab: Lab, name: str) -> str:
    """Who overrides, once they have said so.

    Raises:
        MisuseError: nobody did.
    """
    from lab.recovery.playing import alive  # noqa: PLC0415 - as above
    from lab.recovery.site import living  # noqa: PLC0415 - as above

    lives = alive(lab) if lab.plan.storage.replication is None else living(lab)
    if not lives:
        return ""
    print(f"{lives}. Its servers will be refused from now on.", flush=True)  # noqa: T201 - as above
    if _answer(f"Type the name of the lab ({name}) to go to room three all the same: ") != name:
        raise MisuseError("bascule: not overridden, nothing was done")
    return getpass.getuser()


def ask(step: Step) -> bool:
    """Wait for a person who says that the step is done."""
    _answer(f"{step.says} ({step.who}): Enter when it is done ")
    return True


def declared(_step: Step) -> bool:
    """Nobody is asked."""
    return False


def _answer(question: str) -> str:
    try:
        return input(question).strip()
    except EOFError:
        raise MisuseError("bascule: nobody answers on this terminal") from None


def _say(_what: str, text: str, _text_fr: str) -> None:
    print(text, file=sys.stdout, flush=True)  # noqa: T201 - as above


def _folder(lab: Lab) -> Path:
    return lab.enclosure.state
