"""What the drawing says, in English and in French, and what it says of each element of a plan."""

from __future__ import annotations

from typing import TYPE_CHECKING, Literal

from lab.plan.elements import Objective
from lab.plan.storage import of_kind
from lab.plan.units import format_size
from lab.plan.words import Continuity, NodeKind

if TYPE_CHECKING:
    from typing import TypeAlias

    from lab.plan.derived import Node
    from lab.plan.elements import Cable, Server
    from lab.plan.model import Plan

_UNSIGNED = Objective.model_fields["signed_by"].default

Language: TypeAlias = Literal["en", "fr"]

_FRENCH = {
    "plan": "plan",
    "room": "salle",
    "site": "site",
    "host": "hôte",
    "array": "baie de stockage",
    "virtualiser": "virtualiseur",
    "preferred": "préféré",
    "arbiter": "arbitre",
    "witness": "témoin",
    "rescue": "secours",
    "ward": "service de soins",
    "management": "administration",
    "storage": "stockage",
    "servers": "serveurs",
    "restart": "redémarré",
    "pair": "paire",
    "pair with {}": "paire avec {}",
    "server restarted by HA": "serveur redémarré par la haute disponibilité",
    "server of a pair": "serveur d'une paire",
    "server that waits in rescue": "serveur en secours",
    "the two members of a pair": "les deux membres d'une paire",
    "volume {}": "volume {}",
    "arbitrates {}": "arbitre {}",
    "switch: a dot is a connection": "commutateur : un point est un raccordement",
    "two switches joined by a trunk": "deux commutateurs joints par un lien",
    "cable: one line for each network": "câble : un trait par réseau transporté",
    "Legend": "Légende",
    "at {}": "à l'adresse {}",
    "runs on {}": "sur {}",
    "arbitrated by {}": "arbitré par {}",
    "what is lost": "ce qui est perdu",
    "interruption": "interruption",
    "freeze": "gel",
    "lost writes": "écritures perdues",
    "signed by": "signé par",
    "proposed, not signed": "objectif proposé, non signé",
    "one component": "un composant",
    "a room": "une salle",
    "common mode": "mode commun",
    "both rooms": "les deux salles",
    "Services and what they owe": "Services et ce qu'ils doivent",
    "vendor timers are divided by {}": "temporisations des constructeurs divisées par {}",
    "vendor timers are not scaled": "temporisations des constructeurs non réduites",
    "{} to {}, carries {}": "de {} à {}, porte {}",
    "cable {}: {}.": "câble {} : {}.",
    "{} {}: switches {}; nodes {}.": "{} {} : commutateurs {} ; nœuds {}.",
    "server {} starts on {}, {}.": "le serveur {} démarre sur {}, {}.",
    "the volume of {} is mirrored on {}.": "le volume de {} est en miroir sur {}.",
    "the volume of {} stands alone on {}.": "le volume de {} est isolé sur {}.",
    "none": "aucun",
}


class Phrases:
    """Sentences in one language about one plan."""

    def __init__(self, plan: Plan, language: Language) -> None:
        self._plan = plan
        self._french = language == "fr"

    def say(self, text: str, *parts: object) -> str:
        """Say a phrase of the table; ``{}`` are filled in order."""
        return (_FRENCH[text] if self._french else text).format(*parts)

    def offer(self, node: Node) -> str:
        """Say what a node is, and what it offers: processors and memory, disk space, or to serve the volumes first."""
        what = [] if node.kind is NodeKind.HOST else [self.say(node.kind.value)]
        if node.cpu and node.kind is NodeKind.HOST:
            what.append(f"{node.cpu} cpu")
        if node.kind is NodeKind.VIRTUALISER and node is of_kind(self._plan, NodeKind.VIRTUALISER)[0]:
            what.append(self.say("preferred"))
        size = node.capacity if node.kind is NodeKind.ARRAY else node.memory if node.kind is NodeKind.HOST else None
        return " · ".join([*what, *([format_size(size)] if size else [])])

    def arbitrates(self, node: str) -> str:
        """Say which services a node arbitrates; empty for none."""
        found = [service.name for service in self._plan.services.values() if service.arbitrator == node]
        return self.say("arbitrates {}", ", ".join(found)) if found else ""

    def continuity(self, server: Server) -> str:
        """Say how a server survives the loss of its host."""
        if server.continuity is Continuity.PAIR and server.twin:
            return self.say("pair with {}", server.twin)
        return self.say(server.continuity.value)

    def reserved(self, server: Server) -> str:
        """Say what a server takes of its host and of the arrays."""
        volume = [self.say("volume {}", format_size(server.volume))] if server.volume else []
        return " · ".join([f"{server.cpu} cpu", format_size(server.memory), *volume])

    def signed(self, objective: Objective) -> str:
        """Say who signed an objective."""
        signed_by = objective.signed_by
        return self.say("proposed, not signed") if signed_by == _UNSIGNED else signed_by

    def cable(self, cable: Cable) -> str:
        """Say what a cable joins and carries."""
        return self.say("{} to {}, carries {}", *cable.between, ", ".join(self.say(name) for name in cable.carries))

    def scale(self) -> str:
        """Say what the time scale does."""
        if self._plan.time_scale == 1:
            return self.say("vendor timers are not scaled")
        return self.say("vendor timers are divided by {}", f"{self._plan.time_scale:g}")

    def described(self) -> str:
        """Say the whole drawing in words, for those who do not see it."""
        plan = self._plan
        told = []
        for place in plan.places.values():
            kind = self.say("room" if place.is_room else "site")
            switches = ", ".join(name for names in place.switches.values() for name in names)
            nodes = ", ".join(f"{name} ({self.say(plan.nodes[name].kind.value)})" for name in place.nodes)
            none = self.say("none")
            told.append(self.say("{} {}: switches {}; nodes {}.", kind, place.name, switches or none, nodes or none))
        for server in plan.servers.values():
            on = plan.host_of(server.name)
            told.append(self.say("server {} starts on {}, {}.", server.name, on, self.continuity(server)))
        full = (volume for volume in plan.volumes.values() if volume.size)
        mirrored, alone = "the volume of {} is mirrored on {}.", "the volume of {} stands alone on {}."
        told += [self.say(alone if v.alone else mirrored, v.name, ", ".join(v.copies)) for v in full]
        told += [self.say("cable {}: {}.", cable.name, self.cable(cable)) for cable in plan.cables.values()]
        return " ".join(sentence[0].upper() + sentence[1:] for sentence in told)
