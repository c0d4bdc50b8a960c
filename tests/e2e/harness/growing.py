"""Growing: tests of containers that were made before a mark and grow after it."""
from .case import Case


class Growing(Case):
    """`program` is the target: each of its containers grows at a `# site:` line of its own."""
    program = None
    options = ""  # of its recording

    def begin(self):
        """A session in which mark 1 is set; `lines` are the target's, `before` is what it told."""
        session = self.start(self.program, options=self.options)
        session.read()
        self.lines = self.sites(self.program)
        self.before = session.ask("tell")
        self.mark(session)
        return session

    @property
    def bytearray_is_object(self):
        """From 3.15 on what a bytearray holds is an object, whose growth is no buffer's."""
        return self.python.info >= (3, 15)

    def growth_by_line(self, report):
        """{line of the target: groups of the report's growth}"""
        found = {}
        for group in report["growth"]:
            if group["site"] and group["site"]["file"] == self.target(self.program):
                found.setdefault(group["site"]["line"], []).append(group)
        return found

    def complete_reports(self, session):
        """What grew from mark 1 to mark 2, live, up to now, and in a saved copy."""
        saved = self.saved(session.pid)
        for target, to in ((session.pid, 2), (session.pid, "now"), (saved, 2)):
            report = self.diff(target, 1, to)
            self.assertTrue(report["complete"], report["notes"])
            yield report

    def reports_over_marks(self, session, word, key):
        """On `word` the target grows, thrice, with a mark after each.

        Every two marks as (report, sizes at the first, sizes at the last), by what it tells
        under `key`.
        """
        sizes = [self.before[key]]
        for _ in range(3):
            sizes.append(session.ask(word)[key])
            self.mark(session)
        for first in range(3):
            for last in range(first + 1, 4):
                yield self.diff(session.pid, first + 1, last + 1), sizes[first], sizes[last]
