"""The recordings that a workload leaves: what their counters say, and their removal."""
import json
import os
import subprocess
import tempfile
import threading

# Every one of these is a promise broken.  The others tell what a workload did: `tracer` that a
# test took the reference tracer, `ring` that single deaths were merged into counts, `threads` that
# there were very many.
LOSSES = ("no_space", "address", "sites", "types", "marks", "tallies", "garbage", "cyclic")
# These, too, but in a process where a test took the tracer: what lived and died meanwhile was seen
# in part, and reports say from when to when.
CONTRADICTIONS = ("death_unknown", "birth_over", "freed_live")

PAUSE = 1.0  # seconds between two looks: thousands of processes, some MB each


class Recordings:
    """A directory of recordings, each read and removed when its process has ended.

    As a context manager: `environment` makes a program record there; after the block `processes`
    is how many there were, `without_tracer` in how many of these a test took the tracer, `excused`
    has the counters that were not zero for a reason that excuse(counter) gave, with it, and
    `complaints` a line for each recording that is not well.
    """

    def __init__(self, build, excuse, parent="/dev/shm"):
        self.build, self.excuse, self.parent = build, excuse, parent
        self.processes = self.without_tracer = 0
        self.excused = {}
        self.complaints = []
        self._stop = threading.Event()

    @property
    def environment(self):
        return {"LD_PRELOAD": os.path.join(self.build, "libtidemark.so"),
                "TIDEMARK": f"dir={self.place},keep=100000"}

    def __enter__(self):
        self._directory = tempfile.TemporaryDirectory(prefix="tidemark-cpython-", dir=self.parent)
        self.place = self._directory.name
        os.chmod(self.place, 0o1777)  # tests that change their user record, too
        self._thread = threading.Thread(target=self._sweep_until_stopped)
        self._thread.start()
        return self

    def __exit__(self, *_):
        self._stop.set()
        self._thread.join()
        self._sweep()
        self._directory.cleanup()

    def _sweep_until_stopped(self):
        while not self._stop.wait(PAUSE):
            self._sweep()

    def _sweep(self):
        for row in self._rows():
            if row["state"] != "live":
                self._count(row)
                os.unlink(row["recording"])

    def _rows(self):
        """What `tidemark ps` says of the recordings in this directory."""
        env = {key: value for key, value in os.environ.items() if key != "LD_PRELOAD"}
        env["TIDEMARK"] = f"dir={self.place}"
        done = subprocess.run([os.path.join(self.build, "tidemark"), "ps", "--json", "--verbose"],
                              env=env, stdout=subprocess.PIPE, check=True)
        rows = json.loads(done.stdout)["processes"]
        return [row for row in rows if os.path.dirname(row["recording"]) == self.place]

    def _count(self, row):
        losses = row["losses"]
        self.processes += 1
        self.without_tracer += losses["tracer"] > 0
        names = LOSSES if losses["tracer"] else LOSSES + CONTRADICTIONS
        for name in names:
            if losses[name] and self.excuse(name):
                self.excused[name] = self.excuse(name)
        wrong = [f"{name} {losses[name]}" for name in names
                 if losses[name] and name not in self.excused]
        if row["message"]:
            wrong.append(f"says: {row['message']}")
        if wrong:
            command = " ".join(row["command"])
            self.complaints.append(f"{', '.join(wrong)}: {command[:300]!r}")
