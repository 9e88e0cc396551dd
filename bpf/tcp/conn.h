/* SPDX-License-Identifier: GPL-2.0 OR BSD-2-Clause */
/* What the parts of the tcp programs share: connections, who they belong to, and rows about them. */
#ifndef KBTOP_TCP_CONN_H
#define KBTOP_TCP_CONN_H

#include "core.h"
#include "cgroup.h"
#include "socket.h"
#include "stream.h"
#include "task.h"

#define WATCHED_MAX 16384
#define LISTENERS_MAX 16384
#define FAILED_MAX 8192
#define LATENCY_UNKNOWN (~0ULL)

/* Entries of `watched`. */
s64 watching = 0;
/* Connections under way that found no room in `watched`. */
volatile u64 unwatched = 0;

enum role {
	UNKNOWN,
	LISTENING,
	CONNECTING,
	CONNECTED,
	ACCEPTED,
};

enum direction {
	OUT,
	IN,
};

/* Kinds of totals: a direction, perhaps with: */
#define LATER 2

enum what {
	OUTCOME,
	PENDING,	/* still in SYN_SENT */
	RETRANSMITTED,	/* established, with its retransmits so far */
	ACCEPTED_BY,	/* owner of an earlier OUTCOME */
};

struct conn {
	struct owner owner;
	u64 since_ns;		/* of the SYN; 0 unknown */
	u64 outcome_ns;
	u64 listener;		/* where it came in */
	u32 role;
	u32 watched;
};

struct {
	__uint(type, BPF_MAP_TYPE_SK_STORAGE);
	__uint(map_flags, BPF_F_NO_PREALLOC | BPF_F_CLONE);
	__type(key, int);
	__type(value, struct conn);
} conns SEC(".maps");

/* By socket: connections under way, and established ones that had to retransmit. Listed once a tick. */
struct {
	__uint(type, BPF_MAP_TYPE_HASH);
	__uint(map_flags, BPF_F_NO_PREALLOC);
	__uint(max_entries, WATCHED_MAX);
	__type(key, u64);
	__type(value, struct conn);
} watched SEC(".maps");

struct acceptor {
	struct owner owner;
	u64 shared;	/* others accept here than the one that rows would name */
};

/* By listening socket: who accepted last, at first who listens. */
struct {
	__uint(type, BPF_MAP_TYPE_HASH);
	__uint(map_flags, BPF_F_NO_PREALLOC);
	__uint(max_entries, LISTENERS_MAX);
	__type(key, u64);
	__type(value, struct acceptor);
} acceptors SEC(".maps");

struct failure {
	u64 inode;	/* of the socket: its address alone may be used again */
	u64 since_ns;
	u64 untold;	/* no row yet: connect() is about to return the cause */
};

/* By socket: failed attempts whose error a connect() may still return. */
struct {
	__uint(type, BPF_MAP_TYPE_LRU_HASH);
	__uint(max_entries, FAILED_MAX);
	__type(key, u64);
	__type(value, struct failure);
} failed SEC(".maps");

/* Fields as src/probes/tcp.ts reads them. */
struct tcp_row {
	u64 time_ns;		/* of the outcome; while pending, of the SYN */
	u64 latency_ns;
	u64 socket;
	struct owner owner;
	u8 local[16];
	u8 remote[16];
	u16 local_port;
	u16 remote_port;
	u16 family;
	u8 what;
	u8 direction;
	u32 error;
	u32 retransmits;
};

static __always_inline u16 port_of(__be16 port)
{
	return __builtin_bswap16(port);
}

static __always_inline u16 local_port(struct sock *sk)
{
	/* Unlike skc_num it outlives the unhashing before TCP_CLOSE. */
	return port_of(BPF_CORE_READ((struct inet_sock *)sk, inet_sport));
}

/* A field of a socket: at once where the verifier knows the pointer's type, else with a helper call. */
#define SK(sk, field) (typed ? (sk)->__sk_common.field : BPF_CORE_READ(sk, __sk_common.field))

/* Everything of a row that the socket itself knows. `typed`: `sk` is one, not just its address. */
static __always_inline void row_of(struct tcp_row *row, struct sock *sk, const bool typed)
{
	row->socket = (u64)sk;
	row->family = SK(sk, skc_family);
	if (row->family == AF_INET6) {
		if (bpf_core_field_exists(sk->__sk_common.skc_v6_daddr)) {
			bpf_core_read(row->local, 16, &sk->__sk_common.skc_v6_rcv_saddr);
			bpf_core_read(row->remote, 16, &sk->__sk_common.skc_v6_daddr);
		}
	} else {
		*(__be32 *)row->local = SK(sk, skc_rcv_saddr);
		*(__be32 *)row->remote = SK(sk, skc_daddr);
	}
	row->local_port = local_port(sk);
	row->remote_port = port_of(SK(sk, skc_dport));
	row->retransmits = BPF_CORE_READ((struct tcp_sock *)sk, total_retrans);
}

/* Count what became of a connection, and send its row. */
static __noinline int tell(struct sock *sk, const struct conn *conn, u64 now, u32 error, u32 kind)
{
	struct tcp_row row = { .what = OUTCOME, .error = error, .direction = kind & 1 };

	if (!count_event(conn->owner.cgroup, error, kind, now))
		return 0;
	row.time_ns = now;
	row.latency_ns = conn->since_ns ? now - conn->since_ns : LATENCY_UNKNOWN;
	row.owner = conn->owner;
	row_of(&row, sk, true);
	send_row(&row, sizeof(row));
	return 0;
}

static __always_inline void watch(struct sock *sk, struct conn *conn)
{
	u64 key = (u64)sk;

	conn->watched = 1;
	if (!bpf_map_update_elem(&watched, &key, conn, BPF_NOEXIST)) {
		__sync_fetch_and_add(&watching, 1);
		return;
	}
	conn->watched = 0;
	__sync_fetch_and_add(&unwatched, 1);
}

static __always_inline void unwatch(struct sock *sk, struct conn *conn)
{
	u64 key = (u64)sk;

	if (conn->watched && !bpf_map_delete_elem(&watched, &key))
		__sync_fetch_and_sub(&watching, 1);
	conn->watched = 0;
}

static __always_inline struct conn *conn_of(struct sock *sk)
{
	struct conn *conn = bpf_sk_storage_get(&conns, sk, NULL, BPF_SK_STORAGE_GET_F_CREATE);

	if (!conn)
		count_loss(map);
	return conn;
}

static __always_inline void listens(struct sock *sk, struct conn *conn, struct task_struct *task)
{
	struct acceptor acceptor = {};
	u64 key = (u64)sk;

	owner_is(&conn->owner, task);
	conn->listener = key;
	conn->role = LISTENING;
	acceptor.owner = conn->owner;
	/* Where there is no room, connections stay with whoever listens. */
	bpf_map_update_elem(&acceptors, &key, &acceptor, BPF_ANY);
}

#endif
