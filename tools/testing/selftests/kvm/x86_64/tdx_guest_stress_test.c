// SPDX-License-Identifier: GPL-2.0-only
/*
 * vCPUs that touch memory at random while the host punches holes in it, converts
 * it, and takes whole slots away.  Nothing may hang, no page that the host left
 * alone may change, and in the end KVM's mirror and the S-EPT agree.
 */
#include <linux/falloc.h>

#include "kvm_test_harness.h"
#include "test_util.h"
#include "kvm_util.h"
#include "processor.h"
#include "tdx_guest.h"

#define MAX_VCPUS	2
#define NR_STEPS	1500

#define GPA		TDX_TEST_GPA
#define NR_PAGES	512
#define SEED		0x5eed
/* What happens to a page goes by the chunk that it is in. */
#define CHUNK		8

/* The slot that comes and goes. */
#define GONE_GPA	(GPA + SZ_64M)
#define GONE_SLOT	(TDX_TEST_SLOT + 1)
#define NR_GONE		64

enum fate { KEPT, PUNCHED, CONVERTED, NR_FATES, GONE };

static enum fate fate_of(int page)
{
	return page / CHUNK % NR_FATES;
}

static uint64_t gpa_of(int page)
{
	return GPA + page * PAGE_SIZE;
}

static void *private(int page)
{
	return (void *)TDX_GUEST_PRIVATE(gpa_of(page));
}

static void check_kept(int page)
{
	__GUEST_ASSERT(tdx_is_filled(private(page), gpa_of(page), SEED),
		       "Page %d was lost", page);
}

static uint64_t nr_vcpus, *progress;

/* A hole reads as zero; any other change is somebody else's memory. */
static void touch(uint64_t *p, uint64_t val)
{
	uint64_t got;

	WRITE_ONCE(*p, val);
	got = READ_ONCE(*p);
	__GUEST_ASSERT(got == val || !got, "Wrote %#lx at %p, read %#lx", val, p, got);
}

static void guest_step(uint64_t me, struct guest_random_state *rng)
{
	int page = guest_random_u32(rng) % NR_PAGES;
	uint64_t val = (uint64_t)guest_random_u32(rng) << 8 | 1;
	/* A word per vCPU, or else each sees what the other wrote. */
	int word = guest_random_u32(rng) % 64 * MAX_VCPUS + me;

	if (guest_random_u32(rng) % 8 == 0) {
		page %= NR_GONE;
		touch((uint64_t *)TDX_GUEST_PRIVATE(GONE_GPA + page * PAGE_SIZE) + word,
		      val);
		return;
	}
	switch (fate_of(page)) {
	case KEPT:
		check_kept(page);
		break;
	case PUNCHED:
		touch((uint64_t *)private(page) + word, val);
		break;
	default:
		if (guest_random_bool(rng))
			touch((uint64_t *)private(page) + word, val);
		else
			touch((uint64_t *)TDX_GUEST_SHARED(gpa_of(page)) + word, val);
	}
}

static void guest_code(uint64_t me)
{
	struct guest_random_state rng = guest_rng;
	int i;

	rng.seed += me;
	tdx_ve_accepts = true;
	for (i = 0; i < NR_PAGES; i++) {
		if (fate_of(i) == KEPT && i % nr_vcpus == me)
			tdx_fill(private(i), gpa_of(i), SEED);
	}
	GUEST_SYNC(1);
	for (i = 0; i < NR_STEPS; i++) {
		guest_step(me, &rng);
		WRITE_ONCE(progress[me], i + 1);
	}
	GUEST_SYNC(2);
	for (i = 0; i < NR_PAGES; i++) {
		if (fate_of(i) == KEPT)
			check_kept(i);
	}
}

/*
 * The host's side.  What a vCPU had to leave KVM_RUN for stays as it wants it until
 * it has got on: by then it has faulted at one instruction more than once, and the
 * TDX module does not let a guest run that does so again and again.
 */
struct hold {
	enum fate fate;
	int chunk;
	uint64_t since;		/* its progress at that time */
};

struct stress {
	struct kvm_vm *vm;
	struct kvm_vcpu *vcpu[MAX_VCPUS];
	uint64_t *progress;
	pthread_mutex_t lock;
	struct hold hold[MAX_VCPUS];
	pthread_cond_t gone_is_back;
	bool stop, gone_is_there;
	void *gone_mem;
	int gone_fd;
	uint64_t nr_punches, nr_conversions, nr_slots, nr_faults;
};

static struct stress s = {
	.lock = PTHREAD_MUTEX_INITIALIZER,
	.gone_is_back = PTHREAD_COND_INITIALIZER,
	.gone_is_there = true,
};

static void hold(int vcpu, enum fate fate, int chunk)
{
	s.hold[vcpu] = (struct hold) {
		.fate = fate, .chunk = chunk, .since = READ_ONCE(s.progress[vcpu]),
	};
}

