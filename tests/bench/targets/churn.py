"""Creates and destroys objects of one kind, nothing else; prints the CPU seconds it took."""
import sys
import time


class Item:
    def __init__(self):
        self.value = None


class Slotted:
    __slots__ = ("value",)


def of_lists(count):
    for _ in range(count):
        [None, None, None]


def of_dicts(count):
    for _ in range(count):
        {"key": None}


def of_tuples(count):
    item = None
    for _ in range(count):
        (item, item, item)


def of_floats(count):
    number = 0.5
    for _ in range(count):
        number * 1.5


def of_strings(count):
    text = "text"
    for _ in range(count):
        text + text


def of_instances(count):
    for _ in range(count):
        Item()


def of_mixed(count):
    item, text, number = None, "text", 0.5
    for _ in range(count // 6):
        [item]
        {"key": item}
        (item, text)
        Slotted()
        text + text
        number * 1.5


class Point:
    def __init__(self, x, y):
        self.x = x
        self.y = y


def of_records(count):
    for number in range(count // 10):
        point = Point(number, number + 1)
        table = {"point": point, "row": [point, number]}
        text = "%d-%d" % (number, number + 1)
        (point, table, text)


def of_bulk(count):
    for _ in range(count // 1000):
        [(number, 0.5 * number) for number in range(1000)]


def main():
    work, count = globals()["of_" + sys.argv[1]], int(sys.argv[2])
    work(1000)
    started = time.process_time()
    work(count)
    print(time.process_time() - started)


main()
