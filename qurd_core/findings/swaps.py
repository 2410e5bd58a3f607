"""What a scheme gains by another sampler, in words."""

import pandas as pd

from qurd_core import views
from qurd_core.findings.language import words, worth_words


def headline(table: pd.DataFrame, name: str, where: str) -> str:
    """What the best other sampler brings; one that is ahead over models goes before all that are over query seeds."""
    others = table[(table["label"] != name) & table["value"].notna()]
    if others.empty:
        return f"No other sampler has a value for {name} {where}"
    ahead = others[others["verdict"] == "ahead"]
    if len(ahead):
        of_models = ahead[ahead["over"] == views.swaps.MODELS]
        best = (of_models if len(of_models) else ahead).iloc[0]
        over = "" if len(of_models) else f", over {views.swaps.SEEDS} only"
        gain = words.points(best["gain"]).lstrip("+")
        return f"With {words.sampler(best['sampler'])}, {name} gains {gain} {where}{over}"
    one = len(others) == 1
    who = "The one other sampler does not raise" if one else f"None of {len(others)} other samplers raises"
    return f"{who} the TPR of {name}{' significantly' if others['gain'].max() > 0 else ''} {where}"


def tests(table: pd.DataFrame, worth: pd.DataFrame) -> str:
    """What the verdicts rest on.

    Args:
        worth: of the same task and budget.
    """
    over = table["over"].value_counts()
    models, seeds = int(over.get(views.swaps.MODELS, 0)), int(over.get(views.swaps.SEEDS, 0))
    if not models:
        return f"gains: spread over {views.swaps.SEEDS} only"
    rest = f"; the other {seeds} over {views.swaps.SEEDS} only" if seeds else ""
    return (
        f"gains: 95 % intervals, bootstrap over {views.swaps.MODELS}{worth_words.victims(worth)}, {together(models)}{rest}"
    )


def together(number: int) -> str:
    """For how many swaps the intervals hold."""
    every = "the one swap" if number == 1 else f"all {number} swaps"
    return f"{'simultaneous ' * (number > 1)}for {every} with recorded distances"


def alt(table: pd.DataFrame, name: str) -> str:
    """The chart in one sentence."""
    said = ", ".join(
        f"{row.sampler} {words.percent(row.value)}" for row in table.dropna(subset="value").head(5).itertuples()
    )
    return f"TPR at 5% false alarms of {name} with {len(table)} samplers, best first: {said}."
