"""What the paper claims of the baseline, of samplers and of combinations: rows of the table of claims, in its order."""

from functools import partial

from qurd_core.paper import embedded, grading, shapes
from qurd_core.paper.facts import FIGURE_1, SACBENCH, TABLE_3
from qurd_core.paper.row import HOME, Row
from qurd_core.paper.shapes import ADVERSARIAL, NEGATIVE
from qurd_core.paper.tables import BUDGETS

_CRAFTS, _LOW = {"pgd": "uniform({split})->pgd", "boundary": "uniform({split})->boundary"}, (10, 20, 50)
_NEGATIVE = {"negative": "negative({split})"}


ROWS = (
    Row(
        "baseline",
        "Abstract",
        "a simple baseline that we introduce performs on par with existing state-of-the-art fingerprints",
        "A simple baseline is on par with the published schemes.",
        "Best published scheme per data set, tasks pooled, 200 queries; supported if AKH is nowhere 10 points behind.",
        HOME.format("sdog120", 200),
        shapes.par,
        "AKH minus the best published scheme at {figure_1} queries: {gaps:per}",
        "{why}",
        printed="drawn in Figure 1, no number",
        embedded=embedded.rates("AKH", at=FIGURE_1, best=True),
    ),
    Row(
        "hundred",
        "Abstract",
        "we are able to identify ~ 100 previously unexplored QuRD combinations",
        "The decomposition opens about a hundred unexplored combinations.",
        "Published combinations without a name; supported from 80 on.",
        "compose?bench=published-sdog120",
        grading.hundred,
        "published combinations without a name: {unnamed:per}",
        "{most} has {highest} unnamed combinations, the most of a data set{fewer}.",
        printed="~ 100",
        embedded="recorded combinations without a name: {embedded:places}",
    ),
    Row(
        "at-best-as-good",
        "Introduction, Figure 1",
        "most of the fingerprinting schemes proposed in the literature is at best as good as the simple baseline",
        "Most published schemes are at best as good as the baseline.",
        "Schemes more than half a point above AKH at 200 queries; supported if less than half of all results.",
        HOME.format("cifar10", 200),
        grading.at_best_as_good,
        "published schemes above AKH at {figure_1} queries: {counts:per of}",
        "{level} of {total} results of published schemes (one per scheme and data set) do not exceed AKH{others}.",
        printed="drawn in Figure 1, no number",
        embedded=embedded.rates("AKH", at=FIGURE_1, best=True),
    ),
    Row(
        "copies",
        "Filling the Gaps with the AKH Baseline, Proposition 1",
        "Proposition 1 establishes that AKH is a one-sided error test",
        "The baseline flags every exact copy.",
        "Task `same` at 100 queries; supported if AKH catches every copy.",
        "leaderboard?bench=published-cifar10&view=table",
        partial(shapes.reached, task="same", budget=TABLE_3, limit=1),
        "exact copies that AKH catches at {table_3} queries: {rates:per percent}",
        "It is proved that a copy agrees on every query, and AKH catches every copy in the scores.",
        "It is proved that a copy agrees on every query, but on {short:listed} AKH catches less than all copies: an "
        "unrelated model agrees on every query, too.",
        printed="probability 1",
        embedded=embedded.rates("AKH", at=TABLE_3, task="same"),
    ),
    Row(
        "bound",
        "Filling the Gaps with the AKH Baseline, Proposition 1",
        "defined by AKH enjoys the following guarantees",
        "It clears an unrelated model with a chance of at least (delta - (1 - alpha')) / (1 - alpha).",
        "Unrelated pairs on the test images; supported if none is below the bound.",
        "separability?bench=published-sdog120&show=bound",
        partial(
            shapes.pairs,
            kind="negative",
            where=lambda pair: pair.delta_c < pair.bound - 1e-9,
            also=lambda pair: pair.bound <= 0,
        ),
        "unrelated pairs with delta_C below the bound: {counts:per of}; with a vacuous bound (at most 0): {share:percent}",
        "No pair contradicts the inequality, which promises nothing for {share:percent} of the unrelated pairs: its slack "
        "is the chance that the suspect errs where the victim does.",
        "{true:counted unrelated pair} of {known} with delta_C below the bound: the proof excludes that.",
        printed="inequality (2)",
        embedded="unrelated pairs with delta_C below the bound: {embedded:per of}",
    ),
    Row(
        "majority",
        "Filling the Gaps with the AKH Baseline",
        "decreases the False Negative Rate exponentially",
        "A majority vote over several queries lowers the false negative rate exponentially.",
        "A majority of many queries flags whoever has a delta_C below one half; supported if all stolen pairs do.",
        "separability?bench=published-flower102",
        partial(shapes.pairs, kind="positive", where=lambda pair: pair.delta_c > 0.5),
        "stolen pairs with delta_C above one half: {counts:per of}",
        "For all {known} stolen pairs delta_C is at most one half: more queries lower the false negative rate.",
        "For {true} of {known} stolen pairs delta_C exceeds one half: more queries raise their false negative rate. An "
        "exact copy is never missed, with one query or with many.",
        embedded="stolen pairs with delta_C above one half: {embedded:per of}",
    ),
    Row(
        "true-negatives",
        "Filling the Gaps with the AKH Baseline",
        "This gives us an idea on when AKH can outperform schemes based on random sampling",
        "One negative query can clear an unrelated model more likely than one random query.",
        "Unrelated pairs; supported if delta_C exceeds delta for all.",
        "separability?bench=published-cifar10&of=delta",
        partial(shapes.pairs, kind="negative", where=lambda pair: pair.delta_c > pair.delta, every=True),
        "unrelated pairs with delta_C above delta: {counts:per of}",
        "A negative query clears {true} of {known} unrelated models with a higher chance than a random query; of stolen "
        "models this says nothing.",
        embedded="unrelated pairs with delta_C above delta: {embedded:per of}",
    ),
    Row(
        "par-sdog-sac",
        "Filling the Gaps with the AKH Baseline, Figure 1",
        "On ModelReuse (SDog120 dataset) and on SACBench, AKH performs on par with the best existing fingerprints",
        "On SDog120 and SACBench the baseline is on par with the best schemes.",
        "Victim by victim against the best one at 200 queries; supported if less than 10 points behind in the mean.",
        HOME.format("sdog120", 200),
        partial(shapes.par, datasets=("SDog120", SACBENCH)),
        "AKH minus the best published scheme at {figure_1} queries: {gaps:per}",
        "{why}",
        printed="drawn in Figure 1, no number",
        embedded=embedded.rates("AKH", at=FIGURE_1, best=True),
    ),
    Row(
        "better-flower",
        "Filling the Gaps with the AKH Baseline, Figure 1",
        "On ModelReuse (Flower102 dataset), AKH even performs better than the best existing fingerprints",
        "On Flower102 the baseline does better than the best schemes.",
        "Victim by victim against the best one at 200 queries; supported if more than two standard errors above it.",
        HOME.format("flower102", 200),
        partial(shapes.better, dataset="Flower102"),
        "AKH minus the best published scheme at {figure_1} queries: {gaps:per}",
        "AKH {gap:stands {best}}, more than two standard errors ({error:size}) over {victims}.",
        "AKH {gap:stands {best}}, no more than two standard errors ({error:size}) over {victims}: no difference is "
        "established.",
        printed="drawn in Figure 1, no number",
        embedded=embedded.rates("AKH", at=FIGURE_1, best=True),
    ),
    Row(
        "adversarial-low-budget",
        "Query Sampling",
        "adversarial sampling leads to a better detection rate for a lower query budget",
        "Adversarial sampling detects better than uniform sampling at small budgets.",
        "pgd or boundary for uniform seeds, same head, split and data set, 10 to 50 queries; supported if most gain.",
        "budget?bench=published-flower102",
        partial(shapes.swapped, crafts=_CRAFTS, budgets=_LOW),
        "in the place of uniform images at 10 to 50 queries: {means:per points}",
        "With the same representation and detector, pgd and boundary images catch more in {gains:percent} of {count} "
        "comparisons; the mean change at one budget is {least:points} to {most:points}.",
        embedded="at 10 to 50 queries: {embedded:places per points}",
    ),
    Row(
        "negative-better",
        "Query Sampling",
        "negative sampling (Guan, Liang, and He 2022) enjoys better detection rates for a given query budget",
        "Negative sampling detects better at the same budget.",
        "negative for uniform seeds, same head, split and data set, 10 to 400 queries; supported if most gain.",
        "leaderboard?bench=published-cifar10&view=swap",
        partial(shapes.swapped, crafts=_NEGATIVE, budgets=BUDGETS),
        "in the place of uniform images at 10 to 400 queries: {means:per points}",
        "With the same representation and detector, negative images catch more in {gains:percent} of {count} comparisons; "
        "the mean change at one budget is {least:points} to {most:points}.",
        embedded="at 10 to 400 queries: {embedded:places per points}",
    ),
    Row(
        "no-gradients",
        "Query Sampling",
        "it does not need to compute gradients of h, it just needs query access to h",
        "Negative sampling needs no gradient, which makes query sets much cheaper.",
        "Needs the costs of query sets.",
        "budget?bench=patchwork-sac&x=gradients",
        lambda facts: shapes.graded(None),
        "the published scores do not say what a query set costs",
        "No costs were published; by construction, to find a negative image takes an answer of the victim and no gradient.",
        embedded=embedded.costs(
            *NEGATIVE, *ADVERSARIAL, cost="gradients", start=f"gradients of the victim for {TABLE_3} queries: "
        ),
    ),
    Row(
        "few-samples",
        "Query Sampling",
        "subsampling allows to create a large query-set with few samples from the data distribution",
        "Subsampling makes many queries of few images.",
        "Needs the number of images that queries were made from.",
        "budget?bench=patchwork-sac&x=labelled",
        grading.few_samples,
        "the published scores do not say from how many images a query set was made",
        "No costs were published; by construction, {table_3} queries are made from {made:listed}.",
        embedded=embedded.costs(
            "AKH", cost="samples", start=f"labelled images that AKH looks through for {TABLE_3} queries: "
        ),
    ),
    Row(
        "five-percent",
        "Fingerprint evaluation",
        "computing the True Positive Rate at 5% of False Positives (TPR@5%)",
        "All values are true positive rates at 5 % false positives, on the unrelated models at hand.",
        "Share of the unrelated models at hand below the paper rule's threshold; supported if at most 5 %.",
        "leaderboard?bench=published-cifar10&rule=guaranteed",
        grading.five_percent,
        "unrelated models at hand that the paper rule flags, at most: {flagged:listed}; expected of models to come, "
        "(k+1)/(n+1), where all at hand are independent: {fresh:listed}{unknown}",
        "By the paper's definition, on the unrelated models at hand, false positives are at most {most:.1f} %. Of models "
        "to come the same threshold is expected to flag {other}: that is another definition, and the guaranteed rule's.",
        printed="TPR@5%",
        embedded="unrelated models of a victim's task: {embedded:places listed}",
    ),
    Row(
        "five-seeds",
        "Fingerprint evaluation",
        "All TPR@5% values are averaged over 5 runs with independent random seeds",
        "Values are averaged over five runs.",
        "Query seeds of every published value; supported if there are always five.",
        "budget?bench=published-cifar10",
        grading.five_seeds,
        "query seeds behind a value: {seeds:listed}",
        "Values are means over {means} query seeds. The text does not say what ± is; it is .95 s.d. / sqrt({runs}) over "
        "query seeds, {narrow:.1f} times narrower than a 95 % interval over seeds, and says nothing of victims other than "
        "these {victims}.",
        printed="5 runs",
        embedded="query seeds behind a value: {embedded:places listed}",
    ),
    Row(
        "ten-points",
        "The next 100 fingerprints, Figure 2",
        "it is possible to increase the TPR@5% of IPGuard by 10 points (+14%) simply by choosing negative seed samples",
        "Negative seeds before the adversarial search lift IPGuard by ten points.",
        "Needs scores of negative seeds before the boundary search; shown is the nearest that was published.",
        "leaderboard?bench=published-flower102&view=swap&scheme=IPGuard",
        grading.ten_points,
        "nearest that was published, on Flower102 at {table_3} queries: IPGuard {own:percent}, negative(test)->pgd | "
        "labels | hamming {other:percent}: {gain:points}, {share:+.0f} %",
        "No scores of negative seeds before IPGuard's own boundary search were published; the nearest combination has "
        "another split, seed rule and craft.",
        printed="10 points (+14 %)",
        embedded="IPGuard on test seeds, negative instead of uniform ones, at {table_3} queries: {embedded:places points}",
    ),
    Row(
        "many-worse",
        "The next 100 fingerprints, Figure 1",
        "many QuRD combinations exhibit lower TPR@5% than existing fingerprints",
        "Many new combinations do worse than existing schemes.",
        "Share below the median published scheme; supported if above one fifth on every data set.",
        HOME.format("flower102", 200),
        grading.many_worse,
        "unnamed combinations below the median published scheme at {figure_1} queries: {shares:per percent}",
        "Of the unnamed combinations of a data set {least:percent} to {most:percent} catch less than its median published "
        "scheme.",
        printed="drawn in Figure 1, no number",
        embedded="unnamed combinations below the median published scheme at {figure_1} queries: {embedded:places percent}",
    ),
)
