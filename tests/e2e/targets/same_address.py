"""Makes classes one after the other, each gone before the next, and a few instances of each.

Says the last one's name and instance, and how many had the address of an earlier one.
"""
import gc
import os

import story

COUNT = 50


def instance(made):
    for _ in range(3):
        item = made()
    return item


def main():
    os.kill(os.getpid(), 42)
    places, again = set(), 0
    for number in range(COUNT):
        item = made = None
        gc.collect()
        made = type("Made%d" % number, (), {"__slots__": ()})
        again += id(made) in places
        places.add(id(made))
        item = instance(made)
    os.kill(os.getpid(), 42)
    story.say(again=again, id=id(item), name=made.__name__)
    story.wait()


main()
