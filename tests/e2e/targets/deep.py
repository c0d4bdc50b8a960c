"""Nests containers 100,000 deep, drops them, nests as many again, and drops these."""
import story

DEPTH = 100000


class Node:
    __slots__ = ("next",)


class Link:
    pass


def lists():
    rows = None
    for _ in range(DEPTH):
        rows = [rows]  # site: list
    return rows


def tuples():
    rows = ()
    for _ in range(DEPTH):
        rows = (rows, None)  # site: tuple
    return rows


def dicts():
    rows = None
    for _ in range(DEPTH):
        rows = {"next": rows}  # site: dict
    return rows


def nodes():
    first = None
    for _ in range(DEPTH):
        node = Node()  # site: node
        node.next = first
        first = node
    return first


def links():
    first = None
    for _ in range(DEPTH):
        link = Link()  # site: link
        link.next = first
        first = link
    return first


def main():
    story.say(ready=True)
    for _ in range(2):
        story.wait()  # the test sets a mark between any two steps
        kept = [lists(), tuples(), dicts(), nodes(), links()]
        story.say(depth=DEPTH)
        story.wait()
        kept.clear()
        story.say(ready=True)
    story.wait()


main()
