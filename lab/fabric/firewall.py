"""Blackholes and counters: one nftables table over every inter-switch wire, changed by set elements only.

An element's insertion takes 0.04-0.33 ms in process, where `nft` as a program takes 5-20 ms (feasibility trial,
November 2026). Each element carries a time-out: the kernel ends a blackhole even if nobody else does.
"""

from __future__ import annotations

import importlib.util
import json
from typing import TYPE_CHECKING, Any

from lab.errors import LabError

if TYPE_CHECKING:
    from collections.abc import Sequence

TABLE = "bascule"
# The distribution's one-file wrapper of libnftables; PyPI has no kept one.
_WRAPPER = "/usr/lib/python3/dist-packages/nftables/nftables.py"


class FirewallError(LabError):
    """nftables refused a command."""


class Firewall:
    """A libnftables handle, bound to the network namespace of the thread that opened it."""

    def __init__(self) -> None:
        spec = importlib.util.spec_from_file_location("bascule_nftables", _WRAPPER)
        if spec is None or spec.loader is None:
            raise FirewallError(f"{_WRAPPER} cannot be loaded: install python3-nftables")
        module = importlib.util.module_from_spec(spec)
        spec.loader.exec_module(module)
        self._nft: Any = module.Nftables()
        self._nft.set_json_output(True)

    def run(self, command: str) -> Any:  # noqa: ANN401 - nftables' own JSON
        """Carry out nft commands; returns the JSON answer, if any.

        Raises:
            FirewallError: with nftables' own sentence.
        """
        code, output, error = self._nft.cmd(command)
        if code:
            raise FirewallError(f"nft refused {command!r}: {error.strip()}")
        return json.loads(output) if output else None

    def build(self, devices: Sequence[str]) -> None:
        """Watch these interfaces: count what comes in (hellos and probes apart), drop what `dead` or `cut` names."""
        elements = ", ".join(f'"{device}"' for device in devices)
        names = ", ".join(devices)
        self.run(
            f"""table netdev {TABLE} {{
                set carried {{ type ifname; counter; elements = {{ {elements} }}; }}
                set dead {{ type ifname; flags timeout; counter; }}
                set cut {{ type ifname; }}
                chain wires {{
                    type filter hook ingress devices = {{ {names} }} priority 0; policy accept;
                    iifname @dead drop;
                    iifname @cut drop;
                    ether type != {{ 0x88b5, 0x88b6 }} iifname @carried accept;
                }}
            }}"""
        )

    def kill(self, devices: Sequence[str], seconds: float) -> None:
        """Silently drop all that arrives on these interfaces, for at most so many seconds."""
        elements = ", ".join(f'"{device}" timeout {max(1, round(seconds))}s' for device in devices)
        self.run(f"add element netdev {TABLE} dead {{ {elements} }}")

    def revive(self, devices: Sequence[str]) -> None:
        """Let traffic arrive again; an interface that was not dead is left alone."""
        dead = self.counters("dead")
        if listed := [f'"{device}"' for device in devices if device in dead]:
            self.run(f"delete element netdev {TABLE} dead {{ {', '.join(listed)} }}")

    def seal(self, devices: Sequence[str]) -> None:
        """Let nothing in at these interfaces, whose carrier is about to go, until `unseal`.

        In a set of its own: a wire that was silent before its cut is silent again after it. Without a time-out, as the
        carrier has none either.
        """
        self._change("add", devices)

    def unseal(self, devices: Sequence[str]) -> None:
        """End that; an interface that was not sealed is left alone."""
        # An element is there as often as it is added: once. So it can always be deleted, without asking for it before.
        self._change("add", devices)
        self._change("delete", devices)

    def _change(self, verb: str, devices: Sequence[str]) -> None:
        if devices:
            self.run(f"{verb} element netdev {TABLE} cut {{ {', '.join(map(json.dumps, devices))} }}")

    def counters(self, name: str) -> dict[str, int]:
        """Packets counted for each interface of a set."""
        answer = self.run(f"list set netdev {TABLE} {name}")
        elements = next(item["set"].get("elem", []) for item in answer["nftables"] if "set" in item)
        return {item["elem"]["val"]: item["elem"]["counter"]["packets"] for item in elements}

    def state(self) -> list[dict[str, Any]]:
        """Every table, chain, set and rule of this namespace, without counts, handles and what runs out by itself."""
        return [_stripped(item) for item in self.run("list ruleset")["nftables"] if "metainfo" not in item]


def _stripped(item: Any) -> Any:  # noqa: ANN401 - nftables' own JSON
    if isinstance(item, dict):
        passing = {"handle", "packets", "bytes", "expires"}
        return {key: _stripped(value) for key, value in item.items() if key not in passing}
    return [_stripped(one) for one in item] if isinstance(item, list) else item
