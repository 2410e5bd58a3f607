"""What the tree of lineages says."""

import pandas as pd

from qurd_core import views
from qurd_core.findings.language import words
from qurd_core.findings.language.model_names import readable
from qurd_core.lineage import count_independent


def headline(rows: list[views.contents.Branch], models: pd.DataFrame, victim: str) -> str:
    """How good the stolen models are beside their victim."""
    accuracy = models.set_index("lineage")["accuracy"]
    stolen = [branch for branch in rows if branch.kind == "positive"]
    if not stolen:
        return "This benchmark has no stolen model"
    every = pd.concat([branch.models["accuracy"] for branch in stolen])
    low, high = words.percent(every.min()), words.percent(every.max())
    reach = f"reach {low}" if low == high else f"reach {low} to {high}"
    models_of_it = words.counted(len(every), "stolen model")
    return f"The {models_of_it} {reach} accuracy, their victim has {words.percent(accuracy[victim])}"


def subline(rows: list[views.contents.Branch], victim: str) -> str:
    """The victim, and what stands against it."""
    unrelated = sum(len(branch.models) for branch in rows if branch.kind == "negative")
    roots = count_independent(root for branch in rows if branch.kind == "negative" for root in branch.models["root"])
    return (
        f"{readable(victim)} · {words.counted(unrelated, 'unrelated model')} of {words.counted(roots, 'lineage')} "
        "· a dot is a model, at its accuracy on the test images"
    )


def alt(rows: list[views.contents.Branch], victim: str) -> str:
    """The tree in one sentence."""
    said = ", ".join(
        f"{branch.label} {words.counted(len(branch.models), 'model')} at {words.percent(branch.models['accuracy'].median())}"
        for branch in rows
    )
    return f"Tree of models beside the {readable(victim)}, with the median accuracy of every group: {said}."
