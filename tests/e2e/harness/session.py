"""A program under observation: started, talked to line by line, and ended."""
import json
import os
import selectors
import signal
import subprocess
import time

PATIENCE = 60.0  # seconds; what takes longer hangs


class Timeout(AssertionError):
    pass


def poll(look, what, timeout=PATIENCE, pause=0.002):
    """Calls look() until it gives something true, and returns that."""
    end = time.monotonic() + timeout
    while True:
        found = look()
        if found:
            return found
        if time.monotonic() > end:
            raise Timeout(f"no {what} within {timeout:.0f} s")
        time.sleep(pause)


class Session:
    """A target process that says JSON lines on stdout and waits for lines on stdin.

    stderr goes to a file, so that a program that says much there never blocks.
    """

    def __init__(self, argv, env, cwd, stderr_path):
        self._stderr_path = stderr_path
        with open(stderr_path, "wb") as stderr:
            self.process = subprocess.Popen(argv, env=env, cwd=cwd, stdin=subprocess.PIPE,
                                            stdout=subprocess.PIPE, stderr=stderr,
                                            start_new_session=True)
        self.pid = self.process.pid
        self._buffer = b""

    @property
    def stderr(self):
        with open(self._stderr_path, errors="replace") as file:
            return file.read()

    def line(self, timeout=PATIENCE):
        """The next line of its stdout, without the newline."""
        end = time.monotonic() + timeout
        fd = self.process.stdout.fileno()
        with selectors.DefaultSelector() as selector:
            selector.register(fd, selectors.EVENT_READ)
            while b"\n" not in self._buffer:
                if not selector.select(max(0.0, end - time.monotonic())):
                    raise Timeout(f"target said nothing for {timeout:.0f} s; stderr: {self.stderr}")
                more = os.read(fd, 65536)
                if not more:
                    self.process.wait(PATIENCE)
                    raise AssertionError(f"target ended with status {self.process.returncode}; "
                                         f"stderr: {self.stderr}")
                self._buffer += more
        line, self._buffer = self._buffer.split(b"\n", 1)
        return line.decode()

    def read(self, timeout=PATIENCE):
        """The next line of its stdout, from JSON."""
        return json.loads(self.line(timeout))

    def send(self, word="go"):
        """Lets it go on."""
        self.process.stdin.write(word.encode() + b"\n")
        self.process.stdin.flush()

    def ask(self, word="go", timeout=PATIENCE):
        self.send(word)
        return self.read(timeout)

    def signal(self, number):
        os.kill(self.pid, number)

    def finish(self, status=0):
        """Ends its input, waits for its end, and returns what else it said."""
        self.process.stdin.close()
        return self.wait(status)

    def wait(self, status=0, timeout=PATIENCE):
        """Waits for its end by itself; None as status means any."""
        rest = []
        fd = self.process.stdout.fileno()
        end = time.monotonic() + timeout
        with selectors.DefaultSelector() as selector:
            selector.register(fd, selectors.EVENT_READ)
            while True:
                if not selector.select(max(0.0, end - time.monotonic())):
                    raise Timeout(f"target did not end within {timeout:.0f} s")
                more = os.read(fd, 65536)
                if not more:
                    break
                rest.append(more)
        found = self.process.wait(timeout)
        if status is not None and found != status:
            raise AssertionError(f"target ended with status {found}, not {status}; "
                                 f"stderr: {self.stderr}")
        return (self._buffer + b"".join(rest)).decode(errors="replace")

    def close(self):
        """Whatever state it is in: gone afterwards, and its children with it."""
        try:
            os.killpg(self.pid, signal.SIGKILL)
        except ProcessLookupError:
            pass
        self.process.wait()
        self.process.stdout.close()
        try:
            self.process.stdin.close()
        except BrokenPipeError:
            pass
