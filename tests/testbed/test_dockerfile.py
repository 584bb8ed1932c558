"""The Dockerfile without a builder: its targets, what it copies, and who runs it."""

from __future__ import annotations

import re

from hack.testbed.processes import ROOT

LINES = (ROOT / "Dockerfile").read_text().replace("\\\n", " ").splitlines()


def stages() -> dict[str, tuple[str, list[str]]]:
    """Stage name to its base and its instructions."""
    found: dict[str, tuple[str, list[str]]] = {}
    for line in LINES:
        if match := re.match(r"FROM (\S+) AS (\S+)", line):
            found[match[2]] = (match[1], [])
        elif line and not line.startswith("#"):
            found[list(found)[-1]][1].append(line)
    return found


def whole(name: str) -> list[str]:
    """Instructions of a stage and of all that it stands on."""
    base, own = stages()[name]
    return (whole(base) if base in stages() else []) + own


def test_every_target_runs_as_a_numbered_user_who_is_not_root() -> None:
    for target in ("operator", "gateway", "pipelines"):
        users = [line.split()[1] for line in whole(target) if line.startswith("USER ")]
        assert users, target
        assert int(users[-1]) > 0


def test_packages_are_installed_by_hash_only() -> None:
    installs = [line for line in LINES if "pip install" in line]
    assert installs
    assert all("--require-hashes" in line for line in installs)


def test_what_is_copied_exists() -> None:
    copies = [line for line in LINES if line.startswith("COPY ")]
    sources = [line.split()[1] for line in copies if "--from=" not in line]
    assert sources
    assert [source for source in sources if not (ROOT / source).exists()] == []


def test_only_the_pipelines_image_has_tensorflow() -> None:
    for target in ("operator", "gateway"):
        assert not any("pipelines" in line for line in whole(target))
    assert "tensorflow" not in (ROOT / "requirements" / "operator.txt").read_text()
