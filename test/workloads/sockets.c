/*
 * Makes socket calls exactly as told. Commands:
 *
 *   CALL N           N times connect, bind, sendto, setsockopt, getsockopt or socket, each with a socket of its own;
 *                    answers how often it gave which errno: "errno:count,...", 0 being success
 *   fork CALL N      the same by a child process
 *   threads T CALL N the same by T threads at once, N each
 *
 * connect goes to a listener of its own, sendto to a UDP socket of its own, both on 127.0.0.1.
 */
#include "workload.h"
#include <arpa/inet.h>
#include <pthread.h>
#include <sys/socket.h>
#include <sys/wait.h>

#define MAX_ERRNO 256
#define MAX_THREADS 64

static struct sockaddr_in listener, receiver;
static long counts[MAX_ERRNO];

static int bound(int type, struct sockaddr_in *at)
{
	socklen_t bytes = sizeof(*at);
	int fd = socket(AF_INET, type | SOCK_CLOEXEC, 0);

	*at = (struct sockaddr_in){ .sin_family = AF_INET, .sin_addr.s_addr = htonl(INADDR_LOOPBACK) };
	if (fd < 0 || bind(fd, (void *)at, bytes) || getsockname(fd, (void *)at, &bytes))
		die("bind");
	return fd;
}

static int once(const char *call)
{
	bool udp = !strcmp(call, "sendto");
	int fd = socket(AF_INET, (udp ? SOCK_DGRAM : SOCK_STREAM) | SOCK_CLOEXEC, 0), result = 0, value = 1, error;
	struct sockaddr_in any = { .sin_family = AF_INET, .sin_addr.s_addr = htonl(INADDR_LOOPBACK) };
	socklen_t bytes = sizeof(value);

	if (fd < 0) {
		if (!strcmp(call, "socket"))
			return errno;
		die("socket");
	}
	if (!strcmp(call, "connect"))
		result = connect(fd, (void *)&listener, sizeof(listener));
	else if (!strcmp(call, "bind"))
		result = bind(fd, (void *)&any, sizeof(any));
	else if (udp)
		result = sendto(fd, "x", 1, 0, (void *)&receiver, sizeof(receiver));
	else if (!strcmp(call, "setsockopt"))
		result = setsockopt(fd, SOL_SOCKET, SO_KEEPALIVE, &value, sizeof(value));
	else if (!strcmp(call, "getsockopt"))
		result = getsockopt(fd, SOL_SOCKET, SO_KEEPALIVE, &value, &bytes);
	error = result < 0 ? errno : 0;
	close(fd);
	return error;
}

struct job {
	const char *call;
	long n;
};

static void *work(void *argument)
{
	struct job *job = argument;

	for (long i = 0; i < job->n; i++)
		__sync_fetch_and_add(&counts[once(job->call) % MAX_ERRNO], 1);
	return NULL;
}

static void tell(int fd)
{
	char text[4096];
	int used = 0;

	for (int i = 0; i < MAX_ERRNO; i++)
		if (counts[i])
			used += sprintf(text + used, "%s%d:%ld", used ? "," : "", i, counts[i]);
	text[used++] = '\n';
	if (write(fd, text, used) != used)
		die("write");
}

static void run(int words, char **word)
{
	struct job job = { word[0], words > 1 ? atol(word[1]) : 1 };

	memset(counts, 0, sizeof(counts));
	if (!strcmp(word[0], "fork") && words == 3) {
		pid_t child = fork();

		job = (struct job){ word[1], atol(word[2]) };
		if (child == 0) {
			work(&job);
			tell(1);
			_exit(0);
		}
		waitpid(child, NULL, 0);
		return;
	}
	if (!strcmp(word[0], "threads") && words == 4) {
		pthread_t threads[MAX_THREADS];
		int n = atoi(word[1]);

		job = (struct job){ word[2], atol(word[3]) };
		for (int i = 0; i < n && i < MAX_THREADS; i++)
			if (pthread_create(&threads[i], NULL, work, &job))
				die("pthread_create");
		for (int i = 0; i < n && i < MAX_THREADS; i++)
			pthread_join(threads[i], NULL);
	} else {
		work(&job);
	}
	tell(1);
}

int main(int argc, char **argv)
{
	int fd = bound(SOCK_STREAM, &listener);

	if (listen(fd, 1024))
		die("listen");
	bound(SOCK_DGRAM, &receiver);
	return serve(argc, argv, run);
}
