"""Networks drawn at random: every kind of operator in odd shapes, strides and paddings, alone and
in chains with branches. A name is a recipe and a seed, and always gives the same file."""

from collections.abc import Callable, Mapping

import numpy as np

from tests.nn.flat import RELU, RELU6, SAME, VALID, Flat, Flow

UNARY = ("LOGISTIC", "TANH", "RELU", "RELU6", "HARD_SWISH", "LEAKY_RELU", "ELU")
ACTIVATIONS = (0, 0, RELU, RELU6)


class Draw:
    """What a recipe may ask for."""

    def __init__(self, name: str) -> None:
        recipe, _, seed = name.rpartition("_")
        self.random = np.random.default_rng([int(seed), *recipe.encode()])
        self.flat = Flat(self.random)

    def number(self, low: int, high: int) -> int:
        return int(self.random.integers(low, high + 1))

    def one_of(self, values):
        return values[self.number(0, len(values) - 1)]

    def image(self, sides: tuple[int, int] = (3, 13), channels: tuple[int, int] = (1, 9)) -> Flow:
        return self.flat.input((self.number(*sides), self.number(*sides), self.number(*channels)))

    def window(self, x: Flow, largest: int = 5):
        """Filter sides, and stride, padding and activation, that suit the tensor."""
        padding = self.one_of((SAME, VALID))
        side = tuple(self.number(1, largest) for _ in range(2))
        if padding == VALID:
            side = tuple(min(s, size) for s, size in zip(side, x.shape[1:3], strict=True))
        stride = (self.number(1, 3), self.number(1, 3)) if self.number(0, 1) else (1, 1)
        return side, {
            "stride": stride,
            "padding": padding,
            "activation": self.one_of(ACTIVATIONS),
        }

    def conv(self, x: Flow) -> Flow:
        side, window = self.window(x)
        return self.flat.conv(x, self.number(1, 12), side, **window)

    def pointwise(self, x: Flow) -> Flow:
        return self.flat.conv(x, self.number(1, 20), (1, 1), activation=self.one_of(ACTIVATIONS))

    def depthwise(self, x: Flow) -> Flow:
        side, window = self.window(x)
        return self.flat.depthwise(x, self.one_of((1, 1, 1, 2, 3)), side, **window)

    def max_pool(self, x: Flow) -> Flow:
        side, window = self.window(x, 4)
        return self.flat.pool("MAX", x, side, **window)

    def average_pool(self, x: Flow) -> Flow:
        side, window = self.window(x, 4)
        return self.flat.pool("AVERAGE", x, side, **window)

    def unary(self, x: Flow) -> Flow:
        kind = self.one_of(UNARY)
        return self.flat.unary(kind, x, **({"alpha": 0.2} if kind == "LEAKY_RELU" else {}))

    def pad(self, x: Flow) -> Flow:
        amounts = [(self.number(0, 2), self.number(0, 2)) for _ in range(2)]
        return self.flat.pad(x, [(0, 0), *amounts, (0, 0)])

    def residual(self, x: Flow) -> Flow:
        """A branch that keeps the shape, and is added or multiplied."""
        y = self.flat.conv(x, x.shape[3], (3, 3), activation=self.one_of(ACTIVATIONS))
        if self.number(0, 1):
            y = self.flat.depthwise(y, 1, (3, 2))
        return self.flat.both(self.one_of(("ADD", "ADD", "MUL")), x, y, self.one_of(ACTIVATIONS))

    def branches(self, x: Flow) -> Flow:
        """Two branches, joined at one of three axes."""
        y = self.flat.conv(x, x.shape[3], (3, 3), padding=SAME)
        y = self.flat.requantize(y, x)
        return self.flat.concat([x, y] if self.number(0, 1) else [y, x, y], self.number(1, 3))

    def step(self, x: Flow) -> Flow:
        steps = (
            self.conv, self.pointwise, self.depthwise, self.depthwise, self.max_pool,
            self.average_pool, self.unary, self.pad, self.residual, self.branches,
        )  # fmt: skip
        return self.one_of(steps)(x)

    def head(self, x: Flow) -> Flow:
        if self.number(0, 1):
            x = self.flat.mean(x, (1, 2), keep=bool(self.number(0, 1)))
        x = self.flat.reshape(x, (1, int(np.prod(x.shape))))
        x = self.flat.dense(x, self.number(2, 12))
        return self.flat.softmax(x) if self.number(0, 1) else x


