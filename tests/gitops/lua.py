"""Runs Lua as Argo CD runs it: one object, two libraries, a table back.

Argo CD's interpreter is gopher-lua, which speaks Lua 5.1, as does the one here. It opens the base
and table libraries and, of ``os``, what reads the clock; strings have no methods.
"""

from __future__ import annotations

from pathlib import Path
from typing import Any

from lupa import lua51

_CLOSE = """
debug.getmetatable("").__index = nil
local os_ = {time = os.time, date = os.date}
for _, name in ipairs({"string", "math", "io", "debug", "package", "require", "dofile", "loadfile",
                       "newproxy", "python", "coroutine"}) do
  _G[name] = nil
end
os = os_
"""


def run(script: Path, obj: dict[str, Any]) -> Any:
    """Return what ``script`` makes of ``obj``: JSON in, JSON out.

    An empty table comes back as the empty object or list that stands in its place in ``obj``, as
    Argo CD mends it.
    """
    lua = lua51.LuaRuntime(register_builtins=False, unpack_returned_tuples=True)
    lua.execute(_CLOSE)
    lua.globals().obj = _table(lua, obj)
    return _json(lua.execute(script.read_text()), obj)


def _table(lua: Any, value: Any) -> Any:
    if isinstance(value, dict):
        return lua.table_from({k: _table(lua, v) for k, v in value.items() if v is not None})
    if isinstance(value, list):
        return lua.table_from([_table(lua, v) for v in value])
    return value


def _json(value: Any, before: Any) -> Any:
    if lua51.lua_type(value) != "table":
        return value
    if not dict(value):
        return before if isinstance(before, list | dict) and not before else []
    if set(value) == set(range(1, len(value) + 1)):
        old = before if isinstance(before, list) else []
        return [_json(value[n], old[n - 1] if n <= len(old) else None) for n in sorted(value)]
    old = before if isinstance(before, dict) else {}
    return {str(k): _json(value[k], old.get(k)) for k in value}
