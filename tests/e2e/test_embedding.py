"""Interpreters inside another program: libpython by dlopen(), started late, more than once."""
import os
import subprocess

from harness import Case


class Embedding(Case):
    def library_of_python(self):
        done = subprocess.run([*self.python.command, "-c", "import sysconfig as s; print("
                               "s.get_config_var('LIBDIR'), s.get_config_var('INSTSONAME'), "
                               "s.get_config_var('Py_ENABLE_SHARED'), s.get_config_var('prefix'))"],
                              stdout=subprocess.PIPE, check=True, text=True)
        directory, name, shared, prefix = done.stdout.split()
        path = os.path.join(directory, name)
        if shared != "1" or not os.path.exists(path):
            self.skipTest(f"{self.python.name} has no shared libpython")
        return path, prefix

    def embed(self, count):
        library, prefix = self.library_of_python()
        program = os.path.join(self.scratch, "embed")
        subprocess.run(["cc", "-O1", "-o", program, self.target("embed.c"), "-ldl"], check=True)
        outcomes = [self.run_plain([program, library, count],
                                   self.environment(preload=preload, PYTHONHOME=prefix))
                    for preload in (False, True)]
        plain, mine = outcomes
        said = mine.stdout.decode().split("\n", 1)
        self.assertEqual((mine.returncode, said[1], mine.stderr),
                         (plain.returncode, plain.stdout.decode().split("\n", 1)[1], plain.stderr))
        self.assertEqual(mine.returncode, 0)
        return self.recording_paths(said[0])

    def kept(self, path):
        return sum(group["objects"] for group in self.diff(path, "start", "exit")["groups"]
                   if group["type"] == "__main__.Kept")

    def test_library_loaded_late(self):
        paths = self.embed(1)
        self.assertEqual([self.kept(path) for path in paths], [321])

    def test_a_recording_for_each_initialization(self):
        paths = self.embed(3)
        self.assertEqual([self.kept(path) for path in paths], [321] * 3)
