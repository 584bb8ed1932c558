"""What a goosebit administrator does, through its own models: run by goosebit's Python, not ours.

``prepare`` makes the schema; ``rollout NAME VERSION FILE`` adds a software with a rollout of it;
``counts ID`` reads a rollout. Each prints one JSON object.
"""

from __future__ import annotations

import asyncio
import hashlib
import json
import sys
from collections.abc import Awaitable, Callable

import anyio
from goosebit.db.config import TORTOISE_CONF
from goosebit.db.models import Hardware, Rollout, Software
from tortoise import Tortoise


async def prepare() -> dict[str, int]:
    await Tortoise.generate_schemas()
    await Hardware.get_or_create(model="default", revision="default")
    return {}


async def rollout(name: str, version: str, file: str) -> dict[str, int]:
    content = await anyio.Path(file).read_bytes()
    software = await Software.create(
        uri=f"file://{file}",
        size=len(content),
        hash=hashlib.sha1(content).hexdigest(),
        version=version,
    )
    await software.compatibility.add(await Hardware.get(model="default", revision="default"))
    made = await Rollout.create(name=name, software=software)
    return {"id": made.id}


async def counts(identity: str) -> dict[str, int]:
    found = await Rollout.get(id=int(identity))
    return {"succeeded": found.success_count, "failed": found.failure_count}


COMMANDS: dict[str, Callable[..., Awaitable[dict[str, int]]]] = {
    "prepare": prepare,
    "rollout": rollout,
    "counts": counts,
}


async def main() -> None:
    command, *arguments = sys.argv[1:]
    await Tortoise.init(config=TORTOISE_CONF)
    try:
        print(json.dumps(await COMMANDS[command](*arguments)))
    finally:
        await Tortoise.close_connections()


asyncio.run(main())
