"""Data that changes on a disk without a word: no error, no alarm, only other bytes than were written."""

from __future__ import annotations

from dataclasses import dataclass
from random import Random
from typing import TYPE_CHECKING

from faults.targets import known
from lab.errors import LabError
from lab.faulting import Felt
from lab.nodes import NodeError
from lab.plan import NodeKind, PlanError, Scope

if TYPE_CHECKING:
    from lab.faulting import Site
    from lab.plan import Plan


@dataclass(frozen=True)
class BitRot:
    """Places of one array's copy of a volume turn in silence; the other copy is as it was written.

    Args:
        array: whose copy. Hosts read from the array in the room of the active virtualiser.
        volume: name of the server that has it.
        places: how many: one byte each, in as many grains that were ever written, or blocks of the file.
        file: below the server's disk, such as `data/dopasoins/acts.ibd`; "" for any grain of the volume.
        seed: of the choice.
    """

    array: str
    volume: str
    places: int = 64
    file: str = ""
    seed: int = 0

    def lost(self, plan: Plan) -> frozenset[str]:
        """Nothing: the array answers, and the other copy is whole."""
        known(self.array, [node.name for node in plan.nodes.values() if node.kind is NodeKind.ARRAY], "array")
        known(self.volume, [name for name in plan.servers if plan.volumes[name].size], "server with a volume")
        if self.array not in plan.volumes[self.volume].copies:
            raise PlanError(f"{self.array} has no copy of {self.volume}: nothing of it can rot there")
        return frozenset()

    def scope(self, plan: Plan) -> Scope:
        """One component."""
        self.lost(plan)
        return Scope.ONE_COMPONENT

    @property
    def french(self) -> str:
        """What the report calls it."""
        where = f"du fichier {self.file} du volume" if self.file else "du volume"
        return f"Corruption silencieuse {where} {self.volume} sur la baie {self.array} ({self.places} emplacements)"

    def inject(self, lab: Site) -> None:
        """Turn the bytes, in the array's own file and cache."""
        self.lost(lab.plan)
        if not self.file:
            lab.levers.decay.spread(self.array, self.volume, self.places, self.seed)
            return
        chance = Random(self.seed)  # noqa: S311 - a choice that can be made again
        blocks = lab.levers.decay.blocks_of(self.volume, self.file)
        chosen = chance.sample(blocks, min(self.places, len(blocks)))
        lab.levers.decay.strike(self.array, self.volume, (block + chance.randrange(4096) for block in sorted(chosen)))

    def holds(self, lab: Site) -> Felt:
        """The array finds blocks whose checksum is still the one that they have had since they turned."""
        try:
            left = lab.levers.decay.left(self.array, self.volume)
        except NodeError:
            left = 0
        found, pages = lab.levers.decay.found(self.array, self.volume), self._refused_pages(lab)
        return Felt(
            left > 0,
            f"{left} places of {self.volume} on {self.array} still turned"
            + ("" if found is None else f", {found} grains differed")
            + f"; its database refused {pages} pages",
            f"emplacements encore altérés de {self.volume} sur {self.array} : {left}"
            + ("" if found is None else f" ; grains différents trouvés : {found}")
            + f" ; pages refusées par sa base de données : {pages}",
        )

    def _refused_pages(self, lab: Site) -> int:
        """How often its database found a wrong checksum: whoever refuses a page serves nothing from it."""
        try:
            return lab.levers.decay.refused_pages(lab.cluster.host_of(self.volume), self.volume)
        except LabError:  # it runs nowhere just now, or its host is away
            return 0

    def heal(self, lab: Site) -> None:
        """Compare the copies, and give this one the other's grains where they differ."""
        lab.levers.decay.mend([f"{self.array}:{self.volume}"])
