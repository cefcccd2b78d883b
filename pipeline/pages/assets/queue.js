// What a wrapper lacks: most severe first, then oldest, as `parity queue` lists it.
const KINDS = { all: "units", flag: "flags", command: "commands", arg: "args" };
const kindOf = (item) => (item.n ? (item.n.startsWith("-") ? "flag" : "arg") : "command");
const lacking = data.wrappers.filter((wrapper) => wrapper.queue);

function showQueue([name], query) {
  if (!lacking.length) return view("queue").replaceChildren(heading("queue", "Work queue"), make("p", {}, "No wrapper is compared with this agent."));
  const wrapper = lacking.find((one) => one.name === name) ?? lacking[0];
  const kind = query.get("kind") in KINDS ? query.get("kind") : "all";
  const go = (which, what) => { location.hash = `#queue/${encodeURIComponent(which)}${what === "all" ? "" : `?kind=${what}`}`; };
  const { items, at } = wrapper.queue;
  const chosen = items.filter((item) => kind === "all" || kindOf(item) === kind);
  const counted = Object.keys(KINDS).map((one) => [one, `${KINDS[one]} (${items.filter((item) => one === "all" || kindOf(item) === one).length})`]);
  const title = items.length ? `What ${wrapper.label} lacks of ${at}` : `Nothing of ${at} is missing in ${wrapper.label}`;
  view("queue").replaceChildren(
    heading("queue", title),
    make("div", { class: "controls" },
      select("Wrapper", "queue-wrapper", lacking.map((one) => [one.name, one.label]), wrapper.name, (which) => go(which, kind)),
      select("Show", "queue-kind", counted, kind, (what) => go(wrapper.name, what))),
    ...leftOver(wrapper),
    ...queueParts(wrapper, chosen, kind),
    ...elsewhere(wrapper));
  return title;
}

function leftOver({ label, left }) {
  if (!left) return [];
  return [
    make("h2", {}, `Flags of the commands that it calls: ${left.count} of ${left.of}`),
    make("p", {}, left.is === "missing" ? `Help of ${left.at} shows ${left.of} flags there, and ${label} never emits these ${left.count}:` : `Help of ${left.at} shows ${left.of} flags there; these ${left.count} go only through the wrapper’s extra arguments:`),
    make("dl", { class: "facts", id: "queue-left" }, left.flags.map(([path, flags]) => [
      make("dt", {}, namedLink(path, "")),
      make("dd", {}, flags.map((flag, at) => [at ? ", " : "", make("a", { class: "unit", href: addressOf(path, flag) }, flag)]))])),
  ];
}

function queueParts(wrapper, items, kind) {
  const { against, closed } = wrapper.queue;
  if (!wrapper.queue.items.length) return [make("p", { class: "lead" }, "It covers, waives or excludes every unit that the help of this version shows.")];
  const count = plural(items.length, KINDS[kind].slice(0, -1));
  return [
    make("h2", {}, `The whole queue: ${count}`),
    make("p", { class: "count" }, against ? `${items.filter((item) => item.new).length} new since ${against}; ${closed.length} that were missing in ${against} are done or gone. ` : "", "Urgent first, then oldest. High: a covered command cannot be called without it; low: it stands on a command that is missing itself."),
    items.length ? lazyTable({ label: "Work queue", columns: ["Severity", "Unit", "There since", { title: "Versions read with it", css: "num" }, "To write"], items, row: queueRow }) : make("p", {}, `No ${KINDS[kind]}.`),
  ];
}

function elsewhere({ label, elsewhere: claims, queue: { at } }) {
  if (!claims) return [];
  return [
    make("h2", {}, `What ${label} claims and ${at} does not list: ${plural(claims.length, "unit")}`),
    make("dl", { class: "facts", id: "queue-elsewhere" }, claims.map(([path, name, said]) => [
      make("dt", {}, namedLink(path, name)),
      make("dd", {}, said)])),
  ];
}

const queueRow = (item) => make("tr", {},
  make("td", {}, make("span", { class: `severity ${item.severity}` }, item.severity)),
  make("th", { scope: "row" }, namedLink(item.p, item.n), item.new ? make("span", { class: "quiet" }, " new") : null),
  make("td", {}, item.after === null ? `${versions[item.since]}, the first read` : `${versions[item.since]} (not in ${versions[item.after]})`),
  make("td", { class: "num" }, String(item.age)),
  make("td", { class: "write" }, make("code", {}, item.write)));
