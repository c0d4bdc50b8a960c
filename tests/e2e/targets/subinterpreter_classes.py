"""Two classes, one of a sub-interpreter, that name another module once they have instances."""
import story

try:
    import _interpreters as interpreters  # 3.13
except ImportError:
    try:
        import _xxsubinterpreters as interpreters  # 3.8 to 3.12
    except ImportError:
        interpreters = None

KEPT = 500
BODY = f"""
class Other:
    pass


others = [Other() for _ in range({KEPT})]
for number in range(20000):
    row = [number], {{"key": number}}
"""


class Own:
    pass


def churn():
    """Blocks that live on for a while: those that die at once give theirs to the next."""
    rows = [([number], {"key": number}) for number in range(20000)]
    rows.clear()


def main():
    story.say(interpreters=bool(interpreters))
    story.wait()  # mark 1
    own = [Own() for _ in range(KEPT)]  # site: own
    churn()  # their types are looked at
    sub = interpreters.create()
    interpreters.run_string(sub, BODY)
    Own.__module__ = "later"
    interpreters.run_string(sub, "Other.__module__ = 'later'")
    story.say(own=len(own))
    story.wait()  # mark 2
    interpreters.destroy(sub)
    story.say(own=len(own))
    story.wait()


main()
