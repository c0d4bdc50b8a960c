"""What is kept between two marks is reported exactly: count, type, line, bytes, identity."""
from harness import Case

COUNT = 1000
KEPT = {
    # name in the target's facts: (type, its line)
    "things": ("__main__.Thing", "thing"),
    "slotted": ("__main__.Slotted", "slotted"),
    "empty": ("builtins.dict", "empty_dict"),
    "full": ("builtins.dict", "full_dict"),
    "strings": ("builtins.str", "string"),
}
DROPPED = ("churn_thing", "churn_dict", "churn_str", "churn_list")


class Exact(Case):
    def fill(self, **more):
        session = self.start("exact.py", **more)
        session.read()
        self.mark(session)
        facts = session.ask()
        session.read()
        self.mark(session)
        session.ask()
        return session, facts

    def check(self, target, facts):
        report = self.diff(target, 1, 2)
        self.assertTrue(report["complete"], report["notes"])
        lines = self.sites("exact.py")
        groups = self.groups(report, "exact.py")
        for name, (type_name, site) in KEPT.items():
            group = groups.pop((type_name, lines[site]), None)
            self.assertIsNotNone(group, f"{name}: no group of {type_name} at line {lines[site]}")
            self.assertEqual(group["objects"], COUNT, name)
            self.assertEqual(group["generations"], 1)
            self.assertEqual(group["by_interval"], [COUNT])
            self.assertEqual(group["site"]["function"].split(".")[-1], "fill")
            self.assertLessEqual(len(group["ids"]), 10)
            self.assertLessEqual(set(int(i, 16) for i in group["ids"]), set(facts[name]["ids"]))
        dropped = {lines[site] for site in DROPPED}
        for (type_name, line), group in groups.items():
            self.assertNotIn(line, dropped, f"{group['objects']} short-lived {type_name} reported")
            self.assertLess(group["objects"], 10, f"{type_name} at line {line}")
        return report, lines

    def test_counts_types_and_lines(self):
        session, facts = self.fill()
        report, _ = self.check(session.pid, facts)
        self.assertGreaterEqual(report["totals"]["created"], 105000)
        self.assertGreaterEqual(report["totals"]["destroyed"], 100000)
        session.finish()

    def test_same_after_the_end(self):
        session, facts = self.fill()
        session.finish()
        self.check(self.recording(session.pid), facts)

    def test_one_frame(self):
        session, facts = self.fill(options="frames=1")
        report, _ = self.check(session.pid, facts)
        for group in report["groups"]:
            self.assertLessEqual(len(group["stack"]), 1)
        session.finish()

    def test_bytes(self):
        session, facts = self.fill()
        report, lines = self.check(session.pid, facts)
        objects = self.groups(report, "exact.py")
        buffers = {}
        for (_, line), group in self.groups(report, "exact.py", kind="buffer").items():
            buffers[line] = buffers.get(line, 0) + group["bytes"]
        for name in ("slotted", "empty", "strings"):
            type_name, site = KEPT[name]
            self.agree(name, objects[type_name, lines[site]]["bytes"], facts[name]["bytes"])
        # the keys of a dict are a block of their own, which getsizeof() counts
        both = objects["builtins.dict", lines["full_dict"]]["bytes"] + buffers[lines["full_dict"]]
        self.agree("full", both, facts["full"]["bytes"])
        # instances: their attributes' place is counted or not, by version
        self.assertGreaterEqual(objects["__main__.Thing", lines["thing"]]["bytes"], 32 * COUNT)
        session.finish()

    def agree(self, name, found, expected):
        self.assertLess(abs(found - expected), 0.05 * expected,
                        f"{name}: {found} bytes reported, getsizeof says {expected}")

    def test_ids(self):
        session, facts = self.fill()
        lines = self.sites("exact.py")
        rows = self.json("ids", session.pid, 1, 2)["ids"]
        for name, (type_name, site) in KEPT.items():
            mine = [row for row in rows if row["kind"] == "object" and row["type"] == type_name
                    and row["site"] and row["site"]["file"] == self.target("exact.py")
                    and row["site"]["line"] == lines[site]]
            self.assertEqual(sorted(int(row["id"], 16) for row in mine),
                             sorted(facts[name]["ids"]), name)
            self.assertEqual({row["born"] for row in mine}, {1}, name)
        session.finish()