def alone(kind: str) -> Callable[[Draw], bytes]:
    """One operator of which input and output are the whole arena, so that they have to overlap."""

    def recipe(draw: Draw) -> bytes:
        x = draw.image((6, 17))
        return draw.flat.finish(getattr(draw, kind)(x))

    return recipe


def chain(draw: Draw) -> bytes:
    x = draw.image()
    for _ in range(draw.number(2, 6)):
        x = draw.step(x)
    return draw.flat.finish(draw.head(x))


def dense(draw: Draw) -> bytes:
    """Packed weights of all widths, and rows."""
    x = draw.flat.input((draw.number(200, 400),))
    for bits in (draw.number(2, 7), draw.number(2, 8)):
        x = draw.flat.dense(x, draw.number(30, 80), draw.one_of(ACTIVATIONS), bits)
    return draw.flat.finish(draw.flat.dense(x, draw.number(1, 9)))


def rows(draw: Draw) -> bytes:
    """Every row through the same weights, then the mean over them."""
    x = draw.flat.input((draw.number(2, 9), draw.number(3, 40)))
    x = draw.flat.dense(x, draw.number(3, 40), RELU)
    return draw.flat.finish(draw.flat.softmax(draw.flat.dense(x, draw.number(2, 9))))


def means(draw: Draw) -> bytes:
    """Over one axis or several that are neighbours."""
    x = draw.image((2, 9), (1, 20))
    axes = draw.one_of(((1,), (2,), (3,), (1, 2), (2, 3), (1, 2, 3)))
    x = draw.flat.mean(x, axes, keep=bool(draw.number(0, 1)))
    return draw.flat.finish(x)


def mobile(draw: Draw) -> bytes:
    """Depthwise and pointwise blocks, wide enough for whole words."""
    x = draw.flat.conv(draw.image((12, 20), (1, 3)), 8, (3, 3), stride=(2, 2), activation=RELU6)
    for channels, stride in ((16, 1), (16, 2), (24, 1)):
        x = draw.flat.depthwise(x, 1, (3, 3), stride=(stride, stride), activation=RELU6)
        x = draw.flat.conv(x, channels, (1, 1), activation=RELU6)
    return draw.flat.finish(draw.head(x))


def resnet(draw: Draw) -> bytes:
    x = draw.flat.conv(draw.image((8, 12), (1, 3)), 8, (3, 3), activation=RELU)
    for channels in (8, 12):
        short = draw.flat.conv(x, channels, (1, 1), stride=(2, 2))
        y = draw.flat.conv(x, channels, (3, 3), stride=(2, 2), activation=RELU)
        y = draw.flat.conv(y, channels, (3, 3))
        x = draw.flat.both("ADD", short, y, RELU)
        x = draw.residual(x)
    return draw.flat.finish(draw.head(x))


RECIPES: Mapping[str, tuple[Callable[[Draw], bytes], int]] = {
    "conv": (alone("conv"), 6),
    "pointwise": (alone("pointwise"), 3),
    "depthwise": (alone("depthwise"), 6),
    "max_pool": (alone("max_pool"), 4),
    "average_pool": (alone("average_pool"), 4),
    "unary": (alone("unary"), 7),
    "pad": (alone("pad"), 2),
    "residual": (alone("residual"), 4),
    "branches": (alone("branches"), 4),
    "chain": (chain, 16),
    "dense": (dense, 4),
    "rows": (rows, 2),
    "means": (means, 6),
    "mobile": (mobile, 2),
    "resnet": (resnet, 2),
}
NAMES = [f"{recipe}_{seed}" for recipe, (_, count) in RECIPES.items() for seed in range(count)]


def generate(name: str) -> bytes:
    """Return the `.tflite` file of one of `NAMES`, or of a recipe with another seed."""
    return RECIPES[name.rpartition("_")[0]][0](Draw(name))
