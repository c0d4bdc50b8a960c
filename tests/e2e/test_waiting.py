"""Blocks that were freed and wait for the next birth of their size, where the allocator is followed."""
from harness import Case

COUNT, WAITING = 64, 7


class Waiting(Case):
    def play(self, waiting, **env):
        session = self.start("waiting.py", env=env)
        session.read()
        self.mark(session)
        for _ in range(3):
            for fall in session.ask()["fall"]:
                self.assertIn(COUNT - fall, waiting)
            self.mark(session)
        session.finish()

    def test_a_few_of_each_size_wait(self):
        """Those of one size, and what the counting itself takes and drops."""
        followed = self.python.info < (3, 13, 3)
        self.play(range(WAITING, WAITING + 5) if followed else [0])

    def test_none_wait_in_front_of_another_allocator(self):
        """With checks of its own, which need every free; plain malloc() counts no blocks."""
        self.play([0], PYTHONMALLOC="pymalloc_debug")
