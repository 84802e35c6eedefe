/* SPDX-License-Identifier: GPL-2.0-or-later */
/* Names of code objects: an id for each, made of what it says, and the verdict on it. */
#ifndef PYFLOW_NAMES_BPF_H
#define PYFLOW_NAMES_BPF_H

#include "common.bpf.h"

/* A str object: CPython's Include/cpython/unicodeobject.h. */
enum { STR_COMPACT = 0x20, STR_ASCII = 0x40 };
enum { STR_TYPE = 8, STR_STATE = 32, STR_UTF8 = 48, MAX_LENGTH = 1 << 30 };

/* Names already sent and what was decided on them. One that falls out is sent again. */
struct {
	__uint(type, BPF_MAP_TYPE_LRU_HASH);
	__uint(max_entries, MAX_NAMES);
	__type(key, uint64_t);
	__type(value, uint32_t);
} names SEC(".maps");

/* The two strings that name a code object, and the id made of their contents. */
struct name {
	uint64_t file, func;
	uint64_t id;
	uint32_t file_size, func_size; /* bytes with the NUL */
};

enum { MAX_TOUCHES = 4 };

/* Have the pages of some bytes brought in, no more than two. */
static __always_inline void touch(uint64_t from, uint32_t size)
{
	uint8_t byte;

	bpf_copy_from_user(&byte, 1, (void *)from);
	bpf_copy_from_user(&byte, 1, (void *)(from + size - 1));
}

/* Read up to NAME_CHUNK bytes with the NUL. The pages may not have been touched yet:
 * names of modules that are part of the interpreter are in its file. And a page that the
 * kernel moves to another place is away for a moment, which can happen again. */
static __always_inline long read_chunk(uint64_t *buf, uint64_t from)
{
	long n = bpf_probe_read_user_str(buf, NAME_CHUNK, (void *)from);
	uint32_t i;

	if (!(settings.flags & SETTINGS_FAULT))
		return n;
	for (i = 0; i < MAX_TOUCHES && n < 0; i++) {
		touch(from, NAME_CHUNK);
		n = bpf_probe_read_user_str(buf, NAME_CHUNK, (void *)from);
	}
	return n;
}

/* A string on its way into a hash. */
struct hashing {
	uint64_t hash;
	uint64_t from; /* the next byte */
	uint64_t size; /* with the NUL, once that was seen */
	int64_t error;
};

/* Mix one more chunk in. Returns 1 if it was the last. */
static long hash_chunk(uint32_t i, struct hashing *h)
{
	uint64_t buf[NAME_CHUNK / 8]; /* the helper is seen to fill it */
	long n = read_chunk(buf, h->from);
	uint32_t w, len;

	if (n <= 0 || n > NAME_CHUNK) {
		h->error = -EFAULT;
		return 1;
	}
	len = n - 1;
	for (w = 0; w < NAME_CHUNK / 8 && w < len / 8; w++)
		h->hash = mix(h->hash, buf[w]);
	if (w < NAME_CHUNK / 8 && len % 8)
		h->hash = mix(h->hash, buf[w] & ((1ULL << len % 8 * 8) - 1));
	h->hash = mix(h->hash, len);
	h->size += len;
	h->from += len;
	if (n == NAME_CHUNK)
		return 0;
	h->size++;
	return 1;
}

/* Mix the string at `from` into *hash. Returns its size with the NUL, or -EFAULT. Before
 * Linux 5.17 only its first NAME_LONG bytes count; of longer ones then its address does,
 * too. Not static: so the verifier looks at it once, not once for each call in each
 * state. */
__noinline int hash_string(uint64_t from, uint64_t *hash)
{
	struct hashing h = { .from = from };
	uint32_t i;

	if (!hash)
		return -EFAULT;
	h.hash = *hash;
	if (settings.flags & SETTINGS_FAULT) {
		bpf_loop(MAX_CHUNKS, hash_chunk, &h, 0);
	} else {
		for (i = 0; i < NAME_CHUNKS; i++)
			if (hash_chunk(i, &h))
				break;
		if (i == NAME_CHUNKS)
			h.hash = mix(h.hash, from);
	}
	*hash = h.hash;
	return h.error ? h.error : h.size;
}

/* The words of a str object from its type on, and of the characters it ends in if it is
 * ASCII. */
enum { OBJECT_TYPE, OBJECT_LENGTH, OBJECT_HASH, OBJECT_STATE, OBJECT_WORDS = 16 };

/* Mix in the characters of an object that were read with it, from word `first` on.
 * Unrolled, so that each word is at an offset that the verifier knows. */
static __always_inline uint64_t hash_chars(const uint64_t *o, uint32_t first,
					   uint32_t len, uint64_t hash)
{
	uint32_t w;

#pragma unroll
	for (w = OBJECT_STATE + 1; w < OBJECT_WORDS; w++) {
		if (w < first || !len)
			continue;
		hash = mix(hash, len < 8 ? o[w] & ((1ULL << len * 8) - 1) : o[w]);
		len = len < 8 ? 0 : len - 8;
	}
	return hash;
}

