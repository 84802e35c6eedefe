// SPDX-License-Identifier: GPL-2.0-or-later
/* Tasks by the C stack, from hand-written records. */
#include <config.h>

#include "tasks.h"

#include <stdio.h>
#include <string.h>

#include "check.h"

enum { PID = 100, TID = 101, A = 0x1000, B = 0x2000 };

static struct event_task make(uint64_t stack, uint64_t task)
{
	return (struct event_task){
		.kind = EVENT_TASK, .pid = PID, .tid = TID, .stack = stack, .task = task
	};
}

static void enter(struct tasks *t, uint64_t stack, uint64_t task, uint64_t number)
{
	struct event_task e = make(stack, task);

	e.number = number;
	tasks_enter(t, &e);
}

static const struct task *find(struct tasks *t, uint32_t tid, uint64_t stack)
{
	struct event_deep e = {
		.event = { .kind = EVENT_ENTER,
			   .flags = EVENT_STACK,
			   .pid = PID,
			   .tid = tid },
		.stack = stack,
	};

	return tasks_of(t, &e.event);
}

/* "" if there is no task, "?" if it has no name. */
static const char *name_at(struct tasks *t, uint64_t stack)
{
	const struct task *task = find(t, TID, stack);

	return !task ? "" : task->name ? task->name : "?";
}

static void test_stack(void)
{
	struct tasks *t = tasks_new();

	CHECK_STR(name_at(t, 500), "");
	enter(t, 1000, A, 1);
	CHECK_STR(name_at(t, 999), "Task-1");
	CHECK_STR(name_at(t, 10), "Task-1");
	/* One that begins at once, within the step of the other. */
	enter(t, 800, B, 2);
	CHECK_STR(name_at(t, 700), "Task-2");
	CHECK_STR(name_at(t, 800), "Task-1");
	CHECK_STR(name_at(t, 700), "Task-1");
	/* None, and what calls it. */
	enter(t, 600, 0, 0);
	CHECK_STR(name_at(t, 500), "");
	CHECK_STR(name_at(t, 650), "Task-1");
	CHECK_STR(name_at(t, 1000), "");
	CHECK_STR(name_at(t, 500), "");
	/* The next step, at the same place; and something else there. */
	enter(t, 1000, B, 2);
	CHECK_STR(name_at(t, 900), "Task-2");
	enter(t, 1000, 0, 0);
	CHECK_STR(name_at(t, 900), "");
	/* Where the stack is another one there may be none, never another's. */
	enter(t, 1000, A, 1);
	enter(t, 2000, 0, 0);
	CHECK_STR(name_at(t, 900), "");
	tasks_free(t);
}

static void test_threads(void)
{
	struct tasks *t = tasks_new();
	struct event e = { .pid = PID, .tid = TID };

	enter(t, 1000, A, 1);
	CHECK(find(t, TID + 1, 10) == NULL);
	tasks_exit(t, &e);
	CHECK(find(t, TID, 10) == NULL);
	enter(t, 1000, A, 1);
	tasks_exec(t, &e);
	CHECK(find(t, TID, 10) == NULL);
	enter(t, 1000, A, 1);
	tasks_lost(t);
	CHECK(find(t, TID, 10) == NULL);
	/* An event without a stack pointer. */
	enter(t, 1000, A, 1);
	CHECK(tasks_of(t, &e) == NULL);
	tasks_free(t);
}

static uint64_t id_of(struct tasks *t, uint64_t task, uint64_t number)
{
	enter(t, 1000, task, number);
	return find(t, TID, 10)->id;
}

static void test_ids(void)
{
	struct tasks *t = tasks_new();
	uint64_t id = id_of(t, A, 1);

	CHECK(id != 0);
	CHECK(id_of(t, A, 1) == id);
	/* Another task at the same address, and at another one. */
	CHECK(id_of(t, A, 2) != id);
	CHECK(id_of(t, B, 1) != id);
	CHECK(id_of(t, A, 0) != 0);
	tasks_free(t);
}

static void enter_named(struct tasks *t, const void *name, size_t size, uint8_t width,
			size_t whole)
{
	struct event_task e = make(1000, A);

	memcpy(e.name, name, size);
	e.size = size;
	e.width = width;
	e.whole = whole;
	tasks_enter(t, &e);
}

static void test_names(void)
{
	static const uint8_t latin[] = { 'n', 'a', 0xef };
	static const uint16_t wide[] = { 0x416, 0x540d };
	static const uint32_t wider[] = { 0x1f600, 'x' };
	struct tasks *t = tasks_new();
	char longest[TASK_NAME];
	const char *name;

	enter(t, 1000, A, 0);
	CHECK_STR(name_at(t, 10), "?");
	enter(t, 1000, A, 1ULL << 40);
	CHECK_STR(name_at(t, 10), "Task-1099511627776");
	enter_named(t, latin, sizeof(latin), 1, sizeof(latin));
	CHECK_STR(name_at(t, 10), "na\xc3\xaf");
	enter_named(t, wide, sizeof(wide), 2, sizeof(wide));
	CHECK_STR(name_at(t, 10), "\xd0\x96\xe5\x90\x8d");
	enter_named(t, wider, sizeof(wider), 4, sizeof(wider));
	CHECK_STR(name_at(t, 10), "\xf0\x9f\x98\x80x");
	enter_named(t, "", 0, 1, 0);
	CHECK_STR(name_at(t, 10), "");
	CHECK(find(t, TID, 10) != NULL);
	memset(longest, 'x', sizeof(longest));
	enter_named(t, longest, sizeof(longest), 1, sizeof(longest));
	CHECK_INT(strlen(name_at(t, 10)), TASK_NAME);
	enter_named(t, longest, sizeof(longest), 1, sizeof(longest) + 1);
	name = name_at(t, 10);
	CHECK_INT(strlen(name), TASK_NAME + 3);
	CHECK_STR(name + TASK_NAME, "...");
	/* Nothing that it says is believed. */
	enter_named(t, longest, sizeof(longest), 3, 0);
	CHECK(find(t, TID, 10) != NULL);
	tasks_free(t);
}

static void test_many(void)
{
	struct tasks *t = tasks_new();
	const char *first;

	enter(t, 1000, A, 1);
	first = find(t, TID, 10)->name;
	for (uint64_t i = 2; i < 5000; i++) {
		char name[32];

		enter(t, 1000, A, i);
		snprintf(name, sizeof(name), "Task-%llu", (unsigned long long)i);
		CHECK_STR(name_at(t, 10), name);
	}
	/* A name is there once, and stays. */
	CHECK_STR(first, "Task-1");
	enter(t, 1000, B, 1);
	CHECK(find(t, TID, 10)->name == first);
	/* Deep, and out of it again. */
	for (uint64_t i = 1; i <= 100; i++)
		enter(t, 1000 - i, A, i);
	for (uint64_t i = 100; i; i--) {
		char name[32];

		snprintf(name, sizeof(name), "Task-%llu", (unsigned long long)i);
		CHECK_STR(name_at(t, 1000 - i - 1), name);
	}
	tasks_free(t);
}

int main(void)
{
	test_stack();
	test_threads();
	test_ids();
	test_names();
	test_many();
	return check_done();
}
