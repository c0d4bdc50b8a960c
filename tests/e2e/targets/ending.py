"""Ends in the way it is told to."""
import os
import signal
import sys
import threading


class Kept:
    pass


kept = [Kept() for _ in range(100)]


def raise_deeply(depth):
    if depth == 0:
        raise ValueError("uncaught, with é in it")
    raise_deeply(depth - 1)


def thread_dies():
    thread = threading.Thread(target=raise_deeply, args=(2,), name="worker")
    thread.start()
    thread.join()


ENDINGS = {
    "return": lambda: None,
    "exit3": lambda: sys.exit(3),
    "exit-text": lambda: sys.exit("a message"),
    "uncaught": lambda: raise_deeply(3),
    "thread": thread_dies,
    "_exit4": lambda: os._exit(4),
    "abort": os.abort,
    "sigterm": lambda: os.kill(os.getpid(), signal.SIGTERM),
    "sigkill": lambda: os.kill(os.getpid(), signal.SIGKILL),
    "interrupt": lambda: os.kill(os.getpid(), signal.SIGINT),
    "recursion": lambda: raise_deeply(1000000),
}

# whoever runs the tests in the background has it ignored, and Python leaves it so
signal.signal(signal.SIGINT, signal.default_int_handler)
print("about to end by", sys.argv[1], flush=True)
ENDINGS[sys.argv[1]]()
