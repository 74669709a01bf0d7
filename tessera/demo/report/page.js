// Draws what DATA holds into the figures of the page, again whenever a figure's width changes.
"use strict";
const NS = "http://www.w3.org/2000/svg";
const tip = document.getElementById("tip");
const percent = (p) => `${Math.round(p * 100)} %`;
const signed = (x) => `${x < 0 ? "−" : "+"}${Math.abs(x).toFixed(2)}`;

function el(parent, name, attributes = {}, text) {
  const node = document.createElementNS(NS, name);
  for (const [key, value] of Object.entries(attributes)) node.setAttribute(key, value);
  if (text !== undefined) node.textContent = text;
  parent.append(node);
  return node;
}

function canvas(figure, width, height) {
  figure.replaceChildren();
  const label = figure.getAttribute("aria-label") || "";
  return el(figure, "svg", { viewBox: `0 0 ${width} ${height}`, height, role: "img", "aria-label": label });
}

function showTip(svg, width, height, x, y, title, text) {
  const at = svg.getBoundingClientRect();
  const bold = document.createElement("b");
  bold.textContent = title;
  tip.replaceChildren(bold, text);
  tip.hidden = false;
  const left = at.left + (x / width) * at.width + 12;
  tip.style.left = `${scrollX + Math.max(8, Math.min(left, innerWidth - tip.offsetWidth - 8))}px`;
  const top = at.top + (y / height) * at.height - tip.offsetHeight - 10;
  tip.style.top = `${scrollY + Math.max(4, top)}px`;
}

function hover(svg, width, height, points, reach) {
  const ring = el(svg, "circle", { r: 6, fill: "none", class: "lit", visibility: "hidden" });
  const hide = () => { tip.hidden = true; ring.setAttribute("visibility", "hidden"); };
  const move = (event) => {
    const at = svg.getBoundingClientRect();
    const x = ((event.clientX - at.left) / at.width) * width, y = ((event.clientY - at.top) / at.height) * height;
    let best = null, least = reach;
    for (const point of points) {
      const distance = Math.hypot(point.x - x, (point.y - y) / 3);
      if (distance < least) [best, least] = [point, distance];
    }
    if (!best) return hide();
    ring.setAttribute("cx", best.x); ring.setAttribute("cy", best.y); ring.setAttribute("visibility", "visible");
    showTip(svg, width, height, best.x, best.y, best.title, best.text);
  };
  svg.addEventListener("pointermove", move);
  svg.addEventListener("pointerdown", move);
  svg.addEventListener("pointerleave", hide);
}

