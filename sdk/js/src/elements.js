// What may be told of an element, and where elements are found.

import { after } from './page.js';
import { watchView } from './views.js';
import { each } from './slices.js';

// What people type into, and what a page marks private: no text of these leaves the page.
export const PRIVATE = 'input,textarea,select,[contenteditable],[data-track-private]';

const isPrivate = (el) => el && (isPrivate(el.getRootNode().host) || el.closest(PRIVATE));

/** Where a link leads, without what may name a person. */
export const target = (el) => (el.host && !isPrivate(el) ? el.host + el.pathname : '');

/** Its mark, its id, where it leads, its class or its tag. */
export const nameOf = (el) => el.dataset.track || el.id || target(el) || el.getAttribute('class') || el.localName;

/** The properties that describe `el`. */
export const describe = (el) => ({
  element_id: nameOf(el),
  element_kind: el.dataset.trackKind || el.localName,
  element_class: el.getAttribute('class'),
  element_text: isPrivate(el) || el.querySelector(PRIVATE) ? undefined : el.innerText?.trim().replace(/\s+/g, ' ').slice(0, 99),
});

/** Watches the views of every element that `selector` finds, now or later, also inside open shadow roots. */
export const watchElements = (selector) => {
  const look = (node) => {
    if (node.matches?.(selector)) watchView(node);
    if (node.shadowRoot) watch(node.shadowRoot);
  };
  const scan = (node) => {
    look(node);
    if (node.querySelectorAll) each(node.querySelectorAll('*'), look);
  };
  const observer = new MutationObserver((changes) => each(changes, (change) => {
    look(change.target);
    each(change.addedNodes, scan);
  }));
  const watch = (root) => {
    observer.observe(root, { childList: true, subtree: true, attributeFilter: ['data-track'] });
    each([root], scan);
  };
  after(Element.prototype, 'attachShadow', watch);
  watch(document);
};
