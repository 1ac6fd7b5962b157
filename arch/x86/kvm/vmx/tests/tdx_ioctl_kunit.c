// SPDX-License-Identifier: GPL-2.0
/*
 * KVM_MEMORY_ENCRYPT_OP on a TD and its vCPUs: which commands are refused, when,
 * with what, and what of it userspace gets to see.
 */
#include <kunit/test.h>
#include <linux/cpu.h>
#include <linux/hashtable.h>
#include <linux/misc_cgroup.h>
#include <linux/mman.h>
#include <linux/rbtree.h>
#include <linux/uaccess.h>

#include <asm/tdx.h>

#include "mmu.h"
#include "tdx_fixture.h"
#include "x86.h"

struct ioctl_test {
	struct tdx_test *t;
	struct kvm_tdx_cmd __user *cmd;
	/* Two pages */
	void __user *data;
	struct kvm_memslots slots;
	struct kvm_memory_slot slot;
};

struct init_vm {
	struct kvm_tdx_init_vm vm;
	struct kvm_cpuid_entry2 entry;
};

static struct ioctl_test *ioctl_test(struct kunit *test)
{
	return ((struct tdx_test *)test->priv)->opaque;
}

/* The only one, and none of userspace's making: private memory without a file. */
static void set_slot(struct ioctl_test *i, gfn_t base, unsigned long npages)
{
	struct kvm_memslots *slots = &i->slots;
	struct kvm_memory_slot *slot = &i->slot;

	slots->hva_tree = RB_ROOT_CACHED;
	slots->gfn_tree = RB_ROOT;
	hash_init(slots->id_hash);
	atomic_long_set(&slots->last_used_slot, 0);
	memset(slot, 0, sizeof(*slot));

	slot->base_gfn = base;
	slot->npages = npages;
	slot->flags = KVM_MEM_GUEST_MEMFD;
	hash_add(slots->id_hash, &slot->id_node[0], slot->id);
	rb_link_node(&slot->gfn_node[0], NULL, &slots->gfn_tree.rb_node);
	rb_insert_color(&slot->gfn_node[0], &slots->gfn_tree);
	rcu_assign_pointer(i->t->kvm->memslots[0], slots);
}

static gfn_t direct_bit(void)
{
	return BIT_ULL(tdx_sw_gpa_width() - 1 - PAGE_SHIFT);
}

static int ioctl_init(struct kunit *test)
{
	struct ioctl_test *i;
	unsigned long addr;

	tdx_test_create_vm(test);
	i = kunit_kzalloc(test, sizeof(*i), GFP_KERNEL);
	KUNIT_ASSERT_NOT_NULL(test, i);
	i->t = test->priv;
	i->t->opaque = i;

	addr = kunit_vm_mmap(test, NULL, 0, 3 * PAGE_SIZE, PROT_READ | PROT_WRITE,
			     MAP_ANONYMOUS | MAP_PRIVATE, 0);
	KUNIT_ASSERT_FALSE(test, !addr || IS_ERR_VALUE(addr));
	i->cmd = (void __user *)addr;
	i->data = (void __user *)(addr + PAGE_SIZE);

	set_slot(i, 0, direct_bit());
	i->t->kvm->arch.default_tsc_khz = 1000 * 1000;
	kvm_host.xcr0 |= TDX_XFAM_X87_SSE;
	return 0;
}

static void ioctl_exit(struct kunit *test)
{
	struct tdx_test *t = test->priv;

	if (t)
		RCU_INIT_POINTER(t->kvm->memslots[0], NULL);
	tdx_fixture_exit(test);
}

static struct kvm_tdx_cmd make_cmd(struct kunit *test, u32 id, u32 flags)
{
	return (struct kvm_tdx_cmd) {
		.id = id, .flags = flags, .data = (unsigned long)ioctl_test(test)->data,
	};
}

static void put_cmd(struct kunit *test, const struct kvm_tdx_cmd *cmd)
{
	KUNIT_ASSERT_EQ(test, copy_to_user(ioctl_test(test)->cmd, cmd, sizeof(*cmd)), 0);
}

