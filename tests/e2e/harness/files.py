"""Looking at recordings as files; they are sparse and of gigabytes, so only where data is."""
import hashlib
import os


def data_ranges(path):
    """Where a sparse file has data: [(start, end)]."""
    ranges, end = [], 0
    with open(path, "rb") as file:
        size = os.fstat(file.fileno()).st_size
        while end < size:
            try:
                start = os.lseek(file.fileno(), end, os.SEEK_DATA)
            except OSError:  # no data after this
                break
            end = os.lseek(file.fileno(), start, os.SEEK_HOLE)
            ranges.append((start, end))
    return ranges


def digest(path):
    """A hash of what is in it and where."""
    total = hashlib.sha256(str(os.path.getsize(path)).encode())
    with open(path, "rb") as file:
        for start, end in data_ranges(path):
            total.update(b"%d-%d" % (start, end))
            file.seek(start)
            while start < end:
                block = file.read(min(1 << 20, end - start))
                total.update(block)
                start += len(block)
    return total.hexdigest()
