"""The analyzer's commands on live, finished and saved recordings."""
import os
import re
import shutil

from harness import Case, digest, families


class Shop(Case):
    """Tests that look at one and the same story."""

    def setUp(self):
        super().setUp()
        self.session = self.start("shop.py")
        self.session.read()
        for _ in range(3):
            self.mark(self.session)
            self.session.ask()
        self.mark(self.session)
        self.pid = self.session.pid
        self.lines = self.sites("shop.py")

    def ends(self):
        """Lets it end; path of the recording."""
        self.session.ask()
        self.session.finish()
        return self.recording(self.pid)

    def mine(self, report):
        """[(type, objects, generations)] of the target's own classes, in the report's order."""
        return [(group["type"], group["objects"], group["generations"])
                for group in report["groups"]
                if group["type"].startswith("__main__.") and group["kind"] == "object"]


class Diff(Shop):
    def test_ranked_by_generations(self):
        report = self.diff(self.pid, 1, 4)
        self.assertEqual(self.mine(report), [("__main__.Session", 300, 3),
                                             ("__main__.Row", 250, 1),
                                             ("__main__.Cached", 400, 1)]
                         if self.row_is_bigger(report) else [("__main__.Session", 300, 3),
                                                             ("__main__.Cached", 400, 1),
                                                             ("__main__.Row", 250, 1)])
        ranks = [(group["generations"], group["bytes"]) for group in report["groups"]]
        self.assertEqual(ranks, sorted(ranks, reverse=True))

    @staticmethod
    def row_is_bigger(report):
        size = {group["type"]: group["bytes"] for group in report["groups"]}
        return size["__main__.Row"] > size["__main__.Cached"]

    def test_head_of_the_report(self):
        report = self.diff(self.pid, 2, 4)
        self.assertEqual(report["pid"], self.pid)
        self.assertEqual(report["python"], self.python.version)
        self.assertTrue(report["command"][-1].endswith("shop.py"))
        self.assertEqual((report["from"]["mark"], report["to"]["mark"]), (2, 4))
        self.assertLess(report["from"]["time"], report["to"]["time"])
        totals = report["totals"]
        self.assertEqual(totals["survived_objects"],
                         sum(g["objects"] for g in report["groups"] if g["kind"] == "object"))

    def test_stack_and_site(self):
        report = self.diff(self.pid, 1, 4)
        group = self.groups(report, "shop.py")["__main__.Session", self.lines["session"]]
        self.assertEqual(group["stack"][0], group["site"])
        self.assertEqual(group["stack"][0]["function"], "register")
        self.assertEqual(group["stack"][1]["function"], "<module>")

    def test_batch_dropped_later(self):
        self.session.ask()
        self.mark(self.session)
        self.assertNotIn("__main__.Row", dict((t, n) for t, n, _ in self.mine(self.diff(self.pid, 1, 5))))
        report = self.diff(self.pid, 4, 5)
        self.assertGreaterEqual(report["totals"]["freed_objects"], 250)

    def test_past_diff_equals_itself_later(self):
        """The same diff, live, saved and copied elsewhere, and when it has gone on and ended."""
        live = self.diff(self.pid, 1, 4)
        saved = self.saved(self.pid)
        copy = os.path.join(self.scratch, "copy of it")
        shutil.copyfile(saved, copy)
        self.assertEqual(self.facts(self.diff(saved, 1, 4)), self.facts(live))
        self.assertEqual(self.facts(self.diff(copy, 1, 4)), self.facts(live))
        finished = self.diff(self.ends(), 1, 4)
        # buffers may have been resized since, which keeps their identity
        self.assertEqual(self.facts(finished, "__main__."), self.facts(live, "__main__."))
        self.assertEqual(self.facts(self.diff(saved, 1, 4)), self.facts(live))

    @staticmethod
    def facts(report, prefix=""):
        """What must not depend on when and where the report is made."""
        groups = sorted((group["type"], group["kind"], str(group["stack"]), group["objects"],
                         group["bytes"], group["generations"], group["by_interval"])
                        for group in report["groups"] if group["type"].startswith(prefix))
        return groups, report["from"], report["to"], report["command"], report["python"]

    def test_saved_file(self):
        saved = self.saved(self.pid)
        self.assertEqual(os.stat(saved).st_mode & 0o777, 0o600)
        self.assertEqual(self.marks(saved)[:5], self.marks(self.pid)[:5])
        before = self.json("ids", self.pid, 1, 4)["ids"]
        self.assertEqual(self.json("ids", saved, 1, 4)["ids"], before)
        self.ends()
        self.assertEqual(self.json("ids", saved, 1, 4)["ids"], before)

    def test_by(self):
        def by(what):
            report = self.json("diff", self.pid, 1, 4, "--by", what, "--limit", "0")
            return report["groups"]
        of_type = [group for group in by("type") if group["type"] == "__main__.Session"]
        self.assertEqual([group["objects"] for group in of_type], [300])
        at_line = [group for group in by("site") if group["site"] and group["kind"] == "object"
                   and group["site"]["file"] == self.target("shop.py")
                   and group["site"]["line"] == self.lines["row"]]
        self.assertEqual(len(at_line), 1)
        self.assertGreaterEqual(at_line[0]["objects"], 250)
        in_file = [group for group in by("file") if group["site"] and group["kind"] == "object"
                   and group["site"]["file"] == self.target("shop.py")]
        self.assertEqual(len(in_file), 1)
        self.assertGreaterEqual(in_file[0]["objects"], 950)
        modules = by("module")
        self.assertGreaterEqual(max(group["objects"] for group in modules), 950)

    def test_filters(self):
        report = self.json("diff", self.pid, 1, 4, "--type", "__main__.C*")
        self.assertEqual(self.mine(report), [("__main__.Cached", 400, 1)])
        self.assertEqual(len(report["groups"]), 1)
        report = self.json("diff", self.pid, 1, 4, "--file", "*/shop.py", "--limit", "0")
        self.assertEqual({group["site"]["file"] for group in report["groups"]},
                         {self.target("shop.py")})
        report = self.json("diff", self.pid, 1, 4, "--limit", "1")
        self.assertEqual(len(report["groups"]), 1)
        report = self.json("diff", self.pid, 1, 4, "--min", "1k", "--limit", "0")
        self.assertGreaterEqual(min(group["bytes"] for group in report["groups"]), 1024)

    def test_fail_if(self):
        self.tidemark("diff", self.pid, 1, 4, "--fail-if", "objects>100000")
        self.tidemark("diff", self.pid, 1, 4, "--fail-if", "bytes>100M")
        self.tidemark("diff", self.pid, 1, 4, "--fail-if", "objects>900", status=1)
        self.tidemark("diff", self.pid, 1, 4, "--fail-if", "bytes>1000", status=1)
        self.tidemark("diff", self.pid, 1, 4, "--fail-if", "garbage>0")
        several = ("objects>900", "garbage>0", "bytes>1000", "objects>900k", "objects>800")
        options = [word for check in several for word in ("--fail-if", check)]
        said = self.tidemark("diff", self.pid, 1, 4, *options, status=1).stderr.splitlines()
        failed = [re.search(r"the check (\S+) found", line).group(1) for line in said]
        self.assertEqual(failed, ["objects>900", "bytes>1,000", "objects>800"],
                         "each that found more, one line each")
        self.refused("diff", self.pid, "--fail-if", "objects")
        self.refused("diff", self.pid, "--fail-if", "nonsense>1")


