"""What each sub-interpreter of subinterpreters.py runs."""
import os


class Kept:
    pass


class Slotted:
    __slots__ = ("value",)


def churn(count):
    for number in range(count):
        text, table, row = "text %d" % number, {"key": number}, [number]
        item = Kept()
    del text, table, row, item


def said():
    os.write(WRITE, b"x")
    os.read(READ, 1)


churn(CHURN)
things = [Kept() for _ in range(KEPT)]  # site: thing
slotted = [Slotted() for _ in range(KEPT)]  # site: slotted
tables = [{"key": number} for number in range(KEPT)]  # site: table
churn(CHURN)
said()
del things[1::2], slotted[1::2], tables[1::2]
churn(CHURN)
said()
