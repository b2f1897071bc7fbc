"""The command line: `bascule …`. Each command is a function; help texts are what a person reads at 80 columns."""

from __future__ import annotations

import argparse
import os
import sys
import textwrap
from pathlib import Path
from typing import TYPE_CHECKING

from lab.errors import LabError
from lab.front.calibrating import add as calibration_commands
from lab.front.catalogue.command import add as catalogue_command
from lab.front.cluster import add as cluster_commands
from lab.front.commands import MisuseError
from lab.front.commands import add as commands_that_play
from lab.front.judging import add as judging_commands
from lab.front.recovery import add as recovery_commands
from lab.front.reporting import add as report_commands
from lab.front.signals import listen
from lab.front.storage import add as storage_commands

if TYPE_CHECKING:
    from collections.abc import Sequence
    from datetime import timedelta

MET, MISUSE, BENCH_ERROR = 0, 2, 4
_WIDE = 80  # columns
_AWAY = "the room of the copies serves: bascule give-back returns to the other one"


def main(arguments: Sequence[str] | None = None) -> int:
    """Carry out a command; returns the exit code. Trouble is one sentence on standard error, never a traceback."""
    words = parser()
    options, rest = words.parse_known_args(arguments)
    if rest and not hasattr(options, "passes_on"):
        words.error(f"unrecognized arguments: {' '.join(rest)}")
    options.rest = rest
    from lab.plan import PlanError  # noqa: PLC0415 - `bascule --help` does without it

    try:
        return int(options.command(options))
    except (PlanError, MisuseError) as error:
        print(error, file=sys.stderr)
        return MISUSE
    except LabError as error:
        print(f"bascule: {error}", file=sys.stderr)
        return BENCH_ERROR
    except BrokenPipeError:  # whoever read us has heard enough: `bascule scenarios | head`
        os.dup2(os.open(os.devnull, os.O_WRONLY), sys.stdout.fileno())  # or the interpreter's last flush says so again
        return BENCH_ERROR
    except KeyboardInterrupt:
        print("bascule: stopped", file=sys.stderr)
        return 130


def parser() -> argparse.ArgumentParser:
    """Every command and option, with the words that a person reads."""
    words = argparse.ArgumentParser(
        prog="bascule",
        description="Break a replica of a two-room hospital infrastructure; say what the clinicians saw.",
    )
    commands = words.add_subparsers(required=True, metavar="COMMAND")

    plan = commands.add_parser("plan", help="check or draw a plan file").add_subparsers(required=True, metavar="ACTION")
    check = plan.add_parser("check", help="say what is wrong with a plan, in one sentence (exit code 2)")
    check.add_argument("file", help="a plan file, or the name of a shipped plan")
    check.set_defaults(command=_plan_check)
    draw = plan.add_parser("draw", help="draw a plan as an SVG for the wall (A3, readable in grey)")
    draw.add_argument("file", help="a plan file, or the name of a shipped plan")
    draw.add_argument("-o", "--output", type=Path, help="the file to write (default: standard output)")
    draw.add_argument("--language", choices=("en", "fr"), default="en", help="words around the names (default: en)")
    draw.set_defaults(command=_plan_draw)
    decides = plan.add_parser("decides", help="who wins when places are parted, for every cut of a plan, as a table")
    decides.add_argument("file", help="a plan file, or the name of a shipped plan")
    decides.set_defaults(command=_plan_decides)
    schema = plan.add_parser("schema", help="print the JSON Schema of a plan file, for editors")
    schema.set_defaults(command=_plan_schema)

    up = commands.add_parser("up", help="build a lab and keep it")
    up.add_argument("plan", nargs="?", default="zero", help="a plan file or a shipped plan (default: zero)")
    up.add_argument("--for", dest="lasts", metavar="TIME", help="end it by itself after 30min, 2h … (default: never)")
    up.set_defaults(command=_up)

    status = commands.add_parser("status", help="what a kept lab looks like now")
    status.set_defaults(command=_status)

    heal = commands.add_parser("heal", help="mend whatever is broken in a kept lab; safe to repeat")
    heal.set_defaults(command=_heal)

    down = commands.add_parser("down", help="end a kept lab; nothing of it stays")
    down.set_defaults(command=_down)
    for command in (up, status, heal, down):
        command.add_argument("--name", default="lab", help="name of the lab (default: lab)")

    doctor = commands.add_parser("doctor", help="what this machine lacks, and what dead labs left on it")
    doctor.add_argument("--clean", action="store_true", help="remove what dead labs left")
    doctor.set_defaults(command=_doctor)

    storage_commands(commands)
    cluster_commands(commands)
    recovery_commands(commands)
    commands_that_play(commands)
    catalogue_command(commands)
    judging_commands(commands)
    calibration_commands(commands)

    report_commands(commands)
    return words


def _say(words: str) -> None:
    print(words, flush=True)


