"""An ordinary program that tells what it can see of its own process."""
import gc
import os
import subprocess
import sys
import threading
import warnings


def open_files():
    found = []
    for name in os.listdir("/proc/self/fd"):
        try:
            place = os.readlink("/proc/self/fd/" + name)
        except OSError:
            continue  # the directory's own
        found.append((int(name), place.split(":")[0] if ":[" in place else place))
    return sorted(found)


def main():
    print("argv", sys.argv[1:])
    print("flags", sys.flags)
    print("modules", sorted(sys.modules))
    print("files", open_files())
    print("threads", len(os.listdir("/proc/self/task")), threading.active_count())
    print("gc", gc.isenabled(), gc.get_threshold(), gc.get_debug(), gc.garbage)
    print("trace", sys.gettrace(), sys.getprofile())
    print("environ", sorted(key for key in os.environ if key not in ("LD_PRELOAD", "TIDEMARK")))
    print("stdin", repr(sys.stdin.read()))
    print("child", subprocess.check_output([sys.executable, "-c", "print(6 * 7)"]))
    pid = os.fork()
    if pid == 0:
        print("forked", sum(number for number in range(1000)), flush=True)
        os._exit(0)
    os.waitpid(pid, 0)
    warnings.warn("a warning of the program itself", stacklevel=2)
    print("modules", sorted(sys.modules))
    print("to stderr", file=sys.stderr)


if __name__ == "__main__":
    main()
