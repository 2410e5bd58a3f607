"""How every claim of the paper is graded: a function from the facts to our number, a verdict and one sentence why."""

import math
from collections.abc import Callable
from typing import Literal, NamedTuple

import numpy as np
import pandas as pd

from qurd_core.akh import official
from qurd_core.evaluation import records
from qurd_core.evaluation.paper import names, summary
from qurd_core.evaluation.paper.facts import DATASETS, REUSE, SACBENCH, Facts
from qurd_core.evaluation.paper.tables import BUDGETS

Verdict = Literal["survives", "falls", "not testable here"]

MARGIN = 0.10  # a difference of TPR@5% that counts, here as in equivalence tests
SOLVED = 0.95
PUBLISHED = tuple(name for name in summary.NAMED if name not in ("AKH", "Random"))


class Graded(NamedTuple):
    """What a grading finds."""

    recomputed: str
    verdict: Verdict
    why: str
    patchwork: str


def _percent(value: float) -> str:
    return "–" if math.isnan(value) else f"{100 * value:.0f} %"


def _points(value: float) -> str:
    return f"{100 * value:+.1f} points".replace("-", "\N{MINUS SIGN}")


def _per_set(values: dict[str, str]) -> str:
    return ", ".join(f"{name} {value}" for name, value in values.items())


def _embedded(said: Callable[[str], str], start: str = "") -> str:
    """The same of both embedded benchmarks."""
    return start + "; ".join(f"{name} {said(name)}" for name in records.EMBEDDED)


def _enough(rate: Callable[[str, int], float]) -> tuple[int, int]:
    """The least and the largest budget from which on a named scheme is within two points of its best."""
    enough = []
    for name in summary.NAMED:
        curve = {budget: value for budget in BUDGETS if not math.isnan(value := rate(name, budget))}
        if 10 in curve:
            enough.append(min(budget for budget, value in curve.items() if value >= max(curve.values()) - 0.02))
    return min(enough), max(enough)


def _tasks(which: int) -> set[str]:
    """The tasks of one embedded benchmark."""
    return set(records.tasks(records.EMBEDDED[which])) - {"all"}


def _gap_change(facts: Facts, benchmark: str, scheme: str) -> str:
    gaps = [
        facts.patchwork(benchmark, scheme, budget=budget, rule="mean_unrelated")
        - facts.patchwork(benchmark, scheme, budget=budget, rule="mean_stolen")
        for budget in (100, 400)
    ]
    return " → ".join(f"{gap:.3f}" for gap in gaps)


def _verdict(holds: bool) -> Verdict:
    return "survives" if holds else "falls"


def _both(facts: Facts, scheme: str, task: str = "all", budget: int = 100) -> str:
    """A rate on both embedded benchmarks."""
    shown = {name: facts.patchwork(name, scheme, task, budget) for name in ("patchwork-sac", "patchwork-reuse")}
    return _per_set({name: _percent(value) for name, value in shown.items()})


def baseline(facts: Facts) -> Graded:
    gaps = {}
    for dataset in DATASETS:
        named = facts.named(dataset, budget=200)
        gaps[dataset] = named["AKH"] - named[list(set(named.index) & set(PUBLISHED))].max()
    worst = min(gaps.values())
    return Graded(
        f"AKH minus the best published scheme at 200 queries: {_per_set({k: _points(v) for k, v in gaps.items()})}",
        _verdict(worst > -MARGIN),
        "It is nowhere more than 10 points behind the best one: non-inferior, which is less than equal.",
        f"AKH {_both(facts, 'AKH')}; the best published scheme "
        + _per_set(
            {n: _percent(max(facts.patchwork(n, s) for s in PUBLISHED)) for n in ("patchwork-sac", "patchwork-reuse")}
        ),
    )


def hundred(facts: Facts) -> Graded:
    counts = facts.rates.groupby("dataset")["scheme"].nunique()
    free = {dataset: int(counts[dataset]) - facts.named(dataset).size for dataset in DATASETS}
    return Graded(
        f"combinations without a name: {_per_set({k: str(v) for k, v in free.items()})}",
        _verdict(max(free.values()) >= 80),
        "About ninety per data set; fewer on Flower102, where no train negatives were run.",
        _per_set({n: f"{facts.unnamed(n)} more are recorded" for n in ("patchwork-sac", "patchwork-reuse")}),
    )


