"""Artefacts, fetched by digest, checked, and cut into the blocks that the broker serves.

Blocks are published once, retained and content-addressed, and removed when no plan and no grant
names their artefact any more. A patch is an artefact that is made here, for as long as a plan lets
one artefact take the place of another.
"""

from __future__ import annotations

import hashlib
from collections.abc import Iterable

import structlog
from obstore.exceptions import BaseError
from obstore.store import ObjectStore

from petiole.rollout.plan import Image
from petiole.wire import topics
from petiole.wire.messages import Patch

from .broker import Message
from .patches import Pair, Patches

log = structlog.get_logger()


class Blocks:
    """Keeps the wanted artefacts in memory: they are small, and a new broker needs all of them."""

    def __init__(self, store: ObjectStore) -> None:
        self._store = store
        self._wanted: dict[str, Image] = {}
        self._data: dict[str, bytes] = {}
        self._problems: dict[str, str] = {}
        self._stale: dict[str, Image] = {}
        self._patches = Patches()
        self._awaited: set[str] = set()  # artefacts whose patch is being made

    def load(self, image: Image) -> None:
        """Blocks that an earlier process may have published."""
        self._stale[image.digest] = image

    def refer(self, images: Iterable[Image], pairs: Iterable[Pair] = ()) -> list[Image]:
        """Say all artefacts that are needed, and which take whose place; returns what is new."""
        wanted = {v.digest: v for v in images}
        self._patches.refer(pairs)
        self._take_patches(wanted)
        new = [v for d, v in wanted.items() if d not in self._wanted]
        for digest, image in self._wanted.items():
            if digest not in wanted:
                self._stale[digest] = image
                self._data.pop(digest, None)
                self._problems.pop(digest, None)
        for digest in wanted:
            self._stale.pop(digest, None)
        self._wanted = wanted
        self._await_patches()
        return new

    def ready(self, digest: str) -> bool:
        """Tell whether the blocks are to be had, and those of its patches."""
        return digest in self._data and digest not in self._awaited

    def named(self) -> set[str]:
        """Digests of all that is needed, patches too."""
        return set(self._wanted)

    def patches(self, pairs: Iterable[Pair]) -> dict[str, Patch]:
        """Return the patches of these pairs by the digest of what they make."""
        found = ((new, self._patches.of((base, new))) for base, new in pairs)
        return {new: patch for new, patch in found if patch and patch.digest in self._data}

    def missing(self) -> bool:
        return bool(self._awaited) or any(digest not in self._data for digest in self._wanted)

    def problems(self, digests: Iterable[str]) -> tuple[str, ...]:
        """Say what is wrong with these artefacts."""
        return tuple(self._problems[d] for d in sorted(set(digests)) if d in self._problems)

    async def fetch(self) -> list[str]:
        """Try to get what is missing; returns the digests that became ready."""
        arrived = []
        for digest, image in list(self._wanted.items()):
            if digest in self._data:
                continue
            data, problem = await self._get(image)
            if digest not in self._wanted:
                continue
            if data is None:
                if self._problems.get(digest) != problem:
                    log.error("artefact unusable", digest=digest, problem=problem)
                self._problems[digest] = problem
                continue
            self._data[digest] = data
            self._problems.pop(digest, None)
            self._await_patches()
            arrived.append(digest)
        arrived += await self._patches.make(self._data)
        self._await_patches()
        return arrived

    def _await_patches(self) -> None:
        self._awaited = {new for _, new in self._patches.due(self._data)}

    def _take_patches(self, wanted: dict[str, Image]) -> None:
        """Let patches that are made be artefacts among the ``wanted``, with blocks as theirs."""
        for (_, new), made in self._patches.made().items():
            digest = made.patch.digest
            if new in wanted:
                block_size = wanted[new].block_size
                wanted[digest] = Image(digest=digest, size=made.patch.size, block_size=block_size)
                self._data[digest] = made.data

    def messages(self, digests: Iterable[str]) -> list[Message]:
        """Cut these artefacts into blocks, as far as they are ready."""
        return [
            Message(topics.block(digest, n), self._data[digest][at : at + size])
            for digest in digests
            if digest in self._data
            for size in (self._wanted[digest].block_size,)
            for n, at in enumerate(range(0, len(self._data[digest]), size))
        ]

    def all_ready(self) -> list[str]:
        return list(self._data)

    def stale(self) -> list[Image]:
        """Artefacts whose blocks are to be removed from the broker."""
        return list(self._stale.values())

    def removed(self, images: Iterable[Image]) -> None:
        for image in images:
            self._stale.pop(image.digest, None)

    async def _get(self, image: Image) -> tuple[bytes | None, str]:
        path = f"artifacts/{image.digest}"
        try:
            data = bytes(await (await self._store.get_async(path)).bytes_async())
        except (BaseError, OSError) as error:
            what = str(error).splitlines()[0]
            return None, f"cannot read {path} from the store, so no device gets it: {what}"
        if len(data) != image.size or hashlib.sha256(data).hexdigest() != image.digest:
            return None, (
                f"{path} in the store is damaged: it has {len(data)} of {image.size} bytes or "
                "another SHA-256 than its name; put the signed artefact back"
            )
        return data, ""


def removal(image: Image) -> list[Message]:
    """Empty messages that take the blocks of an artefact off the broker."""
    count = -(-image.size // image.block_size)
    return [Message(topics.block(image.digest, n), b"") for n in range(count)]
