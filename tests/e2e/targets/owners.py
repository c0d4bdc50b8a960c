"""Containers of every kind, made before a mark, that grow after it in every way there is.

Each grows on a line of its own, in a frame that holds others of all kinds as well.
"""
import bisect
import collections
import functools
import heapq
import sys
import threading

import story

MORE = 3000
NUMBERS = list(range(MORE))  # these stay: containers share them
WORDS = [sys.intern("word%d" % number) for number in NUMBERS]
SOME = 100


class List(list):
    pass


class Dict(dict):
    __slots__ = ("more",)


class Set(set):
    pass


class Deque(collections.deque):
    pass


class Bytes(bytearray):
    pass


class Service:
    """What most programs have: a container that is an attribute, filled by a method."""

    def __init__(self, items):
        self.items = items

    def take(self, number):
        self.items.append(number)  # site: method


class Bag:
    pass


def pairs(numbers):
    """Empty, it has no table of its own; fromkeys() would take one from a free list on 3.8."""
    return {number: None for number in numbers}


# name: how it is made of numbers; those of bytes take as many bytes
MADE = {
    "list_append": list, "list_extend": list, "list_insert": list, "list_slice": list,
    "list_inplace": list, "list_subclass": List, "list_heap": list, "list_bisect": list,
    "list_generator": list, "list_thread": list, "list_nested": list, "list_comprehension": list,
    "dict_item": pairs, "dict_update": pairs, "dict_default": pairs, "dict_subclass": None,
    "dict_counter": collections.Counter, "dict_missing": None, "dict_keywords": None,
    "set_add": set, "set_update": set, "set_inplace": set, "set_subclass": Set,
    "bytes_extend": bytearray, "bytes_inplace": bytearray, "bytes_append": bytearray,
    "bytes_subclass": Bytes,
    "deque_append": collections.deque, "deque_left": collections.deque,
    "deque_extend": collections.deque, "deque_inplace": collections.deque,
    "deque_subclass": Deque,
}


def make(name, numbers):
    if name == "dict_missing":
        return collections.defaultdict(list, pairs(numbers))
    if name == "dict_subclass":
        return Dict(pairs(numbers))
    if name == "dict_keywords":
        return {WORDS[number]: None for number in numbers}
    if name.startswith("bytes"):
        return MADE[name](len(numbers))
    return MADE[name](numbers)


def produce(container):
    for number in NUMBERS:
        yield container.append(number)  # site: list_generator


def fill_lists(old):
    nested = old["list_nested"]

    def inner(number):
        nested.append(number)  # site: list_nested

    for number in NUMBERS:
        old["list_append"].append(number)  # site: list_append
    old["list_extend"].extend(NUMBERS)  # site: list_extend
    for number in NUMBERS:
        old["list_insert"].insert(0, number)  # site: list_insert
    old["list_slice"][1:1] = NUMBERS  # site: list_slice
    old["list_inplace"] += NUMBERS  # site: list_inplace
    for number in NUMBERS:
        old["list_subclass"].append(number)  # site: list_subclass
    for number in NUMBERS:
        heapq.heappush(old["list_heap"], number)  # site: list_heap
    for number in NUMBERS:
        bisect.insort(old["list_bisect"], number)  # site: list_bisect
    for _ in produce(old["list_generator"]):
        pass
    for number in NUMBERS:
        inner(number)
    [old["list_comprehension"].append(number) for number in NUMBERS]  # site: list_comprehension


def fill_in_thread(old):
    for number in NUMBERS:
        old["list_thread"].append(number)  # site: list_thread


def fill_dicts(old):
    for number in NUMBERS:
        old["dict_item"][number] = None  # site: dict_item
    old["dict_update"].update(old["dict_item"])  # site: dict_update
    for number in NUMBERS:
        old["dict_default"].setdefault(number, None)  # site: dict_default
    for number in NUMBERS:
        old["dict_subclass"][number] = None  # site: dict_subclass
    for number in NUMBERS:
        old["dict_counter"][number] = 1  # site: dict_counter
    for number in NUMBERS:
        old["dict_missing"][number]  # site: dict_missing
    for word in WORDS:
        old["dict_keywords"][word] = None  # site: dict_keywords


def fill_sets(old):
    for number in NUMBERS:
        old["set_add"].add(number)  # site: set_add
    old["set_update"].update(NUMBERS)  # site: set_update
    old["set_inplace"] |= old["set_update"]  # site: set_inplace
    for number in NUMBERS:
        old["set_subclass"].add(number)  # site: set_subclass


def fill_bytes(old):
    old["bytes_extend"].extend(bytes(MORE))  # site: bytes_extend
    old["bytes_inplace"] += bytes(MORE)  # site: bytes_inplace
    for _ in NUMBERS:
        old["bytes_append"].append(1)  # site: bytes_append
    for _ in NUMBERS:
        old["bytes_subclass"].append(1)  # site: bytes_subclass


def fill_deques(old):
    for number in NUMBERS:
        old["deque_append"].append(number)  # site: deque_append
    for number in NUMBERS:
        old["deque_left"].appendleft(number)  # site: deque_left
    old["deque_extend"].extend(NUMBERS)  # site: deque_extend
    old["deque_inplace"] += NUMBERS  # site: deque_inplace
    for number in NUMBERS:
        old["deque_subclass"].append(number)  # site: deque_subclass


def fill(old):
    fill_lists(old)
    thread = threading.Thread(target=fill_in_thread, args=(old,))
    thread.start()
    thread.join()
    fill_dicts(old)
    fill_sets(old)
    fill_bytes(old)
    fill_deques(old)


@functools.lru_cache(maxsize=None)
def remembered(number):
    return number


def fill_others(service, bag, namespace):
    for number in NUMBERS:
        service.take(number)
    for word in WORDS:
        setattr(bag, word, None)  # site: attributes
    for word in WORDS:
        namespace[word] = None  # site: module
    for number in NUMBERS:
        remembered(number)  # site: cache


def intern():
    words = ["interned%d" % number for number in range(10 * MORE)]
    return [sys.intern(word) for word in words]  # site: interned


def young():
    """Made and grown in one go: all of it is new."""
    made = {name: make(name, NUMBERS[:SOME]) for name in MADE}
    fill(made)
    return made


def sizes(containers):
    return {name: sys.getsizeof(container) for name, container in containers.items()}


def main():
    old = {name: make(name, NUMBERS[:SOME]) for name in MADE}
    empty = {name: make(name, ()) for name in MADE}
    service, bag, kept = Service([]), Bag(), []
    for word in range(SOME):
        setattr(bag, "old%d" % word, None)
        remembered(word)
    story.say(ready=True)
    word = story.wait()
    while True:
        if word == "old":
            fill(old)
        elif word == "empty":
            fill(empty)
        elif word == "others":
            fill_others(service, bag, vars(sys.modules["heapq"]))
        elif word == "intern":
            kept.append(intern())
        elif word == "young":
            kept.append(young())
        elif word == "interpreter":
            try:
                import _interpreters as interpreters
            except ImportError:
                import _xxsubinterpreters as interpreters
            kept.append(interpreters.create())
        story.say(old=sizes(old), empty=sizes(empty))
        word = story.wait()


main()
