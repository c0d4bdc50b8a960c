"""A program behaves byte for byte as without the preload, and is recorded all the same."""
import os
import zipfile

from harness import Case


class Transparent(Case):
    def same(self, argv, env=None, stdin=b"", recorded=1):
        """Runs argv both ways; the plain run's CompletedProcess."""
        env = env or {}
        plain = self.run_plain(argv, self.environment(preload=False, **env), stdin)
        mine = self.run_plain(argv, self.environment(**env), stdin)
        self.assertEqual(mine.stderr.decode(errors="replace"), plain.stderr.decode(errors="replace"))
        self.assertEqual(mine.stdout.decode(errors="replace"), plain.stdout.decode(errors="replace"))
        self.assertEqual(mine.returncode, plain.returncode)
        # one that was killed before it had begun is listed by nobody
        paths = list(self.processes())
        self.assertGreaterEqual(len(paths), recorded, "recordings")
        for path in paths:
            self.json("diff", path, "start")
        return plain

    def plain(self, python_args=(), env=None, recorded=3):
        done = self.same([*self.python.command, *python_args, self.target("plain.py"), "a", "b c"],
                         env, b"some input\n", recorded)
        self.assertEqual(done.returncode, 0, done.stderr.decode())
        self.assertIn(b"child b'42", done.stdout)

    # ---- ways to start ----------------------------------------------------------

    def test_script(self):
        self.plain()

    def test_isolated(self):
        self.plain(["-I"])

    def test_ignore_environment(self):
        self.plain(["-E"], {"PYTHONMALLOC": "debug"})

    def test_no_site(self):
        self.plain(["-S", "-s"])

    def test_dev_mode(self):
        self.plain(["-X", "dev"])

    def test_malloc_debug(self):
        self.plain(env={"PYTHONMALLOC": "debug"})

    def test_malloc_libc(self):
        self.plain(env={"PYTHONMALLOC": "malloc"})

    def test_malloc_pymalloc(self):
        self.plain(env={"PYTHONMALLOC": "pymalloc"})

    def test_malloc_libc_debug(self):
        self.plain(env={"PYTHONMALLOC": "malloc_debug"})

    def test_tracemalloc(self):
        self.plain(["-X", "tracemalloc=5"])

    def test_faulthandler(self):
        self.plain(["-X", "faulthandler"])

    def test_hash_seed(self):
        self.plain(env={"PYTHONHASHSEED": "7"})

    def test_command(self):
        self.same([*self.python.command, "-c", "import sys; print(sys.argv, 1 / 3)", "x"])

    def test_standard_input(self):
        self.same([*self.python.command, "-"], stdin=b"import sys\nprint(sys.argv)\nraise SystemExit(9)\n")

    def test_module(self):
        self.same([*self.python.command, "-m", "json.tool"], stdin=b'{"a": [1, 2]}')

    def test_usage_error(self):
        self.same([*self.python.command, "--no-such-option"], recorded=0)

    def test_version(self):
        self.same([*self.python.command, "--version"], recorded=0)

    def test_syntax_error(self):
        self.same([*self.python.command, "-c", "def broken(:"])

    def test_no_such_script(self):
        self.same([*self.python.command, "/no/such/script.py"], recorded=0)

    def test_zipapp(self):
        path = os.path.join(self.scratch, "app.pyz")
        with zipfile.ZipFile(path, "w") as app:
            app.write(self.target("plain.py"), "__main__.py")
        done = self.same([*self.python.command, path, "zipped"], stdin=b"in")
        self.assertEqual(done.returncode, 0)

    def test_virtual_environment(self):
        place = os.path.join(self.scratch, "venv")
        made = self.run_plain([*self.python.command, "-m", "venv", "--without-pip", place],
                              self.environment(preload=False))
        self.assertEqual(made.returncode, 0, made.stderr.decode())
        program = self.python.program(os.path.join(place, "bin", "python"))
        code = "import sys; print(sys.prefix != sys.base_prefix, sys.prefix)"
        done = self.same([*program, "-c", code])
        self.assertIn(b"True", done.stdout)

    def test_import_time_lists_the_same_modules(self):
        argv = [*self.python.command, "-X", "importtime", "-c", "import json, decimal"]
        lists = []
        for preload in (False, True):
            done = self.run_plain(argv, self.environment(preload=preload))
            self.assertEqual(done.returncode, 0)
            lists.append([line.split("|")[-1] for line in done.stderr.decode().splitlines()])
        self.assertEqual(lists[1], lists[0])

    # ---- several processes ------------------------------------------------------

    def test_pool_fork(self):
        self.pool("fork", 4)

    def test_pool_spawn(self):
        self.pool("spawn", 4)

    def test_pool_forkserver(self):
        self.pool("forkserver", 4)

    def pool(self, method, recorded):
        done = self.same([*self.python.command, "-W", "error", self.target("pool.py"), method],
                         recorded=recorded)
        self.assertEqual(done.returncode, 0, done.stderr.decode())
        self.assertIn(b"from a process", done.stdout)

    def test_no_new_warnings(self):
        code = ("import os, subprocess, sys\n"
                "for n in range(5):\n"
                "    pid = os.fork()\n"
                "    if not pid: os._exit(n)\n"
                "    print(os.waitstatus_to_exitcode(os.waitpid(pid, 0)[1]) if sys.version_info >= (3, 9)"
                " else os.WEXITSTATUS(os.waitpid(pid, 0)[1]))\n"
                "print(subprocess.run(['true'], preexec_fn=lambda: None).returncode)\n"
                "print(subprocess.run([sys.executable, '-c', 'print(1)']).returncode)\n")
        for flags in (["-W", "error"], ["-W", "always"], ["-X", "dev", "-W", "error"]):
            done = self.same([*self.python.command, *flags, "-c", code])
            self.assertEqual(done.returncode, 0, done.stderr.decode())

    # ---- ways to end ------------------------------------------------------------

    def ending(self, how, status, sudden=False):
        done = self.same([*self.python.command, self.target("ending.py"), how])
        self.assertEqual(done.returncode, status, done.stderr.decode())
        counts = {}
        for path in self.recording_paths():
            for group in self.diff(path, "start")["groups"]:
                counts[group["type"]] = counts.get(group["type"], 0) + group["objects"]
        if sudden and self.python.family == "allocator":
            # no time was left to resolve the types of what was young
            self.assertGreaterEqual(counts.get("__main__.Kept", 0) + counts.get("(pending)", 0), 100)
        else:
            self.assertEqual(counts.get("__main__.Kept"), 100)

    def test_return(self):
        self.ending("return", 0)

    def test_exit_status(self):
        self.ending("exit3", 3)

    def test_exit_text(self):
        self.ending("exit-text", 1)

    def test_uncaught_exception(self):
        self.ending("uncaught", 1)

    def test_exception_in_a_thread(self):
        self.ending("thread", 0)

    def test_hard_exit(self):
        self.ending("_exit4", 4)

    def test_abort(self):
        self.ending("abort", -6, sudden=True)

    def test_terminated(self):
        self.ending("sigterm", -15, sudden=True)

    def test_killed(self):
        self.ending("sigkill", -9, sudden=True)

    def test_interrupted(self):
        self.ending("interrupt", -2)

    def test_recursion_error(self):
        self.ending("recursion", 1)
