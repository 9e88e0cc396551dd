// SPDX-License-Identifier: GPL-2.0 OR BSD-2-Clause
/*
 * Who the cgroups are and what their tasks use: cgroup creation and removal as they happen, and one walk over all
 * tasks per tick that sums up each cgroup. Read by src/identity/kernel.ts.
 *
 * CPU time comes from the tasks themselves: each carries, in task storage, the run time already charged; a walk, and
 * the release of a dead task, charge what was added since. So a cgroup's sum only grows, holds what its own tasks
 * used (not its children's), misses no task however short its life, and needs neither a cpu controller nor a mounted
 * cgroup file system. Memory is the counter behind memory.current and memory.usage_in_bytes.
 */
#include "core.h"
#include "cgroup.h"
#include "cgroup_path.h"
#include "loss.h"
#include "task.h"

char LICENSE[] SEC("license") = "Dual BSD/GPL";

#define NODENAME_BYTES 64	/* __NEW_UTS_LEN; the NUL is left out */
#define CGROUPS_MAX 16384

/* Bit per hierarchy whose directories may become a key or hold the files that probes read; 63 stands for all above. */
const volatile u64 hierarchy_mask = ~0ULL;
/* Raised by user space before each walk; the first looks at every task. */
volatile u64 walk_number = 15;

/* Set by user space: walks tell what each task used, too. */
volatile bool tell_processes = false;

/* When the last walk and this one began, by the run queues' clock. */
static u64 last_walk_began, walk_began, walk_of_clock;

/* The words before nodename are columns of src/identity/kernel.ts, in this order. */
struct cgroup_stats {
	u64 walk;		/* walk that the following counts belong to */
	u64 tasks;		/* live threads */
	u64 processes;
	u64 cpu_ns;		/* only grows */
	u64 memory_pages;	/* of the memory cgroup below */
	u64 memory_hierarchy;
	u64 memory_id;		/* cgroup that the tasks' memory is charged to; 0: none but the root */
	u64 cpu_hierarchy;
	u64 cpu_id;		/* cgroup whose quota holds the tasks; 0: none but the root */
	u64 tgid;		/* sample: the init of its pid namespace if there is one */
	u64 pid_ns;
	u64 nodename_hash;	/* tells user space when to read nodename again */
	u64 rank;		/* how good the sample is, 0 best */
	u64 path_sent;
	u64 ran_walk;		/* last walk that met one of its tasks on a CPU */
	u64 cpu_path_sent;	/* cpu_id and memory_id whose paths were sent */
	u64 memory_path_sent;
	char nodename[NODENAME_BYTES];
};

/* One task's part in what its process used since the last walk; told between path records, whose kinds end at 3. */
#define RECORD_PROCESS 4

struct process_record {
	u64 cpu_ns;
	u64 key;
	u16 kind;
	u16 threads;
	u32 unused;
	u32 tgid;
	u32 ns_tgid;
	char comm[COMM_BYTES];
};

#define RANK_NONE 255
#define RANK_NOT_INIT 64
/* The sample is chosen anew in one walk out of so many: looking at every task's pid costs a cache miss each. */
#define SAMPLE_WALKS 16

struct {
	__uint(type, BPF_MAP_TYPE_HASH);
	__uint(max_entries, CGROUPS_MAX);
	__type(key, u64);
	__type(value, struct cgroup_stats);
} cgroups SEC(".maps");

/* Run time of a task already charged to some cgroup, ns. */
struct {
	__uint(type, BPF_MAP_TYPE_TASK_STORAGE);
	__uint(map_flags, BPF_F_NO_PREALLOC);
	__type(key, int);
	__type(value, u64);
} charged SEC(".maps");

struct {
	__uint(type, BPF_MAP_TYPE_RINGBUF);
	__uint(max_entries, 512 * 1024);
} events SEC(".maps");

