"""Makes a hundred thousand classes with an instance each, and keeps one in a hundred.

Says the kept instances' names by id, and how many classes had the address of an earlier one.
"""
import gc
import os

import story

COUNT, ROUND = 100000, 1000


def make(kept, places):
    """A round of classes; all but a few are gone at its end."""
    again = 0
    start = len(kept) * 100
    for number in range(start, start + ROUND):
        made = type("Made%d" % number, (), {"__slots__": ("__weakref__",)})
        again += id(made) in places
        places.add(id(made))
        if number % 100 == 0:
            kept.append(made())  # site: kept
        else:
            made()
    del made
    gc.collect()
    return again


def main():
    os.kill(os.getpid(), 42)
    kept, places = [], set()
    again = sum(make(kept, places) for _ in range(COUNT // ROUND))
    story.say(names={id(item): type(item).__name__ for item in kept}, again=again)
    os.kill(os.getpid(), 42)
    del kept[1::2]
    gc.collect()
    os.kill(os.getpid(), 42)
    story.say(ready=True)
    story.wait()


main()
