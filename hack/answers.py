"""Pages that show what commands answer: fences that begin with a command behind ``$``."""

from __future__ import annotations

import re
from collections.abc import Callable

Ask = Callable[[str], str]  # a command to its answer
_FENCE = re.compile(r"^```\n\$ (?P<command>.+)\n(?:.*\n)*?```$", re.MULTILINE)


def answered(text: str, ask: Ask) -> str:
    """``text`` with the answers as they are now, asked for from the top of the page down."""

    def answer(found: re.Match[str]) -> str:
        lines = ask(found["command"]).strip("\n").splitlines()
        said = "\n".join(line.rstrip() for line in lines)
        return f"```\n$ {found['command']}\n{said}\n```"

    return _FENCE.sub(answer, text)
