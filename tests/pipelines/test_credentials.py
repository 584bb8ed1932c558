"""Mounted files that open the object store become the variables of a step."""

import os

from petiole_pipelines import credentials
from petiole_pipelines.errors import step


def test_a_step_has_what_is_mounted_and_nothing_else(tmp_path, monkeypatch):
    monkeypatch.setattr(os, "environ", {"AWS_REGION": "here"})
    monkeypatch.setattr(credentials, "STORE_MOUNT", str(tmp_path))
    for name, content in (("AWS_ACCESS_KEY_ID", "who\n"), ("AWS_REGION", "there"), ("PATH", "/x")):
        (tmp_path / name).write_text(content)

    @step
    def embed():
        return dict(os.environ)

    assert embed() == {"AWS_REGION": "here", "AWS_ACCESS_KEY_ID": "who"}
