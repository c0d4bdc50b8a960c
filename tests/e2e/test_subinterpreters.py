"""Sub-interpreters: what they make and keep beside the main one is counted like its own.

From 3.12 on each has a lock of its own, so that all of them make objects at the same time.
"""
from harness import Case

COUNT, KEPT = 3, 500
BODY = "subinterpreter.py"


class Subinterpreters(Case):
    def begin(self, target):
        session = self.start(target)
        if not session.read()["interpreters"]:
            self.skipTest(f"{self.python.name} has no module for sub-interpreters")
        return session

    def play(self):
        session = self.begin("subinterpreters.py")
        self.mark(session)
        for _ in range(4):
            session.ask()
            self.mark(session)
        session.ask()
        return session

    def check(self, session, last, each):
        report = self.diff(session.pid, 1, last)
        self.assertTrue(report["complete"], report["notes"])
        self.assertEqual(report["health"]["disagreements"], 0)
        if self.python.info >= (3, 9):  # before, one collector serves them all
            blind = [spot["name"] for spot in report["health"]["blind"]]
            self.assertIn("interpreters", blind)
        lines = self.sites(BODY)
        groups = self.groups(report, BODY)
        for type_name, site in (("__main__.Kept", "thing"), ("__main__.Slotted", "slotted"),
                                ("builtins.dict", "table")):
            group = groups.pop((type_name, lines[site]), None)
            self.assertEqual(group["objects"] if group else 0, COUNT * each, (last, type_name))
        never = {"__main__.Kept", "__main__.Slotted", "(pending)", "(unknown)"}
        if (3, 12) <= self.python.info < (3, 13, 3):
            never.remove("(pending)")  # the newest, which only their own threads may look at
        left = {key: group["objects"] for key, group in groups.items() if key[0] in never}
        self.assertEqual(left, {}, f"at mark {last}")
        line = self.sites("subinterpreters.py")["own"]
        own = self.groups(report, "subinterpreters.py")["__main__.Own", line]
        self.assertEqual(own["objects"], KEPT)

    def test_what_each_keeps_is_counted_and_gone_with_it(self):
        session = self.play()
        self.check(session, 3, KEPT)
        self.check(session, 4, KEPT // 2)
        self.check(session, 5, 0)
        session.finish()

    def test_marks_while_all_are_busy(self):
        """Nothing is contradicted, and nobody comes to harm, however often a mark is set then."""
        session = self.begin("subinterpreters.py")
        self.mark(session)
        session.send()
        for _ in range(30):
            self.tidemark("mark", session.pid, "--no-collect", quiet=False)
        session.read()
        session.ask()
        self.mark(session)
        last = len(self.taken_marks(session.pid))
        self.check(session, last, KEPT)
        session.ask()
        session.ask()
        session.ask()
        session.finish()

    def test_a_class_of_one_that_runs_freely_is_looked_at_once(self):
        """Its interpreter may change or end it at any time: only the own one's are asked again."""
        session = self.begin("subinterpreter_classes.py")
        self.mark(session)
        session.ask()
        self.mark(session)
        report = self.diff(session.pid, 1, 2)
        counts = {}
        for group in report["groups"]:
            if group["type"].rpartition(".")[2] in ("Own", "Other"):
                counts[group["type"]] = counts.get(group["type"], 0) + group["objects"]
        other = "__main__.Other" if self.python.info >= (3, 12) else "later.Other"
        self.assertEqual(counts, {"later.Own": KEPT, other: KEPT})
        session.ask()
        session.finish()

    def test_one_that_ends_the_process_looks_at_nothing_of_the_main_one(self):
        """Nor does its garbage become that one's."""
        session = self.begin("subinterpreter_exit.py")
        session.send()
        session.wait()
        last = self.marks(session.pid)[-1]
        self.assertEqual((last["name"], last["garbage"]), ("exit", 0))

    def test_a_block_that_waits_goes_to_nobody_with_another_heap(self):
        """Locks and heaps of their own from 3.12 on, heaps under one lock from 3.13 on."""
        for lock in ("free", "shared") if self.python.info >= (3, 13) else ("free",):
            for _ in range(2):
                argv = [*self.python.command, self.target("subinterpreter_heaps.py"), lock]
                done = self.run_plain(argv, self.environment())
                self.assertEqual((done.returncode, done.stdout, done.stderr), (0, b"done\n", b""))
