/* SPDX-License-Identifier: GPL-2.0 OR BSD-2-Clause */
/* Does this kernel have task storage, in tracepoints too? */
#include "../core.h"

struct {
	__uint(type, BPF_MAP_TYPE_TASK_STORAGE);
	__uint(map_flags, BPF_F_NO_PREALLOC);
	__type(key, int);
	__type(value, u64);
} storage SEC(".maps");

SEC("tp_btf/cgroup_mkdir")
int probe(void *ctx)
{
	bpf_task_storage_get(&storage, bpf_get_current_task_btf(), NULL, BPF_LOCAL_STORAGE_GET_F_CREATE);
	return 0;
}

char _license[] SEC("license") = "GPL";
