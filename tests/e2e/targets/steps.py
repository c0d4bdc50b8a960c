"""Does one step for each word it gets: `make N`, `drop N`, `mark NAME`, `leak N`, `quit`."""
import ctypes
import sys

import story


class Item:
    __slots__ = ("value",)


def make(kept, count):
    for _ in range(count):
        kept.append(Item())  # site: item


def mark(name):
    """Sets a mark through the exported C function; its result."""
    function = ctypes.CDLL(None).tidemark_mark
    function.argtypes = [ctypes.c_char_p]
    return function(name.encode() if name else None)


kept = []


def main():
    make(kept, 10)
    del kept[:]
    story.say(ready=True)
    while True:
        word, _, rest = story.wait().partition(" ")
        answer = True
        if word == "make":
            make(kept, int(rest))
        elif word == "drop":
            del kept[:int(rest)]
        elif word == "mark":
            answer = mark(rest)
        elif word == "ids":
            answer = [id(item) for item in kept]
        elif word == "quit":
            sys.exit(int(rest or 0))
        story.say(answer=answer)


main()
