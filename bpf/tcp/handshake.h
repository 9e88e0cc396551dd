/* SPDX-License-Identifier: GPL-2.0 OR BSD-2-Clause */
/* How long ago an incoming connection began. */
#ifndef KBTOP_TCP_HANDSHAKE_H
#define KBTOP_TCP_HANDSHAKE_H

#include "core.h"
#include "socket.h"

#define SLOW_MAX 4096

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

#endif
