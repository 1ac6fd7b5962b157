// SPDX-License-Identifier: GPL-2.0
/*
 * What the CPU has, in the log and before any suite runs, by the names that
 * /proc/cpuinfo uses: KUnit's kernel may have no userspace to ask.
 *
 * Cases skip where the CPU lacks something.  With this, whoever judges the results
 * can tell whether it does, without taking the case's word for it.
 *
 * Built with KUnit only.
 */
#define pr_fmt(fmt) "tdx_test: " fmt

#include <linux/init.h>
#include <linux/printk.h>
#include <linux/seq_buf.h>
#include <asm/cpufeature.h>

#define FLAGS_PER_LINE	32
/* The longest names have less than 20 characters. */
#define LINE_SIZE	(FLAGS_PER_LINE * 20)

static int __init show_cpu_flags(void)
{
	DECLARE_SEQ_BUF(line, LINE_SIZE);
	unsigned int i;

	for (i = 0; i < NCAPINTS * 32; i++) {
		if (cpu_has(&boot_cpu_data, i) && x86_cap_flags[i])
			seq_buf_printf(&line, " %s", x86_cap_flags[i]);
		if ((i + 1) % FLAGS_PER_LINE || !seq_buf_used(&line))
			continue;
		pr_info("cpu flags:%s\n", seq_buf_str(&line));
		seq_buf_clear(&line);
	}

	return 0;
}
late_initcall(show_cpu_flags);
