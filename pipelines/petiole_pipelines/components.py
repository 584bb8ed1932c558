"""Thin kfp adapters around the steps. A body is shipped as source, so it imports what it needs."""

# kfp reads the annotations of these functions at run time: no `from __future__ import annotations`.

from kfp import dsl
from kfp.dsl import Dataset, Input, Output

IMAGE = "petiole-pipelines:0.1.0"


@dsl.component(base_image=IMAGE, packages_to_install=[], install_kfp_package=False)
def embed(
    samples: Output[Dataset],
    pool_uri: str,
    evaluation_uri: str,
    store_uri: str,
    labels_path: str,
    samples_path: str,
    task: str,
    learning: str,
    seed: int,
) -> None:
    """Gather samples, labels and features."""
    from petiole_pipelines import steps  # noqa: PLC0415

    steps.embed(
        samples.path,
        pool_uri=pool_uri,
        evaluation_uri=evaluation_uri,
        store_uri=store_uri,
        labels_path=labels_path,
        samples_path=samples_path,
        task=task,
        learning=learning,
        seed=seed,
    )


@dsl.component(base_image=IMAGE, packages_to_install=[], install_kfp_package=False)
def detect(
    pool_uri: str,
    evaluation_uri: str,
    store_uri: str,
    output_path: str,
    task: str,
    targets: list,  # type: ignore[type-arg] # kfp knows plain list only
    learning: str,
    seed: int,
) -> str:
    """Choose a detector for a task without classes, and judge it."""
    from petiole_pipelines import detect  # noqa: PLC0415

    return detect.detect(
        pool_uri=pool_uri,
        evaluation_uri=evaluation_uri,
        store_uri=store_uri,
        output_path=output_path,
        task=task,
        targets=targets,
        learning=learning,
        seed=seed,
    )


@dsl.component(base_image=IMAGE, packages_to_install=[], install_kfp_package=False)
def teacher(samples: Input[Dataset], answers: Output[Dataset], task: str) -> float:
    """Learn from the labels there are."""
    from petiole_pipelines import steps  # noqa: PLC0415

    return steps.teacher(samples.path, answers.path, task=task)


@dsl.component(base_image=IMAGE, packages_to_install=[], install_kfp_package=False)
def select(
    samples: Input[Dataset],
    answers: Input[Dataset],
    store_uri: str,
    output_path: str,
    task: str,
    learning: str,
    seed: int,
    round_number: int,
) -> str:
    """Choose the samples to ask labels for."""
    from petiole_pipelines import steps  # noqa: PLC0415

    return steps.select(
        samples.path,
        answers.path,
        store_uri=store_uri,
        output_path=output_path,
        task=task,
        learning=learning,
        seed=seed,
        round_number=round_number,
    )


@dsl.component(base_image=IMAGE, packages_to_install=[], install_kfp_package=False)
def student(
    samples: Input[Dataset],
    answers: Input[Dataset],
    store_uri: str,
    output_path: str,
    target: dict,  # type: ignore[type-arg] # kfp knows plain dict only
    learning: str,
    seed: int,
) -> str:
    """Train a student that fits the target."""
    from petiole_pipelines import steps  # noqa: PLC0415

    return steps.student(
        samples.path,
        answers.path,
        store_uri=store_uri,
        output_path=output_path,
        target=target,
        learning=learning,
        seed=seed,
    )


@dsl.component(base_image=IMAGE, packages_to_install=[], install_kfp_package=False)
def compress(
    samples: Input[Dataset],
    tflite_path: str,
    store_uri: str,
    output_path: str,
    target: dict,  # type: ignore[type-arg] # kfp knows plain dict only
) -> str:
    """Plan the model for the device and check its limits."""
    from petiole_pipelines import steps  # noqa: PLC0415

    return steps.compress(
        samples.path, tflite_path, store_uri=store_uri, output_path=output_path, target=target
    )


@dsl.component(base_image=IMAGE, packages_to_install=[], install_kfp_package=False)
def judge(
    samples: Input[Dataset],
    answers: Input[Dataset],
    variants: list[str],
    store_uri: str,
    output_path: str,
    task: str,
    learning: str,
) -> str:
    """Judge every int8 variant on the evaluation set."""
    from petiole_pipelines import steps  # noqa: PLC0415

    return steps.judge(
        samples.path,
        answers.path,
        variants,
        store_uri=store_uri,
        output_path=output_path,
        task=task,
        learning=learning,
    )
