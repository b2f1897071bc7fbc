"""Who begins the pair again when nobody is in a primary component: the decision, without sockets or clock.

After a power loss of everything nobody has to: Galera re-forms its last view by itself (`pc.recovery`, with the
arbitrator restarted by its watch). This is for the rest, a clean stop of both members or a re-forming that failed: both
stand still, each knows how far its own copy came and has heard the same from its twin, so the more advanced one
begins and the other joins it.

A member that cannot hear its twin never begins. The twin may hold acts of care that were acknowledged to a nurse and
are missing here, and beginning without it would throw them away. Whether to go on without them is for a human to say:
class D.
"""

from __future__ import annotations

import json
from dataclasses import asdict, dataclass
from enum import StrEnum

from .galera import NOWHERE, Position


class Stage(StrEnum):
    """Where a member stands."""

    STARTING = "starting"  # running or about to, outside a primary component: its position may still move
    AT_REST = "at rest"  # stopped, position known, not going to start before it has decided
    PRIMARY = "primary"


class Step(StrEnum):
    """What a member at rest does next."""

    BEGIN = "begin"  # start as the first of a new group
    JOIN = "join"  # start as usual
    WAIT = "wait"  # ask again a little later


@dataclass(frozen=True)
class Standing:
    """What a member tells its twin about itself.

    `group` counts its primary component, the arbitrator included; `synced` says whether it is in step with it, `late`
    whether it lacks processor, `fit` whether it does not, and reaches the wards and its disk. `node` is what Galera
    calls this life of its database.
    """

    server: str
    stage: Stage
    position: Position = NOWHERE
    group: int = 0
    fit: bool = True
    synced: bool = False
    late: bool = False
    node: str = ""

    @property
    def is_alone(self) -> bool:
        """Whether it is a primary component without anybody else, which the arbitrator is about to join."""
        return self.stage is Stage.PRIMARY and self.group == 1

    def to_json(self) -> str:
        """One line."""
        return json.dumps({**asdict(self), "position": str(self.position)})

    @classmethod
    def from_json(cls, line: str) -> Standing:
        """The standing in this line.

        Raises:
            ValueError: it holds none.
        """
        raw = json.loads(line)
        try:
            return cls(
                server=str(raw["server"]),
                stage=Stage(raw["stage"]),
                position=Position.parse(raw["position"]),
                group=int(raw["group"]),
                fit=bool(raw["fit"]),
                synced=bool(raw["synced"]),
                late=bool(raw["late"]),
                node=str(raw["node"]),
            )
        except (KeyError, TypeError) as error:
            raise ValueError(f"not a standing: {line!r}") from error


def decide(mine: Standing, twin: Standing | None) -> Step:
    """What the member at rest does, knowing its own standing and the twin's (None: the twin does not answer)."""
    if twin is None or twin.stage is Stage.PRIMARY:
        return Step.JOIN
    if twin.stage is Stage.STARTING:
        return Step.WAIT
    if not mine.position.known or not twin.position.known or mine.position.uuid != twin.position.uuid:
        # Two histories, or a copy without one: no number says which to keep.
        return Step.JOIN
    ahead = (mine.position.seqno, twin.server) > (twin.position.seqno, mine.server)
    return Step.BEGIN if ahead else Step.WAIT
