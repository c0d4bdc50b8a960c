"""How a target talks with its test: facts out as JSON lines, one line in to go on."""
import json
import sys


def say(**facts):
    sys.stdout.write(json.dumps(facts) + "\n")
    sys.stdout.flush()


def wait():
    """The next word of the test; the end of the input is the end of the story."""
    line = sys.stdin.readline()
    if not line:
        sys.exit(0)
    return line.strip()