def at_best_as_good(facts: Facts) -> Graded:
    over = {}
    for dataset in DATASETS:
        named = facts.named(dataset, budget=200)
        others = named[[name for name in named.index if name in PUBLISHED]]
        over[dataset] = f"{int((others > named['AKH'] + 0.005).sum())} of {len(others)}"
    return Graded(
        f"published schemes above AKH at 200 queries: {_per_set(over)}",
        _verdict(over["Flower102"].startswith("0") and over[SACBENCH].startswith("0")),
        "None on two data sets; on SDog120 two lie 2 to 3 points above it, within what other models would change.",
        f"AKH {_both(facts, 'AKH')}; no published scheme is above it",
    )


def copies(facts: Facts) -> Graded:
    same = [facts.tpr(dataset, "AKH", "same") for dataset in DATASETS]
    return Graded(
        f"exact copies caught by AKH: {_percent(min(same))} on every data set",
        _verdict(min(same) == 1),
        "It is proved, and a copy agrees on every query.",
        f"{_both(facts, 'AKH', 'same')}",
    )


def bound(facts: Facts) -> Graded:
    table = facts.pairs
    broken = int((table["delta_c"] < table["bound"] - 1e-9).sum())
    silent = (table.loc[table["kind"] == "negative", "bound"] <= 0).mean()
    return Graded(
        f"{broken} of {len(table)} pairs below the bound; it is 0 or less for {_percent(silent)} of the unrelated pairs",
        _verdict(broken == 0),
        "True, but its slack is exactly P(suspect wrong | victim wrong), so it often promises nothing.",
        _per_set(
            {
                name: f"{int((pairs['delta_c'] < pairs['bound'] - 1e-9).sum())} of {len(pairs)} below"
                for name in ("patchwork-sac", "patchwork-reuse")
                for pairs in [facts.patchwork_pairs(name)]
            }
        ),
    )


def majority(facts: Facts) -> Graded:
    stolen = facts.pairs[facts.pairs["kind"] == "positive"]
    far = stolen.groupby("dataset")["delta_c"].agg(lambda values: f"{int((values > 0.5).sum())} of {len(values)}")
    return Graded(
        f"stolen pairs with delta_C above one half, which a majority of many queries misses: {_per_set(far.to_dict())}",
        "falls",
        "A copy is never missed, so what falls is the rate of false positives, and only where delta_C exceeds one half.",
        _per_set(
            {
                name: f"{int((own['delta_c'] > 0.5).sum())} of {len(own)}"
                for name in ("patchwork-sac", "patchwork-reuse")
                for own in [facts.patchwork_pairs(name).query("kind == 'positive'")]
            }
        ),
    )


def true_negatives(facts: Facts) -> Graded:
    unrelated = facts.pairs[facts.pairs["kind"] == "negative"]
    higher = int((unrelated["delta_c"] > unrelated["delta"]).sum())
    return Graded(
        f"delta_C exceeds delta for {higher} of {len(unrelated)} unrelated pairs",
        _verdict(higher == len(unrelated)),
        "One negative query clears an innocent model likelier than a random one; of thieves this says nothing.",
        _per_set(
            {
                name: f"{int((own['delta_c'] > own['delta']).sum())} of {len(own)}"
                for name in ("patchwork-sac", "patchwork-reuse")
                for own in [_unrelated(facts, name)]
            }
        ),
    )


def par_on(facts: Facts, datasets: tuple[str, ...], better: bool) -> Graded:
    said, holds = {}, True
    for dataset in datasets:
        named = facts.named(dataset, budget=200)
        best = named[[name for name in named.index if name in PUBLISHED]].idxmax()
        gap, error = facts.difference(dataset, "AKH", best, 200)
        said[dataset] = f"{_points(gap)} against {best}" + (
            "" if math.isnan(error) else f" ± {100 * error:.1f} over victims"
        )
        holds &= gap > 2 * error if better else gap > -MARGIN
    if better:
        why = "It lies above, but not by two standard errors over eight victims, so the difference is not established."
        why = "It lies above by more than two standard errors over the eight victims." if holds else why
    else:
        why = "Within ten points of the best. SACBench has a single victim, so nothing can be said of another one."
    return Graded(f"AKH at 200 queries: {_per_set(said)}", _verdict(holds), why, f"AKH {_both(facts, 'AKH', budget=200)}")


def low_budget(facts: Facts) -> Graded:
    low, high = facts.swap("Random", "Adversarial", (10, 20, 50)), facts.swap("Random", "Adversarial", (200, 400))
    gains = _embedded_swap(facts, "uniform({split})", "uniform({split})->pgd", 20)
    return Graded(
        f"pgd for random images: {_points(low.mean)} at 10 to 50 queries ({_percent(low.better)} of {low.count} "
        f"comparisons), "
        f"{_points(high.mean)} at 200 and 400",
        _verdict(low.mean > 0 and low.better > 0.5),
        "With the same representation and detector, adversarial queries catch more at small budgets.",
        gains,
    )


