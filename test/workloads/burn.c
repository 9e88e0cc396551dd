/*
 * Competes for CPUs. Commands, each answered by one line when all is over:
 *
 *   start N         N threads that do nothing until told
 *   burn MS         every thread burns CPU for MS milliseconds of wall time, then rests
 *   wake MS US      every thread sleeps and wakes, burning US microseconds in between, for MS milliseconds
 *   exits N US      N child processes, one after the other, that burn US microseconds and end
 *   pin CPU         this process and the threads it starts from now on
 *   nice N          the same
 */
#include "workload.h"
#include <pthread.h>
#include <sched.h>
#include <sys/resource.h>
#include <sys/wait.h>
#include <time.h>

#define MAX_THREADS 64

static pthread_t threads[MAX_THREADS];
static int count;
static pthread_barrier_t begin, over;
static long burn_ms, burst_us;
static bool waking;

static double now_us(void)
{
	struct timespec t;

	clock_gettime(CLOCK_MONOTONIC, &t);
	return t.tv_sec * 1e6 + t.tv_nsec / 1e3;
}

static void burn(double us)
{
	double until = now_us() + us;

	while (now_us() < until)
		for (volatile int i = 0; i < 1000; i++)
			;
}

static void *work(void *argument)
{
	for (;;) {
		double until;

		pthread_barrier_wait(&begin);
		until = now_us() + burn_ms * 1e3;
		if (!waking)
			burn(burn_ms * 1e3);
		while (waking && now_us() < until) {
			burn(burst_us);
			usleep(200);
		}
		pthread_barrier_wait(&over);
	}
	return argument;
}

static void start(int n)
{
	count = n < MAX_THREADS ? n : MAX_THREADS;
	pthread_barrier_init(&begin, NULL, count + 1);
	pthread_barrier_init(&over, NULL, count + 1);
	for (int i = 0; i < count; i++)
		if (pthread_create(&threads[i], NULL, work, NULL))
			die("pthread_create");
}

static void exits(int n, long us)
{
	while (n-- > 0) {
		pid_t child = fork();

		if (child == 0) {
			burn(us);
			_exit(0);
		}
		if (child < 0 || waitpid(child, NULL, 0) != child)
			die("fork");
	}
}

static void run(int words, char **word)
{
	long first = words > 1 ? atol(word[1]) : 0, second = words > 2 ? atol(word[2]) : 0;

	if (!strcmp(word[0], "start")) {
		start(first);
	} else if (!strcmp(word[0], "burn") || !strcmp(word[0], "wake")) {
		burn_ms = first;
		burst_us = second;
		waking = word[0][0] == 'w';
		pthread_barrier_wait(&begin);
		pthread_barrier_wait(&over);
	} else if (!strcmp(word[0], "exits")) {
		exits(first, second);
	} else if (!strcmp(word[0], "pin")) {
		cpu_set_t cpus;

		CPU_ZERO(&cpus);
		CPU_SET(first, &cpus);
		if (sched_setaffinity(0, sizeof(cpus), &cpus))
			die("sched_setaffinity");
	} else if (!strcmp(word[0], "nice")) {
		if (setpriority(PRIO_PROCESS, 0, first))
			die("setpriority");
	} else {
		errno = EINVAL;
		die(word[0]);
	}
	answer("0");
}

int main(int argc, char **argv)
{
	return serve(argc, argv, run);
}
