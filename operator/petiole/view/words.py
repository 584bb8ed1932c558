"""Times and shares as a person reads them."""

from __future__ import annotations

from datetime import datetime


def duration(seconds: float) -> str:
    """``4000.0`` -> ``"1h 06m"``: the two largest units that say something."""
    whole = round(seconds)
    if whole < 60:
        return f"{seconds:.1f}s"
    minutes, rest = divmod(whole, 60)
    if minutes < 60:
        return f"{minutes}m {rest:02}s"
    hours, minutes = divmod(minutes, 60)
    if hours < 24:
        return f"{hours}h {minutes:02}m"
    return f"{hours // 24}d {hours % 24:02}h"


def span(begin: datetime, end: datetime) -> str:
    """How long it is from one to the other, in whole seconds; never negative."""
    seconds = max(int((end - begin).total_seconds()), 0)
    return f"{seconds}s" if seconds < 60 else duration(seconds)


def ago(then: datetime | None, now: datetime) -> str:
    return "never" if then is None else f"{span(then, now)} ago"


def clock(moment: datetime) -> str:
    """``"2026-11-02 08:40:00 UTC"``."""
    return moment.strftime("%Y-%m-%d %H:%M:%S %Z")


def share(fraction: str) -> str:
    """``"0.012"`` -> ``"1.2 %"``; what is no number stays as it is."""
    try:
        shown = f"{100 * float(fraction):.1f}".removesuffix(".0")
    except ValueError:
        return fraction
    return ("0" if shown == "-0" else shown) + " %"


def interval(fractions: str) -> str:
    """``"0.002..0.080"`` -> ``"0.2 % .. 8 %"``."""
    return " .. ".join(map(share, fractions.split(".."))) if ".." in fractions else fractions


class Paragraph:
    """Sentences in their order, in which nothing is said twice."""

    def __init__(self) -> None:
        self._sentences: list[str] = []
        self._details: list[str] = []

    def says(self, detail: str) -> bool:
        bare = _bare(detail).lower()
        return any(bare in sentence.lower() for sentence in self._sentences)

    def add(self, lead: str, detail: str = "") -> None:
        """Add ``lead: detail``; without the detail, or parts of it, where they were said before."""
        bare = _bare(detail)
        for old in self._details:
            bare = bare.replace(f": {old}", "")
        sentence = lead if self.says(bare) else ": ".join(filter(None, (lead, bare)))
        if bare:
            self._details.append(bare)
        if sentence:
            self._sentences.append(f"{sentence[0].upper()}{sentence[1:]}.")

    def __str__(self) -> str:
        return " ".join(self._sentences)


def _bare(sentence: str) -> str:
    return sentence.strip().rstrip(".")
