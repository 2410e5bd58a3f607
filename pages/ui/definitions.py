"""What the words on screen mean, one click away."""

import streamlit as st

from qurd_core.findings.language import words
from qurd_core.schemes import PUBLISHED

_TEXT = """
**TPR@5%**: share of stolen models that are caught when at most 5 % of the unrelated models are false alarms.

**Victim, suspect**: the owner's model, and a model of unknown origin that is tested against the victim.

**Stolen, unrelated**: a stolen model was made from the victim's model, an unrelated one was not. *Hard unrelated*:
independent models trained on the victim's data, with the victim's architecture, from another start.

**δ, Hamming distance**: share of all test images on which victim and suspect give different answers.

**δ_C, conditioned Hamming distance**: the same share of the images that the victim gets wrong; 0 = the models always agree.

**AUC**: chance that a stolen model is closer to its victim than an unrelated one: 1 = fully apart, 0.5 = chance.

**Overlap**: area that the densities of stolen and of unrelated pairs have in common: 0 % = fully apart, 100 % = alike.

**Proposition 1**: a lower bound of δ_C from δ and both accuracies. *Slack*: δ_C minus the bound, which is exactly the
chance that the suspect is wrong too where the victim is wrong. A bound of at most 0 is vacuous: every distance is at least
0.

**Query budget**: number of images sent to the suspect. A small budget sends the first images of a large one. *Distinct
images*: how many of them differ from one another; masked versions of one image may be alike.

**Paper rule, guaranteed rule**: two ways to set the threshold. By the *paper rule* at most 5 % of the unrelated models at
hand lie below it. By the *guaranteed rule* a fresh unrelated model is a false alarm with a chance of at most 5 %: of every
independent lineage the model that is closest to the victim counts. With fewer than 19 independent lineages 5 % cannot be
guaranteed, and the values are left out.

**Benchmark**: a set of pairs of a victim and a suspect. *Your benchmark* is one that was made in the app.

**Lineage**: a first training and all that was made from it; models that share a pre-trained network are one lineage.
Lineages, not models, count as independent, among unrelated models and among victims.

**±**: one standard deviation over query seeds: other queries, same models. The spread over other models is not in it.

**Interval, band**: 95 % bootstrap over models and query seeds: lineages and seeds are resampled, and all thresholds set
anew, and Jeffreys' prior stands for the stolen models that nobody tried, so that a rate of 100 % has an interval, too. Where
a combination has no recorded distances the band is one standard deviation over query seeds.

**Beats, trails**: an exact test over independent victims (of a single victim: over its stolen models) finds a difference
from AKH, corrected for all named schemes. *Ahead, behind*: no exact test decides, often because too few victims are
independent, but the 95 % interval of the difference excludes 0; for unpublished combinations that interval is simultaneous
for all of them. *On par*: the 90 % interval of the difference lies within ten points. *Does not differ significantly,
undecided*: none of these. Where no distances are recorded, two standard errors over query seeds decide.

**Swap**: another sampler before the same representation and detector. Its gain has a bootstrap interval over models,
simultaneous for all swaps of the scheme with recorded distances, since the best is found by looking at all of these. A gain
that is the same in every bootstrap resample (marked ?) has no interval, and no verdict. Where no distances are recorded,
and for your benchmark, two standard errors over query seeds decide. The chart may judge the same two schemes otherwise:
there one difference is corrected for all named schemes (Holm), here for all swaps (the farthest of all in each draw,
max-T).

**Best unpublished combination**: the number that picks the best of many is too good. So the victims are halved, each half
selects, and every victim counts as held out with what the other half selected. Independent victims take turns, so of three
one half has two. The halves share their unrelated models, so they are not independent, and no interval of this number is
known. On Patchwork distances are recorded of the hundred best by all victims at 100 queries: some of that optimism stays.

**Sampler**: picks seed images (*uniform*: any, *negative*: those that the victim gets wrong, *noise*: random pixels; from
the victim's own training images, *train*, or from images that no model saw, *test*) and turns them into queries.

**Repeats, is fooled like the victim**: the suspect gives the victim's very answer: on an image that the victim gets wrong,
or on an adversarial image that moved the victim away from its answer on the seed image.

**Looked at**: how much each pixel counted for the victim's answer, by captum (absolute values, summed over colours).
Integrated gradients and occlusion compare with the mean grey.

**Discriminative images**: the victim's mistakes that most stolen and fewest unrelated models repeat, chosen on one half of
the models and reported on the other. Unrelated models are halved by lineage, stolen ones within each task.

**AKH**: the baseline: compare the labels of victim and suspect on images that the victim gets wrong.

**Published schemes**: {published}. The headline takes the median over them. A name with a colon is a variant of a
published scheme.

**Combination, scheme**: a sampler, a representation and a detector together; with a published name, a scheme. *Accuracy
only* (`accuracy`) is no fingerprint: it takes the less accurate model for the stolen one.
"""


def show() -> None:
    """The definitions behind a button."""
    with st.popover("Definitions", icon=":material/menu_book:", type="tertiary"):
        st.markdown(_TEXT.format(published=words.listed(PUBLISHED)))
