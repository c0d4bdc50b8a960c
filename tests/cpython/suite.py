"""One module of CPython's own test suite, run by CPython's own runner, and what came of it."""
import os
import re
import signal
import subprocess
import tempfile
import time
import xml.etree.ElementTree as ElementTree

PASSED, FAILED, SKIPPED = "passed", "failed", "skipped"

# Exit statuses of regrtest, the same in 3.8 to 3.15 (Lib/test/libregrtest).
STATUSES = {0: "ok", 2: "failed", 3: "altered its environment", 4: "ran no tests"}

# A sign of life is asked for before a module that hangs is ended: regrtest has the stacks of all
# threads printed at this signal.
DUMP_STACKS = signal.SIGUSR1


class Outcome:
    """`tests` maps the full name of a test to passed, failed or skipped; `end` is one of
    `STATUSES`, or how the process died."""

    def __init__(self, tests, end, output, seconds):
        self.tests, self.end, self.output, self.seconds = tests, end, output, seconds

    @property
    def well(self):
        return self.end in ("ok", "ran no tests")

    def failed(self):
        """Names of what failed; the module itself when it died or nothing in it has a name."""
        names = {name for name, result in self.tests.items() if result == FAILED}
        return names or (set() if self.well else {f"({self.end})"})

    def last_words(self, lines=40):
        return "\n".join(self.output.splitlines()[-lines:])

    def about(self, name):
        """What the runner said about a test that failed."""
        method = name.rsplit(".", 1)[-1]
        found = re.search(r"^=+\n(?:FAIL|ERROR): %s[ (].*?(?=^=+$|\Z)" % re.escape(method),
                          self.output, re.M | re.S)
        return found.group(0).rstrip() if found else self.last_words()


def modules_of(python, env):
    """The names of an interpreter's test modules."""
    code = "import os, test; print(*os.listdir(os.path.dirname(test.__file__)))"
    done = subprocess.run([*python.command, "-I", "-c", code], env=env, stdout=subprocess.PIPE,
                          stderr=subprocess.DEVNULL, text=True)
    return {re.sub(r"\.py\Z", "", name) for name in done.stdout.split()}


def run(python, module, env, scratch, timeout, only=None):
    """Runs one module, or of that only the test of that full name."""
    with tempfile.TemporaryDirectory(prefix=f"{module}-", dir=scratch) as place:
        report = os.path.join(place, "report.xml")
        # only a verbose runner names the tests of which parts failed
        argv = [*python.command, "-m", "test", "-v", "--fail-env-changed", "--junit-xml", report,
                *(["-m", only] if only else []), module]
        started = time.monotonic()
        status, output = _run_process(argv, env, place, timeout)
        seconds = time.monotonic() - started
        tests = _tests_in(report)
    tests.update((name, FAILED) for name in _failures_in(output))
    if status is None:
        end = f"no end after {timeout} s"
    elif status < 0:
        end = f"died by {signal.Signals(-status).name}"
    else:
        end = STATUSES.get(status, f"exit status {status}")
    return Outcome(tests, end, output, seconds)


def _run_process(argv, env, place, timeout):
    """(exit status or None when it did not end, what it printed)"""
    path = os.path.join(place, "output")
    with open(path, "wb") as output:
        process = subprocess.Popen(argv, env=env, cwd=place, stdin=subprocess.DEVNULL,
                                   stdout=output, stderr=output, start_new_session=True)
        try:
            status = process.wait(timeout)
        except subprocess.TimeoutExpired:
            status = None
            process.send_signal(DUMP_STACKS)
            try:
                process.wait(5)
            except subprocess.TimeoutExpired:
                pass
        finally:
            _end_group(process)
    with open(path, errors="replace") as output:
        return status, output.read()


def _end_group(process):
    """Ends what is left of it and of what it has started."""
    try:
        os.killpg(process.pid, signal.SIGKILL)
    except ProcessLookupError:
        pass
    process.wait()


def _tests_in(report):
    """What the runner's report says.  A test of which only parts failed is not named there."""
    tests = {}
    try:
        cases = ElementTree.parse(report).iter("testcase")
    except (OSError, ElementTree.ParseError):
        return tests
    for case in cases:
        if case.get("name"):
            tests[case.get("name")] = _result_of(case)
    return tests


def _result_of(case):
    if case.find("failure") is not None or case.find("error") is not None:
        return FAILED
    return SKIPPED if case.find("skipped") is not None else PASSED


def _failures_in(output):
    """Full names in the runner's headings: `FAIL: test_x (test.test_y.Class[.test_x]) (part=1)`."""
    for method, place in re.findall(r"^(?:FAIL|ERROR): (\w+) \(([\w.]+)\)", output, re.M):
        yield place if place.endswith("." + method) else f"{place}.{method}"