class Text(Shop):
    def test_pipe(self):
        text = self.tidemark("diff", self.pid, 1, 4).stdout
        self.assertNotIn("\x1b", text)
        text = text[text.index("COUNT"):]  # below the verdict, which names the largest
        first = text.index("__main__.Session")
        self.assertIn(f"shop.py:{self.lines['session']}", text)
        self.assertLess(first, text.index("__main__.Cached"))
        self.assertRegex(text, r"\b300\b")
        self.assertIn("registry.append(Session(number))", text, "the source line")

    def test_marks_and_ids_and_ps(self):
        text = self.tidemark("marks", self.pid).stdout
        self.assertEqual(len(re.findall(r"^\s*\d+ ", text, re.M)), 5, text)
        self.assertIn("__main__.Session", self.tidemark("ids", self.pid, 1, 4).stdout)
        self.assertRegex(self.tidemark("ps").stdout, r"\b%d\b.*live" % self.pid)

    @families
    def test_terminal(self):
        for columns in (40, 80, 200):
            for color in (True, False):
                env = {"TERM": "xterm-256color", "COLUMNS": ""}
                if not color:
                    env["NO_COLOR"] = "1"
                text = self.in_terminal(columns, ["diff", str(self.pid), "1", "4"], env)
                self.assertEqual("\x1b[" in text, color)
                plain = re.sub(r"\x1b\[[0-9;]*[A-Za-z]", "", text)
                self.assertIn("ession", plain)  # a narrow one cuts names in their middle
                self.fits(plain, columns)

    @families
    def test_every_report_fits_the_terminal(self):
        name = "a rather long name of a mark"
        self.tidemark("mark", self.pid, name, quiet=False)
        self.session.ask()
        ids = [entry["id"] for entry in
               self.json("ids", self.pid, 1, 4, "--type", "__main__.Session")["ids"][:3]]
        pid = str(self.pid)
        reports = (["diff", pid, "start", "now"], ["diff", pid, "5"], ["garbage", pid, "start"],
                   ["ids", pid, "1", "4"], ["marks", pid], ["ps"], ["ps", "-v"],
                   ["reach", pid, *ids], ["reach", pid, "--describe", *ids])
        for columns in (40, 80, 200):
            for args in reports:
                with self.subTest(columns=columns, args=args):
                    self.fits(self.in_terminal(columns, args, {"NO_COLOR": "1"}), columns)

    @families
    def test_marks_in_a_terminal(self):
        """Names stay names: columns that say less make room for them, and are named."""
        self.tidemark("mark", self.pid, "a rather long name of a mark", quiet=False)
        for columns, least in ((40, 10), (80, 12), (200, 28)):
            text = self.in_terminal(columns, ["marks", str(self.pid)], {"NO_COLOR": "1"})
            head, row = text.splitlines()[0], text.splitlines()[6]
            name = re.match(r"\s*5  (.*?)  ", row).group(1).rstrip()
            self.assertGreaterEqual(len(name), least, text)
            self.assertTrue(name.startswith("a ") and name.endswith("mark"), name)
            titles = ["MARK", "NAME", "TIME", "OBJECTS", "BYTES", "RESIDENT", "GARBAGE", "PAUSE",
                      "GC"]
            shown = head.split()
            left_out = re.search(r"no room for ([^:]*):", text.replace("\n ", ""))
            left_out = left_out.group(1).split(", ") if left_out else []
            self.assertEqual(sorted(shown + left_out), sorted(titles), text)
            if columns >= 80:
                self.assertIn("RESIDENT", shown)

    def fits(self, text, columns):
        widest = max(text.splitlines(), key=len)
        self.assertLessEqual(len(widest), columns, widest)

    def in_terminal(self, columns, args, env):
        """Output of the analyzer on a pseudo-terminal of this width."""
        import fcntl
        import pty
        import struct
        import termios
        environ = dict(os.environ, TIDEMARK=f"dir={self.recordings}", **env)
        environ.pop("COLUMNS", None)
        pid, fd = pty.fork()
        if pid == 0:
            fcntl.ioctl(1, termios.TIOCSWINSZ, struct.pack("HHHH", 24, columns, 0, 0))
            os.execve(self.analyzer, [self.analyzer, *args], environ)
        chunks = []
        while True:
            try:
                chunk = os.read(fd, 65536)
            except OSError:
                break
            if not chunk:
                break
            chunks.append(chunk)
        os.close(fd)
        self.assertEqual(os.waitstatus_to_exitcode(os.waitpid(pid, 0)[1]), 0)
        return b"".join(chunks).decode().replace("\r\n", "\n")


