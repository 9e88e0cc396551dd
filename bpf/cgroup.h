/* SPDX-License-Identifier: GPL-2.0 OR BSD-2-Clause */
/*
 * Which container a task belongs to: one u64 that stands for one cgroup directory on every host.
 *
 *   bits 63..56  hierarchy id (0 is cgroup v2; v1 hierarchies as numbered in /proc/cgroups)
 *   bits 55..0   kernfs id = inode number of the directory in that hierarchy
 *
 * kernfs ids are only unique within one hierarchy, hence the tag. On a pure v2 host the v2 cgroup is the answer.
 * On v1 and hybrid hosts it is the v2 cgroup when the task has left the v2 root (runc joins both), else the first
 * of memory, pids, cpu in which the task has left the root, else the host: the v2 root.
 */
#ifndef KBTOP_CGROUP_H
#define KBTOP_CGROUP_H

#include "core.h"

/* Set by user space: some v1 hierarchy is mounted, so a task in the v2 root may still be in a container. */
const volatile bool cgroup_v1_fallback = false;

#define CGROUP_HIERARCHY_SHIFT 56

static __always_inline u64 cgroup_key_of(struct cgroup *cgrp)
{
	return (u64)(u32)cgrp->root->hierarchy_id << CGROUP_HIERARCHY_SHIFT | cgrp->kn->id;
}

/* 0 when the task is in the hierarchy's root. Plain loads of BTF pointers, where a NULL reads as 0: probe reads cost 190 ns. */
static __always_inline u64 cgroup_key_v1(struct css_set *set, u32 subsys)
{
	struct cgroup *cgrp = set->subsys[subsys]->cgroup;

	return cgrp->level == 0 ? 0 : cgroup_key_of(cgrp);
}

/* 0 when the task is in every root. */
static __always_inline u64 cgroup_key_fallback(struct css_set *set)
{
	u64 key = 0;

	if (bpf_core_enum_value_exists(enum cgroup_subsys_id, memory_cgrp_id))
		key = cgroup_key_v1(set, bpf_core_enum_value(enum cgroup_subsys_id, memory_cgrp_id));
	if (!key && bpf_core_enum_value_exists(enum cgroup_subsys_id, pids_cgrp_id))
		key = cgroup_key_v1(set, bpf_core_enum_value(enum cgroup_subsys_id, pids_cgrp_id));
	if (!key && bpf_core_enum_value_exists(enum cgroup_subsys_id, cpu_cgrp_id))
		key = cgroup_key_v1(set, bpf_core_enum_value(enum cgroup_subsys_id, cpu_cgrp_id));
	return key;
}

/* The key of a task's cgroup. `task` must be a BTF pointer (tp_btf argument or bpf_get_current_task_btf()). */
static __always_inline u64 cgroup_key(struct task_struct *task)
{
	struct css_set *set = task->cgroups;
	struct cgroup *dfl = set->dfl_cgrp;

	if (cgroup_v1_fallback && dfl->level == 0) {
		u64 key = cgroup_key_fallback(set);

		if (key)
			return key;
	}
	return dfl->kn->id;
}

#endif
