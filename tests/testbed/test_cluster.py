"""What an installation on a node is made of, as far as that is known without one."""

from __future__ import annotations

from pathlib import Path

from hack.cluster.desk import installation, option
from hack.cluster.volumes import volumes


def test_the_commands_are_those_of_the_page() -> None:
    commands = installation()
    assert commands[0] == "kubectl create namespace petiole"
    assert commands[-1] == "helm test petiole -n petiole"
    (services,) = (command for command in commands if option(command, "--host"))
    assert option(services, "--host")[-1] == "petiole-broker-gateways"
    assert option(commands[0], "--host") == []


def test_each_volume_is_a_folder_of_the_node(tmp_path: Path) -> None:
    given, *made = volumes(tmp_path, store="20Gi", database="5Gi")
    assert [volume["spec"]["local"]["path"] for volume in made] == [
        str(tmp_path / "store"),
        str(tmp_path / "database"),
    ]
    assert all(Path(volume["spec"]["local"]["path"]).is_dir() for volume in made)
    assert {volume["spec"]["storageClassName"] for volume in made} == {given["metadata"]["name"]}
