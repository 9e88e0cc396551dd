/* SPDX-License-Identifier: GPL-2.0 OR BSD-2-Clause */
/*
 * A text against a glob: * stands for any bytes, '/' among them, ? for one byte. With one way back, to the last star:
 * all that a star needs. Steps are bounded; a text that needs more is taken not to match. Needs bpf_loop (v5.17).
 */
#ifndef KBTOP_CHAOS_GLOB_H
#define KBTOP_CHAOS_GLOB_H

#include "rule.h"

#define TEXT_BYTES 256
#define GLOB_STEPS 2048

struct glob {
	char text[TEXT_BYTES];
	char pattern[GLOB_BYTES];
	u32 at;			/* in text */
	u32 in;			/* in pattern */
	u32 star;		/* pattern after the last star, 0: none */
	u32 mark;		/* text that this star stands for up to here */
	u32 matches;
};

struct {
	__uint(type, BPF_MAP_TYPE_PERCPU_ARRAY);
	__uint(max_entries, 1);
	__type(key, u32);
	__type(value, struct glob);
} globs SEC(".maps");

static long glob_step(u32 step, void *unused)
{
	u32 zero = 0;
	struct glob *glob = bpf_map_lookup_elem(&globs, &zero);
	char text, pattern;

	if (!glob || glob->at >= TEXT_BYTES || glob->in >= GLOB_BYTES)
		return 1;
	text = glob->text[glob->at & (TEXT_BYTES - 1)];
	pattern = glob->pattern[glob->in & (GLOB_BYTES - 1)];
	if (pattern == '*') {
		glob->star = ++glob->in;
		glob->mark = glob->at;
		return 0;
	}
	if (text ? pattern == text || pattern == '?' : !pattern) {
		if (!text) {
			glob->matches = 1;
			return 1;
		}
		glob->at++;
		glob->in++;
		return 0;
	}
	/* Let the last star stand for one byte more. */
	if (!text || !glob->star)
		return 1;
	glob->at = ++glob->mark;
	glob->in = glob->star;
	return 0;
}

/* Does the text in `glob` match its pattern; both end in a NUL or at their size. */
static __always_inline bool glob_matches(struct glob *glob)
{
	glob->at = glob->in = glob->star = glob->mark = glob->matches = 0;
	bpf_loop(GLOB_STEPS, glob_step, NULL, 0);
	return glob->matches;
}

#endif
