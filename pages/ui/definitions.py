"""What the words on screen mean, one click away."""

import streamlit as st

_TEXT = """
**TPR@5%**: share of stolen models that are flagged when at most 5 % of the unrelated models are flagged by mistake.

**Stolen, unrelated**: a stolen model was made from the victim's model, an unrelated one was not. *Hard* unrelated models
were trained on the same data with the same architecture as the victim, from another start.

**Query budget**: number of images sent to the suspect. A small budget sends the first images of a large one.

**Rule**: *paper*: at most 5 % of the unrelated models at hand lie below the threshold. *guaranteed*: the threshold is so low
that a fresh unrelated model is flagged with a chance of at most 5 %. With fewer than 19 unrelated models nothing can be
promised, and the lines are left out.

**Lineage**: a model and all that was made from it. Lineages, not models, count as independent.

**± and band**: one standard deviation over query seeds: other queries, same models. It says nothing about other models.

**Beats, trails**: the gap to AKH exceeds two standard errors over query seeds. Otherwise the two cannot be told apart on
this benchmark.

**AKH**: the baseline: compare the labels of victim and suspect on images that the victim gets wrong.

**Published schemes**: IPGuard, ModelDiff, SAC, ZestOfLIME and FBI. The headline takes the median over them.

**Other mixes**: all other combinations of a sampler, a representation and a detector. `accuracy` is a control, no
fingerprint: it takes the less accurate model for the thief.
"""


def show() -> None:
    """The definitions behind a button."""
    with st.popover("Definitions", icon=":material/menu_book:", type="tertiary"):
        st.markdown(_TEXT)
