"""`bascule cluster status | events | move | start | maintenance | service`: the cluster of a kept lab."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    import argparse
    from collections.abc import Iterator

    from lab.bench import Lab

MET = 0
_ORDERS = {
    "move": ("stop a server where it is, start it on a host", ("SERVER", "HOST")),
    "start": ("try a server again that was given up", ("SERVER",)),
    "maintenance": ("empty a host: pairs in turn, lone servers stopped and restarted elsewhere", ("HOST",)),
    "service": ("take a host back into service", ("HOST",)),
}


def add(commands: Any) -> None:  # noqa: ANN401 - argparse keeps the type of its commands to itself
    """Add the commands to the command line."""
    actions = commands.add_parser("cluster", help="servers, hosts and their master, of a kept lab; orders to them")
    words = actions.add_subparsers(required=True, metavar="ACTION")
    made = [
        words.add_parser("status", help="who is master, which server runs where, and how it is"),
        words.add_parser("events", help="what the agents have decided and seen, in order"),
    ]
    made[0].set_defaults(command=_status)
    made[1].set_defaults(command=_events)
    for order, (told, names) in _ORDERS.items():
        one = words.add_parser(order, help=told)
        for name in names:
            one.add_argument(name.lower(), metavar=name)
        one.set_defaults(command=_order, order=order)
        made.append(one)
    for command in made:
        command.add_argument("--name", default="lab", help="name of the lab (default: lab)")


def _attached(options: argparse.Namespace) -> Lab:
    from lab.bench import Lab  # noqa: PLC0415 - each command loads what it needs, so that help is instant

    return Lab.attach(options.name)


def _status(options: argparse.Namespace) -> int:
    lab = _attached(options)
    try:
        agents, hypervisors = lab.cluster.agents(), lab.cluster.hypervisors()
    finally:
        lab.close()
    for line in lines(agents, hypervisors):
        print(line, flush=True)  # noqa: T201 - a command line prints
    return MET


def lines(agents: dict[str, dict[str, Any] | None], hypervisors: dict[str, dict[str, Any] | None]) -> Iterator[str]:
    """What the cluster says of itself, in lines of at most 80 columns."""
    for host, agent in agents.items():
        hypervisor = hypervisors.get(host)
        if agent is None or hypervisor is None:
            yield f"host {host}: does not answer"
            continue
        words = ["master"] if agent["is_master"] else []
        words += ["isolated"] if agent["is_isolated"] else []
        words += [] if agent["sees_storage"] else ["sees no storage"]
        words += [] if hypervisor["guard"] == "run" else [hypervisor["guard"]]
        yield f"host {host}: {', '.join(words) or 'in service'}"
        for name, about in hypervisor["servers"].items():
            healthy = "serves" if about["healthy"] else about["state"]
            trouble = f" ({about['trouble']})" if about["trouble"] else ""
            yield f"  {name}: {healthy}, session {about['number']}{trouble}"


def _events(options: argparse.Namespace) -> int:
    lab = _attached(options)
    try:
        found = sorted(lab.cluster.events(), key=lambda event: int(event["at"]))
    finally:
        lab.close()
    first = found[0]["at"] if found else 0
    for event in found:
        print(f"{(event['at'] - first) / 1e9:9.3f} s  {event['kind']}: {event['detail']}", flush=True)  # noqa: T201 - as above
    return MET


def _order(options: argparse.Namespace) -> int:
    words = [options.order, *(getattr(options, name.lower()) for name in _ORDERS[options.order][1])]
    lab = _attached(options)
    try:
        lab.cluster.order(" ".join(words))
    finally:
        lab.close()
    print(f"ordered: {' '.join(words)}; `bascule cluster status` shows what comes of it", flush=True)  # noqa: T201 - as above
    return MET
