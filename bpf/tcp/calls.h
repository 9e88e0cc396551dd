/* SPDX-License-Identifier: GPL-2.0 OR BSD-2-Clause */
/*
 * What only the return of connect() and accept() tells: failures before the SYN, and who accepted.
 * These run as classic tracepoints, where socket storage is out of reach: sockets are known by address.
 */
#ifndef KBTOP_TCP_CALLS_H
#define KBTOP_TCP_CALLS_H

#include "tcp/conn.h"
#include "syscall.h"

#define EINTR 4
#define EISCONN 106
#define EALREADY 114
#define EINPROGRESS 115
#define RESTART_FIRST 512
#define RESTART_LAST 516

static __always_inline u64 call_argument(struct pt_regs *regs, u32 n)
{
#if defined(__TARGET_ARCH_arm64)
	return n == 0 ? BPF_CORE_READ(regs, orig_x0) : n == 1 ? BPF_CORE_READ(regs, regs[1]) : BPF_CORE_READ(regs, regs[2]);
#else
	return n == 0 ? BPF_CORE_READ(regs, di) : n == 1 ? BPF_CORE_READ(regs, si) : BPF_CORE_READ(regs, dx);
#endif
}

struct address {
	u16 family;
	__be16 port;
	union {
		u8 v4[4];
		struct {
			u32 flow;
			u8 v6[16];
		};
	};
};

/* Where it was to go: the socket does not know, or no longer. */
static __always_inline void read_destination(struct tcp_row *row, const void *user, u32 bytes)
{
	struct address address = {};

	if (bytes < 16 || bpf_probe_read_user(&address, 16, user))
		return;
	if (address.family == AF_INET) {
		__builtin_memset(row->remote, 0, 16);
		if (row->family == AF_INET6)	/* a v6 socket says it in v6 */
			return;
		__builtin_memcpy(row->remote, address.v4, 4);
	} else if (address.family == AF_INET6 && bytes >= 24) {
		if (bpf_probe_read_user(&address, 24, user))
			return;
		__builtin_memcpy(row->remote, address.v6, 16);
	} else {
		return;
	}
	row->remote_port = port_of(address.port);
}

SEC("tracepoint/syscalls/sys_exit_connect")
int connect_returns(struct trace_event_raw_sys_exit *ctx)
{
	struct task_struct *task;
	struct tcp_row row = { .what = OUTCOME, .direction = OUT };
	struct failure *failure;
	struct pt_regs *regs;
	struct file *file;
	struct sock *sk;
	u32 error;
	u64 key, since = 0, now;

	if (ctx->ret >= 0)
		return 0;
	error = -ctx->ret;
	if (error == EINPROGRESS || error == EALREADY || error == EISCONN || error == EINTR ||
	    (error >= RESTART_FIRST && error <= RESTART_LAST))
		return 0;
	task = bpf_get_current_task_btf();
	regs = current_regs(task);
	file = socket_file(task, call_argument(regs, 0));
	if (!file)
		return 0;
	sk = tcp_of(file);
	if (!sk)
		return 0;
	key = (u64)sk;
	failure = bpf_map_lookup_elem(&failed, &key);
	if (failure && failure->inode == BPF_CORE_READ(file, f_inode, i_ino)) {
		bool told = !failure->untold;

		since = failure->since_ns;
		bpf_map_delete_elem(&failed, &key);
		if (told)
			return 0;
	}
	owner_is(&row.owner, task);
	now = bpf_ktime_get_ns();
	if (!count_event(row.owner.cgroup, error, OUT, now))
		return 0;
	row.time_ns = now;
	row.latency_ns = since ? now - since : LATENCY_UNKNOWN;
	row.error = error;
	row_of(&row, sk, false);
	read_destination(&row, (void *)call_argument(regs, 1), call_argument(regs, 2));
	send_row(&row, sizeof(row));
	return 0;
}

static __noinline int accept_returns(s64 result)
{
	struct task_struct *task = bpf_get_current_task_btf();
	struct tcp_row row = { .what = ACCEPTED_BY, .direction = IN };
	struct acceptor *acceptor, first = { .shared = 1 };
	struct file *file;
	struct sock *sk;
	u64 key;

	if (result < 0)
		return 0;
	file = socket_file(task, call_argument(current_regs(task), 0));
	if (!file)
		return 0;
	sk = tcp_of(file);
	if (!sk)
		return 0;
	key = (u64)sk;
	acceptor = bpf_map_lookup_elem(&acceptors, &key);
	if (acceptor && !acceptor->shared && acceptor->owner.pid == (u32)task->tgid)
		return 0;
	owner_is(&first.owner, task);
	if (!acceptor) {
		if (bpf_map_update_elem(&acceptors, &key, &first, BPF_NOEXIST))
			return 0;
	} else {
		acceptor->shared = 1;
		acceptor->owner = first.owner;
	}
	file = socket_file(task, result);
	if (!file)
		return 0;
	row.socket = (u64)tcp_of(file);
	row.owner = first.owner;
	row.time_ns = bpf_ktime_get_ns();
	/* A correction that finds no room leaves the row with the listener's owner: no event is lost. */
	bpf_ringbuf_output(&rows, &row, sizeof(row), BPF_RB_NO_WAKEUP);
	return 0;
}

SEC("tracepoint/syscalls/sys_exit_accept")
int accept_exit(struct trace_event_raw_sys_exit *ctx)
{
	accept_returns(ctx->ret);
	return 0;
}

SEC("tracepoint/syscalls/sys_exit_accept4")
int accept4_exit(struct trace_event_raw_sys_exit *ctx)
{
	accept_returns(ctx->ret);
	return 0;
}

#endif
