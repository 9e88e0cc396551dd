/* SPDX-License-Identifier: GPL-2.0 OR BSD-2-Clause */
/*
 * Every open, openat, openat2 and creat when it returns: exact totals per (cgroup, errno) and budgeted rows.
 *
 * The classic sys_enter_* and sys_exit_* tracepoints cost every other system call on the node about 60 ns (the
 * kernel's own test of a bitmap); a pair of tp_btf programs on all calls cost 150 ns. They do not see 32-bit
 * calls, so those have the pair (every_enter, every_exit), which user space attaches once a 32-bit program has been
 * seen (compat_seen); a 64-bit program's int 0x80 alone does not attach them. Where the classic tracepoints cannot
 * be had, the pair does all the work (every_native).
 *
 * Paths are read when the call returns: the kernel has just read them, so their pages are resident. A path that
 * cannot be read then (the program passed a bad pointer, another thread unmapped it) counts as a fault.
 *
 * A call that a signal interrupted and the kernel restarts (ERESTART*) is counted once, when it comes to its end;
 * one that the program sees as EINTR is not counted. Opens through io_uring (IORING_OP_OPENAT, OPENAT2) pass none
 * of these hooks and are not seen, nor are those of the kernel itself and of execve and uselib.
 *
 * While user space reads or writes a BPF map, the kernel skips programs of classic tracepoints on that CPU. Where it
 * may preempt such a system call (PREEMPT_FULL, PREEMPT_LAZY) opens can be missed: it counts them, and so do we.
 *
 * Needs task storage in tracepoints (v5.12).
 */
#include "core.h"
#include "cgroup.h"
#include "loss.h"
#include "stream.h"
#include "syscall.h"
#include "task.h"

char LICENSE[] SEC("license") = "GPL";

#define PATH_BYTES 4096
#define PATH_UNREADABLE 0xffffffff
#define LATENCY_UNKNOWN (~0ULL)
#define RESTART_FIRST 512
#define RESTART_LAST 516
#define ADDRESS_4G (1ULL << 32)

/* Set by user space: the pair on every call handles native opens, too. */
volatile bool every_native = false;
/* Raised when a 32-bit program starts or is found running. */
volatile bool compat_seen = false;

/* When the task entered its open, ns; 0 outside. */
struct {
	__uint(type, BPF_MAP_TYPE_TASK_STORAGE);
	__uint(map_flags, BPF_F_NO_PREALLOC);
	__type(key, int);
	__type(value, u64);
} entered SEC(".maps");

/* Fields as src/probes/opens.ts reads them. */
struct open_row {
	u64 time_ns;		/* of the return */
	u64 latency_ns;
	struct owner owner;
	u32 tid;
	s32 result;		/* descriptor or -errno */
	u64 flags;
	u32 call;
	u32 path_bytes;		/* with its NUL */
	char path[PATH_BYTES];
};

#define ROW_HEADER __builtin_offsetof(struct open_row, path)

struct {
	__uint(type, BPF_MAP_TYPE_PERCPU_ARRAY);
	__uint(max_entries, 1);
	__type(key, u32);
	__type(value, struct open_row);
} scratch SEC(".maps");

enum form {
	NOT_OPEN,
	OPEN,
	OPENAT,
	OPENAT2,
	CREAT,
};

static __always_inline int enter(void)
{
	u64 *since = bpf_task_storage_get(&entered, bpf_get_current_task_btf(), NULL, BPF_LOCAL_STORAGE_GET_F_CREATE);

	if (since)
		*since = bpf_ktime_get_ns();
	return 0;
}

/* Registers hold the arguments still; but the first is lost on arm64, where no form that has its path there exists. */
static __always_inline u64 argument(struct pt_regs *regs, u32 n, bool compat)
{
#if defined(__TARGET_ARCH_arm64)
	u64 value = 0;

	bpf_core_read(&value, sizeof(value), &regs->regs[n]);
	return value;
#else
	if (compat)
		return (u32)(n == 0 ? BPF_CORE_READ(regs, bx) : n == 1 ? BPF_CORE_READ(regs, cx) : BPF_CORE_READ(regs, dx));
	return n == 0 ? BPF_CORE_READ(regs, di) : n == 1 ? BPF_CORE_READ(regs, si) : BPF_CORE_READ(regs, dx);
#endif
}

static __always_inline u64 flags_of(struct pt_regs *regs, enum form form, bool compat)
{
	u64 flags = 0;

	switch (form) {
	case CREAT:
		return 01 | 0100 | 01000;	/* O_WRONLY | O_CREAT | O_TRUNC, the same on every ABI */
	case OPEN:
		return (u32)argument(regs, 1, compat);
	case OPENAT2:
		/* open_how.flags; what could not be read has failed with EFAULT or E2BIG */
		bpf_probe_read_user(&flags, sizeof(flags), (void *)argument(regs, 2, compat));
		return flags;
	default:
		return (u32)argument(regs, 2, compat);
	}
}

