"""Has tracemalloc started and stopped in the middle of a run, and keeps objects of each time."""
import collections
import time
import tracemalloc

import story

COUNT = 1000


class Thing:
    pass


def before(kept):
    for index in range(COUNT):
        kept[index] = Thing()  # site: before


def meanwhile(kept):
    for index in range(COUNT):
        kept[COUNT + index] = Thing()  # site: meanwhile


def after(kept):
    for index in range(COUNT):
        kept[2 * COUNT + index] = Thing()  # site: after


def traced_at(line):
    """What tracemalloc saw there of each size, where that is one for every thing or more.

    Single ones are not told: they depend on what was in CPython's free lists.
    """
    sizes = collections.Counter(
        trace.size for trace in tracemalloc.take_snapshot().traces
        if (trace.traceback[0].filename, trace.traceback[0].lineno) == (__file__, line))
    return sorted((size, count) for size, count in sizes.items() if count >= COUNT)


def main():
    story.say(ready=True)
    story.wait()  # the test sets a mark
    kept = [None] * 3 * COUNT
    before(kept)
    times = [time.time()]
    tracemalloc.start()
    meanwhile(kept)
    traced = traced_at(meanwhile.__code__.co_firstlineno + 2)
    tracemalloc.stop()
    times.append(time.time())
    after(kept)
    times.append(time.time())
    story.say(times=times, traced=traced, tracing=tracemalloc.is_tracing())
    story.wait()  # and another
    story.say(kept=len(kept))
    story.wait()


main()
