"""A fleet that has been rolled out once."""

from __future__ import annotations

import pytest

from .fleet import Field, Operator, spec


@pytest.fixture
def rolled() -> Operator:
    """A fleet of 200 that runs revision 1."""
    operator = Operator(spec(), Field())
    operator.roll()
    return operator
