"""CPU and memory of real processes, and what /proc's lines mean."""

import os
import subprocess
import sys

from bench.rollout.measure import Meter, memory, parse_stat, tree

HZ = os.sysconf("SC_CLK_TCK")


def test_a_name_with_brackets_does_not_shift_the_fields():
    fields = ["S", "7", *["0"] * 9, "100", "50", "30", "20", "0"]
    parent, seconds = parse_stat(f"42 (a (b) c) {' '.join(fields)}")
    assert parent == 7
    assert seconds == 200 / HZ


def test_a_tree_is_a_process_and_all_below_it():
    assert tree(1, {2: 1, 3: 2, 4: 9, 5: 3}) == {1, 2, 3, 5}


def test_cpu_of_a_child_that_ended_stays_with_its_parent():
    """A shell burns CPU in a child only; the meter must see it."""
    burn = "sum(i * i for i in range(3_000_000))"
    script = f'read x; {sys.executable} -c "{burn}"; echo done; read x'
    with subprocess.Popen(
        ["bash", "-c", script], stdin=subprocess.PIPE, stdout=subprocess.PIPE, text=True
    ) as shell:
        meter = Meter({"shell": shell.pid}, beside={"this": os.getpid()})
        meter.start()
        shell.stdin.write("go\n")
        shell.stdin.flush()
        assert shell.stdout.readline() == "done\n"
        used = meter.stop()
        shell.stdin.write("end\n")
        shell.stdin.close()
    assert used.cpu["shell"] > 0.05
    assert set(used.cpu) == {"shell"}
    assert set(used.beside) == {"this"}
    assert used.rss > 0.5


def test_the_peak_is_not_below_what_is_resident():
    rss, peak = memory([os.getpid()])
    assert 1.0 < rss <= peak
