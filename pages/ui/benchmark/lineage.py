"""The Benchmark page's tree of models."""

from collections.abc import Callable, Sequence
from functools import partial

from streamlit.delta_generator import DeltaGenerator

from pages.ui import cached, controls, export, frame
from qurd_core import findings, plots, views
from qurd_core.findings.language import again
from qurd_core.plots.drawing.theme import Style


def show(bench: str, style: Style, others: Sequence[DeltaGenerator], say: Callable[[str, str], None]) -> None:
    """Draw the section, and say its headline with the line under it."""
    pairs, models = cached.pairs(bench), cached.models(bench)
    victims = pairs["victim"].unique().tolist()
    with others[0]:
        victim = controls.model("Victim", victims, "victim", "victim")
    rows = views.contents.branches(pairs, models, victim)
    say(findings.lineage_tree.headline(rows, models, victim), findings.lineage_tree.subline(rows, victim))
    file_name, chart = f"models-{bench}", plots.lineage_tree.figure(rows, models, victims, victim, style)
    code = again.code(again.call("evidence.models", bench), "records.evidence")
    export.offer(models, file_name, again.Again(again.command("models", bench), code), chart=chart)
    with frame.tall(wide=860):
        alt = findings.lineage_tree.alt(rows, victim)
        export.chart(chart, "tree", file_name, style, alt, partial(controls.take, "tree", "victim"))
