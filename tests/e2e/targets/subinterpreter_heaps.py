"""Sub-interpreters, by turns and at the same time, each making and dropping blocks.

Argument: "free", as they are by default; "shared", with heaps of their own under one lock (3.13).
"""
import sys
import threading

try:
    import _interpreters as interpreters  # 3.13
except ImportError:
    import _xxsubinterpreters as interpreters  # 3.8 to 3.12

ROUNDS, THREADS = 3, 4
CODE = """
class Item:
    def __init__(self, number):
        self.row = [number, 1.5 * number]
        self.table = {"number": "text %d" % number}


for number in range(5000):
    item = Item(number)
kept = [Item(number) for number in range(5000)]
"""


def create(lock):
    if lock == "shared":
        return interpreters.create(interpreters.new_config("isolated", gil="shared"))
    return interpreters.create()


def play(lock):
    for _ in range(ROUNDS):
        exec(CODE, {})
        sub = create(lock)
        interpreters.run_string(sub, CODE)
        exec(CODE, {})
        interpreters.destroy(sub)


def main():
    lock = sys.argv[1]
    threads = [threading.Thread(target=play, args=(lock,)) for _ in range(THREADS)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    print("done")


main()
