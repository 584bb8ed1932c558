"""Single operators for the tests of the kernels: each path of each of them."""

from dataclasses import replace

from hack.testbed.singles import (
    AVERAGE_POOL,
    CONV,
    DENSE,
    DEPTHWISE,
    MAX_POOL,
    MEAN,
    Single,
)


def _variants() -> dict[str, Single]:
    conv = Single(CONV, (7, 6, 8), 6, (3, 3))
    depthwise = Single(DEPTHWISE, (7, 6, 8), 8, (3, 3))
    cases = {
        "conv": conv,
        "conv odd depth": replace(conv, shape=(7, 5, 3), channels=5),
        "conv one value": replace(conv, shape=(9, 5, 1), channels=4, filter=(4, 3), stride=(2, 2)),
        "conv tiny": replace(conv, shape=(3, 3, 1), channels=3, filter=(1, 3), same=False),
        "conv long": replace(conv, shape=(4, 4, 21), filter=(2, 3), stride=(1, 2)),
        "conv one pixel": replace(conv, shape=(3, 3, 7), same=False),
        "conv odd address": replace(conv, odd=1),
        "conv left shift": replace(conv, shift=(-1, 2)),
        "conv mixed shifts": replace(conv, shift=(-3, 0), channels=16),
        "conv clamped": replace(conv, clamp=(-20, 33)),
        "conv ring": replace(conv, ring=True, channels=8),
        "conv ring grows": replace(conv, ring=True, channels=13, stride=(2, 1)),
        "conv ring valid": replace(conv, ring=True, channels=3, same=False),
        "conv ring short": replace(conv, ring=True, shape=(2, 6, 4), filter=(5, 3)),
        "pointwise": replace(conv, filter=(1, 1), channels=8),
        "pointwise grows": replace(conv, filter=(1, 1), channels=19),
        "pointwise shrinks": replace(conv, filter=(1, 1), shape=(5, 5, 34), channels=5),
        "pointwise strided": replace(conv, filter=(1, 1), stride=(2, 2)),
        "dense": Single(DENSE, (1, 1, 37), 9),
        "dense packed": Single(DENSE, (1, 1, 39), 9, bits=5),
        "dense three bits": Single(DENSE, (1, 1, 64), 5, bits=3),
        "dense seven bits": Single(DENSE, (1, 1, 130), 6, bits=7, shift=(-10, -8)),
        "dense one bit": Single(DENSE, (1, 1, 11), 4, bits=1, shift=(-6, -6)),
        "dense rows": Single(DENSE, (5, 1, 24), 10, shift=(-12, -8)),
        "depthwise": depthwise,
        "depthwise rest": replace(depthwise, shape=(7, 6, 7), channels=7),
        "depthwise strided": replace(depthwise, stride=(2, 2), filter=(5, 4)),
        "depthwise valid": replace(depthwise, same=False, filter=(2, 3)),
        "depthwise wide": replace(depthwise, filter=(1, 7), shape=(3, 12, 4), channels=4),
        "depthwise large": replace(depthwise, filter=(8, 7), shape=(9, 8, 4), channels=4),
        "depthwise multiplier": replace(depthwise, shape=(5, 5, 3), channels=12),
        "depthwise left shift": replace(depthwise, shift=(-4, 1)),
        "depthwise mixed shifts": replace(
            depthwise, shift=(-3, 0), shape=(7, 6, 32), channels=32
        ),
        "depthwise clamped": replace(depthwise, clamp=(-5, 77)),
        "depthwise ring": replace(depthwise, ring=True),
        "depthwise ring strided": replace(
            depthwise, ring=True, stride=(2, 2), shape=(9, 9, 12), channels=12
        ),
        "depthwise odd address": replace(depthwise, odd=3),
        "max pool": Single(MAX_POOL, (7, 6, 9), 9, (2, 2), (2, 2)),
        "max pool ring": Single(MAX_POOL, (7, 6, 8), 8, (3, 3), (1, 1), ring=True),
        "max pool clamped": Single(MAX_POOL, (8, 6, 5), 5, (3, 2), (2, 1), clamp=(-9, 50)),
        "average pool": Single(AVERAGE_POOL, (7, 6, 21), 21, (3, 3), (2, 2)),
        "average pool ring": Single(AVERAGE_POOL, (7, 6, 8), 8, (3, 2), (1, 2), ring=True),
        "average pool large": Single(AVERAGE_POOL, (20, 30, 4), 4, (20, 30), (1, 1), same=False),
        "mean": Single(MEAN, (7, 5, 19), 19, shift=(-6, -6)),
        "mean large": Single(MEAN, (40, 30, 4), 4, shift=(-9, -9)),
    }  # fmt: skip
    return {
        name: replace(case, zero_points=(0, 0)) if "pool" in name else case
        for name, case in cases.items()
    }


SINGLES = _variants()
