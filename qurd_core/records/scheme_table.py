"""Which recorded schemes a suspect's answers allow, and which have a name."""

import pandas as pd

LEVELS = {"labels": 0, "topk": 1, "probits": 2, "logits": 3}  # what a suspect reveals; each includes the ones before it
CONTROL = "accuracy"  # the detector that takes the less accurate model for the thief


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
    return set(schemes.loc[schemes["detector"] == CONTROL, "scheme"])


def allowed(rows: pd.DataFrame, schemes: pd.DataFrame, reveal: str) -> pd.DataFrame:
    """The rows of schemes that need no more than the suspect reveals, with `level` and `control`."""
    level = rows["scheme"].map(dict(zip(schemes["scheme"], schemes["level"], strict=True)))
    return rows.assign(level=level, control=rows["scheme"].isin(controls(schemes)))[~(level > LEVELS[reveal])]


def unnamed(rows: pd.DataFrame, schemes: pd.DataFrame) -> pd.DataFrame:
    """The combinations that nobody published, best first: no names, no published scheme on other outputs, no controls."""
    known = twins(schemes)
    same = {known.get(scheme) for scheme in schemes.loc[schemes["name"].notna(), "scheme"]}
    same |= _nothing_new(rows)
    found = rows[rows["name"].isna() & ~rows["control"] & ~rows["scheme"].isin(same) & rows["value"].notna()]
    return found.sort_values(["value", "auc", "level", "scheme"], ascending=[False, False, True, True])


def _nothing_new(rows: pd.DataFrame) -> set[str]:
    """The combinations with a craft that has changed no query so far: another name for the same without it."""
    known = rows.set_index("scheme")[["value", "auc", "spread"]]
    plain_of = {scheme: scheme.replace("->cutmix", "") for scheme in known.index if "->cutmix" in scheme}
    return {scheme for scheme, bare in plain_of.items() if bare in known.index and known.loc[scheme].equals(known.loc[bare])}
