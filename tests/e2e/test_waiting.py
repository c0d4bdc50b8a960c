"""Blocks that were freed and wait for the next birth of their size."""
from harness import Case

COUNT, ROUNDS, WAITING = 64, 5, range(7, 12)


class Waiting(Case):
    def play(self, slotted, plain, **env):
        """
        Which numbers of blocks may wait of each kind of object, of 40 bytes and of 16.  Fewer do in
        a round in which a thread's list of recent blocks was looked at, so the most are compared.
        """
        session = self.start("waiting.py", str(ROUNDS), env=env)
        session.read()
        self.mark(session)
        falls = []
        for _ in range(ROUNDS):
            falls.append(session.ask()["fall"])
            self.mark(session)
        for fall, waiting in zip(zip(*falls), (slotted, plain)):
            self.assertIn(COUNT - min(fall), waiting)
        session.finish()

    def test_a_few_of_each_size_wait(self):
        """Those of one size, and what the counting itself takes and drops."""
        if self.python.info < (3, 13, 3):
            self.play(WAITING, WAITING)
        else:
            # of many that die together one in 32 (preload/nursery.h); an object of 16 bytes leaves no
            # room to say its block's size: those do not wait
            self.play(range(1, 6), range(-2, 5))

    def test_none_wait_in_front_of_another_allocator(self):
        """With checks of its own, which need every free; plain malloc() counts no blocks."""
        self.play([0], [0], PYTHONMALLOC="pymalloc_debug")
