"""``python -m bench.gates.picture``: the drawing of docs/gates.md, from the product's boundary."""

from __future__ import annotations

import io
from pathlib import Path

import matplotlib as mpl
import numpy as np

mpl.use("svg")
from matplotlib import pyplot as plt

from petiole.rollout.boundary import boundary
from petiole.rollout.outcome import Passing

PATH = Path("docs/images/gates.svg")
SHOWN, SEED = 100, 26


def main() -> None:
    mpl.rcParams |= {"svg.hashsalt": "petiole", "svg.fonttype": "none", "font.size": 10}
    rule, passing = boundary(0.01, 0.10, 0.05, 0.05, 1000), Passing(0.01, 0.10, 0.05, 1000)
    n = np.arange(SHOWN + 1)
    too_many = [next(k for k in range(1, 99) if rule.reach(k) >= max(1, m)) for m in n]
    needed = [passing.needed(k, k) for k in range(6)]
    figure, axes = plt.subplots(figsize=(8, 4), layout="constrained")
    axes.step(n, too_many, where="mid", color="tab:red", label="too many: stop")
    axes.fill_between(n, too_many, 8, step="mid", color="tab:red", alpha=0.1)
    axes.plot(needed, range(6), "v", color="tab:green", label="few enough: pass, once complete")
    rng = np.random.default_rng(SEED)
    for rate, colour, name in ((0.10, "black", "bad, 10 %"), (0.01, "tab:blue", "good, 1 %")):
        path = np.append(0, np.cumsum(rng.random(SHOWN) < rate))
        hits = np.flatnonzero(path >= too_many)
        end = int(hits[0]) if len(hits) else SHOWN
        axes.step(n[: end + 1], path[: end + 1], where="post", color=colour, label=name)
        if len(hits):
            axes.plot(end, path[end], "o", color=colour)
            axes.annotate(
                f"stopped at {end}", (end, path[end]), (5, -12), textcoords="offset points"
            )
    axes.set(xlim=(0, SHOWN), ylim=(0, 6.5))
    axes.set(xlabel="devices that have begun, in their order", ylabel="of which failed")
    axes.legend(loc="upper left")
    PATH.parent.mkdir(parents=True, exist_ok=True)
    text = io.StringIO()
    figure.savefig(text, metadata={"Date": None})
    PATH.write_text("\n".join(line.rstrip() for line in text.getvalue().splitlines()) + "\n")


if __name__ == "__main__":
    main()
