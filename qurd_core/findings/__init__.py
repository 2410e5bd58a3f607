"""What the pages say: headlines, the line below them, alternative texts. A function of each kind for every view, in a module
of its name; `language` has the words that they share.

Modules are imported when they are first named: `plots.budget.figure`.
"""

from pkgutil import iter_modules

import lazy_loader

__getattr__, __dir__, __all__ = lazy_loader.attach(__name__, submodules=[module.name for module in iter_modules(__path__)])
