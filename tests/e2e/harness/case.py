"""Case: a unittest.TestCase that runs on one interpreter, with the tools the tests share."""
import json
import os
import re
import shutil
import subprocess
import tempfile
import unittest

from .pythons import ROOT
from .session import PATIENCE, Session, poll

TARGETS = os.path.join(ROOT, "tests", "e2e", "targets")
SIGNAL = 42  # Tidemark's default mark signal


def _on(which):
    def decorate(test):
        test.runs_on = which
        return test
    return decorate


once = _on("once")  # needs an interpreter, but no particular one
families = _on("families")  # one interpreter of each family is enough


def slow(test):
    """Left out by --quick."""
    test.is_slow = True
    return test


def waiting(test):
    """Sleeps nearly all the time: the tests of this kind on one interpreter run side by side."""
    test.is_waiting = True
    return test


def serial(test):
    """Measures time: run with nothing beside it."""
    test.is_serial = True
    return test


class Case(unittest.TestCase):
    """`python` and `build` are set by the runner before the test starts.

    Every test has a scratch directory and a directory of its own for recordings, both removed
    when it passed.  What a test starts is ended with it.
    """
    python = None
    build = None
    maxDiff = 4000

    def setUp(self):
        self.scratch = tempfile.mkdtemp(prefix="tidemark-e2e-", dir="/tmp")
        self.recordings = tempfile.mkdtemp(prefix="tidemark-e2e-", dir="/dev/shm")
        self.notes = []
        self.addCleanup(shutil.rmtree, self.scratch, ignore_errors=True)
        self.addCleanup(shutil.rmtree, self.recordings, ignore_errors=True)

    def note(self, text):
        """A measured fact for whoever reads the run's output."""
        self.notes.append(text)

    # ---- starting programs ----------------------------------------------------------

    @property
    def library(self):
        return os.path.join(self.build, "libtidemark.so")

    @property
    def analyzer(self):
        return os.path.join(self.build, "tidemark")

    def environment(self, options="", preload=True, **extra):
        """The environment of a target; `options` is appended to TIDEMARK."""
        env = {key: value for key, value in os.environ.items()
               if not key.startswith(("PYTHON", "TIDEMARK", "LD_"))}
        env["PYTHONDONTWRITEBYTECODE"] = "1"
        if "TIDEMARK_CACHE" in os.environ:
            env["TIDEMARK_CACHE"] = os.environ["TIDEMARK_CACHE"]
        if preload:
            env["LD_PRELOAD"] = self.library
            env["TIDEMARK"] = f"dir={self.recordings}" + ("," + options if options else "")
        env.update(extra)
        return env

    def target(self, name):
        return os.path.join(TARGETS, name)

    def start(self, target, *args, options="", python_args=(), env=None, command=None):
        """A Session of targets/<target> on this test's interpreter, recorded."""
        argv = command or [*self.python.command, *python_args, self.target(target), *args]
        return self.start_command(argv, self.environment(options, **(env or {})))

    def start_command(self, argv, env):
        handle, stderr = tempfile.mkstemp(prefix="stderr-", dir=self.scratch)
        os.close(handle)
        session = Session([str(word) for word in argv], env, self.scratch, stderr)
        self.addCleanup(session.close)
        return session

    def run_plain(self, argv, env, stdin=b"", cwd=None, timeout=PATIENCE):
        """Runs a program to its end: a CompletedProcess with bytes."""
        return subprocess.run([str(word) for word in argv], env=env, input=stdin,
                              cwd=cwd or self.scratch, stdout=subprocess.PIPE,
                              stderr=subprocess.PIPE, timeout=timeout)

    # ---- asking the analyzer --------------------------------------------------------

    def tidemark(self, *args, status=0, stdin="", env=None, quiet=True):
        """Runs `tidemark args…`; checks its exit status, and that it is silent on success."""
        environ = dict(os.environ, TIDEMARK=f"dir={self.recordings}")
        environ.pop("LD_PRELOAD", None)
        environ.update(env or {})
        done = subprocess.run([self.analyzer, *map(str, args)], input=stdin, env=environ,
                              stdout=subprocess.PIPE, stderr=subprocess.PIPE, text=True,
                              errors="surrogateescape", timeout=PATIENCE)
        said = f"tidemark {' '.join(map(str, args))}: {done.stdout[-2000:]}{done.stderr}"
        self.assertEqual(done.returncode, status, said)
        if status == 0 and quiet:
            self.assertEqual(done.stderr, "", said)
        return done

    def json(self, command, *args, **more):
        """A report as data, its schema version checked."""
        report = json.loads(self.tidemark(command, *args, "--json", **more).stdout)
        self.assertEqual(report["tidemark"], 1)
        return report

    def refused(self, *args, status=2, **more):
        """The one line that tidemark says on stderr when it refuses these arguments."""
        done = self.tidemark(*args, status=status, **more)
        self.assertEqual(done.stdout, "")
        self.assertRegex(done.stderr, r"\Atidemark[^\n]*: [^\n]+\n\Z")
        self.assertTrue(done.stderr.rstrip("\n").isprintable(), done.stderr)
        return done.stderr

    def recording(self, pid, index=-1):
        """Path of the (last) recording of a process."""
        found = self.recording_paths(pid)
        self.assertTrue(found, f"no recording of {pid} among {os.listdir(self.recordings)}")
        return found[index]

    def recording_paths(self, pid=None):
        """Recordings in this test's directory, oldest first."""
        pattern = re.compile(r"tidemark\.%s\.(\d+)\.(\d+)\.rec\Z" % (pid or r"\d+"))
        found = [(tuple(map(int, match.groups())), name) for name in os.listdir(self.recordings)
                 for match in [pattern.match(name)] if match]
        return [os.path.join(self.recordings, name) for _, name in sorted(found)]

    def saved(self, target):
        """Path of the copy that `tidemark save` makes of a recording; there is one a test."""
        path = os.path.join(self.scratch, "saved.rec")
        self.tidemark("save", target, path, quiet=False)
        return path

    def processes(self):
        """What `ps` says of this test's processes: {path of the recording: row}.

        A process in another root tree shows its recording through /proc/PID/root.
        """
        found = {}
        for row in self.json("ps")["processes"]:
            path = os.path.join(self.recordings, os.path.basename(row["recording"]))
            if row["recording"].endswith(path):
                found[path] = row
        return found

    # ---- marks ----------------------------------------------------------------------

    def marks(self, target):
        return self.json("marks", target)["marks"]

    def taken_marks(self, target):
        """Marks set by someone: without start and exit."""
        return [mark for mark in self.marks(target) if mark["name"] not in ("start", "exit")]

    def mark(self, session, number=SIGNAL, collected=True):
        """Sets a mark by a plain signal; returns it once the process has followed it up."""
        before = len(self.taken_marks(session.pid))
        session.signal(number)

        def followed():
            marks = self.taken_marks(session.pid)
            if len(marks) > before and (marks[before]["collected"] or not collected):
                return marks[before]
            return None
        return poll(followed, f"mark in {session.pid} after a signal")

    # ---- reading reports ------------------------------------------------------------

    def diff(self, target, *args):
        return self.json("diff", target, *args, "--limit", "0")

    def sites(self, target_name):
        """Line numbers of a target's `# site: NAME` comments, by name."""
        lines = {}
        with open(self.target(target_name)) as source:
            for number, text in enumerate(source, 1):
                for name in re.findall(r"# site: (\w+)", text):
                    lines[name] = number
        return lines

    def groups(self, report, target_name, kind="object"):
        """Groups whose site is in this target: {(type, line): group}.

        Objects of one type come from one function per line; buffers of a line are added up.
        """
        path = self.target(target_name)
        found = {}
        for group in report["groups"]:
            site = group["site"]
            if group["kind"] == kind and site and site["file"] == path:
                key = (group["type"], site["line"])
                if kind == "buffer" and key in found:
                    group = dict(group, objects=group["objects"] + found[key]["objects"],
                                 bytes=group["bytes"] + found[key]["bytes"])
                else:
                    self.assertNotIn(key, found, "one group for each type and site")
                found[key] = group
        return found
