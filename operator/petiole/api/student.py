"""Targets, how the student of each is found, and what status says of it."""

from __future__ import annotations

from typing import Annotated, ClassVar, Literal

from pydantic import Field, StrictInt

from .base import ApiModel, Count, Name, Quantity, Rule

FRONT = 12  # points in status

Core = Literal["cortex-m3", "cortex-m4", "cortex-m7", "cortex-m33", "cortex-m55"]


class Target(ApiModel):
    """A device class and its limits. One variant of each version is made for every target."""

    name: Annotated[Name, Field(description="The device class, as devices report it.")]
    flash: Annotated[Quantity, Field(description="Bytes of a model slot.")]
    arena: Annotated[Quantity, Field(description="Bytes of memory for activations.")]
    core: Annotated[Core, Field(description="Whose instructions are predicted.")] = "cortex-m4"
    instructions: (
        Annotated[Count, Field(description="Most of one inference, as predicted, such as 12M.")]
        | None
    ) = None


class Student(ApiModel):
    """How the network of each target is found, and what a later round trains of it."""

    search: Annotated[
        Literal["Widest", "Halving"],
        Field(
            description="Widest: the widest usual network that fits. Halving: several networks "
            "learn for a short while, the better ones for longer."
        ),
    ] = "Widest"
    tries: Annotated[
        StrictInt, Field(ge=2, le=24, description="Networks that Halving begins with.")
    ] = 6
    fine_tune: Annotated[
        Literal["Whole", "Head"],
        Field(
            description="Head: once there is a version, train its last layer only, so that "
            "devices fetch little."
        ),
    ] = "Whole"

    rules: ClassVar[tuple[Rule, ...]] = (
        Rule(
            "!has(self.tries) || (has(self.search) && self.search == 'Halving')",
            "tries is for the search Halving, which begins with so many networks",
            ".tries",
        ),
    )


class FrontPoint(ApiModel):
    """A network that no other one beats at once in accuracy, flash, arena and instructions."""

    network: Annotated[str, Field(description="Body, and channels of its first layer.")]
    flash: Annotated[int, Field(description="Bytes of the artefact.")]
    arena: Annotated[int, Field(description="Bytes of memory for activations.")]
    instructions: Annotated[int, Field(description="Of one inference, as predicted.")]
    accuracy: Annotated[
        str,
        Field(
            description="int8, against the teacher on a part of the pool that was kept back, "
            "percent."
        ),
    ]
    steps: Annotated[int, Field(description="Of training that it had by then.")]


class StudentStatus(ApiModel):
    """The network of one target, and why this one."""

    target: Annotated[str, Field(description="The device class.")]
    network: Annotated[str, Field(description="Body, and channels of its first layer.")]
    choice: Annotated[
        str, Field(max_length=512, description="Why this network, and what limited it.")
    ] = ""
    flash: Annotated[int, Field(description="Bytes of the artefact.")] = 0
    arena: Annotated[int, Field(description="Bytes of memory for activations.")] = 0
    instructions: Annotated[int, Field(description="Of one inference, as predicted.")] = 0
    accuracy: Annotated[str, Field(description="On the evaluation set, percent.")] = ""
    worst_class: Annotated[str, Field(description="The class of the lowest recall, with it.")] = ""
    front: Annotated[
        tuple[FrontPoint, ...],
        Field(max_length=FRONT, description="What else there was to have, cheapest first."),
    ] = ()
