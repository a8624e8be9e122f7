// The signs of the kernel events: a shape per family, so that they can be told apart without colour.

export const FAMILIES = [
  { name: "fork", kinds: ["clone"], shape: "diamond", says: "a process is made" },
  { name: "exec", kinds: ["exec"], shape: "play", says: "a process changes its program" },
  { name: "exit", kinds: ["exit"], shape: "cross", says: "a process ends" },
  { name: "reparent", kinds: ["reparent"], shape: "ring", says: "an orphan is given to another parent" },
  { name: "wait", kinds: ["wait", "signal"], shape: "hook", says: "a parent learns of an end; a signal" },
  { name: "namespace", kinds: ["unshare", "setns", "pivot_root", "chroot", "sethostname"], shape: "square", says: "what a process sees changes" },
  { name: "mount", kinds: ["mount", "umount", "fsmount", "mknod"], shape: "triangle", says: "a mount, a device node" },
  { name: "cgroup", kinds: ["cgroup_mkdir", "cgroup_attach", "prlimit"], shape: "bars", says: "a cgroup, a limit" },
  { name: "privilege", kinds: ["capset", "prctl", "seccomp", "setuid", "setsid"], shape: "shield", says: "what a process may do changes" },
  { name: "connection", kinds: ["connect", "accept"], shape: "link", says: "two processes begin to talk" },
];

export function familyOf(kind) {
  return FAMILIES.find((f) => f.kinds.includes(kind)) ?? { name: "other", kinds: [], shape: "dot", says: "another event" };
}

// drawGlyph draws the sign around (x, y), about 9 pixels large, in the context's fill and stroke colours.
export function drawGlyph(c, shape, x, y) {
  const r = 4.5;
  c.beginPath();
  switch (shape) {
    case "diamond":
      c.moveTo(x, y - r), c.lineTo(x + r, y), c.lineTo(x, y + r), c.lineTo(x - r, y), c.closePath(), c.fill();
      break;
    case "play":
      c.moveTo(x - r + 1, y - r), c.lineTo(x + r, y), c.lineTo(x - r + 1, y + r), c.closePath(), c.fill();
      break;
    case "cross":
      c.moveTo(x - r + 1, y - r + 1), c.lineTo(x + r - 1, y + r - 1), c.moveTo(x + r - 1, y - r + 1), c.lineTo(x - r + 1, y + r - 1);
      c.lineWidth = 2, c.stroke();
      break;
    case "ring":
      c.arc(x, y, r, 0, 7), c.lineWidth = 2, c.stroke(), c.beginPath(), c.arc(x, y, 1.6, 0, 7), c.fill();
      break;
    case "hook":
      c.moveTo(x - r + 1, y - r + 1), c.lineTo(x - r + 1, y + r - 1), c.lineTo(x + r - 1, y + r - 1), c.lineWidth = 1.75, c.stroke();
      break;
    case "square":
      c.rect(x - r + 1, y - r + 1, 2 * r - 2, 2 * r - 2), c.fill();
      break;
    case "triangle":
      c.moveTo(x, y - r + 0.5), c.lineTo(x + r - 0.5, y + r - 1), c.lineTo(x - r + 0.5, y + r - 1), c.closePath(), c.fill();
      break;
    case "bars":
      c.rect(x - r + 1, y - r + 1, 2 * r - 2, 2), c.rect(x - r + 1, y - 1, 2 * r - 2, 2), c.rect(x - r + 1, y + r - 3, 2 * r - 2, 2), c.fill();
      break;
    case "shield":
      c.moveTo(x - r + 1, y - r + 1), c.lineTo(x + r - 1, y - r + 1), c.lineTo(x + r - 1, y), c.lineTo(x, y + r), c.lineTo(x - r + 1, y), c.closePath(), c.fill();
      break;
    case "link":
      c.arc(x, y, 2.8, 0, 7), c.lineWidth = 1.5, c.stroke();
      break;
    default:
      c.arc(x, y, 2, 0, 7), c.fill();
  }
}
