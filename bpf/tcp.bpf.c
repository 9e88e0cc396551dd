/* SPDX-License-Identifier: GPL-2.0 OR BSD-2-Clause */
/*
 * TCP connections by socket: what became of every attempt, out and in, and what happened to it later.
 *
 * State changes tell the outcome (inet_sock_set_state), sk_err its cause. They run in softirq as often as not,
 * so who owns a socket is recorded where a process is at work: at the SYN, at listen(), and at accept(). It is
 * kept in socket storage: freed with the socket, and copied by the kernel itself from a listener to each
 * connection that comes in (BPF_F_CLONE), so an incoming connection belongs to whoever listens, or, where
 * listener and accepting process differ (fork after listen, socket activation), to who accepted last there;
 * a row that was sent before its accept() is put right by a second record (ACCEPTED_BY).
 *
 * connect() calls that never send a SYN (no route, no free port, not permitted) are known by their result alone.
 * Hence the hooks on its return and accept()'s: classic tracepoints, which cost other system calls the least. They
 * do not see 32-bit calls and io_uring, whose failures before the SYN are therefore missing.
 *
 * An established connection that is reset or times out while its program still holds it is one more event, marked
 * LATER: an error, but not one more connection.
 *
 * Needs socket storage in tracing programs (v5.11); connections under way are listed from v5.13.
 */
#include "core.h"
#include "cgroup.h"
#include "loss.h"
#include "socket.h"
#include "stream.h"
#include "syscall.h"
#include "task.h"

char LICENSE[] SEC("license") = "GPL";

#define EINTR 4
#define EISCONN 106
#define EALREADY 114
#define EINPROGRESS 115
/* Linux has no errno for a program that gives up; the field's name for it. */
#define ECANCELED 125
#define RESTART_FIRST 512
#define RESTART_LAST 516

#define WATCHED_MAX 16384
#define LISTENERS_MAX 16384
#define FAILED_MAX 8192
#define SLOW_MAX 4096
/* Rows that fit the 32 KiB which one call of an iterator may write. */
#define ROWS_PER_SHOW 256
#define LATENCY_UNKNOWN (~0ULL)

/* Set by user space once the hook on connect()'s return is attached. */
volatile bool connect_returns_seen = false;
/* Entries of `watched`. */
s64 watching = 0;
/* The last call of the running listing that has something to write. */
u64 last_call = 0;
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

struct handshake {
	u64 net;
	u8 remote[16];
	__be16 remote_port;
	u16 local_port;
	u32 zero;
};

/* Incoming connections whose SYN-ACK was sent again: when it was sent first, us. */
struct {
	__uint(type, BPF_MAP_TYPE_LRU_HASH);
	__uint(max_entries, SLOW_MAX);
	__type(key, struct handshake);
	__type(value, u64);
} slow_handshakes SEC(".maps");

struct {
	__uint(type, BPF_MAP_TYPE_PERCPU_ARRAY);
	__uint(max_entries, 1);
	__type(key, u32);
	__type(value, u64);
} on_state_runs SEC(".maps");

/* Bit per port on which somebody listened when we came: tells the direction of connections older than us. */
u64 listening_ports[65536 / 64] = {};

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

