"""Several threads make and keep objects at the same time, and drop many more."""
import sys
import threading

import story

THREADS = 8
COUNT = 5000


class Made:
    __slots__ = ()


def work(index):
    mine = kept[index]
    for number in range(COUNT):
        mine[number] = Made()  # site: made
        Made(), [number], str(number)


kept = [[None] * COUNT for _ in range(THREADS)]
story.say(ready=True)
story.wait()
sys.setswitchinterval(0.0001)
threads = [threading.Thread(target=work, args=(index,)) for index in range(THREADS)]
for thread in threads:
    thread.start()
for thread in threads:
    thread.join()
story.say(ids=[id(item) for mine in kept for item in mine])
story.wait()
story.say(ready=True)
story.wait()
