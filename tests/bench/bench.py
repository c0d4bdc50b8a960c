#!/usr/bin/env python3
"""Measures what recording costs, on every interpreter found, and prints tables.

Runs with and without the preload take turns, so that what else the machine does hits both, and all
of a loop's run on one processor, as two may differ.  Beside the recorder, one whose hooks only forward
is measured: what is left over is the price of being called, and of free lists that are closed.  With
--check the exit status says whether the numbers are within the bounds the project promises, with some
tolerance for a busy machine.
"""
import argparse
import contextlib
import json
import os
import shutil
import statistics
import subprocess
import sys
import tempfile
import time

HERE = os.path.dirname(os.path.abspath(__file__))
sys.path.insert(0, os.path.join(os.path.dirname(HERE), "e2e"))
sys.dont_write_bytecode = True

from harness import Session, poll, pythons  # noqa: E402

# One kind of object at a time is the worst case; mixed is the six of them in turn; records are what
# programs make: an instance with attributes, a dict, a list, a string and a tuple that refer to each
# other.  In bulk, 3,000 objects are made before they are dropped together: what was kept of the last
# ones is of no use.
KINDS = ("lists", "dicts", "tuples", "floats", "strings", "instances", "mixed", "records", "bulk")
MB = 1 << 20

# promised bounds, and by how much a measurement on a busy machine may exceed them
BOUNDS = {
    "mixed, 1 frame": (1.35, 1.1),
    "mark (ms)": (1.0, 2.0),
    "diff (s)": (2.0, 1.5),
    "size / limit": (1.0, 1.0),
    "growth (MB)": (0.0, 1.0),
    "mark / collect": (1.05, 1.05),
}


