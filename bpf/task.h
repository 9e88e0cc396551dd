/* SPDX-License-Identifier: GPL-2.0 OR BSD-2-Clause */
/* Who a task is, as rows show it. */
#ifndef KBTOP_TASK_H
#define KBTOP_TASK_H

#include "core.h"
#include "cgroup.h"

#define COMM_BYTES 16
#define PID_LEVELS 32

/* Process id of a task in its own (innermost) pid namespace; 0 when it has been reaped. */
static __always_inline u32 ns_pid_of(struct task_struct *task)
{
	struct pid *pid = BPF_CORE_READ(task, group_leader, thread_pid);
	struct upid upid = {};
	u32 level;

	if (!pid)
		return 0;
	level = BPF_CORE_READ(pid, level) & (PID_LEVELS - 1);
	bpf_core_read(&upid, sizeof(upid), &pid->numbers[level]);
	return upid.nr;
}

/* Fields as src/probes/stream.ts reads them. */
struct owner {
	u64 cgroup;
	u32 pid;
	u32 ns_pid;
	char comm[COMM_BYTES];
};

static __always_inline void owner_is(struct owner *owner, struct task_struct *task)
{
	owner->cgroup = cgroup_key(task);
	owner->pid = task->tgid;
	owner->ns_pid = ns_pid_of(task);
	bpf_core_read(owner->comm, sizeof(owner->comm), &task->comm);
}

#endif
