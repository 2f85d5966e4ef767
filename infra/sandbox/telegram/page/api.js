// The control interface of the sandbox, as the page uses it.

/** The desk refused or did not answer; `message` says why in plain words. */
export class DeskError extends Error {}

async function call(path, options = {}) {
  let response;
  try {
    response = await fetch(path, { cache: "no-store", ...options });
  } catch {
    throw new DeskError("the desk is not running");
  }
  const answer = await response.json().catch(() => ({}));
  if (!response.ok) throw new DeskError(answer.error ?? `The desk answered ${response.status}.`);
  return answer;
}

const post = (path, body) =>
  call(path, {
    method: "POST",
    headers: { "Content-Type": "application/json" },
    body: JSON.stringify(body),
  });

const chat = (user) => `/api/chats/${encodeURIComponent(user)}`;

/** What changed in a chat after `revision`. */
export const fetchPage = (user, revision) =>
  call(`/api/page/${encodeURIComponent(user)}?since=${revision}`);

/** Send a text as `user`. */
export const sendText = (user, text) => post(`${chat(user)}/messages`, { text });

/** Tap a button as `user`. */
export const sendTap = (user, messageId, data) =>
  post(`${chat(user)}/taps`, { message_id: messageId, data });

/** Set the speed of the simulated market. */
export const setSpeed = (speed) => post("/api/clock", { speed });

/** Call `onChange` whenever the chat of `user` changes; returns a function that ends it. */
export function watch(user, onChange, onState) {
  const source = new EventSource(`/api/stream/${encodeURIComponent(user)}`);
  source.onmessage = onChange;
  source.onopen = () => onState(true);
  source.onerror = () => onState(false);
  return () => source.close();
}
