"""Rules that pick seed images out of a pool, one to a file.

A seed rule is `seed_rule(pool, rng, n, *, ...) -> Draw`. It returns fewer than `n` where the seed set runs out. One that
declares `needs={"victim labels"}` (or `victim probits`, or `pool labels`) finds them in its pool.
"""
