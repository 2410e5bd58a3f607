"""Obfuscations: what a thief puts between a stolen model and whoever asks it, one or two to a file.

What changes images gets (n,3,H,W) float32 in [0,1] and gives as many. What changes answers gets (n,C) float64 probits and
gives as many numbers of at least 0; one that recalls what was answered before gets that, (m,C), after them. What changes how
the model is asked gets `ask`, images to (n,C) logits, and the images, and gives logits. All of it is on the CPU, and an
answer follows from its own image alone: what is random is drawn from a generator of that image, so that whoever asks again
gets the same.
"""

from qurd_core.registry import discover

discover(__name__, __path__)
