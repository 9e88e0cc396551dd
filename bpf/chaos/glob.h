/* SPDX-License-Identifier: GPL-2.0 OR BSD-2-Clause */
/*
 * A path against a pattern, as src/chaos/glob.ts does it: operations are a byte, OP_ANY for one byte, OP_STAR for any
 * run of bytes. With one way back, to the last star, which is all that a star needs. Rounds are bounded; of a path that
 * needs more it cannot be told. Needs bpf_loop (v5.17).
 */
#ifndef KBTOP_CHAOS_GLOB_H
#define KBTOP_CHAOS_GLOB_H

#include "rule.h"

#define TEXT_BYTES 4096
#define OP_ANY 256
#define OP_STAR 257
/* Even here some 2 ms. */
#define GLOB_ROUNDS (1U << 16)

enum glob_answer {
	GLOB_UNKNOWN,
	GLOB_NO,
	GLOB_YES,
};

struct glob {
	u32 end;		/* of the text */
	u32 ops;		/* of the pattern */
	u32 at;			/* in the text */
	u32 in;			/* in the pattern */
	u32 star;		/* pattern after the last star, 0: none */
	u32 mark;		/* text that this star stands for up to here */
	u32 answer;
	u32 slash;		/* text after the last '/' */
	u16 pattern[GLOB_OPS];
	char text[TEXT_BYTES];
};

/* A program does not run twice at once on a CPU, so one for each is enough. */
struct {
	__uint(type, BPF_MAP_TYPE_PERCPU_ARRAY);
	__uint(max_entries, 1);
	__type(key, u32);
	__type(value, struct glob);
} globs SEC(".maps");

static long glob_step(u32 step, void *unused)
{
	u32 zero = 0, op = OP_STAR + 1;
	struct glob *glob = bpf_map_lookup_elem(&globs, &zero);

	if (!glob)
		return 1;
	if (glob->in < glob->ops)
		op = glob->pattern[glob->in & (GLOB_OPS - 1)];
	if (glob->at >= glob->end) {
		/* Runs of stars are one. */
		if (op == OP_STAR)
			glob->in++;
		glob->answer = glob->in == glob->ops ? GLOB_YES : GLOB_NO;
		return 1;
	}
	if (op == OP_STAR) {
		glob->star = ++glob->in;
		glob->mark = glob->at;
		return 0;
	}
	if (op == OP_ANY || op == (u8)glob->text[glob->at & (TEXT_BYTES - 1)]) {
		glob->at++;
		glob->in++;
		return 0;
	}
	if (!glob->star) {
		glob->answer = GLOB_NO;
		return 1;
	}
	/* Let the last star stand for one byte more. */
	glob->at = ++glob->mark;
	glob->in = glob->star;
	return 0;
}

static long slash_step(u32 step, void *unused)
{
	u32 zero = 0;
	struct glob *glob = bpf_map_lookup_elem(&globs, &zero);

	if (!glob || step >= glob->end)
		return 1;
	if (glob->text[step & (TEXT_BYTES - 1)] == '/')
		glob->slash = step + 1;
	return 0;
}

/* The `bytes` of text in `glob` against the rule's pattern. */
static __always_inline enum glob_answer glob_matches(struct glob *glob, const struct rule *rule, u32 bytes)
{
	__builtin_memcpy(glob->pattern, rule->path, sizeof(glob->pattern));
	glob->ops = rule->path_ops;
	glob->end = bytes;
	glob->in = glob->star = glob->mark = glob->slash = 0;
	glob->answer = GLOB_UNKNOWN;
	if (rule->flags & RULE_NAME_ONLY)
		bpf_loop(TEXT_BYTES, slash_step, NULL, 0);
	glob->at = glob->slash;
	bpf_loop(GLOB_ROUNDS, glob_step, NULL, 0);
	return glob->answer;
}

#endif
