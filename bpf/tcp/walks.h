/* SPDX-License-Identifier: GPL-2.0 OR BSD-2-Clause */
/* Walks that user space asks for: sockets older than us, and connections under way. */
#ifndef KBTOP_TCP_WALKS_H
#define KBTOP_TCP_WALKS_H

#include "tcp/conn.h"

/* Rows that fit the 32 KiB which one call of an iterator may write. */
#define ROWS_PER_SHOW 256

/* The last call of the running listing that has something to write. */
u64 last_call = 0;

/* Bit per port on which somebody listened when we came: tells the direction of connections older than us. */
u64 listening_ports[65536 / 64] = {};

/* Sockets that were there before us. Run twice: the second walk knows all listening ports. */
SEC("iter/task_file")
int seed(struct bpf_iter__task_file *ctx)
{
	struct task_struct *task = ctx->task;
	struct file *file = ctx->file;
	struct socket *socket;
	struct conn *conn;
	struct sock *sk;
	u16 port;

	if (!task || !file)
		return 0;
	socket = bpf_sock_from_file(file);
	if (!socket)
		return 0;
	sk = socket->sk;
	if (!sk || sk->sk_protocol != IPPROTO_TCP)
		return 0;
	if (sk->__sk_common.skc_family != AF_INET && sk->__sk_common.skc_family != AF_INET6)
		return 0;
	port = local_port(sk);
	switch (sk->__sk_common.skc_state) {
	case BPF_TCP_CLOSE:
		return 0;
	case BPF_TCP_LISTEN:
		listening_ports[port / 64] |= 1ULL << (port % 64);
		conn = bpf_sk_storage_get(&conns, sk, NULL, 0);
		if (conn)
			return 0;
		conn = conn_of(sk);
		if (conn)
			listens(sk, conn, task);
		return 0;
	}
	conn = bpf_sk_storage_get(&conns, sk, NULL, 0);
	if (!conn) {
		conn = conn_of(sk);
		if (!conn)
			return 0;
		owner_is(&conn->owner, task);
		conn->outcome_ns = bpf_ktime_get_ns();
		if (sk->__sk_common.skc_state == BPF_TCP_SYN_SENT) {
			conn->role = CONNECTING;
			watch(sk, conn);
			return 0;
		}
		conn->role = CONNECTED;
	}
	if (conn->role == CONNECTED && !conn->since_ns && listening_ports[port / 64] >> (port % 64) & 1)
		conn->role = ACCEPTED;
	return 0;
}

struct show {
	struct seq_file *seq;
	u32 skip;
	u32 left;
};

static long show_watched(struct bpf_map *map, u64 *key, struct conn *conn, struct show *show)
{
	struct tcp_row row = {};
	struct sock *sk = (struct sock *)*key;

	if (show->skip) {
		show->skip--;
		return 0;
	}
	if (!show->left)
		return 1;
	show->left--;
	row_of(&row, sk, false);
	row.owner = conn->owner;
	if (conn->role == CONNECTING) {
		/* Without a port it is just now inside connect(). */
		if (BPF_CORE_READ(sk, __sk_common.skc_state) != BPF_TCP_SYN_SENT || !row.local_port)
			return 0;
		row.what = PENDING;
		row.time_ns = conn->since_ns ?: conn->outcome_ns;
		row.latency_ns = LATENCY_UNKNOWN;
	} else {
		row.what = RETRANSMITTED;
		row.direction = conn->role == ACCEPTED ? IN : OUT;
		row.time_ns = conn->outcome_ns;
		row.latency_ns = conn->since_ns ? conn->outcome_ns - conn->since_ns : LATENCY_UNKNOWN;
	}
	bpf_seq_write(show->seq, &row, sizeof(row));
	return 0;
}

/*
 * Lists `watched` with what the sockets say now. The walk over the system's maps is only a way to be called by
 * user space, more than once where one call cannot write everything.
 */
SEC("iter/bpf_map")
int under_way(struct bpf_iter__bpf_map *ctx)
{
	u64 call = ctx->meta->seq_num;
	struct show show = {
		.seq = ctx->meta->seq,
		.skip = call * ROWS_PER_SHOW,
		.left = ROWS_PER_SHOW,
	};

	/* Walking even an empty hash takes a while: it has as many buckets as it may hold entries. */
	if (!ctx->map || watching <= 0 || (call > 0 && call > last_call))
		return 0;
	bpf_for_each_map_elem(&watched, show_watched, &show, 0);
	/* A call whose output did not fit behind that of the one before is made again, with the same number. */
	last_call = show.left ? call : call + 1;
	return 0;
}

#endif