def negative(facts: Facts) -> Graded:
    found = facts.swap("Random", "Negative", (10, 20, 50, 100, 200))
    return Graded(
        f"negative for random images: {_points(found.mean)}, better in {_percent(found.better)} of {found.count} "
        f"comparisons",
        _verdict(found.mean > 0 and found.better > 0.5),
        "The gain is the same at every budget and needs no gradient.",
        _embedded_swap(facts, "uniform({split})", "negative({split})", 100),
    )


def _embedded_swap(facts: Facts, before: str, after: str, budget: int) -> str:
    said = {}
    for name in ("patchwork-sac", "patchwork-reuse"):
        gains = []
        for split in ("train", "test"):
            for head in names.HEADS.values():
                one, two = (
                    facts.patchwork(name, f"{sampler.format(split=split)} | {head}", budget=budget)
                    for sampler in (before, after)
                )
                gains.append(two - one)
        known = np.array(gains)[~np.isnan(gains)]
        said[name] = f"{_points(known.mean())} at {budget} queries" if len(known) else "–"
    return _per_set(said)


def no_gradients(facts: Facts) -> Graded:
    return Graded(
        "the published scores do not say what a query set costs",
        "not testable here",
        "Costs were not published; by construction a negative image needs an answer of the victim and no gradient.",
        "gradients of the victim for 100 queries on patchwork-sac: "
        + _costs(facts, "gradients", ("AKH", "ModelDiff", "IPGuard")),
    )


def _costs(facts: Facts, cost: str, schemes: tuple[str, ...]) -> str:
    return _per_set(
        {name: f"{facts.patchwork('patchwork-sac', name, rule=cost):,.0f}".replace(",", " ") for name in schemes}
    )


def few_samples(facts: Facts) -> Graded:
    return Graded(
        "the published scores do not say how many images were looked at",
        "not testable here",
        "Costs were not published; by construction one image gives as many queries as it has masks.",
        "labelled images looked at for 100 queries on patchwork-sac: "
        + _costs(facts, "samples", ("ZestOfLIME", "AKH", "SAC")),
    )


def ten_points(facts: Facts) -> Graded:
    own, other = (
        facts.tpr("Flower102", names.scheme_of(split, sampler, "Labels", "hamming"))
        for split, sampler in (("train", "Boundary"), ("test", "NegativeAdversarial"))
    )
    literal = {
        name: _points(
            facts.patchwork(name, "negative(test)->boundary | labels | hamming")
            - facts.patchwork(name, "uniform(test)->boundary | labels | hamming")
        )
        for name in ("patchwork-sac", "patchwork-reuse")
    }
    return Graded(
        f"IPGuard {_percent(own)}, with negative(test)->pgd {_percent(other)} on Flower102: {_points(other - own)}, "
        f"{100 * (other / own - 1):+.0f} %",
        "not testable here",
        "No scores of negative seeds before IPGuard's own boundary search were published: split, seeds and craft all "
        "changed.",
        f"negative instead of uniform seeds before boundary, all else equal: {_per_set(literal)}",
    )


def many_worse(facts: Facts) -> Graded:
    shares = {}
    for dataset in DATASETS:
        rows = facts.rates[
            (facts.rates["dataset"] == dataset) & (facts.rates["task"] == "all") & (facts.rates["budget"] == 200)
        ]
        middle = facts.named(dataset, budget=200)[lambda named: named.index.isin(PUBLISHED)].median()
        shares[dataset] = (rows.loc[rows["name"].isna(), "tpr"] < middle).mean()
    return Graded(
        f"unnamed combinations below the median published scheme at 200 queries: "
        f"{_per_set({k: _percent(v) for k, v in shares.items()})}",
        _verdict(min(shares.values()) > 0.2),
        "Many are lower, as said; which ones differs between the data sets.",
        _embedded(lambda name: _percent(facts.share_below(name, 200)), "below the median published scheme: "),
    )


def needs(facts: Facts) -> Graded:
    return Graded(
        "the scores go up to 400 queries",
        "not testable here",
        "The numbers are those of the cited papers; 1 000 and more queries were not published.",
        "recorded up to 400 queries; Compose runs up to 1 000",
    )


