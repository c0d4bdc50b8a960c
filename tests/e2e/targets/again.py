"""Replaces itself by exec, as often as it is told, keeping objects in each life."""
import os
import sys

import story


class Life:
    pass


left = int(sys.argv[1])
kept = [Life() for _ in range(100 * (left + 1))]  # site: life
story.say(left=left)
story.wait()
if left:
    os.execv(sys.executable, [sys.executable, __file__, str(left - 1)])
