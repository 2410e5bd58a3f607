"""How every claim of the paper is graded: a function from the facts to our number, a verdict and one sentence why.

No finding is typed: each sentence is made of the numbers that its verdict rests on, and turns with them.
"""

import math
from collections.abc import Callable, Iterable, Mapping
from functools import partial
from typing import Literal, NamedTuple

import numpy as np
import pandas as pd

from qurd_core.akh import official
from qurd_core.lineage import count_independent
from qurd_core.paper import names
from qurd_core.paper.facts import DATASETS, REUSE, SACBENCH, Difference, Facts
from qurd_core.paper.phrases import (
    arrow,
    counted,
    listed,
    per,
    per_task,
    percent,
    points,
    size,
    stands,
    thousands,
    token,
    victims,
    with_error,
)
from qurd_core.paper.tables import BUDGETS
from qurd_core.records import rate_records
from qurd_core.schemes import PUBLISHED, Scheme
from qurd_core.statistics import allowed_below
from qurd_core.views import separability

Verdict = Literal["supported", "not supported by these scores", "not testable here"]
VERDICTS: tuple[Verdict, ...] = ("supported", "not supported by these scores", "not testable here")
UNTESTED = VERDICTS[2]

MARGIN = 0.10  # a difference of TPR@5% that counts, here as in equivalence tests
SOLVED = 0.95
NOTABLE = 0.02  # a change of TPR@5% that a curve over budgets shows
EXPLAINED = 0.05  # what may be left of a gap that is explained
WIDER = 1.5  # how many times as large a spread is that is much higher
NEGATIVE, ADVERSARIAL = ("AKH", "SAC"), ("IPGuard", "ModelDiff")  # schemes by how they sample
LEAKS = names.LEAKS[:4]  # those that the text calls solved
EXTRACTIONS = names.TASKS[5:]
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


def _embedded(said: Callable[[str], str], start: str = "") -> str:
    """The same of both embedded benchmarks."""
    return start + listed((f"{name} {said(name)}" for name in rate_records.EMBEDDED), "; ")


def _at(budgets: tuple[int, ...]) -> str:
    return f"at {budgets[0]} to {budgets[-1]} queries"


def _rates(facts: Facts, schemes: Iterable[str], budget: int, task: str = "all", best: bool = False) -> str:
    """Rates of named schemes on the embedded benchmarks that have the task, and the best published one if it is wanted."""

    def said(place: str) -> str:
        named = facts.named(place, task, budget)
        if named.empty:
            return "no such task"
        rivals = named[named.index.isin(PUBLISHED)]
        top = f", best published scheme {rivals.idxmax()} {percent(rivals.max())}" if best and len(rivals) else ""
        return per({name: named[name] for name in schemes if name in named}, percent) + top

    return _embedded(said, f"at {budget} queries: ")


def _tasks(facts: Facts, tasks: Iterable[str]) -> str:
    """How AKH does on tasks of the embedded benchmarks, where they have them."""

    def said(place: str) -> str:
        rates = {task: facts.tpr(place, "AKH", task, TABLE_3) for task in tasks}
        return per_task({task: rate for task, rate in rates.items() if not math.isnan(rate)}, percent)

    return _embedded(said, f"AKH at {TABLE_3} queries: ")


def _on_par(found: Mapping[str, tuple[str, Difference]]) -> str:
    """Whether AKH keeps within the margin where it is furthest behind, and whether that is established."""
    dataset = min(found, key=lambda name: found[name][1].mean)
    best, gap = found[dataset]
    said = f"At worst, on {dataset}, AKH {stands(gap.mean, best)}, which is"
    if gap.mean <= -MARGIN:
        return f"{said} not within {size(MARGIN)}."
    low = {name: one.mean - 2 * one.error for name, (_, one) in found.items() if not math.isnan(one.error)}
    alone = [name for name, (_, one) in found.items() if math.isnan(one.error)]
    single = f" The victims of {listed(alone)} come from a single network, so of others nothing is known." if alone else ""
    if low and min(low.values()) <= -MARGIN:
        least = min(low, key=low.__getitem__)
        return (
            f"{said} within {size(MARGIN)}. On {least} two standard errors reach {size(low[least])} below "
            f"{found[least][0]}, so non-inferiority is not established there.{single}"
        )
    return f"{said} within {size(MARGIN)}: non-inferior, a weaker claim than equal.{single}"


def par(facts: Facts, datasets: tuple[str, ...] = DATASETS, *, better: bool = False) -> Graded:
    """AKH against the best published scheme of each data set, victim by victim.

    Args:
        better: whether it must lie above, not only within the margin below.
    """
    found: dict[str, tuple[str, Difference]] = {}
    for dataset in datasets:
        named = facts.named(dataset, "all", FIGURE_1)
        best = str(named[named.index.isin(PUBLISHED)].idxmax())
        found[dataset] = best, facts.difference(dataset, "AKH", best, FIGURE_1)
    if better:
        ((best, gap),) = found.values()
        holds = gap.mean > 2 * gap.error
        why = f"AKH {stands(gap.mean, best)}, {'more' if holds else 'no more'} than two standard errors"
        why += f" ({size(2 * gap.error)}) over {victims(gap)}" + ("." if holds else ": no difference is established.")
    else:
        holds, why = min(gap.mean for _, gap in found.values()) > -MARGIN, _on_par(found)
    said = {dataset: f"{with_error(gap)} against {best}" for dataset, (best, gap) in found.items()}
    return Graded(
        f"AKH minus the best published scheme at {FIGURE_1} queries: {per(said)}",
        _verdict(holds),
        why,
        _rates(facts, ["AKH"], FIGURE_1, best=True),
    )


