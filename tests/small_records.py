"""Small records, in place of the shipped ones."""

import math

import pandas as pd

BUDGETS = (*range(10, 101, 10), 130, 200, 250, 400)
ENDS = {  # TPR at the smallest and at the largest budget
    "AKH": (0.55, 1.0),
    "Random": (0.06, 0.50),
    "IPGuard": (0.40, 0.46),
    "ModelDiff": (0.37, 0.57),
    "SAC": (0.83, 1.0),
    "ZestOfLIME": (0.50, 0.69),
    "FBI": (0.15, 0.62),
    "accuracy": (0.20, 0.34),
}
MIXES = [f"uniform(test)->pgd(eps=0.0{step}) | labels | hamming" for step in range(1, 7)]


def make_rows(scheme: str, name: str | None, task: str, negatives: str) -> pd.DataFrame:
    """One line: ZestOfLIME starts at 100 queries, SAC ends at 250, `quantize` has too few unrelated models."""
    low, high = ENDS.get(name, (0.1, 0.1 + 0.1 * len(scheme) % 0.7))
    hard, few = negatives == "unrelated+hard", task == "quantize"
    rows = []
    for budget in BUDGETS:
        reason = "a budget of 10 buys no group of 100 queries" if name == "ZestOfLIME" and budget < 100 else None
        reason = "the seed set gives 252 queries only" if name == "SAC" and budget > 250 else reason
        value = low + (high - low) * math.log(budget / 10) / math.log(40) - 0.05 * hard
        value = math.nan if reason else min(1.0, max(0.0, value))
        guaranteed = math.nan if few else max(0.0, value - 0.07)
        number = 12 if few else 44 if hard else 40
        rows.append(
            {
                "scheme": scheme,
                "name": name,
                "negatives": negatives,
                "task": task,
                "budget": budget,
                "used": 0 if reason else budget,
                "tpr": value,
                "tpr_conformal": guaranteed,
                "sd": math.nan if reason else 0.02,
                "sd_conformal": math.nan if reason or few else 0.02,
                "auc": value,
                "n_negatives": number,
                "n_lineages": number,
                "n_positives": 30,
                "n_victims": 3,
                "seeds": 5,
                "reason": reason or ("Refused: too few unrelated models." if few else None),
                "mean_stolen": 0.2,
                "mean_unrelated": 0.5,
                "distinct": budget,
                "samples": 6 * budget,
                "gradients": 0,
            }
        )
    return pd.DataFrame(rows).astype({"tpr": "float32", "sd": "float32"})


def make_records(benchmark: str) -> pd.DataFrame:
    tasks = ("all", "same", "transfer") if benchmark == "patchwork-sac" else ("all", "same", "quantize")
    schemes = [(f"{name.lower()}(test) | labels | hamming", name) for name in ENDS] + [(text, None) for text in MIXES]
    return pd.concat(
        [
            make_rows(scheme, name, task, negatives)
            for scheme, name in schemes
            for task in tasks
            for negatives in ("unrelated", "unrelated+hard")
        ],
        ignore_index=True,
    )
