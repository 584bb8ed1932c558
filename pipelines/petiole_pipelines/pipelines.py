"""The pipeline of a learning round; docs/architecture.md, "Pipeline runs", lists its parameters."""

from kfp import dsl

from . import components


@dsl.pipeline(name="learning-round", description="Ask for labels, or train and judge a candidate.")
def learning_round(
    phase: str,
    model_uid: str,  # noqa: ARG001 - names the model in the run's parameters
    pool_uri: str,
    evaluation_uri: str,
    store_uri: str,
    labels_path: str,
    samples_path: str,
    output_path: str,
    task: str,
    targets: list,  # type: ignore[type-arg] # kfp knows plain list only
    learning: str,
    seed: int,
    round: int,  # noqa: A002 - the contract's word
) -> None:
    """Run ``phase`` Query (embed, teacher, select) or Train (embed, teacher, students, judge).

    ``Detect`` is all of a round without classes.
    """
    with dsl.If(phase == "Detect"):
        components.detect(
            pool_uri=pool_uri,
            evaluation_uri=evaluation_uri,
            store_uri=store_uri,
            output_path=output_path,
            task=task,
            targets=targets,
            learning=learning,
            seed=seed,
        )
    with dsl.If(phase != "Detect"):
        embedded = components.embed(
            pool_uri=pool_uri,
            evaluation_uri=evaluation_uri,
            store_uri=store_uri,
            labels_path=labels_path,
            samples_path=samples_path,
            task=task,
            learning=learning,
            seed=seed,
        ).outputs["samples"]
        answers = components.teacher(samples=embedded, task=task).outputs["answers"]
        with dsl.If(phase == "Query"):
            components.select(
                samples=embedded,
                answers=answers,
                store_uri=store_uri,
                output_path=output_path,
                task=task,
                learning=learning,
                seed=seed,
                round_number=round,
            )
        with dsl.If(phase == "Train"):
            with dsl.ParallelFor(targets) as target:
                trained = components.student(
                    samples=embedded,
                    answers=answers,
                    store_uri=store_uri,
                    output_path=output_path,
                    target=target,
                    learning=learning,
                    seed=seed,
                )
                variant = components.compress(
                    samples=embedded,
                    tflite_path=trained.output,
                    store_uri=store_uri,
                    output_path=output_path,
                    target=target,
                )
            components.judge(
                samples=embedded,
                answers=answers,
                variants=dsl.Collected(variant.output),
                store_uri=store_uri,
                output_path=output_path,
                task=task,
                learning=learning,
            )