static __noinline int leave(u32 form, s64 result, bool compat)
{
	struct task_struct *task = bpf_get_current_task_btf();
	u64 *since = bpf_task_storage_get(&entered, task, NULL, 0);
	u64 now = bpf_ktime_get_ns(), start = 0, path;
	u32 error = result < 0 ? -result : 0, zero = 0;
	struct open_row *row;
	struct pt_regs *regs;
	long length;

	if (since) {
		start = *since;
		*since = 0;
	}
	if (error >= RESTART_FIRST && error <= RESTART_LAST)
		return 0;
	if (!count_event(cgroup_key(task), error, 0, now))
		return 0;
	row = bpf_map_lookup_elem(&scratch, &zero);
	if (!row)
		return 0;
	row->time_ns = now;
	/* Unknown where no entry was seen: seccomp refused the call, or it began before us. */
	row->latency_ns = start ? now - start : LATENCY_UNKNOWN;
	owner_is(&row->owner, task);
	row->tid = task->pid;
	row->result = result;
	row->call = form;
	regs = current_regs(task);
	row->flags = flags_of(regs, form, compat);
	path = argument(regs, form == OPEN || form == CREAT ? 0 : 1, compat);
	length = bpf_probe_read_user_str(row->path, sizeof(row->path), (void *)path);
	/* Of an empty string 6.1 and 6.12 give 0, 6.18 gives 1: the length with its NUL. */
	if (length == 0)
		length = 1;
	if (length < 0 || length > PATH_BYTES) {
		count_loss(fault);
		row->path_bytes = PATH_UNREADABLE;
		send_row(row, ROW_HEADER);
		return 0;
	}
	row->path_bytes = length;
	send_row(row, ROW_HEADER + length);
	return 0;
}

#define OPEN_SYSCALL(name, form)                                           \
	SEC("tracepoint/syscalls/sys_enter_" #name)                        \
	int enter_##name(void *ctx)                                        \
	{                                                                  \
		return enter();                                            \
	}                                                                  \
	SEC("tracepoint/syscalls/sys_exit_" #name)                         \
	int exit_##name(struct trace_event_raw_sys_exit *ctx)              \
	{                                                                  \
		leave(form, ctx->ret, false);                              \
		return 0;                                                  \
	}

OPEN_SYSCALL(openat, OPENAT)
OPEN_SYSCALL(openat2, OPENAT2)
/* These two do not exist on arm64. */
OPEN_SYSCALL(open, OPEN)
OPEN_SYSCALL(creat, CREAT)

/* i386 and arm EABI share most numbers. */
static __always_inline enum form form_of(u32 call)
{
	switch (call) {
	case CALL(ABI_I386, 5): case CALL(ABI_ARM, 5):
		return OPEN;
	case CALL(ABI_I386, 8): case CALL(ABI_ARM, 8):
		return CREAT;
	case CALL(ABI_I386, 295): case CALL(ABI_ARM, 322):
		return OPENAT;
	case CALL(ABI_I386, 437): case CALL(ABI_ARM, 437):
		return OPENAT2;
	}
	if (!every_native)
		return NOT_OPEN;
	switch (call) {
	case CALL(ABI_X86_64, 2):
		return OPEN;
	case CALL(ABI_X86_64, 85):
		return CREAT;
	case CALL(ABI_X86_64, 257): case CALL(ABI_ARM64, 56):
		return OPENAT;
	case CALL(ABI_X86_64, 437): case CALL(ABI_ARM64, 437):
		return OPENAT2;
	}
	return NOT_OPEN;
}

SEC("tp_btf/sys_enter")
int BPF_PROG(every_enter, struct pt_regs *regs, long nr)
{
	return form_of(call_of(bpf_get_current_task_btf(), nr)) ? enter() : 0;
}

SEC("tp_btf/sys_exit")
int BPF_PROG(every_exit, struct pt_regs *regs, long result)
{
	u32 call = call_of(bpf_get_current_task_btf(), nr_of(regs));
	enum form form = form_of(call);

	if (form)
		leave(form, result, call >> ABI_SHIFT == ABI_I386 || call >> ABI_SHIFT == ABI_ARM);
	return 0;
}

static __always_inline void note_compat(struct task_struct *task)
{
	struct mm_struct *mm = BPF_CORE_READ(task, mm);

	if (mm && BPF_CORE_READ(mm, task_size) <= ADDRESS_4G)
		compat_seen = true;
}

SEC("tp_btf/sched_process_exec")
int BPF_PROG(compat_exec, struct task_struct *task)
{
	note_compat(task);
	return 0;
}

/* Run once, for the programs that were there before us. */
SEC("iter/task")
int compat_tasks(struct bpf_iter__task *ctx)
{
	struct task_struct *task = ctx->task;

	if (task)
		note_compat(task);
	return 0;
}
