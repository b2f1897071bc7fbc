"""The commands that play scenarios: `bascule scenarios`, `run` and `gate`. What they do not know goes to pytest."""

from __future__ import annotations

import argparse
from typing import Any

from lab.errors import LabError

CODES = """\
exit codes: 0 met, 1 not met, 2 misuse, 3 inconclusive, 4 bench error.
The worst counts, in the order 1, 4, 3: no trouble of the bench hides a measured
interruption. Other options go to pytest: -n 2, --alluredir DIR, --junitxml FILE, -x …
"""
_PASSED_ON = ("--plan", "--time-scale", "--seed", "--runs", "--change", "--lab-name")


class MisuseError(LabError):
    """What was asked for cannot be played; the message is what pytest said."""


def add(commands: Any) -> None:  # noqa: ANN401 - argparse keeps the type of its commands to itself
    """Add the commands to the command line."""
    scenarios = _command(commands, "scenarios", "list what would be played, with the plan's own targets; no lab")
    scenarios.set_defaults(command=_scenarios, passes_on=True)
    run = _command(commands, "run", "play chosen scenarios and write the report")
    run.add_argument("ids", nargs="+", metavar="ID", help="a scenario such as H1-esx-11, or a family such as H1")
    run.set_defaults(command=_run, passes_on=True)
    gate = _command(commands, "gate", "play the pre-change scenarios and write the report")
    gate.set_defaults(command=_gate, passes_on=True)
    for command in (run, gate):
        command.add_argument("--dry-run", action="store_true", help="say targets, undo and longest time; touch nothing")
        command.add_argument("--seed", help="seed of the wards' clients (default: 1)")
        command.add_argument("--runs", help="where run folders go (default: runs)")
        command.add_argument("--change", help='the change under test, such as "CHG-123 new firmware"')
        command.add_argument("--lab-name", help="name of the lab (default: from the process)")
        command.add_argument("--keep-lab", action="store_true", help="leave the lab up at the end")


def _command(commands: Any, name: str, words: str) -> argparse.ArgumentParser:  # noqa: ANN401 - as above
    command: argparse.ArgumentParser = commands.add_parser(
        name,
        help=words,
        description=words[0].upper() + words[1:] + ".",
        epilog=None if name == "scenarios" else CODES,
        formatter_class=argparse.RawDescriptionHelpFormatter,
        allow_abbrev=False,
    )
    command.add_argument("--plan", help="a shipped plan or a file (default: zero)")
    command.add_argument("--time-scale", help="divide vendor timers by this instead of the plan's own figure")
    command.add_argument(
        "--set", action="append", metavar="KEY=VALUE", help="play a variant of the plan, such as ha.rule=must"
    )
    return command


def _for_pytest(options: argparse.Namespace) -> list[str]:
    told: list[str] = []
    for option in _PASSED_ON:
        value = getattr(options, option[2:].replace("-", "_"), None)
        told += [] if value is None else [f"{option}={value}"]
    told += [f"--set={change}" for change in options.set or ()]
    if getattr(options, "keep_lab", False):
        told.append("--keep-lab")
    if getattr(options, "dry_run", False):
        told.append("--dry-run")
    return told + list(options.rest)


def _scenarios(options: argparse.Namespace) -> int:
    from lab.front.playing import collect, where  # noqa: PLC0415 - help is instant

    asked = _for_pytest(options)
    found = collect([*where(asked), *asked])
    width = max((len(scenario.name.id) for scenario in found), default=0)
    for name, markers in found:
        print(f"{name.id:{width}}  {name.title} [{', '.join(markers)}]".removesuffix(" []"))  # noqa: T201 - a listing
    return 0


def _run(options: argparse.Namespace) -> int:
    from lab.front.playing import play, where  # noqa: PLC0415 - as above

    asked = _for_pytest(options)
    return play([*where(asked), f"--scenario={','.join(options.ids)}", *asked])


def _gate(options: argparse.Namespace) -> int:
    from lab.front.playing import play, where  # noqa: PLC0415 - as above

    asked = _for_pytest(options)
    return play([*where(asked), "-m", "gate and not thorough", *asked])
