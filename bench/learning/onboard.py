"""A student on the agent of an emulated board: does it take the model, in how much arena?

A real broker and the board's own firmware; the gateway's part on the wire is played by hand. A
board that has an artefact on trial has checked its signature and its limits, and has answered all
its golden vectors as tflite-micro does, in the arena that its identity sector gives it.
"""

from __future__ import annotations

import asyncio
import subprocess
import tempfile
from pathlib import Path

from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PrivateKey

from hack.testbed import devices
from hack.testbed.boards import BoardName, provision_board, start_board
from hack.testbed.broker import Broker
from hack.testbed.hand import Hand
from hack.testbed.processes import ROOT, Processes
from petiole.artifact.pack import pack
from petiole.artifact.policy import Golden, Policy
from petiole.wire.messages import Phase, Reason, State
from petiole_pipelines.fit import golden_vectors
from petiole_pipelines.judge import Images, infer, quantised, reference
from petiole_pipelines.planner import golden, plan

DEVICE = "leaf-0"
BLOCK = 1024
SECONDS = 120.0  # QEMU on a busy machine
ENDED = (Phase.TRIAL, Phase.CONFIRMED, Phase.FAILED, Phase.ROLLEDBACK)


def signed(
    tflite: bytes, x: Images, target: dict[str, str], key: Ed25519PrivateKey, *, revision: int = 1
) -> bytes:
    """Return the artefact as the operator would sign it, with inputs x [n, h, w, c] to prove it."""
    planned = plan(tflite)
    vectors = golden(tflite, quantised(x[: golden_vectors(x.shape[1:], target)]))
    said = reference(infer(tflite, x), x)
    return pack(
        planned.blob,
        Golden.split(vectors, planned.in_len, planned.out_len),
        reference_count=said["count"],
        reference_confidence=tuple(said["confidence"]),
        policy=Policy(
            target=target["name"],
            abi=planned.abi,
            arena=planned.arena,
            ops=planned.ops,
            security_counter=1,
            revision=revision,
        ),
        key=key,
    )


def needs_its_arena(tflite: bytes, x: Images, target: dict[str, str], board: BoardName) -> bool:
    """Whether the agent takes the model in exactly its arena, and refuses it in a byte less."""
    subprocess.run(["make", "-C", ROOT / "firmware", "-s", "boards"], check=True, timeout=600)
    key = Ed25519PrivateKey.generate()
    artefact, arena = signed(tflite, x, target, key), plan(tflite).arena
    enough, short = (
        asyncio.run(_offered(artefact, target["name"], room, board, key))
        for room in (arena, arena - 1)
    )
    proven = enough.phase == Phase.TRIAL and enough.caps.arena == arena
    return proven and (short.phase, short.reason) == (Phase.FAILED, Reason.ARENA_TOO_LARGE)


async def _offered(
    artefact: bytes, target: str, arena: int, board: BoardName, key: Ed25519PrivateKey
) -> State:
    """Offer an artefact to a board with so much arena; return what became of it."""
    slot = -(-len(artefact) // 4096) * 4096
    device = devices.Device(id=DEVICE, target=target, slot=slot, arena=arena)
    keys = (key.public_key().public_bytes_raw(),)
    with tempfile.TemporaryDirectory() as name, Processes(Path(name)) as processes:
        folder = Path(name)
        broker = Broker(folder / "broker", devices.passwords([device]), processes)
        broker.start()
        memory = provision_board(folder, device, keys)
        start_board(
            processes, memory, broker_port=broker.port, sensor=folder / "sensor", board=board
        )
        async with Hand(broker) as gateway:
            await gateway.publish_blocks(artefact, block=BLOCK)
            await gateway.grant(DEVICE, artefact, block=BLOCK)
            return await gateway.state(DEVICE, lambda state: state.phase in ENDED, SECONDS)