def equal_or_better(facts: Facts) -> Graded:
    worse, total = [], 0
    for dataset in DATASETS:
        for budget in (10, 20, 50, 100, 200):
            named = facts.named(dataset, budget=budget)
            best = max(named.get("AKH", -1), named.get("SAC", -1))
            rivals = named[named.index.isin(["IPGuard", "ModelDiff"])]
            total += 1
            if rivals.max() > best + 0.02:
                worse.append(f"{dataset} at {budget}")
    return Graded(
        f"the better of AKH and SAC is more than 2 points below IPGuard or ModelDiff in {len(worse)} of {total} places"
        + (f": {', '.join(worse)}" if worse else ""),
        _verdict(not worse),
        "Not on ModelReuse: IPGuard or ModelDiff lead at small budgets on Flower102 and from 50 queries on SDog120.",
        f"AKH {_both(facts, 'AKH')}; IPGuard {_both(facts, 'IPGuard')}; ModelDiff {_both(facts, 'ModelDiff')}",
    )


def _curve(facts: Facts, dataset: str, name: str) -> dict[int, float]:
    found = {budget: facts.tpr(dataset, name, budget=budget) for budget in (10, 20, 50, 100, 200, 400)}
    return {budget: value for budget, value in found.items() if not math.isnan(value)}


def _steps(facts: Facts, first: bool) -> dict[str, float]:
    """Median gain per doubling of the budget over the named schemes, before or after the knee that the paper names."""
    found = {}
    for dataset in DATASETS:
        knee = 100 if dataset == SACBENCH else 50
        gains = []
        for name in summary.NAMED:
            curve = _curve(facts, dataset, name)
            ends = [b for b in curve if (b <= knee if first else b >= knee)]
            if len(ends) > 1:
                gains.append((curve[ends[-1]] - curve[ends[0]]) / math.log2(ends[-1] / ends[0]))
        found[dataset] = float(np.median(gains))
    return found


def rise(facts: Facts) -> Graded:
    gains = _steps(facts, first=True)
    return Graded(
        f"median gain per doubling up to 100 (CIFAR10) and 50 queries: "
        f"{_per_set({k: _points(v) for k, v in gains.items()})}",
        _verdict(min(gains.values()) > 0.02),
        "Most schemes gain more than two points with every doubling; IPGuard hardly gains on SACBench.",
        _growth(facts, (10, 50, 100)),
    )


def plateau(facts: Facts) -> Graded:
    gains = _steps(facts, first=False)
    return Graded(
        f"median gain per doubling after that: {_per_set({k: _points(v) for k, v in gains.items()})}",
        _verdict(max(gains.values()) < 0.02),
        "The median scheme gains less than two points per doubling, though Random keeps rising.",
        _growth(facts, (100, 200, 400)),
    )


def _growth(facts: Facts, budgets: tuple[int, ...]) -> str:
    said = [
        f"{name} {' → '.join(_percent(facts.patchwork('patchwork-sac', name, budget=b)) for b in budgets)}"
        for name in ("AKH", "SAC")
    ]
    return f"patchwork-sac at {', '.join(map(str, budgets))} queries: {', '.join(said)}"


def optimal(facts: Facts) -> Graded:
    found = {
        dataset: _enough(lambda scheme, budget, dataset=dataset: facts.tpr(dataset, scheme, budget=budget))
        for dataset in DATASETS
    }
    ends = {dataset: f"{low} to {high}" for dataset, (low, high) in found.items()}
    return Graded(
        f"budget from which a scheme is within 2 points of its best: {_per_set(ends)}",
        _verdict(max(high / low for low, high in found.values()) <= 2),
        "It depends on the scheme as much as on the benchmark: some are done at 20 queries, others rise to 400.",
        _embedded(lambda name: "{} to {}".format(*_enough(lambda scheme, at: facts.patchwork(name, scheme, budget=at)))),
    )


def variance(facts: Facts) -> Graded:
    named = facts.rates[(facts.rates["task"] == "all") & facts.rates["name"].notna() & (facts.rates["budget"] >= 50)]
    sd = named.groupby(["dataset", "name"])["sd"].mean().unstack()
    said = {
        d: f"{100 * sd.loc[d, ['AKH', 'SAC']].mean():.1f} against {100 * sd.loc[d, ['IPGuard', 'ModelDiff']].mean():.1f}"
        for d in DATASETS
    }
    holds = [sd.loc[d, ["AKH", "SAC"]].mean() < sd.loc[d, ["IPGuard", "ModelDiff"]].mean() for d in DATASETS]
    return Graded(
        f"sd over query seeds from 50 queries on, in points, AKH and SAC against IPGuard and ModelDiff: {_per_set(said)}",
        _verdict(sum(holds) >= 2 and holds[DATASETS.index(SACBENCH)]),
        "On SACBench alone, because of ModelDiff; IPGuard varies least of all.",
        "sd over query seeds stands beside every value on the Budget page",
    )


