"""Keeps a known number of objects made on known lines, among many that it drops."""
import sys

import story

COUNT = 1000


class Thing:
    pass


class Slotted:
    __slots__ = ("value",)


def churn(count):
    for number in range(count):
        thing = Thing()  # site: churn_thing
        table = {"key": number}  # site: churn_dict
        text = "short-lived %d" % number  # site: churn_str
        row = [number]  # site: churn_list
    del thing, table, text, row


def fill(keep):
    for index in range(COUNT):
        keep["things"][index] = Thing()  # site: thing
        keep["slotted"][index] = Slotted()  # site: slotted
        keep["empty"][index] = {}  # site: empty_dict
        keep["full"][index] = {"key": None}  # site: full_dict
        keep["strings"][index] = "kept string number %d" % index  # site: string


def facts(keep):
    return {name: {"ids": [id(item) for item in items],
                   "bytes": sum(sys.getsizeof(item) for item in items)}
            for name, items in keep.items()}


def main():
    keep = {name: [None] * COUNT for name in ("things", "slotted", "empty", "full", "strings")}
    churn(1000)
    story.say(ready=True)
    story.wait()  # the test sets a mark
    churn(25 * COUNT // 2)
    fill(keep)
    churn(25 * COUNT // 2)
    story.say(**facts(keep))
    story.say(ready=True)  # what told the facts is gone by now
    story.wait()  # and another
    story.say(ready=True)
    story.wait()


main()
