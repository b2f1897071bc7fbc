"""The recorded words, in the language of those who read the document.

Run folders speak English identifiers; a quality officer reads none. Words not known here are shown as they are.
"""

from __future__ import annotations

from typing import TYPE_CHECKING

from lab.measure import Outcome
from reports.model import Problem

if TYPE_CHECKING:
    from collections.abc import Mapping


def N_(message: str) -> str:  # noqa: N802  the customary name of the marker that extraction looks for
    """Mark a sentence for translation where it stands in a table."""
    return message


SECTIONS: Mapping[str, str] = {
    "synthese": N_("1. Synthèse pour la direction"),
    "objectifs": N_("2. Objectifs et critères de succès"),
    "perimetre": N_("3. Périmètre, hypothèses et limites de la réplique"),
    "participants": N_("4. Participants et rôles"),
    "chronogramme": N_("5. Scénarios et chronogramme prévu"),
    "etat-initial": N_("6. État initial vérifié"),
    "scenarios": N_("7. Scénarios joués : chronologie et mesures"),
    "exclus": N_("8. Ce qui n'a pas été éprouvé"),
    "ecarts": N_("9. Écarts, points forts et plan d'actions"),
    "retour": N_("10. Retour à la normale"),
    "comparaison": N_("11. Comparaison avec le dernier essai conforme"),
    "couverture": N_("12. Couverture du programme"),
    "confiance": N_("13. Étalonnage et confiance"),
    "vocabulaire": N_("Annexe A. Vocabulaire"),
    "preuves": N_("Annexe B. Preuves et empreintes"),
}
"""The sections of the document, in order; each has a template of its name."""

NEW_PAGE = frozenset({"objectifs", "participants", "exclus", "comparaison", "vocabulaire", "preuves"})
"""Sections that begin a page on paper."""

MET = Outcome.MET

OUTCOMES: Mapping[Outcome, str] = {
    Outcome.MET: N_("conforme"),
    Outcome.NOT_MET: N_("non conforme"),
    Outcome.INCONCLUSIVE: N_("indéterminé"),
}

SYMBOLS: Mapping[Outcome, str] = {Outcome.MET: "✔", Outcome.NOT_MET: "✘", Outcome.INCONCLUSIVE: "?"}

MEANINGS: Mapping[Outcome, str] = {
    Outcome.MET: N_("la panne a bien eu lieu, la mesure est fiable, et l'objectif fixé est tenu"),
    Outcome.NOT_MET: N_("la panne a bien eu lieu, la mesure est fiable, et l'objectif fixé n'est pas tenu"),
    Outcome.INCONCLUSIVE: N_(
        "l'essai ne permet pas de conclure : panne sans effet, mesure incertaine ou défaut du banc d'essai"
    ),
}

CLASSES: Mapping[str, str] = {
    "A": N_("panne sans effet visible pour les soignants, hormis une attente brève"),
    "B": N_("service poursuivi par l'autre serveur de la paire, sans intervention"),
    "C": N_("service interrompu, puis redémarré automatiquement sur un autre hôte"),
    "D": N_("service arrêté jusqu'à une décision humaine"),
}

OBSERVED: Mapping[str, str] = {
    "A": N_("aucune tentative n'a échoué"),
    "B": N_("des tentatives ont échoué, mais aucune opération d'un soignant"),
    "C": N_("des opérations de soignants ont échoué, puis le service est revenu de lui-même"),
    "D": N_("le service n'est pas revenu sans décision humaine pendant l'observation"),
}

SCOPES: Mapping[str, str] = {
    "one component": N_("perte d'un composant"),
    "a room": N_("perte d'une salle"),
    "common mode": N_("défaut de mode commun"),
    "both rooms": N_("perte des deux salles"),
}

FAMILIES: Mapping[str, str] = {
    "H": N_("Hôtes et commutateurs"),
    "V": N_("Stockage et câbles"),
    "S": N_("Plusieurs composants à la fois"),
    "R": N_("Salles"),
    "U": N_("Ultime Secours"),
}
"""The families of the catalogue, by their first letter."""

JOURNEYS: Mapping[str, str] = {
    "pulse": N_("Pouls"),
    "pulse-kept": N_("Pouls, connexions gardées"),
    "read-record": N_("Ouvrir un dossier"),
    "list-prescriptions": N_("Lire les prescriptions"),
    "record-act": N_("Noter un acte de soin"),
    "prescribe": N_("Prescrire"),
    "sign-in": N_("Ouvrir une session"),
}

PROOFS: Mapping[str, str] = {
    "injected": N_("Après l'injection : se fait-elle sentir ?"),
    "before heal": N_("Avant la réparation : tient-elle encore ?"),
    "after heal": N_("Après la réparation : a-t-elle disparu ?"),
}