// The day before kick-off takes a fifth of the width, the match the rest.
function match(figure, width) {
  const game = DATA.games[figure.dataset.game];
  const top = game.goals.length ? 42 : 12, height = top + 190, left = 44, right = width - 10, bottom = height - 22;
  const svg = canvas(figure, width, height);
  const kick = left + (right - left) * 0.2;
  const X = (t) => t < game.kickoff
    ? left + ((t - game.opened) / (game.kickoff - game.opened)) * (kick - left)
    : kick + ((Math.min(t, game.end) - game.kickoff) / (game.end - game.kickoff)) * (right - kick);
  const Y = (p) => bottom - p * (bottom - top);
  const pause = [X(game.kickoff + 2700), X(game.kickoff + 3780)];
  el(svg, "rect", { x: left, y: top, width: kick - left, height: bottom - top, class: "rest" });
  el(svg, "rect", { x: pause[0], y: top, width: pause[1] - pause[0], height: bottom - top, class: "rest" });
  for (const p of [0, 0.25, 0.5, 0.75, 1]) {
    el(svg, "line", { x1: left, x2: right, y1: Y(p), y2: Y(p), class: "grid" });
    el(svg, "text", { x: left - 6, y: Y(p) + 4, "text-anchor": "end" }, percent(p));
  }
  if (width > 420) el(svg, "text", { x: left, y: height - 6 }, "day before");
  el(svg, "text", { x: kick, y: height - 6 }, "kick-off");
  el(svg, "text", { x: (pause[0] + pause[1]) / 2, y: height - 6, "text-anchor": "middle" }, "half-time");
  el(svg, "text", { x: right, y: height - 6, "text-anchor": "end" }, "full time");
  for (const x of [kick, right]) el(svg, "line", { x1: x, x2: x, y1: top, y2: bottom, class: "axis" });
  const closed = X(game.closes);
  el(svg, "line", { x1: closed, x2: closed, y1: top, y2: bottom, class: "closed" });

  el(svg, "path", { class: "fair", d: "M" + game.fair.map(([t, p]) => `${X(t).toFixed(1)} ${Y(p).toFixed(1)}`).join("L") });
  let line = `M${left} ${Y(game.p0).toFixed(1)}`;
  for (const bet of game.bets) line += `H${X(bet.at).toFixed(1)}V${Y(bet.after).toFixed(1)}`;
  line += `H${closed.toFixed(1)}`;
  el(svg, "path", { class: "area", d: `${line}V${bottom}H${left}Z` });
  el(svg, "path", { class: "price", d: line });

  let row = 0, previous = -99;
  for (const goal of game.goals) {
    const x = X(goal.at);
    row = x - previous < 34 ? 1 - row : 0;
    previous = x;
    el(svg, "line", { x1: x, x2: x, y1: row ? 30 : 15, y2: bottom, class: "goal" });
    el(svg, "circle", { cx: x, cy: bottom, r: 3, class: "ball" });
    el(svg, "text", { x: Math.min(x, right - 14), y: row ? 27 : 12, "text-anchor": "middle", class: "goal-text" }, goal.score);
  }
  const points = game.bets.map((bet) => {
    const x = X(bet.at), y = Y(bet.after), up = bet.side === "YES" ? -1 : 1;
    el(svg, "path", { class: `dot ${bet.side.toLowerCase()}`, d: `M${x - 4.5} ${y - up * 3}L${x + 4.5} ${y - up * 3}L${x} ${y + up * 5}Z` });
    return { x, y, title: `${bet.who}: 1 EUR on ${bet.side}, odds ${bet.odds.toFixed(2)}`,
      text: `${bet.when}: ${percent(bet.before)} → ${percent(bet.after)}` };
  });
  for (const goal of game.goals) points.push({ x: X(goal.at), y: bottom, title: `${goal.minute}′ ${goal.team}`, text: goal.score });
  hover(svg, width, height, points, 26);
}

function race(figure, width) {
  const height = Math.max(300, Math.min(420, width * 0.5)), left = 40, right = width - 82, top = 12, bottom = height - 24;
  const svg = canvas(figure, width, height);
  const all = DATA.race.curves.flatMap((one) => one.curve);
  const low = Math.min(...all), high = Math.max(...all), count = DATA.race.labels.length;
  const X = (i) => left + (i / count) * (right - left);
  const Y = (v) => bottom - ((v - low) / (high - low || 1)) * (bottom - top);
  const step = [1, 2, 5, 10, 20, 50, 100].find((s) => (high - low) / s < 7) || 200;
  for (let v = Math.ceil(low / step) * step; v <= high; v += step) {
    el(svg, "line", { x1: left, x2: right, y1: Y(v), y2: Y(v), class: v ? "grid" : "axis" });
    el(svg, "text", { x: left - 6, y: Y(v) + 4, "text-anchor": "end" }, v ? `${v < 0 ? "−" : "+"}${Math.abs(v)}` : "0");
  }
  el(svg, "text", { x: left, y: height - 6 }, "first market decided");
  el(svg, "text", { x: right, y: height - 6, "text-anchor": "end" }, "last");
  const points = [], labels = [];
  DATA.race.curves.forEach((one, rank) => {
    const kind = rank === 0 ? "hot" : rank === DATA.race.curves.length - 1 ? "cold" : "";
    el(svg, "path", { class: `racer ${kind}`, d: "M" + one.curve.map((v, i) => `${X(i).toFixed(1)} ${Y(v).toFixed(1)}`).join("L") });
    one.curve.forEach((v, i) => i && points.push({ x: X(i), y: Y(v), title: `${one.name} ${signed(v)} EUR`, text: `after ${DATA.race.labels[i - 1]}` }));
    labels.push({ y: Y(one.curve.at(-1)), name: one.name, kind });
  });
  labels.sort((a, b) => a.y - b.y);
  // Names keep 13 pixels between them: pushed down in order, and the whole column back up where it runs out of room.
  labels.forEach((label, i) => { if (i) label.y = Math.max(label.y, labels[i - 1].y + 13); });
  for (let i = labels.length - 1, limit = bottom + 4; i >= 0; i--, limit -= 13) labels[i].y = Math.min(labels[i].y, limit);
  for (const label of labels) el(svg, "text", { x: right + 8, y: label.y + 4, class: label.kind ? "strong" : "" }, label.name);
  hover(svg, width, height, points, 30);
}

