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

// A version says nothing of a target on which it was not read: neighbours are those that were read on any of `on`.
function neighbour(at, on, step) {
  for (let next = at + step; next >= 0 && next <= newest; next += step) if (lookedAt(next) & on) return next;
  return -1;
}

// The versions and targets at the ends of a unit's life, as far as they were read: the first and last that have it, and
// those around them that have it not. -1: nothing was read there.
function ends(spans) {
  const first = Math.min(...spans.map((span) => span[0])), last = Math.max(...spans.map((span) => span[1]));
  const atFirst = stateAt(spans, first).all, atLast = stateAt(spans, last).all;
  return { first, last, before: neighbour(first, atFirst, -1), after: neighbour(last, atLast, 1), atFirst, atLast };
}

// The state of a unit in a version as a whole: unread where none of the targets that ever had it was read.
function stateIn(unit, at) {
  const state = stateAt(unit.spans, at);
  if (state.all) return state;
  const ever = unit.spans.reduce((on, [first, last, , mask]) => on | (mask ?? lookedAt(first) | lookedAt(last)), 0);
  return ever & lookedAt(at) ? state : { ...state, word: "unread" };
}

// Whether a version that was read where the unit last was, up to this one, has it no more.
function isGone(unit, at) {
  const earlier = unit.spans.filter(([first]) => first < at).map(([first, last, state, mask]) => [first, Math.min(last, at), state, mask]);
  if (!earlier.length || there(unit, at)) return false;
  const { after } = ends(earlier);
  return after !== -1 && after <= at;
}

// Spans that only versions part which say nothing of their targets are one.
function lives(spans) {
  const found = [];
  for (const [first, last, state, mask] of spans) {
    const same = found.find((one) => one.state === state && one.mask === mask && neighbour(one.last, one.mask ?? lookedAt(one.last), 1) === first);
    if (same) same.last = last;
    else found.push({ first, last, state, mask });
  }
  return found;
}

// A life in words: bounds only, for between two versions that were read anything may have happened.
function life({ first, last, state, mask }) {
  const before = neighbour(first, mask ?? lookedAt(first), -1), after = neighbour(last, mask ?? lookedAt(last), 1);
  const where = mask === undefined ? "" : " there";
  const since = before < 0 ? `in ${versions[first]} already, the first that was read${where}` : `since ${versions[first]} (not so in ${versions[before]})`;
  const until = after < 0 ? `still in ${versions[last]}${last === newest ? "" : `, the last that was read${where}`}` : `until ${versions[last]} (not so in ${versions[after]})`;
  return `${WORDS[state]} ${since}, ${until}${mask === undefined ? "" : `, on ${systemsIn(mask)} only`}`;
}

const short = ({ first, last, state, mask }) => `${WORDS[state]} ${first === last ? versions[first] : `${versions[first]} to ${versions[last]}`}${mask === undefined ? "" : ` on ${systemsIn(mask)}`}`;

// The bound that matters most, in two words; nothing where it was always there.
function bound(unit) {
  const { first, last, before, after } = ends(unit.spans);
  return after >= 0 ? `until ${versions[last]}` : before >= 0 ? `since ${versions[first]}` : "";
}

// What became of a unit, in one clause.
function fate(unit) {
  const { first, last, before, after, atLast } = ends(unit.spans);
  if (after >= 0) return `last seen in ${versions[last]}, not in ${versions[after]}`;
  const since = before < 0 ? `in ${versions[first]} already` : `since ${versions[first]} (not in ${versions[before]})`;
  return last === newest ? since : `${since}; still in ${versions[last]}, the last that was read on ${systemsIn(atLast)}`;
}
