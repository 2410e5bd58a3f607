"""Graders of one claim each, in the paper's order; `shapes` has those that several share, and says what a grader gives."""

import math
from collections.abc import Iterable
from itertools import product

import numpy as np
import pandas as pd

from qurd_core.akh import official
from qurd_core.lineage import count_independent
from qurd_core.paper import names
from qurd_core.paper.facts import DATASETS, FIGURE_1, REUSE, SACBENCH, TABLE_3, Facts
from qurd_core.paper.phrases import counted, listed, per, percent, points, stands, token
from qurd_core.paper.shapes import ADVERSARIAL, MARGIN, NEGATIVE, NOTABLE, SOLVED, Values, everywhere, graded
from qurd_core.paper.tables import BUDGETS
from qurd_core.records.rate_records import EMBEDDED
from qurd_core.schemes import PUBLISHED, Scheme
from qurd_core.statistics import allowed_below
from qurd_core.views import separability

EXPLAINED = 0.05  # what may be left of a gap that is explained
WIDER = 1.5  # how many times as large a spread is that is much higher
MANY = 0.2  # the least share of combinations that is many
HUNDRED = 80  # combinations that are about a hundred
SUFFERING = ("ModelDiff", "SAC")
LEAKS = names.LEAKS[:4]  # those that the text calls solved
EXTRACTIONS = names.TASKS[5:]
BOLD = ("probit_extraction", "label_extraction")  # tasks with numbers of SAC in bold
RUNS = 5  # query seeds, as the paper has it


def hundred(facts: Facts) -> Values:
    unnamed, embedded = everywhere(facts.unnamed)
    most, least = (pick(unnamed, key=unnamed.__getitem__) for pick in (max, min))
    have = {dataset: set(facts.rates[dataset]["scheme"]) for dataset in DATASETS}
    lacks = sorted({str(Scheme.read(text).seeds) for text in have[most] - have[least]})
    fewer = f"; {least} has {unnamed[least]}: it lacks combinations with {listed(lacks, ' and ')}"
    values = {"most": most, "highest": unnamed[most], "fewer": fewer if unnamed[least] < unnamed[most] else ""}
    return graded(unnamed[most] >= HUNDRED, unnamed=unnamed, embedded=embedded, **values)


def many_worse(facts: Facts) -> Values:
    shares, embedded = everywhere(lambda place: facts.share_below(place, FIGURE_1))
    least, most = min(shares.values()), max(shares.values())
    return graded(least > MANY, shares=shares, least=least, most=most, embedded=embedded)


def at_best_as_good(facts: Facts) -> Values:
    named = {dataset: facts.named(dataset, "all", FIGURE_1) for dataset in DATASETS}
    gaps = {dataset: rates[rates.index.isin(PUBLISHED)] - rates["AKH"] for dataset, rates in named.items()}
    above = {f"{name} on {dataset}": gap for dataset, own in gaps.items() for name, gap in own.items() if gap > 0.005}
    counts = {dataset: (int((own > 0.005).sum()), len(own)) for dataset, own in gaps.items()}
    total, others = sum(map(len, gaps.values())), f"; the others: {per(above, points)}" if above else ""
    return graded(len(above) < total / 2, counts=counts, level=total - len(above), total=total, others=others)


