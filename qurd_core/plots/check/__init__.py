"""Figures of suspects against a victim."""

from pkgutil import iter_modules

import lazy_loader

__getattr__, __dir__, __all__ = lazy_loader.attach(__name__, submodules=[module.name for module in iter_modules(__path__)])
