//go:build ignore

// Eight raw tracepoint programs that see a container being made: six on the life of processes and cgroups, two on system calls.
// They record only tracked processes and marked threads; everybody else costs two map look-ups at most. What is recorded is decided
// here, what it means is decided in user space: this file knows no step, and of system calls only the shape of their arguments
// (want[], filled in by want.go). It reads no file contents and no environment string but TRACEPARENT.
#include "core.h"

char _license[] SEC("license") = "Dual MIT/GPL";

enum kind { CLONE = 1, EXEC, EXIT, REPARENT, SIGNAL, CGROUP_MKDIR, CGROUP_ATTACH, SYSCALL };

// Bits of want[]: what of a system call's arguments is behind a pointer. want.go sets them.
enum shape {
	STR0 = 1, // argument 0 is a string, and so on; argument 3's goes where argument 2's would
	STR1 = 2,
	STR2 = 4,
	STR3 = 8,
	SOCKADDR = 0x10,   // arguments 1 and 2 are a socket address
	PEER = 0x20,       // the result is a socket: read its peer's pid
	NAMESPACES = 0x40, // the caller's namespaces after it
	REAPED = 0x80,     // drop it unless the result is positive (wait4)
	ISPRCTL = 0x100,   // drop the Go runtime's own, and take markers
	NEEDARG2 = 0x200,  // drop it if argument 2 is zero (prlimit that only asks)
	BLOB = 0x400,      // argument (want >> 20 & 7) points to (want >> 24) bytes
	FDPATH0 = 0x800,   // argument 0 is a descriptor: its path
	FDPATH2 = 0x1000,
	FDTYPE0 = 0x2000,  // argument 0 is a descriptor: its file system's type
	WANTED = 0x4000,
	FDPATH1 = 0x8000,
};

struct event {
	u64 time, duration; // ns since boot, at its end
	u64 trace, marker;  // the trace's handle; the thread's span, if it said so
	u64 start;          // the process's start_boottime in ns
	u64 args[5];
	s64 ret;
	u64 other_start, cgroup;
	u32 pid, tid, other, parent; // other: the child, the new parent, the one attached, signalled, or at the other end
	u64 parent_start;
	u32 kind, nr, nspid, hierarchy;
	u32 ns[8]; // mnt pid net uts ipc cgroup user time
	u32 filters;
	u32 blob_len;
	u8 blob[32];
	u8 comm[16];
	u32 large, pad;
};

struct text_event {
	struct event e;
	// Strings by the argument they belong to (argument 3's in 2); text[3] is a path found from a descriptor: its last eight names in 32 bytes
	// each, innermost first. exec: 0 the path, 1 and 2 the arguments.
	u32 len[4], name_len, pad;
	u8 text[4][256];
	u8 traceparent[72]; // exec: its environment's first string, if it is that
	u8 name[64]; // exec: the executable's own name; FDTYPE0: the file system's type
};

// Only for bpf2go, which makes Go types of what the object's BTF holds.
const struct event *unused_event __attribute__((unused));
const struct text_event *unused_text_event __attribute__((unused));

struct member { // a tracked process
	u64 trace, marker;
	u32 threads; // a daemon: nothing is inherited from it, and only its marked threads are recorded
	u32 pad;
};
struct counts {
	u64 lost;
};
struct trace_id {
	char hex[32];
};
struct call { // a system call under way
	u64 time, trace, marker;
	u64 args[5];
	u32 nr, want;
};
struct orphan {
	struct task_struct *task;
	u64 start;
	u32 pid, pad;
};
struct orphans {
	u64 n;
	struct orphan of[32];
};

#define RING (1 << 20) // bytes

// When the reader is woken. What begins or ends a process is looked at while it can be (collect, look.go); system calls wait until then, or
// until there are many: a wake-up for each of them would cost the run more than all the rest of tracing. Whoever wants all asks for it (Flush).
enum { NOW = 2 /* BPF_RB_FORCE_WAKEUP */, LATER = 1 /* BPF_RB_NO_WAKEUP */ };

