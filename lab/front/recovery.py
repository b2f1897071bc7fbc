"""`bascule recover` and `bascule give-back`: the way to room three, and from there back, in a kept lab."""

from __future__ import annotations

import getpass
import sys
from typing import TYPE_CHECKING, Any

from lab.front.commands import MisuseError

if TYPE_CHECKING:
    import argparse
    from pathlib import Path

    from lab.bench import Lab
    from lab.plan import Objective
    from lab.recovery import Recovery, Step

MET, NOT_MET = 0, 1


def add(commands: Any) -> None:  # noqa: ANN401 - argparse keeps the type of its commands to itself
    """Add the commands to the command line."""
    recover = commands.add_parser("recover", help="both rooms are lost: walk through the runbook to room three")
    recover.add_argument("--override", action="store_true", help="go although a room lives: asks, and is recorded")
    recover.set_defaults(command=_recover, runbook="ultime-secours")
    back = commands.add_parser("give-back", help="the rooms are back: return to them, with what room three recorded")
    back.set_defaults(command=_give_back, runbook="retour")
    for command in (recover, back):
        command.add_argument("--runbook", help="a file, or a shipped runbook (default: %(default)s)")
        command.add_argument(
            "--ask", action="store_true", help="wait for people (default: their declared time is counted)"
        )
        command.add_argument("--name", default="lab", help="name of the lab (default: lab)")


def _recover(options: argparse.Namespace) -> int:
    from lab.bench import Lab  # noqa: PLC0415 - each command loads what it needs, so that help is instant
    from lab.recovery import RefusedError  # noqa: PLC0415 - as above
    from lab.recovery.playing import recover  # noqa: PLC0415 - as above

    lab = Lab.attach(options.name)
    try:
        found = recover(
            lab,
            _say,
            _folder(lab),
            loss_ns=None,
            runbook=options.runbook,
            override=_asked(lab, options.name) if options.override else "",
            human=ask if options.ask else declared,
        )
    except RefusedError as error:
        raise MisuseError(f"bascule: {error}") from error
    finally:
        lab.close()
    return _concluded(found, _objective(lab))


def _give_back(options: argparse.Namespace) -> int:
    from lab.bench import Lab  # noqa: PLC0415 - as above
    from lab.recovery import RefusedError  # noqa: PLC0415 - as above
    from lab.recovery.playing import give_back  # noqa: PLC0415 - as above

    lab = Lab.attach(options.name)
    try:
        give_back(lab, _say, _folder(lab), runbook=options.runbook, human=ask if options.ask else declared)
    except RefusedError as error:
        raise MisuseError(f"bascule: {error}") from error
    finally:
        lab.close()
    return MET


def _concluded(found: Recovery, objective: Objective) -> int:
    phrases = list(found.takeover.phrases(objective))
    print("; ".join(phrase.words.en for phrase in phrases), flush=True)  # noqa: T201 - a command line prints
    return MET if all(phrase.kept for phrase in phrases) else NOT_MET


def _objective(lab: Lab) -> Objective:
    """The strictest of what the principal services owe."""
    from lab.plan import Scope  # noqa: PLC0415 - as above

    owed = (lab.plan.services[name].objectives[Scope.BOTH_ROOMS] for name in lab.rescue.services)
    return min(owed, key=lambda objective: objective.interruption)


def _asked(lab: Lab, name: str) -> str:
    """Who overrides, once they have said so.

    Raises:
        MisuseError: nobody did.
    """
    from lab.recovery.playing import alive  # noqa: PLC0415 - as above

    lives = alive(lab)
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
