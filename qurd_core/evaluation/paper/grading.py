"""How every claim of the paper is graded: a function from the facts to our number, a verdict and one sentence why.

No finding is typed: each sentence is made of the numbers that its verdict rests on, and turns with them.
"""

import math
from collections.abc import Callable, Iterable, Mapping
from typing import Literal, NamedTuple

import numpy as np

from qurd_core.akh import official
from qurd_core.evaluation import records, separability
from qurd_core.evaluation.paper import names, summary
from qurd_core.evaluation.paper.facts import BASELINES, DATASETS, REUSE, SACBENCH, Difference, Facts
from qurd_core.evaluation.paper.tables import BUDGETS
from qurd_core.evaluation.statistics import allowed_below
from qurd_core.schemes import PUBLISHED, Scheme

Verdict = Literal["supported", "not supported by these scores", "not testable here"]
VERDICTS: tuple[Verdict, ...] = ("supported", "not supported by these scores", "not testable here")
UNTESTED = VERDICTS[2]

MARGIN = 0.10  # a difference of TPR@5% that counts, here as in equivalence tests
SOLVED = 0.95
NOTABLE = 0.02  # a change of TPR@5% that a curve over budgets shows
EXPLAINED = 0.05  # what may be left of a gap that is explained
WIDER = 1.5  # how many times as large a spread is that is much higher
BRITTLE, NATURAL = ("IPGuard", "ModelDiff"), ("AKH", "SAC")
NEGATIVE, ADVERSARIAL = NATURAL, BRITTLE  # by how they sample
LEAKS = ("same", "quantize", "finetune", "transfer")
EXTRACTIONS = ("probit_extraction", "label_extraction", "adv_label_extraction")
FIGURE_1, TABLE_3 = 200, 100  # budgets
RUNS = 5  # query seeds, as the paper has it


class Graded(NamedTuple):
    """What a grading finds."""

    recomputed: str
    verdict: Verdict
    why: str
    patchwork: str


def _verdict(holds: bool) -> Verdict:
    return VERDICTS[0] if holds else VERDICTS[1]


def _percent(value: float) -> str:
    return "–" if math.isnan(value) else f"{100 * value:.0f} %"


def _size(value: float) -> str:
    return f"{100 * abs(value):.1f} points"


def _points(value: float) -> str:
    sign = "" if _size(value).startswith("0.0 ") else "+" if value > 0 else "\N{MINUS SIGN}"
    return f"{sign}{_size(value)}"


def _number(value: float) -> str:
    return f"{value:,.0f}".replace(",", "\N{NARROW NO-BREAK SPACE}")


def _counted(number: int, noun: str) -> str:
    return f"{number} {noun}" if number == 1 else f"{number} {noun}s"


def _listed(items: Iterable[str], join: str = ", ") -> str:
    return join.join(items) or "none"


def _per(values: Mapping[str, object], said: Callable = str) -> str:
    return _listed(f"{name} {said(value)}" for name, value in values.items())


def _embedded(said: Callable[[str], str], start: str = "") -> str:
    """The same of both embedded benchmarks."""
    return start + _listed((f"{name} {said(name)}" for name in records.EMBEDDED), "; ")


def _rates(facts: Facts, schemes: Iterable[str], budget: int, task: str = "all", best: bool = False) -> str:
    """Rates of named schemes on both embedded benchmarks, and the best published one if it is wanted."""

    def said(benchmark: str) -> str:
        named = facts.patchwork_named(benchmark, task, budget)
        own = {name: named.get(name, math.nan) for name in schemes}
        rivals = named[named.index.isin(PUBLISHED)]
        top = f", best published scheme {rivals.idxmax()} {_percent(rivals.max())}" if best and len(rivals) else ""
        return _per(own, _percent) + top

    return _embedded(said, f"at {budget} queries: ")


def _stands(gap: float, other: str) -> str:
    if _size(gap).startswith("0.0 "):
        return f"is level with {other}"
    return f"lies {_size(gap)} {'above' if gap > 0 else 'below'} {other}"


def _victims(found: Difference) -> str:
    """How many victims there are, and of how many networks where they are not independent."""
    kin = "" if found.networks == found.victims else f" of {_counted(found.networks, 'independent network')}"
    return f"{_counted(found.victims, 'victim')}{kin}"


def _spread(found: Difference) -> str:
    return "" if math.isnan(found.error) else f" ± {100 * found.error:.1f} (one standard error)"


def _rivals(facts: Facts, datasets: Iterable[str]) -> dict[str, tuple[str, Difference]]:
    """The best published scheme on each data set, and how far AKH lies above it."""
    found = {}
    for dataset in datasets:
        named = facts.named(dataset, "all", FIGURE_1)
        best = str(named[named.index.isin(PUBLISHED)].idxmax())
        found[dataset] = best, facts.difference(dataset, "AKH", best, FIGURE_1)
    return found


def _against(found: Mapping[str, tuple[str, Difference]]) -> str:
    said = {
        dataset: f"{_points(gap.mean)} against {best}{_spread(gap)} over {_victims(gap)}"
        for dataset, (best, gap) in found.items()
    }
    return f"AKH minus the best published scheme at {FIGURE_1} queries: {_per(said)}"


def _on_par(found: Mapping[str, tuple[str, Difference]]) -> str:
    """Whether AKH keeps within the margin where it is furthest behind, and whether that is established."""
    dataset = min(found, key=lambda name: found[name][1].mean)
    best, gap = found[dataset]
    said = f"At worst, on {dataset}, AKH {_stands(gap.mean, best)}"
    if gap.mean <= -MARGIN:
        return f"{said}, which is not within {_size(MARGIN)}."
    low = {name: one.mean - 2 * one.error for name, (_, one) in found.items() if not math.isnan(one.error)}
    alone = [name for name, (_, one) in found.items() if math.isnan(one.error)]
    single = f" {_listed(alone)} has a single network of victims, which says nothing of other victims." if alone else ""
    within = f"{said}, which is within {_size(MARGIN)}."
    if low and (least := min(low.values())) <= -MARGIN:
        return (
            f"{within} Two standard errors reach {_size(least)} below the best scheme on {min(low, key=low.__getitem__)}, "
            f"so non-inferiority is not established.{single}"
        )
    return f"{within} That is non-inferior, a weaker claim than equal.{single}"


def baseline(facts: Facts) -> Graded:
    found = _rivals(facts, DATASETS)
    return Graded(
        _against(found),
        _verdict(min(gap.mean for _, gap in found.values()) > -MARGIN),
        _on_par(found),
        _rates(facts, ["AKH"], FIGURE_1, best=True),
    )


