"""Which modules of CPython's test suite are run, and what is known to differ."""
import fnmatch

# What an object recorder may disturb: every built-in type, the collector, finalizers, frames,
# threads, forks, signals, embedding, and programs that look at the interpreter's own memory.
# Where a module was renamed, both names.  What takes longest comes first: nothing then waits for
# it at the end.
MODULES = """
test_asyncio test_multiprocessing_fork test_concurrent_futures test_signal test_io test_subprocess
test_pickle test_cmd_line test_threading test_weakref test_queue test_ctypes test_venv
test_threadsignals test_fork1 test_sys test_faulthandler test_capi test_import test_importlib

test_list test_dict test_tuple test_set test_gc test_generators test_coroutines test_descr
test_class test_functools test_itertools test_collections test_deque test_memoryview test_bytes
test_unicode|test_str test_float test_long test_exceptions test_frame test_code test_tracemalloc
test_embed

test_slice test_complex test_bool test_range test_iter test_enumerate test_array test_struct
test_ordered_dict test_userdict test_userlist test_defaultdict test_dictviews test_weakset
test_copy test_property test_super test_types test_enum test_dataclasses test_asyncgen
test_yield_from test_contextlib test_context test_scope test_trace test_sys_settrace
test_sys_setprofile test_monitoring test_traceback test_inspect test_exception_group
test_except_star test_raise test_with test_call test_funcattrs test_finalization test_json test_re
test_decimal test_zlib test_sqlite|test_sqlite3 test_thread test_threading_local test_wait3
test_wait4 test_posix test_os test_pty test_site test_atexit test_audit
test_interpreters test__interpreters|test__xxsubinterpreters
""".split()

# In CI: modules that are quick, on an interpreter of each kind of adapter.
QUICK_MODULES = """
test_threading test_weakref test_fork1 test_gc test_exceptions test_itertools test_bytes test_set
test_list test_dict test_tuple test_generators test_coroutines test_descr test_class
test_functools test_collections test_deque test_memoryview test_unicode|test_str test_float
test_long test_frame test_code test_tracemalloc test_embed test_threading_local test_atexit
test_asyncgen test_context test_traceback test_finalization
""".split()
QUICK_PYTHONS = ("debian-3.11", "pyenv-3.8", "pyenv-3.12", "sid-3.13", "sid-3.14", "sid-3.15")


class Known:
    """What is not a defect, and why: that a test fails, or that a process of a module has this
    counter not zero.  `pythons` is a glob."""

    def __init__(self, pythons, what, reason):
        self.pythons, self.what, self.reason = pythons, what, reason

    def covers(self, python, what):
        return fnmatch.fnmatch(python.name, self.pythons) and what == self.what


KNOWN = [
    Known("*", "test.test_sys.SysModuleTest.test_debugmallocstats",
          "pymalloc tells its figures only while the object domain is served by it without hooks "
          "(obmalloc.c, _PyMem_PymallocEnabled)"),
    Known("*", "test.test_cmd_line.CmdLineTest.test_python_malloc_stats",
          "the same figures, at exit"),
] + [
    Known("*", "test.test_cmd_line.CmdLineTest.test_" + name,
          "it names the allocators by comparing their functions with CPython's own (obmalloc.c, "
          "_PyMem_GetCurrentAllocatorName), and those of two domains are hooked")
    for name in ("pythonmalloc", "xdev")
]


KNOWN_COUNTERS = [
    Known("*", ("test_cmd_line", "address"),
          "PYTHONMALLOC=mimalloc has blocks of 8 bytes, two of which share a word of the shadow"),
    Known("*", ("test_capi", "freed_live"),
          "check_pyobject_freed_is_freed frees the memory of a live object, and "
          "test_bytes_resize_tracer sets a tracer of its own and puts ours back unnoticed"),
]


def known_failure(python, test):
    """The reason why this test fails with the recorder, if that is known; else None."""
    return _reason(KNOWN, python, test)


def known_counter(python, module, counter):
    """The reason why this counter is not zero after this module, if that is known; else None."""
    return _reason(KNOWN_COUNTERS, python, (module, counter))


def _reason(entries, python, what):
    return next((entry.reason for entry in entries if entry.covers(python, what)), None)
