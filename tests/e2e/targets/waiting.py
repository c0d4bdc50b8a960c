"""Drops objects of one size, and says by how much the interpreter's count of blocks falls."""
import array
import sys

import story

COUNT = 64


class Slotted:
    __slots__ = ("one", "two", "three")


def fall(make):
    kept, blocks = [None] * COUNT, array.array("q", [0, 0])  # no object holds a count meanwhile
    for number in range(COUNT):
        kept[number] = make()
    blocks[0] = sys.getallocatedblocks()
    for number in range(COUNT):
        kept[number] = None
    blocks[1] = sys.getallocatedblocks()
    return blocks[0] - blocks[1]


def main():
    story.say(ready=True)
    story.wait()
    for _ in range(int(sys.argv[1])):
        story.say(fall=[fall(Slotted), fall(object)])
        story.wait()


main()