struct {
	UINT(type, MAP_RINGBUF);
	UINT(max_entries, RING);
} ring SEC(".maps");
struct {
	UINT(type, MAP_HASH);
	UINT(max_entries, 32768);
	TYPE(key, u32); // tgid
	TYPE(value, struct member);
} tracked SEC(".maps");
struct {
	UINT(type, MAP_HASH);
	UINT(max_entries, 8192);
	TYPE(key, u32); // tid
	TYPE(value, u64);
} marked SEC(".maps");
struct {
	UINT(type, MAP_HASH);
	UINT(max_entries, 1024);
	TYPE(key, struct trace_id);
	TYPE(value, u64);
} known SEC(".maps"); // traces that were begun: their handles
struct {
	UINT(type, MAP_HASH);
	UINT(max_entries, 1024);
	TYPE(key, u64); // handle
	TYPE(value, struct counts);
} traces SEC(".maps");
struct {
	UINT(type, MAP_LRU_HASH);
	UINT(max_entries, 16384);
	TYPE(key, u32); // tid
	TYPE(value, struct call);
} calls SEC(".maps");
struct {
	UINT(type, MAP_LRU_HASH);
	UINT(max_entries, 1024);
	TYPE(key, u32); // the dying process
	TYPE(value, struct orphans);
} dying SEC(".maps");

volatile const u32 want[512] = {};
static const struct orphans no_orphans = {};

inline_ void count_loss(u64 trace)
{
	struct counts *c = lookup(&traces, &trace);
	if (c)
		__sync_fetch_and_add(&c->lost, 1);
}

inline_ void fill(struct event *e, u32 kind, struct task_struct *t, u64 trace, u64 marker)
{
	__builtin_memset(e, 0, sizeof(*e));
	e->time = boot_ns();
	e->kind = kind;
	e->trace = trace;
	e->marker = marker;
	e->pid = get(t, tgid);
	e->tid = get(t, pid);
	struct task_struct *leader = get(t, group_leader);
	e->start = get(leader, start_boottime);
	read_kernel(&e->comm, sizeof(e->comm), &t->comm);
}

// small and large take a record from the ring; on NULL the loss is already counted.
inline_ struct event *small(u32 kind, struct task_struct *t, u64 trace, u64 marker)
{
	struct event *e = reserve(&ring, sizeof(*e), 0);
	if (!e) {
		count_loss(trace);
		return 0;
	}
	fill(e, kind, t, trace, marker);
	return e;
}

inline_ struct text_event *large(u32 kind, struct task_struct *t, u64 trace, u64 marker)
{
	struct text_event *x = reserve(&ring, sizeof(*x), 0);
	if (!x) {
		count_loss(trace);
		return 0;
	}
	fill(&x->e, kind, t, trace, marker);
	x->e.large = 1;
	x->len[0] = x->len[1] = x->len[2] = x->len[3] = x->name_len = 0;
	x->traceparent[0] = 0;
	return x;
}

// at_most bounds a length where the verifier can see it: the barrier keeps the compiler from testing one copy and using another.
inline_ u64 at_most(u64 n, u64 max)
{
	asm volatile("" : "+r"(n));
	return n > max ? max : n;
}

inline_ void set_len(u32 *len, long n) { *len = n > 1 ? n - 1 : 0; } // without the NUL

inline_ void namespaces(struct event *e, struct task_struct *t)
{
	struct nsproxy *p = get(t, nsproxy);
	struct cred *cred = get(t, cred);
	struct pid *pid = get(t, thread_pid);
	if (!p || !pid)
		return; // an exiting task
	e->ns[0] = get(get(p, mnt_ns), ns.inum);
	e->ns[2] = get(get(p, net_ns), ns.inum);
	e->ns[3] = get(get(p, uts_ns), ns.inum);
	e->ns[4] = get(get(p, ipc_ns), ns.inum);
	e->ns[5] = get(get(p, cgroup_ns), ns.inum);
	e->ns[6] = get(get(cred, user_ns), ns.inum);
	e->ns[7] = get(get(p, time_ns), ns.inum);
	u32 level = get(pid, level);
	struct upid upid = {};
	read_kernel(&upid, sizeof(upid), (void *)&pid->numbers + level * sizeof(upid));
	e->ns[1] = get(upid.ns, ns.inum);
	e->nspid = upid.nr;
	struct css_set *css = get(t, cgroups);
	e->cgroup = get(get(get(css, dfl_cgrp), kn), id);
}