def hundred(facts: Facts) -> Graded:
    unnamed = {dataset: facts.unnamed(dataset) for dataset in DATASETS}
    most, least = (pick(unnamed, key=unnamed.__getitem__) for pick in (max, min))
    have = {dataset: set(facts.rates[dataset]["scheme"]) for dataset in DATASETS}
    lacks = sorted({str(Scheme.read(text).seeds) for text in have[most] - have[least]})
    why = f"{most} has {unnamed[most]} unnamed combinations, the most of a data set"
    if unnamed[least] < unnamed[most]:
        why += f"; {least} has {unnamed[least]}: it lacks combinations with {listed(lacks, ' and ')}"
    return Graded(
        f"published combinations without a name: {per(unnamed)}",
        _verdict(unnamed[most] >= 80),
        f"{why}.",
        _embedded(lambda place: str(facts.unnamed(place)), "recorded combinations without a name: "),
    )


def at_best_as_good(facts: Facts) -> Graded:
    gaps: dict[str, pd.Series] = {}
    for dataset in DATASETS:
        named = facts.named(dataset, "all", FIGURE_1)
        gaps[dataset] = named[named.index.isin(PUBLISHED)] - named["AKH"]
    above = {f"{name} on {dataset}": gap for dataset, own in gaps.items() for name, gap in own.items() if gap > 0.005}
    total = sum(map(len, gaps.values()))
    why = f"{total - len(above)} of {total} results of published schemes (one per scheme and data set) do not exceed AKH"
    return Graded(
        f"published schemes above AKH at {FIGURE_1} queries: "
        + per({d: f"{sum(place.endswith(f' {d}') for place in above)} of {len(own)}" for d, own in gaps.items()}),
        _verdict(len(above) < total / 2),
        f"{why}; the others: {per(above, points)}." if above else f"{why}.",
        _rates(facts, ["AKH"], FIGURE_1, best=True),
    )


def copies(facts: Facts) -> Graded:
    same = {dataset: facts.tpr(dataset, "AKH", "same", TABLE_3) for dataset in DATASETS}
    missed = [dataset for dataset, rate in same.items() if rate < 1]
    return Graded(
        f"exact copies that AKH catches at {TABLE_3} queries: {per(same, percent)}",
        _verdict(not missed),
        f"It is proved that a copy agrees on every query, but on {listed(missed)} AKH catches less than all copies: an "
        "unrelated model agrees on every query, too."
        if missed
        else "It is proved that a copy agrees on every query, and AKH catches every copy in the scores.",
        _rates(facts, ["AKH"], TABLE_3, "same"),
    )


def _counts(facts: Facts, places: Iterable[str], kind: str, holds: Callable[[pd.DataFrame], pd.Series]) -> dict[str, str]:
    """Of how many pairs of a kind something holds, by place."""
    sides = {place: facts.side(place, kind) for place in places}
    return {place: f"{int(holds(pairs).sum())} of {len(pairs)}" for place, pairs in sides.items()}


def _sum(counts: Mapping[str, str]) -> tuple[int, int]:
    some, every = zip(*(map(int, text.split(" of ")) for text in counts.values()), strict=True)
    return sum(some), sum(every)


def bound(facts: Facts) -> Graded:
    def below(pairs: pd.DataFrame) -> pd.Series:
        return pairs["delta_c"] < pairs["bound"] - 1e-9

    counts = _counts(facts, DATASETS, "negative", below)
    broken, every = _sum(counts)
    vacuous, _ = _sum(_counts(facts, DATASETS, "negative", lambda pairs: pairs["bound"] <= 0))
    share = percent(vacuous / every)
    return Graded(
        f"unrelated pairs with delta_C below the bound: {per(counts)}; with a vacuous bound (at most 0): {share}",
        _verdict(broken == 0),
        f"{counted(broken, 'unrelated pair')} of {every} with delta_C below the bound: the proof excludes that."
        if broken
        else f"No pair contradicts the inequality, which promises nothing for {share} of the unrelated pairs: its slack is "
        "the chance that the suspect errs where the victim does.",
        f"unrelated pairs with delta_C below the bound: {per(_counts(facts, rate_records.EMBEDDED, 'negative', below))}",
    )


def majority(facts: Facts) -> Graded:
    def far(pairs: pd.DataFrame) -> pd.Series:
        return pairs["delta_c"] > 0.5

    counts = _counts(facts, DATASETS, "positive", far)
    missed, stolen = _sum(counts)
    return Graded(
        f"stolen pairs with delta_C above one half: {per(counts)}",
        _verdict(missed == 0),
        f"For {missed} of {stolen} stolen pairs delta_C exceeds one half: more queries raise their false negative rate. An "
        "exact copy is never missed, with one query or with many."
        if missed
        else f"For all {stolen} stolen pairs delta_C is at most one half: more queries lower the false negative rate.",
        f"stolen pairs with delta_C above one half: {per(_counts(facts, rate_records.EMBEDDED, 'positive', far))}",
    )


def true_negatives(facts: Facts) -> Graded:
    def higher(pairs: pd.DataFrame) -> pd.Series:
        return pairs["delta_c"] > pairs["delta"]

    counts = _counts(facts, DATASETS, "negative", higher)
    clears, every = _sum(counts)
    return Graded(
        f"unrelated pairs with delta_C above delta: {per(counts)}",
        _verdict(clears == every),
        f"A negative query clears {clears} of {every} unrelated models with a higher chance than a random query; of stolen "
        "models this says nothing.",
        f"unrelated pairs with delta_C above delta: {per(_counts(facts, rate_records.EMBEDDED, 'negative', higher))}",
    )


