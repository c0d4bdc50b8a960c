"""Sub-interpreters on threads of their own, which make objects and keep some while this one does too."""
import os
import threading

import story

try:
    import _interpreters as interpreters  # 3.13
except ImportError:
    try:
        import _xxsubinterpreters as interpreters  # 3.8 to 3.12, isolated there
    except ImportError:
        interpreters = None

COUNT, KEPT, CHURN = 3, 500, 20000
BODY = os.path.join(os.path.dirname(os.path.abspath(__file__)), "subinterpreter.py")


class Own:
    pass


def churn(count):
    for number in range(count):
        text, table, row = "text %d" % number, {"key": number}, [number]
        item = Own()
    del text, table, row, item


class Sub:
    """An interpreter, running BODY in a thread; each line of its story is a byte in a pipe."""

    def __init__(self):
        self.id = interpreters.create()
        read, self.to = os.pipe()
        self.from_, write = os.pipe()
        code = (f"FILE, READ, WRITE, KEPT, CHURN = {BODY!r}, {read}, {write}, {KEPT}, {CHURN}\n"
                "exec(compile(open(FILE).read(), FILE, 'exec'))\n")
        self.thread = threading.Thread(target=interpreters.run_string, args=(self.id, code))
        self.thread.start()

    def go(self):
        os.write(self.to, b"x")

    def done(self):
        os.read(self.from_, 1)

    def end(self):
        self.thread.join()
        interpreters.destroy(self.id)


def main():
    story.say(interpreters=bool(interpreters))
    story.wait()  # mark 1
    subs = [Sub() for _ in range(COUNT)]
    churn(CHURN)
    own = [Own() for _ in range(KEPT)]  # site: own
    churn(CHURN)
    story.say(busy=True)
    story.wait()  # mark 2, while all are busy
    for sub in subs:
        sub.done()
    story.say(own=len(own))
    story.wait()  # mark 3
    for sub in subs:
        sub.go()
        sub.done()
    story.say(halved=True)
    story.wait()  # mark 4
    for sub in subs:
        sub.go()
        sub.end()
    churn(CHURN)
    story.say(ended=True)
    story.wait()  # mark 5
    story.say(own=len(own))
    story.wait()


main()
