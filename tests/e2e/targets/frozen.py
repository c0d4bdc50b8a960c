"""Objects born on lines of frozen modules, and called from there."""
import importlib._bootstrap
import importlib._bootstrap_external
import os
import posixpath
import sys

import story
from framed import Thing, described, keep, kept


class Loader:
    """importlib asks it questions, from lines of its own."""

    def is_package(self, _name):
        keep(Thing())
        return False

    def create_module(self, _spec):
        keep(Thing())

    def exec_module(self, _module):
        keep(Thing())

    def find_spec(self, name, *_):
        if name == "not_there_but_here":
            return importlib._bootstrap.spec_from_loader(name, self)
        return None


class Path:
    """os.path asks for its text."""

    def __fspath__(self):
        keep(Thing())
        return "some/where"


class Nothing:
    """A mapping asks for its keys."""

    def keys(self):
        return [keep(Thing())][:0]


LOADER = Loader()

# each returns an object that it makes on the line that it returns from
MAKERS = [
    (importlib._bootstrap.spec_from_loader, "name", LOADER),
    (importlib._bootstrap_external._path_split, "some/where"),
    (posixpath.split, "some/where"),
    (posixpath.splitdrive, "some/where"),
    (os.environ.copy,),
]


def line_of(make, *args):
    """Where the object is born that this call returns: the last line of the called frame."""
    last = []

    def trace(frame, event, _arg):
        if event == "call" and frame.f_back is here:
            return lines
        return None

    def lines(frame, _event, _arg):
        last[:] = described(frame)
        return lines

    here = sys._getframe()
    sys.settrace(trace)
    try:
        make(*args)
    finally:
        sys.settrace(None)
    return last


def main():
    lines = [line_of(*maker) for maker in MAKERS]
    kept.clear()
    story.say(ready=True)
    story.wait()
    made = [make(*args) for make, *args in MAKERS]
    sys.meta_path.insert(0, LOADER)
    import not_there_but_here  # noqa: F401
    del sys.meta_path[0]
    for call in (posixpath.join, posixpath.splitext, posixpath.abspath, os.fsencode):
        call(Path())
    os.environ.update(Nothing())
    story.say(things={hex(id(thing)): thing.stack for thing in kept},
              # where some release has one of these in C, it has no line
              made={hex(id(item)): line for item, line in zip(made, lines) if line})
    story.wait()


main()