static __always_inline int send_event(struct cgroup *cgrp, u16 kind)
{
	u32 hierarchy = BPF_CORE_READ(cgrp, root, hierarchy_id);
	struct path_record *record;

	if (!(hierarchy_mask >> (hierarchy < 63 ? hierarchy : 63) & 1))
		return 0;
	record = path_of(0, cgrp, cgroup_key_of(cgrp), kind);
	if (record && bpf_ringbuf_output(&events, record, record_bytes(record), BPF_RB_NO_WAKEUP))
		count_loss(ring);
	return 0;
}

SEC("tp_btf/cgroup_mkdir")
int BPF_PROG(on_mkdir, struct cgroup *cgrp)
{
	return send_event(cgrp, PATH_MKDIR);
}

SEC("tp_btf/cgroup_rmdir")
int BPF_PROG(on_rmdir, struct cgroup *cgrp)
{
	return send_event(cgrp, PATH_RMDIR);
}

SEC("tp_btf/cgroup_rename")
int BPF_PROG(on_rename, struct cgroup *cgrp)
{
	return send_event(cgrp, PATH_RENAME);
}

/* Pid namespace and nodename as `task` sees them, if it is a better sample than the last (or as good and `refresh`). */
static __always_inline void observe(struct task_struct *task, struct cgroup_stats *stats, bool refresh)
{
	struct pid *pid = task->thread_pid;
	struct uts_namespace *uts;
	struct nsproxy *nsproxy;
	u64 words[NODENAME_BYTES / 8], hash = 0;
	struct upid upid = {};
	u32 level, i;
	u64 rank;

	if (!pid)
		return;		/* reaped meanwhile */
	level = pid->level & 31;
	bpf_core_read(&upid, sizeof(upid), &pid->numbers[level]);
	rank = (upid.nr == 1 ? 0 : RANK_NOT_INIT) + level;
	if (rank > stats->rank || (rank == stats->rank && !refresh))
		return;
	stats->rank = rank;
	stats->tgid = task->tgid;
	stats->pid_ns = BPF_CORE_READ(upid.ns, ns.inum);
	nsproxy = task->nsproxy;
	if (!nsproxy)
		return;		/* exiting: keep the last */
	uts = nsproxy->uts_ns;
	bpf_core_read(words, sizeof(words), &uts->name.nodename);
	for (i = 0; i < NODENAME_BYTES / 8; i++)
		hash = (hash ^ words[i]) * 0x9e3779b97f4a7c15ULL;
	__builtin_memcpy(stats->nodename, words, sizeof(words));
	stats->nodename_hash = hash >> 11 | 1;	/* exact as a double, never 0 */
}

static __always_inline struct cgroup_stats *stats_of(u64 key)
{
	struct cgroup_stats *stats = bpf_map_lookup_elem(&cgroups, &key);
	struct cgroup_stats none = { .walk = walk_number - 1, .rank = RANK_NONE };

	if (stats)
		return stats;
	if (bpf_map_update_elem(&cgroups, &key, &none, BPF_NOEXIST) == -7 /* E2BIG */)
		count_loss(map);
	return bpf_map_lookup_elem(&cgroups, &key);
}

/* A container may be gone before the next walk: note its namespaces as its first tasks come. */
static __always_inline int note(struct task_struct *task, bool refresh)
{
	struct cgroup_stats *stats = stats_of(cgroup_key(task));

	if (stats)
		observe(task, stats, refresh);
	return 0;
}

SEC("tp_btf/cgroup_attach_task")
int BPF_PROG(on_attach, struct cgroup *to, const char *path, struct task_struct *task)
{
	return note(task, false);
}

SEC("tp_btf/sched_process_fork")
int BPF_PROG(on_fork, struct task_struct *parent, struct task_struct *child)
{
	return note(child, false);
}

SEC("tp_btf/sched_process_exec")
int BPF_PROG(on_exec, struct task_struct *task)
{
	return note(task, true);
}

