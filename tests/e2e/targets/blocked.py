"""Blocks in the way it is told to, for a few seconds, and tells how that ended."""
import asyncio
import collections
import ctypes
import itertools
import os
import select
import signal
import socket
import subprocess
import sys
import threading
import time

import story

SECONDS = 2.5


def later(action):
    """Runs action in another thread when the time is over."""
    def thread():
        time.sleep(SECONDS)
        action()
    threading.Thread(target=thread, daemon=True).start()


def in_sleep():
    time.sleep(SECONDS)


def in_lock():
    lock = threading.Lock()
    lock.acquire()
    later(lock.release)
    lock.acquire()


def in_lock_with_timeout():
    lock = threading.Lock()
    lock.acquire()
    return lock.acquire(timeout=SECONDS)


def in_condition():
    condition = threading.Condition()

    def notify():
        with condition:
            condition.notify()
    with condition:
        later(notify)
        return condition.wait(60)


def in_foreign_lock():
    """Where no signal brings the main thread back to Python; another thread serves requests."""
    libc = ctypes.CDLL(None)
    mutex = ctypes.create_string_buffer(64)
    libc.pthread_mutex_lock(mutex)
    over = []

    def serve():
        end = time.monotonic() + SECONDS
        while time.monotonic() < end:
            time.sleep(0.02)
            os.listdir(".")
        libc.pthread_mutex_unlock(mutex)
        over.append(True)
    threading.Thread(target=serve, daemon=True).start()
    libc.pthread_mutex_lock(mutex)
    return len(over) <= 1


def in_recv():
    mine, other = socket.socketpair()
    later(lambda: other.send(b"x"))
    return mine.recv(1).decode()


def in_accept():
    with socket.socket() as server:
        server.settimeout(SECONDS)
        server.bind(("127.0.0.1", 0))
        server.listen()
        try:
            server.accept()
        except socket.timeout:
            return "timeout"


def in_read():
    out, into = os.pipe()
    later(lambda: os.write(into, b"x"))
    return os.read(out, 1).decode()


def in_select():
    return select.select([], [], [], SECONDS)


def in_wait():
    # no Python: it blocks in wait4() itself
    return subprocess.Popen(["sleep", str(SECONDS)]).wait()


def in_join():
    thread = threading.Thread(target=time.sleep, args=(SECONDS,))
    thread.start()
    thread.join()


async def _loop():
    await asyncio.sleep(SECONDS)
    return "slept"


def in_asyncio():
    return asyncio.run(_loop())


def in_busy_loop():
    end = time.monotonic() + SECONDS
    count = 0
    while time.monotonic() < end:
        count += 1


def in_c_code():
    """Holds the GIL in one C call, without a look at signals."""
    collections.deque(itertools.repeat(None, int(sys.argv[2])), maxlen=0)


def in_sigwait():
    """Other signals blocked and waited for; ended by the alarm."""
    signal.pthread_sigmask(signal.SIG_BLOCK, [signal.SIGALRM])
    signal.alarm(int(SECONDS))
    return int(signal.sigwait([signal.SIGALRM]))


def main():
    block = globals()["in_" + sys.argv[1]]
    story.say(ready=True)
    started = time.monotonic()
    result = block()
    story.say(result=result, seconds=time.monotonic() - started)
    story.wait()


main()
