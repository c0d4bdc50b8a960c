"""A random history of objects of all kinds, which keeps its own truth.

history.py SEED MODE WAY FACTS: MODE is `full` or `none`, as the marks collect; WAY is how marks
are set, `call` or `signal`, or `traced`: by call, and tracemalloc starts in the third interval and
stops in the fourth.  What was born and died when, and what was alive at each mark, goes to
the file FACTS as JSON.
"""
import ctypes
import functools
import gc
import json
import os
import random
import sys
import tracemalloc
import warnings

import kinds
import story

MARKS = 5
STEPS = 500  # of each interval
HELD = 4  # objects of a kind held at once, at most
HEAP_TYPE = 1 << 9  # Include/object.h: Py_TPFLAGS_HEAPTYPE
STATIC = set()  # static types that were named


def type_name(cls):
    if not cls.__flags__ & HEAP_TYPE:
        STATIC.add(cls)
    return f"{cls.__module__}.{cls.__qualname__}"


class History:
    def __init__(self, seed, collects, way):
        self.chance = random.Random(seed)
        self.collects = collects
        self.set_mark = setter(way)
        self.changes = {2: tracemalloc.start, 3: tracemalloc.stop} if way == "traced" else {}
        self.interval = 0
        self.records = []  # [kind, id, type, born, died]
        self.held = {name: [] for name in kinds.KINDS}  # [(object, number of its record)]
        self.trash = []  # numbers of records that wait for the collector
        self.cyclic = {name for name in kinds.KINDS if is_cyclic(kinds.KINDS[name])}
        self.live = ["{}"]  # at each mark {id: type}, as text: else it would be found alive itself

    # ---- steps: nothing here keeps an object in a variable -----------------------------

    def hold(self, name):
        """The object is on the stack only until it is in the list: frames may outlive calls."""
        self.held[name].append(kinds.KINDS[name]())
        self.note(name, self.held[name])

    def note(self, name, items):
        self.records.append([name, id(items[-1]), type_name(type(items[-1])), self.interval, None])
        items[-1] = (items[-1], len(self.records) - 1)

    def drop(self, name):
        at = self.chance.randrange(len(self.held[name]))
        number = self.held[name][at][1]
        if name in self.cyclic:
            self.trash.append(number)
        else:
            self.records[number][4] = self.interval
        del self.held[name][at]

    def noise(self, name):
        """Short-lived objects, some of which take the places of dead ones."""
        if name in self.cyclic:
            return
        for _ in range(self.chance.randrange(1, 8)):
            kinds.KINDS[name]()

    def collect(self):
        gc.collect()
        self.trash_is_gone()

    def trash_is_gone(self):
        for number in self.trash:
            self.records[number][4] = self.interval
        del self.trash[:]

    def step(self, name):
        roll = self.chance.random()
        count = len(self.held[name])
        if roll < 0.35:
            self.noise(name)
        elif count == 0 or (roll < 0.65 and count < HELD):
            self.hold(name)
        elif roll < 0.8:
            self.drop(name)
        else:
            self.drop(name)
            self.hold(name)

    def live_through(self):
        names = sorted(kinds.KINDS)
        for number in range(STEPS):
            if number == STEPS // 2:
                self.change_tracer()
            self.step(self.chance.choice(names))
        if self.chance.random() < 0.5:
            self.collect()

    def change_tracer(self):
        """What comes off a free list before the next fresh block comes unseen: no kind does."""
        if self.interval in self.changes:
            self.changes[self.interval]()
            del [object() for _ in range(3)][:]

    # ---- marks -------------------------------------------------------------------------

    def mark(self):
        self.live.append(json.dumps(alive()))
        if self.collects:
            self.trash_is_gone()
        self.set_mark()
        self.interval += 1

    def run(self):
        self.live_through()
        for _ in range(MARKS):
            self.mark()
            self.live_through()


def setter(way):
    """What sets a mark, made beforehand: it leaves nothing between alive() and the mark."""
    if way != "signal":
        return functools.partial(ctypes.CDLL(None).tidemark_mark, None)
    return functools.partial(os.kill, os.getpid(), 42)


def is_cyclic(make):
    """Whether what it makes dies only by the collector.  Of some, as one may be replaced."""
    made = [make() for _ in range(8)]
    cls, places = type(made[0]), {id(item) for item in made}
    del made[:]
    left = sum(1 for item in gc.get_objects() if type(item) is cls and id(item) in places)
    return left == len(places)


def of_static_types():
    """What static types have had since they were first used: the collector never visits them."""
    return [part for cls in STATIC
            for part in (cls.__mro__, cls.__bases__, *gc.get_referents(cls.__dict__))]


def alive():
    """Everything that the collector knows and what that refers to: {id: type}."""
    found, names = {}, {}
    todo = gc.get_objects() + of_static_types()
    while todo:
        for item in todo:
            cls = type(item)
            if cls not in names:
                names[cls] = type_name(cls)
            found[id(item)] = names[cls]
        fresh = {id(item): item for item in gc.get_referents(*todo) if id(item) not in found}
        todo = list(fresh.values())
    return found


def main():
    seed, mode, way, facts = sys.argv[1:]
    warnings.simplefilter("ignore")
    gc.disable()
    history = History(int(seed), mode == "full", way)
    history.run()
    with open(facts, "w") as out:
        json.dump({"records": history.records, "live": history.live, "file": kinds.__file__,
                   "lines": kinds.lines(), "cyclic": sorted(history.cyclic),
                   "hidden": {name: sorted(types) for name, types in kinds.HIDDEN.items()}}, out)
    story.say(ready=True)
    story.wait()


main()
