"""What is compared of the answers, one family to a file.

A representation is `representation(answers, *, ...) -> Z` (M,rows,...) for all models at once. It declares the access that
it needs (or has a parameter `of` that names the outputs) and, where it differs, that its `rows` are groups and not queries,
that it is `square` (rows by rows), that it is compared as a `whole` vector. It sees whole groups only.
"""

from qurd_core.registry import discover

discover(__name__, __path__)
