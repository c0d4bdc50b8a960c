"""Lines and call stacks, against what each object's own frames said when it was made."""
from harness import Case


class Sites(Case):
    def play(self):
        session = self.start("sites.py")
        session.read()
        self.mark(session)
        self.things = session.ask("go")["things"]
        self.mark(session)
        return session

    def test_the_line_of_every_object(self):
        session = self.play()
        found = {entry["id"]: entry for entry in self.json("ids", session.pid, "start", 2)["ids"]}
        wrong = []
        for place, stack in self.things.items():
            site = found[place]["site"] or {}
            seen = [site.get(key) for key in ("file", "line", "function")]
            if seen != stack[0]:
                wrong.append((stack[0], seen))
        self.assertGreater(len(self.things), 400)
        self.assertEqual(wrong, [])
        session.finish()

    def test_the_stack_of_every_object(self):
        session = self.play()
        report = self.json("diff", session.pid, "start", 2, "--by", "stack", "--limit", "0", "--min", "0")
        checked, wrong = 0, []
        for group in report["groups"]:
            seen = [[frame[key] for key in ("file", "line", "function")] for frame in group["stack"]]
            for place in group["ids"]:
                if place in self.things:
                    checked += 1
                    if seen != self.things[place]:
                        wrong.append((self.things[place], seen))
        self.assertEqual(wrong, [])
        # a group names ten of its objects
        self.assertGreater(checked, 350)
        session.finish()
