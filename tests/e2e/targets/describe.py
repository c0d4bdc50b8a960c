"""Objects of many shapes, and what the program itself says of their length and attributes."""
import collections
import sys

import story


class Plain:
    pass


class Many:
    pass


class Slotted:
    __slots__ = ("first", "second", "third")


class Both(Slotted):
    __slots__ = ("fourth", "__dict__")


class Words(str):
    pass


class Row(tuple):
    pass


class Table(dict):
    pass


class Number(int):
    pass


class set_(set):  # a subclass has a length all the same
    pass


set_.__name__ = "Group"
set_.__qualname__ = "Group"


def plain():
    made = Plain()
    made.secret, made.other = "a value", 2
    return made


def deleted():
    made = Plain()
    made.secret, made.other = 1, 2
    del made.secret
    return made


def materialized():
    made = Plain()
    made.secret = 1
    made.kept = vars(made)
    return made


def with_names(count):
    made = Many()
    for number in range(count):
        setattr(made, "name_%d" % number, number)
    return made


def unusual():
    made = Plain()
    made.__dict__["größe"] = made.__dict__["\u65e5\u672c"] = made.__dict__["\U0001f40d"] = 1
    return made


def slotted(cls):
    made = cls()
    made.first, made.third = 1, 2
    if cls is Both:
        made.fourth, made.own = 3, 4
    return made


def given(made):
    made.label = "a value"
    return made


def make():
    return {
        "list": [1] * 17, "tuple": tuple(sys.argv * 9), "dict": dict.fromkeys(range(1000)),
        "str": "%s" * 11 % tuple("abcdefghijk"), "bytes": bytes(99), "bytearray": bytearray(12),
        "set": set(range(50)), "frozenset": frozenset(range(51)),
        "deque": collections.deque(range(52)), "float": float("1.25"), "object": object(),
        "plain": plain(), "deleted": deleted(), "materialized": materialized(),
        "none": Plain(), "few": with_names(5), "some": with_names(40), "most": with_names(99),
        "unusual": unusual(), "slotted": slotted(Slotted), "both": slotted(Both),
        "words": given(Words("words")), "row": given(Row((1, 2, 3))), "table": given(Table(a=1)),
        "number": given(Number(3)), "big": given(Number(1 << 200)), "group": set_(range(7)),
        "function": given(lambda: None), "error": given(ValueError("a value")),
    }


def attributes(item):
    names = set(getattr(item, "__dict__", ()))
    for cls in type(item).__mro__:
        slots = vars(cls).get("__slots__", ())
        names.update(name for name in slots if name != "__dict__" and hasattr(item, name))
    return sorted(names)


def length(item):
    return len(item) if hasattr(item, "__len__") else None


def main():
    story.say(ready=True)
    story.wait()
    made = make()
    if story.wait() == "tell":
        # asking for __dict__ may make one, so ids are told first
        story.say(ids={name: id(item) for name, item in made.items()})
        story.wait()
        story.say(facts={name: [length(item), attributes(item)] for name, item in made.items()})
    story.wait()
    story.say(facts={name: [length(item), attributes(item)] for name, item in made.items()})
    story.wait()


main()
