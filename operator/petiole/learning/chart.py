"""A chart of one statistic over windows: is it still what it was? All in standard deviations.

Each window says a mean (of a confidence, of an input byte, of the shares of bins) over so many
inferences. It is compared with the windows before it, whose mean, spread and correlation are
learned on the way, so their error counts too. What is left is, without drift, a normal variable
however large the windows are, and goes into a one-sided CUSUM.
"""

from __future__ import annotations

import math
from dataclasses import dataclass, field
from typing import Any

import numpy as np
import numpy.typing as npt
from scipy import optimize, special

Vector = npt.NDArray[np.float64]

ALLOWANCE = 0.5  # standard deviations; tunes the chart to shifts of twice that
RESOLUTION = 0.005  # of full scale; a step of less is not drift that matters to anybody
_SUSPECT = 3.0  # standard deviations; such a window is counted but not learned from
# What is learned from was cut at _SUSPECT: the share of a normal variable's variance that is left.
_KEPT = 1.0 - _SUSPECT * math.sqrt(2.0 / math.pi) * math.exp(-(_SUSPECT**2) / 2.0) / math.erf(
    _SUSPECT / math.sqrt(2.0)
)
_CORRELATION = 0.9  # of neighbouring windows, at most: beyond, nothing would ever be seen
_STEPS = 2.0  # windows that an alarm takes at least: one freak window makes none


@dataclass(frozen=True, slots=True)
class Point:
    """Means of ``count`` inferences in a window, as fractions of full scale; shape ``(p,)``.

    ``variance`` is the least that one inference can have, summed over the ``freedom`` directions
    in which the means can move; what inferences have in common comes on top and is measured.
    """

    mean: Vector
    count: int
    variance: float
    freedom: int = 1


def threshold(windows: float) -> float:
    """Height that a one-sided CUSUM without drift reaches once in ``windows`` on average.

    Average run length for allowance k and height h: ``(exp(2 k b) - 2 k b - 1) / (2 k^2)`` with
    ``b = h + 1.166`` (D. Siegmund, "Sequential Analysis", Springer 1985, section 10.2). The chart:
    E. S. Page, "Continuous inspection schemes", Biometrika 41 (1954), 100-115.
    """
    runs = max(windows, 10.0)  # the formula is for long runs; nobody wants alarms at each turn

    def excess(height: float) -> float:
        x = 2.0 * ALLOWANCE * (height + 1.166)
        return math.log(math.expm1(x) - x) - math.log(2.0 * ALLOWANCE**2 * runs)

    return float(optimize.brentq(excess, 1e-6, 200.0))


