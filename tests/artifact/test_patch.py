"""A patch makes exactly what it was made for, small where little changed, and is never trusted."""

import contextlib
import random

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from petiole.artifact.patch import PatchError, apply, make

# Pieces of a base that occur in what follows it, moved, repeated and changed.
BASES = st.lists(st.binary(max_size=60), max_size=8).map(b"".join)
EDITS = st.lists(
    st.one_of(
        st.binary(max_size=40),
        st.tuples(st.integers(0, 400), st.integers(0, 400)),
    ),
    max_size=8,
)


def edited(base, edits):
    return b"".join(e if isinstance(e, bytes) else base[min(e) : max(e)] for e in edits)


@given(BASES, EDITS)
def test_a_patch_makes_what_it_was_made_for(base, edits):
    new = edited(base, edits)
    assert apply(base, make(base, new)) == new


@given(BASES, EDITS, st.data())
@settings(max_examples=300)
def test_a_spoiled_patch_is_refused_or_makes_no_more_than_its_runs_can(base, edits, data):
    patch = bytearray(make(base, edited(base, edits)))
    patch[data.draw(st.integers(0, len(patch) - 1))] = data.draw(st.integers(0, 255))
    with contextlib.suppress(PatchError):
        assert len(apply(base, bytes(patch))) <= len(patch) * (1 + len(base))


@given(BASES, EDITS.filter(bool))
def test_a_cut_patch_is_refused(base, edits):
    patch = make(base, edited(base, edits) + b"end")
    for size in range(len(patch)):
        with pytest.raises(PatchError):
            apply(base, patch[:size])
    with pytest.raises(PatchError, match="behind its last run"):
        apply(base, patch + b"\0")


def test_it_copies_what_did_not_change():
    chance = random.Random(3)
    base = chance.randbytes(28_000)
    changed = base[:26_000] + chance.randbytes(600) + base[26_600:27_400] + chance.randbytes(50)
    assert len(make(base, changed)) <= 650 + 15
    assert len(make(base, base)) <= 10
    moved = base[9_000:] + base[:9_000]
    assert len(make(base, moved)) <= 20
    inserted = base[:12_345] + b"new" + base[12_345:]
    assert len(make(base, inserted)) <= 25


def test_it_says_what_is_wrong():
    base = bytes(range(100))
    for patch, words in {
        b"": "middle of a run",
        b"\x05\x05\xc8\x01\x00": "outside of the base's 100 bytes",
        b"\x05\x05\x01\x00": "outside of the base's 100 bytes",
        b"\x05\x06\x00\x00": "more than the 5 bytes",
        b"\xff\xff\xff\xff\xff\x01": "more than 32 bits",
    }.items():
        with pytest.raises(PatchError, match=words):
            apply(base, patch)
