// What may be told of an element, and where elements are found.

import { after } from './page.js';

// What people type into, and what a page marks private: no text of these leaves the page.
export const PRIVATE = 'input,textarea,select,[contenteditable],[data-track-private]';

const isPrivate = (el) => el && (el.closest(PRIVATE) || isPrivate(el.getRootNode().host));

/** Where a link leads, without what may name a person. */
export const target = (el) => (el.host && !isPrivate(el) ? el.host + el.pathname : '');

/** Its mark, its id, where it leads, its class or its tag. */
export const nameOf = (el) => el.dataset.track || el.id || target(el) || el.getAttribute('class') || el.localName;

/** The properties that describe `el`. */
export const describe = (el) => ({
  element_id: nameOf(el),
  element_kind: el.dataset.trackKind || el.localName,
  element_text: isPrivate(el) || el.querySelector(PRIVATE) ? undefined : el.innerText?.trim().replace(/\s+/g, ' ').slice(0, 99),
  element_class: el.getAttribute('class'),
});

/** Calls `act` with every element of the page that `selector` finds, now or later, also inside open shadow roots. */
export const eachElement = (selector, act) => {
  const look = (node) => {
    if (node.matches?.(selector)) setTimeout(act, 0, node); // each its own task: none is long
    if (node.shadowRoot) watch(node.shadowRoot);
  };
  const scan = (node) => {
    look(node);
    node.querySelectorAll?.('*').forEach(look);
  };
  const observer = new MutationObserver((changes) => changes.forEach((change) => {
    look(change.target);
    change.addedNodes.forEach(scan);
  }));
  const watch = (root) => {
    observer.observe(root, { childList: true, subtree: true, attributeFilter: ['data-track'] });
    scan(root);
  };
  after(Element.prototype, 'attachShadow', watch);
  setTimeout(watch, 0, document); // not in the task that starts the script
};
