"""A real Kubeflow Pipelines backend on one machine: its own programs, built from Go modules.

``python -m hack.kfp`` has all that it needs ready in the user's cache; ``Kfp`` runs it on a
``hack.node.node.Node``.
"""
