/*
 * Makes system calls exactly as told. Commands (numbers may be hexadecimal); each answers one line:
 *
 *   call NR N [A B C]     N times system call NR; answers the last result, -errno for an error
 *   i386 NR N [A B C]     the same through int 0x80, with i386's numbers
 *   sleep N NS            N times nanosleep
 *   fork|vfork|clone3 N   N children that exit_group at once
 *   threads N             N threads, one after the other
 *   exec N WHAT           N children that become this program again and exit: execve, execveat, or thread (execve
 *                         from a thread that is not the leader)
 *   exec32 N              N children that become an i386 program (execveat), which becomes this program (execve)
 *   signals N             N times a handled signal
 *   stops N               a child in a nanosleep of 3 s is stopped and continued N times
 *   refuse NR ERRNO       from now on seccomp answers NR with this error
 *   killed NR N           N children that seccomp kills for NR
 *   traced NR N           a child under PTRACE_SYSCALL makes N calls
 *   skipped N             a traced child makes N calls of getppid which the tracer skips
 *   pend                  a thread begins to block in readv again and again;  poke  ends one of them
 */
#include "workload.h"
#include <linux/filter.h>
#include <linux/sched.h>
#include <linux/seccomp.h>
#include <pthread.h>
#include <signal.h>
#include <stddef.h>
#include <sys/mman.h>
#include <sys/prctl.h>
#include <sys/ptrace.h>
#include <sys/syscall.h>
#include <sys/uio.h>
#include <sys/user.h>
#include <sys/wait.h>
#include <time.h>

static long number(const char *word)
{
	return word ? strtol(word, NULL, 0) : 0;
}

static long repeat(long nr, long n, long a, long b, long c)
{
	long result = 0;

	while (n-- > 0) {
		result = syscall(nr, a, b, c);
		if (result < 0)
			result = -errno;
	}
	return result;
}

#if defined(__x86_64__)
static long repeat32(long nr, long n, long a, long b, long c)
{
	long result = 0;

	while (n-- > 0)
		__asm__ volatile("int $0x80" : "=a"(result) : "a"(nr), "b"(a), "c"(b), "d"(c) : "memory", "r8", "r9", "r10", "r11");
	return (int)result;
}
#endif

static int reap(pid_t child)
{
	int status;

	if (child < 0 || waitpid(child, &status, 0) != child)
		die("waitpid");
	return status;
}

static void children(const char *how, long n)
{
	while (n-- > 0) {
		struct clone_args args = { .exit_signal = SIGCHLD };
		pid_t child;

		if (!strcmp(how, "vfork"))
			child = vfork();
		else
			child = !strcmp(how, "clone3") ? syscall(SYS_clone3, &args, sizeof(args)) :
#if defined(SYS_fork)
				syscall(SYS_fork);
#else
				syscall(SYS_clone, SIGCHLD, 0, 0, 0, 0);
#endif
		if (child == 0)
			syscall(SYS_exit_group, 0);
		reap(child);
	}
}

static void *nothing(void *argument)
{
	return argument;
}

static void threads(long n)
{
	while (n-- > 0) {
		pthread_t thread;

		if (pthread_create(&thread, NULL, nothing, NULL))
			die("pthread_create");
		pthread_join(thread, NULL);
	}
}

static char self[4096];

static void *become_self(void *how)
{
	char *argv[] = { self, "--exit", NULL }, *envp[] = { NULL };

	if (!strcmp(how, "execveat"))
		syscall(SYS_execveat, AT_FDCWD, self, argv, envp, 0);
	else
		syscall(SYS_execve, self, argv, envp);
	die(self);
	return NULL;
}

static void execs(long n, char *how)
{
	while (n-- > 0) {
		pid_t child = fork();

		if (child == 0) {
			pthread_t thread;

			if (strcmp(how, "thread"))
				become_self(how);
			pthread_create(&thread, NULL, become_self, "execve");
			pthread_join(thread, NULL);
		}
		reap(child);
	}
}

