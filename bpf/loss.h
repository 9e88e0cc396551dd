/* SPDX-License-Identifier: GPL-2.0 OR BSD-2-Clause */
/*
 * What a probe could not keep, counted where it happens. One per-CPU entry; the words stand in the order of
 * LOSS_WORDS in src/probes/loss.ts.
 */
#ifndef KBTOP_LOSS_H
#define KBTOP_LOSS_H

#include "core.h"

struct loss {
	u64 ring;	/* ring buffer full */
	u64 map;	/* map full, or storage not to be had */
	u64 fault;	/* user or kernel memory could not be read */
	u64 budget;	/* row left out by the rows-per-second budget */
};

struct {
	__uint(type, BPF_MAP_TYPE_PERCPU_ARRAY);
	__uint(max_entries, 1);
	__type(key, u32);
	__type(value, struct loss);
} loss SEC(".maps");

#define count_losses(cause, n)                                         \
	do {                                                           \
		u32 zero__ = 0;                                        \
		struct loss *loss__ = bpf_map_lookup_elem(&loss, &zero__); \
		if (loss__)                                            \
			atomic_add(&loss__->cause, n); /* softirqs share it */ \
	} while (0)

#define count_loss(cause) count_losses(cause, 1)

#endif