def swapped(facts: Facts, crafts: Mapping[str, str], budgets: tuple[int, ...]) -> Graded:
    """Other samplers in the place of uniform ones.

    Args:
        crafts: the samplers by their names, with a `{split}` to fill in.
    """
    change = partial(facts.swap, "uniform({split})", budgets=budgets)
    found = {name: change(sampler) for name, sampler in crafts.items()}
    count = sum(swap.count for swap in found.values())
    mean, better = (sum(swap[part] * swap.count for swap in found.values()) / count for part in (0, 1))
    each = [
        np.average(means, weights=counts)
        for at in budgets
        for means, _, counts in [zip(*(facts.swap("uniform({split})", s, (at,)) for s in crafts.values()), strict=True)]
    ]
    said = _embedded(
        lambda place: per({name: change(sampler, places=(place,)).mean for name, sampler in crafts.items()}, points)
    )
    return Graded(
        f"in the place of uniform images {_at(budgets)}: {per(found, lambda swap: points(swap.mean))}",
        _verdict(mean > 0 and better > 0.5),
        f"With the same representation and detector, {' and '.join(crafts)} images catch more in {percent(better)} of "
        f"{count} comparisons; the mean change at one budget is {points(min(each))} to {points(max(each))}.",
        f"{_at(budgets)}: {said}",
    )


def _costs(facts: Facts, cost: str, schemes: Iterable[str]) -> str:
    return _embedded(lambda place: per({name: facts.tpr(place, name, "all", TABLE_3, cost) for name in schemes}, thousands))


def no_gradients(facts: Facts) -> Graded:
    return Graded(
        "the published scores do not say what a query set costs",
        UNTESTED,
        "No costs were published; by construction, to find a negative image takes an answer of the victim and no gradient.",
        f"gradients of the victim for {TABLE_3} queries: {_costs(facts, 'gradients', (*NEGATIVE, *ADVERSARIAL))}",
    )


def few_samples(facts: Facts) -> Graded:
    groups = {name: Scheme.parse(name).group_size for name in ("ZestOfLIME", "ModelDiff", "AKH")}
    made = listed(f"{counted(TABLE_3 // size, 'image')} by {name}" for name, size in groups.items())
    return Graded(
        "the published scores do not say from how many images a query set was made",
        UNTESTED,
        f"No costs were published; by construction, {TABLE_3} queries are made from {made}.",
        f"labelled images that AKH looks through for {TABLE_3} queries: {_costs(facts, 'samples', ['AKH'])}",
    )


def ten_points(facts: Facts) -> Graded:
    own, other = (
        facts.tpr("Flower102", text, "all", TABLE_3) for text in ("IPGuard", "negative(test)->pgd | labels | hamming")
    )
    before, after = (f"{rule}(test)->boundary | labels | hamming" for rule in ("uniform", "negative"))
    return Graded(
        f"nearest that was published, on Flower102 at {TABLE_3} queries: IPGuard {percent(own)}, "
        f"negative(test)->pgd | labels | hamming {percent(other)}: {points(other - own)}, {100 * (other / own - 1):+.0f} %",
        UNTESTED,
        "No scores of negative seeds before IPGuard's own boundary search were published; the nearest combination has "
        "another split, seed rule and craft.",
        _embedded(
            lambda place: points(facts.tpr(place, after, "all", TABLE_3) - facts.tpr(place, before, "all", TABLE_3)),
            f"IPGuard on test seeds, negative instead of uniform ones, at {TABLE_3} queries: ",
        ),
    )


def many_worse(facts: Facts) -> Graded:
    shares = {dataset: facts.share_below(dataset, FIGURE_1) for dataset in DATASETS}
    start = f"unnamed combinations below the median published scheme at {FIGURE_1} queries: "
    return Graded(
        start + per(shares, percent),
        _verdict(min(shares.values()) > 0.2),
        f"Of the unnamed combinations of a data set {percent(min(shares.values()))} to {percent(max(shares.values()))} "
        "catch less than its median published scheme.",
        _embedded(lambda place: percent(facts.share_below(place, FIGURE_1)), start),
    )


def needs(facts: Facts) -> Graded:
    most = max(int(facts.rates[dataset]["budget"].max()) for dataset in DATASETS)
    known = any((facts.rates[dataset]["name"] == "FBI").any() for dataset in DATASETS)
    ends = {place: int(facts.rates[place]["budget"].max()) for place in rate_records.EMBEDDED}
    return Graded(
        f"the published scores end at {most} queries" + ("" if known else " and have no FBI"),
        UNTESTED,
        f"The numbers are those of the cited papers; beyond {most} queries no scores were published.",
        _embedded(
            lambda place: (
                listed((f"{percent(facts.tpr(place, 'FBI', 'all', at))} at {at}" for at in (TABLE_3, ends[place])), " and ")
                + " queries"
            ),
            "FBI: ",
        ),
    )


def equal_or_better(facts: Facts) -> Graded:
    leads = {}
    for dataset in DATASETS:
        for budget in BUDGETS:
            named = facts.named(dataset, "all", budget)
            ours, theirs = (named[named.index.isin(kind)] for kind in (NEGATIVE, ADVERSARIAL))
            if len(ours) and len(theirs):
                leads[f"{theirs.idxmax()} on {dataset} at {budget}"] = theirs.max() - ours.max()
    ahead = {place: lead for place, lead in leads.items() if lead > NOTABLE}
    return Graded(
        f"IPGuard or ModelDiff minus the better of AKH and SAC, where more than {size(NOTABLE)}: {per(ahead, points)}",
        _verdict(not ahead),
        f"An adversarial scheme leads by more than {size(NOTABLE)} in {len(ahead)} of {len(leads)} places (data set and "
        "budget)" + (f", by up to {size(max(ahead.values()))}." if ahead else "."),
        _rates(facts, (*NEGATIVE, *ADVERSARIAL), TABLE_3),
    )


