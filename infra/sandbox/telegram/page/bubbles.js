// Builds the node of one message: quote, photo or file, text, time, buttons.

import { icon, isWebAddress, make, makeButton, makeLink } from "./dom.js";
import { renderText, setOpen } from "./entities.js";

const clock = new Intl.DateTimeFormat(undefined, { hour: "2-digit", minute: "2-digit", hourCycle: "h23" });
const STYLES = ["primary", "success", "danger"];

/** The words of a message without its format, for quotes and the pinned bar. */
export function plainWords(message) {
  const words = message.text ?? message.caption;
  if (words) return words.replace(/\s+/g, " ").slice(0, 120);
  return message.photo ? "Photo" : "File";
}

/**
 * The node of `message`. `context` has media(id), message(id), botTitle and the actions
 * onCommand, onTap, onCopy, onPhoto, onJump. `old` is the node it replaces, whose picture and
 * opened parts are kept.
 */
export function renderMessage(message, context, old) {
  const row = make("article", `row ${message.from === "bot" ? "in" : "out"}`);
  row.dataset.id = message.id;
  const bubble = make("div", "bubble");
  if (message.reply_to) bubble.append(renderQuote(message.reply_to, context));
  if (message.photo) bubble.append(renderPhoto(message, context, old));
  if (message.document) bubble.append(renderFile(message, context));
  bubble.append(renderBody(message, context));
  bubble.classList.toggle("with-photo", Boolean(message.photo));
  bubble.classList.toggle("bare-photo", Boolean(message.photo && !message.caption));
  const stack = make("div", "stack", bubble);
  if (message.buttons.length) stack.append(renderButtons(message, context));
  row.append(stack);
  if (old) keepOpenParts(old, row);
  return row;
}

function renderBody(message, context) {
  const words = message.text ?? message.caption ?? "";
  const body = make("div", "words");
  body.dir = "auto";
  if (words) body.append(renderText(words, message.entities, context));
  body.append(renderMeta(message));
  return body;
}

function renderMeta(message) {
  const sent = new Date(message.date * 1000);
  const time = make("time", "", clock.format(sent));
  time.dateTime = sent.toISOString();
  time.title = sent.toLocaleString();
  const meta = make("span", "meta");
  if (message.edited) meta.append(make("span", "edited", "edited"), " ");
  meta.append(time);
  return meta;
}

function renderQuote(id, context) {
  const quoted = context.message(id);
  const author = quoted?.from === "user" ? "You" : context.botTitle();
  const words = quoted ? plainWords(quoted) : "Message no longer kept";
  const lines = make("span", "lines", make("b", "", author), make("span", "", words));
  const quote = makeButton("quote", lines);
  if (quoted?.photo) {
    const picture = make("img");
    picture.src = quoted.photo;
    picture.alt = "";
    quote.prepend(picture);
  }
  quote.setAttribute("aria-label", `In reply to: ${words}`);
  quote.addEventListener("click", () => context.onJump(id));
  return quote;
}

function renderPhoto(message, context, old) {
  const media = context.media(message.id) ?? {};
  const kept = old?.querySelector(".photo img");
  const picture = kept?.getAttribute("src") === message.photo ? kept : new Image();
  if (picture !== kept) {
    picture.width = media.width ?? 1280;
    picture.height = media.height ?? 720;
    picture.decoding = "async";
    picture.src = message.photo;
    picture.addEventListener("error", () => picture.replaceWith(make("p", "gone", "This picture is no longer kept")));
  }
  picture.alt = message.caption ? plainWords(message) : "Photo";
  const button = makeButton("photo", picture);
  button.setAttribute("aria-label", "Enlarge the photo");
  button.addEventListener("click", () => context.onPhoto(message.photo, picture.alt));
  return button;
}

function renderFile(message, context) {
  const media = context.media(message.id) ?? {};
  const name = media.name ?? "file";
  const link = make("a", "file", make("span", "disc", icon("file")));
  link.append(make("span", "lines", make("b", "", name), make("span", "", sizeText(media.size ?? 0))));
  link.href = message.document;
  link.download = name;
  return link;
}

function sizeText(bytes) {
  if (bytes < 1024) return `${bytes} B`;
  return bytes < 1048576 ? `${(bytes / 1024).toFixed(1)} KB` : `${(bytes / 1048576).toFixed(1)} MB`;
}

function renderButtons(message, context) {
  const keyboard = make("div", "buttons");
  for (const row of message.buttons) {
    keyboard.append(make("div", "buttons-row", ...row.map((button) => renderButton(message, button, context))));
  }
  return keyboard;
}

function renderButton(message, button, context) {
  const style = STYLES.includes(button.style) ? button.style : "plain";
  const label = make("span", "label", button.text);
  if (button.url && isWebAddress(button.url)) return makeLink(button.url, style, label, icon("link"));
  const element = makeButton(style, label);
  if (button.copy !== undefined) {
    element.append(icon("copy"));
    element.addEventListener("click", () => context.onCopy(button.copy));
  } else if (typeof button.data === "string") {
    element.dataset.tap = `${message.id} ${button.data}`;
    element.addEventListener("click", () => context.onTap(message.id, button.data));
  } else {
    element.disabled = true;
  }
  return element;
}

function keepOpenParts(old, row) {
  const quotes = row.querySelectorAll("blockquote.expandable");
  old.querySelectorAll("blockquote.expandable").forEach((quote, index) => {
    if (quotes[index] && quote.classList.contains("open")) setOpen(quotes[index], true);
  });
  const spoilers = row.querySelectorAll(".spoiler");
  old.querySelectorAll(".spoiler").forEach((spoiler, index) => {
    if (spoiler.classList.contains("open")) spoilers[index]?.classList.add("open");
  });
}
