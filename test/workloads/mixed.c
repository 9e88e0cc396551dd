/*
 * A bit of everything that the panes watch, in fixed amounts: for the benchmark of all panes together.
 * Usage: mixed CPU. Pins itself to CPU; for each line on stdin does one round and prints the CPU nanoseconds that the
 * round took (both of its processes).
 */
#define _GNU_SOURCE
#include <arpa/inet.h>
#include <fcntl.h>
#include <sched.h>
#include <stdio.h>
#include <stdlib.h>
#include <sys/socket.h>
#include <sys/syscall.h>
#include <sys/wait.h>
#include <time.h>
#include <unistd.h>

enum { CALLS = 200000, SWITCHES = 10000, OPENS = 5000, CONNECTS = 500 };

static int ping[2], pong[2], listener;
static struct sockaddr_in address;
static clockid_t partner_clock;

static void die(const char *what)
{
	perror(what);
	exit(1);
}

static long long ns_of(clockid_t clock)
{
	struct timespec t;

	if (clock_gettime(clock, &t))
		die("clock_gettime");
	return t.tv_sec * 1000000000LL + t.tv_nsec;
}

static void partner(void)
{
	char c;

	while (read(ping[0], &c, 1) == 1)
		if (write(pong[1], &c, 1) != 1)
			die("write");
	_exit(0);
}

static void connect_once(void)
{
	int out = socket(AF_INET, SOCK_STREAM, 0), in;

	if (out < 0 || connect(out, (struct sockaddr *)&address, sizeof(address)))
		die("connect");
	in = accept(listener, NULL, NULL);
	if (in < 0)
		die("accept");
	/* RST instead of TIME_WAIT, so that rounds do not use up the ports. */
	struct linger abort_on_close = { .l_onoff = 1, .l_linger = 0 };

	setsockopt(out, SOL_SOCKET, SO_LINGER, &abort_on_close, sizeof(abort_on_close));
	close(out);
	close(in);
}

static long long round_ns(void)
{
	long long begin = ns_of(CLOCK_PROCESS_CPUTIME_ID) + ns_of(partner_clock);
	char c = 0;

	for (int i = 0; i < CALLS; i++)
		syscall(SYS_getppid);
	for (int i = 0; i < SWITCHES / 2; i++)
		if (write(ping[1], &c, 1) != 1 || read(pong[0], &c, 1) != 1)
			die("pipe");
	for (int i = 0; i < OPENS; i++)
		close(open(i % 10 ? "/dev/null" : "/nonexistent", O_RDONLY | O_CLOEXEC));
	for (int i = 0; i < CONNECTS; i++)
		connect_once();
	return ns_of(CLOCK_PROCESS_CPUTIME_ID) + ns_of(partner_clock) - begin;
}

int main(int argc, char **argv)
{
	socklen_t length = sizeof(address);
	cpu_set_t cpus;
	char line[64];
	pid_t child;

	if (argc != 2)
		return 2;
	CPU_ZERO(&cpus);
	CPU_SET(atoi(argv[1]), &cpus);
	if (sched_setaffinity(0, sizeof(cpus), &cpus))
		die("sched_setaffinity");
	address.sin_family = AF_INET;
	address.sin_addr.s_addr = htonl(INADDR_LOOPBACK);
	listener = socket(AF_INET, SOCK_STREAM | SOCK_CLOEXEC, 0);
	if (listener < 0 || bind(listener, (struct sockaddr *)&address, sizeof(address)) || listen(listener, 128) ||
	    getsockname(listener, (struct sockaddr *)&address, &length))
		die("listen");
	if (pipe(ping) || pipe(pong))
		die("pipe");
	child = fork();
	if (child < 0)
		die("fork");
	if (child == 0) {
		close(ping[1]);
		partner();
	}
	close(ping[0]);
	if (clock_getcpuclockid(child, &partner_clock))
		die("clock_getcpuclockid");
	while (fgets(line, sizeof(line), stdin)) {
		printf("%lld\n", round_ns());
		fflush(stdout);
	}
	close(ping[1]);
	return waitpid(child, NULL, 0) == child ? 0 : 1;
}