class Bench:
    def __init__(self, python, build, args):
        self.python, self.build, self.args = python, build, args
        self.place = tempfile.mkdtemp(prefix="tidemark-bench-", dir="/dev/shm")

    def environment(self, options, forward=False):
        """None as options: not recorded."""
        env = {key: value for key, value in os.environ.items()
               if not key.startswith(("PYTHON", "TIDEMARK", "LD_"))}
        if "TIDEMARK_CACHE" in os.environ:
            env["TIDEMARK_CACHE"] = os.environ["TIDEMARK_CACHE"]
        if options is not None:
            where = os.path.join(self.build, "bench") if forward else self.build
            env["LD_PRELOAD"] = os.path.join(where, "libtidemark.so")
            env["TIDEMARK"] = ",".join([f"dir={self.place},keep=0", *filter(None, [options])])
        return env

    def target(self, name, *args):
        return [*self.python.command, os.path.join(HERE, "targets", name), *map(str, args)]

    # ---- churn ----------------------------------------------------------------------

    def churn(self, kind, count, env):
        done = subprocess.run(self.target("churn.py", kind, count), env=env,
                              stdout=subprocess.PIPE, check=True)
        return float(done.stdout)

    def churn_ratios(self, kind):
        """Ratios of CPU time, of the lower quartiles of all rounds: {what: ratio}."""
        envs = {"plain": self.environment(None), "1 frame": self.environment("frames=1"),
                "default": self.environment(""), "forward": self.environment("", forward=True)}
        seconds = self.churn(kind, 300000, envs["plain"])
        count = int(300000 * self.args.seconds / max(seconds, 0.001))
        found = {what: [] for what in envs}
        for _ in range(self.args.rounds):
            for what, env in envs.items():
                found[what].append(self.churn(kind, count, env))
        quartiles = {what: sorted(times)[len(times) // 4] for what, times in found.items()}
        return {what: time / quartiles["plain"] for what, time in quartiles.items()}

    def start_up(self):
        """Milliseconds of CPU that recording adds to an interpreter's start and end."""
        times = {None: [], "": []}
        for _ in range(2 * self.args.rounds):
            for options, found in times.items():
                words = [*self.python.command, "-c", "pass"]
                pid = os.posix_spawnp(words[0], words, self.environment(options))
                usage = os.wait4(pid, 0)[2]
                found.append(usage.ru_utime + usage.ru_stime)
        return 1000 * (statistics.median(times[""]) - statistics.median(times[None]))

    # ---- many live objects ----------------------------------------------------------

    def tidemark(self, *words):
        return subprocess.run([os.path.join(self.build, "tidemark"), *map(str, words)], check=True,
                              stdout=subprocess.PIPE).stdout

    def marks(self, session):
        return [mark for mark in json.loads(self.tidemark("marks", session.pid, "--json"))["marks"]
                if mark["name"] not in ("start", "exit")]

    def mark(self, session):
        """Sets a mark without a collection; its facts once it is taken."""
        count = len(self.marks(session))
        self.tidemark("mark", session.pid, "--no-collect")
        return poll(lambda: self.marks(session)[count:], "mark")[0]

    def space(self, session):
        """Bytes the recording of a process occupies."""
        return sum(os.stat(os.path.join(self.place, name)).st_blocks * 512
                   for name in os.listdir(self.place) if f".{session.pid}." in name)

    def pause_during(self, session, action):
        """The longest gap of the target while action() runs here, and how long that took."""
        session.ask("watch")
        started = time.perf_counter()
        action()
        took = time.perf_counter() - started
        return session.ask("stop-watching")["longest"], took

    def start_hoard(self, options):
        errors = os.path.join(self.place, "stderr")
        session = Session(self.target("hoard.py"), self.environment(options), self.place, errors)
        session.read()
        return session

    def hoard(self):
        session = self.start_hoard("")
        try:
            return self.hoard_measured(session)
        finally:
            session.close()

    def hoard_measured(self, session):
        self.mark(session)
        session.ask(f"make {self.args.objects}", timeout=600)
        first = self.mark(session)  # the one that resolves what is new
        pauses = [self.mark(session)["pause"] for _ in range(5)]
        idle = self.pause_during(session, lambda: time.sleep(1))[0]
        gap, took = self.pause_during(
            session, lambda: self.tidemark("diff", session.pid, 1, len(self.marks(session)), "--json"))
        heap, size = first["bytes"], self.space(session)
        session.ask("churn 2", timeout=600)
        before = self.space(session)
        session.ask("churn 5", timeout=600)
        return {
            "mark (ms)": 1000 * statistics.median(pauses),
            "first mark (ms)": 1000 * first["pause"],
            "diff (s)": took,
            "gap (ms)": 1000 * gap,
            "idle gap (ms)": 1000 * idle,
            "heap (MB)": heap / MB,
            "size (MB)": size / MB,
            "size / limit": size / (0.6 * heap + 32 * MB),
            "growth (MB)": (self.space(session) - before) / MB,
        }

    # ---- a mark with a collection ---------------------------------------------------

    def collections(self):
        """CPU time of marks that collect and of gc.collect(), taking turns; also not recorded."""
        recorded, plain = self.start_hoard(""), self.start_hoard(None)
        turns = {"mark": (recorded, []), "collect": (recorded, []), "plain": (plain, [])}
        try:
            for session in (recorded, plain):
                session.ask(f"make {self.args.objects}", timeout=600)
                session.ask("collect", timeout=600)
            for number in range(2 * self.args.rounds):
                # each is as often the first of a round as the others
                for name in sorted(turns, key=lambda name: (sorted(turns).index(name) + number) % 3):
                    session, found = turns[name]
                    word = "mark" if name == "mark" else "collect"
                    found.append(session.ask(word, timeout=600)["seconds"])
            if not all(mark["collected"] for mark in self.marks(recorded)):
                raise AssertionError("a mark made no collection")
        finally:
            recorded.close()
            plain.close()
        seconds = {name: found for name, (_, found) in turns.items()}
        least = {name: min(found) for name, found in seconds.items()}
        return {
            "mark / collect": statistics.median(a / b for a, b in zip(seconds["mark"],
                                                                      seconds["collect"])),
            "of medians": (statistics.median(seconds["mark"])
                           / statistics.median(seconds["collect"])),
            "of minima": least["mark"] / least["collect"],
            "of minima, to not recorded": least["mark"] / least["plain"],
            "least collect (ms)": 1000 * least["collect"],
        }

    def close(self):
        shutil.rmtree(self.place, ignore_errors=True)


def table(title, columns, rows):
    """rows: [(name, [cells])]"""
    cells = [columns, *(row for _, row in rows)]
    widths = [max(11, *(len(row[i]) + 2 for row in cells)) for i in range(len(columns))]
    print(f"\n{title}\n")
    for name, row in [("", columns), *rows]:
        print(f"{name:<14}" + "".join(f"{cell:>{width}}" for cell, width in zip(row, widths)))
    sys.stdout.flush()


@contextlib.contextmanager
def one_processor():
    """What is started meanwhile runs on the last processor there is."""
    allowed = os.sched_getaffinity(0)
    os.sched_setaffinity(0, {max(allowed)})
    try:
        yield
    finally:
        os.sched_setaffinity(0, allowed)


def measure_churn(benches, args):
    rows, facts = [], {}
    for bench in benches:
        with one_processor():
            found = {kind: bench.churn_ratios(kind) for kind in args.kinds}
        cells = ["%.2f/%.2f/%.2f" % tuple(found[kind][what] for what in
                                          ("1 frame", "default", "forward"))
                 for kind in args.kinds]
        rows.append((bench.python.name, cells + ["%+.1f" % bench.start_up()]))
        facts[bench.python.name] = {f"{kind}, 1 frame": ratios["1 frame"]
                                    for kind, ratios in found.items()}
        print(f"  {rows[-1][0]}: {' '.join(rows[-1][1])}", file=sys.stderr, flush=True)
    table("CPU time of a loop that only creates and destroys, recorded / not recorded, "
          "at one frame / by default /\nby hooks that only forward; and CPU milliseconds added to an interpreter's life",
          [*args.kinds, "start (ms)"], rows)
    return facts


def measure_hoard(benches, args):
    rows, facts, columns = [], {}, None
    for bench in benches:
        found = bench.hoard()
        columns = list(found)
        rows.append((bench.python.name, ["%.2f" % value for value in found.values()]))
        facts[bench.python.name] = found
    table(f"With {args.objects:,} objects alive: the time a mark without collection takes from the "
          "process, the time\na diff takes the analyzer and the longest gap of the process meanwhile,"
          " and the recording's size", columns, rows)
    return facts


def measure_collections(benches, args):
    rows, facts, columns = [], {}, None
    for bench in benches:
        found = bench.collections()
        columns = list(found)
        rows.append((bench.python.name, ["%.3f" % value for value in found.values()]))
        facts[bench.python.name] = found
        print(f"  {rows[-1][0]}: {' '.join(rows[-1][1])}", file=sys.stderr, flush=True)
    table(f"With {args.objects:,} objects alive: CPU time of a mark that makes a collection, divided "
          "by that of\ngc.collect() in the same process, as the median of pairs, of medians and of "
          "minima; and by that of a\nprocess that is not recorded", columns, rows)
    return facts


def check(facts):
    """One line for each number beyond its bound; how many there were."""
    beyond = 0
    for name, found in facts.items():
        for what, (bound, tolerance) in BOUNDS.items():
            limit = bound * tolerance if bound else tolerance
            if what in found and found[what] > limit:
                print(f"{name}: {what} is {found[what]:.2f}, promised {bound}")
                beyond += 1
    return beyond


def main():
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("--build", default="build")
    parser.add_argument("--python", action="append", default=[], metavar="GLOB")
    parser.add_argument("--rounds", type=int, default=11)
    parser.add_argument("--seconds", type=float, default=0.1, help="length of one measured loop")
    parser.add_argument("--objects", type=int, default=5000000)
    parser.add_argument("--kinds", type=lambda text: text.split(","), default=KINDS)
    parser.add_argument("--only", choices=("churn", "hoard", "collections"))
    parser.add_argument("--check", action="store_true", help="fail when beyond a promised bound")
    args = parser.parse_args()
    benches = [Bench(python, os.path.abspath(args.build), args) for python in pythons.find(args.python)]
    facts = {bench.python.name: {} for bench in benches}
    try:
        for name, measure in (("churn", measure_churn), ("hoard", measure_hoard),
                              ("collections", measure_collections)):
            if args.only in (None, name):
                for python, found in measure(benches, args).items():
                    facts[python].update(found)
    finally:
        for bench in benches:
            bench.close()
    return 1 if args.check and check(facts) else 0


if __name__ == "__main__":
    sys.exit(main())
