"""fork, exec and threads: each process has a recording of its own, exact in number."""
import os
import time

from harness import Case, digest, families, poll


class Fork(Case):
    def counts(self, target, *args):
        """{type: objects} of the target's own classes."""
        found = {}
        for group in self.diff(target, *args)["groups"]:
            if group["type"].startswith("__main__.") and group["kind"] == "object":
                found[group["type"]] = found.get(group["type"], 0) + group["objects"]
        return found

    def test_each_has_its_own(self):
        session = self.start("family.py")
        child = session.read()["child"]
        paths = poll(lambda: (lambda paths: paths if len(paths) == 3 else None)(
            self.recording_paths()), "three recordings")
        rows = {row["pid"]: row for row in self.processes().values()}
        self.assertEqual(len(rows), 3)
        grandchild = next(pid for pid in rows if pid not in (session.pid, child))
        self.assertFalse(rows[session.pid]["parent"])
        self.assertEqual(rows[child]["parent"], session.pid)
        self.assertEqual(rows[grandchild]["parent"], child)
        self.assertEqual({row["state"] for row in rows.values()}, {"live"})
        # the parent has nothing of the child's, and its inherited objects still live
        self.assertEqual(self.counts(session.pid, "start"),
                         {"__main__.Before": 200, "__main__.Parent": 300})
        self.assertEqual(self.counts(child, "start"), {"__main__.Child": 500})
        self.assertEqual(self.counts(grandchild, "start"), {"__main__.Grandchild": 50})
        self.assertEqual(session.ask()["status"], 0)
        session.finish()
        self.assertEqual(self.counts(self.recording(child), "start"), {"__main__.Child": 500})

    @families
    def test_marks_in_the_child(self):
        session = self.start("family.py")
        child = session.read()["child"]
        self.recording(child)
        os.kill(child, 42)
        poll(lambda: [mark for mark in self.taken_marks(child) if mark["collected"]],
             "mark in the child")
        self.assertEqual(self.taken_marks(session.pid), [])
        for mark in self.marks(child):
            self.assertNotIn(None, mark["figures"].values())
        verdict = self.diff(child, "start", 1)["verdict"]
        self.assertNotIn(None, verdict["parts"].values())
        # libraries' pages come back one by one: a fork leaves them out
        self.assertLess(abs(verdict["parts"]["rest"]), 8 << 20, verdict)
        session.ask()
        session.finish()

    @families
    def test_a_child_never_writes_to_the_parents(self):
        """A parent that stands still has a recording that stands still."""
        code = ("import os, sys, signal\n"
                "pid = os.fork()\n"
                "if pid == 0:\n"
                "    sys.stdin.close()\n"
                "    kept = []\n"
                "    print('ready', flush=True)\n"
                "    while True: kept.append([object() for _ in range(1000)]); del kept[:-10]\n"
                "os.waitpid(pid, 0)\n")
        session = self.start_command([*self.python.command, "-c", code], self.environment())
        self.assertEqual(session.line(), "ready")
        path = poll(lambda: self.recording_paths(session.pid), "recording")[0]
        children = poll(lambda: [p for p in self.recording_paths() if p != path], "child's")
        before = poll(lambda: self.settled(path), "rest in the parent")
        child_before = digest(children[0])
        poll(lambda: digest(children[0]) != child_before, "change in the child's")
        self.assertEqual(digest(path), before)
        os.kill(int(os.path.basename(children[0]).split(".")[1]), 9)
        session.wait()

    @staticmethod
    def settled(path):
        """Its digest once it stays the same for a while."""
        first = digest(path)
        time.sleep(0.1)
        return first if digest(path) == first else None

    def test_exec(self):
        session = self.start("again.py", "2")
        for left in (2, 1, 0):
            self.assertEqual(session.read()["left"], left)
            self.assertEqual(self.counts(session.pid, "start"),
                             {"__main__.Life": 100 * (left + 1)})
            session.send()
        session.wait()
        paths = self.recording_paths(session.pid)
        self.assertEqual(len(paths), 3)
        for path, expected in zip(paths, (300, 200, 100)):
            self.assertEqual(self.counts(path, "start"), {"__main__.Life": expected})
            self.assertEqual(self.processes()[path]["state"], "exited")

    @families
    def test_children_that_are_not_python(self):
        code = ("import subprocess, sys\n"
                "for n in range(20): subprocess.run(['true'])\n"
                "subprocess.run('true; true | cat', shell=True)\n")
        session = self.start_command([*self.python.command, "-c", code], self.environment())
        session.wait()
        self.assertEqual(self.recording_paths(), self.recording_paths(session.pid))


class Threads(Case):
    def test_exact_with_many_threads(self):
        session = self.start("threads.py")
        session.read()
        self.mark(session)
        ids = session.ask()["ids"]
        self.mark(session)
        session.ask()
        group = self.groups(self.diff(session.pid, 1, 2), "threads.py")[
            "__main__.Made", self.sites("threads.py")["made"]]
        self.assertEqual(group["objects"], len(ids))
        rows = self.json("ids", session.pid, 1, 2)["ids"]
        found = sorted(int(row["id"], 16) for row in rows if row["type"] == "__main__.Made")
        self.assertEqual(found, sorted(ids))
        session.finish()
