"""Ways to make a suspect out of a victim, one or two to a file.

A theft is `theft(victim, supplies, *, ...) -> model`. One that copies answers (`reads="answers"`) gets an `Oracle` that
grants no more than it needs and asks `supplies` for images only; one that copies weights (`reads="weights"`) gets a copy of
the module. `region` names the images used and `seed` tells repetitions apart.
"""
