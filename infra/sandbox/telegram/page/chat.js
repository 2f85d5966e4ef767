// The chat page: fetches what changed, shows it, and sends what the person does.

import { DeskError, fetchPage, sendTap, sendText, setSpeed, watch } from "./api.js";
import { plainWords } from "./bubbles.js";
import { Composer } from "./composer.js";
import { find, make } from "./dom.js";
import { alertBox, openPhoto, toast, toggleMenu, wireLightbox } from "./overlays.js";
import { showPeople } from "./people.js";
import { Timeline } from "./timeline.js";

const ANSWER_WITHIN_MILLISECONDS = 15000;
const LOOK_AGAIN_MILLISECONDS = 15000;
const SPEEDS = [1, 5, 20];
const ACTIONS = { typing: "typing", upload_photo: "sending a photo", upload_document: "sending a file" };

class ChatPage {
  constructor() {
    this.media = new Map();
    this.waiting = new Map();
    this.title = "Tapedesk";
    this.timeline = new Timeline({
      media: (id) => this.media.get(id),
      message: (id) => this.timeline.messages.get(id),
      botTitle: () => this.title,
      onCommand: (text) => this.send(text),
      onTap: (id, data) => this.tap(id, data),
      onCopy: (text) => copy(text),
      onPhoto: openPhoto,
      onJump: (id) => this.timeline.jump(id) || toast("That message is no longer kept"),
    });
    this.composer = new Composer((text) => this.send(text));
    find("theme").addEventListener("click", () => window.toggleTheme());
    find("pinned").addEventListener("click", () => this.timeline.jump(this.pinned));
    find("speed").addEventListener("click", () => this.chooseSpeed());
    addEventListener("popstate", () => this.open(userOfAddress()));
    setInterval(() => this.refresh(), LOOK_AGAIN_MILLISECONDS);
    wireLightbox();
  }

  /** Show the chat of `user`. */
  open(user) {
    if (user === this.user) return;
    this.user = user;
    this.revision = 0;
    this.begun = false;
    this.answered = null;
    this.media.clear();
    this.waiting.clear();
    this.timeline.open(user);
    this.composer.open(user);
    this.stopWatching?.();
    this.stopWatching = watch(user, () => this.refresh(), (up) => this.showConnection(up));
    this.refresh();
  }

  switchTo(user) {
    history.pushState({}, "", user === "owner" ? "/" : `/?user=${encodeURIComponent(user)}`);
    this.open(user);
  }

  /** Fetch what changed; calls that come meanwhile are served by one more fetch. */
  async refresh() {
    if (this.fetching) {
      this.again = true;
      return;
    }
    this.fetching = true;
    const user = this.user;
    try {
      const view = await fetchPage(user, this.revision);
      if (user === this.user) this.show(view);
    } catch (error) {
      if (!(error instanceof DeskError)) throw error;
      this.showConnection(false, error.message);
    } finally {
      this.fetching = false;
      if (this.again || user !== this.user) {
        this.again = false;
        this.refresh();
      }
    }
  }

  show(view) {
    this.title = view.bot.title;
    this.revision = view.revision;
    find("bot-title").textContent = view.bot.title;
    for (const [id, media] of Object.entries(view.media)) this.media.set(Number(id), media);
    this.begun ||= view.chat.messages.some((message) => message.from === "user");
    this.composer.update(view.chat, view.placeholder, this.begun, view.message_ids.length === 0);
    this.timeline.update(view.chat.messages, view.message_ids);
    this.showAnswers(view.answers);
    this.showWaiting();
    this.showAction(view.action);
    this.showPinned(view.pinned);
    this.showSpeed(view.speed);
    showPeople(view, this.user, (name) => this.switchTo(name));
  }

  showAnswers(answers) {
    for (const answer of answers) {
      this.waiting.delete(answer.update_id);
      const fresh = this.answered !== null && !this.answered.has(answer.update_id);
      if (!fresh || !answer.text) continue;
      if (answer.alert) alertBox(this.title, answer.text);
      else toast(answer.text);
    }
    this.answered = new Set(answers.map((answer) => answer.update_id));
  }

  showWaiting() {
    const keys = new Set(this.waiting.values());
    for (const button of document.querySelectorAll("[data-tap]")) {
      const busy = keys.has(button.dataset.tap);
      button.classList.toggle("busy", busy);
      button.setAttribute("aria-busy", String(busy));
    }
  }

  showAction(action) {
    clearTimeout(this.actionTimer);
    const status = find("bot-status");
    status.classList.toggle("busy", Boolean(action));
    status.textContent = action ? ACTIONS[action.name] ?? "working" : "bot";
    if (action) this.actionTimer = setTimeout(() => this.showAction(null), action.seconds * 1000);
  }

  showPinned(id) {
    this.pinned = id;
    const message = id && this.timeline.messages.get(id);
    find("pinned").hidden = !message;
    if (message) find("pinned-text").textContent = plainWords(message);
  }

  showSpeed(speed) {
    this.speed = speed;
    find("speed-now").textContent = `×${speed}`;
  }

  showConnection(up, reason) {
    document.body.classList.toggle("offline", !up);
    if (up) this.refresh();
    else find("bot-status").textContent = reason ?? "connecting…";
  }

  chooseSpeed() {
    toggleMenu(find("speed"), SPEEDS.map((speed) => ({
      node: make("span", "speed-item", make("b", "", `×${speed}`), " market speed"),
      checked: speed === this.speed,
      run: () => this.attempt(() => setSpeed(speed)),
    })));
  }

  async send(text) {
    this.timeline.atBottom = true;
    return (await this.attempt(() => sendText(this.user, text))) !== null;
  }

  async tap(messageId, data) {
    const key = `${messageId} ${data}`;
    const early = Symbol("sending");
    this.waiting.set(early, key);
    this.showWaiting();
    const sent = await this.attempt(() => sendTap(this.user, messageId, data));
    this.waiting.delete(early);
    if (sent && !this.answered?.has(sent.update_id)) {
      this.waiting.set(sent.update_id, key);
      setTimeout(() => this.giveUp(sent.update_id), ANSWER_WITHIN_MILLISECONDS);
    }
    this.showWaiting();
  }

  giveUp(updateId) {
    if (!this.waiting.delete(updateId)) return;
    toast("The bot has not answered this tap yet");
    this.showWaiting();
  }

  async attempt(work) {
    try {
      return await work();
    } catch (error) {
      if (!(error instanceof DeskError)) throw error;
      toast(`Not sent: ${error.message}`, "fault");
      return null;
    }
  }
}

async function copy(text) {
  try {
    await navigator.clipboard.writeText(text);
    toast(`Copied: ${text}`);
  } catch {
    toast(`Could not copy. The text is: ${text}`);
  }
}

const userOfAddress = () => new URLSearchParams(location.search).get("user") || "owner";

new ChatPage().open(userOfAddress());