def suffers(facts: Facts) -> Graded:
    change = {
        f"{name} on {d}": facts.tpr(d, name, budget=400) - facts.tpr(d, name, budget=100)
        for name in ("ModelDiff", "SAC")
        for d in DATASETS
    }
    known = {k: v for k, v in change.items() if not math.isnan(v)}
    rates = facts.rates[facts.rates["task"] == "all"].pivot_table(
        index=["dataset", "scheme"], columns="budget", values="tpr"
    )
    falls = (rates[400] - rates[100]).dropna()
    look = [scheme.split(" | ")[1] for _, scheme in falls.index]
    related = np.array([text.startswith(("pairwise", "hard_pairwise", "listwise", "hard_listwise")) for text in look])
    lower = (falls < -0.02).to_numpy()
    return Graded(
        f"change from 100 to 400 queries: {_per_set({k: _points(v) for k, v in known.items()})}; combinations that "
        f"lose more "
        f"than 2 points: {lower[related].sum()} of {related.sum()} pairwise or listwise, {lower[~related].sum()} of "
        f"{(~related).sum()} others",
        _verdict(min(known.values()) < -0.02 and lower[related].mean() > lower[~related].mean()),
        "Their losses are about a point, and pairwise and listwise combinations lose no oftener than the others.",
        _growth(facts, (100, 400)),
    )


def gap(facts: Facts) -> Graded:
    rows = facts.rates[(facts.rates["task"] == "all") & facts.rates["name"].isin(["ModelDiff", "SAC"])]
    rows = rows.assign(gap=rows["mean_unrelated"] - rows["mean_stolen"]).set_index(["name", "dataset", "budget"])["gap"]
    change = {}
    for name, dataset in dict.fromkeys((name, dataset) for name, dataset, _ in rows.index):
        if not math.isnan(rows.get((name, dataset, 400), math.nan)):
            change[f"{name} on {dataset}"] = f"{rows[name, dataset, 100]:.3f} → {rows[name, dataset, 400]:.3f}"
    shrinks = [float(text.split(" → ")[1]) < 0.95 * float(text.split(" → ")[0]) for text in change.values()]
    return Graded(
        f"unrelated minus stolen mean distance, 100 → 400 queries: {_per_set(change)}",
        _verdict(sum(shrinks) > len(shrinks) / 2),
        f"It shrinks by more than 5 % in {sum(shrinks)} of {len(shrinks)} cases.",
        _embedded(lambda name: ", ".join(f"{scheme} {_gap_change(facts, name, scheme)}" for scheme in ("ModelDiff", "SAC"))),
    )


def table3(facts: Facts) -> Graded:
    tasks = names.TASKS
    worst = {}
    for task in tasks:
        sets = [d for d in DATASETS if not math.isnan(facts.tpr(d, "AKH", task))]
        for name in PUBLISHED:
            shared = [d for d in sets if not math.isnan(facts.tpr(d, name, task))]
            if shared:
                worst[f"{name} on {task}"] = float(
                    np.mean([facts.tpr(d, "AKH", task) - facts.tpr(d, name, task) for d in shared])
                )
    behind = {k: v for k, v in worst.items() if v < -MARGIN}
    least = min(worst, key=worst.__getitem__)
    return Graded(
        f"on the data sets that both have, AKH is furthest behind {least}: {_points(worst[least])}; more than 10 "
        f"points behind "
        f"in {len(behind)} of {len(worst)} comparisons",
        _verdict(not behind),
        "Nowhere ten points behind on matched data sets: not worse, which is less than equal.",
        f"AKH {_both(facts, 'AKH')}",
    )


def sac_best(facts: Facts) -> Graded:
    said = {}
    for task in ("label_extraction", "probit_extraction"):
        shared = [d for d in DATASETS if not math.isnan(facts.tpr(d, "SAC", task))]
        sac, akh = (float(np.mean([facts.tpr(d, name, task) for d in shared])) for name in ("SAC", "AKH"))
        said[task] = f"SAC {_percent(sac)}, AKH {_percent(akh)}"
    return Graded(
        f"on the two data sets that SAC has: {_per_set(said)}",
        "falls",
        "SAC has no Flower102 scores, so its row averages two data sets and the others three; matched, AKH is level "
        "or above.",
        _per_set(
            {
                t: ", ".join(f"{name} {_percent(facts.patchwork('patchwork-sac', name, t))}" for name in ("SAC", "AKH"))
                for t in said
            }
        ),
    )


