"""Lines and call stacks, against what each object's own frames said when it was made."""
from harness import Case


class Sites(Case):
    def play(self, target, needs=None):
        session = self.start(target)
        begun = session.read()
        if needs and not begun[needs]:
            self.skipTest(f"{self.python.name} has no {needs}")
        self.mark(session)
        facts = session.ask("go")
        self.mark(session)
        self.found = {entry["id"]: entry
                      for entry in self.json("ids", session.pid, "start", 2)["ids"]}
        return session, facts

    def check_lines(self, expected):
        """{id: (file, line, function)} is what the report says of these."""
        wrong = []
        for place, line in expected.items():
            site = self.found[place]["site"] or {}
            seen = [site.get(key) for key in ("file", "line", "function")]
            if seen != line:
                wrong.append((line, seen))
        self.assertEqual(wrong, [])

    def check_stacks(self, session, things, least):
        report = self.json("diff", session.pid, "start", 2, "--by", "stack", "--limit", "0",
                           "--min", "0")
        checked, wrong = 0, []
        for group in report["groups"]:
            seen = [[frame[key] for key in ("file", "line", "function")] for frame in group["stack"]]
            for place in group["ids"]:
                if place in things:
                    checked += 1
                    if seen != things[place]:
                        wrong.append((things[place], seen))
        self.assertEqual(wrong, [])
        # a group names ten of its objects
        self.assertGreater(checked, least)
        self.assertEqual(report["health"]["disagreements"], 0)

    def test_the_line_of_every_object(self):
        session, facts = self.play("sites.py")
        self.assertGreater(len(facts["things"]), 400)
        self.check_lines({place: stack[0] for place, stack in facts["things"].items()})
        session.finish()

    def test_the_stack_of_every_object(self):
        session, facts = self.play("sites.py")
        self.check_stacks(session, facts["things"], 350)
        session.finish()

    def test_lines_and_stacks_in_frozen_modules(self):
        session, facts = self.play("frozen.py")
        modules = {line[0] for line in facts["made"].values() if line[0].startswith("<frozen ")}
        self.assertIn("<frozen importlib._bootstrap>", modules)
        if self.python.info >= (3, 11):
            self.assertIn("<frozen os>", modules)
        self.check_lines(facts["made"])
        self.assertGreater(len(facts["things"]), 5)
        self.check_lines({place: stack[0] for place, stack in facts["things"].items()})
        self.check_stacks(session, facts["things"], len(facts["things"]) - 1)
        called = {frame[0] for stack in facts["things"].values() for frame in stack}
        self.assertTrue(modules & called, called)
        session.finish()

    def test_lines_and_stacks_in_greenlets(self):
        session, facts = self.play("greenlets.py", needs="greenlet")
        self.assertGreater(len(facts["things"]), 4 * 50 * 8)
        self.check_lines({place: stack[0] for place, stack in facts["things"].items()})
        self.check_stacks(session, facts["things"], 100)
        session.finish()
