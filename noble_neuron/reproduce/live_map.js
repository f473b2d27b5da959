// Draws a feature over a plane of the latent space; its data lies in #map-data.
(() => {
  const data = JSON.parse(document.getElementById("map-data").textContent);
  const find = (id) => document.getElementById(id);
  const canvas = find("map-canvas");
  const pen = canvas.getContext("2d");
  const WIDTH = 900, HEIGHT = 560;
  const box = { left: 74, top: 16, width: 676, height: 488 };
  const NO_SUPPORT = "#e6e9ee", INK = "#3b424d", LINE = "#8a93a1";
  const VIRIDIS = [[68, 1, 84], [59, 82, 139], [33, 145, 140], [94, 201, 98], [253, 231, 37]];

  const nx = data.x.length, ny = data.y.length;
  const stepX = data.x[1] - data.x[0], stepY = data.y[1] - data.y[0];
  const lowX = data.x[0] - stepX / 2, lowY = data.y[0] - stepY / 2;
  const partX = (v) => (v - lowX) / (stepX * nx);
  const partY = (v) => (v - lowY) / (stepY * ny);
  const toX = (v) => box.left + partX(v) * box.width;
  const toY = (v) => box.top + (1 - partY(v)) * box.height;
  let feature = 0, current = 0, low = 0, high = 1;

  function colour(part) {
    const p = Math.max(0, Math.min(0.9999, part)) * (VIRIDIS.length - 1);
    const k = Math.floor(p);
    const mix = VIRIDIS[k].map((a, j) => Math.round(a + (VIRIDIS[k + 1][j] - a) * (p - k)));
    return `rgb(${mix})`;
  }

  const level = (v) => (v - low) / (high - low);
  const said = (v, digits = 4) =>
    v === null || v === undefined ? "none" : String(Number(Number(v).toPrecision(digits)));
  const withUnit = (v) => said(v) + (data.units[feature] ? " " + data.units[feature] : "");

  function text(what, x, y, align = "center") {
    pen.textAlign = align;
    pen.fillStyle = INK;
    pen.fillText(what, x, y);
  }

  function range() {
    const all = data.values[feature][current].flat().concat(data.full[feature][current]);
    const known = all.filter((v) => v !== null);
    low = Math.min(...known);
    high = Math.max(...known);
    if (!(high > low)) high = low + (Math.abs(low) || 1) * 1e-6;
  }

  function dot(x, y, value) {
    pen.beginPath();
    pen.arc(x, y, 5.5, 0, 7);
    pen.fillStyle = value === null ? "#fff" : colour(level(value));
    pen.fill();
    pen.lineWidth = 1.6;
    pen.strokeStyle = "#fff";
    pen.stroke();
    pen.beginPath();
    pen.arc(x, y, 6.4, 0, 7);
    pen.lineWidth = 0.8;
    pen.strokeStyle = "#20242b";
    pen.stroke();
  }

  function flat() {
    const grid = data.values[feature][current], support = data.supported[current];
    for (let j = 0; j < ny; j++) {
      for (let i = 0; i < nx; i++) {
        const value = grid[j][i];
        const none = value === null ? "#fff" : colour(level(value));
        pen.fillStyle = support[j][i] ? none : NO_SUPPORT;
        const x = toX(data.x[i] - stepX / 2), y = toY(data.y[j] + stepY / 2);
        pen.fillRect(x, y, box.width / nx + 0.7, box.height / ny + 0.7);
      }
    }
    data.cells.forEach(([u, v], k) => dot(toX(u), toY(v), data.full[feature][current][k]));
    pen.strokeStyle = LINE;
    pen.lineWidth = 0.8;
    pen.strokeRect(box.left, box.top, box.width, box.height);
    for (let k = 0; k <= 5; k++) {
      const u = data.x[0] + ((data.x[nx - 1] - data.x[0]) * k) / 5;
      const v = data.y[0] + ((data.y[ny - 1] - data.y[0]) * k) / 5;
      text(said(u, 3), toX(u), box.top + box.height + 14);
      text(said(v, 3), box.left - 8, toY(v), "right");
    }
    text(data.axes[0], box.left + box.width / 2, HEIGHT - 14);
    pen.save();
    pen.translate(16, box.top + box.height / 2);
    pen.rotate(-Math.PI / 2);
    text(data.axes[1], 0, 0);
    pen.restore();
  }

  // The first coordinate to the right, the second into the page, the value upwards.
  function lifted(u, v, value) {
    const a = partX(u), b = partY(v);
    const x = box.left + box.width * (0.72 * a + 0.27 * b);
    const y = box.top + box.height * (0.97 - 0.36 * b - 0.55 * level(value));
    return [x, y];
  }

  function surface() {
    const grid = data.values[feature][current];
    const floor = [[0, 0], [nx - 1, 0], [nx - 1, ny - 1], [0, ny - 1]];
    pen.beginPath();
    floor.forEach(([i, j]) => pen.lineTo(...lifted(data.x[i], data.y[j], low)));
    pen.closePath();
    pen.fillStyle = NO_SUPPORT;
    pen.fill();
    for (let j = ny - 2; j >= 0; j--) {
      for (let i = nx - 2; i >= 0; i--) {
        const corners = [[i, j], [i + 1, j], [i + 1, j + 1], [i, j + 1]];
        const values = corners.map(([p, q]) => grid[q][p]);
        if (values.includes(null)) continue;
        pen.beginPath();
        corners.forEach(([p, q], k) => pen.lineTo(...lifted(data.x[p], data.y[q], values[k])));
        pen.closePath();
        pen.fillStyle = colour(level(values.reduce((s, v) => s + v, 0) / 4));
        pen.strokeStyle = "rgba(255,255,255,.35)";
        pen.lineWidth = 0.5;
        pen.fill();
        pen.stroke();
      }
    }
    data.cells.forEach(([u, v], k) => {
      const value = data.full[feature][current][k];
      if (value !== null) dot(...lifted(u, v, value), value);
    });
    const [left, bottom] = lifted(data.x[0], data.y[0], low);
    const [right] = lifted(data.x[nx - 1], data.y[0], low);
    const [far, top] = lifted(data.x[nx - 1], data.y[ny - 1], low);
    text(data.axes[0], (left + right) / 2, bottom + 18);
    text(data.axes[1], (right + far) / 2 + 14, (bottom + top) / 2 + 14, "left");
  }

  function bar() {
    const left = WIDTH - 124, top = box.top + 30, tall = 300;
    for (let k = 0; k < tall; k++) {
      pen.fillStyle = colour(1 - k / (tall - 1));
      pen.fillRect(left, top + k, 16, 1.5);
    }
    for (let k = 0; k <= 4; k++) {
      text(said(low + ((high - low) * k) / 4), left + 22, top + tall * (1 - k / 4), "left");
    }
    text(data.units[feature], left, box.top + 14, "left");
  }

  function draw() {
    feature = Number(find("map-feature").value);
    current = Number(find("map-current").value);
    range();
    pen.clearRect(0, 0, WIDTH, HEIGHT);
    pen.font = "12px system-ui, sans-serif";
    pen.textBaseline = "middle";
    (find("map-view").value === "surface" ? surface : flat)();
    bar();
    find("map-read").textContent =
      "Point at the map: a square is the surrogate, a dot the full model of a training cell.";
  }

  function read(event) {
    if (find("map-view").value === "surface") return;
    const frame = canvas.getBoundingClientRect(), scale = WIDTH / frame.width;
    const x = (event.clientX - frame.left) * scale, y = (event.clientY - frame.top) * scale;
    const gaps = data.cells.map(([u, v]) => Math.hypot(toX(u) - x, toY(v) - y));
    const k = gaps.indexOf(Math.min(...gaps));
    if (gaps[k] < 8) {
      const full = data.full[feature][current][k], own = data.own[feature][current][k];
      find("map-read").textContent =
        `${data.names[k]}: full model ${withUnit(full)}; ` +
        `surrogate at its own point ${withUnit(own)}`;
      return;
    }
    const i = Math.floor(((x - box.left) / box.width) * nx);
    const j = Math.floor(((box.top + box.height - y) / box.height) * ny);
    if (i < 0 || j < 0 || i >= nx || j >= ny) return;
    const place = `${data.axes[0]} ${said(data.x[i])}, ${data.axes[1]} ${said(data.y[j])}: `;
    const off = said(data.outside[j][i], 2);
    find("map-read").textContent = place + (data.supported[current][j][i]
      ? `${withUnit(data.values[feature][current][j][i])}; the whole point lies ${off} encoded ` +
        "units off the hull of all coordinates"
      : "nothing was trained there at this current");
  }

  const ratio = window.devicePixelRatio || 1;
  canvas.width = WIDTH * ratio;
  canvas.height = HEIGHT * ratio;
  canvas.style.width = WIDTH + "px";
  pen.scale(ratio, ratio);
  data.features.forEach((name, k) => {
    const unit = data.units[k] ? ` [${data.units[k]}]` : "";
    find("map-feature").add(new Option(name + unit, k));
  });
  data.labels.forEach((name, k) => find("map-current").add(new Option(name, k)));
  find("map-feature").value = data.first[0];
  find("map-current").value = data.first[1];
  for (const id of ["map-feature", "map-current", "map-view"]) find(id).onchange = draw;
  canvas.onmousemove = read;
  draw();
})();
