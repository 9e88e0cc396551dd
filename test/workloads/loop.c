/*
 * Measures what one system call, or one context switch, costs in CPU time: for benchmarks.
 *
 *   loop syscall|error|switch|open|tcp CPU
 *
 * Pins itself to CPU. For every line "N" on stdin it does N getppid calls, or N calls that fail, or N round trips of
 * a byte between two processes over pipes (2 N switches), or N opens of a file that is not there, or N TCP connections to itself, made,
 * accepted and closed, five times, and prints the least CPU nanoseconds per call, switch, open or connection.
 */
#define _GNU_SOURCE
#include <arpa/inet.h>
#include <fcntl.h>
#include <sched.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/prctl.h>
#include <sys/resource.h>
#include <sys/socket.h>
#include <sys/syscall.h>
#include <time.h>
#include <unistd.h>

static int to_peer[2], from_peer[2];
static clockid_t peer_clock;

static double nanoseconds(clockid_t clock)
{
	struct timespec t;

	clock_gettime(clock, &t);
	return t.tv_sec * 1e9 + t.tv_nsec;
}

static double syscalls(long n)
{
	double start = nanoseconds(CLOCK_THREAD_CPUTIME_ID);

	for (long i = 0; i < n; i++)
		syscall(SYS_getppid);
	return (nanoseconds(CLOCK_THREAD_CPUTIME_ID) - start) / n;
}

static double errors(long n)
{
	double start = nanoseconds(CLOCK_THREAD_CPUTIME_ID);

	for (long i = 0; i < n; i++)
		syscall(SYS_close, -1);
	return (nanoseconds(CLOCK_THREAD_CPUTIME_ID) - start) / n;
}

static double opens(long n)
{
	double start = nanoseconds(CLOCK_THREAD_CPUTIME_ID);

	for (long i = 0; i < n; i++)
		if (open("/kbtop-none", O_RDONLY | O_CLOEXEC) >= 0)
			exit(1);
	return (nanoseconds(CLOCK_THREAD_CPUTIME_ID) - start) / n;
}

static int listener;
static struct sockaddr_in listen_address;

static void start_listener(void)
{
	socklen_t bytes = sizeof(listen_address);

	listener = socket(AF_INET, SOCK_STREAM, 0);
	listen_address.sin_family = AF_INET;
	listen_address.sin_addr.s_addr = htonl(INADDR_LOOPBACK);
	if (bind(listener, (void *)&listen_address, bytes) || listen(listener, 16) || getsockname(listener, (void *)&listen_address, &bytes))
		exit(1);
}

static double connections(long n)
{
	double start = nanoseconds(CLOCK_PROCESS_CPUTIME_ID);
	struct linger now = { .l_onoff = 1 };

	for (long i = 0; i < n; i++) {
		int client = socket(AF_INET, SOCK_STREAM, 0), server;

		if (connect(client, (void *)&listen_address, sizeof(listen_address)))
			exit(1);
		server = accept(listener, NULL, NULL);
		if (server < 0)
			exit(1);
		close(server);
		/* With a RST, which leaves no TIME_WAIT to run out of ports by. */
		setsockopt(client, SOL_SOCKET, SO_LINGER, &now, sizeof(now));
		close(client);
	}
	return (nanoseconds(CLOCK_PROCESS_CPUTIME_ID) - start) / n;
}

static double both_cpu(void)
{
	return nanoseconds(CLOCK_PROCESS_CPUTIME_ID) + nanoseconds(peer_clock);
}

static double switches(long n)
{
	double start = both_cpu();
	char byte = 0;

	for (long i = 0; i < n; i++)
		if (write(to_peer[1], &byte, 1) != 1 || read(from_peer[0], &byte, 1) != 1)
			exit(1);
	return (both_cpu() - start) / (2.0 * n);
}

static void start_peer(void)
{
	char byte;
	pid_t peer;

	if (pipe(to_peer) || pipe(from_peer))
		exit(1);
	peer = fork();
	if (peer == 0) {
		prctl(PR_SET_PDEATHSIG, SIGKILL);
		while (read(to_peer[0], &byte, 1) == 1 && write(from_peer[1], &byte, 1) == 1)
			;
		_exit(0);
	}
	if (peer < 0 || clock_getcpuclockid(peer, &peer_clock))
		exit(1);
}

static const struct {
	const char *name;
	void (*start)(void);
	double (*run)(long n);
} modes[] = {
	{ "syscall", NULL, syscalls }, { "error", NULL, errors }, { "switch", start_peer, switches }, { "open", NULL, opens }, { "tcp", start_listener, connections },
};

int main(int argc, char **argv)
{
	unsigned int mode = 0;
	cpu_set_t cpus;
	long n;

	if (argc != 3)
		return 2;
	while (mode < sizeof(modes) / sizeof(modes[0]) && strcmp(argv[1], modes[mode].name))
		mode++;
	if (mode == sizeof(modes) / sizeof(modes[0]))
		return 2;
	CPU_ZERO(&cpus);
	CPU_SET(atoi(argv[2]), &cpus);
	if (sched_setaffinity(0, sizeof(cpus), &cpus))
		return 1;
	setpriority(PRIO_PROCESS, 0, -20);
	if (modes[mode].start)
		modes[mode].start();
	while (scanf("%ld", &n) == 1) {
		double least = 1e18;

		for (int i = 0; i < 5; i++) {
			double ns = modes[mode].run(n);

			if (ns < least)
				least = ns;
		}
		printf("%.2f\n", least);
		fflush(stdout);
	}
	return 0;
}