inline_ void parent(struct event *e, struct task_struct *t)
{
	struct task_struct *p = get(t, real_parent);
	e->parent = get(p, tgid);
	p = get(p, group_leader);
	e->parent_start = get(p, start_boottime);
}

// who finds the current task's trace: its process is tracked, or the thread is marked.
inline_ int who(u64 *trace, u64 *marker)
{
	u64 id = current_pid_tgid();
	u32 tgid = id >> 32, tid = id;
	struct member *m = lookup(&tracked, &tgid);
	u64 *mark = lookup(&marked, &tid);
	*trace = m ? m->trace : 0;
	*marker = mark ? *mark : m ? m->marker : 0;
	return (m && !m->threads) || mark;
}

// Fork. It fires when the child is complete (namespaces, cgroup, pid) and has not run: whoever is tracked here is tracked from its first
// instruction on.
SEC("raw_tp/task_newtask")
int on_clone(struct raw_tp *ctx)
{
	struct task_struct *child = (void *)ctx->args[0], *self = (void *)current_task();
	u64 flags = ctx->args[1];
	struct member m = {};
	if (flags & 0x10000) // CLONE_THREAD
		return 0;
	if (!who(&m.trace, &m.marker))
		return 0;
	u32 pid = get(child, tgid);
	update(&tracked, &pid, &m, 0);
	struct event *e = small(CLONE, self, m.trace, m.marker);
	if (!e)
		return 0;
	e->args[0] = flags;
	e->other = pid;
	e->other_start = get(child, start_boottime);
	namespaces(e, child);
	parent(e, child); // CLONE_PARENT makes the caller's parent the child's
	submit(e, NOW);
	return 0;
}

// Exec. A process whose environment block begins with the TRACEPARENT of a trace that was begun belongs to it from here on.
SEC("raw_tp/sched_process_exec")
int on_exec(struct raw_tp *ctx)
{
	struct task_struct *self = (void *)ctx->args[0];
	u32 old = ctx->args[1];
	struct linux_binprm *bprm = (void *)ctx->args[2];
	struct mm_struct *mm = get(self, mm);
	u32 tgid = get(self, tgid);
	u64 env = get(mm, env_start);
	struct {
		char head[15]; // "TRACEPARENT=00-"
		char trace[32];
		char rest[21]; // "-", 16 digits, "-", 2 digits, NUL
		char end[4];
	} tp = {};
	delete (&marked, &old); // another program: the old one's word is void

	struct member m = {}, *was = lookup(&tracked, &tgid);
	if (was)
		m = *was;
	int joined = 0;
	if (get(mm, env_end) - env >= 68 && !read_user(&tp, 68, (void *)env)) {
		static const char head[15] = "TRACEPARENT=00-";
		joined = tp.rest[20] == 0;
		for (int i = 0; i < 15; i++)
			joined &= tp.head[i] == head[i];
		u64 *handle = joined ? lookup(&known, tp.trace) : 0;
		if (handle) {
			m = (struct member){.trace = *handle};
			update(&tracked, &tgid, &m, 0);
			was = &m;
		} else {
			joined = 0;
		}
	}
	if (!was || m.threads)
		return 0;
	struct text_event *x = large(EXEC, self, m.trace, m.marker);
	if (!x)
		return 0;
	set_len(&x->len[0], read_kernel_str(x->text[0], sizeof(x->text[0]), get(bprm, filename)));
	u64 args = get(mm, arg_start);
	u64 size = at_most(get(mm, arg_end) - args, sizeof(x->text[1]) * 2); // never past the end: the environment follows
	if (!read_user(x->text[1], size, (void *)args)) // text[2] is behind it
		x->len[1] = size;
	if (joined)
		__builtin_memcpy(x->traceparent, tp.head, 68);
	struct file *exe = get(mm, exe_file);
	struct dentry *d = get(exe, f_path.dentry);
	set_len(&x->name_len, read_kernel_str(x->name, sizeof(x->name), get(d, d_name.name)));
	namespaces(&x->e, self);
	parent(&x->e, self);
	submit(x, NOW);
	return 0;
}

