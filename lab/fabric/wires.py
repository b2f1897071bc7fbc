"""One direction through one wire, named so that a line of the journal is enough to find it again. Pure."""

from __future__ import annotations

from dataclasses import dataclass


@dataclass(frozen=True)
class Way:
    """Frames leave at `source` and arrive at `sink`; an end inside a node is written `node:interface`."""

    source: str
    sink: str

    @property
    def gate(self) -> str:
        """Where the fabric's firewall sees them: `interface in`, or `interface out` when they arrive in a node."""
        return f"{self.source} out" if ":" in self.sink else f"{self.sink} in"

    @property
    def in_fabric(self) -> bool:
        """Whether both ends lie in the fabric, as those of a cable between switches do."""
        return ":" not in self.source + self.sink

    def __str__(self) -> str:
        return f"{self.source}>{self.sink}"

    @classmethod
    def parse(cls, text: str) -> Way:
        """Read what `str` gives."""
        source, _, sink = text.partition(">")
        return cls(source, sink)