static int vm_cmd(struct kunit *test, u32 id, u32 flags)
{
	struct kvm_tdx_cmd cmd = make_cmd(test, id, flags);

	put_cmd(test, &cmd);
	return tdx_vm_ioctl(ioctl_test(test)->t->kvm, ioctl_test(test)->cmd);
}

/* As KVM_MEMORY_ENCRYPT_OP goes: first to the one that takes its locks itself. */
static int vcpu_cmd(struct kunit *test, struct kvm_vcpu *vcpu, u32 id, u32 flags)
{
	struct kvm_tdx_cmd cmd = make_cmd(test, id, flags);
	void __user *argp = ioctl_test(test)->cmd;
	int r;

	put_cmd(test, &cmd);
	r = tdx_vcpu_unlocked_ioctl(vcpu, argp);
	return r == -ENOIOCTLCMD ? tdx_vcpu_ioctl(vcpu, argp) : r;
}

static u64 told_hw_error(struct kunit *test)
{
	struct kvm_tdx_cmd cmd = {};

	KUNIT_EXPECT_EQ(test, copy_from_user(&cmd, ioctl_test(test)->cmd, sizeof(cmd)), 0);
	return cmd.hw_error;
}

static void put_data(struct kunit *test, const void *data, size_t size)
{
	KUNIT_ASSERT_EQ(test, copy_to_user(ioctl_test(test)->data, data, size), 0);
}

static void get_data(struct kunit *test, void *data, size_t size)
{
	KUNIT_ASSERT_EQ(test, copy_from_user(data, ioctl_test(test)->data, size), 0);
}

/* What the module accepts. */
static struct init_vm good_init_vm(void)
{
	return (struct init_vm) {
		.vm.attributes = BIT_ULL(28),
		.vm.xfam = 3,
		.vm.cpuid.nent = 1,
		.entry = { .function = 0x80000008, .eax = tdx_sw_gpa_width() << 16 },
	};
}

static int init_vm(struct kunit *test, const struct init_vm *init)
{
	struct tdx_test *t = test->priv;
	int r;

	put_data(test, init, sizeof(*init));
	r = vm_cmd(test, KVM_TDX_INIT_VM, 0);
	/* For the fixture's clean-up */
	t->tdr = t->kvm_tdx->tdr;
	t->hkid = t->kvm_tdx->hkid;
	return r;
}

static void init_good_vm(struct kunit *test)
{
	struct init_vm init = good_init_vm();

	KUNIT_ASSERT_EQ(test, init_vm(test, &init), 0);
}

static struct kvm_vcpu *create_vcpu(struct kunit *test)
{
	struct tdx_test *t = test->priv;
	struct kvm_vcpu *vcpu = tdx_test_create_vcpu(t);

	t->kvm->created_vcpus = t->nr_vcpus;
	return vcpu;
}

/*
 * All commands
 */

static void hw_error_has_to_be_0(struct kunit *test)
{
	struct kvm_tdx_cmd cmd = make_cmd(test, 0, 0);
	struct tdx_test *t = test->priv;
	struct kvm_vcpu *vcpu;

	init_good_vm(test);
	vcpu = create_vcpu(test);

	cmd.hw_error = BIT_ULL(63);
	cmd.id = KVM_TDX_FINALIZE_VM;
	put_cmd(test, &cmd);
	KUNIT_EXPECT_EQ(test, tdx_vm_ioctl(t->kvm, ioctl_test(test)->cmd), -EINVAL);
	cmd.id = KVM_TDX_INIT_VCPU;
	put_cmd(test, &cmd);
	KUNIT_EXPECT_EQ(test, tdx_vcpu_unlocked_ioctl(vcpu, ioctl_test(test)->cmd), -EINVAL);
	KUNIT_EXPECT_EQ(test, to_tdx(vcpu)->state, VCPU_TD_STATE_UNINITIALIZED);
}

