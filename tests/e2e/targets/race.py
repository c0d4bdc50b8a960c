"""Goes into a system call again and again, after a little while of varying length.

A byte in lets it go on, `x` out says that it is about to block, `c` that a full collection ran.
"""
import gc
import os


def collected(phase, info):
    if phase == "stop" and info["generation"] == 2:
        os.write(1, b"c")


gc.collect()
gc.freeze()  # collections are short from here on
gc.disable()
gc.callbacks.append(collected)
count = 0
while True:
    os.write(1, b"x")
    for _ in range(count * 7 % 8000):
        pass
    count += 1
    if not os.read(0, 1):
        break
