"""The front door, and the only place that knows the order of the stages, from the names of schemes to a table of rates.

1. `request`      check what is asked; nothing is computed yet.
2. `examine`      ask about models that somebody brings, whether they are what they are said to be.
3. `plan`         cut what the store lacks into units of work.
4. `empty_cells`  say which cells will be empty, and refuse a scheme of which all are; only victims are asked.
5. `carry_out`    run the units, each at the `workbench` of its process: seed images are drawn, queries crafted, victim and
                  suspects answer, answers are represented, and detectors give the distances that the store keeps.
6. `tabulate`     from distances to rates, their means and their costs.

`evaluate` and the command line call the first and then `run`, which calls the others in this order. What is stored already
is not computed again.
"""

import warnings
from collections.abc import Callable, Iterable, Sequence
from functools import partial

import pandas as pd

from qurd_core.benchmarks.base import Benchmark
from qurd_core.errors import QurdError
from qurd_core.evaluation.plan import ask_some, empty_cells, plan
from qurd_core.evaluation.plausibility import Labels, findings, lineage_notes, measured_split, sampled
from qurd_core.evaluation.request import Request, request
from qurd_core.evaluation.tabulate import backwards, refuse_empty, reported, tabulate
from qurd_core.evaluation.workbench import Workbench, workbench
from qurd_core.executors import Unit, executor, finish, watched
from qurd_core.files import default_folder
from qurd_core.runtime import Runtime
from qurd_core.schemes import Scheme
from qurd_core.statistics.metrics import Rule, by_rule
from qurd_core.statistics.sides import Negatives
from qurd_core.store import Store


def evaluate(
    bench: Benchmark | str,
    schemes: Iterable[str],
    *,
    budgets: Sequence[int],
    seeds: int = 5,
    tasks: Sequence[str] = (),
    negatives: Negatives = "unrelated",
    pool: Sequence[str] | None = None,
    obfuscate: str | None = None,
    obfuscate_pool: bool = False,
    by_task: bool = False,
    rule: Rule | None = None,
    store: Store | None = None,
    runtime: Runtime | None = None,
) -> pd.DataFrame:
    """Detection rates of schemes on a benchmark: one row per scheme and budget, and per task if asked.

    Args:
        bench: a benchmark or its name.
        schemes: named schemes or texts `sampler | representation | detector`.
        budgets: numbers of images sent to a suspect.
        seeds: number of repetitions, each with its own queries.
        tasks: only these tasks, instead of all; the rows of a single one are called by its name.
        negatives: `"unrelated"`, or `"unrelated+hard"` to count hard unrelated models too.
        pool: root lineages of the unrelated models that calibrate, instead of all.
        obfuscate: what stolen models answer through, such as `"jpeg(quality=60)->topk(k=1)"`; the victim answers as it is.
        obfuscate_pool: unrelated models answer through it, too.
        by_task: one row per task beside the pooled one.
        rule: adds `value` and `spread`, the rate by the paper's rule or by the guaranteed one and its standard deviation.
        store: where results are kept; the user's cache folder if not given.
        runtime: how to compute.

    Returns:
        the columns of `metrics.ROWS`, with `COSTS`: different images among those sent, labelled images looked at and
        victim gradients computed per query set, and the share of the seeds tried that gave queries.

    Raises:
        QurdError: bad input, or a scheme whose every cell is empty. Single empty cells are warned of before anything runs.

    Rates are shares from 0 to 1. The first call asks the models, which takes a minute; what is stored is read.

    >>> table = evaluate("patchwork-sac", ["AKH", "Random"], budgets=[10, 20], seeds=2)
    >>> table[["scheme", "budget", "used"]].values.tolist()
    [['AKH', 10, 10], ['AKH', 20, 20], ['Random', 10, 10], ['Random', 20, 20]]
    >>> bool(table["tpr"].between(0, 1).all())
    True
    """
    counted = {"tasks": tasks, "negatives": negatives, "pool": pool}
    hidden = {"obfuscate": obfuscate, "obfuscate_pool": obfuscate_pool}
    asked = request(bench, schemes, budgets=budgets, seeds=seeds, **counted, **hidden)
    tell = partial(warnings.warn, stacklevel=3)
    table = run(asked, store or Store(default_folder()), runtime or Runtime(), tell=tell, by_task=by_task)
    return by_rule(table, rule) if rule else table


def run(
    asked: Request, store: Store, runtime: Runtime, *, tell: Callable[[str], None], by_task: bool = False
) -> pd.DataFrame:
    """Compute what the store lacks, then the table.

    Args:
        tell: hears one sentence per kind of empty cell before anything runs, the caveats of the benchmark, what is asked
            about one that somebody brings, and where stolen models lie farther from a victim than unrelated ones.
    """
    for sentence in (*asked.bench.caveats, *examine(asked, store, runtime)):
        tell(sentence)
    desk = workbench(asked.bench, store, runtime)
    if units := plan(asked, desk):
        for sentence in empty_cells(asked, desk):
            tell(sentence)
        carry_out(units, asked, store, runtime)
    table = tabulate(asked, desk)
    refuse_empty(table)
    for sentence in backwards(table):
        tell(sentence)
    return table if by_task else reported(table, asked)


def examine(asked: Request, store: Store, runtime: Runtime) -> list[str]:
    """What is to be asked about a benchmark that somebody brings, a sentence each, before it is scored.

    Models are measured on some items where some scheme sends such items anyway, and on all whose answers are known. Those
    behind obfuscations are measured as they are.

    Raises:
        QurdError: a model falls far below its declared accuracy.
    """
    bench = asked.bench.behind or asked.bench
    return examined(bench, asked.schemes, workbench(bench, store, runtime), runtime) if measured_split(bench) else []


def examined(bench: Benchmark, schemes: Iterable[Scheme], desk: Workbench, runtime: Runtime) -> list[str]:
    """The same of the models in the pairs of a benchmark that somebody brings, at its workbench."""
    split = measured_split(bench)
    if split is None:
        return []
    told = lineage_notes(bench)
    models = tuple(dict.fromkeys(name for pair in bench.pairs for name in (pair.victim, pair.suspect)))
    every = (one for scheme in schemes for one, _ in scheme.ingredients)
    known = all(desk.has_natural(model, split) for model in models)
    if not known and not any(one.sends_seeds and one.split == split for one in every):
        unseen = f"No scheme here sends the {split} items as they are, so the accuracy of the models was not measured."
        return [*told, f"{unseen} 'check-benchmark' does so."]
    rows = sampled(desk, split, models)
    ask_some(desk, split, models, rows, runtime)
    found = findings(bench, Labels.of(desk, split, models, rows))
    if found.problems:
        raise QurdError(f"{found.problems[0]} (In {bench.name}.)")
    return told + found.notes


def compute(asked: Request, store: Store, runtime: Runtime) -> None:
    """Put every score of the request into the store. A killed call is continued by the same call."""
    carry_out(plan(asked, workbench(asked.bench, store, runtime)), asked, store, runtime)


def carry_out(units: Sequence[Unit], asked: Request, store: Store, runtime: Runtime) -> None:
    """Run what was planned for a request."""
    if units:
        ended = executor(runtime.workers).run(units)
        noted = watched(ended, len(units), store.folder, asked.identity, runtime.device)
        finish(runtime.track(noted, len(units), "asking models"))