static void command_is_for_one_kind_of_file(struct kunit *test)
{
	static const u32 not_vms[] = {
		KVM_TDX_INIT_VCPU, KVM_TDX_INIT_MEM_REGION, KVM_TDX_GET_CPUID, 6,
	};
	static const u32 not_vcpus[] = {
		KVM_TDX_CAPABILITIES, KVM_TDX_INIT_VM, KVM_TDX_FINALIZE_VM, 6,
	};
	struct kvm_vcpu *vcpu;
	int i;

	init_good_vm(test);
	vcpu = create_vcpu(test);
	for (i = 0; i < ARRAY_SIZE(not_vms); i++)
		KUNIT_EXPECT_EQ(test, vm_cmd(test, not_vms[i], 0), -EINVAL);
	for (i = 0; i < ARRAY_SIZE(not_vcpus); i++)
		KUNIT_EXPECT_EQ(test, vcpu_cmd(test, vcpu, not_vcpus[i], 0), -EINVAL);
}

static void dead_vm_takes_no_command(struct kunit *test)
{
	struct init_vm init = good_init_vm();
	struct tdx_test *t = test->priv;

	t->kvm->vm_dead = true;
	KUNIT_EXPECT_EQ(test, init_vm(test, &init), -EIO);
	t->kvm->vm_dead = false;
	KUNIT_EXPECT_EQ(test, init_vm(test, &init), 0);

	t->kvm->vm_dead = true;
	KUNIT_EXPECT_EQ(test, vm_cmd(test, KVM_TDX_FINALIZE_VM, 0), -EIO);
	t->kvm->vm_dead = false;
	KUNIT_EXPECT_EQ(test, t->kvm_tdx->state, TD_STATE_INITIALIZED);
}

/*
 * CAPABILITIES, INIT_VM, FINALIZE_VM
 */

static void capabilities_need_room(struct kunit *test)
{
	struct kvm_tdx_capabilities *caps;
	u32 nr = tdx_get_sys_info()->nr_cpuid_configs;
	size_t size = struct_size(caps, cpuid.entries, nr);

	caps = kunit_kzalloc(test, size, GFP_KERNEL);
	KUNIT_ASSERT_NOT_NULL(test, caps);

	caps->cpuid.nent = nr - 1;
	put_data(test, caps, size);
	KUNIT_EXPECT_EQ(test, vm_cmd(test, KVM_TDX_CAPABILITIES, 0), -E2BIG);
	get_data(test, caps, size);
	KUNIT_EXPECT_EQ(test, caps->cpuid.nent, nr - 1);
	KUNIT_EXPECT_EQ(test, caps->supported_attrs, 0);

	caps->cpuid.nent = nr + 1;
	put_data(test, caps, size);
	KUNIT_EXPECT_EQ(test, vm_cmd(test, KVM_TDX_CAPABILITIES, 1), -EINVAL);
	KUNIT_EXPECT_EQ(test, vm_cmd(test, KVM_TDX_CAPABILITIES, 0), 0);
	get_data(test, caps, size);
	KUNIT_EXPECT_EQ(test, caps->cpuid.nent, nr);
	KUNIT_EXPECT_EQ(test, caps->supported_attrs, BIT_ULL(28));
	KUNIT_EXPECT_EQ(test, caps->supported_xfam & 3, 3);
	KUNIT_EXPECT_EQ(test, caps->kernel_tdvmcallinfo_1_r11, 0);
	KUNIT_EXPECT_EQ(test, caps->user_tdvmcallinfo_1_r11, BIT_ULL(1));
	KUNIT_EXPECT_EQ(test, caps->kernel_tdvmcallinfo_1_r12, 0);
	KUNIT_EXPECT_EQ(test, caps->user_tdvmcallinfo_1_r12, 0);
}

