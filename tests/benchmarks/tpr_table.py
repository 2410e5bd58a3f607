"""How long `group_tpr` takes on the 2.7 million published scores: python -m tests.benchmarks.tpr_table

The table is labelled, stripped of pairs that are neither stolen nor unrelated and given one integer per group before the
clock starts: that is how a table is stored by whoever wants to read it often.
"""

import os
import statistics
import tempfile
import time
from pathlib import Path

import duckdb
import numpy as np

from qurd_core.evaluation.metrics import rates
from qurd_core.evaluation.tables import group_tpr

FOLDER = Path(os.environ.get("QURD_PAPER") or Path(__file__).parents[3] / "shared" / "paper")

# A suspect made from the victim, or the victim itself, is stolen. Otherwise ModelReuse leaves out the pairs in which both
# come from the same pretrained network: they are neither. A model trained from scratch is unrelated to every other.
KIND = """case
    when target_model = source_model or starts_with(target_model, source_model || '->') then 'positive'
    when benchmark <> 'ModelReuse' or starts_with(source_model, 'train(') or starts_with(target_model, 'train(')
        or split_part(source_model, '->', 1) <> split_part(target_model, '->', 1) then 'negative'
end"""

_KEYS = "benchmark, dataset, seed, split, sampler, representation, distance, budget, source_model"

REPEATS = 7
CHECKED = 2_000


def prepare(scores: Path, labelled: Path) -> None:
    """Write the labelled table: group number, kind, value."""
    with duckdb.connect(config={"threads": 2}) as con:
        con.execute(
            f"""copy (
                select * from (
                    select cast(dense_rank() over (order by {_KEYS}) as int) as cell, {KIND} as kind, value
                    from read_parquet($scores)
                ) where kind is not null order by cell, kind
            ) to '{labelled}' (format parquet, compression zstd)""",
            {"scores": str(scores)},
        )


def worst_difference(labelled: Path, table) -> float:
    """Largest difference from `rates` over the first groups."""
    rows = duckdb.read_parquet(str(labelled)).filter(f"cell <= {CHECKED}").df()
    expected = []
    for _, group in rows.groupby("cell"):
        sides = [group.loc[group["kind"] == kind, ["value"]].to_numpy() for kind in ("negative", "positive")]
        expected.append([float(rate[0]) for rate in rates(*sides)[:2]])
    found = table.set_index("cell").loc[: rows["cell"].max(), ["tpr", "tpr_conformal"]].to_numpy()
    return float(np.abs(found - np.array(expected)).max())


def main() -> None:
    scores = FOLDER / "scores.parquet"
    if not scores.is_file():
        print(f"Skipped: there is no {scores}. Set QURD_PAPER to the folder that holds the published scores.")
        return
    with tempfile.TemporaryDirectory() as folder:
        labelled = Path(folder) / "labelled.parquet"
        start = time.perf_counter()
        prepare(scores, labelled)
        prepared, seconds = time.perf_counter() - start, []
        for _ in range(REPEATS):
            start = time.perf_counter()
            table = group_tpr(labelled, ["cell"])
            seconds.append(time.perf_counter() - start)
        rows = duckdb.read_parquet(str(labelled)).shape[0]
        print(f"{rows:,} labelled scores in {len(table):,} groups (labelled in {prepared:.1f} s, not timed)")
        print(f"group_tpr: median {statistics.median(seconds):.3f} s, worst {max(seconds):.3f} s of {REPEATS}")
        print(f"largest difference from rates in the first {CHECKED:,} groups: {worst_difference(labelled, table):.1e}")


if __name__ == "__main__":
    main()
