/*
 * Loads a libpython with dlopen(), local to itself, and runs an interpreter in it COUNT times.
 * usage: embed LIBPYTHON COUNT; prints the id of this process first
 */
#include <dlfcn.h>
#include <stdio.h>
#include <stdlib.h>
#include <unistd.h>

static const char program[] = "class Kept: pass\n"
			      "kept = [Kept() for _ in range(321)]\n"
			      "print('ran', flush=True)\n";

int main(int argc, char **argv)
{
	void *library = argc == 3 ? dlopen(argv[1], RTLD_NOW | RTLD_LOCAL) : NULL;
	void (*initialize)(int);
	int (*run)(const char *);
	int (*finalize)(void);

	if (!library) {
		fprintf(stderr, "embed: %s\n", argc == 3 ? dlerror() : "two arguments");
		return 2;
	}
	*(void **)&initialize = dlsym(library, "Py_InitializeEx");
	*(void **)&run = dlsym(library, "PyRun_SimpleString");
	*(void **)&finalize = dlsym(library, "Py_FinalizeEx");
	printf("%d\n", (int)getpid());
	fflush(stdout);
	for (int i = 0; i < atoi(argv[2]); i++) {
		initialize(0);
		if (run(program) != 0 || finalize() != 0)
			return 1;
	}
	return 0;
}
