// The report answers to a finger: move in time, tap an episode, switch causes, choose the exposure behind the dots.
// Without this script the page shows the same figures unmoved. All sentences come from the page and its data.
(() => {
"use strict";

const told = JSON.parse(document.getElementById("told").textContent);
const HOUR = 3600, DAY = 24 * HOUR;
const BEFORE = 12 * HOUR, AFTER = HOUR, LEAST = 3 * HOUR, NARROW = 3 * DAY;
const LADDER = [1, 2, 4, 12, 24, 48, 96];
const TICKS = [1, 2, 3, 6, 12, 24, 48, 96, 168, 336, 672, 1344, 2688, 5376, 10752].map(hours => hours * HOUR);
const NEAR = 28, MARGIN = 58, DRAWN_GAP = 6;

const css = name => getComputedStyle(document.documentElement).getPropertyValue("--" + name).trim();
const fill = (text, values) => text.replace(/{(\w+)}/g, (_, key) => values[key]);
const clamp = (value, low, high) => Math.min(Math.max(value, low), high);

/* ---- the chart of one episode, or of all the time ---- */

const figure = document.getElementById("figure-one");
const live = figure.querySelector(".live"), box = live.querySelector(".plot");
const heading = figure.querySelector("h3 span"), part = name => live.querySelector("." + name);
const captionBox = figure.querySelector("figcaption p"), caption = [...captionBox.childNodes];
const firstTime = told.start, lastTime = told.start + told.samples * told.step;
const curves = told.layers.map(layer => {
  const bytes = Uint8Array.from(atob(layer.steps), one => one.charCodeAt(0));
  return Float32Array.from(bytes, step => layer.top * (step / 255) ** 2);
});
const kept = new Uint8Array(told.samples).fill(1);
for (const [from, to] of told.gaps) kept.fill(0, from, to);

const on = told.layers.map(() => true);
let chosen = told.first, view = [0, 0], plot = null, waiting = false;

function ahead(time) {
  let offset = told.offsets[0][1];
  for (const [from, seconds] of told.offsets) if (from <= time) offset = seconds;
  return offset;
}

const written = (time, options) =>
  new Intl.DateTimeFormat(told.language === "ja" ? "ja" : "en-GB", {timeZone: "UTC", ...options})
    .format(new Date((time + ahead(time)) * 1000));

function hatched(ground, forward) {
  const size = window.devicePixelRatio || 1, tile = document.createElement("canvas");
  tile.width = tile.height = Math.round(8 * size);
  const ink = tile.getContext("2d");
  ink.fillStyle = css(ground);
  ink.fillRect(0, 0, tile.width, tile.height);
  ink.strokeStyle = css("hatch");
  ink.lineWidth = 1.2 * size;
  for (const shift of [-tile.width, 0, tile.width]) {
    ink.beginPath();
    ink.moveTo(forward ? shift : shift + tile.width, 0);
    ink.lineTo(forward ? shift + tile.width : shift, tile.height);
    ink.stroke();
  }
  return ink.createPattern(tile, "repeat");
}

function colour(layer) {
  if (layer.id === "background") return hatched("sunk", false);
  return layer.id === "other" ? css("surface") : css(layer.family) + layer.faint;
}

/* Stack what is switched on, averaged so that there are about two pixels for each point. */
function stacked(width) {
  const across = (view[1] - view[0]) / told.step;
  const join = LADDER.find(one => across / one <= width / 2) || LADDER[LADDER.length - 1];
  const from = Math.max(0, Math.floor((view[0] - firstTime) / told.step / join) - 1);
  const to = Math.min(Math.ceil(told.samples / join), Math.ceil((view[1] - firstTime) / told.step / join) + 1);
  const shown = drawn(), x = [], columns = shown.map(() => []);
  for (let group = from; group < to; group++) {
    const start = group * join, end = Math.min(start + join, told.samples);
    x.push(firstTime + (start + end) / 2 * told.step);
    let n = 0;
    for (let i = start; i < end; i++) n += kept[i];
    let sum = 0;
    shown.forEach((layer, place) => {
      let part = 0;
      for (let i = start; i < end; i++) if (kept[i]) part += curves[layer][i];
      sum += n ? part / n : 0;
      columns[place].push(n ? sum : null);
    });
  }
  return [x, ...columns];
}

const drawn = () => told.layers.map((_, index) => index).filter(index => on[index]);

function ceiling(highest) {
  const top = Math.max(2, Math.ceil(highest)), step = top <= 12 ? 2 : 4 * Math.ceil(top / 48);
  return step * Math.ceil(top / step);
}

const gridStep = top => [...Array(top).keys()].map(i => i + 1).find(step => top % step === 0 && top / step <= 4);

function ticks() {
  const room = (box.clientWidth - MARGIN) / (view[1] - view[0]);
  const step = TICKS.find(one => one * room >= 58) || TICKS[TICKS.length - 1];
  const marks = [];
  for (let clock = Math.ceil((view[0] + ahead(view[0])) / step) * step; ; clock += step) {
    const time = clock - ahead(clock - ahead(view[0]));
    if (time > view[1]) return marks;
    marks.push(time);
  }
}

const tickText = time => {
  const second = (time + ahead(time)) % DAY;
  return second ? `${Math.floor(second / HOUR)}:00` : written(time, {month: "short", day: "numeric"});
};

function marks(chart) {
  const ink = chart.ctx, size = uPlot.pxRatio, {left, top, width, height} = chart.bbox;
  const narrow = view[1] - view[0] <= NARROW, y = top - 14 * size;
  ink.save();
  ink.beginPath();
  ink.rect(left - 8 * size, 0, width + 16 * size, top + height);
  ink.clip();
  told.sessions.filter(inView).forEach(time => {
    const x = chart.valToPos(time, "x", true), base = top + height;
    ink.fillStyle = css("ink");
    ink.beginPath();
    ink.moveTo(x - 5 * size, base);
    ink.lineTo(x, base - 9 * size);
    ink.lineTo(x + 5 * size, base);
    ink.fill();
  });
  told.episodes.forEach((episode, index) => {
    if (!inView(episode.time)) return;
    const x = chart.valToPos(episode.time, "x", true), mine = index === chosen;
    ink.strokeStyle = css("heat");
    ink.lineWidth = (mine ? 1.8 : 1) * size;
    if (mine || narrow) {
      ink.beginPath();
      ink.moveTo(x, y);
      ink.lineTo(x, top + height);
      ink.stroke();
    }
    ink.fillStyle = css("heat");
    ink.globalAlpha = explained(episode) ? 1 : 0.3;
    ink.beginPath();
    ink.arc(x, y, (mine ? 6.5 : 4.5) * size, 0, 2 * Math.PI);
    ink.fill();
    ink.globalAlpha = 1;
    ink.lineWidth = (mine ? 2 : 1.3) * size;
    ink.strokeStyle = css(mine ? "ink" : "surface");
    ink.stroke();
    if (mine && narrow) {
      ink.fillStyle = css("ink");
      ink.font = `700 ${14 * size}px ${getComputedStyle(box).fontFamily}`;
      ink.textAlign = "right";
      ink.fillText(episode.label, x - 12 * size, y + 5 * size);
    }
  });
  ink.restore();
}

/* Whether causes that are switched on are behind an episode with at least even odds, or all are on. */
function explained(episode) {
  if (on.every(Boolean)) return true;
  return told.layers.slice(2).reduce((sum, _, place) => sum + (on[place + 2] ? episode.p[place] : 0), 0) >= 0.5;
}

function gaps(chart) {
  const ink = chart.ctx, {left, top, width, height} = chart.bbox;
  ink.save();
  ink.fillStyle = hatched("surface", true);
  for (const [from, to] of told.gaps) {
    const a = clamp(chart.valToPos(firstTime + from * told.step, "x", true), left, left + width);
    const b = clamp(chart.valToPos(firstTime + to * told.step, "x", true), left, left + width);
    // From afar the nights are too narrow to be seen as nights.
    if (b - a > DRAWN_GAP * uPlot.pxRatio) ink.fillRect(a, top, b - a, height);
  }
  ink.restore();
}

function build() {
  const width = box.clientWidth;
  if (plot) plot.destroy();
  plot = null;
  if (!width) return;
  const layers = drawn(), font = "12px " + getComputedStyle(box).fontFamily;
  const axis = {stroke: css("ink3"), font, ticks: {stroke: css("ink3"), width: 1, size: 4}, gap: 4};
  plot = new uPlot({
    width, height: width < 500 ? 240 : 290, padding: [30, 22, 0, 0],
    cursor: {show: false}, legend: {show: false},
    scales: {
      x: {time: false, range: () => view},
      y: {range: (_, __, high) => [0, ceiling(high || 0)]},
    },
    axes: [
      {...axis, grid: {show: false}, splits: ticks, values: (_, all) => all.map(tickText), size: 28},
      {
        ...axis, size: 36, grid: {stroke: css("line"), width: 1},
        splits: (_, __, low, high) => {
          const step = gridStep(high);
          return [...Array(Math.round(high / step) + 1).keys()].map(i => i * step);
        },
        values: (_, all) => all.map(one => one === all[all.length - 1] ? fill(told.words.times, {n: one}) : one),
      },
    ],
    series: [{}, ...layers.map((layer, place) => ({
      stroke: place === layers.length - 1 ? css("ink") : css(layer === 1 ? "line2" : "surface"),
      width: place === layers.length - 1 ? 1.8 : 0.8,
      fill: place ? undefined : colour(told.layers[layer]), points: {show: false}, spanGaps: false,
    }))],
    bands: layers.slice(1).map((layer, place) => ({series: [place + 2, place + 1], fill: colour(told.layers[layer])})),
    hooks: {drawAxes: [gaps], draw: [marks]},
  }, stacked(width), box);
  plot.root.querySelectorAll("canvas").forEach(canvas => canvas.setAttribute("aria-hidden", "true"));
}

function redraw() {
  if (waiting) return;
  waiting = true;
  requestAnimationFrame(() => {
    waiting = false;
    if (plot) plot.setData(stacked(box.clientWidth));
    else build();
    title();
    [box.dataset.from, box.dataset.to] = view;
  });
}

function lookAt(from, to) {
  const across = clamp(to - from, LEAST, lastTime - firstTime), middle = (from + to) / 2;
  const start = clamp(middle - across / 2, firstTime, lastTime - across);
  view = [start, start + across];
  redraw();
}

function zoom(factor, at = (view[0] + view[1]) / 2) {
  lookAt(at - (at - view[0]) / factor, at + (view[1] - at) / factor);
}

const inView = time => time >= view[0] && time <= view[1];

/* The heading is the chosen episode's while it is looked at, else that of the whole record. */
function title() {
  const episode = told.episodes[chosen], near = inView(episode.time) && view[1] - view[0] <= NARROW;
  const text = near ? episode.title : told.words.whole;
  heading.textContent = text;
  captionBox.replaceChildren(...near ? caption : [told.words.whole_caption]);
  box.setAttribute("aria-label", fill(told.words.view, {
    title: text, from: written(view[0], {dateStyle: "medium"}), to: written(view[1], {dateStyle: "medium"}),
  }));
}

const whole = () => lookAt(firstTime, lastTime);

function choose(index, {scroll = false} = {}) {
  chosen = clamp(index, 0, told.episodes.length - 1);
  const episode = told.episodes[chosen];
  lookAt(episode.time - BEFORE, episode.time + AFTER);
  const card = document.getElementById("episode-" + episode.index).cloneNode(true);
  card.querySelectorAll(".to-chart").forEach(one => one.remove());
  part("chosen").replaceChildren(...card.childNodes);
  part("before").disabled = chosen === 0;
  part("after").disabled = chosen === told.episodes.length - 1;
  document.querySelectorAll("[data-episode]").forEach(dot =>
    dot.classList.toggle("mine", Number(dot.dataset.episode) === episode.index));
  if (scroll) figure.scrollIntoView({block: "start"});
}

function nearest(x) {
  let best = -1, least = NEAR;
  told.episodes.forEach((episode, index) => {
    const away = Math.abs(plot.valToPos(episode.time, "x") - x);
    if (away <= least) [best, least] = [index, away];
  });
  return best;
}

/* One finger or the mouse moves, two fingers stretch, a tap chooses; up and down stay with the page. */
const fingers = new Map();
let still = true, startX = 0;
const inside = event => event.clientX - plot.over.getBoundingClientRect().left;

box.addEventListener("pointerdown", event => {
  if (!plot || event.button) return;
  fingers.set(event.pointerId, inside(event));
  if (fingers.size === 1) [still, startX] = [true, inside(event)];
  box.setPointerCapture(event.pointerId);
});
box.addEventListener("pointermove", event => {
  if (!plot || !fingers.has(event.pointerId)) return;
  const before = [...fingers.values()], scale = (view[1] - view[0]) / plot.over.clientWidth;
  fingers.set(event.pointerId, inside(event));
  const after = [...fingers.values()];
  if (Math.abs(inside(event) - startX) > 6 || fingers.size > 1) still = false;
  if (still) return;
  if (fingers.size === 1) {
    const shift = (before[0] - after[0]) * scale;
    lookAt(view[0] + shift, view[1] + shift);
  } else if (fingers.size === 2) {
    const spread = pair => Math.max(8, Math.abs(pair[0] - pair[1])), middle = pair => (pair[0] + pair[1]) / 2;
    zoom(spread(after) / spread(before), view[0] + middle(after) * scale);
    const shift = (middle(before) - middle(after)) * scale;
    lookAt(view[0] + shift, view[1] + shift);
  }
});
const lift = event => {
  if (!fingers.delete(event.pointerId) || event.type === "pointercancel" || !still || fingers.size) return;
  const index = nearest(inside(event));
  if (index >= 0) choose(index);
};
box.addEventListener("pointerup", lift);
box.addEventListener("pointercancel", lift);
box.addEventListener("wheel", event => {
  if (!plot) return;
  const across = view[1] - view[0];
  if (event.ctrlKey) zoom(Math.exp(-event.deltaY / 100), view[0] + inside(event) / plot.over.clientWidth * across);
  else if (Math.abs(event.deltaX) > Math.abs(event.deltaY)) {
    const shift = event.deltaX / plot.over.clientWidth * across;
    lookAt(view[0] + shift, view[1] + shift);
  } else return;
  event.preventDefault();
}, {passive: false});
box.addEventListener("keydown", event => {
  const step = (view[1] - view[0]) / 8;
  const moves = {
    ArrowLeft: () => lookAt(view[0] - step, view[1] - step),
    ArrowRight: () => lookAt(view[0] + step, view[1] + step),
    "+": () => zoom(2), "-": () => zoom(0.5), Home: whole,
  };
  if (!moves[event.key] || event.ctrlKey || event.metaKey || event.altKey) return;
  event.preventDefault();
  moves[event.key]();
});

/* How many episodes the shown causes account for: of one its own numbers, of several the sum in each draw. */
function count() {
  const picked = told.layers.filter((layer, index) => index > 1 && on[index]);
  const most = told.words.counts.length - 1, times = n => told.words.counts[n];
  let low = 0, high = 0;
  if (picked.length === 1) [low, high] = [picked[0].low, picked[0].high];
  else if (picked.length) {
    const sums = picked[0].draws.map((_, draw) => picked.reduce((sum, one) => sum + one.draws[draw], 0));
    sums.sort((a, b) => a - b);
    [low, high] = [0.05, 0.95].map(share => sums[Math.round(share * (sums.length - 1))]);
  }
  [low, high] = [Math.floor(low), Math.min(most, Math.ceil(high))];
  const n = clamp(Math.round(picked.reduce((sum, one) => sum + one.mean, 0)), 0, most);
  part("sum").textContent = picked.length ? fill(told.words.sum, {
    about: n ? fill(told.words.about, {n}) : told.words.under_one,
    range: low === high ? times(low) : fill(told.words.range, {low, high}),
  }) : told.words.sum_none;
}

live.querySelectorAll(".chip").forEach(chip => {
  const layer = told.layers.findIndex(one => one.id === chip.dataset.cause);
  chip.addEventListener("click", () => {
    on[layer] = !on[layer];
    chip.setAttribute("aria-pressed", String(on[layer]));
    build();
    count();
  });
});
part("before").addEventListener("click", () => choose(chosen - 1));
part("after").addEventListener("click", () => choose(chosen + 1));
part("in").addEventListener("click", () => zoom(2, inView(told.episodes[chosen].time) ? told.episodes[chosen].time : undefined));
part("out").addEventListener("click", () => zoom(0.5));
part("whole").addEventListener("click", whole);
document.querySelectorAll(".to-chart").forEach(button => {
  const index = told.episodes.findIndex(one => one.index === Number(button.dataset.of));
  button.hidden = index < 0;
  button.addEventListener("click", () => choose(index, {scroll: true}));
});

live.hidden = false;
figure.classList.add("is-live");
count();
// The chart is far from the first screen: the page opens first, the chart is built when it comes near.
new IntersectionObserver((seen, observer) => {
  if (!seen.some(one => one.isIntersecting)) return;
  observer.disconnect();
  if (!plot) choose(chosen);
  new ResizeObserver(() => { if (!plot || plot.width !== box.clientWidth) build(); }).observe(box);
}, {rootMargin: "1000px"}).observe(figure);
matchMedia("(prefers-color-scheme: dark)").addEventListener("change", () => { if (plot) build(); });

/* ---- days and hours: tap a dot, choose another exposure ---- */

const days = document.getElementById("figure-days");
if (days) {
  const picker = days.querySelector(".picker"), select = picker.querySelector("select");
  const cells = days.querySelectorAll(".cells");

  const runs = text => [...text.matchAll(/(.)\1*/g)].map(run => [run.index, run[0].length, run[1]]);

  function retint(group, exposure) {
    const {x, y, column, row} = Object.fromEntries(Object.entries(group.dataset).map(([k, v]) => [k, Number(v)]));
    const rects = [];
    exposure.levels.match(/.{24}/g).forEach((day, index) => runs(day).forEach(([hour, length, level]) => {
      if (level === "0") return;
      const rect = document.createElementNS("http://www.w3.org/2000/svg", "rect");
      const place = {x: x + index * column, y: y + hour * row, width: column + 0.2, height: length * row};
      for (const [key, value] of Object.entries(place)) rect.setAttribute(key, value.toFixed(1));
      rect.setAttribute("class", level === "-" ? "hatched" : `tint${level} f-${exposure.family}`);
      rects.push(rect);
    }));
    group.replaceChildren(...rects);
  }

  select.addEventListener("change", () => {
    const exposure = told.exposures.find(one => one.id === select.value);
    cells.forEach(group => retint(group, exposure));
    days.querySelectorAll(".legend-tints rect").forEach((rect, index) =>
      rect.setAttribute("class", `tint${index % 4 + 1} f-${exposure.family}`));
    days.querySelector("h3 span").textContent = exposure.title;
    days.querySelector("figcaption p").textContent = exposure.caption;
    days.querySelectorAll("svg[aria-label]").forEach(svg => svg.setAttribute("aria-label", exposure.aria));
    days.querySelector("thead th:last-child").textContent = exposure.name;
    days.querySelectorAll("tbody tr").forEach((row, index) => row.lastElementChild.textContent = exposure.at_onset[index]);
  });
  days.querySelectorAll("svg.figure").forEach(svg => svg.addEventListener("click", event => {
    let best = null, least = NEAR;
    svg.querySelectorAll("[data-episode]").forEach(dot => {
      const at = dot.getBoundingClientRect();
      const away = Math.hypot(at.x + at.width / 2 - event.clientX, at.y + at.height / 2 - event.clientY);
      if (away <= least) [best, least] = [dot, away];
    });
    const index = best ? told.episodes.findIndex(one => one.index === Number(best.dataset.episode)) : -1;
    if (index >= 0) choose(index, {scroll: true});
  }));
  picker.hidden = false;
  days.classList.add("is-live");
}
})();