def hundred(facts: Facts) -> Graded:
    have = {dataset: set(rows["scheme"]) for dataset, rows in facts.rates.groupby("dataset")}
    unnamed = {dataset: len(have[dataset] - set(summary.NAMED.values())) for dataset in DATASETS}
    most, least = (pick(unnamed, key=unnamed.__getitem__) for pick in (max, min))
    lacks = set.union(*have.values()) - have[least]
    seeds = {text.partition("(")[0] + "(" + text.partition("(")[2].partition(")")[0] + ")" for text in lacks}
    why = f"The data set with most has {unnamed[most]} unnamed combinations"
    if unnamed[least] < unnamed[most]:
        why += f"; {least} has {unnamed[least]}"
        why += f", because nothing with {_listed(sorted(seeds))} was run there" if lacks and len(seeds) == 1 else ""
    return Graded(
        f"published combinations without a name: {_per(unnamed)}",
        _verdict(unnamed[most] >= 80),
        f"{why}.",
        _embedded(lambda name: str(facts.unnamed(name)), "recorded combinations without a name: "),
    )


def at_best_as_good(facts: Facts) -> Graded:
    over, count = {}, {}
    for dataset in DATASETS:
        named = facts.named(dataset, "all", FIGURE_1)
        gaps = named[named.index.isin(PUBLISHED)] - named["AKH"]
        higher = gaps[gaps > 0.005]
        count[dataset] = f"{len(higher)} of {len(gaps)}"
        over |= {(str(name), dataset): (gap, len(gaps)) for name, gap in higher.items()}
    total = sum(int(text.split()[-1]) for text in count.values())
    above = _listed(f"{name} on {dataset} by {_size(gap)}" for (name, dataset), (gap, _) in over.items())
    why = f"{total - len(over)} of {total} results of published schemes (one per scheme and data set) are not above AKH"
    return Graded(
        f"published schemes above AKH at {FIGURE_1} queries: {_per(count)}",
        _verdict(len(over) < total / 2),
        f"{why}; above it lie {above}." if over else f"{why}.",
        _rates(facts, ["AKH"], FIGURE_1, best=True),
    )


def copies(facts: Facts) -> Graded:
    same = {dataset: facts.tpr(dataset, "AKH", "same", TABLE_3) for dataset in DATASETS}
    worst = min(same, key=same.__getitem__)
    return Graded(
        f"exact copies that AKH catches at {TABLE_3} queries: {_per(same, _percent)}",
        _verdict(same[worst] == 1),
        "The proof needs no scores, and they agree with it: AKH catches every exact copy."
        if same[worst] == 1
        else f"The proof needs no scores, but here the rate is {_percent(same[worst])} on {worst}: with the threshold at "
        "distance 0, where unrelated models lie, too, a copy is not caught.",
        _rates(facts, ["AKH"], TABLE_3, "same"),
    )


def bound(facts: Facts) -> Graded:
    table = facts.pairs
    below = int((table["delta_c"] < table["bound"] - 1e-9).sum())
    unrelated = table[table["kind"] == "negative"]
    vacuous = float((unrelated["bound"] <= 0).mean())
    return Graded(
        f"pairs below the bound: {below} of {len(table)}; unrelated pairs whose bound is vacuous (at most 0): "
        f"{_percent(vacuous)}",
        _verdict(below == 0),
        f"No pair contradicts the inequality. It promises nothing for {_percent(vacuous)} of the unrelated pairs, because "
        "its slack is P(suspect wrong | victim wrong)."
        if below == 0
        else f"{_counted(below, 'pair')} of {len(table)} lie below the bound, which the proof excludes.",
        _embedded(
            lambda name: (
                f"{int((own['delta_c'] < own['bound'] - 1e-9).sum())} of {len(own)}"
                if len(own := facts.embedded_pairs[name])
                else "–"
            ),
            "pairs below the bound: ",
        ),
    )


def _beyond_half(facts: Facts, place: str) -> tuple[int, int]:
    """Stolen pairs that a majority of many queries misses, and all."""
    stolen = facts.pairs_of(place, "positive")["delta_c"]
    return int((stolen > 0.5).sum()), len(stolen)


def majority(facts: Facts) -> Graded:
    found = {dataset: _beyond_half(facts, dataset) for dataset in DATASETS}
    missed, stolen = map(sum, zip(*found.values(), strict=True))
    return Graded(
        f"stolen pairs with delta_C above one half: {_per(found, lambda counts: '{} of {}'.format(*counts))}",
        _verdict(missed == 0),
        f"A majority of many queries misses the {missed} of {stolen} stolen pairs whose delta_C exceeds one half: for them "
        "more queries raise the false negative rate. An exact copy is never missed, with one query or many."
        if missed
        else f"All {stolen} stolen pairs have a delta_C of at most one half, so more queries lower the false negative rate.",
        _embedded(lambda name: "{} of {}".format(*_beyond_half(facts, name)), "stolen pairs with delta_C above one half: "),
    )


def _cleared(facts: Facts, place: str) -> tuple[int, int]:
    """Unrelated pairs that a negative query clears more likely than a random one, and all."""
    unrelated = facts.pairs_of(place, "negative")
    return int((unrelated["delta_c"] > unrelated["delta"]).sum()), len(unrelated)


def true_negatives(facts: Facts) -> Graded:
    higher, every = map(sum, zip(*(_cleared(facts, dataset) for dataset in DATASETS), strict=True))
    return Graded(
        f"unrelated pairs with delta_C above delta: {higher} of {every}",
        _verdict(higher == every),
        f"One negative query clears {higher} of {every} unrelated models more likely than one random query does; of stolen "
        "models this says nothing.",
        _embedded(lambda name: "{} of {}".format(*_cleared(facts, name)), "unrelated pairs with delta_C above delta: "),
    )


def on_par(facts: Facts) -> Graded:
    found = _rivals(facts, ("SDog120", SACBENCH))
    return Graded(
        _against(found),
        _verdict(min(gap.mean for _, gap in found.values()) > -MARGIN),
        _on_par(found),
        _rates(facts, ["AKH"], FIGURE_1, best=True),
    )


def better(facts: Facts) -> Graded:
    found = _rivals(facts, ("Flower102",))
    ((best, gap),) = found.values()
    holds = gap.mean > 2 * gap.error
    enough = "more" if holds else "no more"
    return Graded(
        _against(found),
        _verdict(holds),
        f"AKH {_stands(gap.mean, best)}, {enough} than two standard errors ({_size(2 * gap.error)}) over {_victims(gap)}"
        + ("." if holds else ": the difference is not established."),
        _rates(facts, ["AKH"], FIGURE_1, best=True),
    )