def _growth(facts: Facts, schemes: Iterable[str], budgets: tuple[int, ...]) -> str:
    def said(place: str) -> str:
        return per({s: [facts.tpr(place, s, "all", at) for at in budgets] for s in schemes}, partial(arrow, said=percent))

    return _embedded(said, f"at {', '.join(map(str, budgets))} queries: ")


def _most(
    facts: Facts, what: str, does: Callable[[dict[int, float]], bool], part: Callable[[int, int], bool]
) -> tuple[str, bool, str]:
    """How many schemes of each data set do what most are said to do, whether most do everywhere, and the sentence.

    Args:
        part: whether a budget counts, given the one from which on the paper sees a plateau.
    """
    counts, others = {}, []
    for dataset in DATASETS:
        knee = 100 if dataset == SACBENCH else 50
        curves = {s: {at: v for at, v in curve.items() if part(at, knee)} for s, curve in facts.curves(dataset).items()}
        found = {scheme: does(curve) for scheme, curve in curves.items() if len(curve) > 1}
        counts[dataset] = sum(found.values()), len(found)
        others += [f"{scheme} on {dataset}" for scheme, done in found.items() if not done]
    few = [dataset for dataset, (done, known) in counts.items() if 2 * done <= known]
    start = f"Most schemes {what} on every data set" if not few else f"On {listed(few)} most schemes do not {what}"
    return per(counts, lambda pair: "{} of {}".format(*pair)), not few, f"{start}. Those that do not: {listed(others)}."


def rise(facts: Facts) -> Graded:
    what = f"gain more than {size(NOTABLE)} at every increment"
    counts, holds, why = _most(
        facts,
        what,
        lambda curve: bool((np.diff(list(curve.values())) > NOTABLE).all()),
        lambda at, knee: at <= knee,
    )
    return Graded(
        f"schemes that {what} up to 100 (CIFAR10) or 50 queries: {counts}",
        _verdict(holds),
        why,
        _growth(facts, NEGATIVE, (10, 20, 50, 100)),
    )


def plateau(facts: Facts) -> Graded:
    def flat(curve: dict[int, float]) -> bool:
        first, last = min(curve), max(curve)
        return (curve[last] - curve[first]) / math.log2(last / first) < NOTABLE

    what = f"gain less than {size(NOTABLE)} per doubling"
    counts, holds, why = _most(facts, what, flat, lambda at, knee: at >= knee)
    return Graded(
        f"schemes that {what} after 100 (CIFAR10) or 50 queries: {counts}",
        _verdict(holds),
        why,
        _growth(facts, NEGATIVE, (100, 200, 400)),
    )


def _enough(facts: Facts, place: str) -> "pd.Series[int]":
    """The budget from which on a scheme is within two points of its best; of schemes that were run from the least on."""
    whole = {name: curve for name, curve in facts.curves(place).items() if BUDGETS[0] in curve}
    return pd.Series(
        {
            name: min(at for at, rate in curve.items() if rate >= max(curve.values()) - NOTABLE)
            for name, curve in whole.items()
        }
    )


def _ends(enough: "pd.Series[int]") -> str:
    return f"{enough.min()} ({enough.idxmin()}) to {enough.max()} ({enough.idxmax()})"


def optimal(facts: Facts) -> Graded:
    found = {dataset: _enough(facts, dataset) for dataset in DATASETS}
    ratio = {dataset: own.max() / own.min() for dataset, own in found.items()}
    worst = max(ratio, key=ratio.__getitem__)
    return Graded(
        f"queries from which on a scheme is within {size(NOTABLE)} of its best: {per(found, _ends)}",
        _verdict(ratio[worst] <= 2),
        f"On {worst} {found[worst].idxmax()} needs {ratio[worst]:.0f} times the queries of {found[worst].idxmin()}"
        + (", no more than twice." if ratio[worst] <= 2 else ": the budget depends on the scheme."),
        _embedded(lambda place: _ends(_enough(facts, place))),
    )


def variance(facts: Facts) -> Graded:
    schemes = [*NEGATIVE, *ADVERSARIAL]
    sd = pd.DataFrame(
        {
            dataset: 100
            * pd.DataFrame({at: facts.named(dataset, "all", at, "sd") for at in BUDGETS if at >= 50}).mean(axis=1)
            for dataset in DATASETS
        }
    ).reindex(schemes)
    ours, theirs = (sd.loc[list(kind)].mean() for kind in (NEGATIVE, ADVERSARIAL))
    said = {dataset: f"({ours[dataset]:.1f} against {theirs[dataset]:.1f} points)" for dataset in DATASETS}
    lower = {dataset: text for dataset, text in said.items() if ours[dataset] < theirs[dataset]}
    rest = {dataset: text for dataset, text in said.items() if dataset not in lower}
    return Graded(
        "s.d. over query seeds in points, mean over budgets from 50 on: "
        + per({d: f"({per(sd[d].dropna(), '{:.2f}'.format)})" for d in DATASETS}),
        _verdict(len(lower) >= 2 and SACBENCH in lower),
        f"AKH and SAC vary less than IPGuard and ModelDiff on {per(lower)}"
        + (f", and not on {per(rest)}." if rest else "."),
        _embedded(
            lambda place: per(100 * facts.named(place, "all", TABLE_3, "sd").reindex(schemes), "{:.1f}".format),
            f"s.d. over query seeds in points at {TABLE_3} queries: ",
        ),
    )


