/* SPDX-License-Identifier: GPL-2.0 OR BSD-2-Clause */
/*
 * A pane whose rows are single events: exact totals that only grow, and rows in a ring buffer under a budget.
 *
 * An event ends in exactly one place: in the ring, or in one counter of loss.h. The totals count it in every case
 * but one, a full map, which is the counter `map`.
 *
 * The budget is rows per second, on the kernel's clock. Three quarters are first come, first served; the last
 * quarter is kept for kinds of events, that is (cgroup, errno) pairs, that have had few rows in this second: neither
 * a busy container nor a flood of one errno hides the others, and failures come through beside successes.
 */
#ifndef KBTOP_STREAM_H
#define KBTOP_STREAM_H

#include "core.h"
#include "ignore.h"
#include "loss.h"

#define NSEC_PER_SEC 1000000000ULL
#define TOTALS_MAX 16384
/* Rows per second and CPU that a kind may take from the reserved quarter. */
#define RESERVED_PER_KIND 16

/* May be set at any time; 0: totals only. */
volatile u64 rows_per_second = 2000;

struct budget {
	u64 second;
	u64 open;	/* taken in this second from the first three quarters */
	u64 reserved;	/* and from the last */
};

struct budget budget = {};

struct total_key {
	u64 cgroup;
	u32 error;
	u32 kind;	/* the pane's own distinction */
};

struct total {
	u64 count;
	u64 second;
	u64 reserved;	/* rows from the reserved quarter in that second */
};

struct {
	__uint(type, BPF_MAP_TYPE_PERCPU_HASH);
	__uint(map_flags, BPF_F_NO_PREALLOC);
	__uint(max_entries, TOTALS_MAX);
	__type(key, struct total_key);
	__type(value, struct total);
} totals SEC(".maps");

struct {
	__uint(type, BPF_MAP_TYPE_RINGBUF);
	__uint(max_entries, 8 << 20);
} rows SEC(".maps");

static __always_inline struct total *total_of(struct total_key *key)
{
	struct total *total = bpf_map_lookup_elem(&totals, key);
	struct total none = {};

	if (likely(total))
		return total;
	bpf_map_update_elem(&totals, key, &none, BPF_NOEXIST);
	return bpf_map_lookup_elem(&totals, key);
}

/* CPUs that enter a new second together may give out a few rows more than the budget. */
static __always_inline bool within_budget(struct total *total, u64 now)
{
	u64 second = now / NSEC_PER_SEC, limit = rows_per_second, reserve = limit / 4;
	volatile struct budget *b = &budget;

	if (unlikely(b->second != second)) {
		b->second = second;
		b->open = 0;
		b->reserved = 0;
	}
	if (b->open < limit - reserve && __sync_fetch_and_add(&budget.open, 1) < limit - reserve)
		return true;
	if (total->second != second) {
		total->second = second;
		total->reserved = 0;
	}
	if (total->reserved >= RESERVED_PER_KIND || b->reserved >= reserve ||
	    __sync_fetch_and_add(&budget.reserved, 1) >= reserve)
		return false;
	total->reserved++;
	return true;
}

/* Count an event, unless nobody asked about its cgroup. True: a row for it is within the budget and must now be sent with send_row(). */
static __always_inline bool count_event(u64 cgroup, u32 error, u32 kind, u64 now)
{
	struct total_key key = { .cgroup = cgroup, .error = error, .kind = kind };
	struct total *total;

	if (is_ignored(cgroup))
		return false;
	total = total_of(&key);
	if (unlikely(!total)) {
		count_loss(map);
		return false;
	}
	/* Softirqs interrupt processes: even a CPU's own count is shared. */
	atomic_inc(&total->count);
	if (within_budget(total, now))
		return true;
	count_loss(budget);
	return false;
}

static __always_inline void send_row(void *row, u32 bytes)
{
	if (unlikely(bpf_ringbuf_output(&rows, row, bytes, BPF_RB_NO_WAKEUP)))
		count_loss(ring);
}

#endif
