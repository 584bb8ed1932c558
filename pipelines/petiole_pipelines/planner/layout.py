"""Where everything lies in the arena: life times, scratch, and which operators get a ring."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass

from petiole_pipelines.planner.arena import Buffer, Offsets, place
from petiole_pipelines.planner.format import Op
from petiole_pipelines.planner.regions import Overlap, largest_ring, overlap, scratch


@dataclass(frozen=True)
class Layout:
    """Offsets of tensors by index and of scratch by step; rows of the ring of each step; bytes."""

    tensors: Mapping[int, int]
    scratch: Mapping[int, int]
    rings: Sequence[int]
    arena: int

    def aux(self, op: Op, step: int) -> int:
        if op.second_tensor is not None:
            return self.tensors[op.second_tensor]
        return self.scratch.get(step, 0)


def lay_out(ops: Sequence[Op], sizes: Mapping[int, int], first: int, last: int) -> Layout:
    """Place the tensors of `sizes`, in bytes; `first` is the model's input, `last` its output.

    Copying rows into a ring takes time: a ring stays only where the arena would grow without it.
    """
    lives = _Lives(ops, sizes, first, last)
    rings = [largest_ring(op) if lives.ring_saves(step) else 0 for step, op in enumerate(ops)]
    offsets, arena = lives.place(rings)
    for step in sorted(range(len(ops)), key=lambda step: -ops[step].in_shape.size):
        if rings[step]:
            fewer = [*rings[:step], 0, *rings[step + 1 :]]
            without, size = lives.place(fewer, enough=arena)
            if size <= arena:
                rings, offsets, arena = fewer, without, size
    return Layout(
        tensors={t: offsets["tensor", t] for t in sizes},
        scratch={s: offsets["scratch", s] for s in range(len(ops)) if ("scratch", s) in offsets},
        rings=rings,
        arena=arena,
    )


class _Lives:
    """From which step to which each tensor is needed."""

    def __init__(self, ops: Sequence[Op], sizes: Mapping[int, int], first: int, last: int) -> None:
        self._ops, self._sizes = ops, sizes
        self._born = {first: -1}
        self._dies = {first: 0}
        for step, op in enumerate(ops):
            self._born.setdefault(op.out_tensor, step)
            for tensor in (op.in_tensor, op.second_tensor, op.out_tensor):
                if tensor is not None:
                    self._dies[tensor] = step
        self._dies[last] = len(ops)

    def ring_saves(self, step: int) -> bool:
        """Return whether input and output together get smaller by more than the ring takes."""
        op = self._ops[step]
        ring = largest_ring(op)
        rule = overlap(op, ring) if ring and self._hands_over(op.in_tensor, step) else None
        if rule is None:
            return False
        apart = self._sizes[op.in_tensor] + self._sizes[op.out_tensor]
        ahead = max(rule.low, -self._sizes[op.in_tensor])
        joined = max(
            self._sizes[op.out_tensor] - min(ahead, 0), self._sizes[op.in_tensor] + max(ahead, 0)
        )
        return joined + scratch(op, ring) < apart + scratch(op, 0)

    def place(self, rings: Sequence[int], enough: int = 0) -> tuple[Offsets, int]:
        buffers = [
            Buffer(("tensor", t), self._sizes[t], self._born[t], self._dies[t]) for t in self._sizes
        ]
        overlaps: dict[tuple[object, object], Overlap] = {}
        for step, (op, ring) in enumerate(zip(self._ops, rings, strict=True)):
            if size := scratch(op, ring):
                buffers.append(Buffer(("scratch", step), size, step, step))
            rule = overlap(op, ring)
            for tensor in (op.in_tensor, op.second_tensor):
                if rule and tensor is not None and self._hands_over(tensor, step):
                    overlaps[("tensor", tensor), ("tensor", op.out_tensor)] = rule
        return place(buffers, overlaps, enough)

    def _hands_over(self, tensor: int, step: int) -> bool:
        """Return whether the tensor ends where the step's output begins."""
        return self._dies[tensor] == step == self._born[self._ops[step].out_tensor]
