"""What the Dockerfile says, by reading it, and that the chart counts on nothing else."""

import json
import re
import subprocess
import sys
from importlib.util import find_spec

import pytest

from .chart import containers, pods

FINAL = ("operator", "gateway", "pipelines")


@pytest.fixture(scope="module")
def stages(root):
    """{stage: its instructions, those of the stages below it first}."""
    text = re.sub(r"\\\n", " ", (root / "Dockerfile").read_text())
    made, current = {}, []
    for line in text.splitlines():
        word, _, rest = line.partition(" ")
        if word == "FROM":
            base, _, name = rest.split()
            current = made[name] = list(made.get(base, []))
        elif word and not word.startswith("#"):
            current.append((word, rest.strip()))
    return made


def last(stage, word):
    return [rest for found, rest in stage if found == word][-1]


@pytest.mark.parametrize("name", FINAL)
def test_nothing_runs_as_root_or_is_installed_unchecked(stages, name):
    stage = stages[name]
    assert last(stage, "USER").isdecimal()
    assert int(last(stage, "USER")) > 0
    installs = [rest for word, rest in stage if word == "RUN" and "pip install" in rest]
    assert installs
    assert all("--require-hashes" in rest for rest in installs)
    assert not [rest for word, rest in stage if word == "ADD"]
    assert "org.opencontainers.image.licenses" in last(stage, "LABEL")
    assert any("sbom.json" in rest for word, rest in stage if word == "RUN")


def test_only_the_pipelines_image_has_tensorflow(stages, root):
    for name in ("operator", "gateway"):
        assert not [rest for _, rest in stages[name] if "pipelines" in rest]
    assert "tensorflow" not in (root / "requirements" / "operator.txt").read_text()
    assert "tensorflow" in (root / "requirements" / "pipelines.txt").read_text()


@pytest.mark.parametrize("name", FINAL)
def test_what_an_image_starts_is_there(stages, name, root):
    python, option, module, *_ = json.loads(last(stages[name], "ENTRYPOINT"))
    assert (python, option) == ("python", "-m")
    folders = last(stages[name], "ENV").removeprefix("PYTHONPATH=").split(":")
    origin = find_spec(module).origin
    assert any(origin.startswith(f.replace("/opt/petiole", str(root))) for f in folders)
    copied = {rest.split()[0] for word, rest in stages[name] if word == "COPY"}
    assert all((root / c).exists() for c in copied if not c.startswith("--"))


def test_the_chart_counts_on_what_is_in_the_images(stages, rendered):
    for _, _, spec in pods(rendered["kfp"]):
        assert str(spec["securityContext"]["runAsUser"]) == last(stages["operator"], "USER")
        for container in containers(spec):
            for entry in container["env"]:
                if entry["name"] == "PETIOLE_KFP_PIPELINE":
                    copied = [rest for word, rest in stages["operator"] if word == "COPY"]
                    assert copied[-1].split()[-1] == entry["value"]
    ports = {name: last(stages[name], "EXPOSE") for name in ("operator", "gateway")}
    served = {
        c["name"]: str(c["ports"][0]["containerPort"])
        for _, _, spec in pods(rendered["kfp"])
        for c in containers(spec)
        if "ports" in c
    }
    assert served == ports


def test_the_list_of_parts_has_each_locked_package_once(root):
    lock = root / "requirements" / "operator.txt"
    made = subprocess.run(
        [sys.executable, root / "hack" / "sbom.py", "control", lock],
        capture_output=True,
        text=True,
        check=True,
    )
    found = json.loads(made.stdout)
    assert found["specVersion"] == "1.5"
    locked = re.findall(r"^([\w.-]+)==([\w.+-]+)", lock.read_text(), re.MULTILINE)
    assert [(c["name"], c["version"]) for c in found["components"]] == sorted(locked)
    hashes = lock.read_text().count("--hash=sha256:")
    assert sum(len(c["hashes"]) for c in found["components"]) == hashes
    assert not {"kfp", "tensorflow-cpu"} & {c["name"] for c in found["components"]}
