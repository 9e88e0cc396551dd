/* SPDX-License-Identifier: GPL-2.0 OR BSD-2-Clause */
/*
 * The path of a cgroup, read from the kernel's own tree: it needs no mounted cgroup file system and is the same in
 * every cgroup namespace. Decoded by src/identity/kernel.ts.
 */
#ifndef KBTOP_CGROUP_PATH_H
#define KBTOP_CGROUP_PATH_H

#include "core.h"

#define NAME_BYTES 256		/* NAME_MAX and its NUL */
#define PATH_BYTES 4096
#define PATH_DEPTH 32

enum path_kind {
	PATH_WALK = 0,
	PATH_MKDIR = 1,
	PATH_RMDIR = 2,
	PATH_RENAME = 3,
};

#define PATH_TRUNCATED 1

/* A cgroup's path, leaf first: NUL-terminated names, so that the end of a path too long to hold is what is kept. */
struct path_record {
	u64 time_ns;
	u64 key;
	u16 kind;
	u16 flags;
	u16 level;
	u16 length;		/* of names */
	char names[PATH_BYTES + NAME_BYTES];
};

#define PATH_HEADER __builtin_offsetof(struct path_record, names)

/* One scratch record for events and one for the walk: a walk may be preempted by an event on its CPU. */
struct {
	__uint(type, BPF_MAP_TYPE_PERCPU_ARRAY);
	__uint(max_entries, 2);
	__type(key, u32);
	__type(value, struct path_record);
} scratch SEC(".maps");

static __always_inline struct kernfs_node *kernfs_parent(struct kernfs_node *kn)
{
	struct kernfs_node___parent *old = (void *)kn;

	if (bpf_core_field_exists(kn->__parent))
		return BPF_CORE_READ(kn, __parent);
	return BPF_CORE_READ(old, parent);
}

static __noinline int fill_names(struct path_record *record, struct kernfs_node *kn)
{
	u32 length = 0, i;

	if (!record)
		return 0;
	for (i = 0; i < PATH_DEPTH; i++) {
		struct kernfs_node *parent = kernfs_parent(kn);
		long n;

		if (!parent)
			break;
		if (length >= PATH_BYTES)
			break;
		n = bpf_probe_read_kernel_str(record->names + length, NAME_BYTES, BPF_CORE_READ(kn, name));
		if (n <= 0 || n > NAME_BYTES)
			break;
		length += n;
		kn = parent;
	}
	record->flags = kernfs_parent(kn) ? PATH_TRUNCATED : 0;
	record->length = length;
	return 0;
}

static __always_inline struct path_record *path_of(u32 slot, struct cgroup *cgrp, u64 key, u16 kind)
{
	struct path_record *record = bpf_map_lookup_elem(&scratch, &slot);

	if (!record)
		return NULL;
	record->time_ns = bpf_ktime_get_ns();
	record->key = key;
	record->kind = kind;
	record->level = BPF_CORE_READ(cgrp, level);
	record->length = 0;
	record->flags = 0;
	if (kind != PATH_RMDIR)
		fill_names(record, BPF_CORE_READ(cgrp, kn));
	return record;
}

static __always_inline u32 record_bytes(const struct path_record *record)
{
	u32 bytes = (PATH_HEADER + record->length + 7) & ~7U;

	/* Newer clang bounds `length` instead, and the verifier does not see what that says about `bytes`. */
	asm volatile("" : "+r"(bytes));
	return bytes < sizeof(*record) ? bytes : sizeof(*record);
}

#endif
