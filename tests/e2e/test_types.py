"""Types: classes made and destroyed by the thousand keep their names apart, dead or alive."""
import os

from harness import Case

MEBIBYTE = 1 << 20


class Types(Case):
    def names(self, target, first, last):
        """{id: type} of the instances reported."""
        line = self.sites("classes.py")["kept"]
        return {row["id"]: row["type"] for row in self.json("ids", target, first, last)["ids"]
                if row["site"] and row["site"]["line"] == line and ".Made" in row["type"]
                and row["site"]["file"] == self.target("classes.py")}

    def test_a_hundred_thousand_classes(self):
        session = self.start("classes.py")
        facts = session.read()
        session.read()
        names = {hex(int(id_)): f"__main__.{name}" for id_, name in facts["names"].items()}
        self.assertEqual(len(names), 1000)
        self.assertGreater(facts["again"], 10000, "addresses are used again")
        # between the first two marks all live, though half of them are dead by now
        self.assertEqual(self.names(session.pid, 1, 2), names)
        left = self.names(session.pid, 1, 3)
        self.assertEqual(len(left), 500)
        self.assertLessEqual(left.items(), names.items())
        used = os.stat(self.recording(session.pid)).st_blocks * 512
        self.note(f"{facts['again']} classes at an address used before, "
                  f"{used / MEBIBYTE:.1f} MiB of recording")
        self.assertLess(used, 96 * MEBIBYTE)
        self.assertTrue(self.diff(session.pid, 1, 2)["complete"])
        session.finish()

    def test_a_class_at_the_address_of_the_one_before(self):
        session = self.start("same_address.py")
        facts = session.read()
        self.assertGreater(facts["again"], 10, "addresses are used again")
        rows = {row["id"]: row["type"] for row in self.json("ids", session.pid, 1, 2)["ids"]}
        self.assertEqual(rows[hex(facts["id"])], "__main__." + facts["name"])
        session.finish()

    def test_types_beyond_the_table_are_one_group_and_counted(self):
        """A recording of less than 64 MiB has a table of 65,536 types."""
        session = self.start("many_types.py", options="max=60M")
        names = session.read()["names"]
        self.mark(session)
        last = session.ask()["ids"]
        self.mark(session)
        report = self.diff(session.pid, "start", 2)
        line = self.sites("many_types.py")
        groups = self.groups(report, "many_types.py")
        other = groups["(other types)", line["made"]]
        self.assertEqual(other["objects"], len(last))
        self.assertEqual(groups["__main__.Known", line["known"]]["objects"], len(last))
        rows = {row["id"]: row["type"] for row in self.json("ids", session.pid, "start", 2)["ids"]}
        self.assertEqual({rows[hex(place)] for place in last}, {"(other types)"})
        self.assertEqual({place: rows[hex(int(place))] for place in names},
                         {place: f"__main__.{name}" for place, name in names.items()})
        lost = report["health"]["losses"]["types"]
        self.assertGreaterEqual(lost, len(last))
        self.assertTrue(report["complete"])
        self.assertIn(f"{lost:,} classes have no names here, their objects are of (other types): "
                      "the table of types was full", report["notes"])
        text = self.tidemark("diff", session.pid, "start", "2", "--limit", "0", "--min", "0").stdout
        self.assertIn("(other types)", text)
        self.assertIn("classes have no names here", text)
        self.assertIn(f"types {lost}", self.tidemark("ps", "--verbose").stdout)
        session.ask()
        session.finish()
