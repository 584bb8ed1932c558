"""Lays the backend's sources out where ``go build`` finds them whole.

The published modules have three gaps. ``api`` and ``kubernetes_platform`` are modules of their own
that were never published at that commit: an older ``api`` and messages generated anew take their
place. In Argo's, a source file that is a symbolic link is missing: a copy of it is there.
"""

from __future__ import annotations

import json
import os
import shutil
from pathlib import Path

from hack.controlplane.gobuild import BuildError, run
from hack.testbed import environments
from hack.testbed.processes import ROOT

from .versions import API, ARGO, GENERATOR, MODULES, PIPELINES, PLATFORM, UNLISTED

MODULE = Path(__file__).with_name("go")  # go.mod, go.sum
_LOCK = ROOT / "requirements" / "kfpspec.txt"
_SECONDS = 1800.0
_PLATFORM_MODULE = f"""\
module {PLATFORM}

go 1.21

require (
\t{API} {MODULES[API][0]}
\tgoogle.golang.org/protobuf v1.27.1
)
"""
_MANIFESTS = {
    "workflows": (ARGO, "manifests/base/crds/minimal"),
    "pipelines": (PIPELINES, "manifests/kustomize/base/pipeline/cluster-scoped"),
    "runner": (PIPELINES, "manifests/kustomize/base/pipeline"),
}
_NEEDED = {
    "workflows": "argoproj.io_*.yaml",
    "pipelines": "scheduled-workflow-crd.yaml",
    "runner": "pipeline-runner-role.yaml",
}


def variables(*, with_c: bool = False) -> dict[str, str]:
    """The environment of every ``go`` here: nothing of the user's settings but the proxy."""
    return os.environ | {
        "CGO_ENABLED": "1" if with_c else "0",
        "GOFLAGS": "",
        "GONOSUMDB": ",".join(UNLISTED),
        "GOTOOLCHAIN": "local",
        "GOWORK": "off",
    }


def gather(go: str, into: Path) -> None:
    """Fill ``into`` with build/, api/, kubernetes_platform/, argo/ and manifests/.

    Raises ``BuildError``.
    """
    fetched = {module: _fetch(go, module, into) for module in MODULES}
    _copy(fetched[API], into / "api")
    _copy(fetched[ARGO], into / "argo")
    _copy(MODULE, into / "build")
    signals = into / "argo" / "workflow" / "executor" / "os-specific"
    shutil.copy(signals / "signal_darwin.go", signals / "signal_linux.go")
    (into / "kubernetes_platform").mkdir()
    (into / "kubernetes_platform" / "go.mod").write_text(_PLATFORM_MODULE)
    _generate(go, into)
    for name, (module, folder) in _MANIFESTS.items():
        (into / "manifests" / name).mkdir(parents=True)
        for file in (fetched[module] / folder).glob(_NEEDED[name]):
            shutil.copy(file, into / "manifests" / name)


def _fetch(go: str, module: str, folder: Path) -> Path:
    """Have a module in Go's own cache; return its folder there."""
    version, pinned = MODULES[module]
    command = [go, "mod", "download", "-json", f"{module}@{version}"]
    said = json.loads(_run(command, folder))
    if pinned and said["Sum"] != pinned:
        raise BuildError(f"{module}@{version} has the hash {said['Sum']}, not {pinned}: not used")
    return Path(said["Dir"])


def _generate(go: str, sources: Path) -> None:
    generator = sources / "protoc-gen-go"
    _run([go, "build", "-o", str(generator), GENERATOR], sources / "build")
    python = sources.parent / "kfpspec"
    environments.make(python, _LOCK, _SECONDS)
    script = Path(__file__).with_name("protos.py")
    _run([str(python / "bin" / "python"), str(script), str(generator), str(sources)], sources)


def _copy(source: Path, into: Path) -> None:
    """Copy a module; what lies in Go's cache is write-protected."""
    shutil.copytree(source, into, copy_function=shutil.copyfile)
    for path in [into, *into.rglob("*")]:
        if path.is_dir():
            path.chmod(0o755)


def _run(command: list[str], folder: Path) -> str:
    return run(command, folder, _SECONDS, variables())
