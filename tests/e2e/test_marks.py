"""Marks: the three ways to set them, their names and numbers, many at once, past ones."""
import os
import random
import select
import time

from harness import Case, families, poll, serial


class Marks(Case):
    def begin(self, **more):
        session = self.start("steps.py", **more)
        session.read()
        return session

    def items(self, target, *args):
        """How many Items a diff reports."""
        lines = self.sites("steps.py")
        group = self.groups(self.diff(target, *args), "steps.py").get(
            ("__main__.Item", lines["item"]))
        return group["objects"] if group else 0

    def test_three_ways(self):
        session = self.begin()
        self.mark(session)
        session.ask("make 100")
        done = self.tidemark("mark", session.pid, "named one", quiet=False)
        self.assertIn("named one", done.stdout)
        self.assertIn("2", done.stdout)
        session.ask("make 200")
        session.ask("mark from inside")
        session.ask("make 300")
        poll(lambda: len([m for m in self.taken_marks(session.pid) if m["collected"]]) == 3,
             "third mark")
        marks = self.taken_marks(session.pid)
        self.assertEqual([mark["mark"] for mark in marks], [1, 2, 3])
        self.assertEqual([mark["name"] for mark in marks][1:], ["named one", "from inside"])
        self.assertFalse(marks[0]["name"])
        self.assertEqual(self.items(session.pid, 1, 2), 100)
        self.assertEqual(self.items(session.pid, "named one", "from inside"), 200)
        self.assertEqual(self.items(session.pid, 1, 3), 300)
        self.assertEqual(self.items(session.pid, 3, "now"), 300)
        self.assertEqual(self.items(session.pid), 300, "default: the last mark to now")
        self.assertEqual(self.items(session.pid, "start", "now"), 600)
        session.finish()

    def test_start_and_exit(self):
        session = self.begin()
        session.ask("make 50")
        session.send("quit")
        session.wait()
        path = self.recording(session.pid)
        marks = self.marks(path)
        self.assertEqual([mark["name"] for mark in marks], ["start", "exit"])
        self.assertEqual([mark["mark"] for mark in marks], [0, 1])
        self.assertEqual(self.items(path, "start", "exit"), 50, "taken before the teardown")
        self.assertEqual(self.items(path, 0, 1), 50)

    def test_past_marks_stay_exact(self):
        """Diffs between marks long past, after what they speak of has died."""
        session = self.begin()
        for count in (10, 20, 30):
            self.mark(session)
            session.ask(f"make {count}")
        self.mark(session)
        session.ask("drop 60")
        self.mark(session)
        session.ask("make 5")
        for target in (session.pid, None):
            if target is None:
                session.finish()
                target = self.recording(session.pid)
            self.assertEqual(self.items(target, 1, 2), 10)
            self.assertEqual(self.items(target, 2, 3), 20)
            self.assertEqual(self.items(target, 3, 4), 30)
            self.assertEqual(self.items(target, 1, 4), 60)
            self.assertEqual(self.items(target, 1, 5), 0)
            report = self.diff(target, 4, 5)
            self.assertGreaterEqual(report["totals"]["freed_objects"], 60)

    def test_generations(self):
        """What grows in every interval is told from what was made in one."""
        session = self.begin()
        for _ in range(4):
            self.mark(session)
            session.ask("make 25")
        self.mark(session)
        report = self.diff(session.pid, 1, 5)
        group = self.groups(report, "steps.py")["__main__.Item", self.sites("steps.py")["item"]]
        self.assertEqual(group["generations"], 4)
        self.assertEqual(group["by_interval"], [25, 25, 25, 25])
        session.finish()

    def test_a_thousand_quick_signals(self):
        """Neither lost nor merged without a count."""
        session = self.begin()
        for _ in range(1000):
            session.signal(42)
        session.ask("make 7")
        marks = poll(lambda: (lambda taken: taken if len(taken) >= 1000 else None)(
            self.taken_marks(session.pid)), "thousand marks", timeout=30)
        self.assertEqual([mark["mark"] for mark in marks], list(range(1, 1001)))
        times = [mark["time"] for mark in marks]
        self.assertEqual(times, sorted(times))
        self.mark(session)
        self.assertEqual(self.items(session.pid, 1000, 1001), 7)
        self.assertEqual(len(self.taken_marks(session.pid)), 1001)
        session.finish()

    def test_signals_from_many_threads_of_work(self):
        """Marks while objects are made and dropped all the time add up."""
        session = self.begin()
        self.mark(session)
        for _ in range(50):
            session.send("make 20")
            session.signal(42)
            session.read()
        self.mark(session)
        self.assertEqual(self.items(session.pid, 1, len(self.taken_marks(session.pid))), 1000)
        session.finish()

    @families
    @serial
    def test_follow_up_is_never_forgotten(self):
        """A signal that comes right before a system call blocks does not interrupt it."""
        session = self.start("race.py")
        self.assertEqual(self.byte_of(session), b"x")
        chance = random.Random(1)
        for number in range(1, 8001):
            os.write(session.process.stdin.fileno(), b"y")
            self.assertEqual(self.byte_of(session), b"x")
            end = time.perf_counter() + chance.uniform(0, 100e-6)
            while time.perf_counter() < end:
                pass
            session.signal(42)
            self.assertEqual(self.byte_of(session, 2), b"c", f"follow-up of mark {number}")
        session.finish()

    def byte_of(self, session, timeout=60):
        """One byte of its stdout, None if there is none in time."""
        stdout = session.process.stdout
        return os.read(stdout.fileno(), 1) if select.select([stdout], [], [], timeout)[0] else None

    def test_mark_without_collection(self):
        session = self.begin(options="collect=none")
        session.ask("make 10")
        self.tidemark("mark", session.pid, "quick", quiet=False)
        mark = self.taken_marks(session.pid)[0]
        self.assertFalse(mark["collected"])
        session.finish()

    def test_no_collect_option(self):
        session = self.begin()
        self.tidemark("mark", session.pid, "one", "--no-collect", quiet=False)
        self.tidemark("mark", session.pid, "two", quiet=False)
        self.assertEqual([mark["collected"] for mark in self.taken_marks(session.pid)],
                         [False, True])
        session.finish()

    def test_another_signal(self):
        session = self.begin(options="signal=40")
        self.mark(session, number=40)
        self.tidemark("mark", session.pid, "by name", quiet=False)
        self.assertEqual(len(self.taken_marks(session.pid)), 2)
        session.finish()

    @families
    def test_odd_names(self):
        """A name is data: control characters never reach the terminal or a pipe raw."""
        session = self.begin()
        for name in ("é\u4e2d", "a\x1b[31mred\x07", "x" * 255):
            self.tidemark("mark", session.pid, name, quiet=False)
        self.assertEqual(self.taken_marks(session.pid)[1]["name"], "a\x1b[31mred\x07")
        text = self.tidemark("marks", session.pid).stdout
        self.assertNotIn("\x1b", text)
        self.assertNotIn("\x07", text)
        self.assertIn("é\u4e2d", text)
        self.refused("mark", session.pid, "y" * 256)
        self.refused("mark", session.pid, "line\nbreak")
        session.finish()

    @families
    def test_facts_of_a_mark(self):
        session = self.begin()
        self.mark(session)  # its collection takes away what start-up left
        before = time.time()
        self.mark(session)
        session.ask("make 5000")
        self.mark(session)
        _, first, second = self.taken_marks(session.pid)
        self.assertGreaterEqual(second["objects"] - first["objects"], 4990)
        self.assertLess(second["objects"] - first["objects"], 6000)
        self.assertGreaterEqual(second["bytes"] - first["bytes"], 5000 * 32)
        self.assertTrue(before - 0.1 <= first["time"] <= second["time"] <= time.time() + 0.1)
        self.assertGreater(second["pause"], 0)
        self.assertLess(second["pause"], 5)
        session.finish()

    def test_a_program_that_ends_right_after_a_mark_hears_nothing_of_it(self):
        """What wakes a program for a mark's follow-up comes 10 ms later, into its finalization."""
        code = ("import os, sys, time\n"
                "class Slow:\n"
                "    def __del__(self, steps=range(300000)):\n"
                "        for _ in steps: pass\n"
                "slow = Slow(); slow.me = slow\n"
                "os.kill(os.getpid(), 42)\n"
                "end = time.monotonic() + float(sys.argv[1])\n"
                "while time.monotonic() < end: pass\n")
        for milliseconds in range(12):
            done = self.run_plain([*self.python.command, "-c", code, milliseconds / 1000],
                                  self.environment())
            self.assertEqual((done.returncode, done.stdout, done.stderr), (0, b"", b""))

    @families
    def test_own_handler_is_respected(self):
        """A program that installs its own handler for the signal gets the signal."""
        code = ("import os, signal, sys\n"
                "signal.signal(42, lambda *a: os.write(1, b'mine\\n'))\n"
                "print('ready', flush=True)\n"
                "for line in sys.stdin: print(line.strip(), flush=True)\n")
        session = self.start_command([*self.python.command, "-c", code], self.environment())
        self.assertEqual(session.line(), "ready")
        os.kill(session.pid, 42)
        self.assertEqual(session.line(), "mine")
        self.refused("mark", session.pid)
        session.send("still here")
        self.assertEqual(session.line(), "still here")
        session.finish()


class LastMoments(Case):
    """Marks right before the end, while the interpreter takes itself down."""

    CODE = """
import ctypes, gc, weakref
class Node:
    pass
known = weakref.WeakSet()
def forget():
    node = Node()
    node.itself = node
    known.add(node)
gc.set_threshold(10 ** 9)
for _ in range(100000):
    forget()
ctypes.CDLL(None).tidemark_mark(b"late")
"""

    def test_a_reminder_during_the_last_collection_is_no_signal_to_python(self):
        """CPython complains of a signal that it has no handler for any more."""
        for _ in range(3):
            done = self.run_plain([*self.python.command, "-c", self.CODE],
                                  self.environment("collect=none"))
            self.assertEqual((done.returncode, done.stdout, done.stderr), (0, b"", b""))
