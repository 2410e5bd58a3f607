"""Ways to turn seed images into queries, one to a file.

A craft is `craft(seeds, victim, rng, *, ...) -> Queries`. It sees at most 64 seeds at a time, keeps every image in [0,1]
and reports what it spent: `aux["gradients"]`, gradient evaluations per group.
"""
