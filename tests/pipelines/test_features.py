"""Extractors: fitted on the pool alone, kept in the store; weights read without running them."""

import pickle
from pathlib import Path

import numpy as np
import pytest
from sklearn.datasets import load_sample_images
from sklearn.decomposition import PCA

from hack.demo import data
from petiole_pipelines.errors import StepError
from petiole_pipelines.features import EXTRACTORS, cache, extract, lite0, weights
from petiole_pipelines.features.projection import LANDMARKS, Projection
from petiole_pipelines.store import Store


@pytest.fixture
def store(tmp_path):
    (tmp_path / "store").mkdir()
    return Store((tmp_path / "store").as_uri())


class Counted:
    """Says of an image its mean and how often it was asked."""

    identity = "Counted"

    def __init__(self):
        self.asked = 0

    def describe(self, x):
        self.asked += len(x)
        return x.reshape(len(x), -1).mean(1, keepdims=True).astype(np.float16)


def images(count, seed=0):
    return np.random.default_rng(seed).integers(0, 256, (count, 4, 4, 1)).astype(np.uint8)


def test_what_was_described_once_is_read_again(store):
    extractor, x = Counted(), images(300)
    first = cache.described(extractor, x, store)
    assert (first == Counted().describe(x)).all()
    assert (cache.described(extractor, x, store) == first).all()
    assert extractor.asked == 300
    grown = np.concatenate([x, images(5, seed=1)])
    assert (cache.described(extractor, grown, store) == Counted().describe(grown)).all()
    assert extractor.asked == 300 + 300 % cache.BLOCK + 5


def test_another_extractor_and_a_damaged_object_are_described_anew(store, tmp_path):
    extractor, x = Counted(), images(10)
    first = cache.described(extractor, x, store)
    (kept,) = (tmp_path / "store" / "features").iterdir()
    kept.write_bytes(kept.read_bytes()[:-7])
    assert (cache.described(extractor, x, store) == first).all()
    other = Counted()
    other.identity = "Other"
    cache.described(other, x, store)
    assert (extractor.asked, other.asked) == (20, 10)


@pytest.mark.parametrize("name", ["Kernel", "Pixels"])
def test_features_of_others_do_not_depend_on_which_others_there_are(name):
    x, _ = data.scans()
    pool, one, more = x[:200], x[200:210], x[200:300]
    features, alone = extract(name, pool, [one], seed=0)
    again, together = extract(name, pool, [more], seed=0)
    assert (features == again).all()
    assert alone == pytest.approx(together[:10], abs=1e-9)


def test_an_unknown_extractor_is_named():
    with pytest.raises(StepError, match=r"spec.learning.features is 'Eyes': one of Kernel"):
        extract("Eyes", images(3), [], seed=0)


@pytest.mark.parametrize("count", [100, 600])
def test_components_are_those_of_scikit_learn_up_to_one_scale(count):
    x = np.random.default_rng(2).normal(size=(count, 300)) * np.linspace(1, 5, 300)
    ours = Projection.fit(x, 0, standardise=False).transform(x)
    theirs = PCA(n_components=min(256, count - 1), svd_solver="full").fit_transform(x)
    assert ours.shape[1] >= theirs.shape[1]
    scale = np.sqrt((theirs**2).sum(1).mean())
    assert abs(ours[:, : theirs.shape[1]]) * scale == pytest.approx(abs(theirs), abs=1e-3)
    assert (ours**2).sum(1).mean() == pytest.approx(1)


def test_a_large_pool_is_fitted_on_a_part_of_it():
    x = np.random.default_rng(3).normal(size=(LANDMARKS + 500, 5))
    fitted = [Projection.fit(x, seed, standardise=True) for seed in (1, 1, 2)]
    assert (fitted[0].mean == fitted[1].mean).all()
    assert (fitted[0].mean != fitted[2].mean).any()


def test_weights_are_read_and_nothing_is_run():
    found = weights.read_weights(lite0_file(), lite0.SHA256)
    assert sum(values.size for values in found.values()) > 4_600_000
    assert found["_conv_stem.weight"].shape == (32, 3, 3, 3)
    assert found["_fc.bias"].dtype == np.float32


def lite0_file():
    return Path(str(lite0.files(lite0.PACKAGE))) / lite0.FILE


class Calls:
    """A pickle of it calls ``open`` when it is loaded."""

    def __init__(self, path):
        self.path = path

    def __reduce__(self):
        return open, (str(self.path), "w")


def test_a_file_that_calls_something_is_refused(tmp_path):
    file, made = tmp_path / "w.pth", tmp_path / "made"
    parts = (weights.MAGIC, weights.PROTOCOL, {}, Calls(made))
    file.write_bytes(b"".join(pickle.dumps(part, protocol=2) for part in parts))
    digest = weights.hashlib.sha256(file.read_bytes()).hexdigest()
    with pytest.raises(weights.WeightsError, match=r"refused (io|_io|__builtin__)\.open"):
        weights.read_weights(file, digest)
    assert not made.exists()


def test_another_file_than_the_known_one_is_not_even_opened(tmp_path):
    file = tmp_path / "w.pth"
    file.write_bytes(lite0_file().read_bytes() + b"x")
    with pytest.raises(weights.WeightsError, match="expected 579344"):
        weights.read_weights(file, lite0.SHA256)


def test_a_shortened_file_is_refused(tmp_path):
    file = tmp_path / "w.pth"
    file.write_bytes(lite0_file().read_bytes()[:-100])
    with pytest.raises(weights.WeightsError, match="cannot be read as weights"):
        weights.read_weights(file, weights.hashlib.sha256(file.read_bytes()).hexdigest())


@pytest.mark.long
def test_the_network_knows_a_daisy_and_a_palace():
    palace, flower = load_sample_images().images
    tf = lite0.quiet_tensorflow()
    network = lite0.classifier()
    for image, name in ((palace, 698), (flower[40:360, 60:380], 985)):  # ImageNet's numbers
        resized = tf.image.resize(image[None], (lite0.SIDE, lite0.SIDE), antialias=True)
        assert name in np.asarray(network(resized))[0].argsort()[-3:]


@pytest.mark.long
def test_lite0_describes_an_image_and_its_mirror_alike_and_each_by_itself(store):
    x = np.stack([image[:320, :320] for image in load_sample_images().images])
    extractor = EXTRACTORS["EfficientNetLite0"]
    both = extractor.describe(x).astype(float)
    assert both.shape == (2, 4064)
    assert extractor.describe(x[:, :, ::-1]).astype(float) == pytest.approx(both, abs=0.05)
    assert extractor.describe(x[1:]).astype(float) == pytest.approx(both[1:], abs=0.01)
    assert extractor.describe(x[..., :1]).shape == (2, 4064)
