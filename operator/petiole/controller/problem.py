"""The one error of the operator's adapters."""


class Problem(Exception):  # noqa: N818 - its text goes into conditions, which call it a problem
    """Something outside does not do what is needed: what is wrong, where, and what to do."""
