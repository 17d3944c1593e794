const WIDTH = 640;
const HEIGHT = 400;
const MARGIN = { left: 70, right: 170, top: 40, bottom: 55 };
const COLORS = ['#0b62a3', '#c4501b', '#2e7d32', '#7b3fa0', '#6d6d00'];

/**
 * Lines on two axes as SVG text. `series` are {name, points: [[x, y], ...]}; `isLogX` and `isLogY` say which axes are logarithmic
 * (values must then be positive). Every measured point is marked.
 */
export function plot({ title, x, y, series, isLogX = true, isLogY = true }) {
  const all = series.flatMap(({ points }) => points);
  const across = axis(
    all.map(([value]) => value),
    isLogX,
    MARGIN.left,
    WIDTH - MARGIN.right,
  );
  const up = axis(
    all.map(([, value]) => value),
    isLogY,
    HEIGHT - MARGIN.bottom,
    MARGIN.top,
  );
  const { left, right, top, bottom } = MARGIN;
  const grid = [
    ...across.ticks.map(
      (tick) =>
        line(across.at(tick), top, across.at(tick), HEIGHT - bottom) +
        text(across.at(tick), HEIGHT - bottom + 18, label(tick)),
    ),
    ...up.ticks.map(
      (tick) =>
        line(left, up.at(tick), WIDTH - right, up.at(tick)) + text(left - 8, up.at(tick) + 4, label(tick), 'end'),
    ),
  ];
  const lines = series.map(({ name, points }, i) => {
    const color = COLORS[i % COLORS.length];
    const places = points.map(([px, py]) => [across.at(px).toFixed(1), up.at(py).toFixed(1)]);
    const marks = places.map(([cx, cy]) => `<circle cx="${cx}" cy="${cy}" r="3" fill="${color}"/>`).join('');
    const key = top + 14 + 20 * i;
    return (
      `<polyline points="${places.map((place) => place.join(',')).join(' ')}" fill="none" stroke="${color}" stroke-width="2"/>${marks}\n` +
      `<line x1="${WIDTH - right + 12}" y1="${key - 4}" x2="${WIDTH - right + 30}" y2="${key - 4}" stroke="${color}" stroke-width="2"/>` +
      text(WIDTH - right + 36, key, name, 'start')
    );
  });
  const middle = (HEIGHT - bottom + top) / 2;
  return [
    `<svg xmlns="http://www.w3.org/2000/svg" viewBox="0 0 ${WIDTH} ${HEIGHT}" font-family="sans-serif" font-size="12">`,
    `<rect width="${WIDTH}" height="${HEIGHT}" fill="#fff"/>`,
    text((left + WIDTH - right) / 2, 24, title),
    ...grid,
    text((left + WIDTH - right) / 2, HEIGHT - 12, x),
    `<text x="16" y="${middle}" text-anchor="middle" transform="rotate(-90 16 ${middle})">${escaped(y)}</text>`,
    ...lines,
    '</svg>',
    '',
  ].join('\n');
}

function axis(values, isLog, from, to) {
  const [least, most] = [Math.min(...values), Math.max(...values)];
  const scale = isLog ? Math.log10 : (value) => value;
  const low = isLog ? scale(least) : 0;
  const span = scale(most) - low || 1;
  const at = (value) => from + ((to - from) * (scale(value) - low)) / span;
  const ticks = isLog ? logTicks(least, most) : linearTicks(most);
  return { at, ticks };
}

/** 1, 2 and 5 times the powers of ten in between. */
function logTicks(least, most) {
  const ticks = [];
  for (let power = Math.floor(Math.log10(least)); power <= Math.log10(most); power++) {
    for (const digit of [1, 2, 5]) ticks.push(digit * 10 ** power);
  }
  return ticks.filter((tick) => tick >= least && tick <= most);
}

function linearTicks(most) {
  const step = [1, 2, 5]
    .flatMap((digit) => [0.01, 0.1, 1, 10, 100].map((power) => digit * power))
    .sort((a, b) => a - b);
  const width = step.find((one) => most / one <= 8) ?? most / 8;
  return Array.from({ length: Math.floor(most / width) + 1 }, (_, i) => i * width);
}

function label(value) {
  return Number(value.toPrecision(3)).toLocaleString('en');
}

function line(x1, y1, x2, y2) {
  return `<line x1="${x1.toFixed(1)}" y1="${y1.toFixed(1)}" x2="${x2.toFixed(1)}" y2="${y2.toFixed(1)}" stroke="#ddd"/>`;
}

function text(x, y, content, anchor = 'middle') {
  return `<text x="${x.toFixed(1)}" y="${y.toFixed(1)}" text-anchor="${anchor}">${escaped(content)}</text>`;
}

function escaped(content) {
  return content.replaceAll('&', '&amp;').replaceAll('<', '&lt;');
}
