"""Every gradable claim of the paper, in its order: what it printed, what the scores give, and what that is worth.

A claim *survives*, *falls*, or is *not testable here*. The number is computed from what ships; the verdict follows from it
by the rule that `method` tells, so another summary may give another verdict.
"""

import json
from collections.abc import Callable
from dataclasses import asdict, dataclass
from pathlib import Path
from typing import NamedTuple

from qurd_core.errors import QurdError
from qurd_core.evaluation import records
from qurd_core.evaluation.paper import grading
from qurd_core.evaluation.paper.facts import SACBENCH, Facts
from qurd_core.evaluation.paper.grading import Graded, Verdict

VERDICTS: tuple[Verdict, ...] = ("survives", "falls", "not testable here")

FILE = "claims.json"


@dataclass(frozen=True)
class Claim:
    """One claim, graded.

    Attributes:
        id: its name in links.
        place: where it stands in the paper.
        claim: what it says, in our words.
        printed: the paper's number, as printed.
        recomputed: ours from the published scores, by the paper's rule unless `method` says otherwise.
        verdict: one of `VERDICTS`.
        why: the verdict in one sentence.
        method: how the number was had and when the claim counts as surviving.
        link: the view of the app that shows it.
        patchwork: what the embedded benchmarks say.
    """

    id: str
    place: str
    claim: str
    printed: str
    recomputed: str
    verdict: Verdict
    why: str
    method: str
    link: str
    patchwork: str


class _Asked(NamedTuple):
    id: str
    place: str
    claim: str
    printed: str
    method: str
    link: str
    grade: Callable[[Facts], Graded]


def claims(facts: Facts | None = None) -> list[Claim]:
    """All claims in the paper's order."""
    facts = facts or Facts()
    found = []
    for *asked, grade in CLAIMS:
        about = dict(zip(_Asked._fields, asked, strict=False))
        found.append(Claim(**about, **grade(facts)._asdict()))
    return found


def read(folder: Path | None = None) -> list[Claim]:
    """The claims as they ship, graded by `export-summary`.

    Raises:
        QurdError: the file is missing or damaged.
    """
    path = (folder or records.PUBLISHED_FOLDER) / FILE
    try:
        return [Claim(**row) for row in json.loads(path.read_text("utf-8"))]
    except (OSError, ValueError, TypeError) as error:
        raise QurdError(
            f"Cannot read {path}: {error}. Make it again with `python -m qurd_core paper export-summary`."
        ) from None


def rows(facts: Facts | None = None) -> list[dict[str, str]]:
    """The claims as plain rows."""
    return [asdict(claim) for claim in claims(facts)]


_HOME = "leaderboard?bench=published-{}&budget={}"

