"""What clears before an uninstall, with the rights of the chart's hook."""

import json

from typer.testing import CliRunner

from hack.testbed.rights import CLEAR
from petiole.cli.main import app

from .conftest import TOKEN, Model


def test_all_objects_of_a_namespace_are_deleted(control_plane, gateway, namespace, tmp_path):
    """No operator has seen them, so that there is nothing to wait for at the gateway."""
    other = f"{namespace}-other"
    control_plane.kubectl("create", "namespace", other)
    for place in (namespace, other):
        model = Model(tmp_path / place, place)
        control_plane.apply(model.manifest(), model.fleet())
    hook = control_plane.stand_in(f"{namespace}-clear", CLEAR)
    words = ["installation", "clear", "--kubeconfig", hook, "--namespace", namespace]
    reach = ["--gateway", gateway.url, "--token", TOKEN]
    done = CliRunner().invoke(app, [str(word) for word in (*words, *reach)])
    assert done.exit_code == 0, done.output
    assert "cleared, 1 fleets" in done.output
    assert [len(left(control_plane, place)) for place in (namespace, other)] == [0, 2]


def left(control_plane, namespace):
    found = control_plane.kubectl("get", "tinymodels,devicefleets", "-n", namespace, "-o", "json")
    return json.loads(found)["items"]
