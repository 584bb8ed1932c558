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
    both = {"apiVersion": "v1", "kind": "List", "items": [model.manifest(), model.fleet()]}
    names = [f"{kind}/{model.name}" for kind in KINDS]
    kubectl(EDIT, "create", "-f", "-", body=both)
    kubectl(EDIT, "replace", "-f", "-", body=json.loads(kubectl(VIEW, "get", *names, "-o", "json")))
    kubectl(EDIT, "annotate", *names, "orchard=west")
    collections = [f"/apis/petiole.dev/v1alpha1/namespaces/{namespace}/{kind}s" for kind in KINDS]
    for collection in collections:
        seen = kubectl(VIEW, "get", "--raw", f"{collection}?watch=true&timeoutSeconds=1")
        meta = json.loads(seen.splitlines()[0])["object"]["metadata"]
        assert (meta["name"], meta["annotations"]["orchard"]) == (model.name, "west")
    kubectl(EDIT, "delete", *names, "--wait=false")
    kubectl(EDIT, "create", "-f", "-", body=both)
    for collection in collections:
        kubectl(EDIT, "delete", "--raw", collection)
    assert json.loads(kubectl(VIEW, "get", ",".join(KINDS), "-o", "json"))["items"] == []
