"""Says what the collector knows at a mark: every object it tracks, and what those refer to.

tracked.py FACTS sets two marks, works between them, and writes to FACTS {id: [type, tracked,
container]} of everything at the second that was not there at the first.  Then it answers for the
ids on each line of its input how many are untracked objects of the named type.
"""
import ctypes
import functools
import gc
import importlib
import json
import os
import sys
import warnings

import kinds
import story

CONTAINER = 1 << 14  # Py_TPFLAGS_HAVE_GC
MODULES = ("asyncio", "configparser", "csv", "difflib", "email.message", "fractions", "http.client",
           "pickle", "pydoc", "sqlite3", "statistics", "tokenize", "unittest", "xml.dom.minidom")


def everything():
    """Every object that the collector tracks, and what they refer to, once each."""
    found = {}
    todo = gc.get_objects()
    while todo:
        found.update((id(item), item) for item in todo)
        todo = list({id(item): item for item in gc.get_referents(*todo)
                     if id(item) not in found}.values())
    return found


def work(kept):
    for name in MODULES:
        try:
            kept.append(importlib.import_module(name))
        except ImportError:
            continue  # some builds leave it out
    for _ in range(20):
        for make in kinds.KINDS.values():
            kept.append(make())
            make()
    sys.modules["asyncio"].run(kinds.acting())
    del kept[::3]


def describe(item):
    cls = type(item)
    return [f"{cls.__module__}.{cls.__qualname__}", gc.is_tracked(item),
            bool(cls.__flags__ & CONTAINER)]


def is_untracked(address, name):
    item = ctypes.cast(address, ctypes.py_object).value
    return describe(item)[0] == name and not gc.is_tracked(item)


def main():
    warnings.simplefilter("ignore")
    set_mark = functools.partial(os.kill, os.getpid(), 42)
    kept = []
    gc.collect()
    old = everything()  # held, so that no id of these is used again
    old[id(old)] = old
    set_mark()
    work(kept)
    gc.collect()
    now = everything()
    facts = {address: describe(item) for address, item in now.items() if address not in old}
    with open(sys.argv[1], "w") as out:
        json.dump(facts, out)
    set_mark()
    story.say(ready=True)
    while True:
        word, *ids = story.wait().split()
        story.say(untracked=sum(is_untracked(int(address), word) for address in ids))


main()
