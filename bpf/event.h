/* SPDX-License-Identifier: GPL-2.0-or-later */
/* What the kernel side and the user side tell each other. The only header both include.
 */
#ifndef PYFLOW_EVENT_H
#define PYFLOW_EVENT_H

#ifdef __bpf__
#include <linux/types.h>
typedef __u8 uint8_t;
typedef __u16 uint16_t;
typedef __u32 uint32_t;
typedef __u64 uint64_t;
typedef __s32 int32_t;
typedef __s64 int64_t;
#else
#include <stdint.h>
#endif

/* Records of the ring buffer, in the order in which things happened. The first byte of
 * each is its kind. A name always precedes the first event that refers to it. */
enum event_kind {
	EVENT_ENTER = 1, /* struct event: a call, or a generator that goes on */
	EVENT_LEAVE, /* struct event: a return, a yield, or an exception that leaves */
	EVENT_LOST,  /* struct event: `code` events had no room just before this */
	EVENT_FORK,  /* struct event: thread tid of pid made the process `code` */
	EVENT_EXEC,  /* struct event: pid runs another program now */
	EVENT_EXIT,  /* struct event: thread tid of pid ended */
	EVENT_ARGS,  /* struct event_args: and which; with SETTINGS_NOTES */
	EVENT_NAME,  /* struct event_name */
	EVENT_NAME_LONG, /* struct event_name_long */
	EVENT_NAME_AT,	 /* struct event_name_at: too long to be sent */
	EVENT_PART,	 /* struct event_part */
	EVENT_CODE,	 /* struct event_code: all of its parts were sent */
	EVENT_CODE_AT,	 /* struct event_code: its texts are too long to be sent */
	EVENT_TASK,	 /* struct event_task; with SETTINGS_TASKS */
};

/* The arguments of a program, each with its NUL; the first bytes of them. */
enum event_flag {
	EVENT_THROWN = 1, /* goes on by throw(): `line` is that of the def */
	EVENT_FRAME = 2,  /* `frame` is a frame's address, not a stack pointer */
	EVENT_UNIT = 4,	  /* `line` is the index of an instruction, in units of 16 bits */
	EVENT_RAISED = 8, /* left by an exception */
	EVENT_YIELDED = 16, /* left for a time: it can go on */
	EVENT_IF_OPEN = 32, /* a leave only if the call was seen to begin */
	EVENT_STACK = 64,   /* it is a struct event_deep */
};

struct event {
	uint8_t kind;
	uint8_t flags;
	uint16_t cpu;
	uint32_t line;
	uint32_t pid; /* as seen in pyflow's PID namespace */
	uint32_t tid;
	uint64_t time;	/* ns, CLOCK_MONOTONIC */
	uint64_t code;	/* id of the (file, function) pair; 0 if unreadable */
	uint64_t frame; /* what tells the calls of one thread apart */
};

/* With SETTINGS_TASKS calls and returns, the interpreter's own, are told this way. */
struct event_deep {
	struct event event;
	uint64_t stack; /* the stack pointer at the probe */
};

enum { TASK_NAME = 128 };

/* C has called the evaluation loop. What is run there - all whose stack pointer is below
 * `stack`, up to the next such record of the thread - is of this asyncio task. */
struct event_task {
	uint8_t kind;
	uint8_t width; /* bytes of a character of the name; 0: it is not a text */
	uint16_t size; /* bytes used of name */
	uint32_t pid;  /* as in struct event */
	uint32_t tid;
	uint32_t whole; /* bytes that there are in all */
	uint64_t stack;
	uint64_t task;	 /* its address; 0: none */
	uint64_t number; /* without a text: it is called Task-NUMBER; 0: it has no name
			  * that could be read */
	uint8_t name[TASK_NAME];
};

enum { ARGS_SIZE = 512, COMM_SIZE = 16 };

/* The arguments of the program that the event's process begins to run, each with its NUL;
 * the first bytes of them. */
struct event_args {
	struct event event;
	uint32_t size;	/* bytes used of args */
	uint32_t whole; /* bytes that there are in all */
	char comm[COMM_SIZE];
	char args[ARGS_SIZE];
};

