"""Does winning on one benchmark mean winning on another? Kendall's tau over the combinations that two benchmarks share."""

from collections.abc import Iterator
from itertools import combinations
from pathlib import Path

import numpy as np
import pandas as pd

from qurd_core.benchmarks import registered
from qurd_core.paper import names
from qurd_core.records import own_records, rate_records
from qurd_core.records.rate_records import RAW_BUDGETS
from qurd_core.records.scheme_table import LEVELS, twins
from qurd_core.runtime import Track, silent
from qurd_core.statistics import node_bootstrap

FILE = "agreement.parquet"
DRAWS = 500
OURS = (*rate_records.EMBEDDED, *registered.examples())  # whose rates are recorded
METHOD = (
    "Kendall's tau-b over the combinations that both benchmarks have at this budget, TPR@5% by the paper's rule, all tasks "
    "pooled, SACBench's transfer task left out. The interval holds 95 % of 500 draws of the lineages and query seeds of the "
    "published benchmarks (node bootstrap); rates on embedded benchmarks and on digits are held. Models of digits reveal "
    "probits: a combination on these stands for the same on logits."
)


def measure(folder: Path, track: Track = silent) -> pd.DataFrame:
    """Tau of every two benchmarks at every budget, from imported scores and the embedded records.

    Args:
        folder: of imported scores.

    Returns:
        rows of one, other, budget, shared (combinations), tau, low, high.
    """
    work = [(budget, name) for budget in RAW_BUDGETS for name in (*names.BENCHMARKS, *OURS)]
    rates: dict[int, dict[str, pd.DataFrame]] = {}
    for budget, name in track(work, len(work), "resampling"):
        found = _recorded(name, budget) if name in OURS else _drawn(name, budget, folder)
        rates.setdefault(budget, {})[name] = found
    return pd.DataFrame(_rows(rates))


def read(folder: Path | None = None) -> pd.DataFrame:
    """What ships."""
    return rate_records.published_table(FILE, folder)


def _drawn(benchmark: str, budget: int, folder: Path) -> pd.DataFrame:
    """(schemes, draws+1) rates; the first column is the table itself."""
    scores = rate_records.scores(benchmark, folder)
    pairs = rate_records.pairs(benchmark, folder)
    pairs = pairs[~pairs["tasks"].map(lambda tasks: "transfer" in tasks)]
    known = pairs[["victim", "suspect", "kind", "tasks", "root"]].rename(columns={"root": "lineage"})
    table = scores[scores["budget"] == budget].astype({"scheme": str, "victim": str, "suspect": str})
    table = table.merge(known, on=["victim", "suspect"]).assign(benchmark=benchmark)
    drawn = node_bootstrap(table, rule="paper", draws=DRAWS)
    return pd.DataFrame({scheme: drawn.draws(scheme, "all") for scheme in table["scheme"].unique()}).T


def _recorded(benchmark: str, budget: int) -> pd.DataFrame:
    """As `_drawn`, with the same rates in every column; what quickshift has cut goes by the authors' names, and what is
    known of probits alone by those of the same on logits.
    """
    table = rate_records.read(benchmark)
    note = None if benchmark in rate_records.EMBEDDED else own_records.note_of(benchmark)
    if note and note.access < LEVELS["logits"]:
        same = {probits: logits for logits, probits in twins(rate_records.schemes()).items()}
        table = table.assign(scheme=table["scheme"].replace(same))
    table = table[~table["scheme"].isin(names.CUT)].assign(
        scheme=table["scheme"].replace({v: k for k, v in names.CUT.items()})
    )
    rates = table[table["budget"] == budget].set_index("scheme")["tpr"].dropna().astype(float)
    return pd.DataFrame(np.repeat(rates.to_numpy()[:, None], DRAWS + 1, axis=1), rates.index)


def _rows(rates: dict[int, dict[str, pd.DataFrame]]) -> Iterator[dict[str, object]]:
    from scipy.stats import kendalltau

    for budget, found in rates.items():
        for one, other in combinations(found, 2):
            shared = found[one].index.intersection(found[other].index)
            first, second = (found[name].loc[shared].to_numpy() for name in (one, other))
            taus = [kendalltau(first[:, draw], second[:, draw]).statistic for draw in range(DRAWS + 1)]
            low, high = np.nanpercentile(taus[1:], [2.5, 97.5])
            held = one in OURS and other in OURS
            ends = {"low": np.nan, "high": np.nan} if held else {"low": low, "high": high}
            yield {"one": one, "other": other, "budget": budget, "shared": len(shared), "tau": taus[0], **ends}