/* False: out of room. */
static __always_inline bool tell_process(struct seq_file *seq, struct task_struct *task, u64 key, u64 cpu_ns)
{
	struct process_record record = { .cpu_ns = cpu_ns, .key = key, .kind = RECORD_PROCESS, .tgid = task->tgid };
	u32 threads = BPF_CORE_READ(task, signal, nr_threads);

	record.threads = threads < 0xffff ? threads : 0xffff;
	record.ns_tgid = ns_pid_of(task);
	bpf_core_read(record.comm, sizeof(record.comm), &task->group_leader->comm);
	return bpf_seq_write(seq, &record, sizeof(record)) == 0;
}

static __always_inline void charge(struct cgroup_stats *stats, u64 now, u64 *last)
{
	if (now > *last)
		atomic_add(&stats->cpu_ns, now - *last);
	*last = now;
}

/* The last that is heard of a task, some RCU time after it was reaped: no walk can find it any more. */
SEC("tp_btf/sched_process_free")
int BPF_PROG(on_free, struct task_struct *task)
{
	u64 key = cgroup_key(task), never = 0;
	struct cgroup_stats *stats = bpf_map_lookup_elem(&cgroups, &key);
	u64 *last = bpf_task_storage_get(&charged, task, NULL, 0);

	if (!stats)
		return 0;
	charge(stats, task->se.sum_exec_runtime, last ?: &never);
	/* Runtimes begin a container with helpers in the host's namespaces: once they are gone, whoever is next is better. */
	if (task->pid == task->tgid && stats->tgid == (u64)task->tgid)
		stats->rank = RANK_NONE;
	return 0;
}

struct subsystem {
	struct cgroup_subsys_state *css;
	struct cgroup *cgrp;	/* NULL: the root */
	u64 hierarchy;
	u64 id;
};

static __always_inline void subsystem_of(struct task_struct *task, u32 subsys, struct subsystem *result)
{
	struct cgroup_subsys_state *css = task->cgroups->subsys[subsys];
	struct cgroup *cgrp;

	if (!css)
		return;
	cgrp = css->cgroup;
	if (!cgrp || cgrp->level == 0)
		return;
	result->css = css;
	result->cgrp = cgrp;
	result->hierarchy = (u32)cgrp->root->hierarchy_id;
	result->id = cgrp->kn->id;
}

static __always_inline u64 key_of(const struct subsystem *of)
{
	return of->hierarchy << CGROUP_HIERARCHY_SHIFT | of->id;
}

static __always_inline u64 memory_pages(struct cgroup_subsys_state *css)
{
	struct mem_cgroup *memcg = (void *)css - bpf_core_field_offset(struct mem_cgroup, css);

	return BPF_CORE_READ(memcg, memory.usage.counter);
}

static __always_inline long send_path(struct seq_file *seq, struct cgroup *cgrp, u64 key)
{
	struct path_record *record = path_of(1, cgrp, key, PATH_WALK);

	return record ? bpf_seq_write(seq, record, record_bytes(record)) : 0;
}

