"""`ids` against the truth that a random history keeps of itself, for every pair of its marks.

Of every object that the history held: is it there exactly where it was alive, with its type, its
birth and its line?  And is nothing else reported on those lines but what a walk over everything
that the interpreter knows found alive at that mark?
"""
import collections
import itertools
import json
import os

from harness import Case, families, slow

SEEDS = 20
MARKS = 5
# The ways to run a history; seeds take turns.
WAYS = [("full", "call", {}), ("none", "signal", {}), ("full", "signal", {"PYTHONMALLOC": "malloc"}),
        ("none", "call", {"PYTHONMALLOC": "debug"}), ("full", "call", {"PYTHONDEVMODE": "1"}),
        ("full", "traced", {})]


class Truth:
    """What the history says of itself."""

    def __init__(self, facts, blind):
        self.file, self.lines = facts["file"], facts["lines"]
        self.live = [{int(id_): name for id_, name in json.loads(marked).items()}
                     for marked in facts["live"]]
        self.hidden = {(facts["lines"][kind], name)
                       for kind, names in facts["hidden"].items() for name in names}
        self.records = [Record(*fields) for fields in facts["records"] if fields[2] not in blind]

    def survivors(self, first, last):
        return {record.id: record for record in self.records
                if first <= record.born < last and record.lives_at(last)}

    def dead(self, last):
        """Identities of what died before a mark: an id alone may have been used again."""
        return {(record.id, record.type, record.born) for record in self.records
                if not record.lives_at(last)}


class Record(collections.namedtuple("Record", "kind id type born died")):
    """An object that was held: intervals are called by the mark that opens them."""

    def lives_at(self, mark):
        return self.born < mark and (self.died is None or self.died >= mark)


class Comparison:
    """One answer of `ids` against the truth; `wrong` has a line for each disagreement."""

    def __init__(self, truth, rows, first, last):
        self.truth, self.first, self.last = truth, first, last
        self.expected = truth.survivors(first, last)
        self.live = truth.live[last]
        self.rows = {int(row["id"], 16): row for row in rows if row["kind"] == "object"}
        self.wrong = []
        self.check_expected()
        self.check_extra()

    def say(self, what, text):
        self.wrong.append(f"{what} between {self.first} and {self.last}: {text}")

    def check_expected(self):
        for id_, record in self.expected.items():
            row = self.rows.get(id_)
            if row is None:
                self.say("missed", record)
            elif row["type"] != record.type:
                self.say("wrong type", f"{row['type']} for {record}")
            elif row["born"] != record.born:
                self.say("wrong birth", f"{row['born']} for {record}")
            elif (row["site"] or {}).get("line") != self.truth.lines[record.kind] or \
                    row["site"]["file"] != self.truth.file:
                self.say("wrong site", f"{row['site']} for {record}")

    def check_extra(self):
        dead = self.truth.dead(self.last)
        kinds = {line: kind for kind, line in self.truth.lines.items()}
        for id_, row in self.rows.items():
            if id_ in self.expected or self.live.get(id_) == row["type"]:
                continue
            line = row["site"] and row["site"]["file"] == self.truth.file and row["site"]["line"]
            if (line, row["type"]) in self.truth.hidden:
                continue
            if line in kinds or (id_, row["type"], row["born"]) in dead:
                self.say("extra", f"{row} on the line of {kinds.get(line)}")


class History(Case):
    def blind(self):
        """Types that the report names as not seen on this interpreter."""
        return {"builtins.frame"} if self.python.info < (3, 11) else set()

    def live_through(self, seed):
        mode, way, env = WAYS[seed % len(WAYS)]
        path = os.path.join(self.scratch, f"facts-{seed}")
        session = self.start("history.py", seed, mode, way, path, options=f"collect={mode}",
                             env=env)
        session.read()
        with open(path) as file:
            return session, Truth(json.load(file), self.blind())

    def compare(self, target, truth, pairs):
        """Objects compared, and what disagrees."""
        compared, wrong = 0, []
        for first, last in pairs:
            report = Comparison(truth, self.json("ids", target, first, last)["ids"], first, last)
            compared += len(report.expected)
            wrong += report.wrong
        return compared, wrong

    def run_seeds(self, seeds):
        compared, wrong, made = 0, [], 0
        for seed in seeds:
            session, truth = self.live_through(seed)
            made += len(truth.records)
            for target, pairs in ((session.pid, itertools.combinations(range(MARKS + 1), 2)),
                                  (None, [(1, 5), (2, 4)])):
                if target is None:
                    session.finish()
                    target = self.recording(session.pid)
                count, found = self.compare(target, truth, pairs)
                compared += count
                wrong += [f"seed {seed}: {text}" for text in found]
        self.note(f"{len(seeds)} seeds, {made} objects held, {compared} compared, "
                  f"{len(wrong)} wrong")
        self.assertGreater(compared, 1000 * len(seeds))
        self.assertFalse(wrong, f"{len(wrong)} disagreements: {summary(wrong)}")

    @slow
    def test_twenty_seeds(self):
        self.run_seeds(range(SEEDS))

    @families
    def test_each_way(self):
        self.run_seeds(range(100, 100 + len(WAYS)))


def summary(wrong):
    """How many of each sort, and the first of them."""
    sorts = collections.Counter((line.split(":")[1].split(" between")[0]) for line in wrong)
    return "\n".join([str(dict(sorts)), *wrong[:40]])
