"""What the backend is built of: modules whose content is the pinned one."""

from __future__ import annotations

from pathlib import Path

import pytest

from hack.controlplane.gobuild import BuildError
from hack.kfp.sources import gather

GO = """#!/bin/sh
echo '{"Sum": "h1:other=", "Dir": "/nowhere"}'
"""


def test_a_module_with_another_hash_is_not_used(tmp_path: Path) -> None:
    go, sources = tmp_path / "go", tmp_path / "sources"
    go.write_text(GO)
    go.chmod(0o755)
    sources.mkdir()
    with pytest.raises(BuildError, match=r"kubeflow/pipelines@.* has the hash h1:other=, not h1:"):
        gather(str(go), sources)
    assert not [*sources.iterdir()]
