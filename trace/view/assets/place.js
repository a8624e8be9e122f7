// The reader's place in the address's fragment, so that a link leads to it: #view=tree&axis=real&level=stages&from=0&to=48100000&span=ID.
// Times are in ns after the trace's start: they mean the same on every axis. What a fragment does not say stays as it is.

const KNOWN = new Map([["view", ["timeline", "tree", "table"]], ["axis", ["squeezed", "real", "events"]], ["level", ["story", "stages", "calls"]]]);

export function readPlace(fragment) {
  const place = {};
  for (const part of fragment.replace(/^#/, "").split("&")) {
    const [key, value = ""] = part.split("=");
    if (KNOWN.get(key)?.includes(value)) place[key] = value;
    else if ((key === "from" || key === "to") && /^-?\d{1,18}$/.test(value)) place[key] = Number(value);
    else if (key === "span" && /^[0-9a-f]{1,32}$/.test(value)) place.span = value;
    else if ((key === "event" || key === "lane") && /^\d{1,9}$/.test(value)) place[key] = Number(value);
  }
  if (!(place.from < place.to)) delete place.from, delete place.to;
  return place;
}

export function writePlace(place) {
  const keys = ["view", "axis", "level", "from", "to", "span", "event", "lane"];
  return `#${keys.filter((k) => place[k] !== undefined && place[k] !== null).map((k) => `${k}=${typeof place[k] === "number" ? Math.round(place[k]) : place[k]}`).join("&")}`;
}
