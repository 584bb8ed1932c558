"""containerd of a node: its configuration, and images given to it as archives."""

from __future__ import annotations

import contextlib
import json
import subprocess
import threading
from collections.abc import Sequence
from pathlib import Path

from hack.image.oci import Image

SOCKET = "/run/containerd/containerd.sock"
_LOAD_SECONDS = 600.0
_ANSWER_SECONDS = 10.0


def configuration(root: Path, plugins: Path, networks: Path, pause: str) -> str:
    """``config.toml`` of version 2 (containerd 1.6); ``pause``: the image that holds a Pod."""
    return f"""\
version = 2
root = {json.dumps(str(root))}
state = "/run/containerd"
[grpc]
  address = {json.dumps(SOCKET)}
[plugins."io.containerd.grpc.v1.cri"]
  restrict_oom_score_adj = true # for machines that withhold CAP_SYS_RESOURCE
  sandbox_image = {json.dumps(pause)}
  [plugins."io.containerd.grpc.v1.cri".cni]
    bin_dir = {json.dumps(str(plugins))}
    conf_dir = {json.dumps(str(networks))}
  [plugins."io.containerd.grpc.v1.cri".containerd]
    snapshotter = "overlayfs"
    [plugins."io.containerd.grpc.v1.cri".containerd.runtimes.runc]
      runtime_type = "io.containerd.runc.v2"
"""


def answers(ctr: Sequence[str]) -> bool:
    """Tell whether containerd serves; ``ctr`` is the command that speaks to it."""
    try:
        asked = [*ctr, "version"]
        done = subprocess.run(asked, capture_output=True, timeout=_ANSWER_SECONDS, check=False)
    except subprocess.TimeoutExpired:
        return False
    return done.returncode == 0


def load(ctr: Sequence[str], image: Image) -> None:
    """Hand an image over where Pods find it. RuntimeError with containerd's words."""
    command = [*ctr, "--namespace", "k8s.io", "images", "import", "-"]
    importing = subprocess.Popen(
        command, stdin=subprocess.PIPE, stdout=subprocess.PIPE, stderr=subprocess.STDOUT
    )
    # Neither a write to it nor the end of a Popen has a deadline of its own.
    deadline = threading.Timer(_LOAD_SECONDS, importing.kill)
    deadline.start()
    try:
        with importing:
            assert importing.stdin is not None
            with contextlib.suppress(BrokenPipeError):  # it says below what it does not like
                image.write(importing.stdin)
            said, _ = importing.communicate()
    finally:
        deadline.cancel()
    if importing.returncode != 0:
        raise RuntimeError(
            f"containerd does not take {image.name} (status {importing.returncode}, within "
            f"{_LOAD_SECONDS:g} s): {said.decode().strip()}"
        )