// remember stores the children of a dying thread. They hang on the thread that forked them, not on the process.
inline_ void remember(struct task_struct *self, u32 tgid)
{
	update(&dying, &tgid, &no_orphans, NOEXIST);
	struct orphans *o = lookup(&dying, &tgid);
	if (!o)
		return;
	struct list_head *head = &self->children, *p = get(head, next);
	for (int i = 0; i < 32; i++) {
		if (p == head || !p)
			break;
		struct task_struct *child = (void *)p - offset_of(struct task_struct, sibling);
		u64 n = __sync_fetch_and_add(&o->n, 1);
		if (n >= 32)
			break;
		o->of[n].task = child;
		o->of[n].pid = get(child, tgid);
		o->of[n].start = get(child, start_boottime);
		p = get(p, next);
	}
}

// silent reports whether a process's death sends its parent no SIGCHLD: the parent ignores it, or the fork asked for another signal or none.
// Then the new parents of its children cannot be observed (on_signal).
inline_ int silent(struct task_struct *leader)
{
	struct task_struct *p = get(leader, real_parent);
	struct sighand_struct *hand = get(p, sighand);
	return get(leader, exit_signal) != 17 || get(hand, action[16].sa.sa_handler) == (void *)1; // SIG_IGN
}

// next_parent is whom the kernel will give a dying process's children (kernel/exit.c, find_new_reaper): the nearest subreaper above it in its
// pid namespace, else that namespace's first process.
inline_ struct task_struct *next_parent(struct task_struct *self)
{
	struct pid *pid = get(self, thread_pid);
	u32 level = get(pid, level);
	struct signal_struct *sig = get(self, signal);
	if (bit(sig, has_child_subreaper)) {
		struct task_struct *p = get(self, real_parent);
		for (int i = 0; i < 16; i++) {
			struct pid *at = get(p, thread_pid);
			if (!at || get(at, level) != level || get(p, tgid) == 0)
				break;
			sig = get(p, signal);
			if (bit(sig, is_child_subreaper))
				return p;
			p = get(p, real_parent);
		}
	}
	struct upid upid = {};
	read_kernel(&upid, sizeof(upid), (void *)&pid->numbers + level * sizeof(upid));
	return get(upid.ns, child_reaper);
}

// predict says where the children of a silently dying process go, at its last thread's exit and a moment before the kernel does it.
inline_ void predict(struct task_struct *self, u32 tgid)
{
	struct orphans *o = lookup(&dying, &tgid);
	struct task_struct *leader = get(self, group_leader);
	if (!o || !silent(leader))
		return;
	struct task_struct *next = next_parent(self);
	struct task_struct *next_leader = get(next, group_leader);
	for (int i = 0; i < 32 && i < o->n; i++) {
		struct task_struct *child = o->of[i].task;
		u32 pid = o->of[i].pid;
		struct member *m = lookup(&tracked, &pid);
		if (!m || get(child, tgid) != pid || get(child, start_boottime) != o->of[i].start)
			continue;
		struct event *e = small(REPARENT, child, m->trace, m->marker);
		if (!e)
			continue;
		e->args[0] = 1; // predicted
		e->other = tgid;
		e->other_start = get(leader, start_boottime);
		e->parent = get(next, tgid);
		e->parent_start = get(next_leader, start_boottime);
		submit(e, NOW);
	}
	delete (&dying, &tgid);
}

