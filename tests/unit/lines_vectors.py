"""Write lines_vectors.inc: what interpreters themselves say about their line tables.

    python3 tests/unit/lines_vectors.py PYTHON... > tests/unit/lines_vectors.inc

Each PYTHON compiles SOURCE, and for every code object in it prints its raw table and, for
every instruction, the line PyCode_Addr2Line() names, which is what tracebacks show.  Where
the interpreter has co_lines(), both must agree before anything is printed.
"""

import subprocess
import sys

SOURCE = r'''"""docstring
over two lines"""
import functools


def deco(*args, **kw):
    return lambda f: f


@deco(
    1,
    key=[
        x
        for x in (1, 2)
        if x
    ],
)
@functools.lru_cache(
    maxsize=None)
def decorated(
        a=dict(
            b=1),
        *args,
        c: "int" = 3):
    return (
        a,
        [
            y for y in range(3)
            if y
            for z in (
                1,
                2)
        ],
        {k: v
         for k, v in zip("ab",
                         "cd")},
    )


def multi_line_calls(obj):
    value = obj.first(
        obj.second(
            1
        ),
        key=obj.third(lambda: (
            1,
            2)),
    ).fourth(
        *[
            5,
        ],
        **{
            "six": 6
        }
    )
    return value


def control(n):
    try:
        for i in range(n):
            while i:
                try:
                    i -= 1
                    if i == 3:
                        continue
                    elif i == 4: break
                except (ValueError,
                        KeyError) as e:
                    raise RuntimeError(
                        "x"
                    ) from e
                finally:
                    n += 1
            else:
                n = 2
    except BaseException:
        pass
    else:
        n = 4
    finally:
        with open("x") as f, \
                open("y") as g:
            print(f,
                  g)
    return n if n else (
        None)


async def coroutine(it):
    async with it as a:
        async for x in a:
            yield await x
    result = [y async for y in it
              if await y]
    try:
        await result[0]
    finally:
        await it


def closure(a, b):
    c = a

    def inner():
        nonlocal c
        c = b
        return [lambda: c for _ in
                (a, b)]
    class Local(
            dict,
            metaclass=type):
        """x"""
        field = [
            1]

        def method(self): return super().__init__(
            self)
        __slots__ = ()
    return inner, Local


def generator():
    x = yield
    try:
        x = yield from (
            generator())
    finally:
        yield (
            x)


def far():
    a = [1,
''' + "\n" * 300 + r'''         2,
         f"{1 + 1} {len('x')}"]
    if (a and
''' + "\n" * 140 + r'''            not a or
            a[0]): return a
''' + "\n".join("    a.append((%d, a, [a]))" % i for i in range(70)) + r'''
    assert a, (
        "no")
    del a; return
lambda: (lambda: [
    0])
'''

INSIDE = r'''
import ctypes, sys

addr2line = ctypes.pythonapi.PyCode_Addr2Line
addr2line.argtypes = (ctypes.py_object, ctypes.c_int)
addr2line.restype = ctypes.c_int


def codes(code):
    yield code
    for const in code.co_consts:
        if hasattr(const, "co_code"):
            yield from codes(const)


def agree(code, lines):
    for start, end, line in code.co_lines():
        for offset in range(start, end, 2):
            assert lines[offset // 2] == (-1 if line is None else line)


def spans(lines):
    last = None
    for i, line in enumerate(lines):
        if line != last:
            yield "%d:%d" % (2 * i, max(line, 0))
        last = line


version = sys.version_info[:2]
name, table = (("LNOTAB", "co_lnotab") if version < (3, 10) else
               ("LINETABLE" if version < (3, 11) else "LOCATIONS", "co_linetable"))
for code in codes(compile(sys.stdin.read(), "nasty.py", "exec")):
    lines = [addr2line(code, offset) for offset in range(0, len(code.co_code), 2)]
    if hasattr(code, "co_lines"):
        agree(code, lines)
    print('{"%d.%d %s", TM_LINES_%s, %d, %d,\n "%s",\n "%s"},' % (
        version + (code.co_name, name, code.co_firstlineno, len(code.co_code),
                   getattr(code, table).hex(), " ".join(spans(lines)))))
'''


def main():
    print("/* Written by lines_vectors.py from the interpreters themselves. */")
    for python in sys.argv[1:]:
        done = subprocess.run([python, "-c", INSIDE], input=SOURCE, stdout=subprocess.PIPE,
                              universal_newlines=True, check=True)
        sys.stdout.write(done.stdout)


if __name__ == "__main__":
    main()
