"""What is pinned: versions, the envtest archive and its checksums."""

from __future__ import annotations

KUBERNETES = "1.36.3"
GO_AT_LEAST = (1, 26)
PROGRAMS = ("etcd", "kube-apiserver", "kube-controller-manager", "kubectl")

# The archive of kubernetes-sigs/controller-tools has no kube-controller-manager, and its patch
# version is its own. Checksums: envtest-releases.yaml of that repository.
ENVTEST = "1.36.2"
ENVTEST_REPOSITORY = "kubernetes-sigs/controller-tools"
ENVTEST_SHA512 = {
    "amd64": (
        "ea743186c8a799f5cf8faf16969f86189d003cb7d130e0ac4b58789f1e5748dc"
        "f30ebe91c837a10d5ac415383da3e10b9e64d65785c938c23e739781cfb76f08"
    ),
    "arm64": (
        "2d72ee985a8e262a3c57dc9f7f0fd891f6a8c7bf7ebaa2db6dc6d8eac8ae2818"
        "1afe51c1f368b67756cdb40b10de9b205609e1726e5f27f7c6d824dd9c6649ac"
    ),
}


def architecture(machine: str) -> str:
    """``platform.machine()`` in the words of Go: ``x86_64`` -> ``amd64``."""
    return {"x86_64": "amd64", "aarch64": "arm64"}.get(machine, machine)
