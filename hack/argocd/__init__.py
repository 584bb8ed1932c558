"""A real Argo CD on one machine: its own programs, built from Go modules, beside a control plane.

``python -m hack.argocd`` has all that it needs ready in the user's cache; ``ArgoCd`` runs it for a
``hack.testbed.controlplane.ControlPlane``.
"""