def _swapped(facts: Facts, before: str, after: Mapping[str, str], budgets: tuple[int, ...]) -> str:
    """What a change of the sampler brings on the embedded benchmarks, over the heads of the published combinations.

    Args:
        before, after: samplers with a `{split}` to fill in, the new ones by their names.
    """

    def gain(benchmark: str, sampler: str) -> str:
        gains = np.array(
            [
                facts.patchwork(benchmark, f"{sampler.format(split=split)} | {head}", "all", budget)
                - facts.patchwork(benchmark, f"{before.format(split=split)} | {head}", "all", budget)
                for split in ("train", "test")
                for head in names.HEADS.values()
                for budget in budgets
            ]
        )
        known = gains[~np.isnan(gains)]
        return _points(float(known.mean())) if len(known) else "–"

    return _embedded(
        lambda benchmark: _per({name: gain(benchmark, sampler) for name, sampler in after.items()}),
        f"at {_budgets(budgets)} queries: ",
    )


def _budgets(budgets: tuple[int, ...]) -> str:
    return f"{budgets[0]} to {budgets[-1]}" if len(budgets) > 1 else str(budgets[0])


def low_budget(facts: Facts) -> Graded:
    small = (10, 20, 50)
    low = {
        name: facts.swap("Random", sampler, small) for name, sampler in (("pgd", "Adversarial"), ("boundary", "Boundary"))
    }
    better = sum(round(swap.better * swap.count) for swap in low.values())
    count = sum(swap.count for swap in low.values())
    mean = sum(swap.mean * swap.count for swap in low.values()) / count
    said = {name: f"{_points(swap.mean)} over {swap.count} comparisons" for name, swap in low.items()}
    return Graded(
        f"adversarial images in the place of uniform ones at {_budgets(small)} queries: {_per(said)}",
        _verdict(mean > 0 and better > count / 2),
        f"With the same representation and detector, adversarial images catch more in {better} of {count} comparisons; the "
        f"mean change is {_points(mean)}.",
        _swapped(
            facts,
            "uniform({split})",
            {"pgd": "uniform({split})->pgd", "boundary": "uniform({split})->boundary"},
            small,
        ),
    )


def negative(facts: Facts) -> Graded:
    found = facts.swap("Random", "Negative", BUDGETS)
    each = [facts.swap("Random", "Negative", (budget,)).mean for budget in BUDGETS]
    return Graded(
        f"negative images in the place of uniform ones at {_budgets(BUDGETS)} queries: {_points(found.mean)} over "
        f"{found.count} comparisons",
        _verdict(found.mean > 0 and found.better > 0.5),
        f"With the same representation and detector, negative images catch more in {_percent(found.better)} of "
        f"{found.count} comparisons; the mean change at a budget is {_points(min(each))} to {_points(max(each))}.",
        _swapped(facts, "uniform({split})", {"negative": "negative({split})"}, BUDGETS),
    )


def _costs(facts: Facts, cost: str, schemes: Iterable[str]) -> str:
    return _embedded(
        lambda benchmark: _per({s: facts.patchwork(benchmark, s, "all", TABLE_3, cost) for s in schemes}, _number)
    )


def no_gradients(facts: Facts) -> Graded:
    return Graded(
        "the published scores do not say what a query set costs",
        UNTESTED,
        "No costs were published. By construction, to find a negative image takes an answer of the victim and no gradient.",
        f"gradients of the victim that {TABLE_3} queries take: " + _costs(facts, "gradients", ("AKH", "SAC", *ADVERSARIAL)),
    )


