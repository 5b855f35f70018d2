/* A company's own colour, made safe: shades that keep the contrast of the design tokens in light and in dark. */

const THEMES = {
  light: { surface: [255, 255, 255], pole: [0, 0, 0], on: "#ffffff", soft: 0.11, line: 0.3, ink: 0.16 },
  dark: { surface: [26, 38, 40], pole: [255, 255, 255], on: "#0d1517", soft: 0.2, line: 0.38, ink: 0.4 },
};
const READABLE = 4.6;

/** `#rrggbb` as three numbers, or null for anything else. */
export function parseColour(text) {
  const match = /^#?([0-9a-f]{6})$/i.exec(text ?? "");
  return match ? [0, 2, 4].map((at) => Number.parseInt(match[1].slice(at, at + 2), 16)) : null;
}

/** WCAG 2 contrast of two colours. */
export function contrast(one, other) {
  const [light, dark] = [luminance(one), luminance(other)].sort((a, b) => b - a);
  return (light + 0.05) / (dark + 0.05);
}

function luminance(colour) {
  const [red, green, blue] = colour.map((value) => {
    const part = value / 255;
    return part <= 0.04045 ? part / 12.92 : ((part + 0.055) / 1.055) ** 2.4;
  });
  return 0.2126 * red + 0.7152 * green + 0.0722 * blue;
}

/** The custom properties to set for an accent, or {} when it is none. */
export function accentTokens(text, theme) {
  const accent = parseColour(text);
  if (!accent) return {};
  const { surface, pole, on, soft, line, ink } = THEMES[theme];
  const ground = mix(surface, accent, soft);
  const brand = readable(accent, pole, ground);
  return {
    "--brand": hex(brand),
    "--brand-hover": hex(mix(brand, pole, 0.14)),
    "--brand-press": hex(mix(brand, pole, 0.26)),
    "--on-brand": on,
    "--brand-soft": hex(ground),
    "--brand-line": hex(mix(surface, accent, line)),
    "--brand-ink": hex(readable(mix(brand, pole, ink), pole, ground)),
    "--link": hex(brand),
    "--focus": hex(brand),
  };
}

function readable(colour, pole, ground) {
  for (let part = 0; part < 1; part += 0.04) {
    const mixed = mix(colour, pole, part);
    if (contrast(mixed, ground) >= READABLE) return mixed;
  }
  return pole;
}

const mix = (one, other, part) => one.map((value, index) => Math.round(value + (other[index] - value) * part));
const hex = (colour) => `#${colour.map((value) => value.toString(16).padStart(2, "0")).join("")}`;

/** Applies accent and theme to the page, and again whenever the system turns dark or light. */
export function dress(root, { accent, theme }) {
  const dark = window.matchMedia("(prefers-color-scheme: dark)");
  if (theme === "light" || theme === "dark") root.dataset.theme = theme;
  const apply = () => {
    const current = root.dataset.theme ?? (dark.matches ? "dark" : "light");
    for (const [name, value] of Object.entries(accentTokens(accent, current))) root.style.setProperty(name, value);
  };
  dark.addEventListener("change", apply);
  apply();
}
