"""Forks; parent and child keep different numbers of objects, step by step."""
import os
import sys

import story


class Before:
    pass


class Parent:
    pass


class Child:
    pass


class Grandchild:
    pass


def child_story(read_end, write_end):
    """The child's part; a byte on the pipe makes it go on."""
    kept = [Child() for _ in range(500)]  # site: child
    del inherited[:100]
    pid = os.fork()
    if pid == 0:
        kept = [Grandchild() for _ in range(50)]  # site: grandchild
        os.write(write_end, b"g")
        os.read(read_end, 1)
        os._exit(len(kept) - 50)
    os.write(write_end, b"c")
    os.read(read_end, 1)
    os.waitpid(pid, 0)
    os._exit(len(kept) - 500)


inherited = [Before() for _ in range(200)]  # site: before
to_child = os.pipe()
to_parent = os.pipe()
child = os.fork()
if child == 0:
    child_story(to_child[0], to_parent[1])
kept = [Parent() for _ in range(300)]  # site: parent
os.read(to_parent[0], 1)
os.read(to_parent[0], 1)
story.say(child=child)
story.wait()
os.write(to_child[1], b"xx")
status = os.waitpid(child, 0)[1]
story.say(status=status)
story.wait()
