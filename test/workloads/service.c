/*
 * One of many small services of a node. Ends with its stdin.
 *
 *   service ROLE PERIOD_MS PORT CGROUP_PROCS...
 *
 *   idle    waits, and looks at its health now and then
 *   web     answers requests on PORT: reads a file, writes a line of a log
 *   client  asks PORT every PERIOD_MS, give or take a half; one time in fifty a port where nobody listens
 *   worker  every PERIOD_MS computes for up to 2 ms, looks for files, one of them missing
 *   store   every PERIOD_MS appends to a file and syncs it
 *
 * All of them have a second thread that wakes up every 200 ms, as runtimes do.
 */
#define _GNU_SOURCE
#include <arpa/inet.h>
#include <fcntl.h>
#include <pthread.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/epoll.h>
#include <sys/socket.h>
#include <sys/stat.h>
#include <time.h>
#include <unistd.h>

static unsigned seed;
static int period, sink;

static void die(const char *what)
{
	perror(what);
	exit(1);
}

static void nap(long us)
{
	struct timespec t = { us / 1000000, us % 1000000 * 1000 };

	nanosleep(&t, NULL);
}

static long give_or_take_half(long n)
{
	return n / 2 + rand_r(&seed) % (n + 1);
}

static void *heart(void *unused)
{
	(void)unused;
	for (;;)
		nap(200000);
	return NULL;
}

static void *life(void *unused)
{
	char c;

	(void)unused;
	while (read(0, &c, 1) > 0)
		;
	_exit(0);
}

static void read_file(const char *path)
{
	char bytes[4096];
	int fd = open(path, O_RDONLY | O_CLOEXEC);

	if (fd < 0)
		return;
	while (read(fd, bytes, sizeof(bytes)) > 0)
		;
	close(fd);
}

static void say(const char *line)
{
	if (write(sink, line, strlen(line)) < 0)
		die("write");
}

static void spin(long us)
{
	struct timespec t;
	long long end;

	clock_gettime(CLOCK_MONOTONIC, &t);
	end = t.tv_sec * 1000000LL + t.tv_nsec / 1000 + us;
	do {
		for (volatile int i = 0; i < 1000; i++)
			;
		clock_gettime(CLOCK_MONOTONIC, &t);
	} while (t.tv_sec * 1000000LL + t.tv_nsec / 1000 < end);
}

static void web(int port)
{
	struct sockaddr_in at = { .sin_family = AF_INET, .sin_addr.s_addr = htonl(INADDR_LOOPBACK), .sin_port = htons(port) };
	int listener = socket(AF_INET, SOCK_STREAM | SOCK_CLOEXEC | SOCK_NONBLOCK, 0), one = 1, epoll = epoll_create1(EPOLL_CLOEXEC);
	struct epoll_event event = { .events = EPOLLIN, .data.fd = listener };
	char request[1024];

	setsockopt(listener, SOL_SOCKET, SO_REUSEADDR, &one, sizeof(one));
	if (bind(listener, (void *)&at, sizeof(at)) || listen(listener, 64) || epoll_ctl(epoll, EPOLL_CTL_ADD, listener, &event))
		die("listen");
	for (;;) {
		int fd;

		if (epoll_wait(epoll, &event, 1, 1000) <= 0)
			continue;
		if (event.data.fd == listener) {
			fd = accept4(listener, NULL, NULL, SOCK_CLOEXEC);
			if (fd < 0)
				continue;
			event = (struct epoll_event){ .events = EPOLLIN, .data.fd = fd };
			epoll_ctl(epoll, EPOLL_CTL_ADD, fd, &event);
			continue;
		}
		fd = event.data.fd;
		if (recv(fd, request, sizeof(request), 0) > 0) {
			read_file("/etc/hostname");
			send(fd, "HTTP/1.1 200 OK\r\n\r\nok", 21, MSG_NOSIGNAL);
			say("GET / 200\n");
		}
		close(fd);
	}
}

static void ask(int port)
{
	struct sockaddr_in at = { .sin_family = AF_INET, .sin_addr.s_addr = htonl(INADDR_LOOPBACK), .sin_port = htons(port) };
	int fd = socket(AF_INET, SOCK_STREAM | SOCK_CLOEXEC, 0);
	char answered[1024];

	if (connect(fd, (void *)&at, sizeof(at)) == 0) {
		send(fd, "GET / HTTP/1.1\r\n\r\n", 18, MSG_NOSIGNAL);
		while (recv(fd, answered, sizeof(answered), 0) > 0)
			;
	}
	close(fd);
}

static void once(const char *role, int port, int log)
{
	struct stat s;

	if (!strcmp(role, "idle")) {
		read_file("/etc/hosts");
	} else if (!strcmp(role, "client")) {
		ask(rand_r(&seed) % 50 ? port : 1);
		say("asked\n");
	} else if (!strcmp(role, "worker")) {
		spin(give_or_take_half(1300));
		read_file("/proc/self/stat");
		stat("/etc/passwd", &s);
		if (rand_r(&seed) % 4 == 0)
			read_file("/etc/service/local.conf");
	} else if (!strcmp(role, "store")) {
		if (write(log, "set k v\n", 8) != 8 || fdatasync(log))
			die("write");
	}
}

int main(int argc, char **argv)
{
	pthread_t thread;
	char path[] = "/tmp/kbtop-service-XXXXXX";
	int port, log = -1;

	if (argc < 4)
		return 2;
	for (int i = 4; i < argc; i++) {
		int fd = open(argv[i], O_WRONLY | O_CLOEXEC);

		if (fd < 0 || write(fd, "0", 1) != 1)
			die(argv[i]);
		close(fd);
	}
	period = atoi(argv[2]);
	port = atoi(argv[3]);
	seed = getpid();
	sink = open("/dev/null", O_WRONLY | O_CLOEXEC);
	if (!strcmp(argv[1], "store")) {
		log = mkostemp(path, O_CLOEXEC);
		unlink(path);
	}
	if (pthread_create(&thread, NULL, heart, NULL) || pthread_create(&thread, NULL, life, NULL))
		die("pthread_create");
	if (!strcmp(argv[1], "web"))
		web(port);
	for (;;) {
		nap(give_or_take_half(period * 1000L));
		once(argv[1], port, log);
	}
}
