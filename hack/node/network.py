"""The node's network: a bridge that Pods and the node share. Services have a range beside it."""

from __future__ import annotations

import subprocess
from pathlib import Path
from typing import Any

ADDRESS = "10.99.0.1"  # the node's; the kubelet refuses one of loopback
PODS = "10.99.0.0/24"
SERVICES = "10.96.0.0/24"
BRIDGE = "cni0"
_SECONDS = 30.0
_SETTINGS = ("net/ipv4/ip_forward", "net/bridge/bridge-nf-call-iptables")


def lay() -> None:
    """Make bridge, address and routes in this process's network."""
    for command in (
        f"link add {BRIDGE} type bridge",
        f"address add {ADDRESS}/24 dev {BRIDGE}",
        f"link set {BRIDGE} up",
        # Only with a way to it does a Service's address come to where kube-proxy turns it round.
        f"route add {SERVICES} dev {BRIDGE}",
    ):
        subprocess.run(["ip", *command.split()], check=True, timeout=_SECONDS)
    for setting in _SETTINGS:
        path = Path("/proc/sys", setting)
        if path.exists():
            path.write_text("1")


def take_away() -> None:
    """Remove the bridge, so that another node may follow in the same network."""
    delete = ["ip", "link", "delete", BRIDGE]
    subprocess.run(delete, check=False, capture_output=True, timeout=_SECONDS)


def cni(addresses: Path) -> dict[str, Any]:
    """The network of Pods for the bridge plugin; ``addresses``: where it notes what it gave out."""
    first, _, _ = PODS.rpartition(".")
    span = {"rangeStart": f"{first}.10", "rangeEnd": f"{first}.250", "gateway": ADDRESS}
    bridge = {
        "type": "bridge",
        "bridge": BRIDGE,
        "isGateway": False,
        "ipMasq": False,
        "hairpinMode": True,
        "ipam": {
            "type": "host-local",
            "dataDir": str(addresses),
            "ranges": [[{"subnet": PODS} | span]],
            "routes": [{"dst": "0.0.0.0/0"}],
        },
    }
    return {"cniVersion": "1.0.0", "name": "pods", "plugins": [bridge]}
