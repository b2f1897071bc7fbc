"""`bascule storage status` and `bascule storage verify`: the mirrored storage of a kept lab."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    import argparse
    from collections.abc import Iterator

MET, NOT_MET = 0, 1
_WORTH_SAYING = 0.2  # seconds: any request waits for a moment


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


def lines(found: dict[str, Any]) -> Iterator[str]:
    """What the storage says of itself, in lines of at most 80 columns."""
    for name, said in found["virtualisers"].items():
        if said is None:
            yield f"virtualiser {name}: does not answer"
        elif said["active"]:
            yield f"virtualiser {name}: holds the lease, epoch {said['epoch']}"
        else:
            yield f"virtualiser {name}: standby; the lease is {said['holder'] or 'nobody'}'s"
    active = next((said for said in found["virtualisers"].values() if said and said["active"]), None)
    for name, volume in (active["volumes"] if active else {}).items():
        yield from _volume(name, volume, found["paths"].get(name))
    for name, said in found["arrays"].items():
        yield f"array {name}: does not answer" if said is None else _array(name, said)


def _volume(name: str, volume: dict[str, Any], path: dict[str, Any] | None) -> Iterator[str]:
    yield f"volume {name}: {volume['phase']}, {volume['size'] / 2**20:g} MiB{_held(volume['held_s'])}"
    if volume["trouble"]:
        yield f"  {volume['trouble']}"
    for copy, state in volume["copies"].items():
        words = "in sync" if state["in_sync"] else f"not in sync: {state['reason'] or 'resync'}"
        yield f"  copy on {copy}: {words}{', goes when the others are in sync' if state.get('retiring') else ''}"
    if volume["resync"]:
        yield f"  resync of {volume['resync']['of']}: {volume['resync']['left']} grains left"
    if volume["phase"] == "outside":
        yield f"  stand-alone on {volume['alone']}"
    else:
        yield f"  grains marked {volume['marked_grains']}, dirty {volume['dirty_grains']}"
    if path is None:
        yield "  path: does not answer"
    else:
        where = f"through {path['node']}" if path["node"] else "no node serves it"
        yield f"  session {path['session']}, path {where}{_held(path['held_s'])}"


def _held(seconds: float) -> str:
    return f", requests held for {seconds:.1f} s" if seconds > _WORTH_SAYING else ""


def _array(name: str, said: dict[str, Any]) -> str:
    used, capacity = said["used"] / 2**20, said["capacity"] / 2**20
    wrong = ", ".join(what for what, value in said["mischief"].items() if value)
    return f"array {name}: {used:.0f} of {capacity:.0f} MiB used{f', broken: {wrong}' if wrong else ''}"


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