// Exit of a thread. The process's exit is its last thread's, which is often not its leader.
SEC("raw_tp/sched_process_exit")
int on_exit(struct raw_tp *ctx)
{
	struct task_struct *self = (void *)ctx->args[0];
	u32 tgid = get(self, tgid), tid = get(self, pid);
	u64 trace, marker;
	int ours = who(&trace, &marker);
	delete (&marked, &tid);
	if (!ours && !lookup(&dying, &tgid))
		return 0;
	remember(self, tgid);
	struct signal_struct *sig = get(self, signal);
	if (!ours || get(sig, live.counter) != 0)
		return 0;
	if (delete (&tracked, &tgid)) // two last threads at once: one of them wins
		return 0;
	struct event *e = small(EXIT, self, trace, marker);
	if (!e)
		return 0;
	struct task_struct *leader = get(self, group_leader);
	u32 code = get(leader, exit_code);
	if (get(sig, flags) & 4) // SIGNAL_GROUP_EXIT
		code = get(sig, group_exit_code);
	e->ret = code;
	parent(e, leader);
	submit(e, NOW);
	predict(self, tgid);
	return 0;
}

// A signal. SIGCHLD in a dying process's own context comes right after the kernel has given its children away
// (exit_notify: forget_original_parent, then do_notify_parent): the one place where the new parents can be observed.
SEC("raw_tp/signal_generate")
int on_signal(struct raw_tp *ctx)
{
	int sig = ctx->args[0];
	struct task_struct *to = (void *)ctx->args[2], *self = (void *)current_task();
	u64 id = current_pid_tgid();
	u32 tgid = id >> 32;
	if (sig == 17) { // SIGCHLD
		struct orphans *o = lookup(&dying, &tgid);
		if (!o)
			return 0;
		for (int i = 0; i < 32 && i < o->n; i++) {
			struct task_struct *child = o->of[i].task;
			u32 pid = o->of[i].pid;
			if (get(child, tgid) != pid || get(child, start_boottime) != o->of[i].start)
				continue;
			struct task_struct *now = get(child, real_parent);
			struct member *m = lookup(&tracked, &pid);
			if (!m || get(now, tgid) == tgid)
				continue;
			struct event *e = small(REPARENT, child, m->trace, m->marker);
			if (!e)
				continue;
			e->other = tgid; // the old parent
			struct task_struct *leader = get(self, group_leader);
			e->other_start = get(leader, start_boottime);
			parent(e, child);
			submit(e, NOW);
		}
		struct signal_struct *s = get(self, signal);
		if (get(s, live.counter) == 0)
			delete (&dying, &tgid);
		return 0;
	}
	if (sig == 23) // SIGURG: the Go runtime's way to preempt its own threads
		return 0;
	u64 trace, marker;
	if (!who(&trace, &marker)) {
		u32 target = get(to, tgid);
		struct member *m = lookup(&tracked, &target);
		if (!m || m->threads)
			return 0;
		trace = m->trace;
	}
	struct event *e = small(SIGNAL, self, trace, marker);
	if (!e)
		return 0;
	e->args[0] = sig;
	e->other = get(to, tgid);
	struct task_struct *leader = get(to, group_leader);
	e->other_start = get(leader, start_boottime);
	submit(e, NOW);
	return 0;
}

inline_ u64 later(void) { return query(&ring, 0 /* BPF_RB_AVAIL_DATA */) > RING / 4 ? NOW : LATER; }

inline_ void on_cgroup(u32 kind, struct cgroup *cg, const char *path, struct task_struct *task)
{
	u64 trace, marker;
	if (!who(&trace, &marker))
		return;
	struct text_event *x = large(kind, (void *)current_task(), trace, marker);
	if (!x)
		return;
	x->e.cgroup = get(get(cg, kn), id);
	x->e.hierarchy = get(get(cg, root), hierarchy_id);
	set_len(&x->len[0], read_kernel_str(x->text[0], sizeof(x->text[0]), path));
	if (task) {
		x->e.other = get(task, tgid);
		task = get(task, group_leader);
		x->e.other_start = get(task, start_boottime);
	}
	submit(x, later());
}

SEC("raw_tp/cgroup_mkdir")
int on_cgroup_mkdir(struct raw_tp *ctx)
{
	on_cgroup(CGROUP_MKDIR, (void *)ctx->args[0], (void *)ctx->args[1], 0);
	return 0;
}

