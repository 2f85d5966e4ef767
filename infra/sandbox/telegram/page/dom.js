// Small helpers for building nodes. Data only ever becomes text nodes or checked attributes.

export const find = (id) => document.getElementById(id);

/** A new element with a class and children (nodes or strings). */
export function make(tag, className = "", ...children) {
  const element = document.createElement(tag);
  if (className) element.className = className;
  element.append(...children);
  return element;
}

/** A button that never submits a form. */
export function makeButton(className, ...children) {
  const button = make("button", className, ...children);
  button.type = "button";
  return button;
}

/** An icon of the sprite. */
export function icon(name) {
  const svg = document.createElementNS("http://www.w3.org/2000/svg", "svg");
  const use = document.createElementNS("http://www.w3.org/2000/svg", "use");
  use.setAttribute("href", `#i-${name}`);
  svg.setAttribute("aria-hidden", "true");
  svg.append(use);
  return svg;
}

/** Whether a link may be opened: web addresses only. */
export function isWebAddress(address) {
  try {
    return ["http:", "https:"].includes(new URL(address).protocol);
  } catch {
    return false;
  }
}

/** A link that opens in a new tab and tells the other side nothing. */
export function makeLink(address, className, ...children) {
  const link = make("a", className, ...children);
  link.href = address;
  link.target = "_blank";
  link.rel = "noopener noreferrer";
  return link;
}

/** Remembered choices; the page works without them. */
export const memory = {
  get(key) {
    try { return localStorage.getItem(`tapedesk-${key}`); } catch { return null; }
  },
  set(key, value) {
    try { localStorage.setItem(`tapedesk-${key}`, value); } catch { /* private mode */ }
  },
};