/* A field of struct kvm_tdx_init_vm that has something in it that it may not have. */
static const struct bad_init {
	const char *desc;
	unsigned int offset;
	u64 value;
	int want;
} bad_inits[] = {
	{ "debug", 0, BIT_ULL(28) | BIT_ULL(0), -EINVAL },
	{ "xfam", 8, BIT_ULL(15), -EINVAL },
	{ "first reserved", 160, 1, -EINVAL },
	{ "last reserved", 248, BIT_ULL(63), -EINVAL },
	{ "padding", 256, 1 | BIT_ULL(32), -EINVAL },
	{ "no entry", 256, 0, -EINVAL },
	{ "257 entries", 256, 257, -E2BIG },
};

KUNIT_ARRAY_PARAM_DESC(bad_init, bad_inits, desc);

static void init_vm_is_refused(struct kunit *test)
{
	const struct bad_init *p = test->param_value;
	struct init_vm init = good_init_vm();
	struct tdx_test *t = test->priv;

	memcpy((void *)&init + p->offset, &p->value, sizeof(p->value));
	KUNIT_EXPECT_EQ(test, init_vm(test, &init), p->want);
	KUNIT_EXPECT_EQ(test, t->kvm_tdx->state, TD_STATE_UNINITIALIZED);
	KUNIT_EXPECT_EQ(test, told_hw_error(test), 0);

	init_good_vm(test);
}

static void command_has_its_state_and_no_flags(struct kunit *test)
{
	struct init_vm init = good_init_vm();
	struct tdx_test *t = test->priv;

	KUNIT_EXPECT_EQ(test, vm_cmd(test, KVM_TDX_FINALIZE_VM, 0), -EINVAL);
	put_data(test, &init, sizeof(init));
	KUNIT_EXPECT_EQ(test, vm_cmd(test, KVM_TDX_INIT_VM, 1), -EINVAL);
	KUNIT_EXPECT_EQ(test, t->kvm_tdx->state, TD_STATE_UNINITIALIZED);

	init_good_vm(test);
	KUNIT_EXPECT_EQ(test, init_vm(test, &init), -EINVAL);
	KUNIT_EXPECT_EQ(test, vm_cmd(test, KVM_TDX_FINALIZE_VM, 1), -EINVAL);
	KUNIT_EXPECT_EQ(test, t->kvm_tdx->state, TD_STATE_INITIALIZED);
}

/* By the states there can't be one yet. */
static void init_vm_comes_before_vcpus(struct kunit *test)
{
	struct init_vm init = good_init_vm();
	struct tdx_test *t = test->priv;

	t->kvm->created_vcpus = 1;
	atomic_set(&t->kvm->online_vcpus, 1);
	KUNIT_EXPECT_EQ(test, init_vm(test, &init), -EBUSY);
	t->kvm->created_vcpus = 0;
	atomic_set(&t->kvm->online_vcpus, 0);
	KUNIT_EXPECT_EQ(test, t->kvm_tdx->state, TD_STATE_UNINITIALIZED);
}

/* It has looked at the TD's state already, so that this doesn't change meanwhile. */
static void vcpu_in_the_making_holds_commands_off(struct kunit *test)
{
	struct tdx_test *t = test->priv;
	struct kvm_vcpu *vcpu;

	init_good_vm(test);
	vcpu = create_vcpu(test);

	t->kvm->created_vcpus++;
	KUNIT_EXPECT_EQ(test, vm_cmd(test, KVM_TDX_FINALIZE_VM, 0), -EBUSY);
	KUNIT_EXPECT_EQ(test, vcpu_cmd(test, vcpu, KVM_TDX_INIT_VCPU, 0), -EBUSY);
	t->kvm->created_vcpus--;

	KUNIT_EXPECT_EQ(test, t->kvm_tdx->state, TD_STATE_INITIALIZED);
	KUNIT_EXPECT_EQ(test, to_tdx(vcpu)->state, VCPU_TD_STATE_UNINITIALIZED);
	KUNIT_EXPECT_FALSE(test, mutex_is_locked(&t->kvm->lock));
	KUNIT_EXPECT_FALSE(test, mutex_is_locked(&t->kvm->slots_lock));
	KUNIT_ASSERT_FALSE(test, mutex_is_locked(&vcpu->mutex));
	KUNIT_EXPECT_EQ(test, vcpu_cmd(test, vcpu, KVM_TDX_INIT_VCPU, 0), 0);
}

