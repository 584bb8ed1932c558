"""The work queue: nothing lost, nothing done twice at a time, failures tried again."""

import asyncio
import contextlib
import itertools

import pytest
from prometheus_client import REGISTRY

from petiole.controller.problem import Problem
from petiole.controller.queue import WorkQueue


class Recorder:
    """A handler that notes when each pass began and ended."""

    def __init__(self, seconds=0.0, again=None, failures=0, error=Problem):
        self.began, self.ended, self.active, self.most = [], [], set(), 0
        self._seconds, self._again, self._failures, self._error = seconds, again, failures, error

    async def __call__(self, key):
        assert key not in self.active, f"{key} is worked on twice at a time"
        self.active.add(key)
        self.most = max(self.most, len(self.active))
        self.began.append(key)
        await asyncio.sleep(self._seconds)
        self.active.remove(key)
        self.ended.append((key, asyncio.get_running_loop().time()))
        if self._failures > 0:
            self._failures -= 1
            raise self._error("the store is full")
        return self._again.pop() if self._again else None


@contextlib.asynccontextmanager
async def running(handler, workers=3, **options):
    queue = WorkQueue(**options)
    task = asyncio.create_task(queue.run(handler, workers))
    yield queue
    task.cancel()
    await asyncio.gather(task, return_exceptions=True)


async def until(condition, seconds=5.0):
    async with asyncio.timeout(seconds):
        while not condition():  # noqa: ASYNC110 - a test looks from outside
            await asyncio.sleep(0.01)


async def test_a_key_added_often_is_done_once():
    handler = Recorder()
    async with running(handler) as queue:
        for _ in range(100):
            queue.add("a")
        await until(lambda: handler.ended)
        await asyncio.sleep(0.05)
        assert handler.began == ["a"]


async def test_a_key_added_during_its_pass_is_done_again_afterwards():
    handler = Recorder(seconds=0.1)
    async with running(handler) as queue:
        queue.add("a")
        await until(lambda: handler.began)
        queue.add("a")
        queue.add("a")
        await until(lambda: len(handler.ended) == 2)
        await asyncio.sleep(0.2)
        assert handler.began == ["a", "a"]


async def test_other_keys_go_on_beside_a_slow_one():
    handler = Recorder(seconds=0.2)
    async with running(handler, workers=3) as queue:
        for key in "abc":
            queue.add(key)
        await until(lambda: len(handler.ended) == 3)
        assert handler.most == 3


async def test_a_delayed_key_waits_and_an_earlier_wish_wins():
    handler = Recorder()
    async with running(handler) as queue:
        start = asyncio.get_running_loop().time()
        queue.add("late", 0.3)
        queue.add("soon", 5.0)
        queue.add("soon", 0.1)
        queue.add("soon", 3.0)
        await until(lambda: len(handler.ended) == 2)
        times = {key: at - start for key, at in handler.ended}
        assert handler.began == ["soon", "late"]
        assert times["soon"] >= 0.1
        assert times["late"] >= 0.3
        assert len(queue) == 0


async def test_what_is_due_is_counted_and_how_long_it_waited():
    def waited(part):
        return REGISTRY.get_sample_value(f"petiole_operator_queue_wait_seconds_{part}")

    count, total = waited("count"), waited("sum")
    handler = Recorder(seconds=0.3)
    async with running(handler, workers=1) as queue:
        for key in "ab":
            queue.add(key)
        queue.add("c", 60.0)
        assert queue.due() == 2
        await until(lambda: handler.active)
        assert queue.due() == 1
        await until(lambda: len(handler.ended) == 2)
        assert queue.due() == 0
    assert waited("count") - count == 2
    assert waited("sum") - total >= 0.3


async def test_a_handler_may_ask_for_its_key_again():
    handler = Recorder(again=[0.1, 0.1])
    async with running(handler) as queue:
        queue.add("a")
        await until(lambda: len(handler.ended) == 3)


@pytest.mark.parametrize("error", [Problem, ValueError])
async def test_failures_are_tried_again_with_growing_delays(error):
    handler = Recorder(failures=3, error=error)
    async with running(handler, base_delay=0.1) as queue:
        queue.add("a")
        await until(lambda: len(handler.ended) == 4)
        times = [at for _, at in handler.ended]
        waits = [after - before for before, after in itertools.pairwise(times)]
        for least, wait in zip((0.05, 0.1, 0.2), waits, strict=True):
            assert wait >= least
        queue.add("a")
        await until(lambda: len(handler.ended) == 5)


async def test_the_delay_has_an_upper_end():
    queue = WorkQueue(base_delay=1.0, max_delay=30.0)
    assert max(queue.back_off("a") for _ in range(50)) <= 30.0


async def test_what_is_spread_holds_nothing_up():
    handler = Recorder(seconds=0.03)
    async with running(handler, workers=1) as queue:
        queue.spread([f"resting-{n}" for n in range(20)], 2.0)
        queue.add("urgent")
        await until(lambda: "urgent" in handler.began)
        assert handler.began.index("urgent") == 1
        await until(lambda: len(handler.ended) == 21, 30.0)
    assert handler.ended[-1][1] - handler.ended[0][1] > 1.5
