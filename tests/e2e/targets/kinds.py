"""Kinds of object, each made on one known line of this file.

A factory without arguments makes a new object at each call.  Lambdas are their own line; longer
factories say `# site: NAME` where the object is born.  `HIDDEN` names what else a factory leaves
on its line that no reference from a tracked object leads to.
"""
import _thread
import array
import ast
import collections
import contextvars
import dataclasses
import datetime
import decimal
import functools
import io
import itertools
import operator
import queue
import random
import re
import struct
import sys
import threading
import types
import weakref
import xml.etree.ElementTree
import zlib

ONE, TWO, WIDE = 1, 2, 10 ** 30
PAIR = (ONE, WIDE)
WORDS = ["some", "words"]
RAW = bytes(range(256))
TABLE = {"key": "value"}
PATTERN = re.compile("b+")
numbers = itertools.count(1000)


class Plain:
    def method(self):
        return self


class Slotted:
    __slots__ = ("first", "second")


class Deleted:
    def __del__(self):
        self.gone = True


class Weak:
    __slots__ = ("value", "__weakref__")


class Meta(type):
    pass


class MyList(list):
    pass


class MyDict(dict):
    pass


class MyTuple(tuple):
    __slots__ = ()


class MyStr(str):
    pass


class MyInt(int):
    pass


class MyFloat(float):
    __slots__ = ()


class MySet(set):
    pass


class MyBytes(bytes):
    pass


class MyError(Exception):
    pass


@dataclasses.dataclass
class Data:
    value: int


Point = collections.namedtuple("Point", "x y")
PLAIN = Plain()
variable = contextvars.ContextVar("variable", default=0)


def nothing(*_):
    return None


def counting():
    yield ONE
    yield TWO


@types.coroutine
def pausing():
    yield


async def acting():
    await pausing()


async def ticking():
    yield ONE


def started(generator):
    generator.send(None)
    return generator


TICKING = ticking()

KINDS = {
    "list": lambda: [ONE, TWO],
    "list_empty": lambda: [],
    "list_comprehension": lambda: [number for number in PAIR],
    "dict": lambda: {"one": ONE},
    "dict_empty": lambda: {},
    "dict_comprehension": lambda: {number: ONE for number in PAIR},
    "tuple": lambda: (TWO, ONE),
    "tuple_one": lambda: (WIDE,),
    "tuple_wide": lambda: (*PAIR * 15,),
    "tuple_resized": lambda: tuple(number for number in PAIR * 7),
    "set": lambda: {ONE, TWO},
    "frozenset": lambda: frozenset(PAIR),
    "str": lambda: "text %d" % next(numbers),
    "str_wide": lambda: "\u4e2d %d" % next(numbers),
    "str_joined": lambda: "".join(word + "!" for word in WORDS),
    "bytes": lambda: b"raw %d" % next(numbers),
    "bytes_long": lambda: RAW * 9,
    "bytearray": lambda: bytearray(RAW),
    "int": lambda: WIDE + next(numbers),
    "int_short": lambda: ONE + next(numbers),
    "float": lambda: next(numbers) / 7,
    "complex": lambda: complex(next(numbers), 1),
    "slice": lambda: slice(ONE, TWO),
    "range": lambda: range(ONE, WIDE),
    "memoryview": lambda: memoryview(RAW),
    "generator": lambda: counting(),
    "generator_expression": lambda: (number for number in PAIR),
    "generator_started": lambda: started(counting()),
    "coroutine": lambda: started(acting()),
    "async_generator": lambda: ticking(),
    "asend": lambda: TICKING.asend(None),
    "athrow": lambda: TICKING.athrow(ValueError),
    "frame": lambda: sys._getframe(),
    "function": lambda: lambda: ONE,
    "closure": lambda: (lambda word: lambda: word)(WORDS),
    "cell": lambda: types.CellType(ONE),
    "method": lambda: PLAIN.method,
    "builtin_method": lambda: WORDS.append,
    "method_wrapper": lambda: WIDE.__add__,
    "code": lambda: nothing.__code__.replace(co_name="renamed"),
    "module": lambda: types.ModuleType("made"),
    "class": lambda: type("Made", (), {}),
    "class_of_meta": lambda: Meta("Made", (Plain,), {}),
    "instance_of_made": lambda: type("Short", (), {})(),
    "plain": lambda: Plain(),
    "slotted": lambda: Slotted(),
    "deleted": lambda: Deleted(),
    "weak": lambda: Weak(),
    "dataclass": lambda: Data(ONE),
    "my_list": lambda: MyList(PAIR),
    "my_dict": lambda: MyDict(TABLE),
    "my_tuple": lambda: MyTuple(PAIR),
    "my_str": lambda: MyStr("text"),
    "my_int": lambda: MyInt(WIDE),
    "my_float": lambda: MyFloat(1.5),
    "my_set": lambda: MySet(PAIR),
    "my_bytes": lambda: MyBytes(RAW),
    "namedtuple": lambda: tuple.__new__(Point, PAIR),
    "namespace": lambda: types.SimpleNamespace(one=ONE),
    "ordered_dict": lambda: collections.OrderedDict(one=ONE),
    "defaultdict": lambda: collections.defaultdict(list),
    "counter": lambda: collections.Counter(),
    "chain_map": lambda: collections.ChainMap(),
    "deque": lambda: collections.deque(PAIR),
    "array": lambda: array.array("d", (1.5, 2.5)),
    "datetime": lambda: datetime.datetime(2020, 1, 2),
    "date": lambda: datetime.date(2020, 1, 2),
    "timedelta": lambda: datetime.timedelta(5),
    "decimal": lambda: decimal.Decimal(WIDE),
    "exception": lambda: ValueError(WIDE),
    "exception_key": lambda: KeyError("key"),
    "exception_memory": lambda: MemoryError(),
    "exception_class": lambda: MyError(),
    "weakref": lambda: weakref.ref(PLAIN, nothing),
    "proxy": lambda: weakref.proxy(PLAIN, nothing),
    "property": lambda: property(nothing),
    "staticmethod": lambda: staticmethod(nothing),
    "classmethod": lambda: classmethod(nothing),
    "mappingproxy": lambda: types.MappingProxyType(TABLE),
    "super": lambda: super(MyList, MyList),
    "list_iterator": lambda: iter(WORDS),
    "tuple_iterator": lambda: iter(PAIR),
    "str_iterator": lambda: iter("some"),
    "dict_iterator": lambda: iter(TABLE),
    "dict_view": lambda: TABLE.items(),
    "range_iterator": lambda: iter(range(ONE, TWO)),
    "callable_iterator": lambda: iter(nothing, ONE),
    "reversed": lambda: reversed(WORDS),
    "enumerate": lambda: enumerate(WORDS),
    "zip": lambda: zip(WORDS, PAIR),
    "map": lambda: map(nothing, WORDS),
    "filter": lambda: filter(nothing, WORDS),
    "match": lambda: PATTERN.match("bbb"),
    "scanner": lambda: PATTERN.finditer("abab"),
    "lock": lambda: threading.Lock(),
    "rlock": lambda: _thread.RLock(),
    "event": lambda: threading.Event(),
    "bytes_io": lambda: io.BytesIO(RAW),
    "string_io": lambda: io.StringIO("text"),
    "file": lambda: io.FileIO("/dev/null"),
    "partial": lambda: functools.partial(nothing, ONE),
    "struct": lambda: struct.Struct("<ii"),
    "count": lambda: itertools.count(5),
    "cycle": lambda: itertools.cycle(PAIR),
    "chain": lambda: itertools.chain(PAIR, WORDS),
    "islice": lambda: itertools.islice(WORDS, 1),
    "product": lambda: itertools.product(PAIR, WORDS),
    "accumulate": lambda: itertools.accumulate(PAIR),
    "groupby": lambda: itertools.groupby(PAIR),
    "tee": lambda: itertools.tee(PAIR, 1)[0],
    "itemgetter": lambda: operator.itemgetter(ONE),
    "context": lambda: contextvars.copy_context(),
    "context_token": lambda: variable.set(WIDE),
    "queue": lambda: queue.SimpleQueue(),
    "random": lambda: random.Random(5),
    "element": lambda: xml.etree.ElementTree.Element("tag"),
    "compressor": lambda: zlib.compressobj(1, zlib.DEFLATED, 9, 1),
    "ast_node": lambda: ast.Name("name", ast.Load()),
}


