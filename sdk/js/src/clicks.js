import { PRIVATE, describe, target } from './elements.js';
import { track } from './start.js';
import { on } from './page.js';
import { SECOND, amend, held } from './queue.js';

const FAST = 500; // ms between the clicks of an angry hand
const FILES = /\.(pdf|zip|exe|csv|(doc|xls|ppt)x?)$/i;

/**
 * Tells of every click by a person on what `selector` finds, or on a link to a file or another site.
 */
export const watchClicks = (selector) => {
  let burst;
  let last;
  let at;
  const answered = () => {
    held.clear();
    changes.disconnect();
  };
  const changes = new MutationObserver(answered);
  on('click', (e) => {
    const path = e.composedPath();
    const first = (found) => path.find((node) => node.matches?.(found));
    const link = first('a[href]');
    const kind = link && (link.matches('[download]') || FILES.test(link.pathname) ? 'download' : link.host && link.host !== location.host && 'outbound');
    const el = first(selector) || (kind && link);
    const since = e.timeStamp - at;
    // The click that a label hands on to its field is the same click.
    if (!e.isTrusted || !el || since < 1) return;
    burst = since < FAST && el === last && burst + 1; // fast clicks after the first
    last = el;
    at = e.timeStamp;

    const rect = el.getBoundingClientRect();
    // A keyboard has no place: the middle of the element.
    const [x, y] = e.detail ? [e.clientX, e.clientY] : [rect.x + rect.width / 2, rect.y + rect.height / 2];
    const key = track('element_clicked', {
      ...describe(el),
      x: Math.round(x + scrollX),
      y: Math.round(y + scrollY),
      element_x: Math.round(x - rect.x),
      element_y: Math.round(y - rect.y),
      ...kind && { link: kind, href: target(link) },
      rage_click: burst > 1,
      dead_click: false,
    });
    // These answer without changing the page.
    if (first(`${PRIVATE},a,label,video`)) return;
    held.add(key);
    path.pop(); // the window
    path.forEach((node) => changes.observe(node, { childList: true, subtree: true, attributes: true, characterData: true }));
    setTimeout(() => {
      if (held.delete(key)) amend(key, 'false,"v', 'true,"v'); // the viewport comes after it
    }, SECOND);
  });
  on('scroll focus blur submit', answered);
};
