"""`bascule storage status` and `bascule storage verify`: the mirrored storage of a kept lab."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    import argparse
    from collections.abc import Iterator

MET, NOT_MET = 0, 1


def add(commands: Any) -> None:  # noqa: ANN401 - argparse keeps the type of its commands to itself
    """Add the commands to the command line."""
    actions = commands.add_parser("storage", help="copies, lease, sessions and paths of a kept lab")
    words = actions.add_subparsers(required=True, metavar="ACTION")
    status = words.add_parser("status", help="copies in sync, dirty grains, lease holder, sessions, paths")
    status.set_defaults(command=_status)
    verify = words.add_parser(
        "verify", help="freeze, compare both copies grain by grain, thaw (exit code 1 if they differ)"
    )
    verify.add_argument("volumes", nargs="*", metavar="VOLUME", help="which volumes (default: all)")
    verify.set_defaults(command=_verify)
    for command in (status, verify):
        command.add_argument("--name", default="lab", help="name of the lab (default: lab)")


def _status(options: argparse.Namespace) -> int:
    from lab.bench import Lab  # noqa: PLC0415 - each command loads what it needs, so that help is instant

    lab = Lab.attach(options.name)
    try:
        found = lab.storage.status()
    finally:
        lab.close()
    for line in lines(found):
        print(line, flush=True)  # noqa: T201 - a command line prints
    return MET


def _verify(options: argparse.Namespace) -> int:
    from lab.bench import Lab  # noqa: PLC0415 - as above

    lab = Lab.attach(options.name)
    try:
        found = lab.storage.verify(*options.volumes)
    finally:
        lab.close()
    for volume in found.volumes:
        print(volume, flush=True)  # noqa: T201 - as above
    return MET if found.identical else NOT_MET