/* A 32-bit program, by hand: execve(path, {path, "--exit"}, {}), and if that fails exit(1). */
static int program32(void)
{
	enum { base = 0x10000, code = 84, text = 256, argv = 0x2000 };
	static unsigned char image[0x3000] = { 0x7f, 'E', 'L', 'F', 1, 1, 1 };
	uint32_t header[] = { 2 | 3 << 16, 1, base + code, 52, 0, 0, 52 | 32 << 16, 1 };
	uint32_t segment[] = { 1, 0, base, base, sizeof(image), sizeof(image), 7, 0x1000 };
	uint32_t args[] = { base + text, base + text + strlen(self) + 1, 0, 0 };
	unsigned char run[] = {
		0xb8, 11, 0, 0, 0,				/* mov $11, %eax */
		0xbb, 0, 1, 1, 0,				/* mov $text, %ebx */
		0xb9, 0, 0x20, 1, 0,				/* mov $argv, %ecx */
		0xba, 12, 0x20, 1, 0,				/* mov $its null, %edx */
		0xcd, 0x80,
		0xb8, 1, 0, 0, 0, 0xbb, 1, 0, 0, 0, 0xcd, 0x80,	/* exit(1) */
	};
	int fd = memfd_create("program32", MFD_CLOEXEC);

	memcpy(image + 16, header, sizeof(header));
	memcpy(image + 52, segment, sizeof(segment));
	memcpy(image + code, run, sizeof(run));
	strcpy((char *)image + text, self);
	strcpy((char *)image + text + strlen(self) + 1, "--exit");
	memcpy(image + argv, args, sizeof(args));
	if (fd < 0 || write(fd, image, sizeof(image)) != sizeof(image))
		die("memfd");
	return fd;
}

static int execs32(long n)
{
	int fd = program32(), worst = 0;
	char *argv[] = { "program32", NULL }, *envp[] = { NULL };

	while (n-- > 0) {
		pid_t child = fork();
		int status;

		if (child == 0) {
			syscall(SYS_execveat, fd, "", argv, envp, 0x1000);
			_exit(2);
		}
		status = reap(child);
		if (status > worst)
			worst = status;
	}
	close(fd);
	return worst;
}

static void on_signal(int signal)
{
	(void)signal;
}

static void signals(long n)
{
	struct sigaction action = { .sa_handler = on_signal };

	sigaction(SIGUSR1, &action, NULL);
	while (n-- > 0)
		syscall(SYS_tgkill, getpid(), getpid(), SIGUSR1);
}

static void stops(long n)
{
	struct timespec pause = { 0, 20000000 };
	pid_t child = fork();

	if (child == 0) {
		struct timespec long_sleep = { 3, 0 };

		syscall(SYS_nanosleep, &long_sleep, NULL);
		_exit(0);
	}
	while (n-- > 0) {
		int status;

		nanosleep(&pause, NULL);
		kill(child, SIGSTOP);
		waitpid(child, &status, WUNTRACED);
		kill(child, SIGCONT);
	}
	reap(child);
}

static void seccomp_on(long nr, unsigned int action)
{
	struct sock_filter code[] = {
		BPF_STMT(BPF_LD | BPF_W | BPF_ABS, offsetof(struct seccomp_data, nr)),
		BPF_JUMP(BPF_JMP | BPF_JEQ | BPF_K, nr, 0, 1),
		BPF_STMT(BPF_RET | BPF_K, action),
		BPF_STMT(BPF_RET | BPF_K, SECCOMP_RET_ALLOW),
	};
	struct sock_fprog program = { countof(code), code };

	if (prctl(PR_SET_NO_NEW_PRIVS, 1, 0, 0, 0) || prctl(PR_SET_SECCOMP, SECCOMP_MODE_FILTER, &program))
		die("seccomp");
}

