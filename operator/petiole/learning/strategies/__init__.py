"""Which samples to ask labels for: strategies behind one interface, and how a batch is made."""

from __future__ import annotations

from .choice import STRATEGIES, Choice, select
from .pool import Pool, Query, Strategy

__all__ = ["STRATEGIES", "Choice", "Pool", "Query", "Strategy", "select"]