/* ... by anybody but @me, which may be nobody's number. */
static bool is_held(enum fate fate, int chunk, int me)
{
	int i;

	for (i = 0; i < MAX_VCPUS; i++) {
		struct hold *h = &s.hold[i];

		if (i != me && h->fate == fate && h->chunk == chunk &&
		    h->since == READ_ONCE(s.progress[i]))
			return true;
	}
	return false;
}

static void sleep_a_little(unsigned int *seed)
{
	usleep(200 + rand_r(seed) % 2000);
}

/* Some pages of one chunk that has this fate. */
static int pick(unsigned int *seed, enum fate fate, int *nr)
{
	int nr_chunks = NR_PAGES / CHUNK / NR_FATES;
	int chunk = rand_r(seed) % nr_chunks * NR_FATES + fate;
	int first = rand_r(seed) % CHUNK;

	*nr = 1 + rand_r(seed) % (CHUNK - first);
	return chunk * CHUNK + first;
}

static void *punch(void *arg)
{
	int fd = memslot2region(s.vm, TDX_TEST_SLOT)->region.guest_memfd;
	unsigned int seed = guest_random_seed;
	int first, nr, ret;

	while (!READ_ONCE(s.stop)) {
		first = pick(&seed, PUNCHED, &nr);
		ret = fallocate(fd, FALLOC_FL_PUNCH_HOLE | FALLOC_FL_KEEP_SIZE,
				first * PAGE_SIZE, nr * PAGE_SIZE);
		TEST_ASSERT(!ret, "fallocate(): %d", errno);
		s.nr_punches++;
		sleep_a_little(&seed);
	}
	return NULL;
}

static void set_private(uint64_t gpa, int nr, bool private)
{
	int ret = __tdx_set_attributes(s.vm, gpa, nr * PAGE_SIZE,
				       private ? KVM_MEMORY_ATTRIBUTE_PRIVATE : 0);

	TEST_ASSERT(!ret, "KVM_SET_MEMORY_ATTRIBUTES: %d", ret);
}

static void *convert(void *arg)
{
	unsigned int seed = guest_random_seed + 1;
	int first, nr;

	while (!READ_ONCE(s.stop)) {
		first = pick(&seed, CONVERTED, &nr);
		pthread_mutex_lock(&s.lock);
		if (!is_held(CONVERTED, first / CHUNK, -1)) {
			set_private(gpa_of(first), nr, rand_r(&seed) % 2);
			s.nr_conversions++;
		}
		pthread_mutex_unlock(&s.lock);
		sleep_a_little(&seed);
	}
	return NULL;
}

static void set_gone_slot(bool there)
{
	int ret;

	ret = __vm_set_user_memory_region2(s.vm, GONE_SLOT, KVM_MEM_GUEST_MEMFD,
					   GONE_GPA, there ? NR_GONE * PAGE_SIZE : 0,
					   s.gone_mem, s.gone_fd, 0);
	TEST_ASSERT(!ret, "KVM_SET_USER_MEMORY_REGION2: %d", errno);
}

static bool delete_gone_slot(void)
{
	pthread_mutex_lock(&s.lock);
	s.gone_is_there = is_held(GONE, 0, -1);
	if (!s.gone_is_there)
		set_gone_slot(false);
	pthread_mutex_unlock(&s.lock);
	return !s.gone_is_there;
}

static void bring_back_gone_slot(void)
{
	pthread_mutex_lock(&s.lock);
	set_gone_slot(true);
	s.gone_is_there = true;
	s.nr_slots++;
	pthread_cond_broadcast(&s.gone_is_back);
	pthread_mutex_unlock(&s.lock);
}

static void *take_away(void *arg)
{
	unsigned int seed = guest_random_seed + 2;

	while (!READ_ONCE(s.stop)) {
		if (delete_gone_slot()) {
			sleep_a_little(&seed);
			bring_back_gone_slot();
		}
		sleep_a_little(&seed);
	}
	return NULL;
}

static void handle_fault(int vcpu, struct kvm_run *run)
{
	uint64_t gpa = run->memory_fault.gpa & ~(PAGE_SIZE - 1);
	bool private = run->memory_fault.flags & KVM_MEMORY_EXIT_FLAG_PRIVATE;
	int page = (gpa - GPA) / PAGE_SIZE;

	TEST_ASSERT_EQ(run->exit_reason, KVM_EXIT_MEMORY_FAULT);
	pthread_mutex_lock(&s.lock);
	s.nr_faults++;
	if (gpa >= GONE_GPA) {
		while (!s.gone_is_there)
			pthread_cond_wait(&s.gone_is_back, &s.lock);
		hold(vcpu, GONE, 0);
	} else {
		TEST_ASSERT_EQ(fate_of(page), CONVERTED);
		/* Two that want the same page in different ways take turns. */
		while (is_held(CONVERTED, page / CHUNK, vcpu)) {
			pthread_mutex_unlock(&s.lock);
			usleep(100);
			pthread_mutex_lock(&s.lock);
		}
		set_private(gpa, 1, private);
		hold(vcpu, CONVERTED, page / CHUNK);
	}
	pthread_mutex_unlock(&s.lock);
}

