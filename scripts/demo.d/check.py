"""Checks the demo's reports, read as JSON from stdin.

check.py marks N - exit status 0 once N marks are taken and collected
check.py leaks   - the first three groups are the three leaks, with file and line
"""
import json
import os
import sys

SERVER = os.path.join(os.path.dirname(os.path.abspath(__file__)), "server.py")
# name: the type that piles up, and the line that makes it
LEAKS = {"sessions": ("__main__.Session", "session = Session(user)"),
         "errors": ("builtins.bytes", "body = stream.read(length)"),
         "watchers": ("builtins.function", "def ordered(value):")}


def expected():
    """{(type, line number): name} of the three leaks."""
    with open(SERVER) as source:
        lines = [line.strip() for line in source]
    return {(type_name, lines.index(code) + 1): name for name, (type_name, code) in LEAKS.items()}


def check_marks(report, count):
    taken = [mark for mark in report["marks"] if mark["name"] not in ("start", "exit")]
    return len(taken) >= count and all(mark["collected"] for mark in taken)


def check_leaks(report):
    leaks = expected()
    first = [(group["type"], group["site"]["line"]) for group in report["groups"][:3]
             if group["site"] and os.path.realpath(group["site"]["file"]) == SERVER]
    if sorted(first) != sorted(leaks):
        print("demo: the first three groups are not the three leaks, but",
              [(group["type"], group["site"]) for group in report["groups"][:3]])
        return False
    print("demo: the first three groups are the three leaks:",
          ", ".join("%s (line %d)" % (leaks[key], key[1]) for key in first))
    return True


def main():
    report = json.load(sys.stdin)
    if sys.argv[1] == "marks":
        return 0 if check_marks(report, int(sys.argv[2])) else 1
    return 0 if check_leaks(report) else 1


sys.exit(main())
