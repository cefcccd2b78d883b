// Building the page's elements. Texts come from help and are never read as markup: only textContent is written.
const SVG = "http://www.w3.org/2000/svg";

function make(tag, attributes = {}, ...children) {
  const element = document.createElement(tag);
  for (const [name, value] of Object.entries(attributes)) {
    if (name.startsWith("on")) element.addEventListener(name.slice(2), value);
    else if (value === true) element.setAttribute(name, "");
    else if (value !== false && value !== null && value !== undefined) element.setAttribute(name, value);
  }
  element.append(...children.flat(Infinity).filter((child) => child !== null && child !== undefined && child !== false));
  return element;
}

const view = (name) => document.getElementById(`view-${name}`);
const heading = (name, text) => make("h1", { id: `${name}-title`, tabindex: -1 }, text);
const say = (text) => { document.getElementById("live").textContent = text; };
const plural = (count, one, many = `${one}s`) => `${count.toLocaleString("en")} ${count === 1 ? one : many}`;

function unitName(unit) {
  const path = [data.program, ...unit.path];
  const last = unit.name || path.pop();
  return [path.length ? make("span", { class: "path" }, `${path.join(" ")} `) : null, make("b", {}, last)];
}

const unitLink = (unit) => make("a", { class: "unit", href: unit.address }, unitName(unit));

// A unit that is named by its identity, which a timeline may not know.
function namedLink(path, name) {
  const unit = unitAt(path, name);
  return unit ? unitLink(unit) : make("code", {}, [data.program, ...path, name].join(" ").trim());
}

const LABELS = { visible: "visible", hidden: "hidden", unknown: "unknown", none: "not there", unread: "not read there" };
const badge = (word, text = LABELS[word]) => make("span", { class: `state ${word}` }, text);
const stateBadge = ({ word, some }) => (some ? badge("some", `${LABELS[word]} on some`) : badge(word));

function standingBadge(wrap) {
  const stands = wrap ? wrap.is : undefined;
  if (stands === "covered") return make("span", { class: "has" }, "covered");
  if (stands === "missing" || stands === "unsupported") return make("span", { class: "lacks" }, stands);
  return make("span", { class: "quiet" }, stands ?? (wrap ? `claimed: ${[...new Set(wrap.c.map((claim) => claim.level))].join(", ")}` : "–"));
}

// The life of a unit over all versions: full height visible, lower half hidden, outlined on some targets, a line not there.
function strip(spans, width = 210, height = 16) {
  const each = Math.min(14, width / versions.length);
  const svg = document.createElementNS(SVG, "svg");
  const put = (css, first, last, top, tall) => {
    const rect = document.createElementNS(SVG, "rect");
    const inset = css === "p" ? 0.8 : 0;
    const box = { x: first * each + inset, y: top + inset, width: Math.max((last - first + 1) * each - inset * 2, 1), height: tall - inset * 2 };
    for (const [name, value] of Object.entries(box)) rect.setAttribute(name, value.toFixed(2));
    rect.setAttribute("class", css);
    svg.append(rect);
  };
  svg.setAttribute("class", "strip");
  svg.setAttribute("role", "img");
  const said = lives(spans).map(short);
  svg.setAttribute("aria-label", said.join("; "));
  svg.setAttribute("viewBox", `0 0 ${(each * versions.length).toFixed(1)} ${height}`);
  svg.setAttribute("preserveAspectRatio", "none");
  svg.setAttribute("width", (each * versions.length).toFixed(1));
  svg.setAttribute("height", height);
  put("n", 0, newest, height - 2, 1.5);
  for (const [first, last, state, mask] of spans) {
    const low = state === "h" || state === "u";
    put(mask === undefined ? state || "v" : "p", first, last, low ? height / 2 : 1, low ? height / 2 : height - 1);
  }
  const title = document.createElementNS(SVG, "title");
  title.textContent = said.join("\n");
  svg.prepend(title);
  return svg;
}

const lifeCell = (unit) => make("span", { class: "life" }, strip(unit.spans, 150), make("span", { class: "quiet" }, bound(unit)));

// A table whose rows are made when they come near: as many as there are, and a button for who does not scroll.
function lazyTable({ label, css = "", columns, items, row, first = 100, step = 250 }) {
  const body = make("tbody");
  const head = make("tr", {}, columns.map((column) => make("th", { scope: "col", class: column.css }, column.title ?? column)));
  const table = make("table", { class: css, "aria-rowcount": items.length + 1 }, make("thead", {}, head), body);
  const button = make("button", { type: "button", class: "more", onclick: () => add(step) });
  let shown = 0;
  const add = (count) => {
    const rows = document.createDocumentFragment();
    for (const item of items.slice(shown, shown + count)) {
      shown += 1;
      const made = row(item);
      made.setAttribute("aria-rowindex", shown + 1);
      rows.append(made);
    }
    body.append(rows);
    button.hidden = shown >= items.length;
    button.textContent = `Show more (${(items.length - shown).toLocaleString("en")} left)`;
  };
  add(first);
  new IntersectionObserver((seen) => { if (seen.some((one) => one.isIntersecting) && !button.hidden) add(step); }, { rootMargin: "600px" }).observe(button);
  return make("div", {}, make("div", { class: "scroll", tabindex: 0, role: "region", "aria-label": label }, table), button);
}

function select(label, id, options, chosen, changed) {
  const list = make("select", { id, onchange: () => changed(list.value) }, options.map(([value, text]) => make("option", { value }, text)));
  list.value = chosen;
  return make("div", {}, make("label", { for: id }, label), list);
}

const versionOptions = (which = versions.map((_, at) => at)) => [...which].reverse().map((at) => [versions[at], versions[at]]);
