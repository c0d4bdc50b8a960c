"""Objects made in every way that Python code has of running; each knows from where: framed.py."""
import asyncio
import functools
import threading

import story
from framed import Thing, keep, kept

def number(*_):
    return 1


def calls_over_lines():
    keep(
        Thing(
            number(),
            key=number(
                2,
            ),
        )
    )
    keep(number(1) and
         Thing() or
         number(2))
    first = Thing(); second = Thing()  # noqa: E702
    keep(first), keep(second)
    kept.extend([Thing(), Thing(),
                 Thing()])
    kept.extend({"one": Thing(),
                 "two": Thing()}.values())
    text = f"{keep(Thing())}" f"""
        {keep(Thing())}"""
    if (thing := Thing()) and text:
        keep(thing)
    keep(*[Thing()], **{})
    value = (number() +
             len([keep(Thing())]) +
             number())
    assert value, keep(Thing())
    return keep(Thing())


def comprehensions():
    kept.extend([Thing() for _ in range(3)])
    kept.extend({Thing() for _ in range(3)})
    kept.extend({index: Thing()
                 for index in range(3)}.values())
    kept.extend(Thing() for _ in range(3))
    kept.extend([Thing()
                 for outer in [[1, 2], [3]]
                 for _ in outer
                 if keep(Thing())])


def decorator(thing):
    def decorate(function):
        return function
    keep(thing)
    return decorate


@decorator(Thing())
@decorator(
    Thing())
def decorated(default=keep(Thing()), *,
              other=keep(Thing())):
    return default, other


class Body:
    attribute = keep(Thing())
    many = [keep(Thing()) for _ in range(2)]

    @property
    def of_property(self):
        return keep(Thing())

    def __getattr__(self, name):
        return keep(Thing())

    def __getitem__(self, index):
        return keep(Thing())

    def __lt__(self, other):
        keep(Thing())
        return False

    def __enter__(self):
        return keep(Thing())

    def __exit__(self, *_):
        keep(Thing())

    def __del__(self):
        keep(Thing())


def by_way_of_c():
    sorted([3, 1, 2], key=lambda _: number(keep(Thing())))
    list(map(lambda _: keep(Thing()), range(2)))
    functools.reduce(lambda *_: keep(Thing()), range(3))
    functools.partial(keep, Thing())()
    body = Body()
    body.of_property, body.anything, body[0]
    sorted([body, Body()])
    with body:
        keep(Thing())
    del body
    max([1, 2], key=lambda _: len([keep(Thing())]))
    kept.extend(map(Thing, range(2)))


def branches(depth=3):
    try:
        keep(Thing())
        raise ValueError
    except ValueError:
        keep(Thing())
    finally:
        keep(Thing())
    for _ in range(2):
        while True:
            keep(Thing())
            break
    else:
        keep(Thing())
    if depth:
        branches(depth - 1)


def numbers():
    keep(Thing())
    received = yield keep(Thing())
    keep(Thing())
    yield received
    keep(Thing())


def delegating():
    yield from numbers()


def resume(generator):
    return next(generator, None)


def generators():
    for make in (numbers, delegating):
        generator = make()
        next(generator)
        resume(generator)
        list(generator)


async def waits(turn):
    keep(Thing())
    await asyncio.sleep(0)
    keep(Thing())
    async for _ in asynchronous(turn):
        keep(Thing())


async def asynchronous(turn):
    for _ in range(turn):
        keep(Thing())
        yield
        await asyncio.sleep(0)


async def gathered():
    await asyncio.gather(waits(1), waits(2))


def in_threads():
    threads = [threading.Thread(target=comprehensions) for _ in range(3)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()


def generated():
    exec(compile("\n\nkeep(Thing())\ndef inner():\n\n    return keep(Thing())\ninner()\n",
                 "<generated>", "exec"), globals())
    keep(eval("Thing()"))
    # code objects that die, and others at their addresses
    for turn in range(300):
        source = "\n" * (turn % 7) + "keep(Thing())" + "; number()" * (turn % 3)
        exec(compile(source, f"<generated {turn}>", "exec"), globals())


def main():
    story.say(ready=True)
    story.wait()
    calls_over_lines()
    comprehensions()
    decorated()
    by_way_of_c()
    branches()
    generators()
    asyncio.run(gathered())
    in_threads()
    generated()
    story.say(things={hex(id(thing)): thing.stack for thing in kept})
    story.wait()


main()
