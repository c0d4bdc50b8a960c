"""Containers made before a mark that grow after it, each on a line of its own."""
import collections
import sys

import story

MORE = 20000


class Owner:
    pass


def fill(old):
    for _ in range(MORE):
        old["list"].append(None)  # site: list
    old["bytearray"].extend(bytes(MORE))  # site: bytearray
    for number in range(MORE):
        old["dict"][number] = None  # site: dict
    for number in range(MORE):
        old["set"].add(number)  # site: set
    for _ in range(MORE):
        old["deque"].append(None)  # site: deque


def make():
    made = []
    for _ in range(MORE):
        made.append(None)  # site: new_list
    return made


def sizes(old):
    return {name: sys.getsizeof(container) for name, container in old.items()}


def main():
    numbers = list(range(MORE))  # these stay: containers share them
    old = {"list": [None] * 100, "bytearray": bytearray(100), "dict": dict.fromkeys(numbers[:100]),
           "set": set(numbers[:100]), "deque": collections.deque([None] * 100)}
    story.say(ready=True)
    word, new = story.wait(), []
    while True:
        if word == "fill":
            fill(old)
        elif word == "make":
            new.append(make())
        elif word == "shrink":
            del old["list"][100:]  # site: shrink
        story.say(sizes=sizes(old), new=[sys.getsizeof(made) for made in new])
        word = story.wait()


main()
