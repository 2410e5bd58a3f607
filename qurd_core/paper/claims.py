"""Every gradable claim of the paper, in its order: what it says and printed, what the scores give, and what that is worth.

A claim is *supported*, *not supported by these scores*, or *not testable here*. Numbers are computed from what ships; the
verdict follows from them by the rule that `method` tells, so another summary may give another verdict.
"""

import json
from collections.abc import Callable
from dataclasses import asdict, dataclass
from pathlib import Path
from typing import NamedTuple

from qurd_core.errors import QurdError
from qurd_core.files import publish, read_json
from qurd_core.paper import grading
from qurd_core.paper.facts import SACBENCH, Facts
from qurd_core.paper.grading import VERDICTS, Graded, Verdict
from qurd_core.paper.tables import BUDGETS
from qurd_core.records import rate_records

__all__ = ["CLAIMS", "FILE", "VERDICTS", "Claim", "claims", "read", "rows"]

FILE = "claims.json"


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
        patchwork: what the embedded benchmarks say.
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
    patchwork: str


class _Asked(NamedTuple):
    id: str
    place: str
    quote: str
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
    path, again = (folder or rate_records.PUBLISHED_FOLDER) / FILE, f"Make it again with `{rate_records.EXPORT}`."
    try:
        return [Claim(**row) for row in read_json(path, again)]
    except (OSError, TypeError) as error:
        raise QurdError(f"Cannot read {path}: {error}. {again}") from None


def write(folder: Path) -> Path:
    """Grade the claims on the summaries of a folder, into that folder."""
    text = json.dumps(rows(Facts(folder)), indent=1, ensure_ascii=False) + "\n"
    return publish(folder / FILE, text.encode())


def rows(facts: Facts | None = None) -> list[dict[str, str]]:
    """The claims as plain rows."""
    return [asdict(claim) for claim in claims(facts)]


_ADVERSARIAL = {"pgd": "uniform({split})->pgd", "boundary": "uniform({split})->boundary"}
_HOME = "leaderboard?bench=published-{}&budget={}"

