"use strict";
const data = JSON.parse(document.getElementById("data").textContent);

function element(name, attributes = {}, ...children) {
  const svg = ["svg", "g", "path", "line", "circle", "rect", "text"].includes(name);
  const node = svg ? document.createElementNS("http://www.w3.org/2000/svg", name)
                   : document.createElement(name);
  for (const [key, value] of Object.entries(attributes)) node.setAttribute(key, value);
  node.append(...children);
  return node;
}

// A table: columns sort by value, blanks last, by mouse or keyboard.
function drawTable(table, { columns, rows: all, sortedBy = -1 }, caption) {
  const body = element("tbody");
  const heads = columns.map((title, column) => {
    const button = element("button", { type: "button" }, title);
    const head = element("th", { scope: "col" }, button);
    button.addEventListener("click", () => {
      const order = head.getAttribute("aria-sort") === "ascending" ? "descending" : "ascending";
      heads.forEach((other) => other.removeAttribute("aria-sort"));
      head.setAttribute("aria-sort", order);
      fill(column, order === "ascending" ? 1 : -1);
    });
    return head;
  });
  function fill(column, sign) {
    const value = (row) => row[column].value;
    const rows = column < 0 ? all : [...all].sort((a, b) => {
      if (value(a) === null || value(b) === null) return (value(a) === null) - (value(b) === null);
      return sign * (typeof value(a) === "string" ? value(a).localeCompare(String(value(b))) : value(a) - value(b));
    });
    body.replaceChildren(...rows.map((row) =>
      element("tr", {}, ...row.filter((cell) => cell.span !== 0).map((cell) =>
        element("td", cell.span ? { colspan: cell.span, class: "reason" } : {}, cell.text)))));
  }
  table.append(element("caption", { hidden: "" }, caption),
               element("thead", {}, element("tr", {}, ...heads)), body);
  if (sortedBy >= 0) heads[sortedBy].setAttribute("aria-sort", "ascending");
  fill(sortedBy, 1);
}

function drawTables() {
  drawTable(document.getElementById("table"), data.ranking, "Codecs by BD-rate");
  for (const contrasts of data.contrasts) {
    const table = element("table");
    document.getElementById("contrast-tables").append(element("div", { class: "scroll" }, table));
    drawTable(table, contrasts, "Contrasts");
  }
  document.getElementById("contrast-section").hidden = !data.contrasts.length;
  if (data.files) drawTable(document.getElementById("file-table"), data.files, "BD-rate of each file");
  document.getElementById("file-section").hidden = !data.files;
}

// The curves: one SVG, redrawn for another metric or selection of curves.
const LEFT = 58, RIGHT = 16, TOP = 12, BOTTOM = 48;
const hidden = new Set();

function ticks(low, high, count) {
  const rough = (high - low) / count, power = 10 ** Math.floor(Math.log10(rough));
  const step = [1, 2, 5, 10].map((k) => k * power).find((s) => s >= rough);
  const found = [];
  for (let k = Math.ceil(low / step); k * step <= high + 1e-9; k++) found.push(+(k * step).toPrecision(10));
  return found;
}

// Round numbers for a logarithmic axis: 1, 2 and 5 of each decade, more of them within one, and
// equal steps on a part of a decade that holds hardly any of these.
function logTicks(low, high) {
  const found = [], steps = high / low < 10 ? [1, 1.5, 2, 3, 4, 5, 6, 8] : [1, 2, 5];
  for (let power = Math.floor(Math.log10(low)); power <= Math.log10(high); power++) {
    for (const step of steps) found.push(+(step * 10 ** power).toPrecision(3));
  }
  const inside = found.filter((at) => at >= low && at <= high);
  return inside.length > 2 ? inside : ticks(low, high, 5);
}