MARKS: Mapping[str, str] = {
    "inject": N_("injection"),
    "heal": N_("réparation"),
    "return": N_("retour à la normale"),
}

SEGMENTS: Mapping[str, str] = {
    "detect": N_("Segment : détection"),
    "decide": N_("Segment : décision"),
    "fence": N_("Segment : mise à l'écart de l'ancien"),
    "boot": N_("Segment : démarrage"),
    "reconnect": N_("Segment : reconnexion des clients"),
    "noticed": N_("De la panne au premier refus vu du pouls"),
    "unanswered": N_("Plus longue suite de refus vue du pouls"),
    "redundant": N_("De la première réponse à la redondance complète"),
}

SHORT_SEGMENTS: Mapping[str, str] = {
    "detect": N_("détection"),
    "decide": N_("décision"),
    "fence": N_("mise à l'écart"),
    "boot": N_("démarrage"),
    "reconnect": N_("reconnexion"),
}

STATES: Mapping[str, str] = {
    "served": N_("servi"),
    "slow": N_("ralenti"),
    "interrupted": N_("interrompu"),
}

PROBLEMS: Mapping[Problem, str] = {
    Problem.ABSENT: N_("fichier absent"),
    Problem.UNREADABLE: N_("fichier illisible"),
    Problem.MISSING_FIELD: N_("champ absent"),
    Problem.UNKNOWN_FIELD: N_("champ inconnu, ignoré"),
    Problem.BAD_VALUE: N_("valeur incorrecte"),
    Problem.TRUNCATED: N_("fichier tronqué, lu jusqu'à la coupure"),
    Problem.NOT_FINISHED: N_("campagne interrompue avant sa fin"),
    Problem.OTHER_FORMAT: N_("écrit par une autre version du banc, non repris"),
}

MACHINE: Mapping[str, str] = {
    "system": N_("Système"),
    "kernel": N_("Noyau du système"),
    "cores": N_("Cœurs de calcul"),
    "memory": N_("Mémoire vive"),
    "python": N_("Version de Python"),
    "impairments": N_("Moyen de dégradation du réseau"),
}

GLOSSARY: tuple[tuple[str, str], ...] = (
    (
        N_("Opération"),
        N_("une action d'un soignant, de son intention à la réponse, nouvelles tentatives comprises"),
    ),
    (
        N_("Interruption"),
        N_("temps sans pouvoir travailler : les opérations échouent, ou épuisent la patience du soignant"),
    ),
    (
        N_("Ralenti"),
        N_("dans une figure : plus d'une seconde d'attente, un dixième de seconde pour le pouls"),
    ),
    (
        N_("Pouls"),
        N_("lecture d'un dossier répétée cent fois par seconde, sans nouvelle tentative"),
    ),
    (N_("Gel"), N_("attente d'une opération qui finit par aboutir ; le plus long est retenu")),
    (
        N_("Perte"),
        N_("écriture confirmée au soignant qui, à la fin de l'essai, manque ou figure deux fois"),
    ),
    (
        N_("Résultat inconnu"),
        N_("écriture restée sans réponse : faite ou non, elle n'est pas comptée comme perdue"),
    ),
    (
        N_("Accès sans trace"),
        N_("accès au dossier qui a été servi et n'apparaît pas dans le journal des accès"),
    ),
    (
        N_("Retour à la normale"),
        N_("moment où toutes les copies sont à jour et toutes les paires de nouveau complètes"),
    ),
    (
        N_("PCA, plan de continuité d'activité"),
        N_("dispositions pour que les activités essentielles continuent pendant un sinistre"),
    ),
    (
        N_("PRA, plan de reprise d'activité"),
        N_("redémarrage après une interruption, le plus souvent avec des décisions humaines"),
    ),
    (
        N_("DMIA, durée maximale d'interruption admissible"),
        N_("besoin des soins : la plus longue interruption supportable ; le RTO doit y tenir et ne la remplace pas"),
    ),
    (
        N_("PDMA, perte de données maximale admissible"),
        N_("besoin des soins : la plus grande perte supportable ; le RPO doit y tenir"),
    ),
    (
        N_("RTO, objectif de délai de reprise"),
        N_("cible technique fixée avant l'essai ; l'interruption mesurée est le temps de reprise constaté"),
    ),
    (
        N_("RPO, objectif de perte de données"),
        N_("cible technique, ici en écritures acquittées ; mesurée par des écritures numérotées, relues à la fin"),
    ),
    (
        N_("Durée sans redondance"),
        N_("de la panne jusqu'à la resynchronisation complète : une seconde panne y serait plus grave"),
    ),
    (N_("Bascule"), N_("passage automatique d'un service sur l'équipement restant")),
)