class Version(Case):
    @families
    def test_one_version(self):
        """The analyzer and the recorder say that of the Makefile."""
        root = os.path.dirname(os.path.dirname(os.path.dirname(os.path.abspath(__file__))))
        with open(os.path.join(root, "Makefile"), encoding="utf-8") as file:
            version = re.search(r"^VERSION *:= *(\S+)$", file.read(), re.M).group(1)
        said = self.tidemark("--version").stdout
        self.assertRegex(said, rf"\Atidemark {re.escape(version)} "
                               r"\(recording layout \d+\.\d+\)\n\Z")
        code = ("import ctypes; version = ctypes.CDLL(None).tidemark_version;"
                "version.restype = ctypes.c_char_p; print(version().decode())")
        done = self.run_plain([*self.python.command, "-c", code], self.environment())
        self.assertEqual(done.stdout.decode(), version + "\n", done.stderr)


class Recordings(Shop):
    def test_ps(self):
        path = self.recording(self.pid)
        row = self.processes()[path]
        self.assertEqual((row["pid"], row["state"]), (self.pid, "live"))
        self.assertTrue(row["command"][-1].endswith("shop.py"))
        self.assertEqual(row["python"], self.python.version)
        self.assertEqual(os.stat(path).st_mode & 0o777, 0o600)
        self.assertGreater(row["objects"], 1000)
        self.ends()
        self.assertEqual(self.processes()[path]["state"], "exited")

    def test_rm(self):
        path = self.recording(self.pid)
        self.refused("rm", self.pid)
        self.assertTrue(os.path.exists(path))
        self.ends()
        self.tidemark("rm", path, quiet=False)
        self.assertFalse(os.path.exists(path))

    @families
    def test_rm_dead(self):
        path = self.ends()
        # killed before its recording had begun, and long enough ago that it is not just starting
        begun = os.path.join(self.recordings, "tidemark.4194000.1.0.rec")
        open(begun, "w").close()
        os.utime(begun, (0, 0))
        other = self.start("steps.py")
        other.read()
        self.tidemark("rm", "--dead", quiet=False)
        self.assertEqual(self.recording_paths(), [self.recording(other.pid)])
        self.assertFalse(os.path.exists(path))
        other.finish()

    @families
    def test_analyzer_never_writes(self):
        """A finished recording is only read."""
        path = self.ends()
        before = digest(path)
        for command in ("diff", "ids", "marks"):
            self.tidemark(command, path)
        self.assertEqual(digest(path), before)