enum {
	NAME_FILE = 160, /* bytes with the NUL; a pair that fits is sent this way */
	NAME_FUNC = 80,
	NAME_CHUNK = 128, /* bytes that the kernel side reads at a time, with a NUL */
	NAME_CHUNKS = 33,
	NAME_LONG = NAME_CHUNKS * (NAME_CHUNK - 1) + 1, /* bytes with the NUL */
};

struct event_name {
	uint8_t kind;
	uint8_t pad[7];
	uint64_t code;
	char file[NAME_FILE];
	char func[NAME_FUNC];
};

struct event_name_long {
	uint8_t kind;
	uint8_t pad[7];
	uint64_t code;
	char file[NAME_LONG];
	char func[NAME_LONG];
};

/* The strings are to be read from the process. With SETTINGS_STOP it has been told to
 * stop, so they are there until it is told to go on. */
struct event_name_at {
	uint8_t kind;
	uint8_t pad[3];
	uint32_t pid;
	uint64_t code;
	uint64_t file; /* address in the process; 0 if it is no string */
	uint64_t func;
};

/* What tells of a code object, in the order in which it is sent. */
enum code_part { PART_FILE, PART_FUNC, PART_QUALNAME, PART_LINES, CODE_PARTS };

enum { PART_DATA = 256 };

/* A piece of one of them. Those of a code object come in order, from one thread. */
struct event_part {
	uint8_t kind;
	uint8_t part;
	uint8_t width;	  /* bytes of a character: 1, 2 or 4 */
	uint8_t is_first; /* of all the pieces */
	uint32_t size;	  /* bytes used of data */
	uint64_t sender;  /* process and thread, by whatever numbers */
	uint64_t code;
	uint8_t data[PART_DATA];
};

/* A text in the memory of a process. */
struct text {
	uint64_t at;
	uint32_t size;	/* bytes */
	uint32_t width; /* bytes of a character */
};

/* With EVENT_CODE_AT the texts are to be read from the process, as in event_name_at. */
struct event_code {
	uint8_t kind;
	uint8_t lines_format; /* enum lines_format */
	uint16_t pad;
	int32_t first_line;
	uint64_t sender;
	uint64_t code;
	uint32_t pid;
	uint32_t pad2;
	struct text texts[CODE_PARTS];
};

_Static_assert(sizeof(struct event) == 40, "no holes");
_Static_assert(sizeof(struct event_deep) == 48, "no holes");
_Static_assert(sizeof(struct event_task) == 40 + TASK_NAME, "no holes");
_Static_assert(sizeof(struct event_part) == 24 + PART_DATA, "no holes");
_Static_assert(sizeof(struct event_code) == 32 + 16 * CODE_PARTS, "no holes");
_Static_assert(sizeof(struct event_name) == 16 + NAME_FILE + NAME_FUNC, "no holes");
_Static_assert(sizeof(struct event_name_long) % 8 == 0, "no holes");
_Static_assert(sizeof(struct event_name_at) == 32, "no holes");

/* An argument of a probe: where the compiler left it. */
enum operand_kind {
	OPERAND_CONST = 1, /* disp */
	OPERAND_REG,	   /* reg, from bit `shift` on */
	OPERAND_MEM,	   /* *(reg + index * scale + disp) */
};

enum { OPERAND_NOREG = 0xff };

struct operand {
	uint8_t kind;
	uint8_t size; /* bytes: 1, 2, 4 or 8 */
	uint8_t is_signed;
	uint8_t reg;   /* index of the 64-bit word in the kernel's struct pt_regs */
	uint8_t index; /* likewise, or OPERAND_NOREG */
	uint8_t scale; /* 1, 2, 4 or 8 */
	uint8_t shift; /* 8 for %ah and its like */
	uint8_t pad;
	int64_t disp;
};

/* Where an interpreter keeps the current frame, for those whose probes cannot be
 * understood without it. Offsets in bytes. */
