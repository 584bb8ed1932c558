"""The Kubernetes control plane's programs: where they come from and how they are built."""
