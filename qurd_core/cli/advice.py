"""The command that says which scheme to use."""

import sys
from typing import Annotated

import typer

from qurd_core.cli.options import Form
from qurd_core.cli.output import print_json, show

SHOWN = 10  # schemes


def recommend(
    access: Annotated[str, typer.Option("--access", help="What the suspect reveals: labels, topk, probits or logits.")],
    budget: Annotated[int, typer.Option("--budget", help="Images that may be sent to it.")],
    no_gradients: Annotated[bool, typer.Option("--no-gradients", help="Your model gives no gradients.")] = False,
    no_photos: Annotated[bool, typer.Option("--no-photos", help="There are no photographs to start from.")] = False,
    labelled: Annotated[
        int | None, typer.Option("--labelled", help="Images whose class is known; as many as are needed if not given.")
    ] = None,
    form: Form = None,
) -> None:
    """Say which scheme to use, from what is recorded of all of them, and why not another one."""
    from qurd_core.cli.output import rows
    from qurd_core.findings.advice import recommend as words
    from qurd_core.views.advice.recommend import COLUMNS, Means
    from qurd_core.views.advice.recommend import recommend as recommended

    means = Means(access, budget, not no_gradients, not no_photos, labelled)
    found = recommended(means)
    sentences = [words.headline(found), *words.notes(found, means)]
    if form == "json":
        told = {"sentences": sentences, "budget": found.at, "benchmarks": list(found.benchmarks)}
        told |= {"schemes": rows(found.rows, COLUMNS), "each": rows(found.each, tuple(found.each.columns))}
        print_json(told | {"losers": rows(found.losers, tuple(found.losers.columns))})
        return
    for sentence in sentences:
        print(sentence, file=sys.stderr if form == "latex" else sys.stdout)
    if len(found.rows):
        show(words.short(found.rows, SHOWN), form)
    if form == "table":
        show(words.reasons(found), form)
