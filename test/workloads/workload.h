/*
 * What all workloads share. Arguments are cgroup.procs files: join them, then read commands, one per line, and
 * answer each with one line. End of input ends the program.
 */
#ifndef WORKLOAD_H
#define WORKLOAD_H

#define _GNU_SOURCE

#include <errno.h>
#include <fcntl.h>
#include <stdarg.h>
#include <stdbool.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#define MAX_WORDS 64
#define countof(a) (sizeof(a) / sizeof((a)[0]))

static void die(const char *what)
{
	perror(what);
	exit(1);
}

static void answer(const char *format, ...)
{
	va_list args;

	va_start(args, format);
	vprintf(format, args);
	va_end(args);
	putchar('\n');
	fflush(stdout);
}

static void join_cgroups(int argc, char **argv)
{
	for (int i = 1; i < argc; i++) {
		int fd = open(argv[i], O_WRONLY | O_CLOEXEC);

		if (fd < 0 || write(fd, "0", 1) != 1)
			die(argv[i]);
		close(fd);
	}
}

/* Calls `run` with the words of each command. */
static int serve(int argc, char **argv, void (*run)(int words, char **word))
{
	static char line[16384];

	join_cgroups(argc, argv);
	while (fgets(line, sizeof(line), stdin)) {
		char *word[MAX_WORDS] = { 0 }, *save = NULL;
		int words = 0;

		for (char *w = strtok_r(line, " \n", &save); w && words < MAX_WORDS; w = strtok_r(NULL, " \n", &save))
			word[words++] = w;
		if (words == 0)
			continue;
		if (!strcmp(word[0], "pid"))
			answer("%d", getpid());
		else
			run(words, word);
	}
	return 0;
}

#endif
