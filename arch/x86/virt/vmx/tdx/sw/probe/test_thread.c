// SPDX-License-Identifier: GPL-2.0
/*
 * The CPUs that threads of tests run on: they stay where they say that they have
 * to, and on request are moved all the time as long as they don't.
 *
 * What relies on the CPU, but has not said so, goes wrong only if the scheduler
 * happens to move the thread in between, once in a thousand runs.  The mover makes
 * it happen.
 *
 * Built with KUnit only.
 */
#define pr_fmt(fmt) "tdx_test: " fmt

#include <linux/cpumask.h>
#include <linux/delay.h>
#include <linux/init.h>
#include <linux/kthread.h>
#include <linux/moduleparam.h>
#include <linux/reboot.h>
#include <linux/sched.h>
#include <linux/sched/signal.h>
#include <kunit/visibility.h>

#include "probe/sw_test.h"

#define MOVER_PERIOD_US	1000

void tdx_sw_test_stay_on(unsigned int cpu)
{
	/* First, or else the mover could have the last word on where that is. */
	current->flags |= PF_NO_SETAFFINITY;
	WARN_ON_ONCE(set_cpus_allowed_ptr(current, cpumask_of(cpu)));
}
EXPORT_SYMBOL_IF_KUNIT(tdx_sw_test_stay_on);

static bool mover;

#undef MODULE_PARAM_PREFIX
#define MODULE_PARAM_PREFIX "tdx_test."
module_param(mover, bool, 0400);
MODULE_PARM_DESC(mover, "move the threads of tests between CPUs all the time");

static struct task_struct *mover_thread;
static unsigned int nr_moves;

/*
 * The next kernel thread that is younger than the mover: those of KUnit, one for
 * each case, and those that cases start.
 */
static pid_t find_thread(pid_t after, unsigned int *cpu)
{
	struct task_struct *task;

	guard(rcu)();

	for_each_process(task) {
		if (task->flags & PF_KTHREAD && task->pid > after) {
			*cpu = task_cpu(task);
			return task->pid;
		}
	}

	return 0;
}

/* As userspace would, hence not if the thread is bound to its CPU. */
static void move_all(void)
{
	pid_t pid = current->pid;
	unsigned int cpu;

	while ((pid = find_thread(pid, &cpu))) {
		cpu = cpumask_any_but(cpu_online_mask, cpu);
		if (cpu < nr_cpu_ids && !sched_setaffinity(pid, cpumask_of(cpu)))
			nr_moves++;
	}
}

static int move_threads(void *unused)
{
	while (!kthread_should_stop()) {
		move_all();
		usleep_range(MOVER_PERIOD_US, MOVER_PERIOD_US + 100);
	}

	return 0;
}

static int stop_mover(struct notifier_block *nb, unsigned long event, void *data)
{
	kthread_stop(mover_thread);
	pr_info("threads were moved %u times\n", nr_moves);
	return NOTIFY_DONE;
}

static struct notifier_block reboot_notifier = {
	.notifier_call = stop_mover,
};

/* Before KUnit runs its suites, and after what is to stay where it is. */
static int __init start_mover(void)
{
	if (!mover)
		return 0;

	mover_thread = kthread_run(move_threads, NULL, "tdx_test_mover");
	if (IS_ERR(mover_thread))
		return PTR_ERR(mover_thread);

	return register_reboot_notifier(&reboot_notifier);
}
late_initcall_sync(start_mover);