def suffers(facts: Facts) -> Graded:
    rates = pd.concat({dataset: facts.rates[dataset].query("task == 'all'") for dataset in DATASETS}, names=["dataset"])
    wide = rates.pivot_table(index=["dataset", "scheme"], columns="budget", values="tpr")
    change = (wide[400] - wide[100]).dropna()
    curves = {(s, d): facts.curves(d).get(s, {}) for s in ("ModelDiff", "SAC") for d in DATASETS}
    named = {f"{s} on {d}": curve[400] - curve[100] for (s, d), curve in curves.items() if {100, 400} <= set(curve)}
    related = np.array(["pairwise" in text or "listwise" in text for _, text in change.index])
    falls = (change < -NOTABLE).to_numpy()
    worst, shares = min(named, key=named.__getitem__), [falls[side].mean() for side in (related, ~related)]
    return Graded(
        f"change from 100 to 400 queries: {per(named, points)}",
        _verdict(named[worst] < -NOTABLE and shares[0] > shares[1]),
        f"{worst} changes most for the worse, by {points(named[worst])}; more than {size(NOTABLE)} are lost by "
        f"{falls[related].sum()} of {related.sum()} pairwise or listwise combinations ({percent(shares[0])}) and by "
        f"{falls[~related].sum()} of {(~related).sum()} others ({percent(shares[1])}).",
        _growth(facts, ("ModelDiff", "SAC"), (100, 400)),
    )


def gap(facts: Facts) -> Graded:
    def gaps(place: str, scheme: str) -> list[float]:
        far, near = (
            [facts.tpr(place, scheme, "all", at, f"mean_{side}") for at in (100, 400)] for side in ("unrelated", "stolen")
        )
        return [one - other for one, other in zip(far, near, strict=True)]

    every = {f"{s} on {d}": gaps(d, s) for s in ("ModelDiff", "SAC") for d in DATASETS}
    known = {place: pair for place, pair in every.items() if not np.isnan(pair).any()}
    shrinks = [place for place, (before, after) in known.items() if after < before]
    shown = partial(arrow, said="{:.3f}".format)
    return Graded(
        f"mean distance of unrelated minus stolen models, 100 → 400 queries: {per(known, shown)}",
        _verdict(len(shrinks) > len(known) / 2),
        f"The gap shrinks in {len(shrinks)} of {len(known)} cases (scheme and data set): {listed(shrinks)}.",
        _embedded(lambda place: per({s: gaps(place, s) for s in ("ModelDiff", "SAC")}, shown), "100 → 400 queries: "),
    )


def table3(facts: Facts) -> Graded:
    columns = {task: facts.column(task, TABLE_3) for task in names.TASKS}
    gaps = {
        (name, task): found
        for task, column in columns.items()
        for name in column
        if name in PUBLISHED and (found := facts.shared("AKH", name, task, TABLE_3))
    }
    means = {f"{name} on {token(task)}": float(np.mean(list(found.values()))) for (name, task), found in gaps.items()}
    least, behind = min(means, key=means.__getitem__), [place for place, lead in means.items() if lead < -MARGIN]
    printed = {f"{name} on {token(task)}": columns[task]["AKH"] - columns[task][name] for name, task in gaps}
    cells = {
        f"{name} on {token(task)} of {dataset}": lead
        for (name, task), found in gaps.items()
        for dataset, lead in found.items()
        if lead < -MARGIN - 1e-6  # rates ship as float32, and ten points are not more than ten points
    }
    start = "In means over the data sets that both have, AKH is "
    start += f"more than {size(MARGIN)} behind {listed(behind)}" if behind else f"nowhere more than {size(MARGIN)} behind"
    return Graded(
        f"AKH minus a published scheme at {TABLE_3} queries: at worst {points(means[least])} ({least}) in means over the "
        f"data sets that both have; more than {size(MARGIN)} behind as printed, where rows average different data sets: "
        f"{per({place: lead for place, lead in printed.items() if lead < -MARGIN}, points)}",
        _verdict(not behind),
        start
        + ("." if behind else ": non-inferior, a weaker claim than equal.")
        + f" Of single cells {len(cells)} of {sum(map(len, gaps.values()))} lie more than {size(MARGIN)} behind: "
        f"{per(cells, points)}.",
        _rates(facts, ["AKH"], TABLE_3, best=True),
    )


def sac_best(facts: Facts) -> Graded:
    tasks = ("probit_extraction", "label_extraction")
    columns = {task: pd.Series(facts.column(task, TABLE_3)) for task in tasks}
    gaps = {task: facts.shared("AKH", "SAC", task, TABLE_3) for task in tasks}
    level = [f"{stands(float(np.mean(list(gap.values()))), 'SAC')} on {token(task)}" for task, gap in gaps.items()]
    holds = {column.idxmax() for column in columns.values()} == {"SAC"}
    return Graded(
        f"highest number of the column: {per_task(columns, lambda own: f'{own.idxmax()} {percent(own.max())}')}",
        _verdict(holds),
        f"{'The numbers in bold are' if holds else 'A number in bold is not'} the highest of the column. That makes no "
        f"best scheme: SAC has scores on {len(gaps[tasks[0]])} of {len(DATASETS)} data sets, and on those AKH "
        f"{listed(level, ' and ')}.",
        _embedded(
            lambda place: per_task({t: per(facts.named(place, t, TABLE_3).loc[list(NEGATIVE)], percent) for t in tasks}),
            f"at {TABLE_3} queries: ",
        ),
    )


