"""Pictures for people: what is drawn is what a device would see."""

import io
import zipfile

import numpy as np
import pytest
from PIL import Image

from petiole_pipelines import pictures


@pytest.mark.parametrize("channels", [1, 2, 3, 4])
def test_a_picture_shows_every_value_of_its_input(channels):
    generator = np.random.default_rng(channels)
    x = generator.integers(0, 256, (3, 8, 6, channels), dtype=np.uint8)
    with zipfile.ZipFile(io.BytesIO(pictures.pack(x, ["a", "b/c", "d"]))) as archive:
        assert archive.namelist() == ["a.png", "b/c.png", "d.png"]
        drawn = np.asarray(Image.open(io.BytesIO(archive.read("b/c.png"))))
    drawn = drawn.reshape(*drawn.shape[:2], channels)
    assert drawn.shape == (256, 192, channels)  # 32 times: a person can see it
    assert np.array_equal(drawn[::32, ::32], x[1])
    assert np.array_equal(drawn[31::32, 31::32], x[1])


def test_a_large_picture_stays_as_it_is():
    x = np.zeros((1, 200, 256, 3), np.uint8)
    with zipfile.ZipFile(io.BytesIO(pictures.pack(x, ["a"]))) as archive:
        assert Image.open(io.BytesIO(archive.read("a.png"))).size == (256, 200)