static void *run_vcpu(void *arg)
{
	struct kvm_vcpu *vcpu = arg;
	struct ucall uc;

	while (tdx_guest_run(vcpu, &uc) == UCALL_NONE)
		handle_fault(vcpu->id, vcpu->run);
	TEST_ASSERT_EQ(uc.cmd, UCALL_SYNC);
	TEST_ASSERT_EQ(uc.args[1], 2);
	return NULL;
}

static void create(int nr)
{
	vm_vaddr_t gva;
	int i;

	s.vm = tdx_guest_create_with(tdx_guest_no_attributes);
	s.progress = tdx_guest_shared_alloc(s.vm, MAX_VCPUS * sizeof(uint64_t), &gva);
	for (i = 0; i < nr; i++)
		s.vcpu[i] = tdx_guest_vcpu_add(s.vm, i, guest_code, i);
	tdx_guest_mem_add(s.vm, GPA, TDX_TEST_SLOT, NR_PAGES);
	tdx_guest_map_both(s.vm, GONE_GPA, NR_GONE);
	s.gone_mem = aligned_alloc(PAGE_SIZE, NR_GONE * PAGE_SIZE);
	s.gone_fd = vm_create_guest_memfd(s.vm, NR_GONE * PAGE_SIZE, 0);
	vm_mem_set_private(s.vm, GONE_GPA, NR_GONE * PAGE_SIZE);
	set_gone_slot(true);
	nr_vcpus = nr;
	sync_global_to_guest(s.vm, nr_vcpus);
	write_guest_global(s.vm, progress, (uint64_t *)gva);
	tdx_guest_launch(s.vm);
	for (i = 0; i < nr; i++)
		tdx_guest_run_to_sync(s.vcpu[i], 1);
}

FIXTURE(stress) {
};

FIXTURE_SETUP(stress) {}
FIXTURE_TEARDOWN(stress) {}

TEST_F_TIMEOUT(stress, all_at_once, 120)
{
	int nr = min(tdx_guest_max_vcpus(), MAX_VCPUS), i;
	pthread_t vcpus[MAX_VCPUS], hosts[3];
	struct tdx_usage before, after;

	tdx_usage(&before);
	create(nr);
	for (i = 0; i < nr; i++)
		vcpus[i] = tdx_start_thread(run_vcpu, s.vcpu[i]);
	hosts[0] = tdx_start_thread(punch, NULL);
	hosts[1] = tdx_start_thread(convert, NULL);
	hosts[2] = tdx_start_thread(take_away, NULL);
	for (i = 0; i < nr; i++)
		pthread_join(vcpus[i], NULL);
	WRITE_ONCE(s.stop, true);
	for (i = 0; i < ARRAY_SIZE(hosts); i++)
		pthread_join(hosts[i], NULL);
	ksft_print_msg("%lu punches, %lu conversions, %lu slots deleted, %lu memory faults\n",
		       s.nr_punches, s.nr_conversions, s.nr_slots, s.nr_faults);
	EXPECT_TRUE(s.nr_punches && s.nr_conversions && s.nr_slots);
	for (i = 0; i < nr; i++)
		tdx_guest_run_to_done(s.vcpu[i]);
	EXPECT_FALSE(tdx_vm_is_dead(s.vm));

	/*
	 * With nothing shared any more, all that is mapped is in the mirror.  That
	 * the module agrees shows later: it wouldn't remove a page that it doesn't
	 * have, nor give back the root of a TD that has one left.
	 */
	vm_mem_set_private(s.vm, 0, TDX_PROGRAM_NR_PAGES * PAGE_SIZE);
	vm_mem_set_private(s.vm, GPA, NR_PAGES * PAGE_SIZE);
	ksft_print_msg("mirror %ld pages, S-EPT %ld pages\n",
		       tdx_guest_mapped_pages(s.vm), tdx_guest_sept_pages(s.vm));
	EXPECT_EQ(tdx_guest_sept_pages(s.vm), tdx_guest_mapped_pages(s.vm));

	set_gone_slot(false);
	close(s.gone_fd);
	kvm_vm_free(s.vm);
	tdx_usage(&after);
	EXPECT_EQ(before.keyids, after.keyids);
	EXPECT_EQ(before.pages, after.pages);
	EXPECT_EQ(before.leaked, after.leaked);
}

int main(int argc, char *argv[])
{
	TEST_REQUIRE(kvm_has_tdx());

	return test_harness_run(argc, argv);
}
