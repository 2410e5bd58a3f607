"""Which recorded schemes a suspect's answers allow, and which have a name."""

import pandas as pd

from qurd_core.registry import crafts
from qurd_core.schemes import declared, is_control

# What a suspect reveals; each level includes the ones before it.
LEVELS = {"labels": 0, "topk": 1, "probits": 2, "logits": 3, "gradients": 4}


def twins(schemes: pd.DataFrame) -> dict[str, str]:
    """The same scheme on probabilities, for every scheme that needs logits and has one: text to text.

    Args:
        schemes: from `records.schemes`.
    """
    bare = [text.partition("(")[0] for text in schemes["representation"]]  # `listwise(of=logits)` and `listwise`
    parts = zip(schemes["seeds"], schemes["craft"], bare, schemes["detector"], schemes["level"], strict=True)
    by_parts = dict(zip(parts, schemes["scheme"], strict=True))
    found = {}
    for (*kept, level), scheme in by_parts.items():
        other = by_parts.get((*kept, LEVELS["probits"]))
        if level == LEVELS["logits"] and other:
            found[scheme] = other
    return found


def controls(schemes: pd.DataFrame) -> set[str]:
    """The schemes that look at no answer of the victim, by their text: no fingerprints, but a measure for those."""
    none = [detector for detector in schemes["detector"].unique() if is_control(detector)]
    return set(schemes.loc[schemes["detector"].isin(none), "scheme"])


def allowed(rows: pd.DataFrame, schemes: pd.DataFrame, reveal: str) -> pd.DataFrame:
    """The rows of schemes that need no more than the suspect reveals, with `level` and `control`."""
    level = rows["scheme"].map(dict(zip(schemes["scheme"], schemes["level"], strict=True)))
    return rows.assign(level=level, control=rows["scheme"].isin(controls(schemes)))[~(level > LEVELS[reveal])]


def unnamed(rows: pd.DataFrame, schemes: pd.DataFrame) -> pd.DataFrame:
    """The combinations that nobody published, best first: no names, no published scheme on other outputs, no controls."""
    known = twins(schemes)
    same = {known.get(scheme) for scheme in schemes.loc[schemes["name"].notna(), "scheme"]}
    same |= _nothing_new(rows, schemes)
    found = rows[rows["name"].isna() & ~rows["control"] & ~rows["scheme"].isin(same) & rows["value"].notna()]
    return found.sort_values(["value", "auc", "level", "scheme"], ascending=[False, False, True, True])


def _nothing_new(rows: pd.DataFrame, schemes: pd.DataFrame) -> set[str]:
    """The combinations with a craft that sends the seeds first and has changed no query so far: another name for the same
    without it.
    """
    known = rows.set_index("scheme")[["value", "auc", "spread"]]
    topping = [craft for craft in schemes["craft"].unique() if declared(crafts, craft).tops_up is not None]
    topped = schemes[schemes["craft"].isin(topping)]
    bare = topped["seeds"] + " | " + topped["representation"] + " | " + topped["detector"]
    both = [pair for pair in zip(topped["scheme"], bare, strict=True) if all(one in known.index for one in pair)]
    return {scheme for scheme, plain in both if known.loc[scheme].equals(known.loc[plain])}
