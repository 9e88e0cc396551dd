/*
 * Makes and accepts TCP connections exactly as told. Commands:
 *
 *   listen ID FAMILY ADDRESS PORT BACKLOG [reuseport]   answers the port
 *   accept ID N THEN            answers the peers' ports
 *   accept-child ID N THEN      the same by a child process; answers its pid, then the ports
 *   accept-in ID N THEN PROCS   the same by a child that first joins the cgroup of PROCS
 *   stop ID                     closes a listener
 *   connect N FAMILY ADDRESS PORT MODE THEN [FROM]      answers "errno:count,... port,..." with local ports
 *   later THEN                  does THEN with every connection held; answers how many
 *   write                       one byte on every connection held; answers how many
 *   read                        waits for the end of every connection held; answers "errno:count,..."
 *   udp N ADDRESS PORT, unix N PATH                     connects that are not TCP; answer the last errno
 *   misuse N FD|BYTES           connect() with a descriptor that is none, or a short address; answers the errno
 *   sh COMMAND...               answers the exit code
 *
 * FAMILY: 4, 6, or m (IPv4 in an IPv6 socket). MODE: block; nonblock (asks again with connect()); soerror (asks with
 * SO_ERROR, then tries once more); begin (does not block nor wait); abandon:MS (waits at most MS); sndtimeo:MS;
 * fastopen; uring (IORING_OP_CONNECT).
 * THEN: close, hold, or reset (close with a RST). FROM: local port to bind to.
 */
#include "workload.h"
#include <arpa/inet.h>
#include <linux/io_uring.h>
#include <netinet/tcp.h>
#include <poll.h>
#include <sys/mman.h>
#include <sys/socket.h>
#include <sys/syscall.h>
#include <sys/time.h>
#include <sys/un.h>
#include <sys/wait.h>

#define MAX_LISTENERS 8
#define MAX_HELD 65536
#define MAX_ERRNO 256

static int listeners[MAX_LISTENERS];
static int held[MAX_HELD], held_count;
static long errors[MAX_ERRNO];
static char text[1 << 20];

struct address {
	struct sockaddr_storage at;
	socklen_t bytes;
	int family;
};

static struct address address_of(const char *family, const char *ip, int port)
{
	struct address address = { .family = family[0] == '4' ? AF_INET : AF_INET6 };

	if (address.family == AF_INET) {
		struct sockaddr_in *in = (void *)&address.at;

		in->sin_family = AF_INET;
		in->sin_port = htons(port);
		inet_pton(AF_INET, ip, &in->sin_addr);
		address.bytes = sizeof(*in);
	} else {
		struct sockaddr_in6 *in6 = (void *)&address.at;
		char mapped[64];

		snprintf(mapped, sizeof(mapped), "%s%s", family[0] == 'm' ? "::ffff:" : "", ip);
		in6->sin6_family = AF_INET6;
		in6->sin6_port = htons(port);
		if (inet_pton(AF_INET6, mapped, &in6->sin6_addr) != 1)
			die(mapped);
		address.bytes = sizeof(*in6);
	}
	return address;
}

static int port_of(int fd, bool peer)
{
	struct sockaddr_in6 at = { 0 };
	socklen_t bytes = sizeof(at);

	if (peer ? getpeername(fd, (void *)&at, &bytes) : getsockname(fd, (void *)&at, &bytes))
		return 0;
	return ntohs(at.sin6_port);	/* at the same place in sockaddr_in */
}

static void then(int fd, const char *what)
{
	struct linger now = { .l_onoff = 1 };

	if (!strcmp(what, "hold")) {
		held[held_count++] = fd;
		return;
	}
	if (!strcmp(what, "reset"))
		setsockopt(fd, SOL_SOCKET, SO_LINGER, &now, sizeof(now));
	close(fd);
}

static void set_blocking(int fd, bool blocking)
{
	int flags = fcntl(fd, F_GETFL);

	fcntl(fd, F_SETFL, blocking ? flags & ~O_NONBLOCK : flags | O_NONBLOCK);
}

