"""Which modules of CPython's test suite are run, and what is known to differ."""
import fnmatch

# What an object recorder may disturb: every built-in type, the collector, finalizers, frames,
# threads, forks, signals, embedding, and programs that look at the interpreter's own memory.
# Where a module was renamed, both names.
MODULES = """
test_list test_dict test_tuple test_set test_gc test_weakref test_generators test_coroutines
test_descr test_class test_functools test_itertools test_collections test_deque test_memoryview
test_bytes test_unicode|test_str test_float test_long test_exceptions test_frame test_code
test_threading test_asyncio test_subprocess test_signal test_fork1 test_tracemalloc test_embed

test_slice test_complex test_bool test_range test_iter test_enumerate test_array test_struct
test_ordered_dict test_userdict test_userlist test_defaultdict test_dictviews test_frozendict
test_weakset test_copy test_pickle test_property test_super test_types test_enum test_dataclasses
test_asyncgen test_yield_from test_contextlib test_context test_scope test_trace
test_sys_settrace test_sys_setprofile test_monitoring test_traceback test_inspect
test_exception_group test_except_star test_raise test_with test_call test_funcattrs
test_finalization test_io test_json test_re test_decimal test_zlib test_ctypes
test_sqlite test_sqlite3 test_queue test_thread test_threading_local test_threadsignals
test_concurrent_futures test_multiprocessing_fork test_multiprocessing_spawn test_wait3 test_wait4
test_posix test_os test_pty test_import test_importlib test_cmd_line test_site test_atexit
test_faulthandler test_interpreters test__interpreters test__xxsubinterpreters test_capi test_sys
test_audit test_gdb test_dtrace test_unittest test_regrtest test_venv
""".split()

# In CI: the modules that are quick, on an interpreter of each kind of adapter.
QUICK_MODULES = """
test_list test_dict test_tuple test_set test_gc test_weakref test_generators test_coroutines
test_descr test_class test_deque test_memoryview test_float test_exceptions test_frame test_code
test_fork1 test_tracemalloc test_embed test_threading_local test_atexit test_asyncgen test_context
test_traceback test_finalization
""".split()
QUICK_PYTHONS = ("debian-3.11", "pyenv-3.8", "pyenv-3.12", "sid-3.13", "sid-3.14", "sid-3.15")


class Known:
    """A difference that is not a defect, and why."""

    def __init__(self, pythons, test, reason):
        self.pythons, self.test, self.reason = pythons, test, reason

    def covers(self, python, name):
        return fnmatch.fnmatch(name, self.test) and any(
            fnmatch.fnmatch(python.name, glob) for glob in self.pythons)


KNOWN = []


def known(python, name):
    """The reason why this test differs, if that is known; else None."""
    return next((entry.reason for entry in KNOWN if entry.covers(python, name)), None)
