/* The oracle of src/chaos/decide.ts once more, from its description alone and with a kernel program's arithmetic: prints the numbers of the calls that are hit. */
#include <inttypes.h>
#include <stdio.h>
#include <stdlib.h>

typedef uint64_t u64;

static u64 mix(u64 z)
{
	z = (z ^ (z >> 30)) * 0xbf58476d1ce4e5b9ULL;
	z = (z ^ (z >> 27)) * 0x94d049bb133111ebULL;
	return z ^ (z >> 31);
}

struct limits {
	u64 skip, last, every, p32, key, max_hits;
};

static int decide(const struct limits *l, u64 *matched, u64 *hits)
{
	u64 n = __sync_fetch_and_add(matched, 1) + 1;

	if (n <= l->skip)
		return 0;
	if (l->last && n > l->last)
		return 0;
	if (l->every > 1 && (n - l->skip - 1) % l->every)
		return 0;
	if (mix(l->key + n * 0x9e3779b97f4a7c15ULL) >> 32 >= l->p32)
		return 0;
	return __sync_fetch_and_add(hits, 1) + 1 <= l->max_hits;
}

/* skip last every p32 key max_hits calls */
int main(int argc, char **argv)
{
	u64 v[7], matched = 0, hits = 0;
	struct limits l;

	if (argc != 8)
		return 2;
	for (int i = 0; i < 7; i++)
		v[i] = strtoull(argv[i + 1], NULL, 10);
	l = (struct limits){ v[0], v[1], v[2], v[3], v[4], v[5] };
	for (u64 i = 1; i <= v[6]; i++)
		if (decide(&l, &matched, &hits))
			printf("%" PRIu64 "\n", i);
	return 0;
}
