"""The worlds of the contract, and the pipeline as KFP gets it."""

import pytest
import yaml

from petiole_pipelines.compile import compile_to
from tests.runners.worlds import JobWorld, KfpWorld, LocalWorld, Orchard


@pytest.fixture(scope="session")
def documents(tmp_path_factory):
    file = tmp_path_factory.mktemp("compiled") / "learning-round.yaml"
    compile_to(file)
    return tuple(yaml.safe_load_all(file.read_text()))


@pytest.fixture
def local(tmp_path):
    world = LocalWorld(tmp_path)
    yield world
    world.close()


@pytest.fixture
def kfp(tmp_path, documents):
    world = KfpWorld(tmp_path, documents)
    yield world
    world.close()


@pytest.fixture(scope="session")
def orchard(control_plane):
    made = Orchard(control_plane, "test-orchard")
    yield made
    made.kubelet.stop()


@pytest.fixture
def job(tmp_path, orchard):
    world = JobWorld(tmp_path, orchard)
    yield world
    world.close()


@pytest.fixture(params=["local", "job", "kfp"])
def world(request):
    return request.getfixturevalue(request.param)