/* A str object has its length and its hash in front of its characters, as a rule. These
 * and its address say as much as the characters do; another string that comes to be there
 * has another hash. One that was never hashed is read with its header, if it is short:
 * each call of a helper costs more than what it copies. Returns the size with the NUL, 0
 * if it is no such object. */
static __always_inline uint32_t hash_object(uint64_t chars, uint64_t type, uint16_t data,
					    uint64_t *hash)
{
	uint64_t o[OBJECT_WORDS];
	uint32_t first = (uint32_t)(data - STR_TYPE) >> 3, len;

	if (bpf_probe_read_user(o, sizeof(o), (void *)(chars - data + STR_TYPE)) ||
	    o[OBJECT_TYPE] != type || o[OBJECT_LENGTH] >= MAX_LENGTH ||
	    (o[OBJECT_STATE] & (STR_COMPACT | STR_ASCII)) != (STR_COMPACT | STR_ASCII))
		return 0;
	len = o[OBJECT_LENGTH];
	if (o[OBJECT_HASH] != ~0ULL)
		*hash = mix(mix(*hash, chars), o[OBJECT_HASH]);
	else if (len <= (OBJECT_WORDS - first) * 8)
		*hash = hash_chars(o, first, len, *hash);
	else
		return 0;
	*hash = mix(*hash, len);
	return len + 1;
}

static __always_inline int hash_name(uint64_t chars, uint64_t type, uint16_t data,
				     uint64_t *hash)
{
	int size = data ? hash_object(chars, type, data, hash) : 0;

	return size ? size : hash_string(chars, hash);
}

/* Make the id of a name from what it says, so that an address used again shows no old
 * name. The low bits are left free for the verdict. type: the address of PyUnicode_Type;
 * data: where its characters are, or 0 to look at nothing else. */
static __always_inline int identify(struct name *n, uint64_t type, uint16_t data)
{
	uint64_t hash = settings.seed;
	int size = hash_name(n->file, type, data, &hash);

	if (size < 0)
		return size;
	n->file_size = size;
	size = hash_name(n->func, type, data, &hash);
	if (size < 0)
		return size;
	n->func_size = size;
	n->id = (hash | 1ULL << 63) & ~0ULL << VERDICT_BITS;
	return 0;
}

static __always_inline long send_short(struct name *n)
{
	struct event_name *r = bpf_ringbuf_reserve(&events, sizeof(*r), 0);

	if (!r)
		return -1;
	__builtin_memset(r->pad, 0, sizeof(r->pad));
	r->kind = EVENT_NAME;
	r->code = n->id;
	bpf_probe_read_user_str(r->file, sizeof(r->file), (void *)n->file);
	bpf_probe_read_user_str(r->func, sizeof(r->func), (void *)n->func);
	bpf_ringbuf_submit(r, BPF_RB_NO_WAKEUP);
	return 0;
}

static __always_inline long send_long(struct name *n)
{
	struct event_name_long *r = bpf_ringbuf_reserve(&events, sizeof(*r), 0);

	if (!r)
		return -1;
	__builtin_memset(r->pad, 0, sizeof(r->pad));
	r->kind = EVENT_NAME_LONG;
	r->code = n->id;
	bpf_probe_read_user_str(r->file, sizeof(r->file), (void *)n->file);
	bpf_probe_read_user_str(r->func, sizeof(r->func), (void *)n->func);
	bpf_ringbuf_submit(r, BPF_RB_NO_WAKEUP);
	return 0;
}

static __always_inline long send_address(struct name *n)
{
	struct event_name_at *r = bpf_ringbuf_reserve(&events, sizeof(*r), 0);

	if (!r)
		return -1;
	__builtin_memset(r->pad, 0, sizeof(r->pad));
	r->kind = EVENT_NAME_AT;
	r->pid = here() >> 32;
	r->code = n->id;
	r->file = n->file;
	r->func = n->func;
	stop_for_room();
	bpf_ringbuf_submit(r, BPF_RB_FORCE_WAKEUP);
	return 0;
}

static __always_inline long send(struct name *n)
{
	if (is_crowded())
		return send_address(n);
	if (n->file_size <= NAME_FILE && n->func_size <= NAME_FUNC)
		return send_short(n);
	if (n->file_size <= NAME_LONG && n->func_size <= NAME_LONG && settings.long_fits)
		return send_long(n);
	return send_address(n);
}

/* Is an event of this name to be sent? Sends the name itself first where that is needed.
 * Only then it is remembered, so that no other thread can refer to it too early. */
static __always_inline uint32_t judge(struct name *n)
{
	uint32_t verdict = settings.flags & SETTINGS_ASK ? VERDICT_ASKED : VERDICT_SHOW;
	uint32_t *known = bpf_map_lookup_elem(&names, &n->id);

	if (known)
		return *known;
	if (send(n))
		return VERDICT_LOST;
	bpf_map_update_elem(&names, &n->id, &verdict, BPF_NOEXIST);
	return verdict;
}

#endif