LEAKS = ("same", "quantize", "finetune", "transfer")
EXTRACTIONS = ("probit_extraction", "label_extraction", "adv_label_extraction")


def solved(facts: Facts) -> Graded:
    cells = {f"{name} on {task}": facts.cell(name, task) for name in (*PUBLISHED, "AKH") for task in LEAKS}
    short = {k: v for k, v in cells.items() if v < SOLVED}
    honest = facts.cell("AKH", "transfer", "tpr_conformal")
    return Graded(
        f"cells below 95 %: {_per_set({k: _percent(v) for k, v in short.items()}) or 'none'}",
        _verdict(len(short) <= 1),
        "The points hold but for ZestOfLIME on transfer; with 10 unrelated models transfer has no 5 % test"
        + (" at all." if math.isnan(honest) else "."),
        _per_set(
            {
                task: _percent(facts.patchwork("patchwork-sac", "AKH", task)) + " (AKH)"
                for task in ("same", "finetune", "transfer")
            }
        ),
    )


def unsolved(facts: Facts) -> Graded:
    best = {task: max(facts.cell(name, task) for name in (*PUBLISHED, "AKH")) for task in (*EXTRACTIONS, "prune")}
    return Graded(
        f"best scheme by task: {_per_set({k: _percent(v) for k, v in best.items()})}",
        _verdict(best["prune"] >= SOLVED),
        "Pruning is not solved either: no scheme reaches 95 % on it.",
        f"prune {_percent(max(facts.patchwork('patchwork-sac', n, 'prune') for n in (*PUBLISHED, 'AKH')))} at best on "
        f"patchwork-sac",
    )


def adversarial_easy(facts: Facts) -> Graded:
    found = {name: facts.tpr(SACBENCH, name, "adv_label_extraction") for name in ("AKH", "SAC", *PUBLISHED, "Random")}
    rest = max(found[name] for name in ("IPGuard", "ModelDiff", "ZestOfLIME", "Random"))
    return Graded(
        _per_set({k: _percent(v) for k, v in found.items()}),
        _verdict(min(found["AKH"], found["SAC"]) > rest + MARGIN),
        "For the one victim of SACBench; under the guaranteed rule AKH has "
        f"{_percent(facts.tpr(SACBENCH, 'AKH', 'adv_label_extraction', rule='tpr_conformal'))}.",
        _per_set(
            {
                n: _percent(facts.patchwork("patchwork-sac", n, "adv_label_extraction"))
                for n in ("AKH", "SAC", "IPGuard", "ModelDiff")
            }
        ),
    )


def harder(facts: Facts) -> Graded:
    leak = float(np.mean([facts.cell(n, t) for n in (*PUBLISHED, "AKH") for t in (*LEAKS, "prune")]))
    extraction = float(np.mean([facts.cell(n, t) for n in (*PUBLISHED, "AKH") for t in EXTRACTIONS]))
    reuse = max(
        facts.tpr(d, n, "label_extraction")
        for d in REUSE
        for n in (*PUBLISHED, "AKH")
        if not math.isnan(facts.tpr(d, n, "label_extraction"))
    )
    return Graded(
        f"mean over schemes and tasks: leak {_percent(leak)}, extraction {_percent(extraction)}; label extraction on "
        f"ModelReuse "
        f"at best {_percent(reuse)}",
        _verdict(extraction < leak - MARGIN),
        "By far, and with unlimited queries too: on ModelReuse delta_C itself overlaps.",
        "AKH on patchwork-sac: "
        + _per_set(
            {
                t: _percent(facts.patchwork("patchwork-sac", "AKH", t))
                for t in ("prune", "probit_extraction", "label_extraction")
            }
        ),
    )


def two_exceptions(facts: Facts) -> Graded:
    sets = {d: {t for t in names.TASKS if not math.isnan(facts.tpr(d, "AKH", t))} for d in DATASETS}
    differ = sorted(sets[SACBENCH] ^ sets["SDog120"])
    return Graded(
        f"tasks that only one of both has: {', '.join(differ)}",
        _verdict(len(differ) == 2),
        "Four tasks differ, as the paper's own Table 2 shows: finetuning and transfer are missing from ModelReuse.",
        f"tasks that only one of both has: {', '.join(sorted(_tasks(0) ^ _tasks(1)))}",
    )


