#!/usr/bin/env python3
"""Runs CPython's own test suite with the recorder in it, and without.

A test that fails only with it fails the run, unless it passes twice when run alone; so does a
process whose recording has a health counter that is not zero.
"""
import argparse
import concurrent.futures
import os
import shutil
import signal
import subprocess
import sys
import tempfile
import threading

HERE = os.path.dirname(os.path.abspath(__file__))
sys.path[:0] = [HERE, os.path.join(os.path.dirname(HERE), "e2e")]
sys.dont_write_bytecode = True

import plan  # noqa: E402
import suite  # noqa: E402
from harness import pythons  # noqa: E402
from health import Recordings  # noqa: E402

print_lock = threading.Lock()


def say(text):
    with print_lock:
        print(text, flush=True)


class Check:
    """One module on one interpreter."""

    def __init__(self, python, module, args, scratch):
        self.python, self.module, self.args, self.scratch = python, module, args, scratch
        self.differences = []  # (name, text): failed only with the recorder
        self.notes = []
        self.complaints = []
        self.excused = {}
        self.processes = self.without_tracer = 0

    def run(self):
        recorded = self._recorded()
        plain = None
        if not (self.args.quick and recorded.well):
            plain = self._plain()
            self._compare(recorded, plain)
        self._report(recorded, plain)
        return self

    # ---- running --------------------------------------------------------------------

    def _plain(self, only=None):
        return suite.run(self.python, self.module, environment(), self.scratch,
                         self.args.timeout, only)

    def _recorded(self, only=None):
        def excuse(counter):
            return plan.known_counter(self.python, self.module, counter)

        with Recordings(self.args.build, excuse) as recordings:
            outcome = suite.run(self.python, self.module,
                                dict(environment(), **recordings.environment), self.scratch,
                                self.args.timeout, only)
        self.processes += recordings.processes
        self.without_tracer += recordings.without_tracer
        self.complaints += recordings.complaints
        self.excused.update(recordings.excused)
        return outcome

    # ---- judging --------------------------------------------------------------------

    def _compare(self, recorded, plain):
        for name in sorted(recorded.failed() - plain.failed()):
            self._judge(name, recorded.about(name))
        for name, result in sorted(plain.tests.items()):
            if result == suite.PASSED and recorded.tests.get(name) == suite.SKIPPED:
                self.differences.append((name, "skipped"))

    def _judge(self, name, text):
        reason = plan.known_failure(self.python, name)
        if reason:
            self.notes.append(f"known: {name}: {reason}")
        elif self._fails_alone(name):
            self.differences.append((name, text))
        else:
            self.notes.append(f"{name} failed once, and passed twice when run alone:\n{text}")

    def _fails_alone(self, name):
        """Whether it fails when nothing runs before it, and only with the recorder.

        What is no single test, such as a module that died, is run again as a whole.
        """
        only = name if name.rsplit(".", 1)[-1].startswith("test") else None
        again = [self._recorded(only).failed() for _ in range(2)]
        return bool(set().union(*again) - self._plain(only).failed())

    def _report(self, recorded, plain):
        good = not self.differences and not self.complaints
        results = list(recorded.tests.values())
        took = "%.0f s" % recorded.seconds + (", %.0f s without" % plain.seconds if plain else "")
        lines = ["  %-6s %-28s %-12s %4d passed, %d failed, %d skipped; %d processes  (%s)" % (
            "ok" if good else "FAIL", self.module, self.python.name, results.count(suite.PASSED),
            results.count(suite.FAILED), results.count(suite.SKIPPED), self.processes, took)]
        if not recorded.well:
            lines.append(f"         with: {recorded.end}; without: {plain.end}")
        if self.without_tracer:
            lines.append(f"         in {self.without_tracer} processes a test took the tracer")
        lines += [f"         known: {name} is not zero: {why}" for name, why in self.excused.items()]
        lines += [f"         {note}" for note in self.notes]
        lines += [f"--- {name} on {self.python!r}, only with the recorder:\n{text}\n---"
                  for name, text in self.differences]
        lines += [f"--- not well on {self.python!r}: {complaint}"
                  for complaint in self.complaints[:20]]
        say("\n".join(lines))


def environment():
    env = {key: value for key, value in os.environ.items()
           if not key.startswith(("PYTHON", "TIDEMARK", "LD_"))}
    env["PYTHONDONTWRITEBYTECODE"] = "1"
    if "TIDEMARK_CACHE" in os.environ:
        env["TIDEMARK_CACHE"] = os.environ["TIDEMARK_CACHE"]
    return env


def wanted_modules(args):
    names = args.module or (plan.QUICK_MODULES if args.quick else plan.MODULES)
    return [name.split("|") for name in names]


def checks_of(found, args, scratch):
    """Module by module, as they are listed; what an interpreter does not have is named."""
    there = {python: suite.modules_of(python, environment()) for python in found}
    absent = {python: [] for python in found}
    checks = []
    for names in wanted_modules(args):
        for python in found:
            own = [name for name in names if name in there[python]]
            if own:
                checks.append(Check(python, own[0], args, scratch))
            else:
                absent[python].append(names[0])
    for python in found:
        if absent[python]:
            say(f"         {python.name} ({python.version}) has no {' '.join(absent[python])}")
    return checks


def interpreters(globs):
    """Those that have a test suite, and how many have none or are not there at all."""
    found = pythons.find(globs)
    without = pythons.without_suite(found)
    absent = pythons.missing(globs) + list(without.items())
    for name, reason in absent:
        say(f"  skip   {name}: {reason}")
    return [python for python in found if python.name not in without], len(absent)


def arguments():
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("--build", default="build", help="where libtidemark.so and tidemark are")
    parser.add_argument("--quick", action="store_true", help="fewer modules and interpreters, and "
                        "without the recorder only what failed with it")
    parser.add_argument("--module", action="append", default=[], metavar="NAME")
    parser.add_argument("--timeout", type=int, default=600, metavar="SECONDS", help="of one module")
    parser.add_argument("--jobs", type=int, default=os.cpu_count(), metavar="N")
    parser.add_argument("--tally", metavar="FILE", help="add 'passed failed skipped' to FILE")
    parser.add_argument("python", nargs="*", metavar="GLOB", help="only these interpreters")
    args = parser.parse_args()
    args.build = os.path.abspath(args.build)
    return args


def main():
    args = arguments()
    # What is ignored stays ignored in what we start, and these tests send it: a handler is not.
    signal.signal(signal.SIGINT, signal.default_int_handler)
    signal.signal(signal.SIGHUP, lambda *_: None)
    globs = args.python or (list(plan.QUICK_PYTHONS) if args.quick else [])
    found, skipped = interpreters(globs)
    scratch = tempfile.mkdtemp(prefix="tidemark-cpython-", dir="/tmp")
    try:
        checks = checks_of(found, args, scratch)
        with concurrent.futures.ThreadPoolExecutor(args.jobs) as pool:
            done = list(pool.map(Check.run, checks))
    finally:
        shutil.rmtree(scratch, ignore_errors=True)
    failed = sum(1 for check in done if check.differences or check.complaints)
    print("CPython's own tests: %d modules passed, %d failed, %d skipped; %d processes recorded" % (
        len(done) - failed, failed, skipped, sum(check.processes for check in done)))
    if args.tally:
        with open(args.tally, "a") as tally:
            print(len(done) - failed, failed, skipped, file=tally)
    return 1 if failed else 0


if __name__ == "__main__":
    sys.exit(main())
