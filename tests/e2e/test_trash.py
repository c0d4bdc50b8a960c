"""Cyclic trash: alive at a mark, but only waiting for the collector."""
from harness import Case


class Trash(Case):
    def run_target(self, options):
        session = self.start("cycles.py", options=options)
        session.read()
        self.mark(session, collected=options != "collect=none")
        session.ask()
        self.mark(session, collected=options != "collect=none")
        report = self.diff(session.pid, 1, 2)
        lines = self.sites("cycles.py")
        keys = [("__main__.Node", lines["first"]), ("__main__.Node", lines["second"])]
        survivors = self.groups(report, "cycles.py")
        trash = self.groups({"groups": report["trash"]}, "cycles.py")
        return session, report, [survivors[key]["objects"] for key in keys], \
            [trash[key]["objects"] if key in trash else 0 for key in keys]

    def test_collected_at_the_mark(self):
        session, _, survivors, trash = self.run_target("collect=full")
        self.assertEqual((survivors, trash), ([300, 300], [1000, 1000]))
        self.assertEqual(session.ask()["garbage"], 0)
        session.finish()

    def test_same_after_the_end(self):
        session, _, _, _ = self.run_target("collect=full")
        session.ask()
        session.finish()
        report = self.diff(self.recording(session.pid), 1, 2)
        found = self.groups({"groups": report["trash"]}, "cycles.py")
        self.assertEqual([group["objects"] for group in found.values()], [1000, 1000])

    def test_without_collection(self):
        """They are survivors then, and the report says that it can't tell them apart."""
        session, report, survivors, trash = self.run_target("collect=none")
        self.assertEqual((survivors, trash), ([1300, 1300], [0, 0]))
        self.assertIn("collect", " ".join(report["notes"]))
        self.assertGreaterEqual(session.ask()["collected"], 2000, "the program's own collection")
        session.finish()
