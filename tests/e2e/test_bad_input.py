"""Bad input: one clear line, the documented exit status, and the program goes on."""
import os
import random
import struct
import subprocess

from harness import Case, data_ranges, families, once, slow

USAGE, DAMAGED = 2, 3


class BadTarget(Case):
    @once
    def test_no_such_process(self):
        self.assertIn("4194000", self.refused("diff", "4194000", status=USAGE))
        self.refused("mark", "4194000", status=USAGE)
        self.refused("marks", "99999999999999999999", status=USAGE)
        self.refused("diff", "0", status=USAGE)
        self.refused("diff", "-1", status=USAGE)

    @once
    def test_process_without_a_recording(self):
        sleeper = subprocess.Popen(["sleep", "60"])
        self.addCleanup(sleeper.wait)
        self.addCleanup(sleeper.kill)
        for command in ("diff", "mark", "marks", "ids"):
            self.refused(command, sleeper.pid, status=USAGE)
        self.assertIsNone(sleeper.poll(), "a mark ended it")
        self.refused("diff", os.getpid(), status=USAGE)

    @once
    def test_no_such_file(self):
        self.refused("diff", "/no/such/file", status=USAGE)
        self.refused("diff", "no-such-file", status=USAGE)

    @once
    def test_empty_file(self):
        path = os.path.join(self.scratch, "empty")
        open(path, "w").close()
        for command in ("diff", "marks", "ids"):
            self.refused(command, path, status=USAGE)

    @once
    def test_not_a_recording(self):
        path = os.path.join(self.scratch, "text")
        with open(path, "w") as file:
            file.write("something else\n" * 10000)
        self.refused("diff", path, status=USAGE)

    @once
    def test_no_regular_file(self):
        self.refused("diff", self.scratch, status=USAGE)
        self.refused("diff", "/dev/null", status=USAGE)
        fifo = os.path.join(self.scratch, "fifo")
        os.mkfifo(fifo)
        self.refused("diff", fifo, status=USAGE)

    @once
    def test_usage(self):
        for args in ([], ["nonsense"], ["--nonsense"], ["diff"], ["diff", "1", "2", "3", "4"],
                     ["diff", "--nonsense", "1"], ["diff", "--by", "nonsense", "1"],
                     ["diff", "--limit", "x", "1"], ["diff", "--min", "-3", "1"], ["mark"],
                     ["save", "1"], ["save"], ["run", "--"]):
            self.refused(*args, status=USAGE)


class ClosedStreams(Case):
    """What is printed never goes into a file that was opened where a closed stream had been."""

    def with_closed(self, streams, *words, **env):
        script = '"$@" ' + " ".join(f"{stream}>&-" for stream in streams)
        return subprocess.run(["sh", "-c", script, "sh", *map(str, words)],
                              stdout=subprocess.PIPE, stderr=subprocess.PIPE, text=True,
                              env=dict(os.environ, TIDEMARK=f"dir={self.recordings}", **env))

    @once
    def test_the_recording_stays_whole(self):
        session = self.start("steps.py")
        session.read()
        for streams in ([1], [2], [0, 1], [0, 2], [1, 2], [0, 1, 2]):
            for words in (["mark", session.pid, "named"], ["mark", session.pid, "x" * 300],
                          ["mark", session.pid, "--timeout", "0"], ["mark", "4194000"],
                          ["diff", session.pid], ["diff", session.pid, "nonsense"]):
                self.with_closed(streams, self.analyzer, *words)
            self.marks(session.pid)
        self.assertEqual(sum(mark["name"] == "named" for mark in self.marks(session.pid)), 6)

    @once
    def test_closed_output_is_an_error(self):
        done = self.with_closed([0, 1], self.analyzer, "ps")
        self.assertEqual((done.returncode, done.stdout), (USAGE, ""))
        self.assertRegex(done.stderr, r"\Atidemark[^\n]*: [^\n]+\n\Z")

    @once
    def test_a_program_finds_them_closed(self):
        code = ("import os, sys\n"
                "for fd in range(3):\n"
                "    try: os.fstat(fd)\n"
                "    except OSError: pass\n"
                "    else: sys.exit(1)\n")
        for words in (["run", "--"], ["run", "--diff", "-O", f"{self.scratch}/report", "--"]):
            done = self.with_closed([0, 1, 2], self.analyzer, *words, *self.python.command, "-c",
                                    code)
            self.assertEqual(done.returncode, 0)


