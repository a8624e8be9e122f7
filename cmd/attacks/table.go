package main

// An attack is one way in which a container engine was broken, once, and what stands against it here. The numbers are fixed: the tests have them
// in their names, TestAttackNN….
type attack struct {
	number     int
	cve        string // the advisories, or where it was seen
	tries      string // what it does, in a few words
	holds      string // what stands against it
	notOffered string // why there is nothing to attack: a verb or feature that hull does not have; such a row has no test
}

var attacks = []attack{
	// The runtime: its binary, its descriptors, the working directory.
	{1, "CVE-2019-5736", "overwrite the runtime through /proc/self/exe", "hull-runc runs from a detached read-only copy of its mount: what is opened through /proc/PID/exe cannot be written (runc/confine/exe.go, shim/runtime/sealed.go)", ""},
	{2, "CVE-2024-21626", "enter a leaked directory of the host as the working directory", "the directory is resolved inside the root, without magic links, after all descriptors are closed (runc/rootfs/resolve.go)", ""},
	{3, "CVE-2016-9962", "look into or trace a process that joins the container", "what is born in the container's pid namespace has no descriptor, directory or right of the host's (runc/container/join.go)", ""},
	{4, "runc's hardening", "inherit the descriptors that the caller leaked", "close_range(2) of all but those that were to be kept, as rows of the program", ""},
	{5, "CVE-2026-55686", "have the working directory made through a link of the image", "made by the container's own first process, inside its root", ""},
	{6, "CVE-2022-1227", "have top, cp, stats or export run a program of the container's on the host", "the daemon reads /proc, cgroups and files by itself; it executes nothing", ""},
	{7, "CVE-2026-41567", "have an archive unpacked by the container's unpigz or xz", "gzip and zstd are unpacked in the daemon's process; other compressions are refused", ""},
	{8, "CVE-2019-14271", "have cp load a library of the container", "all binaries are static: they have no loader", ""},
	// The runtime: mounts, symbolic links, procfs.
	{9, "CVE-2021-30465", "swap a mount's target for a link, from another container", "targets are opened with openat2(2) in the root, and mounted on by descriptor", ""},
	{10, "CVE-2019-19921, CVE-2023-27561, CVE-2023-28642", "bring /proc or /sys as a link, so that the runtime writes to a fake", "no link is followed in /proc, /sys and /dev; writes go to a procfs that is attached nowhere", ""},
	{11, "CVE-2019-16884", "cover /proc by a volume, so that labels and masks miss", "mounts over /proc and /sys that hide them are refused", ""},
	{12, "CVE-2025-31133", "swap the container's /dev/null, the cover of masked paths", "the covers are copies of the host's /dev/null, taken before the root changes", ""},
	{13, "CVE-2025-52565", "swap the terminal before it is mounted on /dev/console", "the terminal is opened from its master, without a path, and mounted by descriptor", ""},
	{14, "CVE-2025-52881", "redirect a write to /proc by a mount over it", "written through a detached procfs, without links and without crossing mounts", ""},
	{15, "CVE-2024-45310", "have empty directories made on the host", "each component of a mount's target is made in its parent's descriptor, inside the root", ""},
	{16, "CVE-2026-41579, CVE-2026-47766", "bring /dev as a link, so that devices are made on the host", "no link is followed in /dev", ""},
	{17, "CVE-2024-5154, CVE-2024-9341, CVE-2025-24965", "bring /etc/hosts and the like as links to the host's files", "the engine writes its files outside the image and mounts them inside the root; it writes nothing into the root", ""},
	{18, "CVE-2022-23648", "have an image's volume copied up from the host", "layers are read by descriptor, links resolved inside the image (daemon/layers)", ""},
	{19, "CVE-2020-1726", "have copy-up overwrite a volume that is in use", "", "named volumes: a volume belongs to one container and is new with it"},
	{20, "CVE-2023-0778", "swap a directory for a link while it is exported", "each entry is opened once, without following a link, and its descriptor asked (daemon/rootfs)", ""},
	{21, "CVE-2023-25809", "write to the host's cgroups below /sys/fs/cgroup", "only the container's own groups are mounted, read-only unless asked otherwise", ""},
	{22, "CVE-2022-0492", "have the kernel run a v1 release_agent", "no capability to mount, no root of a hierarchy in sight, new user namespaces forbidden by the filter", ""},
	{23, "CVE-2017-16539, CVE-2018-10892, CVE-2020-8694, GHSA-6fw5-f8r9-fgfm", "read or drive the host by /proc and /sys", "docker's masked and read-only paths", ""},
	{24, "runc#2404", "leave mounts behind, or have them seen on the host", "the mounts are cut off from the host's before anything is mounted", ""},
	// The runtime: privileges, ids, devices, system calls.
	{25, "CVE-2016-3697, CVE-2026-46680, CVE-2024-40635", "become root by a number that is taken as a name or cut", "numbers are never names; what does not fit 31 bits is refused, whichever file it stands in", ""},
	{26, "CVE-2026-30892", "become root by exec -u 1", "one parser for run and exec", ""},
	{27, "CVE-2016-8867, CVE-2018-10856, CVE-2021-20188", "hold capabilities without being root", "the sets of another user are empty", ""},
	{28, "CVE-2022-24769, CVE-2022-29162, CVE-2022-27649, CVE-2022-27650, CVE-2022-27651, CVE-2022-27652", "gain capabilities by a file's inheritable set", "the inheritable set is empty", ""},
	{29, "CVE-2022-36109, CVE-2022-2989, CVE-2022-2990, CVE-2022-2995, CVE-2023-25173", "lose a group, and with it the denial it stands for", "the primary group is among the supplementary ones", ""},
	{30, "CVE-2022-4318", "add a line to /etc/passwd by a newline in HOME", "the engine writes no passwd file; names with a newline are refused", ""},
	{31, "CVE-2024-9676", "hang the engine, or have it read the host, by the image's /etc/passwd", "only a regular file inside the root is opened, and 4 MiB of it read", ""},
	{32, "CVE-2026-47262, GHSA-mjcv-p78q-w5fw, CVE-2025-4437", "exhaust the daemon's memory by the image's /etc/group", "4 MiB of it are read, more is an error", ""},
	{33, "GHSA-g54h-m393-cpwq", "open the host's disk by a node of one's own", "a list of devices begins with nothing, given or not", ""},
	{34, "CVE-2021-43784", "lose namespaces by a configuration that is too long", "there is no message between processes that could wrap; what is too long is refused", ""},
	{35, "CVE-2022-0811, CVE-2024-3154, GHSA-w2j5-3rcx-vx7x", "set the host's kernel parameters", "a list of names, each with the namespace that must be the container's own; a namespace that is joined and is the host's counts as the host's", ""},
	{36, "CVE-2026-31431", "reach the kernel by rare sockets and system calls", "docker's seccomp profile, by hull's own compiler", ""},
	{37, "seccomp, other architectures", "make a forbidden call by its 32-bit or x32 number", "the filter looks at the architecture first", ""},
	{38, "CVE-2025-47291, CVE-2023-6476", "escape the limits by another cgroup or by labels", "limits are written before the first process joins; labels are never read", ""},
	{39, "CVE-2025-15558, CVE-2020-27534", "put a program into the search path or working directory", "hull's programs are executed by absolute paths, beside its own; what has to be searched for is not searched for in relative directories", ""},
	{40, "CVE-2021-43816, CVE-2019-16884", "have a host's path relabelled", "labels are refused by name", ""},
}
