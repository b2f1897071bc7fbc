"""Wires that lose frames: one small nftables table for each gate, made when it is needed and deleted after.

Not netem's loss: these count what they drop, which is evidence, and each ends by itself, because the kernel takes its
interface out of a set when the time is over. Deleting the table leaves the firewall exactly as it was.
"""

from __future__ import annotations

from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from collections.abc import Iterable

    from lab.fabric.firewall import Firewall

_MILLION = 1_000_000
# What is held against a frame that comes through, and its place before (-20) or after (-10) the delay relay's mark.
HELLOS_PASS = "ether type != 0x88b5", -10  # a switch whose monitor lives and whose ports carry nothing
DETOUR = "meta mark != 0x6e66", -20  # what the relay has not sent


def share(fraction: float) -> tuple[str, int]:
    """Frames by chance, each for itself."""
    return f"numgen random mod {_MILLION} < {round(fraction * _MILLION)}", -10


class Sieves:
    """Every table is named after its kind and its gate: `loss_c1b_in`."""

    def __init__(self, firewall: Firewall) -> None:
        self._firewall = firewall

    def put(self, kind: str, gates: Iterable[str], sort: tuple[str, int], seconds: float) -> None:
        """Put a sieve before each gate, for at most so many seconds, in one transaction; one that is there goes."""
        commands = "".join(_replaced(kind, gate, sort, max(1, round(seconds))) for gate in gates)
        if commands:
            self._firewall.run(commands)

    def take(self, kind: str, gates: Iterable[str]) -> None:
        """Take sieves away; where there is none, nothing happens."""
        there = self.dropped(kind)
        if found := [f"delete table netdev {_name(kind, gate)}; " for gate in gates if gate in there]:
            self._firewall.run("".join(found))

    def dropped(self, kind: str) -> dict[str, int]:
        """Frames that each gate of this kind has dropped so far."""
        answer = self._firewall.run("list counters netdev")
        counters = [item["counter"] for item in answer["nftables"] if "counter" in item]
        named = [(counter["table"].split("_"), counter["packets"]) for counter in counters]
        return {" ".join(words[1:]): packets for words, packets in named if words[0] == kind}


def _name(kind: str, gate: str) -> str:
    return f"{kind}_{gate.replace(' ', '_')}"


def _replaced(kind: str, gate: str, sort: tuple[str, int], seconds: int) -> str:
    name = _name(kind, gate)
    interface, _, way = gate.partition(" ")
    hook, key = ("ingress", "iifname") if way == "in" else ("egress", "oifname")
    condition, priority = sort
    return f"""
        add table netdev {name}
        delete table netdev {name}
        table netdev {name} {{
            set until {{ type ifname; flags timeout; elements = {{ "{interface}" timeout {seconds}s }}; }}
            counter dropped {{ }}
            chain gate {{
                type filter hook {hook} device "{interface}" priority {priority}; policy accept;
                {key} @until {condition} counter name dropped drop;
            }}
        }}
    """