/* What is taken from the first live task of a cgroup in each walk. False: out of room, the kernel calls again. */
static __always_inline bool first_of_walk(struct bpf_iter__task *ctx, struct task_struct *task, u64 key, struct cgroup_stats *stats)
{
	struct subsystem cpu = {}, memory = {}, pids = {};

	if (bpf_core_enum_value_exists(enum cgroup_subsys_id, cpu_cgrp_id))
		subsystem_of(task, bpf_core_enum_value(enum cgroup_subsys_id, cpu_cgrp_id), &cpu);
	if (bpf_core_enum_value_exists(enum cgroup_subsys_id, memory_cgrp_id))
		subsystem_of(task, bpf_core_enum_value(enum cgroup_subsys_id, memory_cgrp_id), &memory);

	if (!stats->path_sent || stats->cpu_path_sent != cpu.id || stats->memory_path_sent != memory.id) {
		struct cgroup *own = task->cgroups->dfl_cgrp;

		if (key >> CGROUP_HIERARCHY_SHIFT) {
			if (bpf_core_enum_value_exists(enum cgroup_subsys_id, pids_cgrp_id))
				subsystem_of(task, bpf_core_enum_value(enum cgroup_subsys_id, pids_cgrp_id), &pids);
			own = key == key_of(&memory) ? memory.cgrp : key == key_of(&pids) ? pids.cgrp : cpu.cgrp;
		}
		if (own && send_path(ctx->meta->seq, own, key))
			return false;
		if (cpu.cgrp && key_of(&cpu) != key && send_path(ctx->meta->seq, cpu.cgrp, key_of(&cpu)))
			return false;
		if (memory.cgrp && key_of(&memory) != key && send_path(ctx->meta->seq, memory.cgrp, key_of(&memory)))
			return false;
		stats->path_sent = 1;
		stats->memory_path_sent = memory.id;
		stats->cpu_path_sent = cpu.id;
	}
	stats->walk = walk_number;
	stats->tasks = 0;
	stats->processes = 0;
	if (walk_number % SAMPLE_WALKS == 0)
		stats->rank = RANK_NONE;
	stats->cpu_hierarchy = cpu.hierarchy;
	stats->cpu_id = cpu.id;
	stats->memory_hierarchy = memory.hierarchy;
	stats->memory_id = memory.id;
	stats->memory_pages = memory.cgrp ? memory_pages(memory.css) : 0;
	return true;
}

/* The run queues' clocks of two CPUs may differ a little. */
#define CLOCK_SKEW_NS (20 * 1000 * 1000)

static __always_inline void note_beginning(void)
{
	struct task_struct *self = bpf_get_current_task_btf();

	if (walk_of_clock == walk_number)
		return;
	walk_of_clock = walk_number;
	last_walk_began = walk_began;
	walk_began = self->sched_info.last_arrival;
}

/*
 * Whether there may be run time to charge. Saves three cache misses for each of the many that slept all the time. A
 * task ran since the last walk if it came to a CPU since, is on one, or was on one then. Should one slip through, it
 * is charged in full when it next runs or ends.
 */
static __always_inline bool may_have_run(struct task_struct *task, struct cgroup_stats *stats)
{
	if (!bpf_core_field_exists(task->sched_info.last_arrival))
		return true;
	if (task->on_cpu) {
		stats->ran_walk = walk_number;
		return true;
	}
	return task->sched_info.last_arrival + CLOCK_SKEW_NS >= last_walk_began || stats->ran_walk >= walk_number - 1;
}

SEC("iter/task")
int walk(struct bpf_iter__task *ctx)
{
	struct task_struct *task = ctx->task;
	struct cgroup_stats *stats;
	u64 *last = NULL, key, now;

	if (!task)
		return 0;
	note_beginning();
	key = cgroup_key(task);
	/* The dead are only charged: they must not bring back a removed cgroup. */
	stats = task->exit_state ? bpf_map_lookup_elem(&cgroups, &key) : stats_of(key);
	if (!stats)
		return 0;
	if (may_have_run(task, stats)) {
		last = bpf_task_storage_get(&charged, task, NULL, BPF_LOCAL_STORAGE_GET_F_CREATE);
		if (!last)
			count_loss(map);
	}
	now = task->se.sum_exec_runtime;
	/* Out of room, the kernel drops what this call wrote and calls again: nothing may be noted before all is written. */
	if (last && tell_processes && now > *last && !tell_process(ctx->meta->seq, task, key, now - *last))
		return 0;
	if (!task->exit_state) {
		if (stats->walk != walk_number && !first_of_walk(ctx, task, key, stats))
			return 0;
		stats->tasks++;
		if (task->pid == task->tgid) {
			stats->processes++;
			if (walk_number % SAMPLE_WALKS == 0 || stats->rank == RANK_NONE || stats->tgid == (u64)task->tgid)
				observe(task, stats, stats->tgid == (u64)task->tgid);
		}
	}
	if (last)
		charge(stats, now, last);
	return 0;
}
