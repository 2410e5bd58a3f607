"""A row of the table of claims: what the paper says, what grades it, and the sentences that say what was found."""

from dataclasses import dataclass, field
from typing import Literal

from qurd_core.paper import grading, shapes
from qurd_core.paper.embedded import Said
from qurd_core.paper.facts import FIGURE_1, TABLE_3, Facts
from qurd_core.paper.phrases import sentence

Verdict = Literal["supported", "not supported by these scores", "not testable here"]
VERDICTS: tuple[Verdict, ...] = ("supported", "not supported by these scores", "not testable here")
HOME = "leaderboard?bench=published-{}&budget={}"
LIMITS = {"figure_1": FIGURE_1, "table_3": TABLE_3, "margin": shapes.MARGIN, "solved": shapes.SOLVED}
LIMITS |= {"notable": shapes.NOTABLE, "explained": grading.EXPLAINED}


@dataclass(frozen=True)
class Claim:
    """One claim, graded.

    Attributes:
        id: its name in links.
        place: where it stands in the paper.
        quote: the paper's words, at most 20; an ellipsis stands for what a table or formula interrupts.
        claim: what it says, in our words.
        printed: the paper's number, as printed.
        recomputed: ours from the published scores, by the paper's rule unless `method` says otherwise.
        verdict: one of `VERDICTS`.
        why: the verdict in one sentence.
        method: how the number was had and when the claim counts as supported.
        link: the view of the app that shows it.
        embedded: what the embedded benchmarks say.
    """

    id: str
    place: str
    quote: str
    claim: str
    printed: str
    recomputed: str
    verdict: Verdict
    why: str
    method: str
    link: str
    embedded: str


@dataclass(frozen=True)
class Row:
    """A claim before it is graded; `Claim` tells what the first texts are.

    Attributes:
        grader: gives the values that fill the sentences, and `holds`.
        recomputed: a sentence in which `{value:phrase}` is said by `phrases.phrase`.
        why: another; where the claim is supported, if there is `otherwise` for where it is not.
        embedded: what the embedded benchmarks give: another sentence, or what says one.
    """

    id: str
    place: str
    quote: str
    claim: str
    method: str
    link: str
    grader: shapes.Grader
    recomputed: str
    why: str
    otherwise: str = ""
    printed: str = field(default="no number", kw_only=True)
    embedded: str | Said = field(kw_only=True)

    def grade(self, facts: Facts) -> Claim:
        values = LIMITS | self.grader(facts)
        holds = values.pop("holds")
        why = self.why if holds or not self.otherwise else self.otherwise
        verdict = VERDICTS[2 if holds is None else 0 if holds else 1]
        here = sentence(self.embedded, **values) if isinstance(self.embedded, str) else self.embedded(facts)
        about = self.id, self.place, self.quote, self.claim, self.printed
        return Claim(
            *about, sentence(self.recomputed, **values), verdict, sentence(why, **values), self.method, self.link, here
        )