class BadRecording(Case):
    def finished(self):
        """Path of a finished recording with two marks."""
        session = self.start("steps.py")
        session.read()
        for _ in range(2):
            self.mark(session)
            session.ask("make 500")
        session.finish()
        return self.recording(session.pid)

    @families
    def test_no_such_mark(self):
        path = self.finished()
        for args in (["99"], ["1", "99"], ["nonsense"], ["1", "nonsense"], ["-1"], ["1x"], [""]):
            self.refused("diff", path, *args, status=USAGE)
        self.assertIn("2", self.refused("diff", path, "2", "1", status=USAGE))
        self.refused("diff", path, "exit", "start", status=USAGE)

    @families
    def test_another_users(self):
        if os.geteuid() != 0:
            self.skipTest("takes root to give a file to another user")
        path = self.finished()
        os.chown(path, 65534, 65534)
        self.refused("diff", path, status=USAGE)
        self.json("diff", path, 1, 2, "--any-user")

    @families
    def test_symbolic_link_in_the_way(self):
        """A file or link that waits under the name of a recording is never written to."""
        victim = os.path.join(self.scratch, "victim")
        with open(victim, "w") as file:
            file.write("untouched")
        code = ("import os, sys\n"
                "print(os.getpid(), open('/proc/self/stat').read().rsplit(')')[1].split()[19],"
                " flush=True)\nos.read(0, 1)\n"
                "os.execv(sys.executable, [sys.executable, '-c', 'print(input())'])\n")
        session = self.start_command([*self.python.command, "-c", code], self.environment())
        pid, ticks = session.line().split()
        for index in range(1, 3):
            link = f"{self.recordings}/tidemark.{pid}.{ticks}.{index}.rec"
            if not os.path.lexists(link):
                os.symlink(victim, link)
        session.process.stdin.write(b"x")
        session.process.stdin.flush()
        session.send("goes on")
        self.assertEqual(session.line(), "goes on")
        session.finish()
        with open(victim) as file:
            self.assertEqual(file.read(), "untouched")

    @families
    def test_later_layout(self):
        path = self.finished()
        with open(path, "r+b") as file:
            file.seek(8)
            major, minor = struct.unpack("<HH", file.read(4))
            file.seek(8)
            file.write(struct.pack("<HH", major + 1, 0))
        self.assertIn(str(major + 1), self.refused("diff", path, status=DAMAGED))
        with open(path, "r+b") as file:
            file.seek(8)
            file.write(struct.pack("<HH", major, minor + 1))
        self.json("diff", path, 1, 2)

    def survives(self, path, what):
        """The analyzer answers with a report or with one line, and never dies."""
        for args in (["diff", path, "start", "now", "--json"], ["marks", path, "--json"],
                     ["ids", path, "1", "2"], ["diff", path, "1", "2"]):
            done = subprocess.run([self.analyzer, *args], stdout=subprocess.DEVNULL,
                                  stderr=subprocess.PIPE, text=True, timeout=60)
            self.assertIn(done.returncode, (0, USAGE, DAMAGED), f"{args[0]} on {what}: {done.stderr}")
            if done.returncode:
                self.assertRegex(done.stderr, r"\Atidemark[^\n]*: [^\n]+\n\Z", what)

    def truncations(self, path, count):
        size = os.path.getsize(path)
        data_end = max(data_ranges(path), key=lambda span: span[1])[1]
        chance = random.Random(1)
        positions = {0, 1, 7, 8, 100, 1407, 1408, 4095, 4096, 4383, 4384, 65535, 65536, size - 1}
        while len(positions) < count:
            start, end = chance.choice(data_ranges(path))
            positions.add(chance.randrange(start, end))
            positions.add(chance.randrange(data_end))
        return sorted(positions)

    def truncate_at_many_places(self, count):
        path = self.finished()
        copy = os.path.join(self.scratch, "truncated")
        subprocess.run(["cp", "--sparse=always", path, copy], check=True)
        for position in reversed(self.truncations(path, count)):
            os.truncate(copy, position)
            self.survives(copy, f"a recording cut at byte {position}")

    @families
    def test_truncated(self):
        self.truncate_at_many_places(60)

    @once
    @slow
    def test_truncated_at_very_many_places(self):
        self.truncate_at_many_places(800)

    @families
    def test_flipped_bytes(self):
        """No byte of a recording is trusted."""
        path = self.finished()
        chance = random.Random(2)
        copy = os.path.join(self.scratch, "flipped")
        ranges = data_ranges(path)
        for number in range(60):
            subprocess.run(["cp", "--sparse=always", path, copy], check=True)
            with open(copy, "r+b") as file:
                for _ in range(chance.choice((1, 4, 64))):
                    start, end = (0, 1408) if number % 3 == 0 else chance.choice(ranges)
                    file.seek(chance.randrange(max(8, start), end))
                    file.write(bytes([chance.randrange(256)]))
            self.survives(copy, f"flipped bytes, round {number}")

    @families
    def test_save_into_trouble(self):
        path = self.finished()
        self.refused("save", path, "/no/such/dir/file", status=USAGE)
        self.refused("save", path, self.scratch, status=USAGE)
        self.refused("save", path, "/dev/full", status=USAGE)


