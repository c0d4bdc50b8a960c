"""A process killed at any instant leaves a readable recording."""
import random
import time

from harness import Case, families, slow

BUSY = """
import random, sys
class Kept: pass
kept = []
rounds = 0
while True:
    rounds += 1
    if rounds == 2: print("ready", flush=True)
    kept += [Kept() for _ in range(100)] + [{n: str(n)} for n in range(50)]
    exec("def f%d(): return [object()]\\nkept.append(f%d())" % (len(kept), len(kept)))
    random.shuffle(kept)
    del kept[:len(kept) // 3]
"""


class Killed(Case):
    def kill(self, seconds, marks):
        session = self.start_command([*self.python.command, "-c", BUSY], self.environment())
        session.line()
        for _ in range(marks):
            session.signal(42)
            time.sleep(seconds / (marks + 1))
        session.signal(9)
        session.wait(-9)
        path = self.recording(session.pid)
        self.assertEqual(self.processes()[path]["state"], "killed")
        # a kill may overtake signals that were sent before it
        taken = len(self.taken_marks(path))
        self.assertLessEqual(taken, marks)
        report = self.diff(path, "start", "now")
        self.assertGreater(report["totals"]["survived_objects"], 0)
        if taken:
            self.assertIn("__main__.Kept", {group["type"] for group in report["groups"]})
        self.json("ids", path, "start", "now")
        for first in range(taken):
            self.json("diff", path, first, first + 1)

    def test_killed_at_random_moments(self):
        chance = random.Random(self.python.name)
        for _ in range(5):
            self.kill(chance.uniform(0.0, 0.3), marks=3)

    @slow
    @families
    def test_killed_many_times(self):
        chance = random.Random(7)
        for _ in range(40):
            self.kill(chance.uniform(0.0, 0.1), marks=2)

    def test_killed_during_startup(self):
        chance = random.Random(self.python.name)
        for _ in range(10):
            session = self.start_command([*self.python.command, "-c", "import asyncio, json"],
                                         self.environment())
            time.sleep(chance.uniform(0.0, 0.08))
            session.signal(9)
            session.wait(None)
        for path in self.processes():
            self.json("diff", path, "start", "now")
