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
#include "syscall.h"
#include "tcp/conn.h"
#include "tcp/handshake.h"
#include "tcp/calls.h"
#include "tcp/walks.h"

char LICENSE[] SEC("license") = "GPL";

/* Linux has no errno for a program that gives up; the field's name for it. */
#define ECANCELED 125

/* Set by user space once the hook on connect()'s return is attached. */
volatile bool connect_returns_seen = false;

struct {
	__uint(type, BPF_MAP_TYPE_PERCPU_ARRAY);
	__uint(max_entries, 1);
	__type(key, u32);
	__type(value, u64);
} on_state_runs SEC(".maps");

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