def explains(facts: Facts) -> Graded:
    said = {}
    for name in ("IPGuard", "ModelDiff"):
        sac = [facts.tpr(SACBENCH, name, t) for t in ("probit_extraction", "label_extraction")]
        reuse = [facts.tpr(d, name, t) for d in REUSE for t in ("probit_extraction", "label_extraction")]
        said[name] = f"{_percent(float(np.mean(sac)))} on SACBench, {_percent(float(np.mean(reuse)))} on ModelReuse"
    pooled = {n: facts.tpr(SACBENCH, n) - np.mean([facts.tpr(d, n) for d in REUSE]) for n in ("IPGuard", "ModelDiff")}
    without = {n: _tasks_mean(facts, SACBENCH, n) - np.mean([_tasks_mean(facts, d, n) for d in REUSE]) for n in pooled}
    return Graded(
        f"SACBench minus ModelReuse: {_per_set({k: _points(v) for k, v in pooled.items()})} with all tasks pooled, "
        f"{_per_set({k: _points(v) for k, v in without.items()})} as means over the tasks that both have; extraction: "
        f"{_per_set(said)}",
        _verdict(all(gap > -0.05 for gap in without.values())),
        "Over the tasks that both have, the difference is gone: the mix of tasks explains it."
        if all(gap > -0.05 for gap in without.values())
        else "A difference stays on the tasks that both have.",
        f"IPGuard {_both(facts, 'IPGuard')}",
    )


def _tasks_mean(facts: Facts, dataset: str, name: str) -> float:
    return float(np.mean([facts.tpr(dataset, name, t) for t in ("same", "prune", "probit_extraction", "label_extraction")]))


def spread(facts: Facts) -> Graded:
    unrelated = facts.pairs[facts.pairs["kind"] == "negative"]
    honest = unrelated.groupby("dataset")["delta_c"].std()
    authors = (
        unrelated.assign(value=official(unrelated["delta_c"], unrelated["accuracy_victim"]))
        .groupby("dataset")["value"]
        .std()
    )
    ratio = honest[list(REUSE)].mean() / honest[SACBENCH]
    return Graded(
        f"sd of delta_C over unrelated pairs: {_per_set({d: f'{honest[d]:.2f}' for d in DATASETS})}; by the authors' "
        f"formula "
        f"{_per_set({d: f'{authors[d]:.2f}' for d in DATASETS})}",
        _verdict(ratio > 1.5),
        "The plotted number was divided by the victim's accuracy instead of its error rate; by definition nothing is left.",
        _per_set(
            {name: f"sd {_unrelated(facts, name)['delta_c'].std():.2f}" for name in ("patchwork-sac", "patchwork-reuse")}
        ),
    )


def _unrelated(facts: Facts, benchmark: str) -> pd.DataFrame:
    return facts.patchwork_pairs(benchmark).query("kind == 'negative'")


def comparable(facts: Facts) -> Graded:
    gaps = {
        n: facts.tpr(SACBENCH, n, budget=200) - float(np.nanmean([facts.tpr(d, n, budget=200) for d in REUSE]))
        for n in ("AKH", "IPGuard", "ModelDiff", "ZestOfLIME", "Random")
    }
    return Graded(
        f"SACBench minus ModelReuse at 200 queries: {_per_set({k: _points(v) for k, v in gaps.items()})}",
        _verdict(max(abs(gap) for gap in gaps.values()) < MARGIN),
        "Most differ by more than ten points: AKH is higher on SACBench, IPGuard, ModelDiff and Random are lower.",
        f"AKH {_both(facts, 'AKH')}; IPGuard {_both(facts, 'IPGuard')}",
    )


def separation(facts: Facts) -> Graded:
    said, gap = {}, {}
    for dataset, rows in facts.pairs.groupby("dataset"):
        stolen, unrelated = (rows.loc[rows["kind"] == kind, "delta_c"] for kind in ("positive", "negative"))
        auc = float(np.mean([(s < unrelated).mean() + 0.5 * (s == unrelated).mean() for s in stolen]))
        gap[dataset] = unrelated.min() - stolen.max()
        said[dataset] = f"AUC {auc:.2f}"
    return Graded(
        f"delta_C by definition: {_per_set(said)}; on CIFAR10 nothing lies between the worst stolen and the best "
        f"unrelated pair",
        _verdict(gap[SACBENCH] > 0 and all(gap[d] < 0 for d in REUSE)),
        "Stronger than plotted: SACBench has an empty gap, ModelReuse overlaps.",
        "see Separability, rows: benchmarks",
    )


