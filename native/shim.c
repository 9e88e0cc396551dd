/*
 * What Debian's static libbpf and libelf need to become part of a shared object: they are built for executables
 * (PIE, not PIC). libbpf reads `stderr` through a relocation that only an executable can have; libelf keeps its
 * error number in thread-local storage of the executable-only model.
 */
#include <stdio.h>

/* -Wl,--wrap=stderr turns libbpf's references into these; hidden, so that no dynamic relocation is needed. */
__attribute__((visibility("hidden"))) FILE *__wrap_stderr;

extern FILE *__real_stderr;

__attribute__((constructor)) static void copy_stderr(void)
{
	__wrap_stderr = __real_stderr;
}

/* Stand in for libelf's elf_error.o; libbpf only asks for the last error's text to put it in a message. */
static __thread int last_error;

__attribute__((visibility("hidden"))) void __libelf_seterrno(int value)
{
	last_error = value;
}

__attribute__((visibility("hidden"))) int elf_errno(void)
{
	int value = last_error;

	last_error = 0;
	return value;
}

__attribute__((visibility("hidden"))) const char *elf_errmsg(int error)
{
	static __thread char text[32];

	(void)error;
	snprintf(text, sizeof(text), "ELF error %d", last_error);
	return text;
}

/*
 * libelf.a of elfutils 0.192 refers to libeu, which distributions do not ship. Its search tree serves only
 * elf_getdata_rawchunk(), which libbpf does not call; weak, so that a complete libelf.a wins.
 */
__attribute__((weak, visibility("hidden"))) void eu_search_tree_init(void *tree)
{
	(void)tree;
}

__attribute__((weak, visibility("hidden"))) void eu_search_tree_fini(void *tree, void (*free_node)(void *))
{
	(void)tree;
	(void)free_node;
}
