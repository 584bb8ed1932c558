"""The API server, asked object by object."""

import pytest

from hack.testbed.controlplane import ControlPlane

from .server import Api


@pytest.fixture(scope="session")
def api(control_plane: ControlPlane) -> Api:
    return Api.of(control_plane)