class BadOptions(Case):
    """What TIDEMARK may say wrong: one line, and the program runs as ever."""

    CODE = "print(sum(len([n]) for n in range(1000)))"

    def says(self, options, recorded=False, pattern=None):
        env = self.environment()
        env["TIDEMARK"] = options
        done = self.run_plain([*self.python.command, "-c", self.CODE], env)
        self.assertEqual((done.returncode, done.stdout), (0, b"1000\n"))
        text = done.stderr.decode()
        self.assertRegex(text, r"\Atidemark[^\n]*: [^\n]+\n\Z")
        if pattern:
            self.assertRegex(text, pattern)
        self.assertEqual(bool(self.recording_paths()), recorded)
        return text

    def test_unknown_key(self):
        self.says(f"dir={self.recordings},nonsense=1", pattern="nonsense")

    @families
    def test_bad_values(self):
        for option in ("frames=0", "frames=x", "frames=65", "frames=-1", "frames=", "frames",
                       "signal=9", "signal=99", "signal=0", "collect=perhaps", "max=1x", "max=0",
                       "max=99999999999999999999", "dir=relative", "keep=many", "log=relative",
                       "=", "dir=" + "/x" * 400):
            with self.subTest(option):
                self.says(f"dir={self.recordings},{option}")

    @families
    def test_all_good_values(self):
        env = self.environment("signal=41,collect=none,frames=64,max=1G,include=*,exclude=nobody,"
                               "keep=100,log=stderr,,")
        done = self.run_plain([*self.python.command, "-c", self.CODE], env)
        self.assertEqual((done.returncode, done.stdout, done.stderr), (0, b"1000\n", b""))
        self.assertEqual(len(self.recording_paths()), 1)

    @families
    def test_keep(self):
        """Only so many recordings of finished processes stay behind."""
        for _ in range(6):
            self.run_plain([*self.python.command, "-c", "pass"], self.environment("keep=2"))
        self.assertLessEqual(len(self.recording_paths()), 3)

    @families
    def test_log_file(self):
        log = os.path.join(self.scratch, "log")
        env = self.environment(f"log={log}")
        env["TIDEMARK"] = f"dir=/no/such/dir,log={log}"
        done = self.run_plain([*self.python.command, "-c", self.CODE], env)
        self.assertEqual((done.returncode, done.stderr), (0, b""))
        with open(log) as file:
            self.assertIn("/no/such/dir", file.read())
        self.remove_elsewhere()

    def remove_elsewhere(self):
        """Removes recordings that this test's processes made in the usual places."""
        for row in self.json("ps")["processes"]:
            if row["state"] != "live" and self.CODE in row["command"]:
                os.unlink(row["recording"])

    def test_directory_that_does_not_exist(self):
        self.addCleanup(self.remove_elsewhere)
        self.says("dir=/no/such/dir", pattern="/no/such/dir")

    @families
    def test_directory_that_is_a_file(self):
        self.addCleanup(self.remove_elsewhere)
        path = os.path.join(self.scratch, "file")
        open(path, "w").close()
        self.says(f"dir={path}")


# In a chroot whose root is no mount point a namespace can be had, but not one that keeps its mounts
# to itself.
OWN_MOUNTS = ["unshare", "--mount", "--propagation", "private"]


