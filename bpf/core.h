/* SPDX-License-Identifier: GPL-2.0 OR BSD-2-Clause */
/*
 * The kernel types that kbtop's programs read, cut down to the fields they use. CO-RE relocates every access by
 * name, so order and size here mean nothing. Enum values, helper ids and map types come from <linux/bpf.h>.
 * A struct that differs between kernels gets a ___suffix flavour beside it, with the commit that changed it.
 */
#ifndef KBTOP_CORE_H
#define KBTOP_CORE_H

#include <linux/bpf.h>
#include <linux/types.h>
#include <stdbool.h>
#include <bpf/bpf_helpers.h>
#include <bpf/bpf_core_read.h>
#include <bpf/bpf_tracing.h>

typedef __u8 u8;
typedef __u16 u16;
typedef __u32 u32;
typedef __u64 u64;
typedef __s32 s32;
typedef __s64 s64;

#ifndef NULL
#define NULL ((void *)0)
#endif
#ifndef BPF_F_NO_PREALLOC
#define BPF_F_NO_PREALLOC 1
#endif
#define likely(x) __builtin_expect(!!(x), 1)
#define unlikely(x) __builtin_expect(!!(x), 0)
/* Counters shared between CPUs; per-CPU ones need no lock. */
#define atomic_inc(p) __sync_fetch_and_add((p), 1)
#define atomic_add(p, n) __sync_fetch_and_add((p), (n))

#pragma clang attribute push(__attribute__((preserve_access_index)), apply_to = record)

struct kernfs_node {
	struct kernfs_node *__parent;
	const char *name;
	u64 id;
};

/* Before v6.15 (633488947ef6 "kernfs: Use RCU to access kernfs_node::parent"). */
struct kernfs_node___parent {
	struct kernfs_node *parent;
};

struct cgroup_root {
	int hierarchy_id;
};

struct cgroup {
	int level;
	struct kernfs_node *kn;
	struct cgroup_root *root;
};

struct cgroup_subsys_state {
	struct cgroup *cgroup;
};

typedef struct {
	long counter;
} atomic_long_t;

struct page_counter {
	atomic_long_t usage;
};

struct mem_cgroup {
	struct cgroup_subsys_state css;
	struct page_counter memory;
};

struct css_set {
	struct cgroup_subsys_state *subsys[16];
	struct cgroup *dfl_cgrp;
};

enum cgroup_subsys_id {
	cpu_cgrp_id,
	memory_cgrp_id,
	pids_cgrp_id,
};

struct ns_common {
	unsigned int inum;
};

struct pid_namespace {
	struct ns_common ns;
};

struct upid {
	int nr;
	struct pid_namespace *ns;
};

struct pid {
	unsigned int level;
	struct upid numbers[1];
};

struct new_utsname {
	char nodename[65];
};

struct uts_namespace {
	struct new_utsname name;
};

struct nsproxy {
	struct uts_namespace *uts_ns;
};

struct sched_info {
	unsigned long pcount;
	unsigned long long run_delay;
	unsigned long long last_arrival;
	unsigned long long last_queued;
};

struct rq {
	u64 clock;
};

struct cfs_rq {
	struct rq *rq;
};

struct sched_entity {
	u64 sum_exec_runtime;
	struct cfs_rq *cfs_rq;
};

struct thread_info {
	unsigned long flags;
	u32 status;
};

struct pt_regs {
#if defined(__TARGET_ARCH_arm64)
	u64 regs[31];
	u64 orig_x0;
	s32 syscallno;
#else
	unsigned long bx;
	unsigned long cx;
	unsigned long dx;
	unsigned long si;
	unsigned long di;
	unsigned long orig_ax;
#endif
};

struct mm_struct {
	unsigned long task_size;
};

struct files_struct;

struct signal_struct {
	int nr_threads;
};

struct task_struct {
	struct thread_info thread_info;
	unsigned int __state;
	void *stack;
	unsigned int flags;
	int on_cpu;
	struct sched_entity se;
	int pid;
	int tgid;
	int exit_state;
	struct task_struct *group_leader;
	struct pid *thread_pid;
	struct nsproxy *nsproxy;
	struct mm_struct *mm;
	struct signal_struct *signal;
	struct files_struct *files;
	struct css_set *cgroups;
	struct sched_info sched_info;
	char comm[16];
};

struct seq_file {
	unsigned long count;
};

struct bpf_iter_meta {
	struct seq_file *seq;
	u64 seq_num;
};

/* What a tracepoint/syscalls/sys_exit_* program is given. */
struct trace_event_raw_sys_exit {
	long id;
	long ret;
};

struct bpf_iter__task {
	struct bpf_iter_meta *meta;
	struct task_struct *task;
};

/* Before v5.14 (2f064a59a11f "sched: Change task_struct::state"). */
struct task_struct___state {
	long state;
};

#pragma clang attribute pop

#define PF_KTHREAD 0x00200000
#define TASK_RUNNING 0

#endif