CLAIMS: tuple[_Asked, ...] = (
    _Asked(
        "baseline",
        "Abstract",
        "a simple baseline that we introduce performs on par with existing state-of-the-art fingerprints",
        "A simple baseline is on par with the published schemes.",
        "drawn in Figure 1, no number",
        "Best published scheme per data set, tasks pooled, 200 queries; supported if AKH is nowhere 10 points behind.",
        _HOME.format("sdog120", 200),
        grading.par,
    ),
    _Asked(
        "hundred",
        "Abstract",
        "we are able to identify ~ 100 previously unexplored QuRD combinations",
        "The decomposition opens about a hundred unexplored combinations.",
        "~ 100",
        "Published combinations without a name; supported from 80 on.",
        "compose?bench=published-sdog120",
        grading.hundred,
    ),
    _Asked(
        "at-best-as-good",
        "Introduction, Figure 1",
        "most of the fingerprinting schemes proposed in the literature is at best as good as the simple baseline",
        "Most published schemes are at best as good as the baseline.",
        "drawn in Figure 1, no number",
        "Schemes more than half a point above AKH at 200 queries; supported if less than half of all results.",
        _HOME.format("cifar10", 200),
        grading.at_best_as_good,
    ),
    _Asked(
        "copies",
        "Filling the Gaps with the AKH Baseline, Proposition 1",
        "Proposition 1 establishes that AKH is a one-sided error test",
        "The baseline flags every exact copy.",
        "probability 1",
        "Task `same` at 100 queries; supported if AKH catches every copy.",
        "leaderboard?bench=published-cifar10&view=table",
        grading.copies,
    ),
    _Asked(
        "bound",
        "Filling the Gaps with the AKH Baseline, Proposition 1",
        "defined by AKH enjoys the following guarantees",
        "It clears an unrelated model with a chance of at least (delta - (1 - alpha')) / (1 - alpha).",
        "inequality (2)",
        "Unrelated pairs on the test images; supported if none is below the bound.",
        "separability?bench=published-sdog120&show=bound",
        grading.bound,
    ),
    _Asked(
        "majority",
        "Filling the Gaps with the AKH Baseline",
        "decreases the False Negative Rate exponentially",
        "A majority vote over several queries lowers the false negative rate exponentially.",
        "no number",
        "A majority of many queries flags whoever has a delta_C below one half; supported if all stolen pairs do.",
        "separability?bench=published-flower102",
        grading.majority,
    ),
    _Asked(
        "true-negatives",
        "Filling the Gaps with the AKH Baseline",
        "This gives us an idea on when AKH can outperform schemes based on random sampling",
        "One negative query can clear an unrelated model more likely than one random query.",
        "no number",
        "Unrelated pairs; supported if delta_C exceeds delta for all.",
        "separability?bench=published-cifar10&of=delta",
        grading.true_negatives,
    ),
    _Asked(
        "par-sdog-sac",
        "Filling the Gaps with the AKH Baseline, Figure 1",
        "On ModelReuse (SDog120 dataset) and on SACBench, AKH performs on par with the best existing fingerprints",
        "On SDog120 and SACBench the baseline is on par with the best schemes.",
        "drawn in Figure 1, no number",
        "Victim by victim against the best one at 200 queries; supported if less than 10 points behind in the mean.",
        _HOME.format("sdog120", 200),
        lambda facts: grading.par(facts, ("SDog120", SACBENCH)),
    ),
    _Asked(
        "better-flower",
        "Filling the Gaps with the AKH Baseline, Figure 1",
        "On ModelReuse (Flower102 dataset), AKH even performs better than the best existing fingerprints",
        "On Flower102 the baseline does better than the best schemes.",
        "drawn in Figure 1, no number",
        "Victim by victim against the best one at 200 queries; supported if more than two standard errors above it.",
        _HOME.format("flower102", 200),
        lambda facts: grading.par(facts, ("Flower102",), better=True),
    ),
    _Asked(
        "adversarial-low-budget",
        "Query Sampling",
        "adversarial sampling leads to a better detection rate for a lower query budget",
        "Adversarial sampling detects better than uniform sampling at small budgets.",
        "no number",
        "pgd or boundary for uniform seeds, same head, split and data set, 10 to 50 queries; supported if most gain.",
        "budget?bench=published-flower102",
        lambda facts: grading.swapped(facts, _ADVERSARIAL, (10, 20, 50)),
    ),
    _Asked(
        "negative-better",
        "Query Sampling",
        "negative sampling (Guan, Liang, and He 2022) enjoys better detection rates for a given query budget",
        "Negative sampling detects better at the same budget.",
        "no number",
        "negative for uniform seeds, same head, split and data set, 10 to 400 queries; supported if most gain.",
        "leaderboard?bench=published-cifar10&view=swap",
        lambda facts: grading.swapped(facts, {"negative": "negative({split})"}, BUDGETS),
    ),
    _Asked(
        "no-gradients",
        "Query Sampling",
        "it does not need to compute gradients of h, it just needs query access to h",
        "Negative sampling needs no gradient, which makes query sets much cheaper.",
        "no number",
        "Needs the costs of query sets.",
        "budget?bench=patchwork-sac&x=gradients",
        grading.no_gradients,
    ),
    _Asked(
        "few-samples",
        "Query Sampling",
        "subsampling allows to create a large query-set with few samples from the data distribution",
        "Subsampling makes many queries of few images.",
        "no number",
        "Needs the number of images that queries were made from.",
        "budget?bench=patchwork-sac&x=labelled",
        grading.few_samples,
    ),
    _Asked(
        "five-percent",
        "Fingerprint evaluation",
        "computing the True Positive Rate at 5% of False Positives (TPR@5%)",
        "All values are true positive rates at 5 % false positives, on the unrelated models at hand.",
        "TPR@5%",
        "Share of the unrelated models at hand below the paper rule's threshold; supported if at most 5 %.",
        "leaderboard?bench=published-cifar10&rule=guaranteed",
        grading.five_percent,
    ),
    _Asked(
        "five-seeds",
        "Fingerprint evaluation",
        "All TPR@5% values are averaged over 5 runs with independent random seeds",
        "Values are averaged over five runs.",
        "5 runs",
        "Query seeds of every published value; supported if there are always five.",
        "budget?bench=published-cifar10",
        grading.five_seeds,
    ),
    _Asked(
        "ten-points",
        "The next 100 fingerprints, Figure 2",
        "it is possible to increase the TPR@5% of IPGuard by 10 points (+14%) simply by choosing negative seed samples",
        "Negative seeds before the adversarial search lift IPGuard by ten points.",
        "10 points (+14 %)",
        "Needs scores of negative seeds before the boundary search; shown is the nearest that was published.",
        "leaderboard?bench=published-flower102&view=swap&scheme=IPGuard",
        grading.ten_points,
    ),
    _Asked(
        "many-worse",
        "The next 100 fingerprints, Figure 1",
        "many QuRD combinations exhibit lower TPR@5% than existing fingerprints",
        "Many new combinations do worse than existing schemes.",
        "drawn in Figure 1, no number",
        "Share below the median published scheme; supported if above one fifth on every data set.",
        _HOME.format("flower102", 200),
        grading.many_worse,
    ),
    _Asked(
        "needs",
        "A focus on the query budget",
        "ZestOfLIME requires from 1000 to 128 000 queries while FBI only requires ~ 100 queries",
        "ZestOfLIME needs 1 000 to 128 000 queries, FBI about 100.",
        "1000 to 128 000; ~ 100",
        "Needs scores beyond 400 queries, and of FBI.",
        "budget?bench=patchwork-sac",
        grading.needs,
    ),
    _Asked(
        "equal-or-better",
        "A focus on the query budget, Figure 4",
        "fingerprints based on negative sampling equal or outperform fingerprints based on adversarial sampling",
        "Negative-sampling schemes equal or outperform adversarial ones.",
        "drawn in Figure 4, no number",
        "The better of AKH and SAC against IPGuard and ModelDiff, 10 to 400 queries; supported if nowhere 2 points behind.",
        "budget?bench=published-sdog120",
        grading.equal_or_better,
    ),
    _Asked(
        "rise",
        "A focus on the query budget, Figure 4",
        "most fingerprints exhibit notable improvements at each query budget increment",
        "Up to 100 queries on SACBench and 50 on ModelReuse most schemes improve with every increment.",
        "0 to 100, 0 to 50 queries",
        "Gain from budget to budget; supported if most schemes of every data set always gain more than 2 points.",
        "budget?bench=published-cifar10",
        grading.rise,
    ),
    _Asked(
        "plateau",
        "A focus on the query budget, Figure 4",
        "After 100 (or 50) queries, most fingerprints show a plateau",
        "After 100 queries on SACBench and 50 on ModelReuse most schemes show a plateau.",
        "100, 50 queries",
        "Gain per doubling to the last budget; supported if below 2 points for most schemes of every data set.",
        "budget?bench=published-flower102",
        grading.plateau,
    ),
    _Asked(
        "optimal",
        "A focus on the query budget, Figure 4",
        "there exists an optimal query budget, dependent on the benchmark but not on the fingerprinting scheme",
        "There is an optimal budget, dependent on the benchmark but not on the scheme.",
        "50-100 queries",
        "Budget within 2 points of a scheme's best; supported if schemes of one data set agree within a factor of two.",
        "budget?bench=published-sdog120",
        grading.optimal,
    ),
    _Asked(
        "variance",
        "A focus on the query budget, Figure 4",
        "schemes based on negative sampling appear to suffer a lower variance than adversarial-based "
        "fingerprints, especially on SACBench",
        "Negative-sampling schemes vary less, especially on SACBench.",
        "drawn in Figure 4, no number",
        "s.d. over query seeds from 50 queries on; supported if lower on SACBench and on two of three data sets.",
        "budget?bench=published-cifar10",
        grading.variance,
    ),
    _Asked(
        "suffers",
        "A focus on the query budget, Figure 4",
        "the performance of some fingerprints (e.g. ModelDiff and SAC) suffers when the query budget increases "
        "from 100 to 400 queries",
        "ModelDiff and SAC suffer from 100 to 400 queries, and only pairwise and listwise schemes do.",
        "drawn in Figure 4, no number",
        "Change of TPR@5%; supported if one loses 2 points and such combinations lose more often than others.",
        "budget?bench=published-sdog120",
        grading.suffers,
    ),
    _Asked(
        "gap",
        "A focus on the query budget, Figure 4",
        "the gap between the positive pair distance and the negative pair distance decreases with budget",
        "The gap between stolen and unrelated distances shrinks as the budget grows.",
        "no number",
        "Mean distances at 100 and 400 queries; supported if most gaps shrink.",
        "budget?bench=published-cifar10&panel=distance",
        grading.gap,
    ),
    _Asked(
        "table3",
        "The majority of benchmarked tasks are solved, Table 3",
        "AKH is on par or surpasses all the previously introduced schemes",
        "The baseline is on par with or surpasses all earlier schemes, task by task.",
        "Table 3",
        "Means over the data sets that both have, 100 queries; supported if nowhere more than 10 points behind.",
        "leaderboard?bench=published-cifar10&view=table",
        grading.table3,
    ),
    _Asked(
        "sac-best",
        "The majority of benchmarked tasks are solved, caption of Table 3",
        "For each task, the best performance are highlighted",
        "The numbers in bold, on extraction those of SAC, are the best of their task.",
        ".81 and .59, in bold",
        "The highest number of a column, as printed; supported if it is SAC's on probit and on label extraction.",
        "leaderboard?bench=published-sdog120&view=table",
        grading.sac_best,
    ),
    _Asked(
        "solved",
        "The majority of benchmarked tasks are solved, Table 3",
        "are completely solved by existing fingerprints, as well as by AKH",
        "Existing schemes and the baseline completely solve exact copies, quantization, fine-tuning and transfer.",
        "1.0",
        "Cells of Table 3; supported if AKH and most published schemes reach 95 % on each of the four tasks.",
        "leaderboard?bench=published-cifar10&view=table",
        grading.solved,
    ),
    _Asked(
        "unsolved",
        "The majority of benchmarked tasks are solved, Table 3",
        "The remaining unsolved tasks consist of model stealing by model extraction, using no obfuscation attempts",
        "What remains unsolved is extraction without obfuscation.",
        "Table 3",
        "Best scheme by task; supported if pruning is solved at 95 %.",
        "leaderboard?bench=published-flower102&view=table",
        grading.unsolved,
    ),
    _Asked(
        "adversarial-easy",
        "The majority of benchmarked tasks are solved, Table 3",
        "adversarial label extraction is easily detected by fingerprints … based on negative sampling but not by "
        "adversarial, random, or subsampling-based fingerprints",
        "Adversarial label extraction is easy for negative sampling and hard for the rest.",
        ".92 and 1.0 against at most .29",
        "SACBench at 100 queries; supported if AKH and SAC both lead by 10 points.",
        "leaderboard?bench=published-cifar10&task=adv_label_extraction",
        grading.adversarial_easy,
    ),
    _Asked(
        "harder",
        "The majority of benchmarked tasks are solved, Table 3",
        "Model extraction detection is, thus, a hard subtask of model stealing detection",
        "Extraction is harder to detect than a leak.",
        "Table 3",
        "Means over schemes and tasks; supported by 10 points.",
        "separability?bench=published-flower102&rows=tasks",
        grading.harder,
    ),
    _Asked(
        "two-exceptions",
        "Why does SACBench look so easy?",
        "ModelReuse and SACBench employ the same set of model stealing and obfuscation methods with two exceptions",
        "ModelReuse and SACBench use the same methods with two exceptions.",
        "2",
        "Tasks in the scores; supported if two differ.",
        "paper?view=table2",
        grading.two_exceptions,
    ),
    _Asked(
        "explains",
        "Why does SACBench look so easy?",
        "This explains the inferior performance of fingerprints based on adversarial sampling (ModelDiff and "
        "IPGuard) on SACBench",
        "The two exceptions explain why adversarial sampling does worse on SACBench.",
        "no number",
        "Means over the tasks that both have; supported if neither scheme is more than 5 points lower on SACBench.",
        "leaderboard?bench=published-cifar10&view=table",
        grading.explains,
    ),
    _Asked(
        "spread",
        "Why does SACBench look so easy?, Figure 3",
        "the variability of the distance between h and h' is much higher for ModelReuse than for SACBench",
        "delta_C varies much more on ModelReuse than on SACBench.",
        "drawn in Figure 3, no number",
        "s.d. of stolen pairs, and of unrelated pairs that serve the same tasks; supported if both are 1.5 times as large.",
        "separability?bench=published-cifar10&rows=benchmarks",
        grading.spread,
    ),
    _Asked(
        "comparable",
        "Why does SACBench look so easy?, Figure 1",
        "except SAC, all fingerprints have a comparable TPR@5% on SACBench and ModelReuse",
        "Except SAC, all schemes do comparably on both benchmarks.",
        "drawn in Figure 1, no number",
        "TPR@5% at 200 queries; supported if all are within 10 points.",
        _HOME.format("cifar10", 200),
        grading.comparable,
    ),
    _Asked(
        "separation",
        "Why does SACBench look so easy?, Figure 3",
        "both datasets of ModelReuse show a large overlap in the distributions of distances of positive and negative pairs",
        "Stolen and unrelated pairs are better separated on SACBench.",
        "drawn in Figure 3, no number",
        "delta_C by definition; supported if the AUC of SACBench is above both of ModelReuse.",
        "separability?bench=published-cifar10&rows=benchmarks",
        grading.separation,
    ),
    _Asked(
        "suited",
        "Why does SACBench look so easy?",
        "the generated positive and negative pairs of SACBench are especially well suited to the SAC fingerprint",
        "The pairs of SACBench are especially suited to SAC.",
        "no number",
        "TPR@5% at 100 queries; supported if SAC is 10 points better there than on SDog120.",
        _HOME.format("cifar10", 100),
        grading.suited,
    ),
    _Asked(
        "not-discriminative",
        "Conclusion",
        "the benchmarks studied are either not discriminative or solved by our simple AKH baseline",
        "The benchmarks are either not discriminative or solved by the baseline.",
        "no number",
        "All tasks pooled at 100 queries; supported unless a data set's schemes differ by 10 points and AKH is below 95 %.",
        "leaderboard?bench=published-flower102&view=table",
        grading.conclusion,
    ),
    _Asked(
        "almost-any",
        "Conclusion",
        "most tasks are solved with almost any fingerprint",
        "Most tasks are solved with almost any scheme.",
        "no number",
        "Tasks of Table 3 on which all schemes but one reach 95 %; supported if more than half.",
        "leaderboard?bench=published-cifar10&view=table",
        grading.almost_any,
    ),
    _Asked(
        "too-easy",
        "Conclusion",
        "the created victim/stolen model pairs are too easy to distinguish from victim/benign model pairs",
        "The pairs are too easy to distinguish.",
        "no number",
        "AKH at 200 queries; supported if at 95 % or more everywhere.",
        "separability?bench=published-flower102&rows=benchmarks",
        grading.too_easy,
    ),
    _Asked(
        "brittle",
        "Conclusion",
        "schemes based on adversarial sampling are brittle compared to schemes using natural images",
        "Schemes on adversarial sampling are brittle compared with natural images.",
        "no number",
        "Worst task of Table 3; supported if IPGuard and ModelDiff are both below AKH and SAC.",
        "leaderboard?bench=published-cifar10&view=table",
        grading.brittle,
    ),
)