static void memslots_are_below_the_shared_bit(struct kunit *test)
{
	struct ioctl_test *i = ioctl_test(test);
	struct init_vm init = good_init_vm();

	set_slot(i, direct_bit() - 1, 2);
	KUNIT_EXPECT_EQ(test, init_vm(test, &init), -EINVAL);
	set_slot(i, direct_bit(), 1);
	KUNIT_EXPECT_EQ(test, init_vm(test, &init), -EINVAL);
	set_slot(i, 2 * direct_bit(), 1);
	KUNIT_EXPECT_EQ(test, init_vm(test, &init), -EINVAL);

	set_slot(i, direct_bit() - 1, 1);
	KUNIT_EXPECT_EQ(test, init_vm(test, &init), 0);
	KUNIT_EXPECT_EQ(test, kvm_gfn_direct_bits(i->t->kvm), direct_bit());
}

static const struct init_error {
	const char *desc;
	u64 status;
} init_errors[] = {
	{ "operand", TDX_OPERAND_INVALID | TDX_OPERAND_ID_CPUID_CONFIG },
	{ "topology", TDX_CPUID_LEAF_1F_FORMAT_UNRECOGNIZED },
};

KUNIT_ARRAY_PARAM_DESC(init_error, init_errors, desc);

/* The module is the judge of many parameters, and userspace wants to know why. */
static void refusal_by_the_module_is_told(struct kunit *test)
{
	const struct init_error *p = test->param_value;
	struct init_vm init = good_init_vm();
	struct tdx_test *t = test->priv;

	KUNIT_ASSERT_EQ(test, tdx_sw_inject_set(TDH_MNG_INIT, 1, 1, p->status), 0);
	KUNIT_EXPECT_EQ(test, init_vm(test, &init), -EINVAL);
	KUNIT_EXPECT_EQ(test, told_hw_error(test), p->status);
	KUNIT_EXPECT_EQ(test, t->kvm_tdx->state, TD_STATE_UNINITIALIZED);
	tdx_test_expect_bugged(t, false);

	init_good_vm(test);
	KUNIT_EXPECT_EQ(test, told_hw_error(test), 0);
}

static int nr_free_keyids(void)
{
	int nr = 0, i, hkid, first = 0;

	guard(cpus_read_lock)();

	/* In their order, as those that are in use stay in use. */
	while ((hkid = tdx_guest_keyid_alloc()) > 0) {
		first = first ?: hkid;
		nr++;
	}
	for (i = 0; i < nr; i++)
		tdx_guest_keyid_free(first + i);
	return nr;
}

/* A TD counts as one, from INIT_VM on, and a failed INIT_VM not at all. */
static void cgroup_limits_tds(struct kunit *test)
{
	struct misc_cg *cg = get_current_misc_cg();
	struct init_vm init = good_init_vm();
	int nr = nr_free_keyids();
	int i;

	KUNIT_EXPECT_EQ(test, misc_cg_set_capacity(MISC_CG_RES_TDX, 1), 0);
	KUNIT_EXPECT_EQ(test, misc_cg_try_charge(MISC_CG_RES_TDX, cg, 1), 0);
	KUNIT_EXPECT_EQ(test, init_vm(test, &init), -EBUSY);
	misc_cg_uncharge(MISC_CG_RES_TDX, cg, 1);
	put_misc_cg(cg);
	KUNIT_EXPECT_EQ(test, nr_free_keyids(), nr);

	for (i = 0; i < 3; i++) {
		KUNIT_EXPECT_EQ(test, tdx_sw_inject_set(TDH_MNG_CREATE, 1, 10,
							TDX_RND_NO_ENTROPY), 0);
		KUNIT_EXPECT_EQ(test, init_vm(test, &init), -EAGAIN);
	}
	KUNIT_EXPECT_EQ(test, nr_free_keyids(), nr);

	KUNIT_EXPECT_EQ(test, init_vm(test, &init), 0);
	KUNIT_EXPECT_EQ(test, nr_free_keyids(), nr - 1);
	misc_cg_set_capacity(MISC_CG_RES_TDX, tdx_get_nr_guest_keyids());
}