// One event per hierarchy. A process born in its group (CLONE_INTO_CGROUP) fires none.
SEC("raw_tp/cgroup_attach_task")
int on_cgroup_attach(struct raw_tp *ctx)
{
	on_cgroup(CGROUP_ATTACH, (void *)ctx->args[0], (void *)ctx->args[1], (void *)ctx->args[2]);
	return 0;
}

// mark takes a thread's word for which span it works (trace/span, Magic). Only root outside of any pid namespace is believed: a container
// must not write into somebody's trace.
inline_ void mark(struct task_struct *self, u32 tid, u64 *a)
{
	struct pid *pid = get(self, thread_pid);
	struct cred *cred = get(self, cred);
	if (get(pid, level) != 0 || get(cred, uid.val) != 0)
		return;
	u64 span = (a[1] & 0xffffffff) | a[2] << 32;
	if (span)
		update(&marked, &tid, &span, 0);
	else
		delete (&marked, &tid);
}

SEC("raw_tp/sys_enter")
int on_sys_enter(struct raw_tp *ctx)
{
	u64 nr = ctx->args[1];
	if (nr >= 512)
		return 0;
	u32 w = want[nr];
	if (!w)
		return 0;
	struct task_struct *self = (void *)current_task();
	if (compat(self))
		return 0;
	struct call c = {.nr = nr, .want = w};
	u32 tid = current_pid_tgid();
	if (w & ISPRCTL) {
		syscall_args((void *)ctx->args[0], c.args);
		if (c.args[0] == 0x68756c6c) { // span.Magic
			mark(self, tid, c.args);
			return 0;
		}
		if (c.args[0] == 0x53564d41) // PR_SET_VMA: the Go runtime naming its memory
			return 0;
	}
	if (!who(&c.trace, &c.marker))
		return 0;
	if (!(w & ISPRCTL))
		syscall_args((void *)ctx->args[0], c.args);
	if ((w & NEEDARG2) && !c.args[2])
		return 0;
	c.time = boot_ns();
	update(&calls, &tid, &c, 0);
	return 0;
}

inline_ void after(struct event *e, struct task_struct *self, struct call *c, s64 ret)
{
	e->duration = e->time - c->time;
	e->nr = c->nr;
	e->ret = ret;
	__builtin_memcpy(e->args, c->args, sizeof(e->args));
	e->filters = get(self, seccomp.filter_count.counter);
	if (c->want & NAMESPACES)
		namespaces(e, self);
}

// blob copies a small struct. Its size is the system call's own, so that the read does not run into an absent page.
inline_ void blob(struct event *e, struct call *c)
{
	u64 i = c->want >> 20 & 7, n = at_most(c->want >> 24, sizeof(e->blob));
	void *from = (void *)(i == 1 ? c->args[1] : i == 2 ? c->args[2] : c->args[3]);
	if (from && !read_user(e->blob, n, from))
		e->blob_len = n;
}

inline_ struct file *file_of(struct task_struct *self, s64 fd)
{
	struct fdtable *t = get(get(self, files), fdt);
	struct file *f = 0;
	if (fd >= 0 && fd < get(t, max_fds))
		read_kernel(&f, sizeof(f), get(t, fd) + fd);
	return f;
}

// path_of walks from a descriptor's directory entry to the root, across mounts. Set-up code names mount points by descriptor, so that
// no path is walked twice; here the name is found again.
inline_ void path_of(struct text_event *x, struct file *f)
{
	struct dentry *d = get(f, f_path.dentry);
	struct vfsmount *v = get(f, f_path.mnt);
	struct mount *m = (void *)v - offset_of(struct mount, mnt);
	u32 cell = 0;
	for (int i = 0; i < 16; i++) {
		if (!d || cell > 7)
			break;
		struct dentry *up = get(d, d_parent);
		if (d == get(m, mnt.mnt_root) || d == up) {
			struct mount *below = get(m, mnt_parent);
			if (below == m || !below)
				break;
			d = get(m, mnt_mountpoint);
			m = below;
			continue;
		}
		u8 *to = x->text[3] + (cell & 7) * 32;
		read_kernel_str(to, 32, get(d, d_name.name));
		cell++;
		d = up;
	}
	x->len[3] = cell * 32;
}

