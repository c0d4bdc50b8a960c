"""`ids` against what the program's own collector knows at a mark, both ways."""
import collections
import json
import os

from harness import Case


class Tracked(Case):
    def setUp(self):
        super().setUp()
        path = os.path.join(self.scratch, "facts")
        self.session = self.start("tracked.py", path)
        self.session.read()
        with open(path) as file:
            self.known = {int(id_): facts for id_, facts in json.load(file).items()}
        rows = self.json("ids", self.session.pid, 1, 2)["ids"]
        self.rows = {int(row["id"], 16): row for row in rows if row["kind"] == "object"}

    def blind(self):
        """Types that the report names as not seen on this interpreter."""
        return {"builtins.frame"} if self.python.info < (3, 11) else set()

    def test_all_that_is_tracked_is_listed(self):
        tracked = {id_: facts[0] for id_, facts in self.known.items()
                   if facts[1] and facts[0] not in self.blind()}
        missed = collections.Counter(name for id_, name in tracked.items()
                                     if self.rows.get(id_, {}).get("type") != name)
        self.note(f"{len(tracked)} tracked objects, {sum(missed.values())} missed")
        self.assertGreater(len(tracked), 20000)
        self.assertFalse(missed)

    def test_all_containers_listed_are_tracked(self):
        """But for those that refer to nothing the collector could follow: tuples and dicts."""
        containers = {facts[0] for facts in self.known.values() if facts[2]}
        own = self.target("tracked.py")
        rows = {id_: row["type"] for id_, row in self.rows.items()
                if row["type"] in containers and not (row["site"] and row["site"]["file"] == own)}
        wrong = collections.Counter()
        asked = collections.defaultdict(list)
        for id_, name in rows.items():
            if id_ not in self.known:
                asked[name].append(id_)
            elif self.known[id_][0] != name:
                wrong[name] += 1
        untracked = {name: self.session.ask(" ".join([name, *map(str, ids)]))["untracked"]
                     for name, ids in asked.items() if name in ("builtins.tuple", "builtins.dict")}
        for name, ids in asked.items():
            wrong[name] += len(ids) - untracked.get(name, 0)
        self.note(f"{len(rows)} containers, {sum(untracked.values())} of them untracked and "
                  f"reached by none, {sum(wrong.values())} wrong")
        self.assertGreater(len(rows), 20000)
        self.assertFalse(+wrong)
