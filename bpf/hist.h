/* SPDX-License-Identifier: GPL-2.0 OR BSD-2-Clause */
/*
 * Log-linear latency histogram, all u64 words so that user space can fold and subtract it blindly.
 *
 * Bucket 0 holds everything below 2^HIST_MIN_SHIFT ns (256 ns); from there each power of two is cut into
 * HIST_SUB equal parts, so a bucket is never wider than 25 % of its lower bound; the last bucket is open
 * (from about 68 s). src/frame/histogram.ts knows the same constants; test/bpf checks that both agree.
 *
 * Everything only grows, but the maximum: it is kept per epoch, a number that user space raises at every tick.
 * Each of the two slots holds epoch << 40 | ns; the larger number wins, so a new epoch needs no reset and
 * user space reads the finished epoch's slot while the kernel writes the other.
 */
#ifndef KBTOP_HIST_H
#define KBTOP_HIST_H

#include "core.h"

#define HIST_MIN_SHIFT 8
#define HIST_SUB_SHIFT 2
#define HIST_SUB (1 << HIST_SUB_SHIFT)
#define HIST_OCTAVES 28
#define HIST_BUCKETS (1 + HIST_OCTAVES * HIST_SUB)
#define HIST_MAX_SHIFT 40

struct hist {
	u64 sum_ns;
	u64 max[2];
	u64 bucket[HIST_BUCKETS];
};

volatile u64 hist_epoch = 1;

static __always_inline u32 log2_u64(u64 v)
{
	u32 r, s;

	r = (v > 0xffffffffULL) << 5; v >>= r;
	s = (v > 0xffff) << 4; v >>= s; r |= s;
	s = (v > 0xff) << 3; v >>= s; r |= s;
	s = (v > 0xf) << 2; v >>= s; r |= s;
	s = (v > 0x3) << 1; v >>= s; r |= s;
	return r | (u32)(v >> 1);
}

static __always_inline u32 hist_index(u64 ns)
{
	u32 octave, index;

	if (ns < (1ULL << HIST_MIN_SHIFT))
		return 0;
	octave = log2_u64(ns);
	index = 1 + ((octave - HIST_MIN_SHIFT) << HIST_SUB_SHIFT) + ((ns >> (octave - HIST_SUB_SHIFT)) & (HIST_SUB - 1));
	return index < HIST_BUCKETS ? index : HIST_BUCKETS - 1;
}

/* A racing lower maximum of the same epoch may win by a hair; counts and sums never suffer. */
static __always_inline void hist_max(struct hist *h, u64 ns)
{
	u64 epoch = hist_epoch;
	u64 *slot = &h->max[epoch & 1];
	u64 capped = ns < (1ULL << HIST_MAX_SHIFT) ? ns : (1ULL << HIST_MAX_SHIFT) - 1;
	u64 v = epoch << HIST_MAX_SHIFT | capped;

	if (v > *slot)
		*slot = v;
}

/* For per-CPU values. */
static __always_inline void hist_add(struct hist *h, u64 ns)
{
	h->sum_ns += ns;
	h->bucket[hist_index(ns)]++;
	hist_max(h, ns);
}

/* For values that CPUs share. */
static __always_inline void hist_add_atomic(struct hist *h, u64 ns)
{
	atomic_add(&h->sum_ns, ns);
	atomic_inc(&h->bucket[hist_index(ns)]);
	hist_max(h, ns);
}

#endif
