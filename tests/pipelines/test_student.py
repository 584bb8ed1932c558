"""What students see, which networks they are, and that devices can run them."""

import numpy as np
import pytest

from petiole_pipelines import augment, fit
from petiole_pipelines.augment import Lesson, Recipe, batches, recipe_of

PHOTO = (48, 48, 3)


def lesson(shape=(4, 4, 1), count=3, weight=None):
    x = np.random.default_rng(0).integers(0, 256, (count, *shape)).astype(np.uint8)
    return Lesson(x, np.eye(count), np.ones(count) if weight is None else weight)


def test_glyphs_stay_upright_and_photos_are_turned():
    assert recipe_of((8, 8, 1)) == recipe_of((16, 40, 3)) == augment.SMALL
    assert recipe_of((28, 28, 1)) == recipe_of((32, 64, 3)) == augment.LARGE
    assert recipe_of(PHOTO) == augment.COLOUR
    assert [r.turns for r in (augment.SMALL, augment.LARGE, augment.COLOUR)] == [False, False, True]


def test_a_turned_photo_comes_in_all_eight_ways():
    taught = lesson(count=1)
    recipe = Recipe(steps=1, batch=400, shift=0, turns=True)
    ((inputs, _),) = batches(taught, recipe, 1, seed=0)
    seen = {np.round(image * 255).astype(np.uint8).tobytes() for image in inputs}
    photo = taught.x[0]
    every = {
        np.rot90(side, times).tobytes() for side in (photo, photo[:, ::-1]) for times in range(4)
    }
    assert seen == every


def test_a_shift_moves_and_repeats_the_edge():
    taught = lesson(count=1)
    ((inputs, _),) = batches(taught, Recipe(steps=1, batch=100, shift=1), 1, seed=0)
    seen = {np.round(image * 255).astype(np.uint8).tobytes() for image in inputs}
    padded = np.pad(taught.x[0], ((1, 1), (1, 1), (0, 0)), mode="edge")
    assert seen == {padded[y : y + 4, x : x + 4].tobytes() for y in range(3) for x in range(3)}


@pytest.mark.parametrize("recipe", [augment.SMALL, augment.LARGE, augment.COLOUR])
def test_batches_replay_stay_in_range_and_vary(recipe):
    first, again, other = (
        next(batches(lesson((20, 20, 3), 5), recipe, 1, seed)) for seed in (1, 1, 2)
    )
    assert (first[0] == again[0]).all()
    assert (first[0] != other[0]).any()
    assert first[0].dtype == first[1].dtype == np.float32
    assert first[0].min() >= 0
    assert first[0].max() <= 1


def test_weights_say_how_often_a_sample_comes():
    taught = lesson(weight=np.array([0.0, 1.0, 3.0]))
    ((_, soft),) = batches(taught, Recipe(steps=1, batch=4000, shift=0), 1, seed=0)
    assert soft.mean(0) == pytest.approx([0, 0.25, 0.75], abs=0.03)


def test_large_inputs_leave_room_for_the_model():
    def count(flash, shape):
        return fit.golden_vectors(shape, {"flash": flash})

    assert count("16Ki", (8, 8, 1)) == 20
    assert count("64Ki", PHOTO) == 4
    assert count("256Ki", PHOTO) == 18
    assert count("8Ki", PHOTO) == 1


@pytest.mark.long
@pytest.mark.parametrize(("flash", "arena", "width"), [("64Ki", "32Ki", 16), ("256Ki", "64Ki", 24)])
def test_a_photo_student_fits_and_runs_as_planned(flash, arena, width):
    from petiole_pipelines import judge, networks, student
    from petiole_pipelines.planner import plan

    target = {"name": "m", "flash": flash, "arena": arena}
    taught = lesson(PHOTO, 4)
    network, limited = fit.widest(taught.x, 4, target)
    assert (network, bool(limited)) == (networks.Architecture("Separable", width), width < 24)
    model = student.train(taught, network, seed=0, steps=300)
    assert model.count_params() == networks.network(PHOTO, 4, network, None).count_params()
    tflite = student.quantise(model, network, taught.x)
    assert not fit.misfit(fit.cost_of(plan(tflite), PHOTO, target), target)
    assert judge.infer(tflite, taught.x).argmax(1).tolist() == [0, 1, 2, 3]  # four photos by heart


def test_the_same_lesson_and_seed_make_the_same_model():
    """Names of layers go up within a process and stand in the file; what devices run is equal."""
    from petiole_pipelines import networks, student
    from petiole_pipelines.planner import plan

    network = networks.Architecture("Plain", 6)
    random = np.random.default_rng(0)
    x = random.integers(0, 256, (60, 8, 8, 1)).astype(np.uint8)
    lesson = Lesson(x, np.eye(3)[random.integers(0, 3, 60)], np.ones(60))
    first, again, other = (
        plan(student.quantise(student.train(lesson, network, seed, steps=20), network, x)).blob
        for seed in (1, 1, 2)
    )
    assert first == again
    assert first != other


def test_the_faster_normalisation_learns_what_that_of_keras_learns():
    from petiole_pipelines import networks

    tf = networks.quiet_tensorflow()
    x = tf.constant(np.random.default_rng(0).normal(2, 3, (48, 6, 6, 5)), tf.float32)
    found = []
    for kind in (networks._normalisation(), tf.keras.layers.BatchNormalization):
        layer = kind(momentum=0.5)
        layer.build(x.shape)
        with tf.GradientTape() as tape:
            tape.watch(x)
            loss = tf.reduce_sum(layer(x, training=True) ** 3)
        found.append([loss, tape.gradient(loss, x), *layer.get_weights(), layer(x, training=False)])
    for fast, keras in zip(*found, strict=True):
        assert np.allclose(fast, keras, rtol=2e-3, atol=2e-3)  # one divides by n - 1
    assert np.allclose(found[0][2 + 2], 1.0, atol=0.2)  # half way to a mean of 2
