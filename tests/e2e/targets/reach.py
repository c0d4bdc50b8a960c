"""Keeps objects of many kinds, drops some and makes new ones where they were, and tells them all.

Objects have a serial number of this program's own, so that its truth does not rest on addresses.
"""
import random
import sys

import story

SLOTS = 400


class Thing:
    pass


class Slotted:
    __slots__ = ("value",)


class Weird(dict):
    def __del__(self):
        pass


KINDS = {
    "thing": Thing,
    "slotted": Slotted,
    "weird": Weird,
    "object": object,
    "list": lambda: [1, 2, 3],
    "empty_list": lambda: [],
    "dict": lambda: {"key": None},
    "tuple": lambda: tuple([sys.argv, sys.argv]),
    "set": lambda: set(sys.argv),
    "float": lambda: float("1.5"),
    "bytes": lambda: bytes(40),
    "str": lambda: "%s and so on" % sys.argv[0],
    "bytearray": lambda: bytearray(8),
    "closure": lambda: (lambda: KINDS),
    "generator": lambda: (item for item in ()),
}
if sys.version_info >= (3, 9):  # 3.8 recycles up to 256 of these, and their births are not seen
    KINDS["method"] = lambda: [].append


class Keeper:
    def __init__(self, seed):
        self.random = random.Random(seed)
        self.names = sorted(KINDS)
        self.kept = [None] * SLOTS  # [serial, name, object]
        self.serial = 0

    def step(self):
        """Drops about half of what there is, in any order, and fills the gaps."""
        gaps = [at for at in range(SLOTS) if self.kept[at] is None or self.random.random() < 0.5]
        self.random.shuffle(gaps)
        for at in gaps:
            self.kept[at] = None
        for at in gaps:
            self.serial += 1
            name = self.random.choice(self.names)
            self.kept[at] = [self.serial, name, KINDS[name]()]

    def facts(self):
        return [[serial, name, id(item)] for serial, name, item in self.kept]


def main():
    keeper = Keeper(int(sys.argv[1]))
    story.say(ready=True)
    while True:
        word = story.wait()
        if word == "step":
            keeper.step()
            keeper.step()  # in one interval an address is used more than once
        story.say(kept=keeper.facts() if word == "tell" else None)


main()
