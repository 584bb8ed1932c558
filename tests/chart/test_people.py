"""What people may do by the roles that the chart adds to, with kubectl."""

import json
import subprocess

import pytest

from hack.testbed.rights import EDIT, VIEW
from tests.controller.conftest import Model

KINDS = ("tinymodel", "devicefleet")


@pytest.fixture
def kubectl(control_plane, namespace):
    """Run kubectl in the namespace of the test as somebody with a role; return what it says."""

    def run(role, *words, body=None):
        config = control_plane.stand_in(f"{namespace}-{role}", role)
        command = [control_plane.kubectl_path, "--kubeconfig", config, "-n", namespace, *words]
        given = None if body is None else json.dumps(body)
        done = subprocess.run(command, input=given, capture_output=True, text=True, timeout=60)
        assert done.returncode == 0, done.stderr
        return done.stdout

    return run


def test_who_may_edit_does_all_that_is_done_with_objects(kubectl, namespace, tmp_path):
    model = Model(tmp_path, namespace)
    for kind, body in zip(KINDS, (model.manifest(), model.fleet()), strict=True):
        kubectl(EDIT, "create", "-f", "-", body=body)
        there = json.loads(kubectl(EDIT, "get", kind, model.name, "-o", "json"))
        kubectl(EDIT, "replace", "-f", "-", body=there)
        kubectl(EDIT, "annotate", kind, model.name, "orchard=west")
        collection = f"/apis/petiole.dev/v1alpha1/namespaces/{namespace}/{kind}s"
        seen = kubectl(VIEW, "get", "--raw", f"{collection}?watch=true&timeoutSeconds=1")
        assert json.loads(seen.splitlines()[0])["object"]["metadata"]["name"] == model.name
        kubectl(EDIT, "delete", kind, model.name, "--wait=false")
        kubectl(EDIT, "create", "-f", "-", body=body)
        kubectl(EDIT, "delete", "--raw", collection)
        assert json.loads(kubectl(VIEW, "get", kind, "-o", "json"))["items"] == []
