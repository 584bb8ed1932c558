"""What is pinned: modules by version and hash, and the programs that are built of them.

2.14.3 is the newest backend of which the Go module can be had whole. Its pseudo-version and that
of its ``api`` are not in the Go checksum database: their hashes are checked here, then by go.sum.
"""

from __future__ import annotations

KFP = "2.14.3"
PIPELINES = "github.com/kubeflow/pipelines"
API = f"{PIPELINES}/api"
PLATFORM = f"{PIPELINES}/kubernetes_platform"
ARGO = "github.com/argoproj/argo-workflows/v3"
MODULES = {
    PIPELINES: (
        "v0.0.0-20250902140602-fc3214d4b4d3",
        "h1:EYFzVTUNy3iXMOtNIA8qaZNIq+u2PAJ+b92w9/yJG9I=",
    ),
    API: (
        "v0.0.0-20250102152816-873e9dedd766",
        "h1:ZXz+Ki+hxez8vsr5hWHsjYWpa9V/dkp3iI4XTtMBH7A=",
    ),
    ARGO: ("v3.6.7", ""),
}
UNLISTED = (PIPELINES, API)  # what the checksum database does not know
# The last part of each is the program's name. The API server's database code names types of a C
# library; the others go into images that have no C library, and must not ask for one.
WITH_C = (f"{PIPELINES}/backend/src/apiserver",)
STATIC = (
    f"{PIPELINES}/backend/src/agent/persistence",
    f"{PIPELINES}/backend/src/v2/cmd/driver",
    f"{PIPELINES}/backend/src/v2/cmd/launcher-v2",
    f"{ARGO}/cmd/workflow-controller",
    f"{ARGO}/cmd/argoexec",
)
PACKAGES = (*WITH_C, *STATIC)
GENERATOR = "google.golang.org/protobuf/cmd/protoc-gen-go"
