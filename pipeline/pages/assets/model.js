// The page's data as units with lives. See pipeline/pages/embedded.py for the shape; nothing here touches the page.
const data = JSON.parse(document.getElementById("data").textContent);
const versions = data.versions.map((one) => one.v);
const newest = versions.length - 1;
const current = data.current;
const placeOf = new Map(versions.map((version, at) => [version, at]));
const systems = data.targets.map((target) => data.systems[target] ?? target);
const WORDS = { v: "visible", h: "hidden", u: "unknown", "": "there" };

const targetsIn = (mask) => data.targets.map((_, at) => at).filter((at) => (mask >> at) & 1);
const systemsIn = (mask) => targetsIn(mask).map((at) => systems[at]).join(", ");
const lookedAt = (at) => data.versions[at].on;

function unitOf(kind, command, own) {
  const facts = own.f ?? [];
  const name = own.n ?? "";
  const spans = own.s ?? command.s;
  const names = facts.map(([fact]) => fact).filter((fact) => /^(short|alias)=/.test(fact)).map((fact) => fact.slice(fact.indexOf("=") + 1));
  const values = own.v ?? [];
  const about = own.h?.t === undefined ? "" : data.texts[own.h.t];
  return {
    kind, path: command.path, name, spans, facts, names, values, about, wraps: (own.w ?? []).map((at) => data.standings[at] ?? null),
    help: own.h && { v: current, on: 0, ...own.h, by: data.texts[own.h.by] },
    title: [...command.path, name].filter(Boolean).join(" ") || data.program,
    address: `#${[kind, ...command.path, ...(name ? [name] : [])].map(encodeURIComponent).join("/")}`,
    words: [data.program, ...command.path, name, ...names, ...values.map(([value]) => value), about].join(" ").toLowerCase(),
  };
}

const units = [];
const byAddress = new Map();
for (const command of data.commands) {
  const found = [unitOf("command", command, { ...command, n: "" })];
  for (const one of command.u) found.push(unitOf(one.n.startsWith("-") ? "flag" : "arg", command, one));
  for (const unit of found) { units.push(unit); byAddress.set(unit.address, unit); }
}
const addressOf = (path, name) => `#${[name ? (name.startsWith("-") ? "flag" : "arg") : "command", ...path, ...(name ? [name] : [])].map(encodeURIComponent).join("/")}`;
const unitAt = (path, name) => byAddress.get(addressOf(path, name));

// What spans say of one version: masks of the targets by state, as far as they are among `on`.
function masksAt(spans, at, on = lookedAt(at)) {
  const found = { v: 0, h: 0, u: 0, "": 0 };
  for (const [first, last, state, mask] of spans) if (first <= at && at <= last) found[state] |= (mask ?? lookedAt(at)) & on;
  return found;
}

// One word for a version: visible, hidden, unknown, none; and whether only some of the targets have it.
function stateAt(spans, at, on = lookedAt(at)) {
  const masks = masksAt(spans, at, on);
  const all = masks.v | masks.h | masks.u | masks[""];
  const word = !all ? "none" : masks.v | masks[""] ? "visible" : masks.h ? "hidden" : "unknown";
  return { word, all, some: all !== 0 && all !== on, masks };
}

const there = (unit, at) => stateAt(unit.spans, at).all !== 0;
const firstSeen = (unit) => Math.min(...unit.spans.map(([first]) => first));
const lastSeen = (unit) => Math.max(...unit.spans.map(([, last]) => last));

// A span in words: bounds only, for between two versions that were read anything may have happened.
function life([first, last, state, mask]) {
  const since = first === 0 ? `in ${versions[0]} already, the first that was read` : `since ${versions[first]} (not so in ${versions[first - 1]})`;
  const until = last === newest ? `still in ${versions[last]}` : `until ${versions[last]} (not so in ${versions[last + 1]})`;
  return `${WORDS[state]} ${since}, ${until}${mask === undefined ? "" : `, on ${systemsIn(mask)} only`}`;
}

const short = ([first, last, state, mask]) => `${WORDS[state]} ${first === last ? versions[first] : `${versions[first]} to ${versions[last]}`}${mask === undefined ? "" : ` on ${systemsIn(mask)}`}`;

// The bound that matters most, in two words; nothing where it was always there.
function bound(unit) {
  const first = firstSeen(unit), last = lastSeen(unit);
  return last < newest ? `until ${versions[last]}` : first > 0 ? `since ${versions[first]}` : "";
}

// What became of a unit, in one clause.
function fate(unit) {
  const first = firstSeen(unit), last = lastSeen(unit);
  if (last < newest) return `last seen in ${versions[last]}, not in ${versions[last + 1]}`;
  return first === 0 ? `in ${versions[0]} already` : `since ${versions[first]} (not in ${versions[first - 1]})`;
}
