"""tracemalloc starts and stops in mid-run: it is served, and the report says from when to when."""
from harness import Case

COUNT = 1000


class Traced(Case):
    def alone(self):
        """What tracemalloc sees in a run that is not recorded."""
        argv = [*self.python.command, self.target("traced.py")]
        session = self.start_command(argv, self.environment(preload=False))
        session.read()
        facts = session.ask()
        session.ask()
        session.finish()
        return facts["traced"]

    def test_started_and_stopped_in_the_middle(self):
        session = self.start("traced.py")
        session.read()
        self.mark(session)
        facts = session.ask()
        self.mark(session)
        report = self.diff(session.pid, 1, 2)
        self.assertTrue(facts["traced"])
        self.assertEqual(facts["traced"], self.alone())
        self.assertFalse(facts["tracing"])
        self.check_objects(report)
        self.check_gap(report, *facts["times"])
        session.ask()
        session.finish()

    def check_objects(self, report):
        """Their memory is fresh, so none of them is missed."""
        groups, lines = self.groups(report, "traced.py"), self.sites("traced.py")
        for line in ("before", "meanwhile", "after"):
            self.assertEqual(groups["__main__.Thing", lines[line]]["objects"], COUNT, line)

    def check_gap(self, report, started, stopped, later):
        gap = report["health"]["tracer_gap"]
        if self.python.family == "allocator":
            self.assertIsNone(gap)
            self.assertTrue(report["complete"], report["notes"])
            return
        self.assertFalse(report["complete"])
        self.assertTrue(any("reference tracer" in note for note in report["notes"]))
        self.assertTrue(started <= gap["from"] <= stopped, gap)
        self.assertTrue(stopped <= gap["to"] <= later, gap)
        self.assertEqual(gap["times"], 2)
