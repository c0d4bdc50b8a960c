"""Drops cycles with the collector off; some are kept, some unreachable."""
import gc

import story


class Node:
    __slots__ = ("other",)


def pair():
    first = Node()  # site: first
    second = Node()  # site: second
    first.other, second.other = second, first
    return first


gc.disable()
kept = [None] * 300
story.say(ready=True)
story.wait()
for index in range(1000):
    pair()
for index in range(300):
    kept[index] = pair()
story.say(ready=True)
story.wait()
story.say(garbage=len(gc.garbage), collected=gc.collect())
story.wait()
