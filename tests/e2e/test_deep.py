"""Containers nested 100,000 deep, whose deallocation CPython puts off and takes up again."""
from harness import Case

TYPES = {"list": "builtins.list", "tuple": "builtins.tuple", "dict": "builtins.dict",
         "node": "__main__.Node", "link": "__main__.Link"}


class Deep(Case):
    def counts(self, target, first, last):
        """{kind: objects reported of it}"""
        report = self.diff(target, first, last)
        self.assertTrue(report["complete"], report["notes"])
        groups, lines = self.groups(report, "deep.py"), self.sites("deep.py")
        found = {kind: groups.get((name, lines[kind])) for kind, name in TYPES.items()}
        return {kind: group["objects"] for kind, group in found.items() if group}

    def test_each_is_there_until_all_are_dropped(self):
        session = self.start("deep.py")
        session.read()
        self.mark(session)
        steps = []
        for _ in range(4):
            steps.append(session.ask())
            self.mark(session)
        all_of_them = dict.fromkeys(TYPES, steps[0]["depth"])
        for target in (session.pid, None):
            if target is None:
                session.finish()
                target = self.recording(session.pid)
            self.assertEqual(self.counts(target, 1, 2), all_of_them)
            self.assertEqual(self.counts(target, 1, 3), {})
            self.assertEqual(self.counts(target, 1, 4), all_of_them)
            self.assertEqual(self.counts(target, 2, 4), all_of_them)
            self.assertEqual(self.counts(target, 1, 5), {})
