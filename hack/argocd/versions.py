"""What is pinned; ``go/`` has the modules that it is built of, with their hashes.

3.5.3 is the newest Argo CD that Go 1.26 builds. Its ``gitops-engine`` is a module of its own, which
it names by a folder that its module does not hold: ``go/go.mod`` names the same commit instead.
"""

from __future__ import annotations

ARGOCD = "3.5.3"
MODULE = "github.com/argoproj/argo-cd/v3"
PROGRAM = "argocd"
# One program; it is what it is called by.
SERVERS = ("argocd-repo-server", "argocd-application-controller", "argocd-server")
