"""The names of a cluster: CoreDNS on the node's address, built from its Go module.

It knows Services and their Pods, and nothing of the world: there is no way to it.
"""

from __future__ import annotations

import os
import tempfile
from collections.abc import Callable
from pathlib import Path
from typing import Any

import httpx

from hack.controlplane.gobuild import BuildError, compile_program, find_go
from hack.controlplane.programs import cache_folder

from .network import ADDRESS

COREDNS = "1.14.7"  # of coredns/go.mod
DOMAIN = "cluster.local"
USER = "coredns"
_READY = f"{ADDRESS}:8181"
_LOCK = Path(__file__).with_name("coredns")  # go.mod, go.sum, main.go
_READS = ["list", "watch"]


def program() -> Path:
    """Where it is in the user's cache."""
    return cache_folder().parent / "node" / f"coredns-{COREDNS}"


def missing() -> bool:
    """Tell whether it is still to be built: a minute beside a built control plane."""
    return not os.access(program(), os.X_OK)


def ensure(say: Callable[[str], None]) -> Path:
    """Have the program. Raises ``BuildError``."""
    into = program()
    if missing():
        go = find_go(cache_folder(), say)
        into.parent.mkdir(parents=True, exist_ok=True)
        say(f"building CoreDNS {COREDNS} from its Go module (a minute, once; kept in {into})")
        with tempfile.TemporaryDirectory(dir=into.parent, prefix=".build-") as scratch:
            made = Path(scratch) / into.name
            if not compile_program(go, _LOCK, ".", "-s -w", made):
                raise BuildError(
                    "go could not build CoreDNS (see above). Check the disk (1 GB is needed) and "
                    "the way to the Go module proxy (GOPROXY)."
                )
            made.replace(into)
    return into


def configuration(kubeconfig: Path) -> str:
    """The Corefile."""
    return f"""\
. {{
  bind {ADDRESS}
  ready {_READY}
  errors
  kubernetes {DOMAIN} {{
    kubeconfig {kubeconfig}
    ttl 5
  }}
}}
"""


def answers() -> bool:
    """Tell whether it knows the cluster."""
    try:
        return httpx.get(f"http://{_READY}/ready", timeout=5.0, trust_env=False).is_success
    except httpx.HTTPError:
        return False


def rights() -> list[dict[str, Any]]:
    """What it may read, as objects to apply."""
    group, name = "rbac.authorization.k8s.io", {"name": "system:coredns"}
    return [
        {
            "apiVersion": f"{group}/v1",
            "kind": "ClusterRole",
            "metadata": name,
            "rules": [
                {"apiGroups": [""], "resources": ["services", "namespaces"], "verbs": _READS},
                {
                    "apiGroups": ["discovery.k8s.io"],
                    "resources": ["endpointslices"],
                    "verbs": _READS,
                },
            ],
        },
        {
            "apiVersion": f"{group}/v1",
            "kind": "ClusterRoleBinding",
            "metadata": name,
            "roleRef": {"apiGroup": group, "kind": "ClusterRole", **name},
            "subjects": [{"apiGroup": group, "kind": "User", "name": USER}],
        },
    ]
