"""Keeps many objects and watches for pauses: one JSON line for each line it gets.

`make N` keeps N more; `churn SECONDS` makes and drops objects while nothing else grows;
`watch` starts watching in the main thread until the next line, and tells the longest gap;
`collect` and `mark` tell the CPU seconds of a full collection, and of a mark that makes one.
"""
import ctypes
import gc
import json
import select
import sys
import time


class Item:
    __slots__ = ("value",)


kept = []


def say(**facts):
    sys.stdout.write(json.dumps(facts) + "\n")
    sys.stdout.flush()


def make(count):
    kept.extend(Item() for _ in range(count))
    say(count=len(kept))


def churn(seconds):
    end = time.monotonic() + seconds
    rounds = 0
    while time.monotonic() < end:
        for number in range(1000):
            [number], {"key": number}, str(number), Item(), (number, number)
        rounds += 1
    say(rounds=rounds)


def watch():
    """The longest time this thread was kept from running, while it does nothing but look."""
    say(watching=True)
    longest, last = 0.0, time.perf_counter()
    while not select.select([sys.stdin], [], [], 0)[0]:
        now = time.perf_counter()
        longest, last = max(longest, now - last), now
    sys.stdin.readline()
    say(longest=longest)


def collect():
    started = time.thread_time()
    gc.collect()
    say(seconds=time.thread_time() - started)


def mark():
    """Its follow-up comes at the next point where Python looks for signals."""
    done = []
    gc.callbacks.append(lambda phase, info: phase == "stop" and done.append(info))
    set_mark = ctypes.CDLL(None).tidemark_mark
    started = time.thread_time()
    set_mark(None)
    while not done:
        pass
    seconds = time.thread_time() - started
    gc.callbacks.pop()
    say(seconds=seconds)


def main():
    say(ready=True)
    while True:
        word, _, rest = sys.stdin.readline().strip().partition(" ")
        if word == "make":
            make(int(rest))
        elif word == "churn":
            churn(float(rest))
        elif word == "watch":
            watch()
        elif word == "collect":
            collect()
        elif word == "mark":
            mark()
        else:
            break


main()
