"""Photos that a run left out are told, and no longer once a run reads all."""

from __future__ import annotations

from petiole.learning.datasets import left_out

from .model import World, spec


def record(count: int, *names: str) -> dict[str, object]:
    return {"uri": "s3://orchard/pool", "unreadable": count, "unreadableNames": list(names)}


def condition(world: World) -> tuple[str, str, str] | None:
    found = [c for c in world.status.conditions if c.type == "DataReadable"]
    return (found[0].status, found[0].reason, found[0].message) if found else None


def test_nothing_is_said_of_sets_that_were_read_whole() -> None:
    assert left_out({}) == ""
    assert left_out({"data": {"pool": record(0), "evaluation": record(0)}}) == ""
    rest = {"labels": {"path": "labels.json"}, "samples": {"path": "samples"}, "seed": 7}
    assert left_out({"data": {"pool": record(0), **rest}}) == ""
    world = World(spec(), data={"pool": record(0), **rest})
    world.rest()
    assert condition(world) is None


def test_photos_left_out_are_named_and_counted() -> None:
    said = left_out({"data": {"pool": record(5, "a: cut", "b: cut", "c: cut", "d: cut")}})
    assert (
        "5 photos of the pool set at s3://orchard/pool: a: cut; b: cut; c: cut and 2 more" in said
    )
    assert len(left_out({"data": {"pool": record(3, *["x" * 1000] * 3)}})) < 600


def test_the_condition_stands_until_a_run_reads_all() -> None:
    world = World(spec(), data={"pool": record(1, "rust/7.jpg: is no image")})
    world.rest()
    assert world.status.latest_version == 1
    status, reason, message = condition(world) or ("", "", "")
    assert (status, reason) == ("False", "PhotosLeftOut")
    assert "rust/7.jpg: is no image" in message
    world.data = {"pool": record(0)}
    world.spec = spec(pool="file:///data/mended")
    world.generation += 1
    world.rest()
    assert condition(world) == ("True", "AllRead", "")
