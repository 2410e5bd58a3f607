"""How far a suspect's representation is from the victim's, one family to a file.

A detector is `detector(victim, suspects, budgets, *, ...)` with the victim's representation (rows,...), those of all
suspects (M,rows,...), and returns distances (M,len(budgets.rows)) for all suspects and all budgets at once: at least 0, and
small for a stolen model.
"""

from qurd_core.registry import discover

discover(__name__, __path__)
