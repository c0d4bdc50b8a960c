"""The verdict: programs that grow by one thing only, and what the diff says that it is."""
import os

from harness import Case, families

MIB = 1 << 20
PARTS = ("live", "arenas_free", "native", "malloc_free", "rest")


def resident(pid):
    """Bytes resident without Tidemark's own, from outside: the recording's and the library's."""
    total, own, ours = 0, 0, False
    with open(f"/proc/{pid}/smaps") as smaps:
        for line in smaps:
            words = line.split()
            if not words[0].endswith(":"):
                ours = words[-1].endswith((".rec", "libtidemark.so"))
            elif words[0] == "Rss:":
                total += int(words[1]) * 1024
                own += int(words[1]) * 1024 * ours
    return total - own


class Verdict(Case):
    def grow(self, what):
        """The session, grown between its marks 1 and 2, and by how much as seen from outside."""
        session = self.start("swell.py", what)
        session.read()
        self.mark(session)
        before = resident(session.pid)
        session.ask()
        self.mark(session)
        return session, resident(session.pid) - before

    def judge(self, what):
        """The verdict on the growth, checked for what holds of every one."""
        session, grown = self.grow(what)
        report = self.diff(session.pid, 1, 2)
        verdict = report["verdict"]
        parts = verdict["parts"]
        allowed = max(4 * MIB, abs(grown) // 20)
        self.note(f"grew by {grown / MIB:.1f} MiB: {verdict['sentence']}; "
                  + ", ".join(f"{name} {(parts[name] or 0) / MIB:.1f}" for name in PARTS))
        self.assertLess(abs(verdict["growth"] - grown), allowed, verdict)
        self.assertNotIn(None, parts.values(), "a part is not known")
        self.assertEqual(sum(parts.values()), verdict["growth"])
        self.assertLess(abs(parts["rest"]), allowed, verdict)
        self.said_first(session.pid, verdict["sentence"])
        session.finish()
        return verdict

    def said_first(self, target, sentence):
        """The text begins with the process and the span, then says it before any list."""
        paragraphs = self.tidemark("diff", target, 1, 2).stdout.split("\n\n")
        self.assertEqual(paragraphs[1].splitlines()[0], sentence)

    def test_free_arena_space(self):
        verdict = self.judge("arenas")
        self.assertEqual(verdict["finding"], "arena_space")
        self.assertIn("objects are flat; the growth is free arena space", verdict["sentence"])
        self.assertGreater(verdict["parts"]["arenas_free"], 150 * MIB)

    def test_native_memory(self):
        verdict = self.judge("native")
        self.assertEqual(verdict["finding"], "native")
        self.assertIn("objects are flat; the growth is native memory", verdict["sentence"])
        self.assertAlmostEqual(verdict["parts"]["native"], 64000000, delta=MIB)

    def test_objects(self):
        verdict = self.judge("objects")
        self.assertEqual(verdict["finding"], "objects")
        line = self.sites("swell.py")["payload"]
        self.assertIn(f"swell.py:{line}", verdict["sentence"])
        self.assertEqual([verdict["top"][0][key] for key in ("type", "objects")],
                         ["builtins.bytes", 300000])

    def test_no_growth(self):
        verdict = self.judge("nothing")
        self.assertEqual((verdict["finding"], verdict["sentence"]),
                         ("none", "the process did not grow"))

    @families
    def test_leak_in_every_interval(self):
        session = self.start("swell.py", "leak")
        session.read()
        self.mark(session)
        for _ in range(4):
            session.ask()
            self.mark(session)
        verdict = self.diff(session.pid, 1, 5)["verdict"]
        self.assertEqual(verdict["finding"], "objects")
        self.assertRegex(verdict["sentence"],
                         r"\Athe process grew by [\d.]+ MiB: of \d groups that grow in every "
                         r"interval the largest explains (8\d|9\d|100)% of the growth\Z")
        line = self.sites("swell.py")["leak"]
        self.assertEqual([verdict["top"][0]["site"]["line"], verdict["top"][0]["objects"]],
                         [line, 4000])
        self.assertEqual(verdict["steady"]["intervals"], 4)
        session.finish()

    @families
    def test_cyclic_trash(self):
        """Its collector is off: what is left is the space that its cycles took until the mark."""
        session, _ = self.grow("cycles")
        verdict = self.diff(session.pid, 1, 2)["verdict"]
        self.assertEqual(verdict["finding"], "cycles", verdict)
        self.assertIn("the growth is free arena space, left by cyclic trash that waited for the "
                      "mark's collection", verdict["sentence"])
        self.assertGreater(verdict["trash"], 15 * MIB)
        session.finish()

    @families
    def test_up_to_now(self):
        """No mark has looked at now: the system says what is resident, the rest is not known."""
        session, grown = self.grow("objects")
        verdict = self.diff(session.pid, 1, "now")["verdict"]
        self.assertEqual(verdict["finding"], "objects")
        self.assertLess(abs(verdict["growth"] - grown), MIB // 2)
        self.assertEqual([verdict["parts"][name] for name in PARTS[1:4]], [None] * 3)
        self.assertEqual(verdict["to"]["arenas"], None)
        session.finish()

    @families
    def test_same_for_a_saved_copy(self):
        session, _ = self.grow("native")
        copy = os.path.join(self.scratch, "copy")
        self.tidemark("save", session.pid, copy)
        self.assertEqual(self.diff(copy, 1, 2)["verdict"],
                         self.diff(session.pid, 1, 2)["verdict"])
        session.finish()
