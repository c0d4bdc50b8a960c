"""Makes and fills holes in the C library's heap: `take N`, `holes`, `free`, `heap`, `objects N`."""
import ctypes

import story

libc = ctypes.CDLL(None)
libc.malloc.restype, libc.malloc.argtypes = ctypes.c_void_p, [ctypes.c_size_t]
libc.free.restype, libc.free.argtypes = None, [ctypes.c_void_p]
FIELDS = "arena ordblks smblks hblks hblkhd usmblks fsmblks uordblks fordblks keepcost"


class Heap(ctypes.Structure):
    _fields_ = [(name, ctypes.c_size_t) for name in FIELDS.split()]


def heap():
    """What mallinfo2() says; None before glibc 2.33."""
    if not hasattr(libc, "mallinfo2"):
        return None
    libc.mallinfo2.restype = Heap
    told = libc.mallinfo2()
    return {"used": told.uordblks + told.hblkhd, "free": told.fordblks,
            "pieces": told.ordblks + told.smblks}


def main():
    blocks, kept = [], []
    story.say(ready=True)
    while True:
        word, _, rest = story.wait().partition(" ")
        if word == "take":
            blocks += [libc.malloc(200) for _ in range(int(rest))]
        elif word == "holes":
            for block in blocks[::2]:
                libc.free(block)
            del blocks[::2]
        elif word == "free":
            for block in blocks:
                libc.free(block)
            del blocks[:]
        elif word == "objects":
            kept.extend([] for _ in range(int(rest)))
        story.say(heap=heap())


main()
