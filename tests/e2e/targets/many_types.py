"""More classes than a small recording has room for: most are gone, the last are kept."""
import gc

import story

COUNT, ROUND, LAST = 76000, 2000, 500


class Known:
    pass


def make(first, count):
    return [type("Made%d" % number, (), {"__slots__": ()})()  # site: made
            for number in range(first, first + count)]


def main():
    early, one = make(0, 100), Known()
    story.say(names={id(item): type(item).__name__ for item in early})
    story.wait()
    for first in range(100, COUNT, ROUND):
        make(first, ROUND)
        gc.collect()
    last = make(1000000, LAST)
    known = [Known() for _ in range(LAST)]  # site: known
    story.say(ids=[id(item) for item in last], known=len(known))
    story.wait()
    story.say(early=len(early), one=id(one))
    story.wait()


main()