def kind(function):
    KINDS[function.__name__] = function
    return function


@kind
def error_with_traceback():
    try:
        raise MyError("raised")  # site: error_with_traceback
    except MyError as error:
        return error


@kind
def attributes():
    made = Plain()  # site: attributes
    made.one, made.two = PAIR
    return made


@kind
def cycle_of_two():
    first = Plain()  # site: cycle_of_two
    first.other = Plain()
    first.other.other = first
    return first


@kind
def list_in_itself():
    rows = [ONE]  # site: list_in_itself
    rows.append(rows)
    return rows


@kind
def deep():
    rows = None
    for _ in range(500):
        rows = [rows]  # site: deep
    return rows


@kind
def deep_tuple():
    rows = ()
    for _ in range(500):
        rows = (rows, ONE)  # site: deep_tuple
    return rows


@kind
def grown_list():
    rows = []  # site: grown_list
    for number in range(100):
        rows.append(number)
    return rows


@kind
def grown_str():
    text = ""
    for word in WORDS * 10:
        text += word  # site: grown_str
    return text


@kind
def over_several_lines():
    return dict(  # site: over_several_lines
        one=ONE,
        two=[TWO,
             WIDE],
    )


@kind
def dropped_from_the_middle():
    rows = [Slotted(), Slotted(), Slotted()]  # site: dropped_from_the_middle
    del rows[1]
    return rows


HIDDEN = {
    "bytearray": {"builtins.bytes"},
    "range": {"builtins.int"},
    "scanner": {"builtins.str"},
    "code": {"builtins.str", "builtins.bytes", "builtins.tuple"},
    "struct": {"builtins.bytes", "builtins.str"},
}


def lines():
    """The line on which each kind's objects are born."""
    found = {name: make.__code__.co_firstlineno for name, make in KINDS.items()}
    with open(__file__) as source:
        for number, text in enumerate(source, 1):
            before, mark, name = text.rstrip().partition("# site: ")
            if mark and before.strip():
                found[name] = number
    return found
