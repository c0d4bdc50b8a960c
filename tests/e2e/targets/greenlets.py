"""Objects made in greenlets that switch to and fro, on one thread and on three."""
import threading

import story
from framed import Thing, keep, kept

try:
    import greenlet
except ImportError:
    greenlet = None

COUNT = 50


def deep(depth, pause):
    """The same function at other depths, so that stacks of greenlets could be mixed up."""
    keep(Thing())
    if depth:
        deep(depth - 1, pause)
    else:
        pause()
    keep(
        Thing()
    )


def generated(pause):
    for _ in range(2):
        yield keep(Thing())
        pause()
        yield keep(Thing())


def work(number, pause):
    deep(number % 5, pause)
    for thing in generated(pause):
        keep(Thing())
    pause()
    return keep(Thing())


def rounds():
    """All are in the middle of something at any time; each switch goes to the hub and back."""
    hub = greenlet.getcurrent()
    every = [greenlet.greenlet(work) for _ in range(COUNT)]
    for number, one in enumerate(every):
        one.switch(number, hub.switch)
    while every:
        for one in every:
            keep(Thing())
            one.switch()
        every = [one for one in every if not one.dead]


def ring():
    """One greenlet starts the next, which is its child."""
    def link(left):
        keep(Thing())
        if left:
            greenlet.greenlet(link).switch(left - 1)
        keep(Thing())
    greenlet.greenlet(link).switch(COUNT)


def main():
    story.say(greenlet=greenlet.__version__ if greenlet else None)
    story.wait()
    rounds()
    ring()
    threads = [threading.Thread(target=rounds) for _ in range(3)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    story.say(things={hex(id(thing)): thing.stack for thing in kept})
    story.wait()


main()
