"""Discriminative images: how many stolen and how many unrelated models repeat the victim's mistake, image by image."""

from html import escape

import numpy as np
import streamlit as st
from pandas import DataFrame, Series

from pages.ui import cached
from pages.ui.queries.gallery import picture, place
from qurd_core import plots
from qurd_core.plots.drawing.theme import STOLEN, UNRELATED, Style
from qurd_core.statistics.printed import fixed

KINDS = {"stolen": STOLEN, "unrelated": UNRELATED}


def show(bench: str, table: DataFrame, style: Style) -> None:
    """A card per image, with two bars: the share on the held-out half of the models; a line at that of the other."""
    colours = "".join(f".bar.{kind}{{background:{style.colour(paint)}}}" for kind, paint in KINDS.items())
    cards = "".join(_card(bench, row) for _, row in table.iterrows())
    st.html(f"<style>{colours}{_LOOK}</style>")
    st.html(f'<div class="telling">{cards}</div>')


def _card(bench: str, row: Series) -> str:
    bank = cached.bank(bench)
    item = int(row["image"])
    where = place(bank.place(item))
    query = picture(plots.pictures.address(bank.pictures(np.array([item]))[0]), "query")
    truth, own = (escape(bank.classes[int(row[who])]) for who in ("truth", "victim"))
    said = f'<span class="muted">truth</span> <b>{truth}</b> · <span class="muted">victim</span> <b>{own}</b>'
    bars = "".join(_bar(row, kind) for kind in KINDS)
    return f'<div class="card"><div class="row">{where}{query}<div class="say"><p>{said}</p>{bars}</div></div></div>'


def _bar(row: Series, kind: str) -> str:
    chosen, reported = (100 * row[f"{kind}_{half}"] for half in ("chosen", "reported"))
    return (
        f'<div class="line"><span>{kind}</span><div class="track"><div class="bar {kind}" style="width:{reported:.0f}%">'
        f'</div><i style="left:{chosen:.0f}%"></i></div><b>{fixed(reported, 0)}%</b>'
        f'<span class="muted">selection half: {fixed(chosen, 0)}%</span></div>'
    )


_LOOK = """
.telling { display: grid; grid-template-columns: 1fr 1fr; gap: .6rem; }
.telling .row { --h: var(--told) !important; }
.say { flex: 1; min-width: 0; }
.say p { margin: 0 0 .35rem !important; }
.line { display: grid; grid-template-columns: 4.6rem 1fr 2.8rem 7.4rem; gap: .4rem; align-items: center; font-size: .85rem; }
.track { position: relative; height: .8rem; background: var(--panel); border-radius: .2rem; }
.bar { height: 100%; border-radius: .2rem; }
@media (max-width: 900px) {
  .telling { grid-template-columns: 1fr; }
  .telling .row { flex-wrap: wrap; }
  .say { flex-basis: 18rem; }
}
.track i { position: absolute; top: -.15rem; bottom: -.15rem; border-left: 2px solid var(--ink); }
"""