/* One IORING_OP_CONNECT on a ring of its own, waited for. Answers an errno. */
static int connect_by_ring(int fd, const struct address *to)
{
	struct io_uring_params params = { 0 };
	int ring = syscall(SYS_io_uring_setup, 1, &params), result;
	struct io_uring_sqe *sqe;
	struct io_uring_cqe *cqes;
	char *queues;

	if (ring < 0)
		die("io_uring_setup");
	/* Both queues in one mapping: since Linux 5.4. */
	queues = mmap(NULL, 65536, PROT_READ | PROT_WRITE, MAP_SHARED | MAP_POPULATE, ring, IORING_OFF_SQ_RING);
	sqe = mmap(NULL, sizeof(*sqe), PROT_READ | PROT_WRITE, MAP_SHARED | MAP_POPULATE, ring, IORING_OFF_SQES);
	if (queues == MAP_FAILED || sqe == MAP_FAILED)
		die("mmap");
	memset(sqe, 0, sizeof(*sqe));
	sqe->opcode = IORING_OP_CONNECT;
	sqe->fd = fd;
	sqe->addr = (uintptr_t)&to->at;
	sqe->off = to->bytes;
	*(unsigned int *)(queues + params.sq_off.array) = 0;
	__atomic_store_n((unsigned int *)(queues + params.sq_off.tail), 1, __ATOMIC_RELEASE);
	if (syscall(SYS_io_uring_enter, ring, 1, 1, IORING_ENTER_GETEVENTS, NULL, 0) != 1)
		die("io_uring_enter");
	cqes = (void *)(queues + params.cq_off.cqes);
	result = cqes[0].res;
	munmap(sqe, sizeof(*sqe));
	munmap(queues, 65536);
	close(ring);
	return -result;
}

static int connect_once(int fd, const struct address *to, const char *mode)
{
	int argument = strchr(mode, ':') ? atoi(strchr(mode, ':') + 1) : 0;
	struct pollfd poll_for = { .fd = fd, .events = POLLOUT };
	int error = 0;

	if (!strncmp(mode, "sndtimeo", 8)) {
		struct timeval limit = { argument / 1000, argument % 1000 * 1000 };

		setsockopt(fd, SOL_SOCKET, SO_SNDTIMEO, &limit, sizeof(limit));
	} else if (!strcmp(mode, "uring")) {
		return connect_by_ring(fd, to);
	} else if (!strcmp(mode, "fastopen")) {
		return sendto(fd, "x", 1, MSG_FASTOPEN, (const void *)&to->at, to->bytes) < 0 ? errno : 0;
	} else if (strcmp(mode, "block")) {
		set_blocking(fd, false);
	}
	if (!connect(fd, (const void *)&to->at, to->bytes))
		return 0;
	if (errno != EINPROGRESS || !strncmp(mode, "sndtimeo", 8))
		return errno;
	if (!strcmp(mode, "begin"))
		return EINPROGRESS;
	if (!strncmp(mode, "abandon", 7)) {
		poll(&poll_for, 1, argument);
		return EINPROGRESS;
	}
	poll(&poll_for, 1, -1);
	if (!strcmp(mode, "soerror")) {
		socklen_t bytes = sizeof(error);

		getsockopt(fd, SOL_SOCKET, SO_ERROR, &error, &bytes);
		if (error)
			connect(fd, (const void *)&to->at, to->bytes);	/* ECONNABORTED: no new attempt */
		return error;
	}
	return connect(fd, (const void *)&to->at, to->bytes) && errno != EISCONN ? errno : 0;
}

static int print_errors(char *at)
{
	int used = 0;

	for (int i = 0; i < MAX_ERRNO; i++)
		if (errors[i])
			used += sprintf(at + used, "%s%d:%ld", used ? "," : "", i, errors[i]);
	return used;
}

static void run_connect(int words, char **word)
{
	struct address to = address_of(word[2], word[3], atoi(word[4]));
	long n = atol(word[1]);
	char ports[1 << 19] = "";
	int used = 0;

	memset(errors, 0, sizeof(errors));
	for (long i = 0; i < n; i++) {
		int fd = socket(to.family, SOCK_STREAM | SOCK_CLOEXEC, 0), error, one = 1;

		if (fd < 0)
			die("socket");
		if (words > 7) {
			struct address from = address_of(word[2], to.family == AF_INET ? "0.0.0.0" : "::", atoi(word[7]));

			setsockopt(fd, SOL_SOCKET, SO_REUSEADDR, &one, sizeof(one));
			if (bind(fd, (void *)&from.at, from.bytes))
				die("bind");
		}
		error = connect_once(fd, &to, word[5]);
		errors[error % MAX_ERRNO]++;
		used += sprintf(ports + used, "%s%d", used ? "," : "", port_of(fd, false));
		set_blocking(fd, true);
		then(fd, word[6]);
	}
	used = print_errors(text);
	answer("%.*s %s", used, text, ports);
}

static int accept_n(int id, long n, const char *what, char *at)
{
	int used = 0;

	for (long i = 0; i < n; i++) {
		int fd = accept4(listeners[id], NULL, NULL, SOCK_CLOEXEC);

		if (fd < 0)
			die("accept");
		used += sprintf(at + used, "%s%d", used ? "," : "", port_of(fd, true));
		then(fd, what);
	}
	return used;
}