def few_samples(facts: Facts) -> Graded:
    seeds = {name: TABLE_3 // Scheme.parse(name).group_size for name in ("ZestOfLIME", "ModelDiff", "AKH")}
    return Graded(
        "the published scores do not say from how many images a query set was made",
        UNTESTED,
        f"No costs were published. By construction, {TABLE_3} queries of ZestOfLIME are made from "
        f"{_counted(seeds['ZestOfLIME'], 'image')}, those of AKH from {_counted(seeds['AKH'], 'image')}.",
        f"images that {TABLE_3} queries are made from: {_per(seeds)}; labelled images that AKH looks through to find its "
        "own: " + _costs(facts, "samples", ["AKH"]),
    )


def ten_points(facts: Facts) -> Graded:
    own, other = (
        facts.tpr("Flower102", names.scheme_of(split, sampler, "Labels", "hamming"), "all", TABLE_3)
        for split, sampler in (("train", "Boundary"), ("test", "NegativeAdversarial"))
    )
    text = "{}(test)->boundary | labels | hamming"
    literal = {
        benchmark: facts.patchwork(benchmark, text.format("negative"), "all", TABLE_3)
        - facts.patchwork(benchmark, text.format("uniform"), "all", TABLE_3)
        for benchmark in records.EMBEDDED
    }
    return Graded(
        f"nearest that was published, on Flower102 at {TABLE_3} queries: IPGuard {_percent(own)}, "
        f"negative(test)->pgd | labels | hamming {_percent(other)}: {_points(other - own)}, {100 * (other / own - 1):+.0f} %",
        UNTESTED,
        "No scores of negative seeds before IPGuard's own boundary search were published; the nearest combination differs in "
        "split, seeds and craft.",
        f"negative instead of uniform seeds before the boundary search, all else equal, at {TABLE_3} queries: "
        f"{_per(literal, _points)}",
    )


def many_worse(facts: Facts) -> Graded:
    shares = {dataset: facts.share_below(dataset, FIGURE_1) for dataset in DATASETS}
    low, high = min(shares.values()), max(shares.values())
    return Graded(
        f"unnamed combinations below the median published scheme at {FIGURE_1} queries: {_per(shares, _percent)}",
        _verdict(low > 0.2),
        f"Between {_percent(low)} and {_percent(high)} of the unnamed combinations of a data set catch less than the median "
        "published scheme.",
        _embedded(
            lambda name: _percent(facts.share_below(name, FIGURE_1)),
            f"below the median published scheme at {FIGURE_1} queries: ",
        ),
    )


def needs(facts: Facts) -> Graded:
    most = int(facts.rates["budget"].max())
    fbi = bool((facts.rates["name"] == "FBI").any())
    said = [f"no scores beyond {most} queries were published"] + ["none of FBI were"] * (not fbi)
    ends = {name: facts.embedded[name]["budget"].max() for name in records.EMBEDDED}
    return Graded(
        f"the published scores end at {most} queries",
        UNTESTED,
        f"The numbers are those of the cited papers: {_listed(said, ', and ')}.",
        _embedded(
            lambda name: (
                "FBI "
                + ", ".join(f"{_percent(facts.patchwork(name, 'FBI', 'all', at))} at {at}" for at in (TABLE_3, ends[name]))
                + " queries"
            )
        ),
    )


def _lead(rates: Mapping[str, float]) -> tuple[str, float] | None:
    """The adversarial scheme that is best, and how far above the better negative one it lies; None without both."""
    ours, theirs = ({name: rates[name] for name in kind if name in rates} for kind in (NEGATIVE, ADVERSARIAL))
    if not ours or not theirs:
        return None
    best = max(theirs, key=theirs.__getitem__)
    return best, theirs[best] - max(ours.values())


def equal_or_better(facts: Facts) -> Graded:
    leads = {}
    for dataset in DATASETS:
        for budget in BUDGETS:
            lead = _lead(facts.named(dataset, "all", budget))
            if lead:
                leads[f"{lead[0]} on {dataset} at {budget} queries"] = lead[1]
    ahead = {place: gap for place, gap in leads.items() if gap > NOTABLE}
    most = max(leads, key=leads.__getitem__)
    return Graded(
        f"places (data set and budget) where IPGuard or ModelDiff lies more than {_size(NOTABLE)} above the better of AKH "
        f"and SAC: {len(ahead)} of {len(leads)}" + (f" ({_per(ahead, _points)})" if ahead else ""),
        _verdict(not ahead),
        f"An adversarial scheme leads in {len(ahead)} of {len(leads)} places, at most by {_size(leads[most])} ({most})."
        if ahead
        else f"No adversarial scheme leads by more than {_size(NOTABLE)} in any of {len(leads)} places.",
        _rates(facts, (*NEGATIVE, *ADVERSARIAL), TABLE_3),
    )


def _curve(rate: Callable[[int], float]) -> dict[int, float]:
    return {budget: value for budget in BUDGETS if not math.isnan(value := rate(budget))}


def _curves(facts: Facts, dataset: str) -> dict[str, dict[int, float]]:
    """TPR by budget of the named schemes."""
    return {name: _curve(lambda at, name=name: facts.tpr(dataset, name, "all", at)) for name in summary.NAMED}


def _knee(dataset: str) -> int:
    """The budget from which on the paper sees a plateau."""
    return 100 if dataset == SACBENCH else 50


def _growth(facts: Facts, schemes: Iterable[str], budgets: tuple[int, ...]) -> str:
    def said(benchmark: str) -> str:
        curves = {name: [facts.patchwork(benchmark, name, "all", at) for at in budgets] for name in schemes}
        return _per(curves, lambda values: " → ".join(map(_percent, values)))

    return _embedded(said, f"at {', '.join(map(str, budgets))} queries: ")


def _most(facts: Facts, said: str, reaches: Callable[[dict[int, float], int], bool | None]) -> tuple[str, bool, str]:
    """How many schemes of each data set do what most are said to do, whether most do, and the sentence."""
    counts, others = {}, {}
    for dataset in DATASETS:
        found = {name: reaches(curve, _knee(dataset)) for name, curve in _curves(facts, dataset).items()}
        known = {name: does for name, does in found.items() if does is not None}
        counts[dataset] = sum(known.values()), len(known)
        others[dataset] = [name for name, does in known.items() if not does]
    holds = all(2 * does > known for does, known in counts.values())
    text = {dataset: f"{does} of {known}" for dataset, (does, known) in counts.items()}
    rest = _listed((f"{', '.join(which)} on {dataset}" for dataset, which in others.items() if which), "; ")
    few = [dataset for dataset, (does, known) in counts.items() if 2 * does <= known]
    start = f"Most schemes {said} on every data set" if holds else f"It is not most schemes that {said} on {_listed(few)}"
    return _per(text), holds, f"{start}; those that do not: {rest}."


def rise(facts: Facts) -> Graded:
    def rises(curve: dict[int, float], knee: int) -> bool | None:
        values = [value for budget, value in curve.items() if budget <= knee]
        return bool((np.diff(values) > NOTABLE).all()) if len(values) > 1 else None

    counts, holds, why = _most(facts, f"gain more than {_size(NOTABLE)} at every increment", rises)
    return Graded(
        f"schemes that gain more than {_size(NOTABLE)} at every increment up to 100 (CIFAR10) or 50 queries: {counts}",
        _verdict(holds),
        why,
        _growth(facts, NEGATIVE, (10, 20, 50, 100)),
    )


def plateau(facts: Facts) -> Graded:
    def flat(curve: dict[int, float], knee: int) -> bool | None:
        ends = [budget for budget in curve if budget >= knee]
        if len(ends) < 2:
            return None
        return (curve[ends[-1]] - curve[ends[0]]) / math.log2(ends[-1] / ends[0]) < NOTABLE

    counts, holds, why = _most(facts, f"gain less than {_size(NOTABLE)} per doubling", flat)
    return Graded(
        f"schemes that gain less than {_size(NOTABLE)} per doubling after 100 (CIFAR10) or 50 queries: {counts}",
        _verdict(holds),
        why,
        _growth(facts, NEGATIVE, (100, 200, 400)),
    )


def _enough(curves: Mapping[str, Mapping[int, float]]) -> dict[str, int]:
    """The budget from which on a scheme is within two points of its best; only of those that were run from the least on."""
    whole = {name: curve for name, curve in curves.items() if BUDGETS[0] in curve}
    return {
        name: min(budget for budget, value in curve.items() if value >= max(curve.values()) - NOTABLE)
        for name, curve in whole.items()
    }


def _ends(enough: Mapping[str, int]) -> str:
    """The schemes that are done first and last."""
    first, last = (pick(enough, key=enough.__getitem__) for pick in (min, max))
    return f"{enough[first]} ({first}) to {enough[last]} ({last})"


def optimal(facts: Facts) -> Graded:
    found = {dataset: _enough(_curves(facts, dataset)) for dataset in DATASETS}
    ratio = {dataset: max(own.values()) / min(own.values()) for dataset, own in found.items()}
    worst = max(ratio, key=ratio.__getitem__)
    return Graded(
        f"queries from which on a scheme is within {_size(NOTABLE)} of its best: {_per(found, _ends)}",
        _verdict(ratio[worst] <= 2),
        f"The schemes of a data set agree within a factor of two or less: the largest is {ratio[worst]:.1f} on {worst}."
        if ratio[worst] <= 2
        else f"It depends on the scheme: on {worst} the last scheme needs {ratio[worst]:.0f} times the queries of the first.",
        _embedded(
            lambda benchmark: _ends(
                _enough(
                    {
                        name: _curve(lambda at, name=name: facts.patchwork(benchmark, name, "all", at))
                        for name in (*BASELINES, *PUBLISHED)
                    }
                )
            )
        ),
    )


def variance(facts: Facts) -> Graded:
    named = facts.rates[(facts.rates["task"] == "all") & facts.rates["name"].notna() & (facts.rates["budget"] >= 50)]
    sd = named.groupby(["dataset", "name"])["sd"].mean().unstack().reindex(columns=[*NEGATIVE, *ADVERSARIAL])
    means = {dataset: [sd.loc[dataset, list(kind)].mean() for kind in (NEGATIVE, ADVERSARIAL)] for dataset in DATASETS}
    lower = [dataset for dataset, (ours, theirs) in means.items() if ours < theirs]
    others = [dataset for dataset in DATASETS if dataset not in lower]
    each = {dataset: _per((100 * sd.loc[dataset]).dropna(), "{:.2f}".format) for dataset in DATASETS}
    said = [f"{dataset} ({100 * means[dataset][0]:.1f} against {100 * means[dataset][1]:.1f} points)" for dataset in lower]
    rest = [f"{dataset} ({100 * means[dataset][0]:.1f} against {100 * means[dataset][1]:.1f} points)" for dataset in others]
    return Graded(
        f"s.d. over query seeds in points, mean over the budgets from 50 on: {_per(each, '({})'.format)}",
        _verdict(len(lower) >= 2 and SACBENCH in lower),
        f"AKH and SAC vary less than IPGuard and ModelDiff on {_listed(said)}"
        + (f", and not on {_listed(rest)}." if rest else "."),
        _embedded(
            lambda name: _per(
                {s: 100 * facts.patchwork(name, s, "all", TABLE_3, "sd") for s in (*NEGATIVE, *ADVERSARIAL)}, "{:.1f}".format
            ),
            f"s.d. over query seeds in points at {TABLE_3} queries: ",
        ),
    )


def suffers(facts: Facts) -> Graded:
    rates = facts.rates[facts.rates["task"] == "all"].pivot_table(
        index=["dataset", "scheme"], columns="budget", values="tpr"
    )
    change = (rates[400] - rates[100]).dropna()
    named = {
        f"{name} on {dataset}": float(change[dataset, summary.NAMED[name]])
        for name in ("ModelDiff", "SAC")
        for dataset in DATASETS
        if (dataset, summary.NAMED[name]) in change.index
    }
    related = np.array(["pairwise" in text or "listwise" in text for _, text in change.index])
    falls = (change < -NOTABLE).to_numpy()
    worst = min(named, key=named.__getitem__)
    inside, outside = (f"{int(falls[side].sum())} of {int(side.sum())}" for side in (related, ~related))
    lost = f"loses {_size(named[worst])}" if named[worst] < 0 else "loses nothing"
    return Graded(
        f"change from 100 to 400 queries: {_per(named, _points)}; combinations that lose more than {_size(NOTABLE)}: "
        f"{inside} pairwise or listwise, {outside} others",
        _verdict(named[worst] < -NOTABLE and falls[related].mean() > falls[~related].mean()),
        f"The worst of them, {worst}, {lost}; more than {_size(NOTABLE)} are lost by "
        f"{_percent(falls[related].mean())} of the pairwise and listwise combinations and by "
        f"{_percent(falls[~related].mean())} of the others.",
        _growth(facts, ("ModelDiff", "SAC"), (100, 400)),
    )


def gap(facts: Facts) -> Graded:
    def gaps(rate: Callable[[int, str], float]) -> list[float]:
        return [rate(at, "mean_unrelated") - rate(at, "mean_stolen") for at in (100, 400)]

    pairs = [(scheme, dataset) for scheme in ("ModelDiff", "SAC") for dataset in DATASETS]
    found = {
        f"{scheme} on {dataset}": gaps(lambda at, rule, s=scheme, d=dataset: facts.tpr(d, s, "all", at, rule))
        for scheme, dataset in pairs
    }
    known = {place: values for place, values in found.items() if not np.isnan(values).any()}
    shrinks = [place for place, (before, after) in known.items() if after < before]

    def arrow(values: list[float]) -> str:
        return " → ".join(f"{value:.3f}" for value in values)

    return Graded(
        f"mean distance of unrelated minus stolen models, 100 → 400 queries: {_per(known, arrow)}",
        _verdict(len(shrinks) > len(known) / 2),
        f"The gap shrinks in {len(shrinks)} of {len(known)} cases" + (f" ({_listed(shrinks)})." if shrinks else "."),
        _embedded(
            lambda name: _per(
                {s: gaps(lambda at, rule, s=s: facts.patchwork(name, s, "all", at, rule)) for s in ("ModelDiff", "SAC")},
                arrow,
            ),
            "100 → 400 queries: ",
        ),
    )


def table3(facts: Facts) -> Graded:
    single = {
        (name, task, dataset): lead
        for task in names.TASKS
        for name in PUBLISHED
        for dataset in DATASETS
        if not math.isnan(lead := facts.tpr(dataset, "AKH", task, TABLE_3) - facts.tpr(dataset, name, task, TABLE_3))
    }
    shared: dict[str, list[float]] = {}
    for (name, task, _), lead in single.items():
        shared.setdefault(f"{name} on {task}", []).append(lead)
    means = {place: float(np.mean(leads)) for place, leads in shared.items()}
    least, behind = min(means, key=means.__getitem__), [place for place, lead in means.items() if lead < -MARGIN]
    # A hair's breadth of tolerance: rates ship as float32, and ten points are not more than ten points.
    cells = {
        f"{name} on {task} of {dataset}": lead for (name, task, dataset), lead in single.items() if lead < -MARGIN - 1e-6
    }
    why = (
        f"In the means over the data sets that both have, AKH is nowhere more than {_size(MARGIN)} behind: non-inferior, a "
        f"weaker claim than equal"
        if not behind
        else f"In the means over the data sets that both have, AKH is more than {_size(MARGIN)} behind {_listed(behind)}"
    )
    return Graded(
        f"largest deficit of AKH in a mean over the data sets that both have, at {TABLE_3} queries: {least}, "
        f"{_points(means[least])}; means more than {_size(MARGIN)} behind: {len(behind)} of {len(means)}; single cells: "
        f"{len(cells)} of {len(single)}",
        _verdict(not behind),
        f"{why}. In {_counted(len(cells), 'single cell')} it is more than {_size(MARGIN)} behind: {_per(cells, _points)}."
        if cells
        else f"{why}, in no single cell either.",
        _rates(facts, ["AKH"], TABLE_3, best=True),
    )


def sac_best(facts: Facts) -> Graded:
    highest, matched, covers = {}, {}, []
    for task in ("probit_extraction", "label_extraction"):
        column = {name: facts.cell(name, task, TABLE_3) for name in summary.NAMED}
        highest[task] = max(column, key=column.__getitem__)
        covers = [d for d in DATASETS if not math.isnan(facts.tpr(d, "SAC", task, TABLE_3))]
        matched[task] = [float(np.mean([facts.tpr(d, name, task, TABLE_3) for d in covers])) for name in ("AKH", "SAC")]
    holds = set(highest.values()) == {"SAC"}
    level = {task: _stands(ours - theirs, "SAC") for task, (ours, theirs) in matched.items()}
    return Graded(
        f"highest number of the column: {_per(highest)}; means over the {_counted(len(covers), 'data set')} that SAC has: "
        + _per(matched, lambda two: "AKH {}, SAC {}".format(*map(_percent, two))),
        _verdict(holds),
        ("The numbers in bold are the highest of their columns" if holds else "A number in bold is not the highest")
        + f", which does not make SAC the best scheme: its row rests on {len(covers)} of {len(DATASETS)} data sets, and on "
        + f"these AKH {_listed((f'{said} on {task}' for task, said in level.items()), ' and ')}.",
        f"on patchwork-sac at {TABLE_3} queries: "
        + _per(
            {
                task: _per({n: facts.patchwork("patchwork-sac", n, task, TABLE_3) for n in NATURAL}, _percent)
                for task in level
            }
        ),
    )


def _schemes(facts: Facts) -> list[str]:
    """AKH and the published schemes that the paper ran."""
    return [name for name in summary.NAMED if name == "AKH" or name in PUBLISHED]


def solved(facts: Facts) -> Graded:
    cells = {(name, task): facts.cell(name, task, TABLE_3) for name in _schemes(facts) for task in LEAKS}
    short = {f"{name} on {task}": value for (name, task), value in cells.items() if value < SOLVED}
    open_ = [
        task
        for task in LEAKS
        if cells["AKH", task] < SOLVED or 2 * sum(cells[n, task] >= SOLVED for n in _schemes(facts)) <= len(_schemes(facts))
    ]
    refused = [task for task in LEAKS if math.isnan(facts.cell("AKH", task, TABLE_3, "tpr_conformal"))]
    why = (
        f"AKH and most published schemes reach {_percent(SOLVED)} on each of the {len(LEAKS)} tasks"
        if not open_
        else f"AKH or most published schemes miss {_percent(SOLVED)} on {_listed(open_)}"
    )
    return Graded(
        f"cells below {_percent(SOLVED)}: {_per(short, _percent) or 'none'}",
        _verdict(not open_),
        why
        + (f"; below it: {_per(short, _percent)}" if short else "")
        + (f". The guaranteed rule refuses {_listed(refused)}: too few independent unrelated models." if refused else "."),
        _embedded(
            lambda name: _per(
                {t: v for t in LEAKS if not math.isnan(v := facts.patchwork(name, "AKH", t, TABLE_3))}, _percent
            ),
            f"AKH at {TABLE_3} queries: ",
        ),
    )


def unsolved(facts: Facts) -> Graded:
    best = {}
    for task in ("prune", *EXTRACTIONS):
        column = {name: facts.cell(name, task, TABLE_3) for name in _schemes(facts)}
        best[task] = max(column.items(), key=lambda item: item[1])
    name, rate = best["prune"]
    holds = rate >= SOLVED
    return Graded(
        f"best scheme by task: {_per(best, lambda found: f'{found[0]} {100 * found[1]:.1f} %')}",
        _verdict(holds),
        f"Pruning is solved: {name} reaches {_percent(SOLVED)}."
        if holds
        else f"Pruning is left, too: its best scheme, {name}, catches {100 * rate:.1f} %, which misses {_percent(SOLVED)} by "
        f"{_size(SOLVED - rate)}.",
        _rates(facts, ["AKH"], TABLE_3, "prune", best=True),
    )


def adversarial_easy(facts: Facts) -> Graded:
    task = "adv_label_extraction"
    found = facts.named(SACBENCH, task, TABLE_3)
    ours, rest = found[found.index.isin(NEGATIVE)], found[~found.index.isin(NEGATIVE)]
    lead = ours.min() - rest.max()
    return Graded(
        f"on {SACBENCH} at {TABLE_3} queries: {_per(found, _percent)}",
        _verdict(lead > MARGIN),
        f"The lowest scheme on negative images, {ours.idxmin()}, {_stands(lead, f'the best of the others, {rest.idxmax()}')}"
        f"; SACBench has {_counted(len(facts.networks[SACBENCH]), 'victim')}.",
        _rates(facts, (*NEGATIVE, *ADVERSARIAL), TABLE_3, task),
    )


def harder(facts: Facts) -> Graded:
    leak, extraction = (
        float(np.nanmean([facts.cell(name, task, TABLE_3) for name in _schemes(facts) for task in tasks]))
        for tasks in ((*LEAKS, "prune"), EXTRACTIONS)
    )
    limit = {dataset: facts.separation(dataset, "label_extraction").rates.tpr for dataset in DATASETS}
    return Graded(
        f"mean over schemes and tasks at {TABLE_3} queries: leaks {_percent(leak)}, extractions {_percent(extraction)}",
        _verdict(extraction < leak - MARGIN),
        f"Extractions {_stands(extraction - leak, 'leaks')} in the mean. With all test images as queries, delta_C catches of "
        f"label extraction {_per(limit, _percent)}.",
        f"AKH at {TABLE_3} queries: "
        + _embedded(
            lambda name: _per(
                {t: v for t in ("prune", *EXTRACTIONS) if not math.isnan(v := facts.patchwork(name, "AKH", t, TABLE_3))},
                _percent,
            )
        ),
    )


def two_exceptions(facts: Facts) -> Graded:
    have = {
        dataset: {task for served in facts.pairs_of(dataset, "positive")["tasks"] for task in served} for dataset in DATASETS
    }
    reuse = set.union(*(have[dataset] for dataset in REUSE))
    only = {"ModelReuse": reuse - have[SACBENCH], "SACBench": have[SACBENCH] - reuse}
    differ = sorted(set.union(*only.values()))
    printed = sorted(task for task, sets in names.PRINTED.items() if (SACBENCH in sets) != bool(set(REUSE) & set(sets)))
    same = "as the paper's own Table 2 has it" if printed == differ else "which is not what the paper's Table 2 has"
    recorded = {name: set(facts.embedded[name]["task"]) - {"all"} for name in records.EMBEDDED}
    apart = set.symmetric_difference(*recorded.values())
    return Graded(
        f"tasks that only one of both has: {_per(only, lambda tasks: _listed(sorted(tasks), ' and '))}",
        _verdict(len(differ) == 2),
        f"{_counted(len(differ), 'task')} differ{'s' * (len(differ) == 1)}, {same}: {_listed(differ)}.",
        f"tasks that only one of patchwork-sac and patchwork-reuse has: {_listed(sorted(apart))}",
    )


def explains(facts: Facts) -> Graded:
    shared = [t for t in names.TASKS if not any(math.isnan(facts.tpr(d, "IPGuard", t, TABLE_3)) for d in DATASETS)]

    def left(name: str, tasks: Iterable[str]) -> float:
        own = {d: np.mean([facts.tpr(d, name, task, TABLE_3) for task in tasks]) for d in DATASETS}
        return float(own[SACBENCH] - np.mean([own[d] for d in REUSE]))

    pooled = {name: left(name, ["all"]) for name in ADVERSARIAL}
    without = {name: left(name, shared) for name in ADVERSARIAL}
    least = min(without, key=without.__getitem__)
    holds = without[least] >= -EXPLAINED
    decided = f"{_size(without[least] + EXPLAINED)} {'within' if holds else 'beyond'} the limit of {_size(EXPLAINED)}"
    return Graded(
        f"SACBench minus ModelReuse at {TABLE_3} queries: with all tasks pooled {_per(pooled, _points)}; as means over the "
        f"{len(shared)} tasks that both have {_per(without, _points)}",
        _verdict(holds),
        f"On the tasks that both have, {least} {_stands(without[least], 'its own mean on ModelReuse')}: the verdict is "
        f"decided by {decided}, with {_counted(len(facts.networks[SACBENCH]), 'victim')} on SACBench.",
        _rates(facts, ADVERSARIAL, TABLE_3),
    )


def _within(facts: Facts, place: str, kind: str) -> float:
    """sd of delta_C inside the groups that stand against the same tasks, which SACBench's corrupted images do not share."""
    own = facts.pairs_of(place, kind)
    if kind == "positive":
        return float(own["delta_c"].std())
    groups = own.groupby([own["victim"], own["tasks"].map(tuple)])["delta_c"]
    return float(np.sqrt((groups.transform(lambda values: values - values.mean()) ** 2).sum() / (len(own) - groups.ngroups)))


def spread(facts: Facts) -> Graded:
    sides = {"stolen": "positive", "unrelated": "negative"}
    plain = {s: {d: facts.pairs_of(d, kind)["delta_c"].std() for d in DATASETS} for s, kind in sides.items()}
    within = {d: _within(facts, d, "negative") for d in DATASETS}
    plotted = {
        d: official(own["delta_c"], own["accuracy_victim"]).std()
        for d in DATASETS
        for own in [facts.pairs_of(d, "negative")]
    }
    ratio = {
        side: float(np.mean([sd[d] for d in REUSE]) / sd[SACBENCH])
        for side, sd in (("stolen", plain["stolen"]), ("unrelated", within))
    }
    least = min(ratio, key=ratio.__getitem__)
    holds = ratio[least] > WIDER
    two = "{:.2f}".format
    return Graded(
        f"s.d. of delta_C by definition: stolen pairs {_per(plain['stolen'], two)}; unrelated pairs "
        f"{_per(plain['unrelated'], two)}, and {_per(within, two)} around the mean of those of one victim that serve the "
        f"same tasks; unrelated pairs by the authors' formula, as plotted: {_per(plotted, two)}",
        _verdict(holds),
        f"On ModelReuse the s.d. of stolen pairs is {ratio['stolen']:.1f} times that of SACBench, and of unrelated pairs "
        f"that serve the same tasks {ratio['unrelated']:.1f} times. All unrelated pairs of SACBench together have "
        f"{plain['unrelated'][SACBENCH]:.2f}, because its models of corrupted images lie apart from the others.",
        _embedded(
            lambda name: _per({s: facts.pairs_of(name, kind)["delta_c"].std() for s, kind in sides.items()}, two),
            "s.d. of delta_C: ",
        ),
    )


def comparable(facts: Facts) -> Graded:
    schemes = [name for name in summary.NAMED if name != "SAC"]
    gaps = {
        name: facts.tpr(SACBENCH, name, "all", FIGURE_1)
        - float(np.nanmean([facts.tpr(d, name, "all", FIGURE_1) for d in REUSE]))
        for name in schemes
    }
    apart = {name: gap for name, gap in gaps.items() if abs(gap) >= MARGIN}
    return Graded(
        f"SACBench minus the mean of ModelReuse at {FIGURE_1} queries: {_per(gaps, _points)}",
        _verdict(not apart),
        f"{len(apart)} of {len(gaps)} schemes differ by {_size(MARGIN)} or more: {_per(apart, _points)}."
        if apart
        else f"None of {len(gaps)} schemes differs by {_size(MARGIN)} or more.",
        _rates(facts, schemes, FIGURE_1),
    )


def _overlap(row: separability.Row) -> str:
    common = separability.overlap(row, share=True)
    return f"AUC {row.rates.auc:.2f}" + ("" if math.isnan(common) else f", densities overlap by {_percent(common)}")


def separation(facts: Facts) -> Graded:
    found = {dataset: facts.separation(dataset) for dataset in DATASETS}
    auc = {dataset: row.rates.auc for dataset, row in found.items()}
    clear = {dataset: row.unrelated.min() - row.stolen.max() for dataset, row in found.items()}
    best = max(REUSE, key=auc.__getitem__)
    apart = [dataset for dataset, room in clear.items() if room > 0]
    return Graded(
        f"delta_C by definition (AUC: mean over victims): {_per(found, lambda row: f'({_overlap(row)})')}",
        _verdict(auc[SACBENCH] > auc[best]),
        f"The AUC is {auc[SACBENCH]:.2f} on SACBench and at most {auc[best]:.2f} on ModelReuse ({best}); every unrelated "
        f"pair lies farther than every stolen one on {_listed(apart)}"
        + (" alone." if len(apart) == 1 else " data set." if not apart else "."),
        _embedded(lambda name: _overlap(facts.separation(name))),
    )


def suited(facts: Facts) -> Graded:
    rates = {n: {d: facts.tpr(d, n, "all", TABLE_3) for d in (SACBENCH, "SDog120")} for n in ("SAC", "AKH")}
    gains = {name: own[SACBENCH] - own["SDog120"] for name, own in rates.items()}
    holds = gains["SAC"] > MARGIN
    return Graded(
        f"TPR@5% at {TABLE_3} queries: {_per(rates, lambda own: f'({_per(own, _percent)})')}",
        _verdict(holds),
        f"SAC on SACBench {_stands(gains['SAC'], 'itself on SDog120')}, and AKH {_stands(gains['AKH'], 'itself')}"
        + (
            ": the pairs suit negative sampling, not SAC alone."
            if holds and gains["AKH"] > MARGIN
            else ": the pairs suit SAC alone."
            if holds
            else ": the pairs do not suit SAC especially."
        ),
        _rates(facts, ("SAC", "AKH"), TABLE_3),
    )


def conclusion(facts: Facts) -> Graded:
    def telling(named) -> bool:
        return "AKH" in named and named["AKH"] < SOLVED and named.max() - named.min() > MARGIN

    def said(named) -> str:
        return f"({_percent(named.min())} to {_percent(named.max())}, AKH {_percent(named['AKH'])})"

    whole = {dataset: facts.named(dataset, "all", TABLE_3) for dataset in DATASETS}
    neither = {dataset: named for dataset, named in whole.items() if telling(named)}
    cells = [
        f"{task} of {dataset}"
        for dataset in DATASETS
        for task in names.TASKS
        if telling(facts.named(dataset, task, TABLE_3))
    ]
    return Graded(
        f"TPR@5% at {TABLE_3} queries of all tasks, lowest to highest scheme: {_per(whole, said)}",
        _verdict(not neither),
        f"{_listed(neither, ' and ')} {'tells' if len(neither) == 1 else 'tell'} the schemes apart by more than "
        f"{_size(MARGIN)} and {'is' if len(neither) == 1 else 'are'} not solved by AKH; of single tasks "
        f"{_counted(len(cells), 'does')[:-1] if len(cells) != 1 else '1 doe'}{'s' if len(cells) == 1 else ''} so: {_listed(cells)}."
        if neither
        else f"On every data set the schemes lie within {_size(MARGIN)} or AKH reaches {_percent(SOLVED)}.",
        _embedded(lambda name: said(facts.patchwork_named(name, "all", TABLE_3)), f"at {TABLE_3} queries: "),
    )


def almost_any(facts: Facts) -> Graded:
    solved = {task: sum(facts.cell(name, task, TABLE_3) >= SOLVED for name in summary.NAMED) for task in names.TASKS}
    schemes = len(summary.NAMED)
    most = [task for task, count in solved.items() if count >= schemes - 1]
    return Graded(
        f"schemes of {schemes} that reach {_percent(SOLVED)} at {TABLE_3} queries: {_per(solved)}",
        _verdict(len(most) > len(solved) / 2),
        f"{len(most)} of {len(solved)} tasks are solved by at least {schemes - 1} of {schemes} schemes: {_listed(most)}.",
        _embedded(
            lambda name: _listed(
                task for task in records.tasks(name)[1:] if (facts.patchwork_named(name, task, TABLE_3) < SOLVED).sum() <= 1
            ),
            f"tasks on which all schemes but one reach {_percent(SOLVED)} at {TABLE_3} queries: ",
        ),
    )


def too_easy(facts: Facts) -> Graded:
    caught = {dataset: facts.tpr(dataset, "AKH", "all", FIGURE_1) for dataset in DATASETS}
    escape = {dataset: 1 - rate for dataset, rate in caught.items() if rate < SOLVED}
    easy = [dataset for dataset in DATASETS if dataset not in escape]
    hard = facts.hard("patchwork-sac", "AKH", FIGURE_1)
    return Graded(
        f"AKH at {FIGURE_1} queries: {_per(caught, _percent)}",
        _verdict(not escape),
        f"AKH catches {_percent(SOLVED)} or more on {_listed(easy)}"
        + (f"; of stolen models escape on {_per(escape, _percent)}." if escape else "."),
        f"{_rates(facts, ['AKH'], FIGURE_1)}; with hard unrelated models (trained like the victim, not stolen) "
        f"{_percent(hard)} on patchwork-sac",
    )


def brittle(facts: Facts) -> Graded:
    low = {}
    for name in (*ADVERSARIAL, *NATURAL, "Random"):
        cells = {task: facts.cell(name, task, TABLE_3) for task in names.TASKS}
        low[name] = min(cells.items(), key=lambda item: item[1])
    worse, kept = max(low[name][1] for name in BRITTLE), min(low[name][1] for name in NATURAL)
    plain = low["Random"][1]
    return Graded(
        f"worst task at {TABLE_3} queries: {_per(low, lambda found: f'{_percent(found[1])} ({found[0]})')}",
        _verdict(worse < kept),
        f"On their worst tasks IPGuard and ModelDiff catch at most {_percent(worse)}, AKH and SAC at least {_percent(kept)}. "
        f"Random, which sends natural images, too, catches {_percent(plain)}: natural images alone are "
        f"{'not enough' if plain < kept else 'enough'}.",
        _rates(facts, (*NATURAL, *BRITTLE), TABLE_3, "adv_label_extraction"),
    )


def five_percent(facts: Facts) -> Graded:
    counts = sorted({int(n) for n in facts.rates.loc[facts.rates["task"] != "all", "n_negatives"]})
    below = {n: allowed_below(n, kind="paper") or 0 for n in counts}
    flagged = {f"{n} unrelated models": below[n] / n for n in counts}
    fresh = {f"{n} unrelated models": (below[n] + 1) / (n + 1) for n in counts}
    one = "{:.1%}".format

    def shown(value: float) -> str:
        return one(value).replace("%", " %")

    holds = max(flagged.values()) <= 0.05
    return Graded(
        f"unrelated models of the benchmark that the paper rule flags at most: {_per(flagged, shown)}; expected of unrelated "
        f"models to come: {_per(fresh, shown)}",
        _verdict(holds),
        f"As the paper defines it, on the unrelated models at hand, the false positive rate is at most "
        f"{shown(max(flagged.values()))}. Of models to come the same threshold is expected to flag (k+1)/(n+1), up to "
        f"{shown(max(fresh.values()))}: another definition, which the guaranteed rule keeps.",
        "unrelated models of one victim and task: "
        + _embedded(
            lambda name: "{} to {}".format(
                *(int(pick(facts.embedded[name].query("task != 'all'")["n_negatives"])) for pick in (min, max))
            )
        ),
    )


def five_seeds(facts: Facts) -> Graded:
    from scipy.stats import t

    seeds = sorted({int(n) for n in facts.rates["seeds"]})
    runs = " to ".join(map(str, dict.fromkeys((seeds[0], seeds[-1]))))
    narrow = float(t.ppf(0.975, RUNS - 1)) / 0.95
    victims = {d: facts.networks[d] for d in DATASETS}
    count, own = sum(len(of) for of in victims.values()), facts.networks.nunique()
    return Graded(
        f"query seeds of a published value: {runs}; victims: {_per({d: len(of) for d, of in victims.items()})}, of "
        f"{own} independent networks",
        _verdict(seeds == [RUNS]),
        f"Every value is a mean over {runs} query seeds. What the ± of Table 3 is, the text does not say: it is .95 s.d. / "
        f"sqrt({RUNS}) over query seeds, {narrow:.1f} times narrower than a 95 % interval over seeds, and says nothing of "
        f"models other than these {count} victims.",
        "query seeds of a recorded value: "
        + _embedded(lambda name: " to ".join(map(str, sorted({int(n) for n in facts.embedded[name]["seeds"]})[::1]))),
    )
