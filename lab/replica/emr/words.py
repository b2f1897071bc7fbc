"""Short French lists from which the clinic's people, wards, drugs and acts are drawn."""

from __future__ import annotations

FAMILY_NAMES = (
    "Abadie", "Bastide", "Bonnefoy", "Cazenave", "Dufour", "Escande", "Fabre", "Garrigue", "Lacombe", "Lafont",
    "Mazières", "Nogaro", "Olivier", "Pujol", "Rivière", "Sabatier", "Tournier", "Vidal", "Ferrand", "Marquès",
    "Delmas", "Barthe", "Castéra", "Roques", "Soulié",
)  # fmt: skip
WOMEN = (
    "Agnès", "Béatrice", "Camille", "Danielle", "Élise", "Françoise", "Hélène", "Inès", "Jeanne", "Léa", "Manon",
    "Nadia", "Odile", "Solène", "Yvette",
)  # fmt: skip
MEN = (
    "Alain", "Benoît", "Cédric", "Didier", "Étienne", "Fabien", "Gérard", "Hugo", "Jules", "Karim", "Lucas",
    "Marcel", "Olivier", "Rémi", "Thierry",
)  # fmt: skip
WARDS = ("cardiologie", "urgences", "chirurgie vasculaire", "pneumologie", "réanimation", "oncologie")
ROLES = ("médecin", "infirmière", "infirmier", "aide-soignante", "kinésithérapeute", "pharmacien")
ALLERGIES = ("aucune connue", "aucune connue", "aucune connue", "pénicilline", "latex", "iode", "arachide")
HISTORIES = (
    "hypertension artérielle", "diabète de type 2", "fibrillation atriale", "BPCO", "insuffisance cardiaque",
    "appendicectomie en 1998", "asthme", "sans antécédent notable", "infarctus en 2007", "prothèse de hanche",
)  # fmt: skip
# International non-proprietary names, with a usual dose and doses per day.
DRUGS = (
    ("paracétamol", "1 g", 3),
    ("amoxicilline", "500 mg", 3),
    ("bisoprolol", "2,5 mg", 1),
    ("ramipril", "5 mg", 1),
    ("furosémide", "40 mg", 1),
    ("apixaban", "5 mg", 2),
    ("atorvastatine", "20 mg", 1),
    ("metformine", "850 mg", 2),
    ("salbutamol", "100 µg", 4),
    ("énoxaparine", "4000 UI", 1),
    ("pantoprazole", "20 mg", 1),
    ("morphine", "10 mg", 4),
)
# Kinds of care act, with the note that a nurse or a physician leaves.
ACTS = (
    ("prise de tension", "PA 13/8, pouls 72, bien tolérée."),
    ("glycémie capillaire", "1,12 g/L à jeun."),
    ("pansement", "Plaie propre, berges saines, pansement refait."),
    ("perfusion", "Voie posée au bras gauche, débit vérifié."),
    ("électrocardiogramme", "Rythme sinusal, pas de trouble de repolarisation."),
    ("prélèvement sanguin", "NFS et ionogramme envoyés au laboratoire."),
    ("évaluation de la douleur", "EN 3/10 au repos."),
    ("toilette", "Aide partielle, état cutané correct."),
    ("visite médicale", "État stable, poursuite du traitement."),
    ("oxygénothérapie", "2 L/min aux lunettes, SpO2 96 %."),
)
