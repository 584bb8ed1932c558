"""Data sets as users have them: folders of photos, volume claims, what is wrong with them."""

import hashlib
import io
import json
import subprocess

import numpy as np
import pytest
from PIL import Image

from petiole_pipelines import dataset, images, source
from petiole_pipelines.dataset import Task
from petiole_pipelines.errors import StepError

TASK = Task(labels=("apple-scab", "healthy"), shape=(4, 6, 3))


def photo(value, size=(24, 16), kind="PNG", mode="RGB"):
    """A photo of one colour, but for its left half, which is black."""
    pixels = np.full((size[1], size[0], 3), value, np.uint8)
    pixels[:, : size[0] // 2] = 0
    file = io.BytesIO()
    Image.fromarray(pixels).convert(mode).save(file, kind)
    return file.getvalue()


def put(folder, files):
    for name, content in files.items():
        path = folder / name
        path.parent.mkdir(parents=True, exist_ok=True)
        path.write_bytes(content)
    return folder.as_uri()


@pytest.fixture
def leaves(tmp_path):
    """Two classes in PlantVillage's spelling, and what else lies about in such folders."""
    folder = tmp_path / "leaves"
    put(
        folder,
        {
            "Apple_scab/b 2.JPG": photo((200, 0, 0), kind="JPEG"),
            "Apple_scab/a#1%20é.png": photo((100, 0, 0)),
            "healthy/site 3/c.jpeg": photo((0, 90, 0), kind="JPEG"),
            "healthy/notes.txt": b"not a photo",
            "healthy/.hidden.png": b"nor this",
            ".cache/thumb.png": b"nor this",
        },
    )
    return folder


def failing(uri, what="pool", task=TASK):
    with pytest.raises(StepError) as caught:
        dataset.read_evaluation(uri, task) if what == "evaluation" else dataset.read_set(
            uri, task, what
        )
    return caught.value


def test_photos_in_class_folders_are_samples(leaves):
    found = dataset.read_set(leaves.as_uri(), TASK, "pool")
    assert found.ids == ("Apple_scab/a#1%20é.png", "Apple_scab/b 2.JPG", "healthy/site 3/c.jpeg")
    assert found.y.tolist() == [0, 0, 1]
    assert (found.x.shape, found.x.dtype) == ((3, 4, 6, 3), np.uint8)
    assert found.unreadable == ()


def test_a_photo_is_averaged_over_areas_to_the_size_of_the_input():
    fine = np.zeros((8, 8, 3), np.uint8)
    fine[::2, ::2] = 200  # a quarter of every area
    file = io.BytesIO()
    Image.fromarray(fine).save(file, "PNG")
    assert (images.decode(file.getvalue(), (2, 4, 3)) == 50).all()
    assert (images.decode(file.getvalue(), (2, 4, 1)) == 50).all()


def test_a_photo_taken_sideways_stands_upright():
    pixels = np.zeros((4, 8, 3), np.uint8)
    pixels[:, :4] = 255
    turned = Image.fromarray(pixels)
    exif = turned.getexif()
    exif[0x0112] = 6  # rotate by 90 degrees clockwise to show
    file = io.BytesIO()
    turned.save(file, "PNG", exif=exif)
    upright = images.decode(file.getvalue(), (2, 1, 1))
    assert upright.ravel().tolist() == [255, 0]


@pytest.mark.parametrize("mode", ["L", "RGB", "RGBA", "P", "1"])
def test_any_mode_of_photo_gives_the_channels_of_the_task(mode):
    for channels in (1, 3, 4):
        assert images.decode(photo((255, 255, 255), mode=mode), (4, 6, channels)).max() == 255


def test_broken_photos_are_named_and_the_others_kept(leaves):
    put(
        leaves,
        {
            "healthy/cut.jpg": photo((1, 2, 3), kind="JPEG")[:300],
            "healthy/text.png": b"hello",
            "healthy/deep.png": photo((1, 1, 1), mode="I;16"),
        },
    )
    found = dataset.read_set(leaves.as_uri(), TASK, "pool")
    assert len(found.ids) == 3
    named = dict(line.split(": ", 1) for line in found.unreadable)
    assert set(named) == {"healthy/cut.jpg", "healthy/deep.png", "healthy/text.png"}
    assert "no image" in named["healthy/text.png"]
    assert "8 bits" in named["healthy/deep.png"]
    record = found.record("file:///x")
    assert (record["samples"], record["unreadable"]) == (3, 3)
    assert record["unreadableNames"] == found.unreadable


def test_a_folder_that_no_label_names_is_refused(leaves):
    put(leaves, {"black rot/a.png": photo((1, 1, 1)), "Healthy?/a.png": photo((1, 1, 1))})
    error = failing(leaves.as_uri())
    assert error.reason == "DataInvalid"
    assert "names: black rot; labels are apple-scab, healthy" in str(error)


def test_a_set_without_a_photo_is_missing(tmp_path):
    uri = put(tmp_path / "x", {"healthy/readme.md": b"x"})
    error = failing(uri, "evaluation")
    assert error.reason == "DataMissing"
    assert f"{uri} holds neither samples.npz nor a photo" in str(error)
    assert "spec.data.evaluation.uri" in str(error)
    put(tmp_path / "x", {"healthy/a.png": b"x"})
    assert "1 files cannot be read" in str(failing(uri))
    assert "no folder" in str(failing((tmp_path / "gone").as_uri()))
    assert not (tmp_path / "gone").exists()


def test_photos_to_evaluate_need_a_class_and_photos_to_ask_about_do_not(leaves):
    uri = put(leaves, {"loose.png": photo((9, 9, 9))})
    assert dataset.read_set(uri, TASK, "pool").y.tolist() == [0, 0, 1, -1]
    error = failing(uri, "evaluation")
    assert error.reason == "DataInvalid"
    assert "1 samples of the evaluation set have no label" in str(error)


def test_photos_of_two_channels_are_refused(leaves):
    task = Task(TASK.labels, (4, 6, 2))
    assert "spec.task.input.channels is 2" in str(failing(leaves.as_uri(), task=task))


def test_the_digest_is_what_sha256sum_says_of_all_files(leaves):
    put(leaves, {"healthy/text.png": b"hello"})
    found = dataset.read_set(leaves.as_uri(), TASK, "pool")
    names = sorted([*found.ids, "healthy/text.png"])
    said = subprocess.run(["sha256sum", *names], cwd=leaves, capture_output=True, check=True).stdout
    assert found.digest == hashlib.sha256(said).hexdigest()
    put(leaves, {"healthy/text.png": b"hallo"})
    assert dataset.read_set(leaves.as_uri(), TASK, "pool").digest != found.digest


def test_a_claim_is_read_where_it_is_mounted(leaves, monkeypatch):
    mounts = leaves.parent / "mounts"
    mounts.mkdir()
    (mounts / "orchard-1").symlink_to(leaves.parent)
    monkeypatch.setenv(source.CLAIMS, str(mounts))
    uri = "pvc://orchard-1/leaves"
    assert len(dataset.read_set(uri, TASK, "pool").ids) == 3
    assert "no folder pvc://" in str(failing(f"{uri}/gone"))


def test_a_claim_that_is_not_mounted_says_what_the_machine_cannot_do():
    error = failing("pvc://orchard/pool")
    assert error.reason == "DataMissing"
    for words in ("claim orchard", "/var/run/petiole/claims/orchard", "in the cluster", "s3://"):
        assert words in str(error)


@pytest.mark.parametrize(
    "uri", ["pvc://orchard/../../etc", "pvc:///pool", "pvc://../etc", "ftp://orchard/pool"]
)
def test_uris_that_mean_nothing_are_refused(uri):
    error = failing(uri)
    assert error.reason == "DataInvalid"
    assert f"spec.data.pool.uri is {uri}" in str(error)


def test_what_was_read_stands_in_the_runs_document(tmp_path, orchard):
    from petiole_pipelines import steps
    from tests.pipelines.test_steps import embed

    samples, answers = embed(orchard, tmp_path), str(tmp_path / "answers.npz")
    steps.teacher(samples, answers, task=orchard.parameters("Query", "x")["task"])
    given = orchard.parameters("Query", "x")
    wanted = ("store_uri", "output_path", "task", "learning", "seed")
    path = steps.select(samples, answers, round_number=1, **{n: given[n] for n in wanted})
    read = json.loads((orchard.store / path).read_text())["data"]
    content = (orchard.root / "data" / "pool" / "samples.npz").read_bytes()
    line = f"{hashlib.sha256(content).hexdigest()}  samples.npz\n"
    assert read["pool"]["digest"] == hashlib.sha256(line.encode()).hexdigest()
    assert read["evaluation"]["samples"] == 380
