"""The kubelet's configuration on a machine that is not its own."""

from __future__ import annotations

from pathlib import Path
from typing import Any

from . import names
from .containerd import SOCKET
from .network import ADDRESS


def configuration(folder: Path, authority: Path, cgroup: str, *, named: bool) -> dict[str, Any]:
    """KubeletConfiguration; ``authority``: who signs its clients, ``cgroup``: where Pods lie.

    ``named``: Pods ask the node for names.
    """
    return {
        "apiVersion": "kubelet.config.k8s.io/v1beta1",
        "kind": "KubeletConfiguration",
        "address": ADDRESS,
        "authentication": {
            "anonymous": {"enabled": False},
            "webhook": {"enabled": True},
            "x509": {"clientCAFile": str(authority)},
        },
        "authorization": {"mode": "Webhook"},
        "containerRuntimeEndpoint": f"unix://{SOCKET}",
        "cgroupDriver": "cgroupfs",
        "cgroupRoot": f"/{cgroup}",
        "failCgroupV1": False,  # many machines have no other yet
        "failSwapOn": False,
        "enforceNodeAllocatable": ["pods"],
        "makeIPTablesUtilChains": False,  # kube-proxy speaks nftables
        # A name server where nobody answers would only be waited for.
        "clusterDNS": [ADDRESS] if named else [],
        "clusterDomain": names.DOMAIN,
        "resolvConf": "/etc/resolv.conf",
        "podLogsDir": str(folder / "logs" / "pods"),
        "nodeStatusUpdateFrequency": "4s",
        # The disk is the machine's: how full it is says nothing about the node.
        "evictionHard": {
            "memory.available": "100Mi",
            "nodefs.available": "0%",
            "nodefs.inodesFree": "0%",
            "imagefs.available": "0%",
            "imagefs.inodesFree": "0%",
        },
        "imageGCHighThresholdPercent": 100,  # no image could be fetched again
        "imageMinimumGCAge": "24h",
    }