struct layout {
	int64_t tls; /* of the current thread state's slot, from the thread pointer */
	uint16_t current_frame; /* in the thread state */
	uint16_t frame_code;	/* in the frame, low 3 bits a tag */
	uint16_t frame_owner;
	uint16_t frame_instr;
	uint16_t code_flags; /* in the code object */
	uint16_t code_line;
	uint16_t code_file;
	uint16_t code_name;
	uint16_t str_data; /* in a str object of ASCII characters; 0 if that is not known
			    */
	uint8_t known;	   /* 0: only what follows may be used, and str_data */
	uint8_t frees; /* there is a PROBE_FREE: addresses may be relied on until it */
	uint8_t frame_reg; /* where the frame is at the probe, or OPERAND_NOREG */
	uint8_t op_made;   /* opcodes: what makes a generator, */
	uint8_t op_behind; /* and what is behind that */
	uint8_t pad;
	int64_t str_type; /* address of PyUnicode_Type, less that of the probe */
};

/* What a probed place means. */
enum probe_kind {
	PROBE_ENTER, /* a function begins; its arguments are file, function, line */
	PROBE_LEAVE, /* likewise, it ends */
	PROBE_EVAL,  /* _PyEval_EvalFrameDefault(tstate, frame, throwflag) is called */
	PROBE_FREE,  /* a code object is freed, and with it perhaps its names */
	/* Places in the evaluation loop, with a struct eval: */
	PROBE_RESUME, /* a function begins, or a generator goes on */
	PROBE_YIELD,  /* a generator yields, a coroutine awaits */
	PROBE_CLEAR,  /* a call ends, whichever way; by a return if it is at one of `ops`
		       */
	PROBE_THROW,  /* as PROBE_EVAL */
	PROBE_SEND,   /* likewise; a generator may also go on without a RESUME */
	/* Before 3.11, in _PyEval_EvalFrameDefault(), with a struct eval: */
	PROBE_BEGIN,
	PROBE_END,    /* the result is in result_reg, NULL if an exception leaves */
	PROBE_FORGET, /* a code object, the first argument, is freed */
};

enum { MAX_OPCODES = 256 };

/* Where the evaluation loop keeps things. Offsets in bytes. */
struct eval {
	uint64_t ops[MAX_OPCODES / 64]; /* those that may be at the instruction: a bitmap
					 */
	int64_t code_type;   /* address of PyCode_Type, less that of the probe */
	uint16_t exception;  /* in the thread state: what is being raised */
	uint16_t frame_code; /* in the frame, low 3 bits a tag */
	uint16_t frame_instr;
	uint16_t frame_owner;
	uint16_t frame_last; /* f_lasti, before 3.11; else 0 */
	uint16_t code_line;  /* in the code object */
	uint16_t code_file;
	uint16_t code_name;
	uint16_t code_qualname;
	uint16_t code_lines;
	uint16_t code_start;
	uint16_t code_bytes;
	uint16_t str_ascii; /* characters in a str object, if ASCII, */
	uint16_t str_wide;  /* and if not */
	uint8_t lines_format;
	uint8_t frame_reg;  /* where the frame is at the probe; OPERAND_NOREG: not in a */
	uint8_t frame_base; /* register, but at frame_offset from this */
	uint8_t instr_reg;  /* and the instruction, likewise; without a base, in the */
	uint8_t instr_base; /* frame */
	uint8_t has_tstate; /* the first argument is the thread state */
	uint8_t instead[3]; /* opcodes that stand in place of others while monitored */
	uint8_t oparg_mask; /* of a RESUME: these bits */
	uint8_t oparg_none; /* with this value are not one; 0 if there is none */
	uint8_t frees;	    /* there is a PROBE_FORGET */
	uint8_t result_reg;
	uint8_t last_shift; /* f_lasti counts bytes: 1, units: 0 */
	uint8_t op_made; /* not the end of a call though it looks so; 0 if there is none
			  */
	uint8_t pad[3];
	int32_t frame_offset;
	int32_t instr_offset; /* with instr_reg: to be added to it */
};

/* Where asyncio tasks are found, at a PROBE_EVAL, PROBE_THROW or PROBE_SEND; before 3.14
 * at a PROBE_CLEAR, too. Offsets in bytes, types by their addresses less that of the
 * probe. */
