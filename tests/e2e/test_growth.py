"""What is old and grows: the growth of its buffers, apart from what is new."""
from harness import Growing

NOISE = 2048  # bytes; what the program's own talk leaves behind


class Growth(Growing):
    program = "growth.py"

    def grown(self, report):
        """{line of the target: (buffers, bytes)} of the report's growth."""
        for group in report["growth"]:
            self.assertEqual(group["kind"], "buffer")
            self.assertIsNotNone(group["site"])
            self.assertEqual(group["stack"][0], group["site"])
        found = {}
        for line, groups in self.growth_by_line(report).items():
            self.assertEqual(len(groups), 1, groups)
            found[line] = (groups[0]["buffers"], groups[0]["bytes"])
        return found

    def new(self, report):
        """{line of the target: bytes of new buffers}"""
        return {line: group["bytes"]
                for (_, line), group in self.groups(report, self.program, kind="buffer").items()}

    def resized(self):
        """Containers with one buffer, resized or replaced.

        Deques, which take more blocks, and types of owners are test_owners.py's.
        """
        names = ("list", "dict", "set")
        return names if self.bytearray_is_object else (*names, "bytearray")

    def check_totals(self, report):
        totals = report["totals"]
        self.assertEqual(totals["grown_bytes"], sum(group["bytes"] for group in report["growth"]))
        self.assertEqual(totals["survived_bytes"], totals["grown_bytes"] +
                         sum(group["bytes"] for group in report["groups"]))

    def test_growth_at_the_line_that_resized(self):
        session = self.begin()
        before, after = self.before["sizes"], session.ask("fill")["sizes"]
        self.mark(session)
        for report in self.complete_reports(session):
            grown, new = self.grown(report), self.new(report)
            for name in self.resized():
                line = self.lines[name]
                self.assertEqual(grown[line], (1, after[name] - before[name]), name)
                self.assertNotIn(line, new, name)
            # a deque takes more blocks
            for name in sorted(set(after) - set(self.resized()) - {"bytearray"}):
                line = self.lines[name]
                found = grown.get(line, (0, 0))[1] + new.get(line, 0)
                self.assertGreaterEqual(found, after[name] - before[name] - NOISE, name)
                self.assertLessEqual(found, after[name] + NOISE, name)
            self.check_totals(report)
        text = self.tidemark("diff", session.pid, 1, 2).stdout
        section = text[text.index("Grown since mark 1 (buffers of older objects)"):]
        self.assertIn(f"growth.py:{self.lines['list']} in fill", section)
        # no survivor has the buffer's id
        listed = {entry["site"]["line"] for entry in self.json("ids", session.pid, 1, 2)["ids"]
                  if entry["kind"] == "buffer" and entry["site"]
                  and entry["site"]["file"] == self.target(self.program)}
        self.assertNotIn(self.lines["list"], listed)
        session.finish()
        self.check_totals(self.diff(self.recording(session.pid), 1, 2))

    def test_over_several_marks(self):
        session = self.begin()
        for report, before, after in self.reports_over_marks(session, "fill", "sizes"):
            self.assertEqual(self.grown(report)[self.lines["list"]],
                             (1, after["list"] - before["list"]))
        session.finish()

    def test_a_new_list_is_no_growth(self):
        session = self.begin()
        made = session.ask("make")["new"]
        self.mark(session)
        again = session.ask("fill")["new"]
        self.mark(session)
        self.assertEqual(made, again)
        for to in (2, 3, "now"):
            report = self.diff(session.pid, 1, to)
            self.assertNotIn(self.lines["new_list"], self.grown(report))
            empty = 56  # the list itself, with the collector's head counted apart
            self.assertGreaterEqual(self.new(report)[self.lines["new_list"]], made[0] - empty)
        session.finish()

    def test_shrinking_is_freed(self):
        session = self.begin()
        large = session.ask("fill")["sizes"]["list"]
        self.mark(session)
        small = session.ask("shrink")["sizes"]["list"]
        self.mark(session)
        report = self.diff(session.pid, 2, 3)
        self.assertNotIn(self.lines["shrink"], self.grown(report))
        self.assertNotIn(self.lines["shrink"], self.new(report))
        self.assertGreaterEqual(report["totals"]["freed_bytes"], large - small)
        session.finish()
