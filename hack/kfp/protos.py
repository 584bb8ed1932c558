"""Writes KFP's Go message packages, which its module lacks, from what the Python SDK ships.

``python protos.py PROTOC_GEN_GO SOURCES`` in an environment with kfp-kubernetes: the descriptors in
its wheels are those of the newer SDK, so the server reads every field that it may write.
"""

# It runs in an environment of its own, whose packages are not in .venv.
# mypy: ignore-errors

from __future__ import annotations

import subprocess
import sys
from pathlib import Path

from google.protobuf.compiler import plugin_pb2
from google.protobuf.descriptor import FileDescriptor
from google.protobuf.descriptor_pb2 import FileDescriptorProto
from kfp.kubernetes import kubernetes_executor_config_pb2
from kfp.pipeline_spec import pipeline_spec_pb2

PACKAGES = (
    (pipeline_spec_pb2.DESCRIPTOR, "api/v2alpha1/go/pipelinespec"),
    (kubernetes_executor_config_pb2.DESCRIPTOR, "kubernetes_platform/go/kubernetesplatform"),
)


def closure(
    file: FileDescriptor, seen: dict[str, FileDescriptorProto]
) -> list[FileDescriptorProto]:
    """All files that ``file`` imports, before it."""
    for imported in file.dependencies:
        closure(imported, seen)
    if file.name not in seen:
        seen[file.name] = FileDescriptorProto()
        file.CopyToProto(seen[file.name])
    return list(seen.values())


def generate(generator: str, file: FileDescriptor) -> plugin_pb2.CodeGeneratorResponse:
    request = plugin_pb2.CodeGeneratorRequest(
        file_to_generate=[file.name], parameter="paths=source_relative"
    )
    request.proto_file.extend(closure(file, {}))
    made = subprocess.run(
        [generator], input=request.SerializeToString(), stdout=subprocess.PIPE, check=True
    )
    answer = plugin_pb2.CodeGeneratorResponse.FromString(made.stdout)
    if answer.error:
        sys.exit(answer.error)
    return answer


if __name__ == "__main__":
    for descriptor, folder in PACKAGES:
        into = Path(sys.argv[2], folder)
        into.mkdir(parents=True, exist_ok=True)
        for made in generate(sys.argv[1], descriptor).file:
            (into / Path(made.name).name).write_text(made.content)
