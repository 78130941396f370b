"""The one error of the views: a definition that is wrong, or data it cannot make a row of.

Its text names columns, expressions and shapes, never a value of a resource.
"""


class ViewError(ValueError):
    """A ViewDefinition is wrong or unsupported, or a resource does not fit a column."""
