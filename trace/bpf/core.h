// The kernel's types and the BPF helpers that hull.c uses, and no more. Each struct names only the fields that are read;
// preserve_access_index makes the loader look up where they really are in the running kernel (CO-RE), so field order and
// the fields left out do not matter. Nothing is dumped from one kernel's BTF: this page is what the programs depend on.
#pragma once

typedef unsigned char u8;
typedef unsigned short u16;
typedef unsigned int u32;
typedef int s32;
typedef unsigned long long u64;
typedef long long s64;

#define SEC(name) __attribute__((section(name), used))
#define inline_ static inline __attribute__((always_inline))
#define CORE __attribute__((preserve_access_index))

// Map definitions in BTF form (Linux Documentation/bpf/map_*.rst): the loader reads the types of these pointers.
#define UINT(name, value) int(*name)[value]
#define TYPE(name, type) typeof(type) *name

enum { // enum bpf_map_type, enum values of include/uapi/linux/bpf.h
	MAP_HASH = 1,
	MAP_ARRAY = 2,
	MAP_LRU_HASH = 9,
	MAP_RINGBUF = 27,
	NOEXIST = 1,
	FORCE_WAKEUP = 2,
};

// Helpers by their numbers in include/uapi/linux/bpf.h (bpf-helpers(7)); all are in Linux 5.8.
static void *(*lookup)(void *map, const void *key) = (void *)1;
static long (*update)(void *map, const void *key, const void *value, u64 flags) = (void *)2;
static long (*delete)(void *map, const void *key) = (void *)3;
static u64 (*current_pid_tgid)(void) = (void *)14;
static u64 (*current_task)(void) = (void *)35;
static long (*read_user)(void *to, u32 size, const void *from) = (void *)112;
static long (*read_kernel)(void *to, u32 size, const void *from) = (void *)113;
static long (*read_user_str)(void *to, u32 size, const void *from) = (void *)114;
static long (*read_kernel_str)(void *to, u32 size, const void *from) = (void *)115;
static u64 (*boot_ns)(void) = (void *)125;
static void *(*reserve)(void *ring, u64 size, u64 flags) = (void *)131;
static void (*submit)(void *record, u64 flags) = (void *)132;
static u64 (*query)(void *ring, u64 flags) = (void *)134;

// get reads one kernel field. Every read goes through it: a plain dereference in a raw tracepoint program is refused by the
// verifier ("invalid mem access 'scalar'").
#define get(ptr, field)                                               \
	({                                                            \
		typeof((ptr)->field) v_; /* zeroed by the helper if it fails */ \
		read_kernel(&v_, sizeof(v_), &(ptr)->field);          \
		v_;                                                   \
	})
#define offset_of(type, field) __builtin_preserve_field_info(((type *)0)->field, 0)

// bit reads a one-bit field: the loader fills in its byte and its place there (little-endian, as all our architectures are).
#define bit(ptr, field)                                                                                          \
	({                                                                                                       \
		u64 v_ = 0;                                                                                      \
		read_kernel(&v_, __builtin_preserve_field_info((ptr)->field, 1),                                 \
			    (void *)(ptr) + __builtin_preserve_field_info((ptr)->field, 0));                     \
		v_ << __builtin_preserve_field_info((ptr)->field, 4) >> __builtin_preserve_field_info((ptr)->field, 5); \
	})

struct list_head {
	struct list_head *next;
} CORE;

struct ns_common {
	u32 inum;
} CORE;

struct task_struct;
struct pid_namespace {
	struct ns_common ns;
	struct task_struct *child_reaper;
} CORE;
struct uts_namespace {
	struct ns_common ns;
} CORE;
struct ipc_namespace {
	struct ns_common ns;
} CORE;
struct mnt_namespace {
	struct ns_common ns;
} CORE;
struct net {
	struct ns_common ns;
} CORE;
struct cgroup_namespace {
	struct ns_common ns;
} CORE;
struct time_namespace {
	struct ns_common ns;
} CORE;
struct user_namespace {
	struct ns_common ns;
} CORE;

struct nsproxy {
	struct uts_namespace *uts_ns;
	struct ipc_namespace *ipc_ns;
	struct mnt_namespace *mnt_ns;
	struct net *net_ns;
	struct time_namespace *time_ns;
	struct cgroup_namespace *cgroup_ns;
} CORE;