function drawCurves() {
  const metric = data.metrics[document.getElementById("metric").value];
  const shown = metric.curves.filter((curve) => !hidden.has(curve.name));
  const chart = document.getElementById("chart");
  const tip = element("div", { id: "tip", role: "status", hidden: "" });
  const WIDTH = Math.max(chart.clientWidth, 280), HEIGHT = Math.min(460, 200 + WIDTH / 3);
  const points = shown.flatMap((curve) => curve.points);
  if (!points.length) { chart.replaceChildren(tip); return; }
  const rates = points.map((p) => p.rate), log = document.getElementById("log").checked;
  const left = log ? Math.min(...rates) / 1.05 : 0, right = 1.05 * Math.max(...rates);
  const qualities = points.map((p) => p.quality);
  const margin = 0.05 * (Math.max(...qualities) - Math.min(...qualities) || 1);
  const low = Math.min(...qualities) - margin, high = Math.max(...qualities) + margin;
  const share = (rate) => log ? Math.log(rate / left) / Math.log(right / left) : rate / right;
  const x = (rate) => LEFT + (WIDTH - LEFT - RIGHT) * share(rate);
  const y = (quality) => TOP + (HEIGHT - TOP - BOTTOM) * (high - quality) / (high - low);
  const svg = element("svg", { viewBox: `0 0 ${WIDTH} ${HEIGHT}`, role: "group",
                               "aria-label": `${metric.label} over rate` });
  for (const at of log ? logTicks(left, right) : ticks(0, right, WIDTH / 90)) {
    svg.append(element("line", { class: "grid", x1: x(at), x2: x(at), y1: TOP, y2: HEIGHT - BOTTOM }),
               element("text", { x: x(at), y: HEIGHT - BOTTOM + 18, "text-anchor": "middle" }, String(at)));
  }
  for (const at of ticks(low, high, 7)) {
    svg.append(element("line", { class: "grid", x1: LEFT, x2: WIDTH - RIGHT, y1: y(at), y2: y(at) }),
               element("text", { x: LEFT - 8, y: y(at) + 4, "text-anchor": "end" }, String(at)));
  }
  svg.append(
    element("text", { x: (LEFT + WIDTH - RIGHT) / 2, y: HEIGHT - 8, "text-anchor": "middle" }, WIDTH < 500 ? data.rateLabel.split(",")[0] : data.rateLabel),
    element("text", { transform: `translate(14 ${(HEIGHT - BOTTOM) / 2}) rotate(-90)`, "text-anchor": "middle" },
            metric.axis));
  const path = (line) => line.map(([rate, quality], k) => `${k ? "L" : "M"}${x(rate).toFixed(2)} ${y(quality).toFixed(2)}`).join("");
  for (const curve of shown) {
    const colour = curve.colour || "var(--anchor)";
    if (curve.band) {
      svg.append(element("path", { d: path([...curve.band.low, ...[...curve.band.high].reverse()]) + "Z",
                                   fill: colour, "fill-opacity": 0.18 }));
    }
    svg.append(element("path", { d: path(curve.line), fill: "none", style: `stroke:${colour}`,
                                 "stroke-width": 2, "stroke-dasharray": curve.dash }));
    for (const point of curve.points) {
      const circle = element("circle", { class: "point", cx: x(point.rate), cy: y(point.quality), r: 4.5,
                                         style: `fill:${colour}`, tabindex: 0, role: "img", "aria-label": point.text });
      const show = () => {
        tip.textContent = point.text;
        tip.hidden = false;
        const place = Math.min(x(point.rate) + 12, chart.clientWidth - tip.offsetWidth - 4);
        tip.style.left = `${Math.max(place, 0)}px`;
        tip.style.top = `${Math.max(y(point.quality) - tip.offsetHeight - 10, 0)}px`;
      };
      for (const event of ["mouseenter", "focus", "click"]) circle.addEventListener(event, show);
      for (const event of ["mouseleave", "blur"]) circle.addEventListener(event, () => { tip.hidden = true; });
      svg.append(circle);
    }
  }
  chart.replaceChildren(svg, tip);
}

function drawLegend() {
  const legend = document.getElementById("legend");
  for (const curve of Object.values(data.metrics)[0].curves) {
    const swatch = element("svg", { width: 26, height: 10, "aria-hidden": "true" },
      element("line", { x1: 0, x2: 26, y1: 5, y2: 5, style: `stroke:${curve.colour || "var(--anchor)"}`,
                        "stroke-width": 2.5, "stroke-dasharray": curve.dash }));
    const button = element("button", { type: "button", "aria-pressed": "true" }, swatch, curve.name);
    button.addEventListener("click", () => {
      if (!hidden.delete(curve.name)) hidden.add(curve.name);
      button.setAttribute("aria-pressed", String(!hidden.has(curve.name)));
      drawCurves();
    });
    legend.append(button);
  }
  const select = document.getElementById("metric");
  for (const [key, metric] of Object.entries(data.metrics)) select.append(element("option", { value: key }, metric.label));
  select.addEventListener("change", drawCurves);
  document.getElementById("log").addEventListener("change", drawCurves);
  let width = 0;
  new ResizeObserver(() => {
    const now = document.getElementById("chart").clientWidth;
    if (now !== width) { width = now; drawCurves(); }
  }).observe(document.getElementById("chart"));
}

// Crops: the slider is a range input on top of the image.
function drawCrops() {
  for (const crop of data.crops) {
    const pair = element("div", { class: "pair" },
      element("img", { src: crop.decoded, alt: `${crop.name} decoded by ${crop.codec}` }),
      element("img", { src: crop.original, alt: `${crop.name}, the original`, class: "original" }),
      element("div", { class: "line" }));
    const slider = element("input", { type: "range", min: 0, max: 100, value: 50, step: 1,
                                      "aria-label": `${crop.name}: original left, ${crop.codec} right` });
    const move = () => pair.style.setProperty("--at", `${slider.value}%`);
    slider.addEventListener("input", move);
    move();
    pair.append(slider);
    document.getElementById("crops").append(
      element("figure", {}, pair, element("figcaption", {}, crop.text)));
  }
  document.getElementById("image-section").hidden = !data.crops.length;
  for (const example of data.audio) {
    document.getElementById("audio").append(element("figure", {},
      element("figcaption", {}, example.text),
      element("audio", { controls: "", preload: "none", src: example.source, "aria-label": example.text })));
  }
  document.getElementById("audio-section").hidden = !data.audio.length;
}

drawTables();
drawLegend();
drawCurves();
drawCrops();