def solved(facts: Facts) -> Graded:
    columns = {task: facts.column(task, TABLE_3) for task in LEAKS}
    rivals = {task: [rate >= SOLVED for name, rate in own.items() if name in PUBLISHED] for task, own in columns.items()}
    left = [token(t) for t in LEAKS if columns[t]["AKH"] < SOLVED or 2 * sum(rivals[t]) <= len(rivals[t])]
    short = {
        f"{name} on {token(task)}": rate
        for task, column in columns.items()
        for name, rate in column.items()
        if rate < SOLVED and name != "Random"
    }
    refused = [token(task) for task in LEAKS if math.isnan(facts.cell("AKH", task, TABLE_3, "tpr_conformal"))]
    reach = f"On {listed(left)} AKH or most published schemes miss" if left else "AKH and most published schemes reach"
    guaranteed = f" The guaranteed rule refuses {listed(refused)}: too few independent unrelated models." if refused else ""
    return Graded(
        f"cells of published schemes and AKH below {percent(SOLVED)}: {per(short, percent)}",
        _verdict(not left),
        f"{reach} {percent(SOLVED)}{'' if left else f' on each of {len(LEAKS)} tasks'}; below it: {per(short, percent)}."
        + guaranteed,
        _tasks(facts, LEAKS),
    )


def unsolved(facts: Facts) -> Graded:
    columns = {task: pd.Series(facts.column(task, TABLE_3)) for task in ("prune", *EXTRACTIONS)}
    rate, name = columns["prune"].max(), columns["prune"].idxmax()
    missed = f"which misses {percent(SOLVED)} by {size(SOLVED - rate)}: pruning is left unsolved, too"
    return Graded(
        f"best scheme by task: {per_task(columns, lambda own: f'{own.idxmax()} {100 * own.max():.1f} %')}",
        _verdict(rate >= SOLVED),
        f"On pruning the best scheme, {name}, catches {100 * rate:.1f} %, "
        + (f"which solves it at {percent(SOLVED)}." if rate >= SOLVED else f"{missed}."),
        _rates(facts, ["AKH"], TABLE_3, "prune", best=True),
    )


def adversarial_easy(facts: Facts) -> Graded:
    task = "adv_label_extraction"
    found = facts.named(SACBENCH, task, TABLE_3)
    ours, rest = found[found.index.isin(NEGATIVE)], found[~found.index.isin(NEGATIVE)]
    lead = ours.min() - rest.max()
    return Graded(
        f"on {SACBENCH} at {TABLE_3} queries: {per(found, percent)}",
        _verdict(lead > MARGIN),
        f"{ours.idxmin()}, the lower one of AKH and SAC, {stands(lead, rest.idxmax())}, the best of the others, on "
        f"{counted(len(facts.networks(SACBENCH)), 'victim')}.",
        _rates(facts, (*NEGATIVE, *ADVERSARIAL), TABLE_3, task),
    )


def harder(facts: Facts) -> Graded:
    columns = {task: pd.Series(facts.column(task, TABLE_3)).drop("Random") for task in names.TASKS}
    leak, extraction = (float(pd.concat([columns[t] for t in tasks]).mean()) for tasks in (names.LEAKS, EXTRACTIONS))
    limit = {dataset: facts.separation(dataset, "label_extraction").rates.tpr for dataset in DATASETS}
    return Graded(
        f"mean over schemes and tasks at {TABLE_3} queries: leaks {percent(leak)}, extractions {percent(extraction)}",
        _verdict(extraction < leak - MARGIN),
        f"The mean of extractions {stands(extraction - leak, 'that of leaks')}. With all test images as queries, delta_C "
        f"catches of label extraction {per(limit, percent)}.",
        _tasks(facts, ("prune", *EXTRACTIONS)),
    )


def two_exceptions(facts: Facts) -> Graded:
    have = {place: {task for served in facts.side(place, "positive")["tasks"] for task in served} for place in facts.pairs}
    reuse = have[REUSE[0]] | have[REUSE[1]]
    only = {"ModelReuse": sorted(reuse - have[SACBENCH]), "SACBench": sorted(have[SACBENCH] - reuse)}
    differ = sum(map(len, only.values()))
    printed = sum((SACBENCH in sets) != bool(set(REUSE) & set(sets)) for sets in names.PRINTED.values())
    return Graded(
        f"tasks that only one of both has: {per(only, lambda tasks: f'({listed(map(token, tasks))})')}",
        _verdict(differ == 2),
        f"The scores of both benchmarks differ in {counted(differ, 'task')}, and the paper's own Table 2 in {printed}.",
        "tasks that only one of patchwork-sac and patchwork-reuse has: "
        + listed(map(token, sorted(have[rate_records.EMBEDDED[0]] ^ have[rate_records.EMBEDDED[1]]))),
    )


def explains(facts: Facts) -> Graded:
    shared = [task for task in names.TASKS if len(facts.shared("AKH", "IPGuard", task, TABLE_3)) == len(DATASETS)]

    def left(name: str, tasks: Iterable[str]) -> float:
        own = {d: np.mean([facts.tpr(d, name, task, TABLE_3) for task in tasks]) for d in DATASETS}
        return float(own[SACBENCH] - np.mean([own[d] for d in REUSE]))

    pooled, without = ({name: left(name, tasks) for name in ADVERSARIAL} for tasks in (["all"], shared))
    least = min(without, key=without.__getitem__)
    holds = without[least] >= -EXPLAINED
    return Graded(
        f"SACBench minus ModelReuse at {TABLE_3} queries: all tasks pooled {per(pooled, points)}; mean over the "
        f"{len(shared)} tasks that both have {per(without, points)}",
        _verdict(holds),
        f"On the tasks that both have, {least} on SACBench {stands(without[least], 'itself on ModelReuse')}, which "
        f"{'keeps' if holds else 'misses'} the limit of {size(EXPLAINED)} by {size(without[least] + EXPLAINED)}, with "
        f"{counted(len(facts.networks(SACBENCH)), 'victim')} on SACBench.",
        _rates(facts, ADVERSARIAL, TABLE_3),
    )