function unpriced(figure, width) {
  const height = 272, left = 40, right = width - 18, top = 50, bottom = height - 36;
  const svg = canvas(figure, width, height);
  const data = DATA.unpriced, last = data.at(-1)[0], high = Math.max(0.05, ...data.map(([, gap]) => gap)) * 1.08;
  const X = (s) => left + (s / last) * (right - left), Y = (g) => bottom - (g / high) * (bottom - top);
  for (let g = 0; g <= high; g += 0.1) {
    el(svg, "line", { x1: left, x2: right, y1: Y(g), y2: Y(g), class: "grid" });
    el(svg, "text", { x: left - 6, y: Y(g) + 4, "text-anchor": "end" }, `${Math.round(g * 100)}`);
  }
  for (let s = 0; s <= last; s += 30) el(svg, "text", { x: X(s), y: bottom + 16, "text-anchor": "middle" }, `${s} s`);
  el(svg, "text", { x: (left + right) / 2, y: height - 4, "text-anchor": "middle" }, "seconds after the goal");
  const line = data.map(([s, gap], i) => (i ? `H${X(s).toFixed(1)}V${Y(gap).toFixed(1)}` : `M${X(s)} ${Y(gap).toFixed(1)}`)).join("");
  el(svg, "path", { class: "area", d: `${line}V${bottom}H${left}Z` });
  el(svg, "path", { class: "price", d: line });
  DATA.delays.forEach(([name, delay], i) => {
    const x = X(delay), y = 12 + 15 * (i % 3);
    el(svg, "line", { x1: x, x2: x, y1: y + 3, y2: bottom, class: "goal" });
    el(svg, "text", { x: x + 3, y, class: "goal-text" }, name);
  });
  hover(svg, width, height, data.map(([s, gap]) => ({ x: X(s), y: Y(gap), title: `${(gap * 100).toFixed(1)} points off`, text: `${s} s after a goal` })), 30);
}

function books(figure, width) {
  const height = 200, left = 34, right = width - 4, top = 8, bottom = height - 8;
  const svg = canvas(figure, width, height);
  const data = DATA.books, high = Math.max(2, ...data.map((one) => one.gain)), low = -10;
  const Y = (v) => bottom - ((v - low) / (high - low)) * (bottom - top), wide = (right - left) / data.length;
  for (let v = -10; v <= high; v += 5) {
    el(svg, "line", { x1: left, x2: right, y1: Y(v), y2: Y(v), class: v ? "grid" : "axis" });
    el(svg, "text", { x: left - 6, y: Y(v) + 4, "text-anchor": "end" }, v ? `${v < 0 ? "−" : "+"}${Math.abs(v)}` : "0");
  }
  const points = data.map((one, i) => {
    const x = left + i * wide, y = Math.min(Y(one.gain), Y(0));
    const fill = one.gain < 0 ? "var(--bad)" : "var(--yes)";
    el(svg, "rect", { x: x + wide * 0.12, y, width: wide * 0.76, height: Math.max(1, Math.abs(Y(one.gain) - Y(0))), rx: 1.5, style: `fill:${fill}` });
    return { x: x + wide / 2, y: Y(one.gain), title: `${one.creator} ${signed(one.gain)} EUR`, text: one.match };
  });
  hover(svg, width, height, points, 40);
}

const DRAW = { match, race, unpriced, books };
const widths = new WeakMap();
const watch = new ResizeObserver((entries) => {
  for (const { target, contentRect } of entries) {
    const width = Math.round(contentRect.width);
    if (!width || widths.get(target) === width) continue;
    widths.set(target, width);
    DRAW[target.dataset.draw](target, width);
  }
});
document.querySelectorAll("figure[data-draw]").forEach((figure) => watch.observe(figure));

const chips = document.querySelectorAll(".chips button");
chips.forEach((chip) => chip.addEventListener("click", () => {
  chips.forEach((other) => other.setAttribute("aria-pressed", String(other === chip)));
  document.querySelectorAll(".match").forEach((card) => {
    card.hidden = chip.dataset.kind !== "all" && !card.dataset.kinds.split(" ").includes(chip.dataset.kind);
  });
}));