static void killed(long nr, long n)
{
	while (n-- > 0) {
		pid_t child = fork();

		if (child == 0) {
			seccomp_on(nr, SECCOMP_RET_KILL_PROCESS);
			syscall(nr, 0, 0, 0);
			_exit(1);
		}
		reap(child);
	}
}

#if defined(__x86_64__)
/* Skips getppid when asked to, as a sandbox may do. */
static void traced(long nr, long n, bool skip)
{
	pid_t child = fork();
	bool entering = true;
	int status;

	if (child == 0) {
		ptrace(PTRACE_TRACEME, 0, 0, 0);
		raise(SIGSTOP);
		repeat(nr, n, 0, 0, 0);
		_exit(0);
	}
	waitpid(child, &status, 0);
	ptrace(PTRACE_SETOPTIONS, child, 0, PTRACE_O_TRACESYSGOOD | PTRACE_O_EXITKILL);
	for (;;) {
		struct user_regs_struct regs;

		ptrace(PTRACE_SYSCALL, child, 0, 0);
		if (waitpid(child, &status, 0) != child || WIFEXITED(status) || WIFSIGNALED(status))
			return;
		if (!WIFSTOPPED(status) || WSTOPSIG(status) != (SIGTRAP | 0x80))
			continue;
		ptrace(PTRACE_GETREGS, child, 0, &regs);
		if (entering && skip && (long)regs.orig_rax == nr) {
			regs.orig_rax = -1;
			ptrace(PTRACE_SETREGS, child, 0, &regs);
		}
		entering = !entering;
	}
}
#endif

static int pending[2];

static void *pend(void *argument)
{
	char byte;
	struct iovec one = { &byte, 1 };

	while (syscall(SYS_readv, pending[0], &one, 1) == 1)
		;
	return argument;
}

static void run(int words, char **word)
{
	const char *command = word[0];
	long first = number(word[1]), second = number(word[2]);
	long result = 0;

	(void)words;
	if (!strcmp(command, "call"))
		result = repeat(first, second, number(word[3]), number(word[4]), number(word[5]));
#if defined(__x86_64__)
	else if (!strcmp(command, "i386"))
		result = repeat32(first, second, number(word[3]), number(word[4]), number(word[5]));
	else if (!strcmp(command, "exec32"))
		result = execs32(first);
	else if (!strcmp(command, "traced"))
		traced(first, second, false);
	else if (!strcmp(command, "skipped"))
		traced(SYS_getppid, first, true);
#endif
	else if (!strcmp(command, "sleep")) {
		struct timespec t = { second / 1000000000, second % 1000000000 };

		result = repeat(SYS_nanosleep, first, (long)&t, 0, 0);
	} else if (!strcmp(command, "fork") || !strcmp(command, "vfork") || !strcmp(command, "clone3"))
		children(command, first);
	else if (!strcmp(command, "threads"))
		threads(first);
	else if (!strcmp(command, "exec"))
		execs(first, word[2]);
	else if (!strcmp(command, "signals"))
		signals(first);
	else if (!strcmp(command, "stops"))
		stops(first);
	else if (!strcmp(command, "refuse"))
		seccomp_on(first, SECCOMP_RET_ERRNO | second);
	else if (!strcmp(command, "killed"))
		killed(first, second);
	else if (!strcmp(command, "pend")) {
		pthread_t thread;

		if (pipe(pending) || pthread_create(&thread, NULL, pend, NULL))
			die("pend");
		usleep(100000);
	} else if (!strcmp(command, "poke")) {
		if (write(pending[1], "x", 1) != 1)
			die("poke");
		usleep(100000);
	} else {
		errno = EINVAL;
		die(command);
	}
	answer("%ld", result);
}

int main(int argc, char **argv)
{
	if (argc == 2 && !strcmp(argv[1], "--exit"))
		_exit(0);
	if (readlink("/proc/self/exe", self, sizeof(self) - 1) < 0)
		die("/proc/self/exe");
	return serve(argc, argv, run);
}
