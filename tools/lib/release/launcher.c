/*
 * bin/kbtop and node of a release: start the Node that lies in lib/, through the loader and with the libraries that lie there.
 * Linked statically, so that it runs where there is no shell, no libc and no /proc. Nothing of the host's libraries is used:
 * what runs is what was tested, and children that kbtop starts see no LD_LIBRARY_PATH.
 *
 * Set by the build: LOADER, file name of the loader in lib/; APP, the bundle to run, for programs in bin/. Without it this is
 * `node` in the release's own directory, whose arguments are Node's: so a process can start itself once more.
 */
#define _GNU_SOURCE
#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/auxv.h>
#include <unistd.h>

static void fail(const char *what, const char *path, const char *advice)
{
	fprintf(stderr, "kbtop: %s %s: %s%s\n", what, path, strerror(errno), advice);
	exit(1);
}

/* `directory`/`name`. Nothing here is ever freed: the program is replaced a moment later. */
static char *join(const char *directory, const char *name)
{
	char *path;

	if (asprintf(&path, "%s/%s", strcmp(directory, "/") == 0 ? "" : directory, name) < 0)
		fail("cannot start", name, "");
	return path;
}

static char *directory_of(const char *path)
{
	const char *slash = strrchr(path, '/');

	if (slash == NULL)
		return ".";
	return slash == path ? "/" : strndup(path, slash - path);
}

/* Where this program is, links followed: as the kernel says, or, where there is no /proc, as it was told to start it. */
static char *own_path(const char *given)
{
	char *path = realpath("/proc/self/exe", NULL);
	const char *told = (const char *)getauxval(AT_EXECFN);

	if (path == NULL)
		path = realpath(told == NULL ? given : told, NULL);
	if (path == NULL)
		fail("cannot find its files by", given, "");
	return path;
}

/* The release's directory. Its links are followed already, so it is the one above in name as well. */
static char *above(char *directory)
{
#ifdef APP
	return directory_of(directory);
#else
	return directory;
#endif
}

static const char *advice(void)
{
	switch (errno) {
	case EACCES: case EPERM: return "; is its file system mounted noexec?";
	case ENOENT: return "; is the release unpacked as a whole?";
	default: return "";
	}
}

int main(int argc, char *argv[])
{
	char *root = above(directory_of(own_path(argc > 0 ? argv[0] : "kbtop"))), *libraries = join(root, "lib"), *loader = join(libraries, LOADER);
	char **args = calloc(argc + 8, sizeof(*args));
	int n = 0;

	if (args == NULL)
		fail("cannot start", loader, "");
	args[n++] = loader;
	/* Beyond lib/ there are at most modules of the host's name service, which kbtop does without. */
	args[n++] = "--inhibit-cache";
	args[n++] = "--library-path";
	args[n++] = libraries;
	args[n++] = join(libraries, "node");
#ifdef APP
	/* This setting and the next as in the bin/kbtop of a checkout, which says why. */
	args[n++] = "--max-semi-space-size=2";
	args[n++] = join(root, APP);
#endif
	for (int i = 1; i < argc; i++)
		args[n++] = argv[i];
	setenv("MALLOC_ARENA_MAX", "1", 0);
	execv(loader, args);
	fail("cannot start", loader, advice());
}