struct task_layout {
	int64_t str_type;      /* PyUnicode_Type */
	int64_t int_type;      /* PyLong_Type */
	int64_t function_type; /* PyCFunction_Type */
	uint16_t running;      /* in the thread state: the task; 0 before 3.14 */
	uint16_t name;	       /* in the task; 0: nothing is known of tasks */
	uint16_t str_ascii;    /* characters in a str object, if ASCII, */
	uint16_t str_wide;     /* and if not */
	/* Before 3.14: */
	uint16_t c_frame;	/* in the thread state; 0: there is no struct _PyCFrame */
	uint16_t current_frame; /* in that, else in the thread state */
	uint16_t callback;	/* in a Handle of asyncio */
	uint16_t code_qualname;
	uint16_t code_flags;
	uint8_t send[2]; /* SEND, and what it is specialized to */
	uint8_t pad[4];
};

/* One probed place of one file. Its index is the attach cookie. */
struct site {
	uint64_t kind;
	struct task_layout task;
	union {
		struct {
			struct operand file, func, line;
			struct layout layout;
		};
		struct eval eval;
	};
};

enum settings_flag {
	SETTINGS_STOP = 1,    /* stop a process before an event of it could be lost */
	SETTINGS_FAULT = 2,   /* the programs may fault pages in, and loop (Linux 6.0) */
	SETTINGS_ASK = 4,     /* there are filters: wait for the verdict on a new name */
	SETTINGS_INHERIT = 8, /* what a process of the job starts is of the job */
	SETTINGS_NOTES = 16,  /* tell the arguments of each program */
	SETTINGS_OWN = 32,    /* pyflow can continue processes of its own user only */
	SETTINGS_TASKS = 64,  /* tell which asyncio task calls and returns are of */
};

struct settings {
	uint32_t flags;
	uint32_t wake_mark; /* bytes in the ring buffer at which the reader is woken */
	uint32_t stop_mark; /* bytes at which the process is stopped */
	uint32_t long_fits; /* struct event_name_long may be used */
	uint64_t seed;	    /* of the ids */
	uint64_t ns_dev;    /* pyflow's PID namespace; 0 if it is the initial one */
	uint64_t ns_ino;
	uint32_t uid; /* pyflow's user and session, with SETTINGS_OWN */
	uint32_t session;
};

/* Shared memory. User space writes the first five. */
struct shared {
	uint32_t waiting; /* the reader sleeps: wake it for the next record */
	uint32_t running; /* all probes are in, and none is out again: send events */
	uint32_t holding; /* processes may be stopped */
	uint32_t wanted;  /* a process to be adopted, or one of whose files `place` is, in
			   * pyflow's PID namespace; 0 once that is done */
	uint64_t place;	  /* an address in it */
	uint64_t file;	  /* what tells the file mapped there from all others */
	uint64_t unheard; /* calls that had no room */
	uint64_t crowded; /* processes that the job map had no room for */
	uint64_t lost;	  /* events that had no room, in all */
	uint64_t unsaid;  /* those of them no EVENT_LOST has told yet */
	uint64_t unread;  /* names that could not be read */
	uint64_t looks;	  /* at steps of evaluation loops that were not known yet */
	uint64_t
		unheld; /* times that a process should have been stopped, and could not */
	uint64_t odd;	/* steps of evaluation loops that did not look as expected */
};

/* A process of the job. */
struct job {
	uint32_t pid;	/* as seen in pyflow's PID namespace */
	uint32_t stops; /* times that SIGSTOP was sent to it: counted after that */
	uint64_t born;	/* when it joined: tells it from a later one of that number */
	uint64_t child_stopped; /* when one of its children was last, ns */
};

/* Why user space is called. But for the first two, the process has been sent SIGSTOP, and
 * waits. */
enum call_reason {
	CALL_PROGRAM, /* it stops for this file, and no longer for those told before */
	CALL_FILE,    /* it stops for this file, too */
	CALL_FULL,    /* the buffer was filling up, or a name is to be fetched */
	CALL_EXEC,    /* it is at the first instruction of a new program */
	CALL_LOAD,    /* its dynamic loader has new objects */
	CALL_ANSWER,  /* it stopped itself since its child was stopped */
};

/* A record of the ring buffer `calls`. */
struct job_call {
	uint32_t tgid; /* the process's key in the map `job` */
	uint32_t reason;
	uint64_t born; /* as in its entry there */
	uint64_t what; /* tells the file from others; else the number of the stop */
};

enum verdict { VERDICT_LOST, VERDICT_ASKED, VERDICT_SHOW, VERDICT_HIDE };

#endif