def spread(facts: Facts) -> Graded:
    def sd(place: str, kind: str, column: str = "delta_c") -> float:
        """Around the mean of those of one victim that serve the same tasks, if they are unrelated."""
        own = facts.side(place, kind)
        own = own.assign(official=official(own["delta_c"], own["accuracy_victim"]))
        if kind == "positive":
            return float(own[column].std())
        groups = own.groupby(["victim", own["tasks"].map(tuple)])[column]
        return float(np.sqrt(((own[column] - groups.transform("mean")) ** 2).sum() / (len(own) - groups.ngroups)))

    kinds, shown = {"stolen": "positive", "unrelated": "negative"}, "{:.3f}".format
    found = {side: {dataset: sd(dataset, kind) for dataset in DATASETS} for side, kind in kinds.items()}
    whole = {dataset: facts.side(dataset, "negative")["delta_c"].std() for dataset in DATASETS}
    plotted = {dataset: sd(dataset, "positive", "official") for dataset in DATASETS}
    ratio = {side: np.mean([own[d] for d in REUSE]) / own[SACBENCH] for side, own in found.items()}
    return Graded(
        f"s.d. of delta_C: stolen pairs {per(found['stolen'], shown)}; unrelated pairs that serve the same tasks of one "
        f"victim {per(found['unrelated'], shown)}, all unrelated pairs {per(whole, shown)}; stolen pairs by the authors' "
        f"formula, as plotted, {per(plotted, shown)}",
        _verdict(min(ratio.values()) > WIDER),
        f"On ModelReuse the s.d. is {ratio['stolen']:.1f} times that of SACBench for stolen pairs, and "
        f"{ratio['unrelated']:.1f} times for unrelated pairs that serve the same tasks. Over all unrelated pairs of "
        f"SACBench, those of corrupted images among them, it is {whole[SACBENCH] / found['unrelated'][SACBENCH]:.0f} times "
        "as large as over those that serve the same tasks.",
        _embedded(lambda place: per({side: sd(place, kind) for side, kind in kinds.items()}, shown), "s.d. of delta_C: "),
    )


def comparable(facts: Facts) -> Graded:
    whole = {dataset: facts.named(dataset, "all", FIGURE_1).drop("SAC", errors="ignore") for dataset in DATASETS}
    gaps = whole[SACBENCH] - pd.DataFrame({dataset: whole[dataset] for dataset in REUSE}).mean(axis=1)
    apart = gaps[gaps.abs() >= MARGIN]
    return Graded(
        f"SACBench minus the mean of ModelReuse at {FIGURE_1} queries: {per(gaps, points)}",
        _verdict(apart.empty),
        f"{len(apart)} of {len(gaps)} schemes differ by {size(MARGIN)} or more: {per(apart, points)}.",
        _rates(facts, gaps.index, FIGURE_1),
    )


def separation(facts: Facts) -> Graded:
    def said(row: separability.Row) -> str:
        common = separability.overlap(row, share=True)
        return f"AUC {row.rates.auc:.2f}" + ("" if math.isnan(common) else f" with {percent(common)} overlap")

    found = {dataset: facts.separation(dataset) for dataset in DATASETS}
    auc = {dataset: row.rates.auc for dataset, row in found.items()}
    best = max(REUSE, key=auc.__getitem__)
    clear = [dataset for dataset, row in found.items() if row.unrelated.min() > row.stolen.max()]
    start = "delta_C, AUC as a mean over victims, and the area that both densities share: "
    return Graded(
        start + per(found, said),
        _verdict(auc[SACBENCH] > auc[best]),
        f"The AUC is {auc[SACBENCH]:.2f} on SACBench and at most {auc[best]:.2f} on ModelReuse ({best}). Data sets on which "
        f"every unrelated pair lies farther than every stolen one: {listed(clear)}.",
        _embedded(lambda place: said(facts.separation(place)), start),
    )


def suited(facts: Facts) -> Graded:
    rates = {name: [facts.tpr(d, name, "all", TABLE_3) for d in (SACBENCH, "SDog120")] for name in NEGATIVE}
    gains = {name: one - other for name, (one, other) in rates.items()}
    both = "so do they suit" if min(gains.values()) > MARGIN else "they do not suit"
    return Graded(
        f"SACBench against SDog120 at {TABLE_3} queries: {per(rates, lambda pair: ' against '.join(map(percent, pair)))}",
        _verdict(gains["SAC"] > MARGIN),
        f"On SACBench SAC {stands(gains['SAC'], 'itself on SDog120')} and AKH {stands(gains['AKH'], 'itself')}: by a margin "
        f"of {size(MARGIN)} the pairs {'suit' if gains['SAC'] > MARGIN else 'do not suit'} SAC, and {both} negative "
        "sampling as a whole.",
        _rates(facts, NEGATIVE, TABLE_3),
    )


def conclusion(facts: Facts) -> Graded:
    def neither(named: "pd.Series[float]") -> bool:
        return "AKH" in named and named["AKH"] < SOLVED and named.max() - named.min() > MARGIN

    def said(named: "pd.Series[float]") -> str:
        return f"{percent(named.min())} to {percent(named.max())} (AKH {percent(named['AKH'])})"

    whole = {dataset: facts.named(dataset, "all", TABLE_3) for dataset in DATASETS}
    left = [dataset for dataset, named in whole.items() if neither(named)]
    cells = [f"{token(t)} of {d}" for d in DATASETS for t in names.TASKS if neither(facts.named(d, t, TABLE_3))]
    return Graded(
        f"lowest to highest scheme at {TABLE_3} queries, all tasks pooled: {per(whole, said)}",
        _verdict(not left),
        f"Schemes differ by more than {size(MARGIN)} and AKH stays below {percent(SOLVED)} on {len(left)} of {len(whole)} "
        f"data sets ({listed(left)}) and in {len(cells)} single cells ({listed(cells)}).",
        _embedded(lambda place: said(facts.named(place, "all", TABLE_3)), f"at {TABLE_3} queries: "),
    )