def suited(facts: Facts) -> Graded:
    said = {d: f"SAC {_percent(facts.tpr(d, 'SAC'))}, AKH {_percent(facts.tpr(d, 'AKH'))}" for d in (SACBENCH, "SDog120")}
    return Graded(
        _per_set(said),
        _verdict(facts.tpr(SACBENCH, "SAC") > facts.tpr("SDog120", "SAC") + MARGIN),
        "SAC catches all there and falls behind elsewhere; but AKH profits as much, so it is negative sampling that "
        "is suited.",
        f"SAC {_both(facts, 'SAC')}",
    )


def conclusion(facts: Facts) -> Graded:
    neither = []
    for dataset in DATASETS:
        for task in names.TASKS:
            named = facts.named(dataset, task)
            if "AKH" in named and named["AKH"] < SOLVED and named.max() - named.min() > MARGIN:
                neither.append(f"{dataset} {task} ({_percent(named['AKH'])} by AKH, {_percent(named.max())} at best)")
    return Graded(
        f"cells that tell schemes apart and that AKH does not solve: {len(neither)}: {'; '.join(neither)}",
        _verdict(not neither),
        "Several tasks tell the schemes apart and are not solved by AKH, label extraction above all.",
        _embedded(lambda name: ", ".join(facts.telling_tasks(name, SOLVED, MARGIN)) or "no such task"),
    )


def almost_any(facts: Facts) -> Graded:
    solved = {task: sum(facts.cell(n, task) >= SOLVED for n in summary.NAMED) for task in names.TASKS}
    most = sum(count >= 5 for count in solved.values())
    return Graded(
        f"schemes of 6 at 95 % or more: {_per_set({k: str(v) for k, v in solved.items()})}",
        _verdict(most > len(names.TASKS) / 2),
        f"{most} of {len(names.TASKS)} tasks are solved by at least five of the six: fewer than half.",
        "see the Leaderboard's table",
    )


def too_easy(facts: Facts) -> Graded:
    caught = {d: facts.tpr(d, "AKH", budget=200) for d in DATASETS}
    return Graded(
        f"AKH at 200 queries: {_per_set({k: _percent(v) for k, v in caught.items()})}",
        _verdict(min(caught.values()) >= SOLVED),
        "On SACBench; a quarter of ModelReuse's stolen models escapes.",
        f"AKH {_both(facts, 'AKH', budget=200)}; with hard unrelated models "
        f"{_percent(facts.hard('patchwork-sac', 'AKH', 200))} on patchwork-sac",
    )


def brittle(facts: Facts) -> Graded:
    low = {n: min(facts.cell(n, t) for t in names.TASKS) for n in ("IPGuard", "ModelDiff", "AKH", "SAC")}
    return Graded(
        f"worst task: {_per_set({k: _percent(v) for k, v in low.items()})}",
        _verdict(max(low["IPGuard"], low["ModelDiff"]) < min(low["AKH"], low["SAC"])),
        "Their worst tasks are far worse; under weights that only moved, IPGuard and ModelDiff lead.",
        f"adversarial extraction on patchwork-sac: IPGuard "
        f"{_percent(facts.patchwork('patchwork-sac', 'IPGuard', 'adv_label_extraction'))}, "
        f"AKH {_percent(facts.patchwork('patchwork-sac', 'AKH', 'adv_label_extraction'))}",
    )


def five_percent(facts: Facts) -> Graded:
    from qurd_core.evaluation.statistics import allowed_below

    said = {}
    for n in (10, 20, 41, 61):
        said[f"{n} unrelated models"] = f"{100 * (allowed_below(n, kind='paper') + 1) / (n + 1):.1f} %"
    return Graded(
        f"expected false-alarm rate of the paper's rule: {_per_set(said)}",
        "falls",
        "A threshold that flags 5 % of the models at hand flags (k+1)/(n+1) of those to come.",
        "both rules stand side by side on every page",
    )


def five_seeds(facts: Facts) -> Graded:
    victims = facts.by_victim.groupby("dataset")["victim"].nunique().to_dict()
    return Graded(
        f"the printed ± is .95 sd / sqrt(5) over query seeds; victims: {_per_set({k: str(v) for k, v in victims.items()})}",
        "falls",
        "As an interval it is 2.9 times too narrow over seeds, and it says nothing of other models.",
        "sd over query seeds is shown as such",
    )
