"""A program that a sub-interpreter ends, one that has garbage of its own."""
import story

try:
    import _interpreters as interpreters  # 3.13
except ImportError:
    try:
        import _xxsubinterpreters as interpreters  # 3.8 to 3.12
    except ImportError:
        interpreters = None

BODY = """
import gc
import os

gc.garbage.extend([[], [], []])
os._exit(0)
"""

story.say(interpreters=bool(interpreters))
story.wait()
interpreters.run_string(interpreters.create(), BODY)
