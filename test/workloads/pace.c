/*
 * Makes getppid calls at a steady rate: for ring-buffer benchmarks and tests.
 *
 *   pace [CPU]
 *
 * For every line "N RATE" on stdin it makes N calls at RATE per second (0: as fast as it can) and prints
 * "N MILLISECONDS". What it misses while it has no CPU it catches up in steps of at most 1 ms worth of calls.
 */
#define _GNU_SOURCE
#include <sched.h>
#include <stdio.h>
#include <stdlib.h>
#include <sys/syscall.h>
#include <time.h>
#include <unistd.h>

static double seconds(void)
{
	struct timespec t;

	clock_gettime(CLOCK_MONOTONIC, &t);
	return t.tv_sec + t.tv_nsec / 1e9;
}

static void calls(long n)
{
	while (n-- > 0)
		syscall(SYS_getppid);
}

static void paced(long n, double rate)
{
	double start = seconds();
	long made = 0;

	while (made < n) {
		long due = (seconds() - start) * rate, step = due - made;
		const struct timespec nap = { .tv_nsec = 50000 };

		if (step > rate / 1000)
			step = rate / 1000;
		if (step > n - made)
			step = n - made;
		calls(step);
		made += step;
		/* Slow enough to sleep between the steps; beyond that, spin. */
		if (made >= due && rate < 500000)
			nanosleep(&nap, NULL);
	}
}

int main(int argc, char **argv)
{
	long n;
	double rate;

	if (argc > 2)
		return 2;
	if (argc == 2) {
		cpu_set_t cpus;

		CPU_ZERO(&cpus);
		CPU_SET(atoi(argv[1]), &cpus);
		if (sched_setaffinity(0, sizeof(cpus), &cpus))
			return 1;
	}
	while (scanf("%ld %lf", &n, &rate) == 2) {
		double start = seconds();

		if (rate > 0)
			paced(n, rate);
		else
			calls(n);
		printf("%ld %.1f\n", n, (seconds() - start) * 1000);
		fflush(stdout);
	}
	return 0;
}
