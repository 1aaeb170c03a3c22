/** A small line over time, drawn as SVG; the figures it is made of are beside it as text. */

const SVG = "http://www.w3.org/2000/svg";
const WIDTH = 240;
const HEIGHT = 48;

/**
 * @param length how many points fill the width; the newest is on the right.
 * @param floor the top of the scale is at least this, so that a quiet line lies low.
 */
export function createGraph({ length = 60, floor = 1, label }) {
  const svg = node("svg", { class: "graph", viewBox: `0 0 ${WIDTH} ${HEIGHT}`, preserveAspectRatio: "none", role: "img" });
  const title = node("title", {});
  const area = node("path", { class: "graph-area" });
  const line = node("path", { class: "graph-line" });
  svg.append(title, area, line);

  return {
    element: svg,
    update(values) {
      const shown = values.slice(-length);
      const top = Math.max(floor, ...shown);
      title.textContent = `${label}, the last ${shown.length} s; the highest is ${top.toFixed(1)}`;
      const points = shown.map((value, index) => {
        const x = WIDTH - ((shown.length - 1 - index) * WIDTH) / (length - 1);
        const y = HEIGHT - 2 - (value / top) * (HEIGHT - 6);
        return `${x.toFixed(1)} ${y.toFixed(1)}`;
      });
      const path = points.length > 1 ? `M${points.join("L")}` : "";
      line.setAttribute("d", path);
      area.setAttribute("d", path && `${path}L${WIDTH} ${HEIGHT}L${points[0].split(" ")[0]} ${HEIGHT}Z`);
    },
  };
}

function node(name, attributes) {
  const made = document.createElementNS(SVG, name);
  for (const [key, value] of Object.entries(attributes)) made.setAttribute(key, value);
  return made;
}
