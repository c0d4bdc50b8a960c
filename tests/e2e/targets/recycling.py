"""Objects of types that recycle their memory by themselves: made, dropped and made again."""
import gc

import recycle
import story


class Child(recycle.Tracked):
    __slots__ = ()


KINDS = (recycle.Counted, recycle.Tracked, recycle.LinkedByType, recycle.LinkedByCount,
         recycle.Plain, recycle.Derived, Child)
COUNT = 100


def first(kind):
    return [kind() for _ in range(COUNT)]  # site: first


def second(kind):
    return [kind() for _ in range(COUNT)]  # site: second


def name(kind):
    return f"{kind.__module__}.{kind.__qualname__}"


def places(kept):
    return {name(kind): [id(item) for item in items] for kind, items in kept.items()}


def to_trash(kind):
    """Dies when the next mark collects."""
    trash = [kind() for _ in range(COUNT)]  # site: trash
    found = [id(item) for item in trash]
    trash.append(trash)
    return found


def main():
    gc.disable()
    story.say(ready=True)
    story.wait()  # mark 1
    kept = {kind: first(kind) for kind in KINDS}
    story.say(ids=places(kept))
    story.wait()  # mark 2
    kept.clear()
    story.say(ids={})
    story.wait()  # mark 3
    kept = {kind: second(kind) for kind in KINDS}
    story.say(ids=places(kept))
    story.wait()  # mark 4
    del kept[recycle.Counted], kept[recycle.Derived]
    # from the list that both share, objects of one type in the places of the other's
    kept[recycle.Derived] = [recycle.Derived() for _ in range(2 * COUNT)]
    story.say(ids=places({recycle.Derived: kept[recycle.Derived]}))
    story.wait()  # mark 5
    story.say(ids={name(recycle.Tracked): to_trash(recycle.Tracked)})
    story.wait()  # mark 6, whose collection takes them
    story.say(ids={})
    story.wait()


main()