@dataclass(slots=True)
class Baseline:
    """What the windows learned from say together: running mean, spread and correlation.

    Means are weighted by inferences (D. H. D. West, "Updating mean and variance estimates: an
    improved method", CACM 22 (1979), 532-535), so the spread is that of one inference.
    """

    windows: int = 0
    count: int = 0
    mean: Any = 0.0
    squares: float = 0.0  # of the steps, weighted
    products: Any = 0.0  # outer products of the same, where there are several directions
    variance: float = 0.0
    follows: float = 0.0  # products of neighbouring steps, weighted
    _last: Vector | None = None

    def learn(self, point: Point) -> None:
        self.windows += 1
        self.count += point.count
        step = point.mean - self.mean
        share = point.count / self.count
        weight = point.count * (1.0 - share)
        self.mean = self.mean + step * share
        scaled = math.sqrt(weight) * step
        self.squares += float(scaled @ scaled)
        if point.freedom > 1:
            self.products = self.products + scaled[:, None] * scaled
        self.variance += (point.variance - self.variance) * share
        if self._last is not None:
            self.follows += float(scaled @ self._last)
        self._last = scaled

    def deviation(self, point: Point) -> float:
        """How far ``point`` lies off, in standard deviations of a normal variable.

        In one direction Student's t, with its sign; exact from the first window on (D. M. Hawkins,
        "Self-starting CUSUM charts for location and scale", The Statistician 36 (1987), 299-316).
        In several the upper tail of F, with as many degrees of freedom as the measured spread
        really has (J. N. K. Rao and A. J. Scott, "On chi-squared tests for multiway contingency
        tables with cell proportions estimated from survey data", Ann. Stat. 12 (1984), 46-60),
        moved and scaled so that its skewness is right too (J. P. Imhof, "Computing the distribution
        of quadratic forms in normal variables", Biometrika 48 (1961), 419-426, section 4).
        """
        step = point.mean - self.mean
        rest = self.windows - 1
        each = max(self.squares / rest / _KEPT, self.variance) * self._inflation()
        error = each * (1.0 / point.count + 1.0 / self.count)
        error = max(error, point.freedom * RESOLUTION**2)
        if len(step) == 1:
            t = float(step[0]) / math.sqrt(error)
            return math.copysign(-float(special.ndtri(special.stdtr(rest, -abs(t)))), t)
        directions, freedom = self._directions(point.freedom)
        far = 1.0 + (float(step @ step) / error - 1.0) * math.sqrt(directions / freedom)
        tail = float(special.fdtrc(freedom, freedom * rest, max(far, 0.0)))
        return -float(special.ndtri(min(max(tail, 1e-300), 0.99)))

    def _inflation(self) -> float:
        """Factor on the variance of what neighbouring windows have in common.

        R. A. Johnson and M. Bagshaw, "The effect of serial correlation on the performance of CUSUM
        tests", Technometrics 16 (1974), 103-112: sums of a first-order autoregression spread by
        ``(1 + r) / (1 - r)`` more. Of few windows r comes out too small; to correct that would hide
        shifts that come soon after the baseline.
        """
        if self.squares <= 0.0:
            return 1.0
        r = min(max(self.follows / self.squares, 0.0), _CORRELATION)
        return (1.0 + r) / (1.0 - r)

    def _directions(self, most: int) -> tuple[float, float]:
        """Effective number of directions of the covariance C, and degrees of freedom of its tail.

        ``tr(C)^2 / tr(C^2)`` and ``tr(C^2)^3 / tr(C^3)^2``: alike when windows vary as much in all
        directions; the second is smaller when one stands out, as weather does.
        """
        if most == 1:  # of two shares, one follows from the other
            return 1, 1
        one, two, three = traces(self.products / (self.windows - 1), self.windows - 1)
        if two * most <= one**2:
            return most, most
        two = min(two, one**2)
        three = min(max(three, two**2 / one), two**1.5)
        return one**2 / two, two**3 / three**2


def traces(covariance: Vector, freedom: int) -> tuple[float, float, float]:
    """Traces of a covariance, its square and its cube, without bias; shape ``(p, p)``.

    ``covariance`` is estimated with ``freedom`` (3 at least), of normal variables. The square's: Z.
    Bai and H. Saranadasa, "Effect of high dimension", Statistica Sinica 6 (1996), 311-329; the
    cube's from the moments of the Wishart distribution in the same way.
    """
    square = covariance @ covariance
    one, two = float(covariance.trace()), float(square.trace())
    three = float((square * covariance).sum())
    n = float(freedom)
    scale = n**2 / ((n - 1) * (n + 2))
    cube = three - (3.0 * one * two - 2.0 * one**3 / n) / n
    return (
        one,
        (two - one**2 / n) * scale,
        cube * scale * n**2 / ((n - 2) * (n + 4)),
    )


@dataclass(slots=True)
class Chart:
    """One-sided CUSUM; ``direction`` is 1 for upwards, -1 for downwards, 1 where there are many.

    ``limit`` is the height of an alarm.
    """

    limit: float
    direction: int = 1
    height: float = 0.0
    _seen: int = 0
    _climb: list[float] = field(default_factory=list)  # deviations since the chart stood at zero
    _baseline: Baseline = field(default_factory=Baseline)

    @property
    def calm(self) -> int:
        """Count the windows before the chart's climb began.

        The likeliest beginning of a shift of unknown size, after the last time at zero (D. M.
        Hawkins, P. Qiu and C. W. Kang, "The changepoint model for statistical process control",
        Journal of Quality Technology 35 (2003), 355-366).
        """
        if not self._climb:
            return self._seen
        last = np.array(self._climb[::-1])
        length = np.arange(1, len(last) + 1)
        return self._seen - 1 - int(np.argmax(np.cumsum(last) / np.sqrt(length)))

    def learn(self, point: Point) -> None:
        """Take a window that is known to be calm."""
        self._seen += 1
        self._baseline.learn(point)

    def add(self, point: Point) -> None:
        """Take one more window."""
        self._seen += 1
        deviation = self._baseline.deviation(point)
        gain = min(self.direction * deviation - ALLOWANCE, self.limit / _STEPS)
        self.height = max(0.0, self.height + gain)
        if self.height == 0.0:
            self._climb.clear()
        else:
            self._climb.append(self.direction * deviation)
        if abs(deviation) < _SUSPECT:
            self._baseline.learn(point)