static void accept_by_child(char **word, const char *procs)
{
	int from_child[2], used = 0;
	pid_t child;
	ssize_t n;

	if (pipe(from_child))
		die("pipe");
	child = fork();
	if (child < 0)
		die("fork");
	if (child == 0) {
		char *argv[] = { NULL, (char *)procs };

		if (procs)
			join_cgroups(2, argv);
		used = accept_n(atoi(word[1]), atol(word[2]), word[3], text);
		_exit(write(from_child[1], text, used) != used);
	}
	close(from_child[1]);
	while ((n = read(from_child[0], text + used, sizeof(text) - used)) > 0)
		used += n;
	close(from_child[0]);
	waitpid(child, NULL, 0);
	answer("%d %.*s", child, used, text);
}

static void run_listen(int words, char **word)
{
	struct address at = address_of(word[2], word[3], atoi(word[4]));
	int fd = socket(at.family, SOCK_STREAM | SOCK_CLOEXEC, 0), one = 1, queue = 16;

	setsockopt(fd, SOL_SOCKET, SO_REUSEADDR, &one, sizeof(one));
	setsockopt(fd, IPPROTO_TCP, TCP_FASTOPEN, &queue, sizeof(queue));
	if (words > 6)
		setsockopt(fd, SOL_SOCKET, SO_REUSEPORT, &one, sizeof(one));
	if (fd < 0 || bind(fd, (void *)&at.at, at.bytes) || listen(fd, atoi(word[5])))
		die("listen");
	listeners[atoi(word[1])] = fd;
	answer("%d", port_of(fd, false));
}

static void run_other(char **word)
{
	struct address to = word[3] ? address_of("4", word[2], atoi(word[3])) : (struct address){ .family = AF_UNIX };
	long n = atol(word[1]);
	int error = 0;

	if (to.family == AF_UNIX) {
		struct sockaddr_un *un = (void *)&to.at;

		un->sun_family = AF_UNIX;
		strncpy(un->sun_path, word[2], sizeof(un->sun_path) - 1);
		to.bytes = sizeof(*un);
	}
	for (long i = 0; i < n; i++) {
		int fd = socket(to.family, to.family == AF_UNIX ? SOCK_STREAM : SOCK_DGRAM, 0);

		error = connect(fd, (void *)&to.at, to.bytes) ? errno : 0;
		close(fd);
	}
	answer("%d", error);
}

static void run_misuse(char **word)
{
	struct address to = address_of("4", "127.0.0.1", 1);
	int fd = socket(AF_INET, SOCK_STREAM, 0), error = 0;

	for (long i = 0; i < atol(word[1]); i++) {
		if (!strcmp(word[2], "fd"))
			error = connect(4000, (void *)&to.at, to.bytes) ? errno : 0;
		else if (!strcmp(word[2], "pointer"))
			error = connect(fd, (void *)16, to.bytes) ? errno : 0;
		else
			error = connect(fd, (void *)&to.at, 3) ? errno : 0;
	}
	close(fd);
	answer("%d", error);
}

static void run(int words, char **word)
{
	if (!strcmp(word[0], "listen") && words >= 6) {
		run_listen(words, word);
	} else if (!strcmp(word[0], "accept") && words == 4) {
		answer("%.*s", accept_n(atoi(word[1]), atol(word[2]), word[3], text), text);
	} else if (!strcmp(word[0], "accept-child") && words == 4) {
		accept_by_child(word, NULL);
	} else if (!strcmp(word[0], "accept-in") && words == 5) {
		accept_by_child(word, word[4]);
	} else if (!strcmp(word[0], "stop") && words == 2) {
		answer("%d", close(listeners[atoi(word[1])]));
	} else if (!strcmp(word[0], "connect") && words >= 7) {
		run_connect(words, word);
	} else if (!strcmp(word[0], "later") && words == 2) {
		int n = held_count;

		held_count = 0;
		for (int i = 0; i < n; i++)
			then(held[i], word[1]);
		answer("%d", n);
	} else if (!strcmp(word[0], "write")) {
		int done = 0;

		for (int i = 0; i < held_count; i++)
			done += send(held[i], "x", 1, MSG_NOSIGNAL) == 1;
		answer("%d", done);
	} else if (!strcmp(word[0], "read")) {
		char byte;
		int used;

		memset(errors, 0, sizeof(errors));
		for (int i = 0; i < held_count; i++) {
			ssize_t n;

			while ((n = read(held[i], &byte, 1)) > 0)
				;
			errors[n < 0 ? errno : 0]++;
		}
		used = print_errors(text);
		answer("%.*s", used, text);
	} else if (!strcmp(word[0], "udp") || !strcmp(word[0], "unix")) {
		run_other(word);
	} else if (!strcmp(word[0], "misuse") && words == 3) {
		run_misuse(word);
	} else if (!strcmp(word[0], "sh")) {
		char command[8192] = "";

		for (int i = 1; i < words; i++)
			strcat(strcat(command, " "), word[i]);
		answer("%d", system(command));
	} else {
		errno = EINVAL;
		die(word[0]);
	}
}

int main(int argc, char **argv)
{
	return serve(argc, argv, run);
}
