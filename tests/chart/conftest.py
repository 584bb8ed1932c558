"""Rendered charts, each once."""

import pytest

from . import chart


@pytest.fixture(scope="session")
def rendered(tmp_path_factory):
    """The objects of each row of the matrix, by its name."""
    folder = tmp_path_factory.mktemp("rendered")
    return {name: chart.render(values, folder) for name, values in chart.MATRIX.items()}
