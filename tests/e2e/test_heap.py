"""Figures of the C library's heap at marks without a collection, against what it says itself."""
from harness import Case, families, serial

KIB = 1 << 10


class Heap(Case):
    def begin(self, **more):
        session = self.start("holes.py", **more)
        session.read()
        if session.ask("heap")["heap"] is None:
            self.skipTest("the C library has no mallinfo2()")
        return session

    def quick(self, session):
        """A mark without a collection."""
        count = len(self.taken_marks(session.pid))
        self.tidemark("mark", session.pid, "--no-collect", quiet=False)
        mark = self.taken_marks(session.pid)[count]
        self.assertFalse(mark["collected"])
        return mark

    def expect_known(self, mark, heap):
        figures = mark["figures"]
        self.assertNotIn(None, figures.values())
        self.assertAlmostEqual(figures["malloc_used"], heap["used"], delta=64 * KIB)
        self.assertAlmostEqual(figures["malloc_free"], heap["free"], delta=64 * KIB)

    def expect_unknown(self, mark):
        self.assertEqual([mark["figures"][key] for key in ("malloc_used", "malloc_free")],
                         [None, None])
        self.assertNotIn(None, [mark["figures"][key] for key in ("rss", "own", "arenas")])

    def heap_notes(self, session, *span):
        return [note for note in self.diff(session.pid, *span)["notes"] if "malloc()" in note]

    def test_known_at_every_mark_of_a_program_with_few_holes(self):
        session = self.begin(options="collect=none")
        self.expect_known(self.quick(session), session.ask("heap")["heap"])
        for words in ("objects 300000", "take 10000", "free", "take 10000", "holes", "free"):
            heap = session.ask(words)["heap"]
            self.expect_known(self.quick(session), heap)
        parts = self.diff(session.pid, 1, 3)["verdict"]["parts"]
        self.assertNotIn(None, parts.values())
        self.assertGreater(parts["native"], 10000 * 200)
        self.assertEqual(self.heap_notes(session, 1, 3), [])
        session.finish()

    @serial
    def test_many_holes_are_not_counted_without_a_collection(self):
        """Growth may hide them; that they are there is known from the mark that counts them."""
        session = self.begin()
        self.expect_known(self.quick(session), session.ask("heap")["heap"])
        session.ask("take 400000")
        heap = session.ask("holes")["heap"]
        self.assertGreater(heap["pieces"], 190000)
        marks = [self.quick(session) for _ in range(5)]
        self.expect_known(self.mark(session), heap)
        marks += [self.quick(session) for _ in range(5)]
        for mark in marks:
            self.expect_unknown(mark)
        pause = min(mark["pause"] for mark in marks)
        self.note(f"a mark took {pause * 1000:.2f} ms")
        self.assertLess(pause, 0.001)
        report = self.diff(session.pid, 1, 2)
        self.assertIsNone(report["verdict"]["parts"]["native"])
        self.assertEqual(len(self.heap_notes(session, 1, 2)), 1)
        self.assertRegex(self.heap_notes(session, 1, 2)[0],
                         r"\Amark 2 does not know what malloc\(\) has handed out and keeps free: "
                         r"counting it could have taken [\d.]+ ms, too long without a collection\Z")
        self.assertEqual(self.heap_notes(session, 1, 7), [])
        session.ask("free")
        heap = session.ask("heap")["heap"]
        self.expect_known(self.mark(session), heap)
        self.expect_known(self.quick(session), heap)
        session.finish()

    @families
    def test_without_pymalloc(self):
        """All of Python is in the C library's heap."""
        session = self.begin(env={"PYTHONMALLOC": "malloc"}, options="collect=none")
        first = self.quick(session)
        self.expect_known(first, session.ask("heap")["heap"])
        self.assertEqual(first["figures"]["arenas"], 0)
        session.finish()