def _plan_check(options: argparse.Namespace) -> int:
    from lab.plan import load  # noqa: PLC0415 - each command loads what it needs, so that help is instant

    plan = load(options.file)
    kinds = (
        f"{len(plan.rooms)} rooms, {len(plan.nodes)} nodes, {len(plan.switches)} switches, {len(plan.cables)} cables"
    )
    _say(f"{plan.name}: a good plan ({kinds}, {len(plan.servers)} servers, {len(plan.services)} services)")
    return MET


def _plan_draw(options: argparse.Namespace) -> int:
    from lab.plan import draw, load  # noqa: PLC0415 - as above

    drawing = draw(load(options.file), language=options.language)
    if options.output is None:
        print(drawing, end="", flush=True)
        return MET
    try:
        options.output.write_text(drawing, encoding="utf-8")
    except OSError as error:
        print(f"bascule: {options.output} cannot be written: {error.strerror}", file=sys.stderr)
        return MISUSE
    return MET


def _plan_decides(options: argparse.Namespace) -> int:
    from lab.expectation.deciding import table  # noqa: PLC0415 - help is instant
    from lab.plan import load  # noqa: PLC0415 - as above

    print(table(load(options.file)), end="", flush=True)
    return MET


def _plan_schema(_options: argparse.Namespace) -> int:
    from lab.plan import schema_text  # noqa: PLC0415 - as above

    print(schema_text(), end="", flush=True)
    return MET


def _up(options: argparse.Namespace) -> int:
    from lab.bench import Lab  # noqa: PLC0415 - as above
    from lab.enclosure.naming import option  # noqa: PLC0415 - as above
    from lab.plan import load  # noqa: PLC0415 - as above

    plan = load(options.plan)
    lasts = _duration(options.lasts)
    listen()
    lab = Lab.up(plan, name=options.name, keep=True, lasts=lasts, say=_say)
    said = option(options.name)
    _say(f"lab {options.name} is up in {lab.phases['build']:.1f} s: bascule status{said}, bascule down{said}")
    if lab.expires is not None:
        _say(f"it ends by itself at {lab.expires.astimezone():%H:%M on %d %B}")
    lab.close()
    return MET


def _duration(text: str | None) -> timedelta | None:
    from lab.plan import parse_duration  # noqa: PLC0415 - as above

    try:
        return None if text is None else parse_duration(text)
    except ValueError as error:
        raise MisuseError(f"--for: {error}") from error


def _status(options: argparse.Namespace) -> int:
    from lab.bench import Lab  # noqa: PLC0415 - as above
    from lab.recovery.site import is_away  # noqa: PLC0415 - as above

    lab = Lab.attach(options.name)
    status = lab.status()
    ailments = lab.ailments()
    read = () if ailments else lab.preflight()
    away = is_away(lab)
    lab.close()
    _say(f"lab {options.name}, plan {status['plan']}, in {status['state']}")
    if status["expires"] is not None:
        _say(f"  ends by itself at {status['expires'].astimezone():%H:%M on %d %B}")
    for kind in ("nodes", "switches", "services"):
        words = [name if well else f"{name} (down)" for name, well in status[kind].items()]
        _say(textwrap.fill(f"  {kind}: {', '.join(words)}", _WIDE, subsequent_indent="    ", break_on_hyphens=False))
    for row in read:
        _say(f"  {row}")
    _say("  not whole:" if ailments else "  whole")
    for ailment in ailments:
        _say(f"    {ailment}")
    if away:
        _say(f"  {_AWAY}")
    return MET


def _heal(options: argparse.Namespace) -> int:
    from lab.bench import Lab  # noqa: PLC0415 - as above
    from lab.recovery.site import is_away  # noqa: PLC0415 - as above

    lab = Lab.attach(options.name)
    broken = [f"{harm} {name}" for harm, names in lab.levers.journal.items() for name in sorted(names)]
    lab.levers.mend_all()
    serving = lab.rescue.serving()
    away = is_away(lab)
    if not serving and not away:
        lab.wait_whole()
    lab.close()
    if away:
        _say(_AWAY)
    if serving:
        _say(f"room three still serves {', '.join(serving)}: bascule give-back returns to rooms one and two")
    _say(f"mended: {', '.join(broken)}" if broken else "nothing was broken")
    return MET


def _down(options: argparse.Namespace) -> int:
    from lab.enclosure import Enclosure  # noqa: PLC0415 - as above

    Enclosure.attach(options.name).close()
    _say(f"lab {options.name} is gone")
    return MET


def _doctor(options: argparse.Namespace) -> int:
    from lab.enclosure.doctor import leftovers, needs, remove  # noqa: PLC0415 - as above

    missing, left = needs(), leftovers()
    for line in missing:
        _say(f"missing: {line}")
    for item in left:
        _say(f"left over: {item}")
    if left and options.clean:
        remove(left)
        left = leftovers()
        _say("cleaned" if not left else f"could not remove: {', '.join(map(str, left))}")
    if not missing and not left:
        _say("this machine has what a lab needs, and nothing is left over")
    return BENCH_ERROR if missing or left else MET


if __name__ == "__main__":
    sys.exit(main())
