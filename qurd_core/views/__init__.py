"""What the pages show, as tables, from records and without torch: a module per view.

Modules are imported when they are first named: `views.budget.curves`.
"""

from pkgutil import iter_modules

import lazy_loader

__getattr__, __dir__, __all__ = lazy_loader.attach(__name__, submodules=[module.name for module in iter_modules(__path__)])
