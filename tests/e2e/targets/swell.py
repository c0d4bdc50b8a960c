"""Grows by what its argument names, and by nothing else: see test_verdict.py."""
import ctypes
import gc
import sys

import story

ARENA = 1 << 18  # the smallest that CPython has had since 3.8; those of later versions are larger
kept = []


class Node:
    __slots__ = ("payload",)


def arenas():
    """200 MB of small objects come and go; one in each arena stays."""
    objects = [b"%096d" % index for index in range(1500000)]
    places = {}
    for thing in objects:
        places.setdefault(id(thing) // ARENA, thing)
    kept.append(list(places.values()))


def native():
    """Memory that C code takes, writes to and never frees."""
    malloc = ctypes.CDLL(None).malloc
    malloc.restype, malloc.argtypes = ctypes.c_void_p, [ctypes.c_size_t]
    for _ in range(640):
        ctypes.memset(malloc(100000), 1, 100000)


def objects():
    """Python objects, small and large, that stay."""
    for index in range(300000):
        node = Node()
        node.payload = b"%080d" % index  # site: payload
        kept.append(node)
    kept.append([b"%09000d" % index for index in range(1000)])


def nothing():
    """As much again, but all of it goes."""
    for _ in range(5):
        [b"%0200d" % index for index in range(20000)]


def leak():
    """A megabyte of one line, each time it is asked."""
    kept.append([b"%01000d" % index for index in range(1000)])  # site: leak


def cycles():
    """Cycles that nobody collects, one of them kept in each arena."""
    gc.disable()
    places = {}
    for _ in range(200000):
        pair = [Node(), Node()]
        pair[0].payload, pair[1].payload = pair[1], pair[0]
        places.setdefault(id(pair[0]) // ARENA, pair[0])
    kept.append(list(places.values()))


grow = globals()[sys.argv[1]]
nothing()
story.say(ready=True)
while story.wait():
    grow()
    story.say(ready=True)
