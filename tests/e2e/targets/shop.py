"""Three intervals: a registry that grows in each, a cache that fills in the first, a batch."""
import story


class Session:
    def __init__(self, number):
        self.number = number


class Cached:
    pass


class Row:
    pass


registry = []
cache = {}
batch = []


def register(count):
    for number in range(count):
        registry.append(Session(number))  # site: session


def cached():
    for number in range(400):
        if number not in cache:
            cache[number] = Cached()  # site: cached


story.say(ready=True)
for interval in range(3):
    story.wait()  # the test sets a mark
    register(100)
    cached()
    if interval == 1:
        batch += [Row() for _ in range(250)]  # site: row
    story.say(interval=interval)
story.wait()  # a last one
del batch[:]
story.say(interval=3)
story.wait()
