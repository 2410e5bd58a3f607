"""The published scores of the named schemes as a score table."""

import functools
from pathlib import Path

import duckdb
import pandas as pd

SCHEMES = {  # split, sampler, representation, distance
    "AKH": ("test", "Negative", "Labels", "hamming"),
    "SAC": ("train", "NegativeAugment", "SAC", "l2"),
    "ModelDiff": ("train", "Adversarial", "DDV", "cosine"),
    "IPGuard": ("train", "Boundary", "Labels", "hamming"),
    "ZestOfLIME": ("train", "RandomSubsample100", "ZLIME", "l2"),
    "Random": ("test", "Random", "Labels", "hamming"),
}
_FILED_UNDER = {"steal": "label_extraction", "distill": "probit_extraction", "fineprune": "prune", "": "same"}


@functools.cache
def table(folder: Path, budget: int = 100) -> pd.DataFrame:
    """Score table of the named schemes. A lineage is a network, pre-trained or not, and all that was made from it."""
    named = ", ".join(str((name, *parts)) for name, parts in SCHEMES.items())
    rows = duckdb.sql(
        f"""select dataset as benchmark, scheme, source_model as victim, target_model as suspect, {KIND} as kind,
            seed as query_seed, budget, budget as used, value
        from '{folder / "scores.parquet"}'
        join (values {named}) as named(scheme, split, sampler, representation, distance)
            using (split, sampler, representation, distance)
        where budget = {budget} and kind is not null"""
    ).df()
    pairs = rows[["benchmark", "victim", "suspect", "kind"]].drop_duplicates()
    own = {victim: own.map(_served).tolist() for victim, own in _stolen(pairs).groupby("victim")["step"]}
    pairs["tasks"] = [
        [_served(_step(row.victim, row.suspect))] if row.kind == "positive" else _against(row.suspect, own[row.victim])
        for row in pairs.itertuples()
    ]
    pairs["lineage"] = pairs["suspect"].map(root)
    return rows.merge(pairs, on=["benchmark", "victim", "suspect", "kind"])


# A suspect made from the victim, or the victim itself, is stolen. Otherwise ModelReuse leaves out the pairs in which both
# come from the same pretrained network: they are neither. A model trained from scratch is unrelated to every other.
KIND = """case
    when target_model = source_model or starts_with(target_model, source_model || '->') then 'positive'
    when benchmark <> 'ModelReuse' or starts_with(source_model, 'train(') or starts_with(target_model, 'train(')
        or split_part(source_model, '->', 1) <> split_part(target_model, '->', 1) then 'negative'
end"""


def base(model: str) -> str:
    """The model as it was trained or transferred, before it was stolen or hidden."""
    steps = model.split("->")
    return "->".join(steps[: 2 if len(steps) > 1 and steps[0].startswith("pretrain(") else 1])


def root(model: str) -> str:
    """The pretraining network, or the architecture where a model was trained from scratch."""
    return model.split("->")[0]


def _stolen(pairs: pd.DataFrame) -> pd.DataFrame:
    stolen = pairs[pairs["kind"] == "positive"]
    return stolen.assign(step=[_step(*pair) for pair in zip(stolen["victim"], stolen["suspect"], strict=True)])


def _step(victim: str, suspect: str) -> str:
    return suspect.removeprefix(victim).removeprefix("->").split("(")[0]


def _served(step: str) -> str:
    return _FILED_UNDER.get(step, step)


def _against(suspect: str, tasks: list[str]) -> list[str]:
    """CIFAR10C models serve the transfer task alone, all others every task but this one."""
    corrupted = "cifar10C" in suspect
    return [task for task in dict.fromkeys(tasks) if (task == "transfer") == corrupted]
