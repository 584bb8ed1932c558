"""``python -m petiole_pipelines.compile OUT.yaml``: the pipeline as IR YAML for a KFP cluster."""

from __future__ import annotations

import sys
from pathlib import Path

from kfp import compiler

from .pipelines import learning_round


def compile_to(path: Path) -> None:
    """Write the IR YAML of ``learning_round``."""
    compiler.Compiler().compile(learning_round, str(path))


if __name__ == "__main__":
    if len(sys.argv) != 2:
        sys.exit("usage: python -m petiole_pipelines.compile OUT.yaml")
    compile_to(Path(sys.argv[1]))
