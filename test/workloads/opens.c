/*
 * Opens files exactly as told. Commands:
 *
 *   CALL N PATH FLAGS    N times: open, openat, openat2, creat, or one of them through int 0x80 with the prefix
 *                        "i386-"; descriptors are closed at once. FLAGS is a number. Answers the last result.
 *   thread N PATH FLAGS  openat by a thread of the name "opener"; answers its tid
 *   fork N PATH FLAGS    openat by a child process; answers its pid
 *   paced N RATE PATH    openat, RATE per second; answers the milliseconds it took
 *   fifo PATH            opens a FIFO to read, is interrupted by signals and restarted until a child opens it to
 *                        write; answers the number of signals
 *   setuid UID           answers 0
 *   refuse ERRNO         from now on seccomp answers openat with this; answers 0
 *
 * PATH is taken literally, but for: @null, @bad (no such page), @empty, @long N (N bytes of 'x'), @hex BYTES, and
 * @cold FILE (what FILE holds, as a mapped page that is not resident): their argument follows after a colon.
 */
#include "workload.h"
#include <linux/filter.h>
#include <linux/openat2.h>
#include <linux/seccomp.h>
#include <pthread.h>
#include <signal.h>
#include <stddef.h>
#include <sys/mman.h>
#include <sys/prctl.h>
#include <sys/syscall.h>
#include <sys/time.h>
#include <sys/wait.h>
#include <time.h>

#define LOW_BYTES 16384

/* Below 4 GiB, for int 0x80. */
static char *low;
static struct open_how *low_how;

static const char *cold(const char *file)
{
	int fd = open(file, O_RDONLY);
	char *page;

	if (fd < 0)
		die(file);
	page = mmap(NULL, 4096, PROT_READ, MAP_PRIVATE | MAP_32BIT, fd, 0);
	if (page == MAP_FAILED)
		die("mmap");
	if (fsync(fd) || posix_fadvise(fd, 0, 0, POSIX_FADV_DONTNEED))
		die("fadvise");
	close(fd);
	return page;
}

static const char *path_of(const char *spec)
{
	const char *argument = strchr(spec, ':');

	if (spec[0] != '@')
		return strcpy(low, spec);
	if (argument)
		argument++;
	if (!strcmp(spec, "@null"))
		return NULL;
	if (!strcmp(spec, "@bad"))
		return (const char *)0x1000;
	if (!strcmp(spec, "@empty"))
		return strcpy(low, "");
	if (!strncmp(spec, "@long", 5)) {
		size_t n = atoi(argument);

		memset(low, 'x', n);
		low[n] = 0;
		/* Names of at most 200 bytes, so that only the whole path may be too long. */
		for (size_t i = 0; i < n; i += 200)
			low[i] = '/';
		return low;
	}
	if (!strncmp(spec, "@hex", 4)) {
		size_t n = strlen(argument) / 2;

		for (size_t i = 0; i < n; i++)
			sscanf(argument + 2 * i, "%2hhx", (unsigned char *)&low[i]);
		low[n] = 0;
		return low;
	}
	if (!strncmp(spec, "@cold", 5))
		return cold(argument);
	errno = EINVAL;
	die(spec);
	return NULL;
}

#if defined(__x86_64__)
static long int80(long nr, long b, long c, long d, long si)
{
	long result;

	__asm__ volatile("int $0x80" : "=a"(result) : "a"(nr), "b"(b), "c"(c), "d"(d), "S"(si) : "memory", "r8", "r9", "r10", "r11");
	return (int)result;
}
#endif

static long call(const char *name, const char *path, uint64_t flags)
{
	long result;

	*low_how = (struct open_how){ .flags = flags, .mode = flags & O_CREAT ? 0600 : 0 };
#if defined(__x86_64__)
	if (!strcmp(name, "i386-open"))
		return int80(5, (long)path, flags, 0600, 0);
	if (!strcmp(name, "i386-creat"))
		return int80(8, (long)path, 0600, 0, 0);
	if (!strcmp(name, "i386-openat"))
		return int80(295, AT_FDCWD, (long)path, flags, 0600);
	if (!strcmp(name, "i386-openat2"))
		return int80(437, AT_FDCWD, (long)path, (long)low_how, sizeof(*low_how));
	if (!strcmp(name, "open"))
		result = syscall(SYS_open, path, (int)flags, 0600);
	else if (!strcmp(name, "creat"))
		result = syscall(SYS_creat, path, 0600);
	else
#endif
	if (!strcmp(name, "openat"))
		result = syscall(SYS_openat, AT_FDCWD, path, (int)flags, 0600);
	else if (!strcmp(name, "openat2"))
		result = syscall(SYS_openat2, AT_FDCWD, path, low_how, sizeof(*low_how));
	else {
		errno = EINVAL;
		die(name);
	}
	return result < 0 ? -errno : result;
}

