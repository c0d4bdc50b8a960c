#!/usr/bin/env python3
"""Runs the end-to-end tests: every test_*.py here, on every interpreter found.

A missing interpreter is a named skip.  Exit status 0: nothing failed.
"""
import argparse
import collections
import concurrent.futures
import fnmatch
import importlib
import itertools
import multiprocessing
import os
import re
import sys
import time
import unittest

HERE = os.path.dirname(os.path.abspath(__file__))
sys.path.insert(0, HERE)
sys.dont_write_bytecode = True

from harness import Case, pythons  # noqa: E402

SIDE_BY_SIDE = 4  # tests of a batch that only wait: what they cost is the start of a process each

# Batches run in processes of their own: to read reports is work that threads cannot share.
fork = multiprocessing.get_context("fork")
print_lock = fork.Lock()
planned = []  # the batches that may run side by side; known to these processes by their index


class Batch:
    """The tests of one file and kind on one interpreter.

    They run one after the other, those that only wait side by side.
    """

    def __init__(self, name, python, kind):
        self.name, self.python, self.kind = name, python, kind
        self.cases = []
        self.results = []  # Result of each

    def run(self, build):
        started = time.monotonic()
        for case in self.cases:
            case.python, case.build = self.python, build
        with concurrent.futures.ThreadPoolExecutor(
                SIDE_BY_SIDE if self.kind == "waiting" else 1) as pool:
            self.results = list(pool.map(_run_case, self.cases))
        self.report(time.monotonic() - started)
        return self

    def count(self, outcome):
        return sum(1 for result in self.results if result.outcome == outcome)

    def report(self, seconds):
        lines = ["  %-6s %-24s %-12s %3d passed, %d failed, %d skipped  (%.1f s)" % (
            "FAIL" if self.count("failed") else "ok", self.name, self.python.name,
            self.count("passed"), self.count("failed"), self.count("skipped"), seconds)]
        for method, outcome, text, notes in self.results:
            if outcome == "failed":
                lines.append(f"--- {self.name} {method} on {self.python!r}\n{text.rstrip()}\n---")
            elif outcome == "skipped":
                lines.append(f"         skip {method}: {text}")
            lines += [f"         {method}: {note}" for note in notes]
        with print_lock:
            print("\n".join(lines), flush=True)


Result = collections.namedtuple("Result", "method outcome text notes")


def _run_case(case):
    result = unittest.TestResult()
    case.run(result)
    return Result(case.id().split(".", 1)[-1], *_outcome(result), getattr(case, "notes", []))


def _run_planned(index, build):
    return planned[index].run(build).results


def _outcome(result):
    for _, text in result.failures + result.errors:
        return "failed", text
    for _, reason in result.skipped:
        return "skipped", reason
    return "passed", ""


def tests_of(module, pattern, quick):
    """The test methods of a file that are wanted: (class, method name, function)."""
    for cls in vars(module).values():
        if not (isinstance(cls, type) and issubclass(cls, Case) and cls.__module__ == module.__name__):
            continue
        for name in unittest.TestLoader().getTestCaseNames(cls):
            function = getattr(cls, name)
            if quick and _flag(cls, function, "is_slow"):
                continue
            if re.search(pattern, f"{module.__name__}.{cls.__name__}.{name}"):
                yield cls, name, function


def _flag(cls, function, name, default=False):
    return getattr(function, name, getattr(cls, name, default))


def interpreters_for(which, found):
    if which == "once":
        return pythons.one_of_each_family(found)[:1]
    if which == "families":
        return pythons.one_of_each_family(found)
    return found


def plan(found, args):
    """Two lists of batches: those that may run side by side, and those that may not."""
    together, alone = [], []
    for file in sorted(os.listdir(HERE)):
        if not fnmatch.fnmatch(file, "test_*.py"):
            continue
        module = importlib.import_module(file[:-3])
        batches = {}
        for cls, name, function in tests_of(module, args.pattern, args.quick):
            kind = kind_of(cls, function)
            for python in interpreters_for(_flag(cls, function, "runs_on", "all"), found):
                batch = batches.setdefault((python.name, kind),
                                           Batch(module.__name__, python, kind))
                batch.cases.append(cls(name))
        for batch in batches.values():
            (alone if batch.kind == "serial" else together).append(batch)
    return together, alone


def kind_of(cls, function):
    """'serial' (it measures time), 'waiting' (it sleeps) or 'working'."""
    for kind in ("serial", "waiting"):
        if _flag(cls, function, f"is_{kind}"):
            return kind
    return "working"


def arguments():
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("--build", default="build", help="where libtidemark.so and tidemark are")
    parser.add_argument("--python", action="append", default=[], metavar="GLOB",
                        help="only these interpreters (scripts/pythons list names them)")
    parser.add_argument("-k", dest="pattern", default="", metavar="PATTERN",
                        help="only tests whose file.class.name matches this regular expression")
    parser.add_argument("--quick", action="store_true",
                        help="one interpreter of each family, and no slow tests")
    parser.add_argument("--jobs", type=int, default=os.cpu_count(), metavar="N")
    parser.add_argument("--tally", metavar="FILE", help="add 'passed failed skipped' to FILE")
    return parser.parse_args()


def main():
    args = arguments()
    build = os.path.abspath(args.build)
    found = pythons.find(args.python)
    absent = pythons.missing(args.python)
    if args.quick:
        found, absent = pythons.one_of_each_family(found), []
    for name, reason in absent:
        print(f"  skip   {name}: {reason}", flush=True)
    together, alone = plan(found, args)
    planned[:] = together
    with concurrent.futures.ProcessPoolExecutor(args.jobs, mp_context=fork) as pool:
        results = [result for batch in pool.map(_run_planned, range(len(planned)),
                                                itertools.repeat(build)) for result in batch]
    for batch in alone:
        results += batch.run(build).results
    passed, failed, skipped = (sum(1 for result in results if result.outcome == outcome)
                               for outcome in ("passed", "failed", "skipped"))
    skipped += len(absent)
    print(f"end-to-end tests: {passed} passed, {failed} failed, {skipped} skipped")
    if args.tally:
        with open(args.tally, "a") as tally:
            print(passed, failed, skipped, file=tally)
    return 1 if failed or not passed else 0


if __name__ == "__main__":
    sys.exit(main())
