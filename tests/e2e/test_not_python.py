"""Processes that are not Python: nothing created, no measurable cost."""
import os
import statistics
import time

from harness import Case, once, serial

ROUNDS = 60
LIMIT = 0.001  # seconds of start-up time


class NotPython(Case):
    COMMANDS = {
        "bash": ["bash", "-c", "echo one; true | cat; echo $((6 * 7))"],
        "git": ["git", "--version"],
        "make": ["make", "--version"],
        "awk": ["awk", "BEGIN { print 1 }"],
        "ls": ["ls", "/"],
        "perl": ["perl", "-e", "print 42"],
    }

    @once
    def test_same_output_and_nothing_created(self):
        for name, argv in self.COMMANDS.items():
            with self.subTest(name):
                plain = self.run_plain(argv, self.environment(preload=False))
                mine = self.run_plain(argv, self.environment())
                self.assertEqual((mine.returncode, mine.stdout, mine.stderr),
                                 (plain.returncode, plain.stdout, plain.stderr))
                self.assertEqual(os.listdir(self.recordings), [])

    @once
    def test_silent_even_with_a_bad_option(self):
        """Only a Python has anything to say about TIDEMARK."""
        done = self.run_plain(["bash", "-c", "echo fine"], self.environment("nonsense=1"))
        self.assertEqual((done.stdout, done.stderr), (b"fine\n", b""))

    @once
    @serial
    def test_start_up_cost(self):
        plain = self.environment(preload=False)
        preloaded = self.environment()
        times = {"plain": [], "preloaded": []}
        for _ in range(ROUNDS):
            for name, env in (("plain", plain), ("preloaded", preloaded)):
                started = time.perf_counter()
                pid = os.posix_spawn("/bin/true", ["true"], env)
                os.waitpid(pid, 0)
                times[name].append(time.perf_counter() - started)
        extra = statistics.median(times["preloaded"]) - statistics.median(times["plain"])
        self.note("/bin/true takes %.2f ms, %+.2f ms with the preload"
                  % (1000 * statistics.median(times["plain"]), 1000 * extra))
        self.assertLess(extra, LIMIT)
