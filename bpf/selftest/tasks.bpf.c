/* SPDX-License-Identifier: GPL-2.0 OR BSD-2-Clause */
/* Writes pid and tgid of every task: for the tests of iterate() and task storage. */
#include "../core.h"

struct row {
	u32 tid;
	u32 tgid;
};

SEC("iter/task")
int each_task(struct bpf_iter__task *ctx)
{
	struct task_struct *task = ctx->task;
	struct row row = {};

	if (!task)
		return 0;
	row.tid = task->pid;
	row.tgid = task->tgid;
	bpf_seq_write(ctx->meta->seq, &row, sizeof(row));
	return 0;
}

char _license[] SEC("license") = "GPL";
