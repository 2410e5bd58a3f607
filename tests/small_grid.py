"""A small grid of thefts and ways to hide them, in place of a measured one."""

import math

import pandas as pd

from qurd_core.records.grid_records import COLUMNS

THEFTS = ("same", "label_extraction", "labelood", "datafree")
HIDINGS = ("none", "finetune", "jpeg", "argmax")
SCHEMES = {"negative(test) | labels | hamming": "AKH", "uniform(test) | probits | l1": None}
CAUGHT = {"same": 1.0, "label_extraction": 0.8, "labelood": 0.3, "datafree": 0.0}
LOST = {"none": 0.0, "finetune": 0.1, "jpeg": 0.4, "argmax": 0.0}
KAPPA = {"same": 1.0, "label_extraction": 0.9, "labelood": 0.45, "datafree": 0.02}


def make_grid() -> pd.DataFrame:
    """JPEG hides most; data-free extraction has failed; behind `argmax` nothing is known of the scheme on probits."""
    rows = []
    for theft in THEFTS:
        for hiding in HIDINGS:
            for scheme, name in SCHEMES.items():
                for negatives in ("unrelated", "unrelated+hard"):
                    refused = name is None and hiding == "argmax"
                    rate = max(0.0, CAUGHT[theft] - LOST[hiding] - 0.4 * (negatives != "unrelated"))
                    rate = math.nan if refused else rate
                    count = None if refused else 4
                    rows.append(
                        {
                            "theft": theft,
                            "hiding": hiding,
                            "scheme": scheme,
                            "name": name,
                            "negatives": negatives,
                            "tpr": rate,
                            "tpr_conformal": rate / 2,
                            "sd": 0.05,
                            "sd_conformal": 0.05,
                            "n_models": count,
                            "n_victims": count,
                            "n_negatives": count and 60,
                            "seeds": count and 10,
                            "accuracy": 0.1 + 0.8 * KAPPA[theft],
                            "kappa": KAPPA[theft],
                            "queries": 0.0 if theft == "same" else 20_000.0,
                            "reason": "the scheme needs probits" if refused else None,
                        }
                    )
    return pd.DataFrame(rows)[list(COLUMNS)]