def few_samples(facts: Facts) -> Values:
    made = {name: TABLE_3 // Scheme.parse(name).group_size for name in ("ZestOfLIME", "ModelDiff", "AKH")}
    return graded(None, made=[f"{counted(images, 'image')} by {name}" for name, images in made.items()])


def ten_points(facts: Facts) -> Values:
    def swap(place: str, before: str, after: str) -> tuple[float, float]:
        own, other = (facts.tpr(place, text, "all", TABLE_3) for text in (before, after))
        return own, other - own

    own, gain = swap("Flower102", "IPGuard", "negative(test)->pgd | labels | hamming")
    seeds = [f"{rule}(test)->boundary | labels | hamming" for rule in ("uniform", "negative")]
    embedded = {place: swap(place, *seeds)[1] for place in EMBEDDED}
    return graded(None, own=own, other=own + gain, gain=gain, share=100 * gain / own, embedded=embedded)


def needs(facts: Facts) -> Values:
    def fbi(place: str) -> str:
        ends = TABLE_3, int(facts.rates[place]["budget"].max())
        return listed((f"{percent(facts.tpr(place, 'FBI', 'all', at))} at {at}" for at in ends), " and ") + " queries"

    most = max(int(facts.rates[dataset]["budget"].max()) for dataset in DATASETS)
    known = any((facts.rates[dataset]["name"] == "FBI").any() for dataset in DATASETS)
    return graded(None, most=most, absent="" if known else " and have no FBI", embedded=everywhere(fbi)[1])


def equal_or_better(facts: Facts) -> Values:
    leads = {}
    for dataset, budget in product(DATASETS, BUDGETS):
        named = facts.named(dataset, "all", budget)
        ours, theirs = (named[named.index.isin(kind)] for kind in (NEGATIVE, ADVERSARIAL))
        if len(ours) and len(theirs):
            leads[f"{theirs.idxmax()} on {dataset} at {budget}"] = theirs.max() - ours.max()
    ahead = {place: lead for place, lead in leads.items() if lead > NOTABLE}
    return graded(not ahead, ahead=ahead, some=len(ahead), all=len(leads), most=max(leads.values(), default=0))


def _enough(curves: dict[str, dict[int, float]]) -> "pd.Series[int]":
    """The budget from which on a scheme is within two points of its best; of schemes that were run from the least on."""
    whole = {name: curve for name, curve in curves.items() if BUDGETS[0] in curve}
    least = {name: min(at for at, rate in c.items() if rate >= max(c.values()) - NOTABLE) for name, c in whole.items()}
    return pd.Series(least)


def optimal(facts: Facts) -> Values:
    def said(found: "pd.Series[int]") -> str:
        return f"{found.min()} ({found.idxmin()}) to {found.max()} ({found.idxmax()})"

    found, here = everywhere(lambda place: _enough(facts.curves(place)))
    ratio = {dataset: own.max() / own.min() for dataset, own in found.items()}
    worst = max(ratio, key=ratio.__getitem__)
    values = {"worst": worst, "slow": found[worst].idxmax(), "quick": found[worst].idxmin(), "times": ratio[worst]}
    ends, embedded = ({place: said(own) for place, own in some.items()} for some in (found, here))
    return graded(ratio[worst] <= 2, ends=ends, **values, embedded=embedded)


def variance(facts: Facts) -> Values:
    def sd(place: str, budgets: Iterable[int]) -> "pd.Series[float]":
        found = pd.DataFrame({at: facts.named(place, "all", at, "sd") for at in budgets})
        return 100 * found.mean(axis=1).reindex([*NEGATIVE, *ADVERSARIAL])

    table = pd.DataFrame({dataset: sd(dataset, [at for at in BUDGETS if at >= 50]) for dataset in DATASETS})
    ours, theirs = (table.loc[list(kind)].mean() for kind in (NEGATIVE, ADVERSARIAL))
    said = {dataset: f"({ours[dataset]:.1f} against {theirs[dataset]:.1f} points)" for dataset in DATASETS}
    lower, rest = ({d: said[d] for d in DATASETS if (ours[d] < theirs[d]) == less} for less in (True, False))
    means = {dataset: f"({per(table[dataset].dropna(), '{:.2f}'.format)})" for dataset in DATASETS}
    values = {"others": f", and not on {per(rest)}" if rest else "", "embedded": {p: sd(p, [TABLE_3]) for p in EMBEDDED}}
    return graded(len(lower) >= 2 and SACBENCH in lower, means=means, lower=lower, **values)


def suffers(facts: Facts) -> Values:
    rates = pd.concat({dataset: facts.rates[dataset].query("task == 'all'") for dataset in DATASETS}, names=["dataset"])
    wide = rates.pivot_table(index=["dataset", "scheme"], columns="budget", values="tpr")
    change = (wide[400] - wide[100]).dropna()
    curves = {f"{s} on {d}": facts.curves(d).get(s, {}) for s in SUFFERING for d in DATASETS}
    named = {place: curve[400] - curve[100] for place, curve in curves.items() if {100, 400} <= set(curve)}
    related = np.array(["pairwise" in text or "listwise" in text for _, text in change.index])
    falls = (change < -NOTABLE).to_numpy()
    worst, (share, rest) = min(named, key=named.__getitem__), [falls[side].mean() for side in (related, ~related)]
    counts = {"lost": falls[related].sum(), "related": related.sum(), "lost_too": falls[~related].sum()}
    values = {"named": named, "worst": worst, "least": named[worst], "share": share, "rest": rest, **counts}
    return graded(named[worst] < -NOTABLE and share > rest, **values, unrelated=(~related).sum())


def gap(facts: Facts) -> Values:
    def apart(place: str, name: str, at: int) -> float:
        return facts.tpr(place, name, "all", at, "mean_unrelated") - facts.tpr(place, name, "all", at, "mean_stolen")

    found, embedded = everywhere(lambda place: {s: [apart(place, s, at) for at in (100, 400)] for s in SUFFERING})
    every = {f"{name} on {dataset}": found[dataset][name] for name in SUFFERING for dataset in DATASETS}
    gaps = {place: pair for place, pair in every.items() if not np.isnan(pair).any()}
    shrinks = [place for place, (before, after) in gaps.items() if after < before]
    values = {"some": len(shrinks), "all": len(gaps), "embedded": embedded}
    return graded(2 * len(shrinks) > len(gaps), gaps=gaps, shrinks=shrinks, **values)


def table3(facts: Facts) -> Values:
    columns = {task: facts.column(task, TABLE_3) for task in names.TASKS}
    every = [(name, task) for task, column in columns.items() for name in column if name in PUBLISHED]
    gaps = {cell: found for cell in every if (found := facts.shared("AKH", *cell, TABLE_3))}
    place = {(name, task): f"{name} on {token(task)}" for name, task in gaps}
    means = {place[cell]: float(np.mean(list(found.values()))) for cell, found in gaps.items()}
    printed = {place[name, task]: columns[task]["AKH"] - columns[task][name] for name, task in gaps}
    leads = {f"{place[cell]} of {dataset}": lead for cell, found in gaps.items() for dataset, lead in found.items()}
    # Rates ship as float32, and ten points are not more than ten points.
    cells = {where: lead for where, lead in leads.items() if lead < -MARGIN - 1e-6}
    printed, behind = ({where: lead for where, lead in found.items() if lead < -MARGIN} for found in (printed, means))
    worst, counts = min(means, key=means.__getitem__), {"some": len(cells), "all": len(leads)}
    return graded(not behind, behind=behind, where=worst, least=means[worst], printed=printed, cells=cells, **counts)


def sac_best(facts: Facts) -> Values:
    columns = {task: pd.Series(facts.column(task, TABLE_3)) for task in BOLD}
    gaps = {task: list(facts.shared("AKH", "SAC", task, TABLE_3).values()) for task in BOLD}
    level = [f"{stands(float(np.mean(gap)), 'SAC')} on {token(task)}" for task, gap in gaps.items()]
    best = {task: f"{column.idxmax()} {percent(column.max())}" for task, column in columns.items()}
    holds = {column.idxmax() for column in columns.values()} == {"SAC"}
    own = {place: {t: facts.named(place, t, TABLE_3).loc[list(NEGATIVE)] for t in BOLD} for place in EMBEDDED}
    return graded(holds, best=best, level=level, some=len(gaps[BOLD[0]]), all=len(DATASETS), embedded=own)


def solved(facts: Facts) -> Values:
    columns = {task: facts.column(task, TABLE_3) for task in LEAKS}
    rivals = {task: [rate >= SOLVED for name, rate in own.items() if name in PUBLISHED] for task, own in columns.items()}
    left = [token(t) for t in LEAKS if columns[t]["AKH"] < SOLVED or 2 * sum(rivals[t]) <= len(rivals[t])]
    rates = {f"{name} on {token(task)}": rate for task in LEAKS for name, rate in columns[task].items() if name != "Random"}
    short = {place: rate for place, rate in rates.items() if rate < SOLVED}
    refused = [token(task) for task in LEAKS if math.isnan(facts.cell("AKH", task, TABLE_3, "tpr_conformal"))]
    guaranteed = f" The guaranteed rule refuses {listed(refused)}: too few independent unrelated models." if refused else ""
    return graded(not left, left=left, short=short, tasks=len(LEAKS), guaranteed=guaranteed)


def unsolved(facts: Facts) -> Values:
    columns = {task: pd.Series(facts.column(task, TABLE_3)) for task in ("prune", *EXTRACTIONS)}
    best = {task: f"{own.idxmax()} {100 * own.max():.1f} %" for task, own in columns.items()}
    rate, name = columns["prune"].max(), columns["prune"].idxmax()
    return graded(rate >= SOLVED, best=best, name=name, rate=100 * rate, missing=SOLVED - rate)


def adversarial_easy(facts: Facts) -> Values:
    found = facts.named(SACBENCH, "adv_label_extraction", TABLE_3)
    ours, rest = found[found.index.isin(NEGATIVE)], found[~found.index.isin(NEGATIVE)]
    lead = ours.min() - rest.max()
    values = {"found": found, "lead": lead, "lower": ours.idxmin(), "other": rest.idxmax()}
    return graded(lead > MARGIN, **values, victims=len(facts.networks(SACBENCH)))


def harder(facts: Facts) -> Values:
    columns = {task: pd.Series(facts.column(task, TABLE_3)).drop("Random") for task in names.TASKS}
    leak, extraction = (float(pd.concat([columns[t] for t in tasks]).mean()) for tasks in (names.LEAKS, EXTRACTIONS))
    limit = {dataset: facts.separation(dataset, "label_extraction").rates.tpr for dataset in DATASETS}
    values = {"leak": leak, "extraction": extraction, "gap": extraction - leak, "limit": limit}
    return graded(extraction < leak - MARGIN, **values)


def two_exceptions(facts: Facts) -> Values:
    def tasks(*places: str) -> set[str]:
        return {task for place in places for served in facts.side(place, "positive")["tasks"] for task in served}

    reuse, bench = tasks(*REUSE), tasks(SACBENCH)
    only = {"ModelReuse": reuse - bench, "SACBench": bench - reuse}
    printed = sum((SACBENCH in sets) != bool(set(REUSE) & set(sets)) for sets in names.PRINTED.values())
    said = {place: f"({listed(map(token, sorted(some)))})" for place, some in only.items()}
    own = [tasks(place) for place in EMBEDDED]
    some = map(token, sorted(set.union(*own) - set.intersection(*own)))
    differ = len(reuse ^ bench)
    return graded(differ == 2, only=said, differ=differ, printed=printed, embedded=some)


def explains(facts: Facts) -> Values:
    shared = [task for task in names.TASKS if len(facts.shared("AKH", "IPGuard", task, TABLE_3)) == len(DATASETS)]

    def left(name: str, tasks: Iterable[str]) -> float:
        own = {d: np.mean([facts.tpr(d, name, task, TABLE_3) for task in tasks]) for d in DATASETS}
        return float(own[SACBENCH] - np.mean([own[d] for d in REUSE]))

    pooled, without = ({name: left(name, tasks) for name in ADVERSARIAL} for tasks in (["all"], shared))
    least = min(without, key=without.__getitem__)
    values = {"pooled": pooled, "without": without, "tasks": len(shared), "name": least, "least": without[least]}
    values |= {"over": without[least] + EXPLAINED, "victims": len(facts.networks(SACBENCH))}
    return graded(without[least] >= -EXPLAINED, **values)


def spread(pairs: pd.DataFrame) -> dict[str, float]:
    """s.d. of delta_C of stolen pairs, also by the authors' formula, and of unrelated ones, around the mean of those of one
    victim that serve the same tasks, and around that of all.
    """
    stolen, unrelated = (pairs[pairs["kind"] == kind] for kind in ("positive", "negative"))
    groups = unrelated.groupby(["victim", unrelated["tasks"].map(tuple)])["delta_c"]
    within = ((unrelated["delta_c"] - groups.transform("mean")) ** 2).sum() / (len(unrelated) - groups.ngroups)
    plotted = official(stolen["delta_c"], stolen["accuracy_victim"]).std()
    return {
        "stolen": stolen["delta_c"].std(),
        "unrelated": within**0.5,
        "whole": unrelated["delta_c"].std(),
        "plotted": plotted,
    }


def wider(facts: Facts) -> Values:
    found, here = everywhere(lambda place: spread(facts.pairs[place]))
    table = pd.DataFrame(found)
    ratio = table[list(REUSE)].mean(axis=1) / table[SACBENCH]
    values = {f"{side}_ratio": ratio[side] for side in ("stolen", "unrelated")} | {
        side: table.loc[side] for side in table.index
    }
    values["embedded"] = {place: {side: own[side] for side in ("stolen", "unrelated")} for place, own in here.items()}
    times = table.loc["whole", SACBENCH] / table.loc["unrelated", SACBENCH]
    return graded(ratio[["stolen", "unrelated"]].min() > WIDER, **values, times=times)


def comparable(facts: Facts) -> Values:
    whole = {dataset: facts.named(dataset, "all", FIGURE_1).drop("SAC", errors="ignore") for dataset in DATASETS}
    gaps = whole[SACBENCH] - pd.DataFrame({dataset: whole[dataset] for dataset in REUSE}).mean(axis=1)
    apart = gaps[gaps.abs() >= MARGIN]
    return graded(apart.empty, gaps=gaps, apart=apart, some=len(apart), all=len(gaps))


def separation(facts: Facts) -> Values:
    def said(row: separability.Row) -> str:
        common = separability.overlap(row, share=True)
        return f"AUC {row.rates.auc:.2f}" + ("" if math.isnan(common) else f" with {percent(common)} overlap")

    rows, here = everywhere(facts.separation)
    auc = {dataset: row.rates.auc for dataset, row in rows.items()}
    best = max(REUSE, key=auc.__getitem__)
    clear = [dataset for dataset, row in rows.items() if row.unrelated.min() > row.stolen.max()]
    found, embedded = ({place: said(row) for place, row in some.items()} for some in (rows, here))
    values = {"found": found, "clear": clear, "embedded": embedded}
    return graded(auc[SACBENCH] > auc[best], **values, own=auc[SACBENCH], best=best, other=auc[best])


def suited(facts: Facts) -> Values:
    rates = {name: [facts.tpr(d, name, "all", TABLE_3) for d in (SACBENCH, "SDog120")] for name in NEGATIVE}
    sac, akh = (one - other for one, other in (rates["SAC"], rates["AKH"]))
    both = "so do they suit" if min(sac, akh) > MARGIN else "they do not suit"
    return graded(sac > MARGIN, rates=rates, sac=sac, akh=akh, both=both)


def conclusion(facts: Facts) -> Values:
    def said(place: str) -> str:
        named = facts.named(place, "all", TABLE_3)
        return f"{percent(named.min())} to {percent(named.max())} (AKH {percent(named['AKH'])})"

    def neither(dataset: str, task: str) -> bool:
        named = facts.named(dataset, task, TABLE_3)
        return "AKH" in named and named["AKH"] < SOLVED and named.max() - named.min() > MARGIN

    whole, embedded = everywhere(said)
    left = [dataset for dataset in DATASETS if neither(dataset, "all")]
    cells = [f"{token(task)} of {dataset}" for dataset in DATASETS for task in names.TASKS if neither(dataset, task)]
    values = {"some": len(left), "all": len(DATASETS), "single": len(cells)}
    return graded(not left, whole=whole, left=left, cells=cells, **values, embedded=embedded)


def almost_any(facts: Facts) -> Values:
    def but_one(place: str) -> str:
        tasks = [task for task in facts.rates[place]["task"].unique() if task != "all"]
        return listed(token(task) for task in tasks if (facts.named(place, task, TABLE_3) < SOLVED).sum() <= 1)

    columns = {task: pd.Series(facts.column(task, TABLE_3)) for task in names.TASKS}
    counts, schemes = {task: int((own >= SOLVED).sum()) for task, own in columns.items()}, len(columns["same"])
    most = [token(task) for task, count in counts.items() if count >= schemes - 1]
    values = {"but_one": schemes - 1, "most": most, "some": len(most), "all": len(counts)}
    embedded = everywhere(but_one)[1]
    return graded(len(most) > len(counts) / 2, counts=counts, schemes=schemes, **values, embedded=embedded)


def brittle(facts: Facts) -> Values:
    columns = pd.DataFrame({task: facts.column(task, TABLE_3) for task in names.TASKS})
    low, where = columns.min(axis=1), columns.idxmin(axis=1)
    worst = {name: f"{percent(low[name])} ({token(where[name])})" for name in (*ADVERSARIAL, *NEGATIVE, "Random")}
    worse, kept = low[list(ADVERSARIAL)].max(), low[list(NEGATIVE)].min()
    return graded(worse < kept, worst=worst, worse=worse, kept=kept, random=low["Random"])


def five_percent(facts: Facts) -> Values:
    def unrelated(*places: str) -> dict[int, bool]:
        """How many unrelated models a victim's task has, each number once, and whether they are of as many networks."""
        served = [facts.side(place, "negative").explode("tasks").groupby(["victim", "tasks"])["root"] for place in places]
        counts = pd.concat([roots.agg(["size", count_independent]) for roots in served])
        return (counts["size"] == counts["count_independent"]).groupby(counts["size"]).all().to_dict()

    pools = unrelated(*DATASETS)
    below = {count: allowed_below(count, kind="paper") or 0 for count in pools}
    flagged = {count: 100 * (k / count) for count, k in below.items()}
    fresh = {count: 100 * ((below[count] + 1) / (count + 1)) for count, independent in pools.items() if independent}
    kin = [str(count) for count, independent in pools.items() if not independent]
    said, to_come = ([f"{share:.1f} % of {count}" for count, share in found.items()] for found in (flagged, fresh))
    unknown = f"; not known of {listed(kin)}, which share networks" if kin else ""
    other, most = f"up to {max(fresh.values()):.1f} %" if fresh else "a share that is not known", max(flagged.values())
    values = {"unknown": unknown, "other": other, "embedded": {place: map(str, unrelated(place)) for place in EMBEDDED}}
    return graded(most <= 5, flagged=said, fresh=to_come, most=most, **values)


def five_seeds(facts: Facts) -> Values:
    from scipy.stats import t

    def seeds(*places: str) -> list[str]:
        return [str(number) for number in sorted({int(n) for place in places for n in facts.rates[place]["seeds"]})]

    found, own = seeds(*DATASETS), pd.concat([facts.networks(dataset) for dataset in DATASETS])
    kin = f" of {own.nunique()} independent networks" if own.nunique() < len(own) else ""
    values = {"seeds": found, "means": " or ".join(found), "runs": RUNS, "narrow": float(t.ppf(0.975, RUNS - 1)) / 0.95}
    embedded = {place: seeds(place) for place in EMBEDDED}
    return graded(found == [str(RUNS)], **values, victims=f"{len(own)}{kin}", embedded=embedded)
