/* SPDX-License-Identifier: GPL-2.0-or-later */
/* What must be known of CPython's insides. */
#ifndef PYFLOW_PROBES_CPYTHON_H
#define PYFLOW_PROBES_CPYTHON_H

#include <stdbool.h>

#include "probes-elf.h"
#include "probes.h"

/* Fields of CPython's structures: of PyThreadState, _PyInterpreterFrame and PyCodeObject,
 * and where the characters of a str object are, if all are ASCII and if not. */
enum cpython_field {
	TSTATE_FRAME,	  /* current_frame */
	TSTATE_EXCEPTION, /* current_exception */
	TSTATE_SIZE,	  /* of the part that has these; 3.14 and later */
	FRAME_BACK,	  /* f_back, before 3.11 */
	FRAME_LAST,	  /* f_lasti, likewise */
	FRAME_CODE,	  /* f_code, f_executable */
	FRAME_INSTR,	  /* prev_instr, instr_ptr */
	FRAME_OWNER,
	FRAME_IS_ENTRY, /* 3.11 */
	CODE_FLAGS,
	CODE_LINE, /* co_firstlineno */
	CODE_FILE,
	CODE_NAME,
	CODE_QUALNAME,
	CODE_LINES, /* co_linetable */
	CODE_START, /* co_code_adaptive */
	CODE_BYTES, /* co_code, before 3.11 */
	STR_ASCII_DATA,
	STR_WIDE_DATA,
	CPYTHON_FIELDS
};

enum { FIRST_DEBUG_OFFSETS = 0x030d };

/* What must be known of a minor version. Lists of opcodes end with 0, which is CACHE and
 * never run. */
struct cpython {
	uint16_t minor; /* PY_VERSION_HEX >> 16 */
	struct {
		uint8_t first, last;
	} unused[4];	   /* opcodes that do not exist */
	uint8_t never;	   /* one that some compilers know is never run; so is CACHE, 0 */
	uint8_t resume[5]; /* a function begins, or a generator goes on */
	uint8_t leave[5];  /* a function returns */
	uint8_t yield[3];  /* a generator yields */
	uint8_t left[3]; /* what a generator stands at that goes on with a RESUME; empty:
			  * there is no other way but throw() */
	uint8_t instead[3];   /* what sys.monitoring puts in the place of any */
	uint8_t lines_format; /* enum lines_format */
	uint8_t frame_arg;  /* before 3.11: which argument of the evaluation function, */
	uint8_t result_arg; /* and of _Py_CheckFunctionResult(), it is */
	uint8_t last_shift; /* f_lasti counts bytes: 1, units of 16 bits: 0 */
	uint8_t oparg_mask, oparg_none; /* RESUME is none if these bits of its argument
					 * have this value; 0 if there is none */
	uint8_t made;			/* RETURN_GENERATOR, where it must be known */
	bool is_unbalanced;		/* its SDT probes; with an opcode for that: */
	uint8_t pop_top;
	uint16_t tstate_size;  /* if a build's is another, its tasks are not known; */
	uint16_t running_task; /* asyncio_running_task in _PyThreadStateImpl; before 3.14:
				*/
	uint16_t c_frame;      /* cframe in struct _ts, */
	uint16_t callback;     /* _callback in a Handle of asyncio; */
	uint8_t send[2];       /* SEND, and what it is specialized to */
	uint16_t task_name;    /* in TaskObj; 0: tasks are not known */
	uint16_t offsets[CPYTHON_FIELDS]; /* bytes */
	uint8_t indices[CPYTHON_FIELDS];  /* of 64-bit words in _Py_DebugOffsets, which
					   * has them since 3.13 (Include/internal/
					   * pycore_debug_offsets.h); 0: as above */
};

/* The row of a version, PY_VERSION_HEX; NULL if there is none. */
const struct cpython *cpython_find(uint32_t version);

enum cpython_build { CPYTHON_USUAL, CPYTHON_FREE_THREADED, CPYTHON_ODD };

/* Fill in the offsets of all fields, as the file itself tells them where it does. */
enum cpython_build cpython_offsets(struct elf *e, const struct cpython *v,
				   uint32_t version, uint16_t *offsets);

/* Tell the probe at _PyEval_EvalFrameDefault(), and those where frames are cleared, where
 * the running asyncio task is. Does nothing if that is not known. */
void cpython_find_task(struct elf *e, const struct cpython *v, uint32_t version,
		       struct probe *probe);

/* Opcodes that may be at a probe, ending with 0. */
void cpython_allow(struct eval *eval, const uint8_t *ops);

/* Where code objects are freed: tp_dealloc of PyCode_Type, which is only ever called by
 * way of that. Sets the address and the offset. */
bool cpython_find_free(struct elf *e, struct probe *probe);

/* Is it one, and which: sets p->version, 0 where the file does not say (before 3.8). */
bool cpython_recognize(struct elf *e, struct probes *p);

/* Is it the other one? */
bool pypy_recognize(struct elf *e);

/* CPython 3.15's function probes are not balanced. Give them the layout that tells the
 * making of a generator from a call, and add the place where a generator goes on by
 * throw(). Does nothing for the others; sets p->state to PROBES_MALFORMED if it cannot.
 */
void cpython_balance(struct elf *e, struct probes *p);

/* Give the probes what spares the kernel side from reading all of each name each time:
 * how a str object looks, and the place where code objects, and so their names, are
 * freed. Does nothing where that is not known. */
void cpython_quicken(struct elf *e, struct probes *p);

#endif