class Space(Case):
    """A place that is full from the start, fills up later, or may not be used further."""

    def start_on_small_filesystem(self, size, options=""):
        tried = subprocess.run([*OWN_MOUNTS, "true"], stderr=subprocess.PIPE, text=True)
        if tried.returncode:
            self.skipTest(f"no mounts of our own here: {tried.stderr.strip()}")
        place = os.path.join(self.scratch, "small")
        os.makedirs(place, exist_ok=True)
        argv = [*self.python.command, self.target("steps.py")]
        script = f"mount -t tmpfs -o size={size} small {place} && exec \"$@\""
        env = self.environment(TIDEMARK=f"dir={place}" + options)
        session = self.start_command([*OWN_MOUNTS, "sh", "-c", script, "sh", *argv], env)
        session.read()
        return session

    def goes_on(self, session):
        self.assertTrue(session.ask("make 1000")["answer"])
        session.ask("drop 1000")

    def test_full_from_the_start(self):
        session = self.start_on_small_filesystem("4k")
        self.goes_on(session)
        self.assertRegex(session.stderr, r"\Atidemark[^\n]*: [^\n]+\n\Z")
        row = next(row for row in self.json("ps")["processes"] if row["pid"] == session.pid)
        self.addCleanup(lambda: os.path.exists(row["recording"]) and os.unlink(row["recording"]))
        session.finish()

    def test_fills_up(self):
        session = self.start_on_small_filesystem("24m")
        session.ask("make 1000")
        self.assertTrue(self.diff(session.pid, "start")["complete"])
        for _ in range(10):
            session.ask("make 200000", timeout=120)
        report = self.diff(session.pid, "start")
        self.assertFalse(report["complete"])
        self.assertRegex(" ".join(report["notes"]), "(?i)space|full")
        session.ask("drop 2000000")
        self.goes_on(session)
        self.mark(session)
        self.assertFalse(self.diff(session.pid, "start", 1)["complete"])
        session.finish()

    def test_limit(self):
        session = self.start("steps.py", options="max=24M")
        session.read()
        for _ in range(10):
            session.ask("make 200000", timeout=120)
        report = self.diff(session.pid, "start")
        self.assertFalse(report["complete"])
        self.assertTrue(report["notes"])
        path = self.recording(session.pid)
        self.assertLessEqual(os.stat(path).st_blocks * 512, 25 << 20)
        self.goes_on(session)
        session.finish()

    @families
    def test_limit_too_small_for_anything(self):
        session = self.start("steps.py", options="max=1k")
        session.read()
        self.goes_on(session)
        session.finish()
        self.assertRegex(session.stderr, r"\Atidemark[^\n]*: [^\n]+\n\Z")
        self.assertEqual(self.recording_paths(), [])


class OwnLimits(Case):
    """A program that limits its own address space has as much of it as without the recorder."""

    CODE = """
import os, resource, sys, ctypes
size = int(sys.argv[1]) << 20
def limit():
    resource.setrlimit(resource.RLIMIT_AS, (size, size))
if sys.argv[2] == "set":
    limit()
else:
    resource.prlimit(0, resource.RLIMIT_AS, (size, size))
half = bytearray(size // 2)
del half
ctypes.CDLL(None).tidemark_mark(b"limited") if len(sys.argv) > 3 else None
kept = [[n] for n in range(5000)]
child = os.fork()
if child == 0:
    del kept[:]
    os._exit(7)
print(os.waitpid(child, 0)[1] >> 8, flush=True)
if len(sys.argv) > 3:
    sys.stdin.readline()
filled = []
try:
    while True:
        filled.append(bytes(1 << 20))
except MemoryError:
    del filled
print("full")
"""

    def test_it_runs_as_without(self):
        for size in (200, 1000):
            for way in ("set", "prlimit"):
                argv = [*self.python.command, "-c", self.CODE, str(size), way]
                done = self.run_plain(argv, self.environment())
                self.assertEqual((done.returncode, done.stdout), (0, b"7\nfull\n"), done.stderr)

    @families
    def test_it_is_still_recorded(self):
        argv = [*self.python.command, "-c", self.CODE, "400", "set", "marks"]
        session = self.start_command(argv, self.environment())
        self.assertEqual(session.read(), 7)
        report = self.diff(session.pid, "limited")
        self.assertTrue(report["complete"])
        lists = [group["objects"] for group in report["groups"]
                 if group["type"] == "builtins.list" and group["objects"] > 1000]
        self.assertEqual(lists, [5001])
        session.send()
        session.wait()
        self.assertEqual(self.marks(session.pid)[-1]["name"], "exit")
