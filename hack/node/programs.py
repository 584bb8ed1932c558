"""The node's programs: from Debian packages and from the control plane's own Go module.

``python -m hack.node.programs`` has them ready in the user's cache and says where they are.
"""

from __future__ import annotations

import os
import sys
from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path

from hack.controlplane.gobuild import BuildError, build
from hack.controlplane.programs import cache_folder
from hack.controlplane.versions import KUBERNETES
from hack.debian import unpack

_BUILT = ("kubelet", "kube-proxy", "kube-scheduler")
_PACKAGES = (
    "busybox-static",
    "containerd",
    "containernetworking-plugins",
    "libedit2",
    "libjansson4",
    "libnftables1",
    "libnftnl11",
    "nftables",
    "runc",
)


@dataclass(frozen=True, slots=True)
class NodePrograms:
    """Where they are: the unpacked packages, and the folder of what was built."""

    debian: Path
    built: Path

    @property
    def path(self) -> str:
        """PATH of what starts programs on the node; a machine's own come last."""
        mine = [self.built, self.debian / "usr" / "bin", self.debian / "usr" / "sbin"]
        return ":".join([*map(str, mine), "/usr/sbin:/usr/bin:/sbin:/bin"])

    @property
    def libraries(self) -> Path:
        return self.debian / "usr" / "lib" / "x86_64-linux-gnu"

    @property
    def plugins(self) -> Path:
        """The network's."""
        return self.debian / "usr" / "lib" / "cni"

    @property
    def busybox(self) -> Path:
        return self.debian / "bin" / "busybox"


def missing() -> list[str]:
    """Programs that are still to be built: about three minutes beside a built control plane."""
    return [name for name in _BUILT if not os.access(cache_folder() / KUBERNETES / name, os.X_OK)]


def ensure(say: Callable[[str], None]) -> NodePrograms:
    """Have all programs; what is missing is fetched or built. Raises ``BuildError``."""
    cache = cache_folder()
    debian = unpack(_PACKAGES, cache.parent / "node" / "debian", say)
    built = cache / KUBERNETES
    if left := missing():
        build(left, built, say)
    return NodePrograms(debian, built)


if __name__ == "__main__":
    try:
        print(ensure(lambda text: print(f"node: {text}", file=sys.stderr, flush=True)))
    except BuildError as error:
        sys.exit(f"error: {error}")