def almost_any(facts: Facts) -> Graded:
    columns = {task: pd.Series(facts.column(task, TABLE_3)) for task in names.TASKS}
    solved = {task: int((own >= SOLVED).sum()) for task, own in columns.items()}
    schemes = len(columns["same"])
    most = [token(task) for task, count in solved.items() if count >= schemes - 1]

    def recorded(place: str) -> str:
        tasks = [task for task in facts.rates[place]["task"].unique() if task != "all"]
        return listed(token(task) for task in tasks if (facts.named(place, task, TABLE_3) < SOLVED).sum() <= 1)

    return Graded(
        f"schemes of {schemes} that reach {percent(SOLVED)} at {TABLE_3} queries: {per_task(solved)}",
        _verdict(len(most) > len(solved) / 2),
        f"{len(most)} of {len(solved)} tasks are solved by at least {schemes - 1} of {schemes} schemes: {listed(most)}.",
        _embedded(recorded, f"tasks on which all schemes but one reach {percent(SOLVED)} at {TABLE_3} queries: "),
    )


def too_easy(facts: Facts) -> Graded:
    caught = {dataset: facts.tpr(dataset, "AKH", "all", FIGURE_1) for dataset in DATASETS}
    escape = {dataset: 1 - rate for dataset, rate in caught.items() if rate < SOLVED}
    hard = facts.hard("patchwork-sac", "AKH", FIGURE_1)
    return Graded(
        f"AKH at {FIGURE_1} queries: {per(caught, percent)}",
        _verdict(not escape),
        f"AKH catches {percent(SOLVED)} or more on {len(caught) - len(escape)} of {len(caught)} data sets; stolen models "
        f"that escape on the others: {per(escape, percent)}.",
        f"{_rates(facts, ['AKH'], FIGURE_1)}; with hard unrelated models (independent models trained on the victim's data) "
        f"patchwork-sac {percent(hard)}",
    )


def brittle(facts: Facts) -> Graded:
    columns = pd.DataFrame({task: facts.column(task, TABLE_3) for task in names.TASKS})
    low = columns.min(axis=1)
    worse, kept = low[list(ADVERSARIAL)].max(), low[list(NEGATIVE)].min()
    return Graded(
        f"worst task at {TABLE_3} queries: "
        + per(
            {
                name: f"{percent(low[name])} ({token(columns.loc[name].idxmin())})"
                for name in (*ADVERSARIAL, *NEGATIVE, "Random")
            }
        ),
        _verdict(worse < kept),
        f"On their worst tasks IPGuard and ModelDiff catch at most {percent(worse)}, AKH and SAC at least {percent(kept)}. "
        f"Random, which sends natural images, too, catches {percent(low['Random'])} on its worst.",
        _rates(facts, (*ADVERSARIAL, *NEGATIVE), TABLE_3, "adv_label_extraction"),
    )


def _unrelated(facts: Facts, places: Iterable[str]) -> dict[int, bool]:
    """How many unrelated models a victim's task has, each number once, and whether they come from as many networks."""
    by_task = [facts.side(place, "negative").explode("tasks").groupby(["victim", "tasks"])["root"] for place in places]
    counts = pd.concat([roots.agg(["size", count_independent]) for roots in by_task])
    return (counts["size"] == counts["count_independent"]).groupby(counts["size"]).all().to_dict()


def five_percent(facts: Facts) -> Graded:
    pools = _unrelated(facts, DATASETS)
    below = {count: allowed_below(count, kind="paper") or 0 for count in pools}
    flagged = {count: k / count for count, k in below.items()}
    fresh = {count: (below[count] + 1) / (count + 1) for count, independent in pools.items() if independent}
    kin = [str(count) for count, independent in pools.items() if not independent]

    def shown(share: float) -> str:
        return f"{100 * share:.1f} %"

    def said(shares: Mapping[int, float]) -> str:
        return listed(f"{shown(share)} of {count}" for count, share in shares.items())

    unknown = f"; not known of {listed(kin)}, which share networks" if kin else ""
    other = f"up to {shown(max(fresh.values()))}" if fresh else "a share that is not known"
    return Graded(
        f"unrelated models at hand that the paper rule flags, at most: {said(flagged)}; expected of models to come, "
        f"(k+1)/(n+1), where all at hand are independent: {said(fresh)}{unknown}",
        _verdict(max(flagged.values()) <= 0.05),
        "By the paper's definition, on the unrelated models at hand, false positives are at most "
        f"{shown(max(flagged.values()))}. Of models to come the same threshold is expected to flag {other}: that is another "
        "definition, and the guaranteed rule's.",
        _embedded(lambda place: listed(map(str, _unrelated(facts, [place]))), "unrelated models of a victim's task: "),
    )


def five_seeds(facts: Facts) -> Graded:
    from scipy.stats import t

    def runs(places: Iterable[str]) -> list[int]:
        return sorted({int(seeds) for place in places for seeds in facts.rates[place]["seeds"]})

    seeds, own = runs(DATASETS), pd.concat([facts.networks(dataset) for dataset in DATASETS])
    narrow = float(t.ppf(0.975, RUNS - 1)) / 0.95
    kin = f" of {own.nunique()} independent networks" if own.nunique() < len(own) else ""
    return Graded(
        f"query seeds behind a value: {listed(map(str, seeds))}",
        _verdict(seeds == [RUNS]),
        f"Values are means over {listed(map(str, seeds), ' or ')} query seeds. The text does not say what ± is; it is .95 "
        f"s.d. / sqrt({RUNS}) over query seeds, {narrow:.1f} times narrower than a 95 % interval over seeds, and says "
        f"nothing of victims other than these {len(own)}{kin}.",
        _embedded(lambda place: listed(map(str, runs([place]))), "query seeds behind a value: "),
    )
