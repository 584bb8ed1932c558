"""Sizes of the firmware by part, from the linker's map."""

from __future__ import annotations

from hack import sizes

MAP = """
Discarded input sections

 .text.never    0x00000000      0x100 /b/obj/core/link.o

Linker script and memory map

.text           0x00000000      0x100
 .text.link_tick
                0x00000000       0x40 /b/obj/core/link.o
 .text.sha256   0x00000040       0x20 /b/obj/core/sha256.o
 *fill*         0x00000060        0x2 
 .rodata.K      0x00000062        0x8 /b/obj/core/sha256.o
 .text.memcpy   0x0000006a        0x6 /usr/lib/libc_nano.a(lib_a-memcpy.o)

.stack          0x20000000     0x4000

.bss            0x20004000      0x100
 .bss.arena     0x20004000     0x1000 /b/obj/port/mps2/main.o
 .bss.device    0x20005000       0x30 /b/obj/port/mps2/main.o
 .bss.before.0  0x20005030        0x1 /b/obj/port/mps2/main.o

.debug_info     0x00000000     0x5000
 .debug_info    0x00000000     0x5000 /b/obj/core/link.o
"""  # noqa: W291

SIZES: sizes.Sizes = {
    "text": {"crypto": 0x28, "library": 6, "padding": 2, "session": 0x40},
    "ram": {"before": 1, "device": 0x30},
}


def test_what_is_linked_counts_by_part_and_what_is_lent_does_not():
    assert sizes.measure(MAP) == SIZES


def test_sizes_as_committed_are_no_complaint():
    now = dict.fromkeys(sizes.PROGRAMS, SIZES)
    assert sizes.complaints(now, now) == []


def test_another_size_is_one_and_names_the_command():
    now = dict.fromkeys(sizes.PROGRAMS, SIZES)
    [found] = sizes.complaints(now, {"agent": SIZES})
    assert sizes.UPDATE in found


def test_so_is_one_beyond_its_limit():
    large: sizes.Sizes = {"text": {"crypto": 48 * 1024 + 1}, "ram": {}}
    now = dict.fromkeys(sizes.PROGRAMS, SIZES) | {sizes.SMALL: large}
    assert sizes.complaints(now, now) == ["agent -Os: 49,153 bytes of text, more than 49,152"]


def test_the_table_says_what_has_changed():
    before: sizes.Sizes = {"text": {**SIZES["text"], "session": 0x50}, "ram": SIZES["ram"]}
    shown = sizes.table({"agent": SIZES}, {"agent": before})
    assert "session                         64  -16" in shown
