"""multiprocessing in the start method it is told; results in order on stdout."""
import multiprocessing
import sys


class Kept:
    pass


kept = []


def work(number):
    kept.append(Kept())
    return number * number


def main():
    multiprocessing.set_start_method(sys.argv[1])
    # Both are there before the work is done, or the pool's end may come before one has begun.
    both = multiprocessing.Barrier(2)
    with multiprocessing.Pool(2, both.wait) as pool:
        print(pool.map(work, range(20)))
    queue = multiprocessing.Queue()
    process = multiprocessing.Process(target=queue.put, args=("from a process",))
    process.start()
    print(queue.get())
    process.join()
    print("exit code", process.exitcode)


if __name__ == "__main__":
    main()
