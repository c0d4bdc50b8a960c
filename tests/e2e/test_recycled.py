"""Objects whose extension module keeps their memory for the next ones, by a free list of its own.

Where the interpreter tells of births and deaths (3.13.3 and newer) that is no matter.  Elsewhere
such blocks are looked at at marks: who lives is right then, and what can't be known is said.
"""
import os
import subprocess

from harness import Case

COUNT = 100
RECYCLING = {"recycle.Counted", "recycle.Tracked", "recycle.LinkedByType", "recycle.LinkedByCount",
             "recycle.Derived", "__main__.Child"}
KINDS = RECYCLING | {"recycle.Plain"}


class Recycled(Case):
    def play(self):
        """The ids that the program told before each mark."""
        subprocess.run(["cc", "-O1", "-shared", "-fPIC", "-o",
                        os.path.join(self.scratch, "recycle.so"), self.target("recycle.c")],
                       check=True)
        session = self.start("recycling.py", env={"PYTHONPATH": self.scratch})
        session.read()
        told = {}
        for number in range(1, 7):
            self.mark(session)
            if number < 6:
                told[number + 1] = session.ask().get("ids", {})
        session.ask()
        return session, told

    def rows(self, session, first, last):
        return [row for row in self.json("ids", session.pid, first, last)["ids"]
                if row["type"] in KINDS and row["kind"] == "object"]

    def check(self, session, span, truth, site=None):
        """The ids of a span are these, of these types; and their line, where it can be known."""
        rows = self.rows(session, *span)
        found = {}
        for row in rows:
            found.setdefault(row["type"], []).append(int(row["id"], 16))
        self.assertEqual({name: sorted(ids) for name, ids in found.items()},
                         {name: sorted(ids) for name, ids in truth.items()}, span)
        line = self.sites("recycling.py")[site] if site else None
        lines = {row["type"]: set() for row in rows}
        for row in rows:
            lines[row["type"]].add(row["site"] and row["site"]["line"])
        for name, seen in lines.items():
            if site and (self.python.family == "tracer" or site == "first" or name not in RECYCLING):
                self.assertEqual(seen, {line}, name)
            elif site:
                self.assertLessEqual(seen, {line, None}, name)
        return rows

    def test_who_lives_at_a_mark_is_right_though_their_memory_does_not_tell(self):
        session, told = self.play()
        self.assertEqual(set(told[2]), KINDS)
        self.check(session, (1, 2), told[2], "first")
        self.check(session, (2, 3), {})
        self.check(session, (1, 3), {})
        self.check(session, (3, 4), told[4], "second")
        self.check(session, (1, 4), told[4], "second")
        again = {place for ids in told[2].values() for place in ids} & \
            {place for name in RECYCLING for place in told[4][name]}
        self.assertGreater(len(again), 3 * COUNT, "addresses are used again")
        left = {name: told[4][name] for name in KINDS - {"recycle.Counted", "recycle.Derived"}}
        self.check(session, (3, 5), dict(left, **told[5]))
        self.check(session, (5, 6), {})
        session.finish()

    def test_objects_of_another_type_in_the_same_memory_are_others(self):
        session, told = self.play()
        rows = self.check(session, (4, 5), self.new_places(told))
        self.assertLessEqual({row["born"] for row in rows}, {4})
        # those that were Derived before and still are can't be told from what they replaced
        self.assertGreaterEqual(len(rows), COUNT)
        session.finish()

    def new_places(self, told):
        """What is new at mark 5 for whoever sees types only: all, where the interpreter tells."""
        places = set(told[5]["recycle.Derived"])
        if self.python.family == "allocator":
            places -= set(told[4]["recycle.Derived"])
        return {"recycle.Derived": sorted(places)}

    def test_what_the_collection_of_a_mark_takes_is_trash(self):
        session, _ = self.play()
        trash = {group["type"]: group["objects"] for group in self.diff(session.pid, 5, 6)["trash"]
                 if group["type"] in KINDS}
        self.assertEqual(trash, {"recycle.Tracked": COUNT})
        session.finish()

    def test_the_types_that_do_so_are_named(self):
        session, told = self.play()
        report = self.diff(session.pid, 1, 6)
        self.assertTrue(report["complete"], report["notes"])
        self.assertEqual(report["health"]["disagreements"], 0)
        named = {entry["type"]: entry["times"] for entry in report["health"]["recycled"]}
        note = [text for text in report["notes"] if "recycle the memory of" in text]
        listing = self.tidemark("ps", "--verbose").stdout
        # other tests' processes are listed, too: what is said of this one ends with an empty line
        listing = listing.partition(f"\npid {session.pid}\n")[2].partition("\n\n")[0]
        self.assertNotEqual(listing, "")
        if self.python.family == "tracer":
            self.assertEqual((named, note), ({}, []))
            self.assertNotIn("recycle the memory of", listing)
            session.finish()
            return
        ours = {name: times for name, times in named.items() if name in KINDS}
        self.assertEqual(set(ours), RECYCLING)
        for name, times in ours.items():
            self.assertGreaterEqual(times, COUNT, name)
        self.assertEqual(len(note), 1)
        self.assertIn(max(ours, key=ours.get), note[0])
        self.assertIn("recycle the memory of", listing)
        session.finish()

    def test_reach_tells_the_new_ones_from_the_old(self):
        session, told = self.play()
        # an id of mark 2, and one of the object that is there at mark 4
        old = {place for name in RECYCLING for place in told[2][name]}
        again = sorted(old & {place for name in RECYCLING for place in told[4][name]})[:50]
        states = self.json("reach", session.pid, "--from", "2", "--at", "4", *map(hex, again))["ids"]
        self.assertEqual({entry["state"] for entry in states}, {"reused"})
        session.finish()
