"""gc.garbage, cycles and the collector, a step for each word of the test; tells ids and counts."""
import atexit
import ctypes
import gc
import threading

import story


class Node:
    __slots__ = ("other", "__weakref__")


class Final:
    def __init__(self):
        self.other = None

    def __del__(self):
        pass


class Legacy:
    """Given a tp_del, as only types of C code have, its cycles are beyond the collector."""

    def __init__(self):
        self.other = None


TP_DEL = 376  # offset in PyTypeObject, 3.8 to 3.15
DESTRUCTOR = ctypes.CFUNCTYPE(None, ctypes.c_void_p)


@DESTRUCTOR
def ignore(address):
    """Never called: what has it is put into gc.garbage before anything of it is freed."""


def set_destructor(value):
    ctypes.c_void_p.from_address(id(Legacy) + TP_DEL).value = value


def cycle(make):
    first, second = make(), make()
    first.other, second.other = second, first
    return first


def nodes():
    return Node()  # site: node


def finals():
    return Final()  # site: final


def legacies():
    return Legacy()  # site: legacy


def step_cycles(count):
    for _ in range(int(count) // 2):
        cycle(nodes)
    return {}


def step_final(_):
    """An object with __del__, made and deleted."""
    return {"ids": [hex(id(finals()))]}


held = []


def step_hold(count):
    made = [finals() for _ in range(int(count))]
    held.extend(made)
    return {"ids": [hex(id(final)) for final in made]}


def step_let_go(count):
    del held[:int(count)]
    return {}


def step_final_cycle(_):
    first = cycle(finals)
    return {"ids": [hex(id(first)), hex(id(first.other))]}


def step_broken_cycle(_):
    first = cycle(finals)
    ids = [hex(id(first)), hex(id(first.other))]
    first.other.other = None
    first.other = None
    return {"ids": ids}


def step_self(_):
    itself = []  # site: itself
    itself.append(itself)
    return {}


def step_collect(generation):
    return {"collected": gc.collect(int(generation or 2))}


def step_collect_in_thread(_):
    told = []
    thread = threading.Thread(target=lambda: told.append(gc.collect()))
    thread.start()
    thread.join()
    return {"collected": told[0]}


def step_freeze(_):
    gc.freeze()
    return {}


def step_unfreeze(_):
    gc.unfreeze()
    return {}


def step_uncollectable(_):
    gc.set_debug(gc.DEBUG_UNCOLLECTABLE)
    return {}


def step_saveall(_):
    gc.set_debug(gc.DEBUG_SAVEALL)
    return {}


def step_no_debug(_):
    gc.set_debug(0)
    return {}


def step_legacy(_):
    """The destructor goes before the interpreter does, which frees what is in gc.garbage."""
    set_destructor(ctypes.cast(ignore, ctypes.c_void_p).value)
    atexit.register(set_destructor, None)
    first = cycle(legacies)
    return {"ids": [hex(id(first)), hex(id(first.other))]}


def step_append(count):
    mine = [nodes() for _ in range(int(count))]
    gc.garbage.extend(mine)
    return {"ids": [hex(id(node)) for node in mine]}


def step_drop(_):
    dropped = [hex(id(entry)) for entry in gc.garbage if isinstance(entry, Node)]
    gc.garbage[:] = [entry for entry in gc.garbage if not isinstance(entry, Node)]
    return {"ids": dropped}


def step_clear(_):
    gc.garbage.clear()
    return {}


def step_replace(count):
    gc.garbage = []
    return step_append(count)


def step_replace_by_number(_):
    gc.garbage = 42
    return {}


def step_tell(_):
    entries = gc.garbage if isinstance(gc.garbage, list) else []
    return {"ids": [hex(id(entry)) for entry in entries],
            "types": [type(entry).__name__ for entry in entries]}


def step_stats(_):
    return {"stats": gc.get_stats()}


gc.disable()
gc.collect()
story.say(ready=True)
while True:
    word, _, argument = story.wait().partition(" ")
    story.say(**globals()["step_" + word](argument))
