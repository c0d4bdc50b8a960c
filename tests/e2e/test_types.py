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