static long repeat(const char *name, long n, const char *path, uint64_t flags)
{
	long result = 0;

	for (long i = 0; i < n; i++) {
		result = call(name, path, flags);
		if (result >= 0)
			close(result);
	}
	return result;
}

struct job {
	long n, tid;
	const char *path;
	uint64_t flags;
};

static void *opener(void *argument)
{
	struct job *job = argument;

	prctl(PR_SET_NAME, "opener");
	job->tid = syscall(SYS_gettid);
	repeat("openat", job->n, job->path, job->flags);
	return NULL;
}

static double now_ms(void)
{
	struct timespec t;

	clock_gettime(CLOCK_MONOTONIC, &t);
	return t.tv_sec * 1e3 + t.tv_nsec / 1e6;
}

/* In bursts of a millisecond. */
static void paced(long n, long rate, const char *path)
{
	double begin = now_ms();

	for (long done = 0; done < n;) {
		long due = (now_ms() - begin) * rate / 1000;

		if (due > n)
			due = n;
		if (due <= done) {
			usleep(300);
			continue;
		}
		for (; done < due; done++) {
			int fd = open(path, O_RDONLY);

			if (fd >= 0)
				close(fd);
		}
	}
	answer("%.0f", now_ms() - begin);
}

static volatile sig_atomic_t alarms;

static void on_alarm(int signal)
{
	(void)signal;
	alarms++;
}

static void fifo(const char *path)
{
	struct sigaction action = { .sa_handler = on_alarm, .sa_flags = SA_RESTART };
	struct itimerval every = { { 0, 20000 }, { 0, 20000 } }, never = { 0 };
	pid_t child = fork();
	int fd;

	if (child < 0)
		die("fork");
	if (child == 0) {
		usleep(300000);
		close(open(path, O_WRONLY));
		_exit(0);
	}
	alarms = 0;
	sigaction(SIGALRM, &action, NULL);
	setitimer(ITIMER_REAL, &every, NULL);
	fd = open(path, O_RDONLY);
	setitimer(ITIMER_REAL, &never, NULL);
	close(fd);
	waitpid(child, NULL, 0);
	answer("%d", (int)alarms);
}

static int refuse_openat(int error)
{
	struct sock_filter code[] = {
		BPF_STMT(BPF_LD | BPF_W | BPF_ABS, offsetof(struct seccomp_data, nr)),
		BPF_JUMP(BPF_JMP | BPF_JEQ | BPF_K, SYS_openat, 0, 1),
		BPF_STMT(BPF_RET | BPF_K, SECCOMP_RET_ERRNO | error),
		BPF_STMT(BPF_RET | BPF_K, SECCOMP_RET_ALLOW),
	};
	struct sock_fprog program = { .len = countof(code), .filter = code };

	return prctl(PR_SET_NO_NEW_PRIVS, 1, 0, 0, 0) || prctl(PR_SET_SECCOMP, SECCOMP_MODE_FILTER, &program);
}

static void run(int words, char **word)
{
	if (words == 2 && !strcmp(word[0], "setuid")) {
		answer("%d", setuid(atoi(word[1])));
		return;
	}
	if (words == 2 && !strcmp(word[0], "refuse")) {
		answer("%d", refuse_openat(atoi(word[1])));
		return;
	}
	if (words == 2 && !strcmp(word[0], "fifo")) {
		fifo(word[1]);
		return;
	}
	if (words == 4 && !strcmp(word[0], "paced")) {
		paced(atol(word[1]), atol(word[2]), word[3]);
		return;
	}
	if (words != 4) {
		errno = EINVAL;
		die(word[0]);
	}
	long n = atol(word[1]);
	const char *path = path_of(word[2]);
	uint64_t flags = strtoull(word[3], NULL, 0);

	if (!strcmp(word[0], "thread")) {
		struct job job = { .n = n, .path = path, .flags = flags };
		pthread_t thread;

		if (pthread_create(&thread, NULL, opener, &job))
			die("pthread_create");
		pthread_join(thread, NULL);
		answer("%ld", job.tid);
	} else if (!strcmp(word[0], "fork")) {
		pid_t child = fork();

		if (child < 0)
			die("fork");
		if (child == 0) {
			repeat("openat", n, path, flags);
			_exit(0);
		}
		waitpid(child, NULL, 0);
		answer("%d", child);
	} else {
		answer("%ld", repeat(word[0], n, path, flags));
	}
}

int main(int argc, char **argv)
{
	low = mmap(NULL, LOW_BYTES + 4096, PROT_READ | PROT_WRITE, MAP_PRIVATE | MAP_ANONYMOUS
#ifdef MAP_32BIT
		   | MAP_32BIT
#endif
		   , -1, 0);
	if (low == MAP_FAILED)
		die("mmap");
	low_how = (void *)(low + LOW_BYTES);
	return serve(argc, argv, run);
}
