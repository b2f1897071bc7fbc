"""What the document says in words, computed from the facts so that it cannot drift from them."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING

from lab.measure import Outcome
from reports import vocabulary

if TYPE_CHECKING:
    from lab.measure import Evidence, Verdict
    from reports.language import Language
    from reports.model import Campaign, Event, Gap, ScenarioResult


@dataclass(frozen=True)
class Sentences:
    """The computed sentences of one language."""

    language: Language

    def word(self, table: str, key: str) -> str:
        """Return a recorded word in the document's language, or as it is when the table does not know it."""
        known = getattr(vocabulary, table).get(key)
        return self.language.gettext(known) if known else key

    def campaign(self, campaign: Campaign) -> str:
        """Return the verdict of a campaign in one sentence."""
        say, total = self.language, len(campaign.scenarios)
        signed = len(campaign.accepted)
        failed, open_ = len(campaign.having(Outcome.NOT_MET)) - signed, len(campaign.having(Outcome.INCONCLUSIVE))
        if not total:
            return say.say("Aucun scénario n'a été joué : la campagne ne permet aucune conclusion.")
        if failed:
            return say.ngettext(
                "{n} scénario sur {total} ne tient pas l'objectif fixé.",
                "{n} scénarios sur {total} ne tiennent pas l'objectif fixé.",
                failed,
            ).format(n=failed, total=total)
        if open_:
            return say.ngettext(
                "Aucun objectif n'est manqué, mais {n} scénario sur {total} ne permet pas de conclure.",
                "Aucun objectif n'est manqué, mais {n} scénarios sur {total} ne permettent pas de conclure.",
                open_,
            ).format(n=open_, total=total)
        if campaign.ended is None:
            return say.say(
                "Les scénarios joués tiennent leur objectif, mais la campagne a été interrompue avant sa fin."
            )
        if signed:
            return say.ngettext(
                "Les objectifs sont tenus, sauf {n} écart accepté par écrit, sur {total} scénarios joués.",
                "Les objectifs sont tenus, sauf {n} écarts acceptés par écrit, sur {total} scénarios joués.",
                signed,
            ).format(n=signed, total=total)
        return say.ngettext(
            "L'unique scénario joué tient l'objectif fixé.",
            "Les {n} scénarios joués tiennent tous l'objectif fixé.",
            total,
        ).format(n=total)

    def conclusion(self, result: ScenarioResult) -> str:
        """Return what a scenario shows, in the verdict's own sentence."""
        if result.verdict is None:
            return self.language.say("Aucun verdict lisible n'a été enregistré pour ce scénario.")
        own = result.verdict.sentence_fr if self.language.code == "fr" else result.verdict.sentence
        return self.language.typeset(own)

    def title(self, result: ScenarioResult) -> str:
        """Return what a scenario is called, in the language of the document."""
        if result.description is None:
            return self.language.say("Scénario sans description lisible")
        return result.description.title_fr if self.language.code == "fr" else result.description.title

    def fault(self, result: ScenarioResult) -> str:
        """Return the fault of a scenario, in the language of the document."""
        if result.description is None:
            return "—"
        return result.description.fault_fr if self.language.code == "fr" else result.description.fault

    def event(self, event: Event) -> str:
        """Return a line of the log."""
        return (event.text_fr if self.language.code == "fr" else event.text) or event.what

    def predicted(self, verdict: Verdict | None) -> str:
        """Tell whether the infrastructure behaved as its plan let expect."""
        say = self.language.gettext
        if verdict is None or verdict.as_predicted is None:
            return say("non établi")
        if not verdict.as_predicted:
            return say("non")
        return say("oui") if verdict.observed == verdict.predicted else say("oui, mieux que prévu")

    def gap(self, gap: Gap) -> str:
        """Return what is missing or damaged, and where."""
        detail = f" ({gap.detail})" if gap.detail else ""
        return f"{self.language.gettext(vocabulary.PROBLEMS[gap.problem])}{detail}"

    def proof(self, evidence: Evidence) -> tuple[str, bool]:
        """Return the answer to a question about the fault, and whether it is the one that the test needs."""
        as_needed = evidence.holds is not (evidence.when == "after heal")
        answer = self.language.gettext("oui") if as_needed else self.language.gettext("non")
        return answer, as_needed