// fd_of is N of "/proc/self/fd/N" and its like, or -1: the form in which runc hands its mount points to mount(2).
inline_ s64 fd_of(const u8 *path)
{
	if (path[0] != '/' || path[1] != 'p' || path[5] != '/')
		return -1;
	int at = path[6] == 's' ? 14 : path[6] == 't' ? 21 : 0; // /proc/self/fd/, /proc/thread-self/fd/
	if (!at || path[at - 3] != 'f' || path[at - 2] != 'd' || path[at - 1] != '/')
		return -1;
	s64 fd = 0;
	for (int i = 0; i < 5; i++) {
		u8 c = path[at + i];
		if (!c)
			return i ? fd : -1;
		if (c < '0' || c > '9')
			return -1;
		fd = fd * 10 + c - '0';
	}
	return -1;
}

inline_ void peer(struct event *e, struct task_struct *self, s64 fd)
{
	struct file *f = file_of(self, fd);
	struct socket *s = get(f, private_data);
	struct sock *sk = get(s, sk);
	if (get(sk, __sk_common.skc_family) != 1) // AF_UNIX
		return;
	struct pid *p = get(sk, sk_peer_pid);
	struct upid first = {};
	read_kernel(&first, sizeof(first), &p->numbers);
	e->other = first.nr;
}

// Strings and results are read when the call returns: the kernel has just faulted their pages in.
SEC("raw_tp/sys_exit")
int on_sys_exit(struct raw_tp *ctx)
{
	u32 tid = current_pid_tgid();
	struct call *p = lookup(&calls, &tid);
	if (!p)
		return 0;
	struct call c = *p;
	s64 ret = ctx->args[1];
	delete (&calls, &tid);
	struct task_struct *self = (void *)current_task();

	if (c.want & (STR0 | STR1 | STR2 | STR3 | SOCKADDR | FDPATH0 | FDPATH1 | FDPATH2)) {
		struct text_event *x = large(SYSCALL, self, c.trace, c.marker);
		if (!x)
			return 0;
		after(&x->e, self, &c, ret);
		if (c.want & STR0)
			set_len(&x->len[0], read_user_str(x->text[0], sizeof(x->text[0]), (void *)c.args[0]));
		if (c.want & STR1)
			set_len(&x->len[1], read_user_str(x->text[1], sizeof(x->text[1]), (void *)c.args[1]));
		if (c.want & STR2)
			set_len(&x->len[2], read_user_str(x->text[2], sizeof(x->text[2]), (void *)c.args[2]));
		if (c.want & STR3)
			set_len(&x->len[2], read_user_str(x->text[2], sizeof(x->text[2]), (void *)c.args[3]));
		if (c.want & SOCKADDR) {
			u64 n = at_most(c.args[2], 128);
			if (!read_user(x->text[0], n, (void *)c.args[1]))
				x->len[0] = n;
		}
		struct file *f = 0;
		if ((c.want & STR1) && (c.want & STR2))
			f = file_of(self, fd_of(x->text[1]));
		if ((c.want & FDPATH0) && !x->len[2])
			f = file_of(self, (s32)c.args[0]);
		if (c.want & FDPATH1)
			f = file_of(self, (s32)c.args[1]);
		if ((c.want & FDPATH2) && !x->len[2])
			f = file_of(self, (s32)c.args[2]);
		if (f)
			path_of(x, f);
		if (c.want & FDTYPE0) {
			f = file_of(self, (s32)c.args[0]);
			struct dentry *d = get(f, f_path.dentry);
			struct super_block *sb = get(d, d_sb);
			set_len(&x->name_len, read_kernel_str(x->name, sizeof(x->name), get(get(sb, s_type), name)));
		}
		submit(x, later());
		return 0;
	}
	if ((c.want & REAPED) && ret <= 0)
		return 0;
	struct event *e = small(SYSCALL, self, c.trace, c.marker);
	if (!e)
		return 0;
	after(e, self, &c, ret);
	if (c.want & BLOB)
		blob(e, &c);
	if (c.want & PEER)
		peer(e, self, ret);
	submit(e, later());
	return 0;
}
