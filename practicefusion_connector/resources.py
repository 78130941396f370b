"""Where the package's data lives: the folders `actions/` and `schemas/`.

Both stand at the top of the source tree, beside the package, and inside it in a wheel. This is the
one place that knows the difference; everything else asks for a folder by name.
"""

from importlib.resources import files
from importlib.resources.abc import Traversable


def folder(name: str) -> Traversable:
    """Return the data folder `name` (`actions` or `schemas`), from a wheel or from a checkout."""
    package = files(__package__)
    packaged = package / name
    return packaged if packaged.is_dir() else package / ".." / name
