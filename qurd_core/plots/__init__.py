"""Figures: a table of a view goes in, a figure comes out. A module per view, each with its `figure`.

Modules are imported when they are first named: `plots.budget.figure`.
"""

from pkgutil import iter_modules

import lazy_loader

__getattr__, __dir__, __all__ = lazy_loader.attach(__name__, submodules=[module.name for module in iter_modules(__path__)])
