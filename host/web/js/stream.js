// The stream of arriving events. Read with fetch, not EventSource, because that one cannot send a token.

import { get } from './api.js';

const RETRY = 1_000; // ms; doubles up to LONGEST
const LONGEST = 15_000;
const HIDDEN = 30_000; // ms; a page nobody looks at gives its connection back after this

/** Calls `take(name, data)` for each message of a text/event-stream body until it ends. */
export async function messages(body, take) {
  const reader = body.pipeThrough(new TextDecoderStream()).getReader();
  let rest = '';
  let name = 'message';
  let data = [];
  for (;;) {
    const { value, done } = await reader.read();
    if (done) return;
    const lines = (rest + value).split(/\r\n|\n|\r(?!$)/);
    rest = lines.pop();
    for (const line of lines) {
      if (line === '') {
        if (data.length) take(name, data.join('\n'));
        name = 'message';
        data = [];
        continue;
      }
      const [, field, text] = /^([^:]*):? ?(.*)$/.exec(line);
      if (field === 'event') name = text;
      else if (field === 'data') data.push(text);
    }
  }
}

/** Follows `/v1/live` for as long as the page lives; `onState` hears connecting, open, lost. */
export async function follow(onEvent, onState) {
  let pause = RETRY;
  for (;;) {
    const stop = new AbortController();
    let timer;
    const watch = () => {
      clearTimeout(timer);
      if (document.hidden) timer = setTimeout(() => stop.abort(), HIDDEN);
    };
    document.addEventListener('visibilitychange', watch);
    watch();
    try {
      const answer = await get('/v1/live', { accept: 'text/event-stream', signal: stop.signal });
      onState('open');
      pause = RETRY;
      await messages(answer.body, (name, data) => name === 'event' && onEvent(JSON.parse(data)));
      onState('connecting');
    } catch {
      onState(stop.signal.aborted ? 'connecting' : 'lost');
    } finally {
      clearTimeout(timer);
      document.removeEventListener('visibilitychange', watch);
    }
    await new Promise((resolve) => setTimeout(resolve, pause * (0.75 + Math.random() / 2)));
    if (document.hidden) await new Promise((resolve) => document.addEventListener('visibilitychange', resolve, { once: true }));
    pause = Math.min(LONGEST, pause * 2);
  }
}