static __always_inline void syn_sent(struct sock *sk)
{
	struct conn *conn = conn_of(sk);

	if (!conn)
		return;
	owner_is(&conn->owner, bpf_get_current_task_btf());
	conn->since_ns = bpf_ktime_get_ns();
	conn->outcome_ns = 0;
	conn->role = CONNECTING;
	watch(sk, conn);
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

#if defined(__TARGET_ARCH_arm64)
#define CONNECT_CALL CALL(ABI_ARM64, 203)
#else
#define CONNECT_CALL CALL(ABI_X86_64, 42)
#endif

/* The current task is inside the connect() that began this attempt, and will be told the cause. */
static __always_inline bool connect_will_tell(const struct conn *conn)
{
	struct task_struct *task = bpf_get_current_task_btf();

	return connect_returns_seen && task->tgid == (int)conn->owner.pid && current_call(task) == CONNECT_CALL;
}

static __always_inline void connect_failed(struct sock *sk, struct conn *conn)
{
	struct failure failure = { .since_ns = conn->since_ns };
	u32 error = sk->sk_err;
	u64 key = (u64)sk;

	failure.inode = BPF_CORE_READ(sk, sk_socket, file, f_inode, i_ino);
	failure.untold = !error && connect_will_tell(conn);
	bpf_map_update_elem(&failed, &key, &failure, BPF_ANY);
	if (!failure.untold)
		tell(sk, conn, bpf_ktime_get_ns(), error ?: ECANCELED, OUT);
}

static __always_inline void handshake_of(struct handshake *key, struct sock_common *common)
{
	key->net = (u64)BPF_CORE_READ(common, skc_net.net);
	key->remote_port = BPF_CORE_READ(common, skc_dport);
	key->local_port = BPF_CORE_READ(common, skc_num);
	if (BPF_CORE_READ(common, skc_family) == AF_INET6) {
		if (bpf_core_field_exists(common->skc_v6_daddr))
			bpf_core_read(key->remote, 16, &common->skc_v6_daddr);
	} else {
		bpf_core_read(key->remote, 4, &common->skc_daddr);
	}
}

SEC("tp_btf/tcp_retransmit_synack")
int BPF_PROG(on_synack_again, struct sock *sk, struct request_sock *req)
{
	u64 first_us = BPF_CORE_READ((struct tcp_request_sock *)req, snt_synack);
	struct handshake key = {};

	if (!first_us)
		return 0;	/* a SYN cookie: the kernel keeps no record */
	handshake_of(&key, &req->__req_common);
	bpf_map_update_elem(&slow_handshakes, &key, &first_us, BPF_NOEXIST);
	return 0;
}

/*
 * When the SYN came: before the handshake's round trip as the kernel measured it. When the SYN-ACK was sent again
 * that is the round trip of the last one, so the first one's time is noted then.
 */
static __always_inline u64 syn_came(struct sock *sk, u64 now)
{
	u32 rtt_us = BPF_CORE_READ((struct tcp_sock *)sk, srtt_us) >> 3;
	struct handshake key = {};
	u64 *first_us, since = 0;

	if (!BPF_CORE_READ((struct tcp_sock *)sk, total_retrans))
		return rtt_us ? now - rtt_us * 1000ULL : 0;
	handshake_of(&key, &sk->__sk_common);
	first_us = bpf_map_lookup_elem(&slow_handshakes, &key);
	if (first_us) {
		since = *first_us * 1000;
		bpf_map_delete_elem(&slow_handshakes, &key);
	}
	return since;
}

static __always_inline void came_in(struct sock *sk, u32 error)
{
	struct conn *conn = conn_of(sk);
	struct acceptor *acceptor;

	if (!conn)
		return;
	if (conn->role == LISTENING) {
		acceptor = bpf_map_lookup_elem(&acceptors, &conn->listener);
		if (acceptor)
			conn->owner = acceptor->owner;
	}
	conn->outcome_ns = bpf_ktime_get_ns();
	conn->since_ns = syn_came(sk, conn->outcome_ns);
	conn->role = ACCEPTED;
	conn->watched = 0;
	tell(sk, conn, conn->outcome_ns, error, IN);
}

static __always_inline void closed(struct sock *sk, struct conn *conn, int from)
{
	u64 key = (u64)sk;

	unwatch(sk, conn);
	switch (conn->role) {
	case CONNECTING:
		connect_failed(sk, conn);
		break;
	case LISTENING:
		if (from == BPF_TCP_LISTEN)
			bpf_map_delete_elem(&acceptors, &key);
		break;
	case CONNECTED:
	case ACCEPTED:
		if (sk->sk_err && !(sk->__sk_common.skc_flags & 1UL << SOCK_DEAD))
			tell(sk, conn, bpf_ktime_get_ns(), sk->sk_err, LATER | (conn->role == ACCEPTED ? IN : OUT));
		break;
	}
	conn->role = UNKNOWN;
}

static __always_inline int state_changed(struct sock *sk, int from, int to)
{
	struct conn *conn;

	if (sk->sk_protocol != IPPROTO_TCP)
		return 0;
	switch (to) {
	case BPF_TCP_SYN_SENT:
		syn_sent(sk);
		return 0;
	case BPF_TCP_LISTEN:
		conn = conn_of(sk);
		if (conn)
			listens(sk, conn, bpf_get_current_task_btf());
		return 0;
	case BPF_TCP_SYN_RECV:
		return 0;
	}
	if (from != BPF_TCP_SYN_SENT && from != BPF_TCP_SYN_RECV && to != BPF_TCP_CLOSE)
		return 0;
	conn = bpf_sk_storage_get(&conns, sk, NULL, 0);
	if (conn && conn->role == CONNECTING && to != BPF_TCP_CLOSE) {
		unwatch(sk, conn);
		conn->outcome_ns = bpf_ktime_get_ns();
		conn->role = CONNECTED;
		tell(sk, conn, conn->outcome_ns, 0, OUT);
		return 0;
	}
	if (from == BPF_TCP_SYN_RECV && (!conn || conn->role == LISTENING)) {
		/* Without an error it is one that the kernel gave up itself: a lost race, a listener that closed. */
		if (to != BPF_TCP_CLOSE || sk->sk_err)
			came_in(sk, to == BPF_TCP_CLOSE ? sk->sk_err : 0);
		return 0;
	}
	if (conn && to == BPF_TCP_CLOSE)
		closed(sk, conn, from);
	return 0;
}

/*
 * The kernel skips a program that is already running on the CPU, as when a packet's softirq interrupts a process that
 * closes another socket. So there are two: the second is called for every change, too, but works only inside the first.
 */
SEC("tp_btf/inet_sock_set_state")
int BPF_PROG(on_state, struct sock *sk, int from, int to)
{
	u32 zero = 0;
	volatile u64 *running = bpf_map_lookup_elem(&on_state_runs, &zero);

	if (!running)
		return 0;
	*running = 1;
	state_changed(sk, from, to);
	*running = 0;
	return 0;
}

SEC("tp_btf/inet_sock_set_state")
int BPF_PROG(on_nested_state, struct sock *sk, int from, int to)
{
	u32 zero = 0;
	volatile u64 *running = bpf_map_lookup_elem(&on_state_runs, &zero);

	if (running && *running)
		state_changed(sk, from, to);
	return 0;
}

SEC("tp_btf/tcp_retransmit_skb")
int BPF_PROG(on_retransmit, struct sock *sk)
{
	struct conn *conn = bpf_sk_storage_get(&conns, sk, NULL, 0);

	if (conn && !conn->watched && (conn->role == CONNECTED || conn->role == ACCEPTED))
		watch(sk, conn);
	return 0;
}

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
