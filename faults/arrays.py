"""What goes wrong inside a disk array that still answers."""

from __future__ import annotations

from contextlib import suppress
from dataclasses import dataclass
from datetime import timedelta
from typing import TYPE_CHECKING, Any

from faults.targets import known
from lab.errors import LabError
from lab.faulting import Felt
from lab.journal import Harm
from lab.nodes import NodeError
from lab.plan import NodeKind, Scope

if TYPE_CHECKING:
    from lab.faulting import Site
    from lab.plan import Plan


def _array(plan: Plan, name: str) -> str:
    return known(name, [node.name for node in plan.nodes.values() if node.kind is NodeKind.ARRAY], "array")


def _mischief(lab: Site, array: str) -> dict[str, Any]:
    """What an array says that it does wrong; one that says nothing does nothing wrong that we know of."""
    try:
        found: dict[str, Any] = lab.levers.nodes.ask(array, "array")["mischief"]
    except NodeError:
        return {}
    return found


@dataclass(frozen=True)
class SlowArray:
    """An array answers each request late, as one does that rebuilds a disk or has lost its cache battery."""

    array: str
    by: timedelta

    def lost(self, plan: Plan) -> frozenset[str]:
        """Nothing: it answers."""
        _array(plan, self.array)
        return frozenset()

    def scope(self, plan: Plan) -> Scope:
        """One component."""
        _array(plan, self.array)
        return Scope.ONE_COMPONENT

    @property
    def french(self) -> str:
        """What the report calls it."""
        return f"Lenteur de la baie {self.array} ({self.by / timedelta(milliseconds=1):g} ms de plus par requête)"

    def inject(self, lab: Site) -> None:
        """Tell it to wait before each answer."""
        lab.levers.spoil(_array(lab.plan, self.array), f"slow {self.by.total_seconds()}")

    def holds(self, lab: Site) -> Felt:
        """It says by how much it is late."""
        slow = float(_mischief(lab, self.array).get("slow", 0.0))
        return Felt(slow > 0, f"each answer {slow * 1e3:g} ms late", f"chaque réponse retardée de {slow * 1e3:g} ms")

    def heal(self, lab: Site) -> None:
        """Back to its own speed."""
        lab.levers.unspoil([self.array])


@dataclass(frozen=True)
class ReadErrors:
    """A stretch of a volume can no longer be read from one array, as with a failing disk; writes heal it.

    Nobody may want to read there for days, so a patrol read follows, as storage systems make them: both copies are
    read and compared.
    """

    array: str
    volume: str
    offset: int = 0
    length: int = 64 * 1024

    def lost(self, plan: Plan) -> frozenset[str]:
        """Nothing: the array answers, and the other copy is whole."""
        _array(plan, self.array)
        known(self.volume, plan.servers, "server with a volume")
        return frozenset()

    def scope(self, plan: Plan) -> Scope:
        """One component."""
        self.lost(plan)
        return Scope.ONE_COMPONENT

    @property
    def french(self) -> str:
        """What the report calls it."""
        return f"Erreurs de lecture de la baie {self.array} sur le volume {self.volume}"

    def inject(self, lab: Site) -> None:
        """Tell it which stretch fails, and let it be read."""
        self.lost(lab.plan)
        lab.levers.spoil(self.array, f"read-error {self.volume} {self.offset} {self.length}")
        with suppress(LabError):  # the copy that cannot be read is lost, so that there is nothing to compare with
            lab.storage.verify(self.volume)

    def holds(self, lab: Site) -> Felt:
        """It says how often a read of the stretch failed, perhaps before a write healed it; the disk is still there."""
        found = _mischief(lab, self.array)
        failing, failed = len(found.get("read_errors", [])), int(found.get("failed_reads", 0))
        return Felt(
            failed > 0 and self.array in lab.levers.journal.open(Harm.SPOILED),
            f"{failing} stretches unreadable, {failed} reads failed",
            f"zones illisibles : {failing} ; lectures en échec : {failed}",
        )

    def heal(self, lab: Site) -> None:
        """Replace the disk."""
        lab.levers.unspoil([self.array])


@dataclass(frozen=True)
class FullArray:
    """An array has no space left: each write that needs some is refused."""

    array: str

    def lost(self, plan: Plan) -> frozenset[str]:
        """The array, as far as mirroring goes."""
        return frozenset([_array(plan, self.array)])

    def scope(self, plan: Plan) -> Scope:
        """One component."""
        self.lost(plan)
        return Scope.ONE_COMPONENT

    @property
    def french(self) -> str:
        """What the report calls it."""
        return f"Baie {self.array} pleine"

    def inject(self, lab: Site) -> None:
        """Tell it that it is full."""
        self.lost(lab.plan)
        lab.levers.spoil(self.array, "full")

    def holds(self, lab: Site) -> Felt:
        """It says that it is full, and how many writes it refused."""
        found = _mischief(lab, self.array)
        full, refused = bool(found.get("full")), int(found.get("refused_writes", 0))
        return Felt(
            full,
            f"{'full' if full else 'not full'}, {refused} writes refused",
            f"{'pleine' if full else 'non pleine'} ; écritures refusées : {refused}",
        )

    def heal(self, lab: Site) -> None:
        """Give it space."""
        lab.levers.unspoil([self.array])
