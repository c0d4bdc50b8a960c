"""gc.garbage and the collector: what the reports say against what the program itself knows."""
import json

from harness import Case, slow


class Garbage(Case):
    def begin(self, options=""):
        session = self.start("garbage.py", options=options)
        session.read()
        self.mark(session, collected="none" not in options)
        self.lines = self.sites("garbage.py")
        return session

    def next_mark(self, session):
        self.mark(session)
        return self.taken_marks(session.pid)[-1]

    def of_target(self, entries):
        path = self.target("garbage.py")
        return [entry for entry in entries if entry["site"] and entry["site"]["file"] == path]

    def garbage(self, session, *marks):
        """{id: entry} of what is new in gc.garbage."""
        report = self.json("garbage", session.pid, *marks, "--limit", "0")
        found = {entry["id"]: entry for entry in report["garbage"]}
        self.assertEqual(len(found), len(report["garbage"]))
        return found

    def cyclic(self, session, *marks):
        """{(type, line): objects} of what only the collector reclaimed of the target's."""
        report = self.json("garbage", session.pid, *marks, "--limit", "0")
        return {(group["type"].rsplit(".", 1)[-1], group["site"]["line"]): group["objects"]
                for group in self.of_target(report["cyclic"])}

    def left(self, session, *marks):
        """What survives of the target's own classes, and of list: {(type, line): objects}"""
        groups = self.groups(self.diff(session.pid, *marks), "garbage.py")
        wanted = {self.lines[name] for name in ("node", "final", "legacy", "itself")}
        return {(kind.rsplit(".", 1)[-1], line): group["objects"]
                for (kind, line), group in groups.items() if line in wanted}

    def trash(self, session, *marks):
        groups = self.groups({"groups": self.diff(session.pid, *marks)["trash"]}, "garbage.py")
        return {(kind.rsplit(".", 1)[-1], line): group["objects"]
                for (kind, line), group in groups.items() if kind.startswith(("__main__", "b"))}

    def own_dicts(self, counts, name):
        """Up to 3.10 an instance has a dict of its own, made at the line that fills it."""
        return {key: count for key, count in counts.items() if key[0] != "dict"
                and key[1] == self.lines[name]}

    def expect_dead(self, session, ids):
        for answer in self.json("reach", session.pid, "--from", "1", *ids)["ids"]:
            self.assertIn(answer["state"], ("gone", "reused"), answer)

    # ---- the scenarios of 2008 --------------------------------------------------------

    def test_object_with_del_leaves_nothing(self):
        session = self.begin()
        ids = session.ask("final")["ids"]
        self.mark(session)
        self.expect_dead(session, ids)
        self.assertEqual(self.left(session, 1, 2), {})
        self.assertEqual(self.cyclic(session, 1, 2), {})
        self.assertEqual(self.garbage(session, 1, 2), {})
        session.finish()

    def test_cycle_with_del_is_cyclic_trash(self):
        session = self.begin()
        ids = session.ask("final_cycle")["ids"]
        self.mark(session)
        self.expect_dead(session, ids)
        expected = {("Final", self.lines["final"]): 2}
        self.assertEqual(self.left(session, 1, 2), {})
        self.assertEqual(self.own_dicts(self.trash(session, 1, 2), "final"), expected)
        self.assertEqual(self.own_dicts(self.cyclic(session, 1, 2), "final"), expected)
        self.assertEqual(self.garbage(session, 1, 2), {})
        session.finish()

    def test_cycle_broken_by_hand_leaves_nothing(self):
        session = self.begin()
        ids = session.ask("broken_cycle")["ids"]
        self.mark(session)
        self.expect_dead(session, ids)
        self.assertEqual(self.left(session, 1, 2), {})
        self.assertEqual(self.trash(session, 1, 2), {})
        self.assertEqual(self.cyclic(session, 1, 2), {})
        session.finish()

    def test_list_that_contains_itself(self):
        session = self.begin()
        session.ask("self")
        self.mark(session)
        expected = {("list", self.lines["itself"]): 1}
        self.assertEqual(self.left(session, 1, 2), {})
        self.assertEqual(self.trash(session, 1, 2), expected)
        self.assertEqual(self.cyclic(session, 1, 2), expected)
        session.finish()

    def finals(self, session, *marks):
        """(document of ids, the ids of the target's Final objects in it)"""
        document = self.json("ids", session.pid, *marks)
        return document, {entry["id"] for entry in self.of_target(document["ids"])
                          if entry["type"].endswith(".Final")
                          and entry["site"]["line"] == self.lines["final"]}

    def test_new_objects_between_snapshots_and_back_to_them(self):
        session = self.begin()
        first = set(session.ask("hold 3")["ids"])
        self.mark(session)
        second = set(session.ask("hold 4")["ids"])
        self.mark(session)
        self.assertEqual(self.finals(session, 1, 2)[1], first)
        self.assertEqual(self.finals(session, 2, 3)[1], second)
        document, both = self.finals(session, 1, 3)
        self.assertEqual(both, first | second)
        session.ask("let_go 3")
        answers = self.json("reach", session.pid, "-", stdin=json.dumps(document))["ids"]
        states = {answer["id"]: answer for answer in answers}
        self.assertEqual({id for id in both if states[id]["state"] == "same"}, second)
        for id in second:
            self.assertTrue(states[id]["type"].endswith(".Final"), states[id])
        session.finish()

    # ---- cycles -----------------------------------------------------------------------

    def test_thousand_cycles(self):
        session = self.begin()
        session.ask("cycles 1000")
        mark = self.next_mark(session)
        expected = {("Node", self.lines["node"]): 1000}
        self.assertEqual(self.left(session, 1, 2), {})
        self.assertEqual(self.trash(session, 1, 2), expected)
        self.assertEqual(self.cyclic(session, 1, 2), expected)
        self.assertTrue(mark["collected"])
        session.finish()

    def test_thousand_cycles_without_collection(self):
        session = self.begin(options="collect=none")
        session.ask("cycles 1000")
        self.mark(session, collected=False)
        report = self.diff(session.pid, 1, 2)
        self.assertEqual(self.left(session, 1, 2), {("Node", self.lines["node"]): 1000})
        self.assertEqual(self.cyclic(session, 1, 2), {})
        self.assertIn("collect", " ".join(report["notes"]))
        session.finish()

    def test_collections_of_the_programs_own(self):
        """By interval, whichever generation it asked for."""
        session = self.begin()
        session.ask("cycles 300")
        collected = session.ask("collect 0")["collected"]
        self.assertEqual(collected, 300)
        self.mark(session)
        session.ask("cycles 50")
        session.ask("collect 2")
        self.mark(session)
        key = ("Node", self.lines["node"])
        self.assertEqual(self.cyclic(session, 1, 2), {key: 300})
        self.assertEqual(self.cyclic(session, 2, 3), {key: 50})
        self.assertEqual(self.trash(session, 1, 2), {})
        self.assertEqual(self.cyclic(session, 1, 3), {key: 350})
        session.finish()

    def test_collection_in_another_thread(self):
        session = self.begin()
        session.ask("cycles 200")
        self.assertGreaterEqual(session.ask("collect_in_thread")["collected"], 200)
        self.mark(session)
        self.assertEqual(self.cyclic(session, 1, 2)[("Node", self.lines["node"])], 200)
        self.assertEqual(self.trash(session, 1, 2), {})
        session.finish()

    def test_frozen_cycles_are_kept_until_thawed(self):
        session = self.begin()
        session.ask("cycles 100")
        session.ask("freeze")
        self.mark(session)
        key = ("Node", self.lines["node"])
        self.assertEqual(self.left(session, 1, 2), {key: 100})
        self.assertEqual(self.trash(session, 1, 2), {})
        session.ask("unfreeze")
        self.mark(session)
        self.assertEqual(self.left(session, 1, 3), {})
        self.assertEqual(self.cyclic(session, 2, 3), {key: 100})
        session.finish()

    # ---- gc.garbage -------------------------------------------------------------------

    def test_uncollectable_in_debug(self):
        session = self.begin()
        session.ask("uncollectable")
        ids = session.ask("legacy")["ids"]
        self.mark(session)
        session.ask("no_debug")
        self.expect_garbage(session, ids, (1, 2), "legacy")
        session.finish()

    def expect_garbage(self, session, ids, marks, name):
        found = self.garbage(session, *marks)
        self.assertEqual(set(found), set(ids))
        for entry in found.values():
            self.assertEqual(entry["site"]["line"], self.lines[name])
            self.assertEqual(entry["since_mark"], marks[1])

    def test_saveall(self):
        session = self.begin()
        session.ask("saveall")
        session.ask("cycles 10")
        mark = self.next_mark(session)
        told = session.ask("tell")
        self.assertEqual(told["types"], ["Node"] * 10)
        self.expect_garbage(session, told["ids"], (1, 2), "node")
        self.assertEqual(mark["garbage"], 10)
        self.assertEqual(self.left(session, 1, 2), {("Node", self.lines["node"]): 10})
        session.ask("no_debug")
        session.ask("clear")
        self.mark(session)
        self.assertEqual(self.garbage(session, 2, 3), {})
        self.expect_garbage(session, told["ids"], (1, 2), "node")
        session.finish()

    def test_types_with_a_destructor_of_old(self):
        """tp_del keeps the collector from what it finds: it puts it into gc.garbage."""
        session = self.begin()
        ids = session.ask("legacy")["ids"]
        self.mark(session)
        told = session.ask("tell")
        self.assertEqual(sorted(told["ids"]), sorted(ids))
        self.expect_garbage(session, ids, (1, 2), "legacy")
        for entry in self.garbage(session, 1, 2).values():
            self.assertEqual(entry["type"], "__main__.Legacy")
        session.finish()

    def test_program_fills_and_clears_it(self):
        session = self.begin()
        first = session.ask("append 3")["ids"]
        self.mark(session)
        second = session.ask("append 4")["ids"]
        self.mark(session)
        self.expect_garbage(session, first, (1, 2), "node")
        self.expect_garbage(session, second, (2, 3), "node")
        self.assertEqual(set(self.garbage(session, 1, 3)), set(first + second))
        dropped = session.ask("drop")["ids"]
        self.assertEqual(sorted(dropped), sorted(first + second))
        third = session.ask("append 2")["ids"]
        mark = self.next_mark(session)
        self.expect_garbage(session, third, (3, 4), "node")
        self.assertEqual(mark["garbage"], 2)
        session.finish()

    def test_program_replaces_it(self):
        session = self.begin()
        ids = session.ask("replace 5")["ids"]
        self.mark(session)
        self.expect_garbage(session, ids, (1, 2), "node")
        session.ask("replace_by_number")
        mark = self.next_mark(session)
        self.assertEqual(self.garbage(session, 2, 3), {})
        self.assertEqual(mark["garbage"], 0)
        session.finish()

    def test_full_collection_between_marks(self):
        """Its entries are there since the mark that comes next."""
        session = self.begin()
        session.ask("saveall")
        session.ask("cycles 6")
        session.ask("collect 2")
        ids = session.ask("tell")["ids"]
        self.mark(session)
        self.expect_garbage(session, ids, (1, 2), "node")
        session.finish()

    def test_at_the_end(self):
        session = self.begin()
        ids = session.ask("append 3")["ids"]
        session.finish()
        report = self.json("garbage", self.recording(session.pid), 1, "exit", "--limit", "0")
        self.assertEqual({entry["id"] for entry in report["garbage"]}, set(ids))

    @slow
    def test_million_entries(self):
        session = self.begin()
        session.ask("append 1000000", timeout=300)
        mark = self.next_mark(session)
        self.assertEqual(mark["garbage"], 1000000)
        again = self.next_mark(session)
        self.assertEqual(again["garbage"], 0, "nothing new")
        self.note(f"pause {mark['pause'] * 1000:.0f} ms, then {again['pause'] * 1000:.0f} ms")
        report = self.diff(session.pid, 1, 2)
        self.assertEqual(report["totals"]["garbage"], 1000000)
        self.assertEqual(self.diff(session.pid, 2, 3)["totals"]["garbage"], 0)
        session.finish()
