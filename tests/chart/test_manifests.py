"""Every manifest at a real API server, which runs nothing: admission, schemas, Pod security."""

import json
import subprocess

import pytest

from .chart import FOREIGN, MATRIX, NAMESPACE, WORKLOADS

RESTRICTED = {
    "apiVersion": "v1",
    "kind": "Namespace",
    "metadata": {
        "name": NAMESPACE,
        "labels": {
            f"pod-security.kubernetes.io/{mode}": "restricted" for mode in ("enforce", "warn")
        },
    },
}


@pytest.fixture(scope="module")
def cluster(control_plane):
    """Namespaces of the matrix; the release's lets in restricted Pods only."""
    listed = [{"apiVersion": "v1", "kind": "Namespace", "metadata": {"name": n}} for n in LISTED]
    control_plane.apply(RESTRICTED, *listed)
    return control_plane


LISTED = ("chart-a", "chart-b")


def dry_run(cluster, objects):
    """Return what kubectl says on both channels; warnings are on the second."""
    items = {"apiVersion": "v1", "kind": "List", "items": objects}
    apply = ["apply", "--server-side", "--force-conflicts", "--dry-run=server", "-f", "-"]
    return subprocess.run(
        [str(cluster.kubectl_path), "--kubeconfig", str(cluster.kubeconfig), *apply],
        input=json.dumps(items),
        capture_output=True,
        text=True,
        timeout=60,
    )


@pytest.mark.parametrize("row", MATRIX)
def test_the_api_server_accepts_every_manifest(row, cluster, rendered):
    objects = [o for o in rendered[row] if o["apiVersion"] not in FOREIGN]
    done = dry_run(cluster, objects)
    assert done.returncode == 0, done.stderr
    assert len(done.stdout.splitlines()) == len(objects)
    assert "Warning" not in done.stderr


@pytest.mark.parametrize("row", MATRIX)
def test_the_pods_are_let_into_a_restricted_namespace(row, cluster, rendered):
    made = [_pod(o) for o in rendered[row] if o["kind"] in WORKLOADS]
    done = dry_run(cluster, made)
    assert done.returncode == 0, done.stderr
    worse = made[0]
    worse["spec"]["containers"][0]["securityContext"]["allowPrivilegeEscalation"] = True
    assert "violates PodSecurity" in dry_run(cluster, [worse]).stderr


def _pod(body):
    inner = body if body["kind"] == "Pod" else body["spec"]["template"]
    meta = {"name": body["metadata"]["name"], "namespace": NAMESPACE}
    return json.loads(
        json.dumps({"apiVersion": "v1", "kind": "Pod", "metadata": meta, "spec": inner["spec"]})
    )
