"""nodeflow: graphs of nodes for image generation.

The public API is what `__init__.pyi` names; each name is imported when it is first used.
"""

import lazy_loader

__getattr__, __dir__, __all__ = lazy_loader.attach_stub(__name__, __file__)
__version__ = "0.1.0"
