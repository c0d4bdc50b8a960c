"""The interpreters to test on, as `scripts/pythons` finds them."""
import fnmatch
import os
import subprocess

ROOT = os.path.dirname(os.path.dirname(os.path.dirname(os.path.dirname(os.path.abspath(__file__)))))


class Python:
    """One interpreter: a name, a version, and the words of a command that starts it."""

    def __init__(self, name, version, command):
        self.name = name
        self.version = version
        self.info = tuple(int(part) for part in version.split("rc")[0].split(".")[:3])
        self.command = command

    @property
    def family(self):
        """How it is recorded: 'tracer' (3.13.3 and newer) or 'allocator'."""
        return "tracer" if self.info >= (3, 13, 3) else "allocator"

    def program(self, path):
        """The command that starts another program in this interpreter's world."""
        return self.command[:-1] + [path]

    def __repr__(self):
        return f"{self.name} ({self.version})"


def _table(*verb):
    out = subprocess.run([os.path.join(ROOT, "scripts", "pythons"), *verb], check=True,
                         stdout=subprocess.PIPE, text=True).stdout
    return [line.split("\t") for line in out.splitlines()]


def find(globs):
    """The interpreters there are, those of `globs` only if any are given."""
    return [Python(name, version, command.split())
            for name, version, command in _table("list") if _wanted(name, globs)]


def missing(globs):
    """(name, reason) of each expected interpreter that is not there."""
    return [(name, reason) for name, reason in _table("missing") if _wanted(name, globs)]


def without_suite(found):
    """{name: reason} of those that have no test suite of CPython's, and to which none came."""
    return dict(_table("suites", *(python.name for python in found)))


def one_of_each_family(pythons):
    """A short list that still covers both ways of recording, newest tracer and Debian's own."""
    chosen = []
    for family in ("allocator", "tracer"):
        of_family = [python for python in pythons if python.family == family]
        own = [python for python in of_family if python.name.startswith("debian")]
        chosen += (own or of_family[-1:])[:1]
    return chosen


def _wanted(name, globs):
    return not globs or any(fnmatch.fnmatch(name, glob) for glob in globs)
