"""A real Kubernetes node on one machine, without Docker: kubelet, containerd, runc, kube-proxy.

``python -m hack.node.alone COMMAND`` gives COMMAND a network of its own; in it, ``Node`` runs.
"""