class Run(Case):
    def test_run(self):
        done = self.tidemark("run", "-o", f"dir={self.recordings}", "--", *self.python.command,
                             "-c", "print('hello'); raise SystemExit(7)", status=7)
        self.assertEqual((done.stdout, done.stderr), ("hello\n", ""))
        self.assertEqual(len(self.recording_paths()), 1)

    def test_run_keeps_the_preloads_there_are(self):
        code = "import os; print(os.environ['LD_PRELOAD'])"
        env = {"LD_PRELOAD": "libutil.so.1"}
        done = self.tidemark("run", "--", *self.python.command, "-c", code, env=env)
        self.assertIn("libutil.so.1", re.split("[ :]", done.stdout.strip()))
        self.assertIn(self.library, re.split("[ :]", done.stdout.strip()))

    def test_run_with_diff(self):
        code = "import types, sys\nclass Kept: pass\nsys.kept = [Kept() for n in range(321)]\nsys.exit(5)"
        done = self.tidemark("run", "--diff", "-o", f"dir={self.recordings}", "--",
                             *self.python.command, "-c", code, status=5)
        self.assertIn("__main__.Kept", done.stdout + done.stderr)
        self.assertIn("321", done.stdout + done.stderr)

    @families
    def test_program_that_does_not_exist(self):
        self.refused("run", "--", "/no/such/program", status=127)
        self.refused("run", "--", "/etc/passwd", status=126)

    @families
    def test_bad_option(self):
        self.refused("run", "-o", "nonsense=1", "--", "true")
        self.refused("run", "-o", "frames=0", "--", "true")
        self.refused("run")

    @families
    def test_include_and_exclude(self):
        for options, recorded in (("include=nothing", 0), ("include=python3*", 1),
                                  ("exclude=python3*", 0), ("exclude=other", 1)):
            self.tidemark("run", "-o", f"dir={self.recordings}", "-o", options, "--",
                          *self.python.command, "-c", "pass")
            self.assertEqual(len(self.recording_paths()), recorded, options)
            for path in self.recording_paths():
                os.unlink(path)
