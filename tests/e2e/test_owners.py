"""Whose memory grew: the type of the container, its line, its bytes; and never a wrong one."""
from harness import Growing

TYPES = {
    "list": "builtins.list", "dict": "builtins.dict", "set": "builtins.set",
    "bytes": "builtins.bytearray", "deque": "collections.deque",
    "list_subclass": "__main__.List", "dict_subclass": "__main__.Dict",
    "set_subclass": "__main__.Set", "bytes_subclass": "__main__.Bytes",
    "deque_subclass": "__main__.Deque",
    "dict_counter": "collections.Counter", "dict_missing": "collections.defaultdict",
}
BLOCK = 528  # bytes of a deque's block
TABLE = 168  # bytes of a dict's smallest table on 3.8 and 3.9
RECYCLED = 16  # such blocks that are kept for the next deque


class Owners(Growing):
    program = "owners.py"
    options = "frames=1"

    def type_of(self, name):
        return TYPES.get(name, TYPES[name.split("_")[0]])

    def names(self):
        """What has memory of its own."""
        return [name for name in self.before["old"]
                if not (name.startswith("bytes") and self.bytearray_is_object)]

    def grown(self, report):
        """{line of the target: [(type, buffers, bytes), …]} of the growth."""
        return {line: [(group["type"], group["buffers"], group["bytes"]) for group in groups]
                for line, groups in self.growth_by_line(report).items()}

    def new(self, report):
        return self.groups(report, self.program, kind="buffer")

    def check(self, report, before, after, names=None):
        """Each container's growth is at its line, to the byte, under its type; nothing else is."""
        grown, new = self.grown(report), self.new(report)
        for name in names or self.names():
            more = after[name] - before[name]
            found = grown.get(self.lines[name], [])
            self.assertEqual([kind for kind, _, _ in found], [self.type_of(name)], name)
            if name.startswith("deque"):
                self.check_deque(name, found[0], more)
            else:
                self.assertEqual(found[0][1], 1, name)
                self.assertIn(found[0][2] - more, (0, self.kept(name)), name)
            # what the interpreter itself keeps for a line is small: frames and caches up to 3.10
            self.assertLess(new.get(("(buffer)", self.lines[name]), {"bytes": 0})["bytes"], 512,
                            name)

    def kept(self, name):
        """Up to 3.9 the smallest table of a dict does not go: it waits in a free list."""
        return TABLE if name.startswith("dict") and self.python.info < (3, 10) else 0

    def check_deque(self, name, found, more):
        """Up to 3.10 blocks of deques that are gone go to others, with the birth they had."""
        blocks = more // BLOCK
        again = RECYCLED if self.python.info < (3, 11) else 0
        self.assertGreaterEqual(found[1], blocks - again, name)
        self.assertLessEqual(found[1], blocks, name)
        self.assertEqual(found[2], BLOCK * found[1], name)

    def test_containers_that_had_something_in_them(self):
        session = self.begin()
        after = session.ask("old")
        self.mark(session)
        for report in self.complete_reports(session):
            self.check(report, self.before["old"], after["old"])
        text = self.tidemark("diff", session.pid, 1, 2, "--limit", "0").stdout
        self.assertIn("  (buffer of builtins.list)\n", text)
        only = self.json("diff", session.pid, 1, 2, "--type", "deque", "--limit", "0")
        self.assertEqual(only["growth"], [])
        only = self.json("diff", session.pid, 1, 2, "--type", "collections.deque", "--limit", "0")
        self.assertEqual(len(only["growth"]), 4)
        whole = self.json("diff", session.pid, 1, 2, "--by", "type", "--limit", "0")
        by_type = {group["type"]: group["bytes"] for group in whole["growth"]}
        self.assertEqual(by_type["__main__.List"],
                         after["old"]["list_subclass"] - self.before["old"]["list_subclass"])
        session.finish()
        self.check(self.diff(self.recording(session.pid), 1, 2), self.before["old"], after["old"])

    def test_containers_that_were_empty(self):
        session = self.begin()
        after = session.ask("empty")
        for to in ("now", 2):
            if to == 2:
                self.mark(session)
            self.check(self.diff(session.pid, 1, to), self.before["empty"], after["empty"])
        # seen from before they were made, all of it is new
        report = self.diff(session.pid, "start", 2)
        self.assertEqual(set(self.grown(report)) & set(self.lines.values()), set())
        for name in self.names():
            if name.startswith("deque"):
                continue  # their blocks may have been others' before
            self.assertGreaterEqual(self.new(report)[("(buffer)", self.lines[name])]["bytes"],
                                    after["empty"][name] - self.before["empty"][name], name)
        session.finish()

    def test_over_several_marks(self):
        session = self.begin()
        names = [name for name in self.names()
                 if name.startswith(("list", "bytes", "deque")) and name != "list_thread"]
        for report, before, after in self.reports_over_marks(session, "old", "old"):
            self.check(report, before, after, names)
        session.finish()

    def test_containers_made_since_are_no_growth(self):
        session = self.begin()
        session.ask("young")
        self.mark(session)
        session.ask("young")
        for first, last in ((1, 2), (1, "now"), (2, "now")):
            grown = self.grown(self.diff(session.pid, first, last))
            self.assertEqual(set(grown) & set(self.lines.values()), set())
        session.finish()

    def test_attributes_and_caches(self):
        session = self.begin()
        session.ask("others")
        self.mark(session)
        grown = self.grown(self.diff(session.pid, 1, 2))
        for name, kind in (("method", "builtins.list"), ("attributes", "builtins.dict"),
                           ("module", "builtins.dict"), ("cache", "builtins.dict")):
            self.assertEqual([found[0] for found in grown.get(self.lines[name], [])], [kind], name)
        session.finish()

    def test_whose_memory_cannot_be_told_is_unknown(self):
        session = self.begin()
        session.ask("intern")
        self.mark(session)
        report = self.diff(session.pid, 1, 2)
        found = [(group["type"], group["kind"]) for group in report["growth"]
                 if group["site"] and group["site"]["line"] == self.lines["interned"]]
        self.assertEqual(found, [(None, "buffer")])
        text = self.tidemark("diff", session.pid, 1, 2, "--limit", "0").stdout
        self.assertIn("  (buffer)\n", text[text.index("Grown since"):])
        session.finish()

    def test_with_a_sub_interpreter_what_is_not_looked_for_is_said(self):
        """From 3.12 on it may run beside us; what it frees could be what we look at."""
        session = self.begin()
        session.ask("interpreter")
        self.mark(session)
        before = session.ask("tell")["old"]
        after = session.ask("old")["old"]
        self.mark(session)
        report = self.diff(session.pid, 2, 3)
        blind = [spot["name"] for spot in report["health"]["blind"]]
        if self.python.info < (3, 12):
            self.assertNotIn("owners", blind)
            self.check(report, before, after)
        else:
            self.assertIn("owners", blind)
            line = self.lines["list_append"]
            more = after["list_append"] - before["list_append"]
            self.assertEqual(self.grown(report)[line], [(None, 1, more)])
        session.finish()