/*
 * INIT_VCPU, GET_CPUID, INIT_MEM_REGION
 */

static void init_vcpu_works_once(struct kunit *test)
{
	struct tdx_test *t = test->priv;
	struct kvm_vcpu *vcpu;

	init_good_vm(test);
	vcpu = create_vcpu(test);
	KUNIT_EXPECT_EQ(test, vcpu_cmd(test, vcpu, KVM_TDX_INIT_VCPU, 1), -EINVAL);
	KUNIT_EXPECT_EQ(test, to_tdx(vcpu)->state, VCPU_TD_STATE_UNINITIALIZED);
	KUNIT_EXPECT_EQ(test, vcpu_cmd(test, vcpu, KVM_TDX_INIT_VCPU, 0), 0);
	KUNIT_EXPECT_EQ(test, vcpu_cmd(test, vcpu, KVM_TDX_INIT_VCPU, 0), -EINVAL);
	tdx_test_expect_bugged(t, false);

	/* Nor later */
	vcpu = create_vcpu(test);
	KUNIT_EXPECT_EQ(test, vm_cmd(test, KVM_TDX_FINALIZE_VM, 0), 0);
	KUNIT_EXPECT_EQ(test, vcpu_cmd(test, vcpu, KVM_TDX_INIT_VCPU, 0), -EINVAL);
	tdx_test_expect_bugged(t, false);
}

static void get_cpuid_tells_how_much_room_it_takes(struct kunit *test)
{
	struct kvm_cpuid2 *cpuid;
	size_t size = struct_size(cpuid, entries, 200);
	struct tdx_test *t = test->priv;
	struct kvm_vcpu *vcpu;
	u32 nent;

	init_good_vm(test);
	vcpu = create_vcpu(test);
	cpuid = kunit_kzalloc(test, size, GFP_KERNEL);
	KUNIT_ASSERT_NOT_NULL(test, cpuid);

	cpuid->nent = 1;
	put_data(test, cpuid, size);
	KUNIT_EXPECT_EQ(test, vcpu_cmd(test, vcpu, KVM_TDX_GET_CPUID, 0), -E2BIG);
	get_data(test, cpuid, size);
	nent = cpuid->nent;
	KUNIT_EXPECT_GT(test, nent, 1);
	KUNIT_ASSERT_LE(test, nent, 200);

	KUNIT_EXPECT_EQ(test, vcpu_cmd(test, vcpu, KVM_TDX_GET_CPUID, 0), 0);
	get_data(test, cpuid, size);
	KUNIT_EXPECT_EQ(test, cpuid->nent, nent);
	KUNIT_EXPECT_EQ(test, cpuid->entries[nent - 1].function & BIT(31), BIT(31));

	t->kvm_tdx->state = TD_STATE_RUNNABLE;
	KUNIT_EXPECT_EQ(test, vcpu_cmd(test, vcpu, KVM_TDX_GET_CPUID, 0), -EINVAL);
	t->kvm_tdx->state = TD_STATE_INITIALIZED;
}

/* DIRECT_BIT stands for the TD's, of the address. */
#define DIRECT_BIT	BIT_ULL(62)
#define SRC		0x10000
#define GPA		0x100000