CLAIMS: tuple[_Asked, ...] = (
    _Asked(
        "baseline",
        "Abstract",
        "A simple baseline is on par with the published schemes.",
        "Figure 1",
        "Best published scheme per data set, tasks pooled, 200 queries; survives if AKH is nowhere 10 points behind.",
        _HOME.format("sdog120", 200),
        grading.baseline,
    ),
    _Asked(
        "hundred",
        "Abstract",
        "The decomposition opens about a hundred unexplored combinations.",
        "~100",
        "Published combinations without a name; survives from 80 on.",
        "compose?bench=published-sdog120",
        grading.hundred,
    ),
    _Asked(
        "at-best-as-good",
        "Introduction, Figure 1",
        "Most published schemes are at best as good as the baseline.",
        "Figure 1",
        "Schemes above AKH by half a point, 200 queries; survives if there is none on two of three data sets.",
        _HOME.format("cifar10", 200),
        grading.at_best_as_good,
    ),
    _Asked(
        "copies",
        "Proposition 1",
        "The baseline flags every exact copy.",
        "probability 1",
        "Task `same` at 100 queries.",
        "leaderboard?bench=published-cifar10&view=table",
        grading.copies,
    ),
    _Asked(
        "bound",
        "Proposition 1",
        "It clears an unrelated model with a chance of at least (delta - (1 - alpha')) / (1 - alpha).",
        "inequality (2)",
        "All pairs on the test images; survives if none is below the bound.",
        "separability?bench=published-sdog120&show=bound",
        grading.bound,
    ),
    _Asked(
        "majority",
        "The AKH baseline",
        "A majority vote over several queries lowers the false negative rate exponentially.",
        "exponentially",
        "Proof: a majority of many queries flags exactly the suspects with delta_C below one half.",
        "separability?bench=published-flower102",
        grading.majority,
    ),
    _Asked(
        "true-negatives",
        "The AKH baseline",
        "Negative queries can clear an innocent model likelier than random ones.",
        "delta_C against delta",
        "Unrelated pairs; survives if delta_C exceeds delta for all.",
        "separability?bench=published-cifar10&of=delta",
        grading.true_negatives,
    ),
    _Asked(
        "par-sdog-sac",
        "The AKH baseline",
        "On SDog120 and SACBench the baseline is on par with the best schemes.",
        "Figure 1",
        "Victim by victim against the best one at 200 queries; survives within 10 points.",
        _HOME.format("sdog120", 200),
        lambda facts: grading.par_on(facts, ("SDog120", SACBENCH), better=False),
    ),
    _Asked(
        "better-flower",
        "The AKH baseline",
        "On Flower102 it performs even better than the best ones.",
        "Figure 1",
        "Victim by victim against the best one at 200 queries; survives above two standard errors.",
        _HOME.format("flower102", 200),
        lambda facts: grading.par_on(facts, ("Flower102",), better=True),
    ),
    _Asked(
        "adversarial-low-budget",
        "Query sampling",
        "Adversarial sampling detects better than uniform sampling at small budgets.",
        "none",
        "pgd for uniform seeds, same head, split and data set, 10 to 50 queries; survives if most gain.",
        "budget?bench=published-flower102",
        grading.low_budget,
    ),
    _Asked(
        "negative-better",
        "Query sampling",
        "Negative sampling detects better at the same budget.",
        "none",
        "negative for uniform seeds, same head, split and data set; survives if most gain.",
        "leaderboard?bench=published-cifar10&view=swap",
        grading.negative,
    ),
    _Asked(
        "no-gradients",
        "Query sampling",
        "Negative sampling needs no gradient, which makes query sets much cheaper.",
        "none",
        "Needs the costs of query sets.",
        "budget?bench=patchwork-sac&x=gradients",
        grading.no_gradients,
    ),
    _Asked(
        "few-samples",
        "Query sampling",
        "Subsampling makes many queries of few images.",
        "none",
        "Needs the number of images looked at.",
        "budget?bench=patchwork-sac&x=labelled",
        grading.few_samples,
    ),
    _Asked(
        "ten-points",
        "Figure 2",
        "Negative seeds before the adversarial search lift IPGuard by ten points.",
        "+10 points (+14 %)",
        "Needs scores of negative seeds before the boundary search; shown is the nearest that was published, at 100 "
        "queries.",
        "leaderboard?bench=published-flower102&view=swap&scheme=IPGuard",
        grading.ten_points,
    ),
    _Asked(
        "many-worse",
        "The next 100 fingerprints",
        "Many new combinations do worse than existing schemes.",
        "Figure 1",
        "Share below the median published scheme; survives above one fifth.",
        _HOME.format("flower102", 200),
        grading.many_worse,
    ),
    _Asked(
        "needs",
        "Query budget",
        "ZestOfLIME needs 1 000 to 128 000 queries, FBI about 100.",
        "1 000 to 128 000; ~100",
        "Numbers of the cited papers.",
        "budget?bench=patchwork-sac",
        grading.needs,
    ),
    _Asked(
        "equal-or-better",
        "Figure 4",
        "Negative-sampling schemes equal or outperform adversarial ones.",
        "Figure 4",
        "The better of AKH and SAC against IPGuard and ModelDiff, 10 to 200 queries; survives if nowhere 2 points behind.",
        "budget?bench=published-sdog120",
        grading.equal_or_better,
    ),
    _Asked(
        "rise",
        "Figure 4",
        "Up to 100 queries on SACBench and 50 on ModelReuse most schemes improve with every increment.",
        "0 to 100, 0 to 50",
        "Median gain per doubling; survives above 2 points.",
        "budget?bench=published-cifar10",
        grading.rise,
    ),
    _Asked(
        "plateau",
        "Figure 4",
        "After that most schemes show a plateau.",
        "100, 50",
        "Median gain per doubling; survives below 2 points.",
        "budget?bench=published-flower102",
        grading.plateau,
    ),
    _Asked(
        "optimal",
        "Figure 4",
        "There is an optimal budget, dependent on the benchmark but not on the scheme.",
        "50 to 100",
        "Budget within 2 points of a scheme's best; survives if schemes of one data set agree within a factor of two.",
        "budget?bench=published-sdog120",
        grading.optimal,
    ),
    _Asked(
        "variance",
        "Figure 4",
        "Negative-sampling schemes vary less, especially on SACBench.",
        "Figure 4",
        "sd over query seeds from 50 queries on; survives if lower on SACBench and on two of three data sets.",
        "budget?bench=published-cifar10",
        grading.variance,
    ),
    _Asked(
        "suffers",
        "Figure 4",
        "ModelDiff and SAC suffer from 100 to 400 queries, and only pairwise and listwise schemes do.",
        "Figure 4",
        "Change of TPR@5%; survives if one loses 2 points and such combinations lose oftener than others.",
        "budget?bench=published-sdog120",
        grading.suffers,
    ),
    _Asked(
        "gap",
        "Figure 4",
        "The gap between stolen and unrelated distances shrinks as the budget grows.",
        "none",
        "Mean distances at 100 and 400 queries; survives if most gaps shrink by 5 %.",
        "budget?bench=published-cifar10&panel=distance",
        grading.gap,
    ),
    _Asked(
        "table3",
        "Table 3",
        "The baseline is on par with or surpasses all earlier schemes, task by task.",
        "Table 3",
        "Matched data sets at 100 queries; survives if nowhere 10 points behind.",
        "leaderboard?bench=published-cifar10&view=table",
        grading.table3,
    ),
    _Asked(
        "sac-best",
        "Table 3",
        "SAC is the best scheme on label and probit extraction.",
        ".59 and .81, in bold",
        "Means over the data sets that both have.",
        "leaderboard?bench=published-sdog120&view=table",
        grading.sac_best,
    ),
    _Asked(
        "solved",
        "Table 3",
        "same, quantize, finetune and transfer are completely solved by existing schemes and by the baseline.",
        "1.0",
        "Cells of the published schemes and AKH; survives with at most one below 95 %.",
        "leaderboard?bench=published-cifar10&view=table",
        grading.solved,
    ),
    _Asked(
        "unsolved",
        "Table 3",
        "What remains unsolved is extraction without obfuscation.",
        "Table 3",
        "Best scheme by task; survives if pruning is solved at 95 %.",
        "leaderboard?bench=published-flower102&view=table",
        grading.unsolved,
    ),
    _Asked(
        "adversarial-easy",
        "Table 3",
        "Adversarial label extraction is easy for negative sampling and hard for the rest.",
        ".92 and 1.0 against at most .29",
        "SACBench at 100 queries; survives if both lead by 10 points.",
        "leaderboard?bench=published-cifar10&task=adv_label_extraction",
        grading.adversarial_easy,
    ),
    _Asked(
        "harder",
        "Table 3",
        "Extraction is harder to detect than a leak.",
        "Table 3",
        "Means over schemes and tasks; survives by 10 points.",
        "separability?bench=published-flower102&rows=tasks",
        grading.harder,
    ),
    _Asked(
        "two-exceptions",
        "Why does SACBench look so easy?",
        "ModelReuse and SACBench use the same methods with two exceptions.",
        "2",
        "Tasks in the scores; survives if two differ.",
        "paper?view=table2",
        grading.two_exceptions,
    ),
    _Asked(
        "explains",
        "Why does SACBench look so easy?",
        "Adversarial extraction explains why adversarial sampling does worse on SACBench.",
        "none",
        "Means over the four tasks that both have; survives if no scheme is 5 points lower there.",
        "leaderboard?bench=published-cifar10&view=table",
        grading.explains,
    ),
    _Asked(
        "spread",
        "Figure 3",
        "delta_C varies much more on ModelReuse than on SACBench.",
        "Figure 3",
        "sd over unrelated pairs, delta_C by definition; survives if 1.5 times as large.",
        "separability?bench=published-cifar10&rows=benchmarks",
        grading.spread,
    ),
    _Asked(
        "comparable",
        "Figure 3",
        "Except SAC, all schemes do comparably on both benchmarks.",
        "Figure 1",
        "TPR@5% at 200 queries; survives if all are within 10 points.",
        _HOME.format("cifar10", 200),
        grading.comparable,
    ),
    _Asked(
        "separation",
        "Figure 3",
        "Stolen and unrelated pairs are better separated on SACBench.",
        "Figure 3",
        "delta_C by definition; survives if SACBench has a gap and ModelReuse none.",
        "separability?bench=published-cifar10&rows=benchmarks",
        grading.separation,
    ),
    _Asked(
        "suited",
        "Figure 3",
        "The pairs of SACBench are especially suited to SAC.",
        "none",
        "TPR@5% at 100 queries; survives if SAC is 10 points better there.",
        _HOME.format("cifar10", 100),
        grading.suited,
    ),
    _Asked(
        "not-discriminative",
        "Conclusion",
        "The benchmarks are either not discriminative or solved by the baseline.",
        "none",
        "Cells where schemes differ by 10 points and AKH is below 95 %; survives if there is none.",
        "leaderboard?bench=published-flower102&view=table",
        grading.conclusion,
    ),
    _Asked(
        "almost-any",
        "Conclusion",
        "Most tasks are solved with almost any scheme.",
        "none",
        "Tasks on which five of six schemes reach 95 %; survives if more than half.",
        "leaderboard?bench=published-cifar10&view=table",
        grading.almost_any,
    ),
    _Asked(
        "too-easy",
        "Conclusion",
        "The pairs are too easy to distinguish.",
        "none",
        "AKH at 200 queries; survives if above 95 % everywhere.",
        "separability?bench=published-flower102&rows=benchmarks",
        grading.too_easy,
    ),
    _Asked(
        "brittle",
        "Conclusion",
        "Schemes on adversarial sampling are brittle compared with natural images.",
        "none",
        "Worst task of Table 3; survives if both are below AKH and SAC.",
        "leaderboard?bench=published-cifar10&view=table",
        grading.brittle,
    ),
    _Asked(
        "five-percent",
        "Fingerprint evaluation",
        "All values are true positive rates at 5 % false positives.",
        "TPR@5%",
        "Expected rate of an order statistic of exchangeable scores, (k+1)/(n+1).",
        "leaderboard?bench=published-cifar10&rule=guaranteed",
        grading.five_percent,
    ),
    _Asked(
        "five-seeds",
        "Fingerprint evaluation",
        "Values are averaged over five runs, with a margin.",
        "± in Table 3",
        "The authors' notebook; a 95 % interval over five seeds is 2.776 sd / sqrt(5).",
        "budget?bench=published-cifar10",
        grading.five_seeds,
    ),
)
