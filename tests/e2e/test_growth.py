"""What is old and grows: the growth of its buffers, apart from what is new."""
import os

from harness import Case

NOISE = 2048  # bytes; what the program's own talk leaves behind


class Growth(Case):
    def begin(self):
        session = self.start("growth.py")
        session.read()
        self.before = session.ask("tell")["sizes"]
        self.mark(session)
        self.lines = self.sites("growth.py")
        return session

    def grown(self, report):
        """{line of the target: (buffers, bytes)} of the report's growth."""
        found = {}
        for group in report["growth"]:
            self.assertEqual(group["kind"], "buffer")
            self.assertEqual(group["stack"][0], group["site"])
            if group["site"]["file"] == self.target("growth.py"):
                self.assertNotIn(group["site"]["line"], found)
                found[group["site"]["line"]] = (group["buffers"], group["bytes"])
        return found

    def new(self, report):
        """{line of the target: bytes of new buffers}"""
        return {line: group["bytes"]
                for (_, line), group in self.groups(report, "growth.py", kind="buffer").items()}

    def resized(self):
        """Containers with one buffer, resized or replaced; from 3.15 on a bytearray has an object.

        Deques, which take more blocks, and types of owners are test_owners.py's.
        """
        names = ("list", "dict", "set")
        return names if self.python.info >= (3, 15) else (*names, "bytearray")

    def check_totals(self, report):
        totals = report["totals"]
        self.assertEqual(totals["grown_bytes"], sum(group["bytes"] for group in report["growth"]))
        self.assertEqual(totals["survived_bytes"], totals["grown_bytes"] +
                         sum(group["bytes"] for group in report["groups"]))

    def test_growth_at_the_line_that_resized(self):
        session = self.begin()
        after = session.ask("fill")["sizes"]
        self.mark(session)
        saved = os.path.join(self.scratch, "saved.rec")
        self.tidemark("save", session.pid, saved, quiet=False)
        for target, to in ((session.pid, 2), (session.pid, "now"), (saved, 2)):
            report = self.diff(target, 1, to)
            self.assertTrue(report["complete"], report["notes"])
            grown, new = self.grown(report), self.new(report)
            for name in self.resized():
                line = self.lines[name]
                self.assertEqual(grown[line], (1, after[name] - self.before[name]), name)
                self.assertNotIn(line, new, name)
            # a deque takes more blocks
            for name in sorted(set(after) - set(self.resized()) - {"bytearray"}):
                line = self.lines[name]
                found = grown.get(line, (0, 0))[1] + new.get(line, 0)
                self.assertGreaterEqual(found, after[name] - self.before[name] - NOISE, name)
                self.assertLessEqual(found, after[name] + NOISE, name)
            self.check_totals(report)
        text = self.tidemark("diff", session.pid, 1, 2).stdout
        section = text[text.index("Grown since mark 1 (buffers of older objects)"):]
        self.assertIn(f"growth.py:{self.lines['list']} in fill", section)
        # no survivor has the buffer's id
        listed = {entry["site"]["line"] for entry in self.json("ids", session.pid, 1, 2)["ids"]
                  if entry["kind"] == "buffer" and entry["site"]
                  and entry["site"]["file"] == self.target("growth.py")}
        self.assertNotIn(self.lines["list"], listed)
        session.finish()
        self.check_totals(self.diff(self.recording(session.pid), 1, 2))

    def test_over_several_marks(self):
        session = self.begin()
        sizes = [self.before]
        for _ in range(3):
            sizes.append(session.ask("fill")["sizes"])
            self.mark(session)
        line = self.lines["list"]
        for first in range(3):
            for last in range(first + 1, 4):
                report = self.diff(session.pid, first + 1, last + 1)
                self.assertEqual(self.grown(report)[line],
                                 (1, sizes[last]["list"] - sizes[first]["list"]))
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