static const struct region {
	const char *desc;
	struct kvm_tdx_init_mem_region region;
	u32 flags;
	int want;
} regions[] = {
	/* EFAULT is what comes of a slot whose file is gone: they got that far. */
	{ "good", { SRC, GPA, 1 }, 0, -EFAULT },
	{ "measured", { SRC, GPA, 1 }, 1, -EFAULT },
	{ "last private page", { SRC, DIRECT_BIT - PAGE_SIZE, 1 }, 0, -EFAULT },

	{ "flag", { SRC, GPA, 1 }, 2, -EINVAL },
	{ "no source", { 0, GPA, 1 }, 0, -EINVAL },
	{ "source unaligned", { SRC + 1, GPA, 1 }, 0, -EINVAL },
	{ "source wraps", { -PAGE_SIZE, GPA, 2 }, 0, -EINVAL },
	{ "address unaligned", { SRC, GPA + 0x800, 1 }, 0, -EINVAL },
	{ "address wraps", { SRC, -PAGE_SIZE, 2 }, 0, -EINVAL },
	{ "no page", { SRC, GPA, 0 }, 0, -EINVAL },
	{ "2^64 bytes and a page", { SRC, GPA, BIT_ULL(52) + 1 }, 0, -EINVAL },
	{ "shared", { SRC, DIRECT_BIT | GPA, 1 }, 0, -EINVAL },
	{ "last page shared", { SRC, DIRECT_BIT - PAGE_SIZE, 2 }, 0, -EINVAL },
};

KUNIT_ARRAY_PARAM_DESC(region, regions, desc);

static void region_is_looked_at_first(struct kunit *test)
{
	const struct region *p = test->param_value;
	struct kvm_tdx_init_mem_region region = p->region, after;
	struct tdx_test *t = test->priv;
	struct kvm_vcpu *vcpu;

	if (region.gpa >> 62 == 1)
		region.gpa = region.gpa - DIRECT_BIT + gfn_to_gpa(direct_bit());
	else if (region.gpa == DIRECT_BIT - PAGE_SIZE)
		region.gpa = gfn_to_gpa(direct_bit()) - PAGE_SIZE;

	init_good_vm(test);
	vcpu = create_vcpu(test);
	put_data(test, &region, sizeof(region));
	KUNIT_EXPECT_EQ(test, vcpu_cmd(test, vcpu, KVM_TDX_INIT_MEM_REGION, p->flags), -EINVAL);
	KUNIT_ASSERT_EQ(test, vcpu_cmd(test, vcpu, KVM_TDX_INIT_VCPU, 0), 0);

	KUNIT_EXPECT_EQ(test, vcpu_cmd(test, vcpu, KVM_TDX_INIT_MEM_REGION, p->flags), p->want);
	get_data(test, &after, sizeof(after));
	KUNIT_EXPECT_MEMEQ(test, &after, &region, sizeof(after));

	t->kvm_tdx->state = TD_STATE_RUNNABLE;
	KUNIT_EXPECT_EQ(test, vcpu_cmd(test, vcpu, KVM_TDX_INIT_MEM_REGION, p->flags), -EINVAL);
	t->kvm_tdx->state = TD_STATE_INITIALIZED;
}

static struct kunit_case tdx_ioctl_cases[] = {
	KUNIT_CASE(hw_error_has_to_be_0),
	KUNIT_CASE(command_is_for_one_kind_of_file),
	KUNIT_CASE(dead_vm_takes_no_command),
	KUNIT_CASE(capabilities_need_room),
	KUNIT_CASE_PARAM(init_vm_is_refused, bad_init_gen_params),
	KUNIT_CASE(command_has_its_state_and_no_flags),
	KUNIT_CASE(init_vm_comes_before_vcpus),
	KUNIT_CASE(vcpu_in_the_making_holds_commands_off),
	KUNIT_CASE(memslots_are_below_the_shared_bit),
	KUNIT_CASE_PARAM(refusal_by_the_module_is_told, init_error_gen_params),
	KUNIT_CASE(cgroup_limits_tds),
	KUNIT_CASE(init_vcpu_works_once),
	KUNIT_CASE(get_cpuid_tells_how_much_room_it_takes),
	KUNIT_CASE_PARAM(region_is_looked_at_first, region_gen_params),
	{}
};

static struct kunit_suite tdx_ioctl_suite = {
	.name = "kvm_tdx_ioctl",
	.suite_init = tdx_fixture_suite_init,
	.suite_exit = tdx_fixture_suite_exit,
	.init = ioctl_init,
	.exit = ioctl_exit,
	.test_cases = tdx_ioctl_cases,
};

kunit_test_suite(tdx_ioctl_suite);
