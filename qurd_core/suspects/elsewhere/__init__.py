"""Suspects that are asked elsewhere: over a network, or by somebody who sends pictures by hand."""