struct upid { // not CORE: pid->numbers is an array whose stride is taken from here
	int nr;
	struct pid_namespace *ns;
};

struct pid {
	u32 level;
	struct upid numbers[1];
} CORE;

typedef struct {
	u32 val;
} CORE kuid_t;

struct cred {
	kuid_t uid;
	struct user_namespace *user_ns;
} CORE;

struct qstr {
	unsigned char *name;
} CORE;
struct file_system_type {
	char *name;
} CORE;
struct super_block {
	struct file_system_type *s_type;
} CORE;
struct dentry {
	struct dentry *d_parent;
	struct qstr d_name;
	struct super_block *d_sb;
} CORE;
struct vfsmount {
	struct dentry *mnt_root;
} CORE;
struct mount {
	struct mount *mnt_parent;
	struct dentry *mnt_mountpoint;
	struct vfsmount mnt;
} CORE;
struct path {
	struct vfsmount *mnt;
	struct dentry *dentry;
} CORE;
struct file {
	struct path f_path;
	void *private_data;
} CORE;
struct fdtable {
	u32 max_fds;
	struct file **fd;
} CORE;
struct files_struct {
	struct fdtable *fdt;
} CORE;

struct sock_common {
	u16 skc_family;
} CORE;
struct sock {
	struct sock_common __sk_common;
	struct pid *sk_peer_pid;
} CORE;
struct socket {
	struct sock *sk;
} CORE;

struct mm_struct {
	unsigned long arg_start, arg_end, env_start, env_end;
	struct file *exe_file;
} CORE;
struct linux_binprm {
	char *filename;
} CORE;

struct kernfs_node {
	u64 id;
} CORE;
struct cgroup_root {
	int hierarchy_id;
} CORE;
struct cgroup {
	struct kernfs_node *kn;
	struct cgroup_root *root;
} CORE;
struct css_set {
	struct cgroup *dfl_cgrp;
} CORE;

typedef struct {
	int counter;
} CORE atomic_t;

struct signal_struct {
	atomic_t live;
	int group_exit_code;
	u32 flags;
	u32 is_child_subreaper : 1;
	u32 has_child_subreaper : 1;
} CORE;
struct sigaction {
	void *sa_handler;
} CORE;
struct k_sigaction {
	struct sigaction sa;
} CORE;
struct sighand_struct {
	struct k_sigaction action[64];
} CORE;
struct seccomp {
	atomic_t filter_count;
} CORE;

struct thread_info {
	unsigned long flags;
	u32 status; // x86 only; never read elsewhere
} CORE;

struct task_struct {
	struct thread_info thread_info;
	int pid, tgid, exit_code, exit_signal;
	char comm[16];
	u64 start_boottime;
	struct task_struct *real_parent, *group_leader;
	struct list_head children, sibling;
	struct signal_struct *signal;
	struct sighand_struct *sighand;
	struct nsproxy *nsproxy;
	struct cred *cred;
	struct mm_struct *mm;
	struct files_struct *files;
	struct pid *thread_pid;
	struct css_set *cgroups;
	struct seccomp seccomp;
} CORE;

struct raw_tp {
	u64 args[1];
};

// Registers at a system call. The calling convention is the architecture's (syscall(2), "Architecture calling conventions").
#if defined(__TARGET_ARCH_x86)
struct pt_regs {
	unsigned long di, si, dx, r10, r8, r9;
} CORE;
inline_ void syscall_args(struct pt_regs *regs, u64 *a)
{
	a[0] = get(regs, di), a[1] = get(regs, si), a[2] = get(regs, dx), a[3] = get(regs, r10), a[4] = get(regs, r8);
}
// A 32-bit program's system call numbers are another table: its calls must not be taken for ours. TS_COMPAT.
inline_ int compat(struct task_struct *t) { return get(t, thread_info.status) & 2; }
#elif defined(__TARGET_ARCH_arm64)
struct pt_regs {
	u64 regs[31];
} CORE;
inline_ void syscall_args(struct pt_regs *regs, u64 *a)
{
	a[0] = get(regs, regs[0]), a[1] = get(regs, regs[1]), a[2] = get(regs, regs[2]), a[3] = get(regs, regs[3]), a[4] = get(regs, regs[4]);
}
// TIF_32BIT.
inline_ int compat(struct task_struct *t) { return get(t, thread_info.flags) >> 22 & 1; }
#else
#error "no registers known for this architecture"
#endif
