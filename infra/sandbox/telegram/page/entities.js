// Turns a text and its entities into nodes. Offsets are UTF-16 units, as in JavaScript strings.

import { isWebAddress, make, makeButton, makeLink } from "./dom.js";

const TAGS = {
  bold: "strong", italic: "em", underline: "u", strikethrough: "s", code: "code",
};

/** A fragment showing `text`; `actions` has onCommand(text). */
export function renderText(text, entities, actions) {
  const sorted = [...entities].sort((a, b) => a.offset - b.offset || b.length - a.length);
  return renderRange(text, 0, text.length, sorted, actions);
}

function renderRange(text, start, end, entities, actions) {
  const fragment = document.createDocumentFragment();
  let at = start;
  let next = 0;
  while (next < entities.length) {
    const entity = entities[next];
    const from = Math.max(entity.offset, at);
    const to = Math.min(entity.offset + entity.length, end);
    next += 1;
    if (to <= from) continue;
    const inner = [];
    while (next < entities.length && entities[next].offset < to) inner.push(entities[next++]);
    fragment.append(text.slice(at, from));
    fragment.append(renderEntity(entity, text, from, to, inner, actions));
    at = to;
    if (isBlock(entity) && text[at] === "\n") at += 1;
  }
  fragment.append(text.slice(at, end));
  return fragment;
}

const isBlock = (entity) => ["pre", "blockquote", "expandable_blockquote"].includes(entity.type);

function renderEntity(entity, text, start, end, inner, actions) {
  const content = renderRange(text, start, end, inner, actions);
  const written = text.slice(start, end);
  switch (entity.type) {
    case "pre": return renderPre(entity, content);
    case "blockquote": return make("blockquote", "", content);
    case "expandable_blockquote": return renderExpandable(content);
    case "spoiler": return renderSpoiler(content);
    case "text_link": return link(entity.url, content);
    case "url": return link(written, content);
    case "date_time": return renderTime(entity, written);
    case "bot_command": return renderCommand(written, content, actions);
    case "hashtag": case "cashtag": case "mention": return make("span", "tag", content);
    default: return TAGS[entity.type] ? make(TAGS[entity.type], "", content) : content;
  }
}

const link = (address, content) =>
  isWebAddress(address) ? makeLink(address, "", content) : make("span", "", content);

function renderPre(entity, content) {
  const pre = make("pre", "", content);
  pre.tabIndex = 0;
  if (entity.language) pre.dataset.language = entity.language;
  return pre;
}

function renderExpandable(content) {
  const quote = make("blockquote", "expandable", make("div", "fold", content));
  const toggle = makeButton("more", "Show more");
  toggle.setAttribute("aria-expanded", "false");
  toggle.addEventListener("click", () => setOpen(quote, !quote.classList.contains("open")));
  quote.append(toggle);
  return quote;
}

/** Open or fold an expandable quote. */
export function setOpen(quote, open) {
  quote.classList.toggle("open", open);
  const toggle = quote.querySelector(".more");
  toggle.textContent = open ? "Show less" : "Show more";
  toggle.setAttribute("aria-expanded", String(open));
}

function renderSpoiler(content) {
  const spoiler = make("span", "spoiler", content);
  spoiler.tabIndex = 0;
  spoiler.setAttribute("role", "button");
  spoiler.setAttribute("aria-label", "Hidden text, press to show");
  const show = () => {
    spoiler.classList.add("open");
    spoiler.removeAttribute("aria-label");
  };
  spoiler.addEventListener("click", show);
  spoiler.addEventListener("keydown", (event) => {
    if (event.key === "Enter" || event.key === " ") show();
  });
  return spoiler;
}

function renderCommand(written, content, actions) {
  const button = makeButton("command", content);
  button.addEventListener("click", () => actions.onCommand(written));
  return button;
}

function renderTime(entity, written) {
  const time = make("time", "", written);
  const moment = new Date(entity.unix_time * 1000);
  if (!Number.isNaN(moment.getTime())) {
    time.dateTime = moment.toISOString();
    time.title = written;
    time.dataset.format = entity.date_time_format ?? "";
    showTime(time);
  }
  return time;
}

/** Write the reader's local time (or the time left) into a time element. */
export function showTime(time) {
  const moment = new Date(time.dateTime);
  const format = time.dataset.format;
  if (format === "r") time.textContent = relative(moment);
  else if (format) time.textContent = new Intl.DateTimeFormat(undefined, parts(format)).format(moment);
}

function parts(format) {
  const options = {};
  if (format.includes("w")) options.weekday = "long";
  if (format.includes("d")) Object.assign(options, { day: "numeric", month: "numeric", year: "2-digit" });
  if (format.includes("D")) Object.assign(options, { day: "numeric", month: "long", year: "numeric" });
  if (/[tT]/.test(format)) Object.assign(options, { hour: "2-digit", minute: "2-digit", hourCycle: "h23" });
  if (format.includes("T")) options.second = "2-digit";
  return options;
}

const UNITS = [["day", 86400], ["hour", 3600], ["minute", 60], ["second", 1]];

function relative(moment) {
  const seconds = Math.round((moment.getTime() - Date.now()) / 1000);
  const [unit, size] = UNITS.find(([, length]) => Math.abs(seconds) >= length) ?? UNITS[3];
  const format = new Intl.RelativeTimeFormat("en", { numeric: "auto" });
  return format.format(Math.round(seconds / size), unit);
}
