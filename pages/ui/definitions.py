"""What the words on screen mean, one click away."""

import streamlit as st

_TEXT = """
**TPR@5%**: share of stolen models that are flagged when at most 5 % of the unrelated models are flagged by mistake.

**Stolen, unrelated**: a stolen model was made from the victim's model, an unrelated one was not. *Hard* unrelated models
were trained on the same data with the same architecture as the victim, from another start.

**δ, Hamming distance**: share of all test images on which victim and suspect give different answers.

**δ_C, conditioned Hamming distance**: the same share of the images that the victim gets wrong; 0 = they always agree.

**AUC**: chance that a stolen model is closer to its victim than an unrelated one: 1 apart, 0.5 no better than chance.

**Overlap**: area that the densities of stolen and of unrelated pairs have in common: 0% apart, 100% alike.

**Proposition 1**: a lower bound of δ_C from δ and both accuracies. *Slack*: δ_C minus the bound, which is exactly the
chance that the suspect is wrong too where the victim is wrong. A bound of 0 or less says nothing.

**Query budget**: number of images sent to the suspect. A small budget sends the first images of a large one.

**Rule**: *paper*: at most 5 % of the unrelated models at hand lie below the threshold. *guaranteed*: the threshold is so low
that a fresh unrelated model is flagged with a chance of at most 5 %. With fewer than 19 unrelated models nothing can be
promised, and the lines are left out.

**Lineage**: a model and all that was made from it. Lineages, not models, count as independent.

**±**: one standard deviation over query seeds: other queries, same models. It says nothing about other models.

**Interval, band**: 95 % over models and query seeds: lineages and seeds are drawn again and again, and all thresholds set
anew. Where a combination has no recorded distances the band is one standard deviation over query seeds.

**Beats, trails**: an exact test over independent victims (of a single victim: over its stolen models) tells the scheme from
AKH, corrected for all named schemes. *Ahead, behind*: no such test decides, often because it needs six victims, but the
95 % interval of the difference excludes 0; for unnamed combinations that interval holds for all of them at once. *On par*:
the 90 % interval lies within ten points. *Cannot be told*: the models here do not decide. Where nothing else is known, two
standard errors over query seeds do.

**Swap**: another sampler before the same representation and detector. Its gain has an interval over models that holds for
all swaps of the scheme with recorded distances at once, since the best is found by looking at all of these. A gain that no
draw of models changes (marked ?) has no interval, and nothing is claimed of it. Where no distances are recorded, and on a
saved bench, two standard errors over query seeds decide. The chart may judge the same two schemes otherwise: there one
difference is corrected for all named schemes (Holm), here for all swaps (the farthest of all in each draw, max-T).

**Best combination**: the best of many by the number it was picked by is too good. So the victims are parted in two, each
part chooses, and every victim counts with what the other part chose. Independent victims take turns, so of three one part
has two. The parts share their unrelated models, so they are not independent, and no interval of this number is known. On
Patchwork distances are recorded of the hundred best by all victims at 100 queries: a rest of that optimism stays.

**Sampler**: picks seed images (*uniform*: any, *negative*: those that the victim gets wrong, *noise*: random pixels; from
the victim's own training images, *train*, or from images that no model saw, *test*) and turns them into queries.

**Repeats, follows**: the suspect gives the victim's very answer: on an image that the victim gets wrong, or on an
adversarial image that moved the victim away from its answer on the seed image.

**Looked at**: how much each pixel counted for the victim's answer, by captum (absolute values, summed over colours).
Integrated gradients and occlusion compare with the mean grey.

**Telling images**: the victim's mistakes that most stolen and fewest unrelated models repeat, chosen on one half of the
models and reported on the other. Unrelated models are halved by lineage, stolen ones within each task.

**AKH**: the baseline: compare the labels of victim and suspect on images that the victim gets wrong.

**Published schemes**: IPGuard, ModelDiff, SAC, ZestOfLIME and FBI. The headline takes the median over them.

**Other mixes**: all other combinations of a sampler, a representation and a detector. `accuracy` is a control, no
fingerprint: it takes the less accurate model for the thief.
"""


def show() -> None:
    """The definitions behind a button."""
    with st.popover("Definitions", icon=":material/menu_book:", type="tertiary"):
        st.markdown(_TEXT)
